"""Derived values are read as far as they hold, and searched without waiting for the rest."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.data import edits
from pipeline.data.derived import BLOCK, next_frame_without, read_current
from pipeline.data.sequence import Sequence
from tests.data.recordings import N_FRAMES, small_info

ANNOTATED, KEYPOINT = 0, 7


@pytest.fixture
def sequence() -> Sequence:
    made = Sequence(small_info())
    _land(made, np.arange(N_FRAMES), 1.0)
    return made


def _land(sequence: Sequence, frames: np.ndarray, value: float) -> None:
    index = [(frame, point) for frame in frames for point in range(37)]
    patches = (
        sequence.patch("points3d.xyz", index, value, ANNOTATED),
        sequence.patch("points3d.n_views", index, 3, ANNOTATED),
    )
    sequence.land(patches, frames, sequence.revision)


def _edit(sequence: Sequence, frame: int) -> None:
    for patch in edits.delete_point(sequence, ANNOTATED, frame, [0], KEYPOINT):
        sequence.apply(patch)


@pytest.mark.parametrize("rows", [slice(3, 6), np.array([3, 4, 5])], ids=["slice", "index"])
def test_what_is_older_than_an_edit_is_not_there(sequence: Sequence, rows) -> None:
    _edit(sequence, 4)
    xyz = read_current(sequence, "points3d.xyz", rows, ANNOTATED)[:, KEYPOINT, 0]
    assert np.isfinite(xyz).tolist() == [True, False, True]
    n_views = read_current(sequence, "points3d.n_views", rows, ANNOTATED)[:, KEYPOINT]
    assert n_views.tolist() == [3, 0, 3]
    _land(sequence, np.array([4]), 2.0)
    xyz = read_current(sequence, "points3d.xyz", rows, ANNOTATED)[:, KEYPOINT, 0]
    assert xyz.tolist() == [1.0, 2.0, 1.0]


def _found(sequence: Sequence, frame: int, direction: int) -> int | None:
    return next_frame_without(sequence, ANNOTATED, KEYPOINT, frame, direction)


def test_the_next_frame_without_the_point_is_one_that_is_known_to_lack_it(
    sequence: Sequence,
) -> None:
    _land(sequence, np.array([3, 8]), np.nan)
    found = [_found(sequence, *asked) for asked in ((0, 1), (3, 1), (8, 1))]
    assert found == [3, 8, None]
    found = [_found(sequence, *asked) for asked in ((N_FRAMES - 1, -1), (8, -1), (3, -1))]
    assert found == [8, 3, None]
    _edit(sequence, 3)
    assert _found(sequence, 0, 1) == 8, "what frame 3 held is from before the edit"


def test_what_was_never_solved_lacks_nothing() -> None:
    assert _found(Sequence(small_info()), 0, 1) is None


@pytest.mark.parametrize(("start", "direction", "target"), [(1, 1, 290), (298, -1, 2)])
def test_the_search_crosses_blocks(
    sequence: Sequence, start: int, direction: int, target: int
) -> None:
    assert abs(target - start) > BLOCK
    _land(sequence, np.array([target]), np.nan)
    assert _found(sequence, start, direction) == target
