"""Two detectors compared: on made points whose distances are known by hand."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.geometry.projection import project_views
from pipeline.quality.comparison import compare_detectors, furthest_apart
from pipeline.synthesis.cameras import ring_of_cameras

N, V, K = 3, 4, 6
COLUMN = (4, 5)


@pytest.fixture
def cameras() -> tuple:
    return tuple(ring_of_cameras(V, size=(640, 480)))


@pytest.fixture
def exact(cameras: tuple) -> np.ndarray:
    """(N, V, K, 3) where points near the middle of the room fall, with a score of 0.9."""
    xyz = np.random.default_rng(0).uniform(-0.3, 0.3, (N * K, 3))
    xyz[:, 1] += 1.0
    xy = project_views(cameras, xyz).reshape(N, K, V, 2).transpose(0, 2, 1, 3)
    return np.concatenate([xy, np.full((N, V, K, 1), 0.9)], axis=-1)


def nothing() -> np.ndarray:
    return np.full((N, V, K, 2), np.nan)


def test_who_finds_more_and_who_is_off(cameras: tuple, exact: np.ndarray) -> None:
    other = exact.copy()
    other[:, 1, :, 0] += 8.0  # one view shifted
    other[:, :, 5] = np.nan  # a keypoint that it does not know
    other[0, 2] = np.nan  # a picture in which it finds nobody
    other[1, 0, 0, 2] = 0.2  # a point that it is not sure of
    placed = nothing()
    placed[2, 1, :5] = exact[2, 1, :5, :2]
    told = compare_detectors(cameras, exact, other, placed, COLUMN)
    assert (told.one.pictures, told.other.pictures) == (N * V, N * V - 1)
    assert told.one.points == K
    assert told.other.points == pytest.approx(((N * V - 1) * (K - 1) - 1) / (N * V - 1))
    assert (told.one.column, told.other.column) == (2.0, 1.0)
    assert told.one.heldout < 1e-6
    assert told.other.heldout > 0.5
    assert told.one.heldout_n == told.other.heldout_n > 0
    assert told.one.placed == pytest.approx(0.0)
    assert told.other.placed == pytest.approx(8.0)
    assert told.one.placed_n == told.other.placed_n == 5
    assert told.apart[2, 1, 3] == pytest.approx(8.0)
    assert told.apart[2, 0, 3] == 0.0
    assert np.isnan(told.apart[:, :, 5]).all()
    assert np.isnan(told.apart[0, 2]).all()
    assert np.isnan(told.apart[1, 0, 0])


def test_the_largest_differences_are_named_one_a_picture() -> None:
    apart = np.full((2, 2, 3), np.nan)
    apart[0, 1] = [1.0, 9.0, 8.0]
    apart[1, 0, 2] = 4.0
    assert furthest_apart(apart, 5) == [(0, 1, 1), (1, 0, 2)]
    assert furthest_apart(apart, 1) == [(0, 1, 1)]


def test_nothing_found_is_no_error(cameras: tuple, exact: np.ndarray) -> None:
    told = compare_detectors(cameras, exact, np.full_like(exact, np.nan), nothing(), COLUMN)
    assert told.other.pictures == told.other.heldout_n == told.one.placed_n == 0
    assert np.isnan([told.other.points, told.other.heldout, told.one.heldout]).all()
    assert furthest_apart(told.apart, 5) == []
