"""Who is seen where, counted by the pictures that are shown."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.data import edits, presence
from pipeline.data.presence import detected_in, seen_in
from pipeline.data.sequence import Sequence
from tests.data.recordings import N_FRAMES, small_sequence

VIEW, SHIFT = 1, 20


@pytest.fixture
def sequence(monkeypatch: pytest.MonkeyPatch) -> Sequence:
    monkeypatch.setattr(presence, "BLOCK", 128)  # so that there are some
    return small_sequence()


def _shift(sequence: Sequence) -> None:
    for patch in edits.set_sync(sequence, VIEW, float(SHIFT), 0.0):
        sequence.apply(patch)


def _shifted(there: np.ndarray) -> np.ndarray:
    moved = there.copy()
    moved[:-SHIFT, VIEW], moved[-SHIFT:, VIEW] = there[SHIFT:, VIEW], False
    return moved


@pytest.mark.parametrize("track", [0, 1, 5])
def test_a_person_is_where_the_picture_is_shown(sequence: Sequence, track: int) -> None:
    there = (sequence.read("assignment.track") == track).any(axis=2)
    assert there.any() == (track < 2)
    np.testing.assert_array_equal(seen_in(sequence, track), there)
    _shift(sequence)
    np.testing.assert_array_equal(seen_in(sequence, track), _shifted(there))


def test_placed_points_count_where_asked_for(sequence: Sequence) -> None:
    for patch in edits.place_point(sequence, 5, 200, VIEW, 3, (1.0, 2.0)):
        sequence.apply(patch)
    assert not seen_in(sequence, 5).any()
    assert np.argwhere(seen_in(sequence, 5, placed=True)).tolist() == [[200, VIEW]]
    _shift(sequence)
    assert np.argwhere(seen_in(sequence, 5, placed=True)).tolist() == [[200 - SHIFT, VIEW]]


def test_what_was_detected_at_all(sequence: Sequence) -> None:
    index = [(f, v, p, 7) for f in range(N_FRAMES) for v in range(3) for p in range(2)]
    sequence.apply(sequence.patch("instances2d.score", index, 0.0))
    there = (sequence.read("instances2d.score") > 0).any(axis=(2, 3))
    found, keypoints = detected_in(sequence)
    np.testing.assert_array_equal(found, there)
    assert np.flatnonzero(~keypoints).tolist() == [7]
    _shift(sequence)
    np.testing.assert_array_equal(detected_in(sequence)[0], _shifted(there))
