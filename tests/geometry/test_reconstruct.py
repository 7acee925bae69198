"""Points of a sequence: manual points win, 3D placements stand, residuals tell the truth."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.data import edits
from pipeline.data.camera import CameraGroup, SyncMap
from pipeline.data.sequence import RecordingInfo, Sequence, VideoRef
from pipeline.data.skeleton import project_skeleton
from pipeline.data.source import Flag, Source
from pipeline.geometry.projection import project_views
from pipeline.geometry.reconstruct import root_mean_square, solve_points3d
from tests.truth.cameras import ring

KEYPOINT, FRAME, TRACK = 18, 1, 0
SIZE = (1280, 960)


@pytest.fixture
def truth() -> np.ndarray:
    rng = np.random.default_rng(3)
    return rng.uniform([-0.4, 0.1, -0.4], [0.4, 1.7, 0.4], (2, 37, 3))


@pytest.fixture
def sequence(truth: np.ndarray) -> Sequence:
    """Two frames seen by four cameras, with 3 px of noise."""
    cameras = CameraGroup(tuple(ring(4)))
    info = RecordingInfo(
        "truth", 50.0, 2, cameras, (VideoRef(None, SIZE, 0),) * 4, (SyncMap(),) * 4,
        project_skeleton(), 1,
    )  # fmt: skip
    sequence = Sequence(info)
    rng = np.random.default_rng(4)
    xy = project_views(cameras, truth).transpose(0, 2, 1, 3)
    xy = xy + rng.normal(0, 3, xy.shape)
    index = np.indices((2, 4, 1, 37)).reshape(4, -1).T
    sequence.apply(sequence.patch("instances2d.xy", index, xy.reshape(-1, 2)))
    sequence.apply(sequence.patch("instances2d.score", index, 0.9))
    who = np.indices((2, 4, 1)).reshape(3, -1).T
    sequence.apply(sequence.patch("assignment.track", who, TRACK))
    return sequence


def _solve(sequence: Sequence) -> dict[str, np.ndarray]:
    frames = np.arange(2)
    sequence.land(solve_points3d(sequence, TRACK, frames), frames, sequence.revision)
    names = ("xyz", "residual", "sigma", "n_views", "source")
    return {name: sequence.read(f"points3d.{name}", track=TRACK) for name in names}


def _do(sequence: Sequence, patches: tuple) -> None:
    for patch in patches:
        sequence.apply(patch)


def test_noise_of_pixels_gives_errors_of_millimetres(sequence: Sequence, truth: np.ndarray) -> None:
    solved = _solve(sequence)
    error = np.linalg.norm(solved["xyz"] - truth, axis=-1)
    assert np.median(error) < 0.02
    assert (solved["n_views"] == 4).all()
    assert (solved["source"] == Source.TRIANGULATED).all()
    assert not sequence.stamps.stale("points3d", TRACK).any()


def test_placed_points_win_over_wrong_detections(sequence: Sequence, truth: np.ndarray) -> None:
    """Three of four detections are 60 px off; two careful clicks put the point right."""
    cameras = sequence.cameras
    exact = project_views(cameras, truth[FRAME, KEYPOINT])
    for view in (1, 2, 3):
        index = (FRAME, view, 0, KEYPOINT)
        sequence.apply(sequence.patch("instances2d.xy", index, exact[view] + [60, -50]))
    before = np.linalg.norm(_solve(sequence)["xyz"][FRAME, KEYPOINT] - truth[FRAME, KEYPOINT])
    for view in (0, 2):
        _do(sequence, edits.place_point(sequence, TRACK, FRAME, view, KEYPOINT, exact[view]))
    solved = _solve(sequence)
    after = np.linalg.norm(solved["xyz"][FRAME, KEYPOINT] - truth[FRAME, KEYPOINT])
    assert after < before / 5
    assert after < 0.015
    assert solved["source"][FRAME, KEYPOINT] == Source.MANUAL_2D
    assert solved["source"][1 - FRAME, KEYPOINT] == Source.TRIANGULATED


def test_a_3d_placement_stands_whatever_the_views_say(sequence: Sequence) -> None:
    there = np.array([0.1, 1.0, 0.2])
    _do(sequence, edits.place_point_3d(sequence, TRACK, FRAME, KEYPOINT, there))
    solved = _solve(sequence)
    np.testing.assert_allclose(solved["xyz"][FRAME, KEYPOINT], there, atol=1e-6)
    assert solved["source"][FRAME, KEYPOINT] == Source.MANUAL_3D
    assert np.isnan(solved["sigma"][FRAME, KEYPOINT])
    assert solved["residual"][FRAME, KEYPOINT] > 20


def test_flagged_detections_do_not_count(sequence: Sequence) -> None:
    for view, flag in ((0, Flag.OCCLUDED), (1, Flag.ABSENT)):
        _do(sequence, edits.toggle_flag(sequence, TRACK, FRAME, [view], KEYPOINT, flag))
    _do(sequence, edits.delete_point(sequence, TRACK, FRAME, [2], KEYPOINT))
    solved = _solve(sequence)
    assert solved["n_views"][FRAME, KEYPOINT] == 1
    assert np.isnan(solved["xyz"][FRAME, KEYPOINT]).all()
    assert solved["source"][FRAME, KEYPOINT] == Source.NONE


def test_the_residual_is_the_root_mean_square_over_views() -> None:
    residual = np.array([[3.0, 4.0, np.nan], [np.nan, np.nan, np.nan]])
    np.testing.assert_allclose(root_mean_square(residual), [np.sqrt(12.5), np.nan])
