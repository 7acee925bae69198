"""Markers and short texts that people put on frames."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.data.errors import UserError
from pipeline.data.layers import NOTE_BYTES
from pipeline.data.sequence import Sequence

#: Markers are numbered 1 to this, each with a colour of its own; 0 is none.
MARKERS = 6


@dataclass(frozen=True, slots=True)
class Note:
    """What is noted on a frame: ``marker`` 0 (none) to :data:`MARKERS`, and a text."""

    marker: int = 0
    text: str = ""


def note_at(sequence: Sequence, frame: int) -> Note:
    """The note of a frame; an empty one where there is none."""
    raw = sequence.read("notes.text", [frame])[0].tobytes().rstrip(b"\0")
    # A text that another program wrote and cut within a letter is shown as far as it goes.
    return Note(int(sequence.read("notes.marker", [frame])[0]), raw.decode("utf-8", "replace"))


def frames_with_notes(sequence: Sequence) -> NDArray[np.intp]:
    """Frames that have a marker or a text, ascending."""
    stores = [sequence.layer(name) for name in ("notes.marker", "notes.text")]

    def found() -> NDArray[np.intp]:
        frames = [
            first + np.flatnonzero(chunk.reshape(len(chunk), -1).any(axis=1))
            for store in stores
            for first, chunk in store.chunks()
        ]
        return np.unique(np.concatenate(frames)) if frames else np.zeros(0, np.intp)

    state = tuple(store.n_writes for store in stores)
    return sequence.remembered("frames_with_notes", state, found).copy()


def encoded(text: str) -> NDArray[np.uint8]:
    """(:data:`NOTE_BYTES`,) bytes of a text, padded with zeros; UserError where it is too long."""
    raw = text.replace("\0", "").encode("utf-8")
    if len(raw) > NOTE_BYTES:
        raise UserError(
            f"The note is too long: it takes {len(raw)} bytes of at most {NOTE_BYTES} "
            "(letters beyond plain English ones take two or more)."
        )
    return np.frombuffer(raw.ljust(NOTE_BYTES, b"\0"), np.uint8)
