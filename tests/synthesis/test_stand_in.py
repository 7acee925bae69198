"""A body in the place of somebody who was measured hides what their own body hides."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from pipeline.data.camera import CameraGroup
from pipeline.data.skeleton import project_skeleton
from pipeline.kinematics.measured import Measured
from pipeline.synthesis.cameras import cameras_around
from pipeline.synthesis.clips import ClipTruth, grounded, keypoint_places, truth_of
from pipeline.synthesis.looks import draw_person
from pipeline.synthesis.motion_families import named_families
from pipeline.synthesis.motions import MotionSetting, draw_movement
from pipeline.synthesis.stand_in import StandIn, follow, stand_in
from pipeline.synthesis.things import joined_things
from pipeline.synthesis.visibility import unhidden

SKELETON = project_skeleton()
N, RATE, SIZE = 120, 30.0, (640, 480)
SPINE = [SKELETON.index(name) for name in ("spine_01", "spine_02", "spine_03", "spine_04")]


@dataclass(frozen=True)
class Someone:
    """Who was recorded: their truth before four cameras, and points with a detector's errors."""

    cameras: CameraGroup
    truth: ClipTruth
    measured: Measured

    def judged(self, measured: Measured | None = None) -> tuple[float, float]:
        """Shares of points in the picture that are judged wrongly, by the body and as all seen."""
        points = self.measured if measured is None else measured
        body = stand_in([points])
        chosen = np.arange(0, N, 6)
        part = replace(
            points, times=points.times[chosen], xyz=points.xyz[chosen],
            sigma=points.sigma[chosen], manual=points.manual[chosen],
        )  # fmt: skip
        found = unhidden(body, follow(body, part), self.cameras)
        xy, visible = self.truth.xy[chosen], self.truth.visible[chosen]
        inside = ((xy > -0.5) & (xy < np.array(SIZE) - 0.5)).all(axis=-1)
        return float((found != visible)[inside].mean()), float((~visible)[inside].mean())


def _someone(motion: str, seed: int) -> Someone:
    rng = np.random.default_rng(seed)
    person = draw_person(rng)
    setting = MotionSetting(families=dict([named_families()[motion]]), mixed=0.0)
    movement = draw_movement(person.model, rng, N, RATE, setting)
    coordinates = grounded(person, movement.coordinates)
    points = keypoint_places(person.model, coordinates)
    cameras = cameras_around(4, SIZE, points.reshape(-1, 3), rng)
    truth = truth_of(person, coordinates, cameras, joined_things([]))
    off = rng.normal(0.0, 0.006, truth.xyz.shape) + rng.normal(0.0, 0.006, truth.xyz.shape[1:])
    shape = truth.xyz.shape[:2]
    measured = Measured(
        SKELETON.markers, np.arange(N) / RATE, truth.xyz + off, np.full(shape, 0.01),
        np.zeros(shape, np.uint8), RATE,
    )  # fmt: skip
    return Someone(cameras, truth, measured)


@pytest.fixture(scope="module", params=[("forward-bending", 3), ("sitting-down", 4)])
def someone(request: pytest.FixtureRequest) -> Someone:
    return _someone(*request.param)


def test_what_a_body_hides_is_told_far_better_than_by_calling_all_seen(someone: Someone) -> None:
    wrong, all_seen = someone.judged()
    assert all_seen > 0.25
    assert wrong < 0.10
    assert wrong < all_seen / 4


def test_a_column_that_nobody_measured_comes_from_the_model(someone: Someone) -> None:
    xyz = someone.measured.xyz.copy()
    xyz[:, SPINE] = np.nan
    wrong, all_seen = someone.judged(replace(someone.measured, xyz=xyz))
    assert wrong < all_seen / 3


def test_the_body_is_of_the_persons_size(someone: Someone) -> None:
    grown = replace(someone.measured, xyz=1.2 * someone.measured.xyz)
    size, larger = (_height(stand_in([points])) for points in (someone.measured, grown))
    assert larger / size == pytest.approx(1.2, abs=0.02)


def _height(body: StandIn) -> float:
    return float(np.ptp(body.skin.points[:, 1]))


def test_lenses_and_the_pictures_edge_change_nothing(someone: Someone) -> None:
    body = stand_in([someone.measured])
    q = follow(body, someone.measured)[:3]
    bent = [replace(c, distortion=np.array([-0.3, 0.1, 0.0, 0.0, 0.0])) for c in someone.cameras]
    cut = [replace(c, size=(64, 48)) for c in someone.cameras]
    plain = unhidden(body, q, someone.cameras)
    np.testing.assert_array_equal(unhidden(body, q, bent), plain)
    np.testing.assert_array_equal(unhidden(body, q, cut), plain)
    away = [replace(c, translation=c.translation - [0.0, 0.0, 50.0]) for c in someone.cameras]
    assert unhidden(body, q, away).all()


def test_points_that_tell_no_length_are_refused(someone: Someone) -> None:
    xyz = np.full_like(someone.measured.xyz, np.nan)
    xyz[:, 0] = 1.0
    with pytest.raises(ValueError, match="no length"):
        stand_in([replace(someone.measured, xyz=xyz)])
