"""The people of a recording: pick the one to annotate, merge, split, ignore."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from pipeline.data import edits
from pipeline.data.history import Place
from pipeline.data.presence import seen_in
from simspine_viewer.document import Document
from simspine_viewer.time_cursor import TimeCursor

# A shifted camera shows people at other frames.
SHOWN = ("assignment", "tracks", "cameras", "detected2d")


class PeoplePanel(QWidget):
    """The people of the recording: pick the one to annotate, merge, split, ignore."""

    def __init__(
        self, document: Document, cursor: TimeCursor, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._document, self._cursor = document, cursor
        hint = QLabel(
            "The person in bold is annotated. Select another and choose what to do with them."
        )
        hint.setWordWrap(True)
        hint.setProperty("role", "muted")
        self.list = QListWidget()
        self.list.setAccessibleName("People")
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.list.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.list.setWordWrap(True)
        self.list.setProperty("role", "wrapped")
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.itemDoubleClicked.connect(lambda _: self.annotate())
        self.list.currentRowChanged.connect(lambda _: self._enable())
        self.annotate_button = QPushButton("Annotate")
        self.merge_button = QPushButton("Merge into annotated")
        self.split_button = QPushButton("Split here")
        self.ignore_button = QPushButton("Ignore")
        self.annotate_button.clicked.connect(self.annotate)
        self.merge_button.clicked.connect(self.merge)
        self.split_button.clicked.connect(self.split)
        self.ignore_button.clicked.connect(self.ignore)
        box = QVBoxLayout(self)
        box.setContentsMargins(6, 6, 6, 6)
        box.addWidget(hint)
        box.addWidget(self.list, 1)
        for pair in (
            (self.annotate_button, self.ignore_button),
            (self.merge_button, self.split_button),
        ):
            line = QHBoxLayout()
            for button in pair:
                button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
                line.addWidget(button)
            box.addLayout(line)
        document.opened.connect(self.reload)
        document.closed.connect(self._clear)
        document.person_changed.connect(lambda _: self.reload())
        document.changed.connect(lambda change: self.reload() if change.group in SHOWN else None)
        self._enable()

    def _clear(self) -> None:
        self.list.clear()
        self._enable()

    def reload(self) -> None:
        """Show the people as they are."""
        document = self._document
        chosen = self.selected()
        tracks = document.tracks()
        ignored = document.sequence.read("tracks.ignored", tracks).astype(bool)
        names = document.sequence.cameras.names
        with QSignalBlocker(self.list):
            self.list.clear()
            for track, hidden in zip(tracks, ignored, strict=True):
                there = seen_in(document.sequence, int(track))
                frames = int(there.any(axis=1).sum())
                seen = np.asarray(there.any(axis=0))
                views = ", ".join(n for n, s in zip(names, seen, strict=True) if s)
                word = "frame" if frames == 1 else "frames"
                where = "all views" if seen.all() else views or "no view"
                mark = " (ignored)" if hidden else ""
                item = QListWidgetItem(f"Person {track + 1}{mark}: {frames} {word} in {where}")
                item.setData(Qt.ItemDataRole.UserRole, int(track))
                font = item.font()
                font.setBold(bool(track == document.person))
                item.setFont(font)
                self.list.addItem(item)
                if track == (document.person if chosen is None else chosen):
                    self.list.setCurrentItem(item)
        self._enable()

    def selected(self) -> int | None:
        """Track of the selected line."""
        item = self.list.currentItem()
        return None if item is None else int(item.data(Qt.ItemDataRole.UserRole))

    def _enable(self) -> None:
        track = self.selected()
        other = track is not None and track != self._document.person
        self.annotate_button.setEnabled(other)
        self.merge_button.setEnabled(other)
        self.ignore_button.setEnabled(other)
        self.split_button.setEnabled(track is not None)
        hidden = track is not None and other and self._is_ignored(track)
        self.ignore_button.setText("Bring back" if hidden else "Ignore")

    def _is_ignored(self, track: int) -> bool:
        if not self._document.is_open:
            return False
        return bool(self._document.sequence.read("tracks.ignored", np.array([track]))[0])

    def _place(self, track: int) -> Place:
        """``track`` is annotated after undo and redo: one that is there before and after."""
        return Place(frame=self._cursor.frame, track=track)

    def annotate(self) -> None:
        """Work on the selected person from now on."""
        track = self.selected()
        if track is not None:
            self._document.set_person(track)

    def merge(self) -> None:
        """Make the selected person the same as the annotated one."""
        track, document = self.selected(), self._document
        if track is not None and track != document.person:
            patches = edits.merge_tracks(document.sequence, document.person, track)
            label = f"Merge person {track + 1} into {document.person + 1}"
            document.commit(label, patches, self._place(document.person))

    def split(self) -> None:
        """Give everything of the selected person from this frame on to a new person."""
        track, document, frame = self.selected(), self._document, self._cursor.frame
        if track is None:
            return
        there = np.asarray(seen_in(document.sequence, track).any(axis=1))
        if there[:frame].any() and there[frame:].any():
            patches = edits.split_track(document.sequence, track, frame)
            label = f"Split person {track + 1} at frame {frame}"
            document.commit(label, patches, self._place(track))
        else:
            side = "from" if there[:frame].any() else "before"
            document.failed.emit(
                f"Person {track + 1} is not seen {side} frame {frame}{' on' * (side == 'from')}, "
                "so there is nothing to split here."
            )

    def ignore(self) -> None:
        """Hide the selected person, or bring them back."""
        track, document = self.selected(), self._document
        if track is not None and track != document.person:
            hidden = self._is_ignored(track)
            label = f"{'Bring back' if hidden else 'Ignore'} person {track + 1}"
            document.commit(
                label,
                edits.ignore_track(document.sequence, track, not hidden),
                self._place(document.person),
            )
