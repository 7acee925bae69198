"""Markers and texts on frames."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.data import edits
from pipeline.data.errors import UserError
from pipeline.data.notes import Note, frames_with_notes, note_at
from pipeline.data.patch import Patch
from pipeline.data.sequence import Sequence
from tests.data.recordings import N_FRAMES, small_sequence


@pytest.fixture
def sequence() -> Sequence:
    return small_sequence()


def note(sequence: Sequence, frame: int, marker: int, text: str) -> tuple[Patch, ...]:
    patches = edits.set_note(sequence, frame, marker, text)
    for patch in patches:
        sequence.apply(patch)
    return patches


def test_a_note_reads_back(sequence: Sequence) -> None:
    assert note_at(sequence, 7) == Note(0, "")
    note(sequence, 7, 3, "Ferse hebt ab\n↑ früh")
    note(sequence, 290, 0, "only a text")
    note(sequence, 20, 6, "")
    assert note_at(sequence, 7) == Note(3, "Ferse hebt ab\n↑ früh")
    assert note_at(sequence, 8) == Note()
    assert frames_with_notes(sequence).tolist() == [7, 20, 290]


def test_a_note_is_replaced_taken_back_and_undone(sequence: Sequence) -> None:
    note(sequence, 7, 3, "a long first text")
    second = note(sequence, 7, 2, "short")
    assert note_at(sequence, 7) == Note(2, "short")
    for patch in reversed(second):
        sequence.apply(patch.inverse())
    assert note_at(sequence, 7) == Note(3, "a long first text")
    note(sequence, 7, 0, "")
    assert frames_with_notes(sequence).tolist() == []
    assert note(sequence, 7, 0, "") == ()


def test_notes_make_nothing_stale(sequence: Sequence) -> None:
    frames = np.arange(N_FRAMES)
    for group in ("points3d", "fused"):
        sequence.stamps.computed(group, 0, frames, sequence.revision)
    note(sequence, 7, 1, "x")
    assert not sequence.stamps.stale("points3d", 0).any()
    assert not sequence.stamps.stale("fused", 0).any()


def test_what_does_not_fit_is_refused(sequence: Sequence) -> None:
    note(sequence, 7, 1, "é" * 120)
    assert note_at(sequence, 7).text == "é" * 120
    with pytest.raises(UserError, match="242 bytes of at most 240"):
        edits.set_note(sequence, 7, 1, "é" * 121)
    with pytest.raises(ValueError, match="no marker 7"):
        edits.set_note(sequence, 7, 7, "")
