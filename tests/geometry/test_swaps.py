"""Left and right exchanged by the detector: found in 3D, never where nothing is wrong."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.data.camera import CameraGroup
from pipeline.data.skeleton import project_skeleton
from pipeline.geometry.swaps import (
    SwapRange,
    SwapSuggestion,
    chain_pairs,
    detect_swaps,
    swap_ranges,
)
from tests.truth.cameras import ring
from tests.truth.moving_body import detected_body, moving_body

FPS = 60.0
SKELETON = project_skeleton()


@pytest.fixture(scope="module")
def cameras() -> CameraGroup:
    return ring(4)


@pytest.fixture(scope="module")
def seen(cameras) -> tuple[np.ndarray, np.ndarray]:
    return detected_body(cameras, moving_body(70, FPS, seed=3), FPS)


def exchanged(seen, where: np.ndarray, chain: str) -> tuple[np.ndarray, np.ndarray]:
    """Left and right exchanged in frames and views ``where`` (T, V)."""
    xy, score = seen[0].copy(), seen[1].copy()
    for left, right in chain_pairs(SKELETON, chain):
        for array, original in ((xy, seen[0]), (score, seen[1])):
            array[where, left], array[where, right] = original[where, right], original[where, left]
    return xy, score


def found(suggestions, chain: str) -> set[tuple[int, int]]:
    return {(s.frame, s.view) for s in suggestions if s.chain == chain}


def search(cameras, xy, score, **more) -> tuple[SwapSuggestion, ...]:
    return detect_swaps(cameras, xy, score, skeleton=SKELETON, fps=FPS, **more)


def test_nothing_is_suggested_where_nothing_is_wrong(cameras, seen) -> None:
    before = seen[0].copy(), seen[1].copy()
    assert search(cameras, *seen) == ()
    assert np.array_equal(seen[0], before[0], equal_nan=True)
    assert np.array_equal(seen[1], before[1])


def test_scattered_swaps_are_found_even_two_at_once(cameras, seen) -> None:
    where = np.random.default_rng(4).random((70, 4)) < 0.15
    where[20, :2] = True
    suggestions = search(cameras, *exchanged(seen, where, "legs"))
    wanted = {(int(t), int(v)) for t, v in np.argwhere(where)}
    assert not found(suggestions, "arms")
    assert found(suggestions, "legs") <= wanted
    assert len(found(suggestions, "legs")) > 0.9 * len(wanted)
    assert all(s.gain_px > 0 for s in suggestions)


def test_a_long_swap_in_one_view_is_one_range(cameras, seen) -> None:
    where = np.zeros((70, 4), bool)
    where[15:50, 2] = True
    ranges = swap_ranges(search(cameras, *exchanged(seen, where, "arms")), most_gap=5)
    assert {(r.view, r.chain) for r in ranges} == {(2, "arms")}
    covered = sum(r.stop - r.start for r in ranges)
    assert 28 <= covered <= 35
    assert min(r.start for r in ranges) >= 15
    assert max(r.stop for r in ranges) <= 50


def test_what_a_person_placed_is_not_questioned(cameras, seen) -> None:
    where = np.zeros((70, 4), bool)
    where[30, 1] = True
    xy, score = exchanged(seen, where, "legs")
    assert found(search(cameras, xy, score), "legs") == {(30, 1)}
    manual = np.zeros(score.shape, bool)
    manual[30, 1, chain_pairs(SKELETON, "legs")[1][0]] = True
    assert (30, 1) not in found(search(cameras, xy, score, manual=manual), "legs")


def test_two_views_cannot_outvote_each_other(cameras, seen) -> None:
    two = CameraGroup(tuple(cameras)[:2])
    where = np.zeros((70, 4), bool)
    where[30, 1] = True
    xy, score = exchanged(seen, where, "legs")
    assert search(two, xy[:, :2], score[:, :2]) == ()


def test_no_frames_no_suggestions(cameras) -> None:
    assert search(cameras, np.zeros((0, 4, 37, 2)), np.zeros((0, 4, 37))) == ()


def test_ranges_end_where_suggestions_do() -> None:
    one = [SwapSuggestion(frame, 1, "legs", gain) for frame, gain in ((3, 10.0), (4, 20.0))]
    more = [SwapSuggestion(7, 1, "legs", 30.0), SwapSuggestion(4, 2, "legs", 5.0)]
    assert swap_ranges(more + one) == (
        SwapRange(3, 5, 1, "legs", 15.0),
        SwapRange(4, 5, 2, "legs", 5.0),
        SwapRange(7, 8, 1, "legs", 30.0),
    )
    assert swap_ranges(one + more, most_gap=2)[0] == SwapRange(3, 8, 1, "legs", 20.0)
    assert swap_ranges(()) == ()
