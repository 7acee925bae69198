"""Parts of a track solved again agree with the whole."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.data.camera import CameraGroup
from pipeline.data.skeleton import project_skeleton
from pipeline.geometry.track_edit import solve_point_in_track, solve_track_window
from pipeline.geometry.track_options import TrackOptions, TrackSolution
from pipeline.geometry.track_solve import solve_track
from tests.truth.cameras import observe, ring
from tests.truth.moving_body import detected_body, moving_body

FPS = 60.0
SKELETON = project_skeleton()
KNEE = SKELETON.index("left_knee")


@pytest.fixture(scope="module")
def cameras() -> CameraGroup:
    return ring(4, 5)


@pytest.fixture(scope="module")
def seen(cameras) -> tuple[np.ndarray, np.ndarray]:
    return detected_body(cameras, moving_body(100, FPS, seed=11), FPS)


@pytest.fixture(scope="module")
def whole(cameras, seen) -> TrackSolution:
    return solve_track(cameras, *seen, skeleton=SKELETON, fps=FPS)


@pytest.mark.parametrize(("start", "stop"), [(0, 31), (30, 61), (69, 100), (50, 51), (0, 100)])
def test_a_window_agrees_with_the_whole(cameras, seen, whole, start: int, stop: int) -> None:
    xyz, sigma = solve_track_window(
        cameras, *seen, whole.xyz, start, stop, lengths=whole.lengths, fps=FPS
    )
    apart = 1000.0 * np.linalg.norm(xyz - whole.xyz[start:stop], axis=-1)
    assert np.array_equal(np.isfinite(xyz), np.isfinite(whole.xyz[start:stop]))
    assert np.nanmax(apart) < 0.5
    assert np.nanmedian(np.abs(sigma / whole.sigma[start:stop] - 1.0)) < 0.04


def test_a_window_knows_of_edits(cameras, seen, whole) -> None:
    xy, score = seen[0].copy(), seen[1].copy()
    target = whole.xyz[50, KNEE] + [0.03, -0.02, 0.04]
    xy[50, :, KNEE], score[50, :, KNEE] = observe(cameras, target[None])[0], 1.0
    manual = np.zeros(score.shape, bool)
    manual[50, :, KNEE] = True
    xyz, _ = solve_track_window(
        cameras, xy, score, whole.xyz, 35, 66, lengths=whole.lengths, fps=FPS, manual=manual
    )
    assert np.linalg.norm(xyz[15, KNEE] - target) < 0.0025
    complete = solve_track(
        cameras, xy, score, skeleton=SKELETON, fps=FPS, manual=manual, lengths=whole.lengths
    )
    assert np.nanmax(np.linalg.norm(xyz - complete.xyz[35:66], axis=-1)) < 0.0005


def test_a_window_heeds_small_edits_and_leaves_alone_what_is_far(cameras, seen, whole) -> None:
    xy, score = seen[0].copy(), seen[1].copy()
    target = whole.xyz[50, KNEE] + [0.0, 0.001, 0.0]
    xy[50, :, KNEE], score[50, :, KNEE] = observe(cameras, target[None])[0], 1.0
    manual = np.zeros(score.shape, bool)
    manual[50, :, KNEE] = True
    xyz, _ = solve_track_window(
        cameras, xy, score, whole.xyz, 35, 66, lengths=whole.lengths, fps=FPS, manual=manual
    )
    assert np.linalg.norm(xyz[15, KNEE] - target) < 0.0002
    wrist = SKELETON.index("right_wrist")
    np.testing.assert_array_equal(xyz[:, wrist], whole.xyz[35:66, wrist])


def test_it_does_not_matter_where_an_edited_point_was(cameras, seen, whole) -> None:
    """Dragged away and back, it is where it was."""
    astray = whole.xyz.copy()
    astray[50, KNEE] += [0.3, -0.2, 0.4]
    xyz, _ = solve_track_window(cameras, *seen, astray, 35, 66, lengths=whole.lengths, fps=FPS)
    assert np.nanmax(np.linalg.norm(xyz - whole.xyz[35:66], axis=-1)) < 0.0005


def test_a_window_outside_is_refused(cameras, seen, whole) -> None:
    for start, stop in ((-1, 5), (5, 5), (90, 101)):
        with pytest.raises(ValueError):
            solve_track_window(
                cameras, *seen, whole.xyz, start, stop, lengths=whole.lengths, fps=FPS
            )


def one_point(cameras, seen, whole, frame: int, point: int, **more) -> tuple[np.ndarray, float]:
    xy, score = seen
    given = {
        "around": whole.xyz[frame - 2 : frame + 3, point],
        "others": whole.xyz[frame], "keypoint": point, "lengths": whole.lengths, "fps": FPS,
    } | more  # fmt: skip
    manual = given.pop("manual", np.zeros(len(cameras), bool))
    return solve_point_in_track(cameras, xy[frame, :, point], score[frame, :, point], manual,
                                **given)  # fmt: skip


@pytest.mark.parametrize("tail", [30.0, np.inf])
def test_one_point_agrees_with_the_whole(cameras, seen, tail: float) -> None:
    options = TrackOptions(tail_px=tail)
    whole = solve_track(cameras, *seen, skeleton=SKELETON, fps=FPS, options=options)
    apart = []
    for frame in range(4, 96, 7):
        for point in range(37):
            xyz, sigma = one_point(cameras, seen, whole, frame, point, options=options)
            apart.append(1000.0 * np.linalg.norm(xyz - whole.xyz[frame, point]))
            assert 0.0 < sigma < whole.sigma[frame, point]
    assert np.median(apart) < 0.01
    assert max(apart) < 1.5


def test_a_dragged_point_follows_the_hand(cameras, seen, whole) -> None:
    """In one view: there it is where the hand is, and the other views say how deep."""
    moved = (seen[0].copy(), seen[1])
    start = observe(cameras, whole.xyz[None, 40, KNEE])[0, 2]
    moved[0][40, 2, KNEE] = start + np.array([25.0, -10.0])
    manual = np.array([False, False, True, False])
    xyz, _ = one_point(cameras, moved, whole, 40, KNEE, manual=manual)
    assert np.linalg.norm(observe(cameras, xyz[None])[0, 2] - moved[0][40, 2, KNEE]) < 1.5
    assert np.linalg.norm(xyz - whole.xyz[40, KNEE]) < 0.2


def test_one_point_without_anything_is_none(cameras, seen, whole) -> None:
    xy, score = np.full_like(seen[0], np.nan), np.zeros_like(seen[1])
    nothing = np.full((5, 3), np.nan)
    xyz, sigma = one_point(cameras, (xy, score), whole, 40, KNEE, around=nothing)
    assert np.isnan(xyz).all()
    assert np.isnan(sigma)
    # Between neighbours it stands where they lead.
    xyz, _ = one_point(cameras, (xy, score), whole, 40, KNEE)
    assert np.linalg.norm(xyz - whole.xyz[40, KNEE]) < 0.03
