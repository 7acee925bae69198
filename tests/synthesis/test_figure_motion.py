"""The figure moves like a body: bones keep their lengths, feet stay put, nothing jumps."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.data.skeleton import project_skeleton
from pipeline.synthesis import body
from pipeline.synthesis.figure import build_figure, skinned
from pipeline.synthesis.motion import SCENE_SECONDS, minimum_jerk, scene

FPS = 120.0
TIME = np.arange(0.0, SCENE_SECONDS, 1.0 / FPS)
NAMES = project_skeleton().names


@pytest.fixture(scope="module")
def posed() -> body.Posed:
    return body.pose(scene(TIME))


@pytest.fixture(scope="module")
def xyz(posed: body.Posed) -> np.ndarray:
    return body.keypoints(posed)


def _at(xyz: np.ndarray, name: str) -> np.ndarray:
    return xyz[:, NAMES.index(name)]


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize(
    ("upper", "lower", "length"),
    [
        ("hip", "knee", body.THIGH),
        ("knee", "ankle", body.SHANK),
        ("shoulder", "elbow", body.UPPER_ARM),
        ("elbow", "wrist", body.FOREARM),
    ],
)
def test_limbs_keep_their_lengths(
    xyz: np.ndarray, side: str, upper: str, lower: str, length: float
) -> None:
    measured = np.linalg.norm(_at(xyz, f"{side}_{upper}") - _at(xyz, f"{side}_{lower}"), axis=1)
    np.testing.assert_allclose(measured, length, atol=1e-9)


def test_head_and_feet_are_rigid(xyz: np.ndarray) -> None:
    for group in (
        ["nose", "left_eye", "right_eye", "left_ear", "right_ear", "head"],
        ["left_ankle", "left_heel", "left_big_toe", "left_small_toe"],
    ):
        points = np.stack([_at(xyz, name) for name in group], axis=1)
        distance = np.linalg.norm(points[:, :, None] - points[:, None], axis=-1)
        assert np.ptp(distance, axis=0).max() < 1e-9


def test_vertebrae_keep_their_distances_and_turn_within_living_ranges(posed: body.Posed) -> None:
    spine = slice(0, 1 + len(body.SPINE_BONES))
    step = np.linalg.norm(np.diff(posed.origin[:, spine], axis=1), axis=-1)
    assert np.ptp(step, axis=0).max() < 1e-9
    turned = np.swapaxes(posed.rotation[:, 0:25], -1, -2) @ posed.rotation[:, 1:26]
    angle = np.degrees(np.arccos(np.clip((np.trace(turned, axis1=-2, axis2=-1) - 1) / 2, -1, 1)))
    # White and Panjabi (1990): no level below the atlas bends 20 degrees, all of them some.
    below_atlas = angle[:, : body.SPINE_BONES.index("C1")]
    assert below_atlas.max() < 13.0
    assert below_atlas.max(axis=0).min() > 0.8
    # The trunk as a whole does bend: pelvis to first thoracic vertebra.
    up = posed.rotation[:, body.BONE["T1"], 1, 1]
    assert np.degrees(np.arccos(up.min())) > 75.0


def test_column_keeps_its_order_and_the_skin_over_it_stretches_no_more_than_skin_does(
    xyz: np.ndarray,
) -> None:
    column = xyz[:, list(project_skeleton().column)]
    segment = np.diff(column, axis=1)
    length = np.linalg.norm(segment, axis=-1)
    # Bending forward lengthens a lumbar skin segment by half and more (Schober's test).
    ratio = length / length[0]
    assert ratio.min() > 0.85
    assert ratio.max() < 1.75
    assert abs(length[0].sum() - 0.60) < 0.04
    unit = segment / length[..., None]
    assert np.einsum("tki,tki->tk", unit[:, 1:], unit[:, :-1]).min() > 0.5


def test_standing_spine_has_its_natural_curves(xyz: np.ndarray) -> None:
    x = xyz[0, list(project_skeleton().column), 0]
    hip, l5, l3, l1, t8, t3, c7, c4, c1 = x
    assert t8 < l3 - 0.02
    assert t8 < c7 - 0.02
    assert l3 < l5 + 0.01
    assert c4 > c7
    assert np.isfinite([hip, l1, t3, c1]).all()


def test_planted_feet_stay_and_nothing_sinks_into_the_floor(xyz: np.ndarray) -> None:
    before_walking = TIME < 5.7
    for name in ("left_ankle", "right_ankle", "left_heel", "right_big_toe"):
        assert np.ptp(_at(xyz, name)[before_walking], axis=0).max() < 1e-9
    assert xyz[..., 1].min() > -0.006
    travelled = _at(xyz, "left_ankle")[-1, 0] - _at(xyz, "left_ankle")[0, 0]
    assert travelled == pytest.approx(0.88, abs=0.02)


def test_motion_is_smooth_also_where_it_turns_back() -> None:
    time = np.arange(0.0, 2.5 * SCENE_SECONDS, 1.0 / FPS)
    xyz = body.keypoints(body.pose(scene(time)))
    speed = np.linalg.norm(np.diff(xyz, axis=0), axis=-1) * FPS
    acceleration = np.linalg.norm(np.diff(xyz, 2, axis=0), axis=-1) * FPS**2
    assert speed.max() < 3.5
    assert acceleration.max() < 60.0
    np.testing.assert_allclose(xyz[round(2 * SCENE_SECONDS * FPS)], xyz[0], atol=1e-9)


def test_minimum_jerk_rests_at_its_knots() -> None:
    time = np.linspace(-0.5, 2.5, 3001)
    path = minimum_jerk(time, [(0.0, 1.0), (1.0, 3.0), (2.0, -1.0)])
    assert path[0] == 1.0
    assert path[-1] == pytest.approx(-1.0)
    assert path[1500] == pytest.approx(3.0)
    rate = np.gradient(path, time)
    assert abs(rate[1500]) < 1e-3
    assert np.abs(rate).max() == pytest.approx(4.0 * 1.875, rel=1e-3)


def test_skin_follows_the_bones(posed: body.Posed) -> None:
    figure = build_figure()
    np.testing.assert_allclose(figure.weights.sum(axis=1), 1.0, atol=1e-9)
    assert figure.weights.min() >= -1e-12
    still = np.broadcast_to(np.eye(3), (len(body.BONES), 3, 3))
    np.testing.assert_allclose(skinned(figure, still, body.BIND_ORIGIN), figure.points, atol=1e-12)
    # The skin passes through every spinal keypoint but the one under the hair, at all times.
    for i in range(0, len(TIME), 97):
        skin = skinned(figure, posed.rotation[i], posed.origin[i])
        corner = skin[figure.faces]
        middles = 0.5 * (corner + np.roll(corner, 1, axis=1)).reshape(-1, 3)
        surface = np.concatenate([skin, middles])
        for k in project_skeleton().column[:-1]:
            point = body.keypoints(posed)[i, k]
            assert np.linalg.norm(surface - point, axis=1).min() < 0.006
