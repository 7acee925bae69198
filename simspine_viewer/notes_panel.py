"""The markers of the recording as a list: go there, write, recolour, remove, copy."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QItemSelectionModel, QSignalBlocker, Qt, Signal
from PySide6.QtGui import QGuiApplication, QKeyEvent
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

from simspine_viewer.markers import COLOURS, Markers, colour_name
from simspine_viewer.note_editor import swatch
from simspine_viewer.time_cursor import TimeCursor

FRAME = Qt.ItemDataRole.UserRole


class MarkersPanel(QWidget):
    """All markers by frame.

    Signals
    -------
    edit_requested(int) : the note of that frame is to be written.
    """

    edit_requested = Signal(int)

    def __init__(self, markers: Markers, cursor: TimeCursor, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._markers, self._cursor = markers, cursor
        self.empty = QLabel("No markers yet.")
        self.empty.setWordWrap(True)
        self.empty.setProperty("role", "muted")
        self.list = QListWidget()
        self.list.setAccessibleName("Markers")
        self.list.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.list.setWordWrap(True)
        self.list.setProperty("role", "wrapped")
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.itemClicked.connect(self._go)
        self.list.itemActivated.connect(self._edit)
        self.list.currentRowChanged.connect(lambda _: self._enable())
        self.edit_button = QPushButton("Note…")
        self.delete_button = QPushButton("Remove")
        self.copy_button = QPushButton("Copy as table")
        self.edit_button.clicked.connect(self._edit)
        self.delete_button.clicked.connect(self.remove)
        self.copy_button.clicked.connect(self.copy_table)
        self.colour_buttons: list[QPushButton] = []
        colours = QHBoxLayout()
        colours.setSpacing(3)
        for number in range(1, len(COLOURS) + 1):
            button = QPushButton(swatch(number), "")
            button.setToolTip(f"{colour_name(number)} marker")
            button.setAccessibleName(f"{colour_name(number)} marker")
            button.clicked.connect(lambda _=False, n=number: self.recolour(n))
            self.colour_buttons.append(button)
            colours.addWidget(button)
        line = QHBoxLayout()
        below = (self.edit_button, self.delete_button, self.copy_button)
        for button in below:
            line.addWidget(button)
        for button in (*self.colour_buttons, *below):
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        box = QVBoxLayout(self)
        box.setContentsMargins(6, 6, 6, 6)
        box.addWidget(self.empty)
        box.addWidget(self.list, 1)
        box.addLayout(colours)
        box.addLayout(line)
        markers.changed.connect(self.reload)
        cursor.moved.connect(lambda _: self._follow())
        self.reload()

    def show_keys(self, with_keys: Callable[[str], str]) -> None:
        """Name the keys that the user has now; ``with_keys`` puts them for ``{key:command}``."""
        self.empty.setText(
            with_keys(
                "No markers yet. {key:marker} marks the current frame, {key:note} adds a note."
            )
        )

    def reload(self) -> None:
        """Show the markers as they are."""
        chosen = self.selected()
        with QSignalBlocker(self.list):
            self.list.clear()
            for frame in sorted(self._markers.all):
                marker = self._markers.all[frame]
                text = " ".join(marker.text.split())
                item = QListWidgetItem(f"{frame}: {text}" if text else str(frame))
                item.setData(FRAME, frame)
                if marker.colour:
                    item.setIcon(swatch(marker.colour))
                item.setToolTip(f"Frame {frame}, {frame / self._cursor.fps:.3f} s\n{marker.text}")
                self.list.addItem(item)
                if frame == chosen:
                    self.list.setCurrentItem(item)
        self.empty.setVisible(not self._markers.all)
        self._follow()

    def selected(self) -> int | None:
        """Frame of the selected line."""
        item = self.list.currentItem()
        return None if item is None else int(item.data(FRAME))

    def _follow(self) -> None:
        """Select the line of the current frame, if it has one."""
        for row in range(self.list.count()):
            if self.list.item(row).data(FRAME) == self._cursor.frame:
                with QSignalBlocker(self.list):
                    flag = QItemSelectionModel.SelectionFlag.ClearAndSelect
                    self.list.setCurrentRow(row, flag)
        self._enable()

    def _enable(self) -> None:
        some = self.selected() is not None
        for button in (self.edit_button, self.delete_button, *self.colour_buttons):
            button.setEnabled(some)
        self.copy_button.setEnabled(bool(self._markers.all))

    def _go(self, item: QListWidgetItem) -> None:
        self._cursor.pause()
        self._cursor.set_frame(int(item.data(FRAME)))

    def _edit(self) -> None:
        frame = self.selected()
        if frame is not None:
            self.edit_requested.emit(frame)

    def remove(self) -> None:
        """Take the selected marker and its note away."""
        frame = self.selected()
        if frame is not None:
            self._markers.set(frame, 0, "")

    def recolour(self, colour: int) -> None:
        """Give the selected marker another colour."""
        frame = self.selected()
        if frame is not None:
            self._markers.set(frame, colour, self._markers.all[frame].text)

    def copy_table(self) -> None:
        """Put all markers on the clipboard as a table."""
        QGuiApplication.clipboard().setText(self._markers.table(self._cursor.fps))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """F2 writes the note of the selected marker; other keys are the window's."""
        if event.key() == Qt.Key.Key_F2 and self.selected() is not None:
            self._edit()
        else:
            super().keyPressEvent(event)
