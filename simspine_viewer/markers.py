"""Markers and notes on frames as the window shows them, kept in step with the document."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal

from pipeline.data import edits, notes
from pipeline.data.history import Place
from pipeline.data.layers import NOTE_BYTES
from pipeline.data.patch import Change
from simspine_viewer.document import Document
from simspine_viewer.time_cursor import TimeCursor

# Okabe and Ito's colours, told apart by people who do not see red and green as others do.
COLOURS: tuple[tuple[str, str], ...] = (
    ("Orange", "#d55e00"),
    ("Amber", "#e69f00"),
    ("Green", "#009e73"),
    ("Blue", "#56b4e9"),
    ("Pink", "#cc79a7"),
    ("Grey", "#a0a0a0"),
)


@dataclass(frozen=True, slots=True)
class Marker:
    """A marked frame: colour 1 to 6 of :data:`COLOURS` and a note, which may be empty."""

    frame: int
    colour: int
    text: str


class Markers(QObject):
    """All markers of the recording in the order of their frames; :attr:`all` by frame."""

    changed = Signal()

    def __init__(
        self, document: Document, cursor: TimeCursor, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._document, self._cursor = document, cursor
        self.all: dict[int, Marker] = {}
        self.revision = 0
        self.colour = 1  # of the next new marker: the one chosen last
        document.opened.connect(self.reload)
        document.closed.connect(self._clear)
        document.changed.connect(self._changed)

    def _clear(self) -> None:
        self.all = {}
        self._say()

    def reload(self) -> None:
        """Read all markers from the document."""
        sequence = self._document.sequence
        self.all = {int(f): self._at(int(f)) for f in notes.frames_with_notes(sequence)}
        self._say()

    def _at(self, frame: int) -> Marker:
        note = notes.note_at(self._document.sequence, frame)
        return Marker(frame, int(note.marker), note.text)

    def _changed(self, change: Change) -> None:
        if change.group == "notes":
            self.reload()

    def _say(self) -> None:
        self.revision += 1
        self.changed.emit()

    def set(self, frame: int, colour: int, text: str) -> bool:
        """Mark a frame as one undo step; colour 0 takes the marker and its note away.

        Returns
        -------
        bool
            True where the note was too long and its end was left out.
        """
        kept = fitting(text) if colour else ""
        patches = edits.set_note(self._document.sequence, frame, colour, kept)
        old = self.all.get(frame)
        verb = "Remove" if not colour else "Change" if old else "Add"
        if colour:
            self.colour = colour
        self._document.commit(f"{verb} marker", patches, Place(frame=frame))
        return kept != text and bool(colour)

    def toggle(self, frame: int) -> None:
        """Mark a frame, or take its marker and note away."""
        self.set(frame, 0 if frame in self.all else self.colour, "")

    def next_from(self, frame: int, direction: int) -> int | None:
        """The nearest marked frame after (``direction`` 1) or before (-1) a frame."""
        ahead = [f for f in self.all if (f - frame) * direction > 0]
        return min(ahead, key=lambda f: abs(f - frame)) if ahead else None

    def table(self, fps: float) -> str:
        """All markers as tab-separated lines with a header, to be pasted into a spreadsheet."""
        lines = ["frame\ttime_s\tcolour\tnote"]
        for frame in sorted(self.all):
            marker = self.all[frame]
            text = " ".join(marker.text.split())
            lines.append(f"{frame}\t{frame / fps:.3f}\t{colour_name(marker.colour)}\t{text}")
        return "\n".join(lines) + "\n"


def fitting(text: str) -> str:
    """As much of a text as fits into a note; no character is cut in half."""
    return text.replace("\0", "").encode("utf-8")[:NOTE_BYTES].decode("utf-8", errors="ignore")


def colour_name(colour: int) -> str:
    """Word for a marker's colour; a note without a marker has none."""
    return COLOURS[colour - 1][0] if 1 <= colour <= len(COLOURS) else "None"


def colour_of(colour: int) -> str:
    """``#rrggbb`` of a marker's colour; that of the last where the number is unknown."""
    return COLOURS[min(max(colour, 1), len(COLOURS)) - 1][1]
