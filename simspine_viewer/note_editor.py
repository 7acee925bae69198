"""A small window beside the pictures in which the note on a frame is written."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QColor, QIcon, QPixmap
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QLabel,
    QLineEdit,
    QVBoxLayout,
    QWidget,
)

from pipeline.data.layers import NOTE_BYTES
from simspine_viewer.markers import COLOURS, Markers, colour_name, colour_of, fitting


def swatch(colour: int) -> QIcon:
    """A square in a marker's colour."""
    pixmap = QPixmap(14, 14)
    pixmap.fill(QColor(colour_of(colour)))
    return QIcon(pixmap)


class NoteEditor(QDialog):
    """Text and colour of the marker on one frame; the rest of the window stays usable.

    ``cut`` tells that the note was too long and its end was left out.
    """

    cut = Signal()

    def __init__(self, markers: Markers, frame: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._markers, self.frame = markers, frame
        old = markers.all.get(frame)
        self.setWindowTitle(f"Note on Frame {frame}")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.text = QLineEdit(old.text if old else "")
        self.text.setMinimumWidth(380)
        self.text.setAccessibleName("Note")
        self.colour = QComboBox()
        for number in range(1, len(COLOURS) + 1):
            self.colour.addItem(swatch(number), colour_name(number), number)
        chosen = old.colour if old and old.colour else markers.colour
        self.colour.setCurrentIndex(max(chosen - 1, 0))
        self.room = QLabel()
        self.room.setWordWrap(True)
        self.buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Save | QDialogButtonBox.StandardButton.Cancel
        )
        self.buttons.button(QDialogButtonBox.StandardButton.Save).setDefault(True)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        self.text.textChanged.connect(self._check)
        form = QFormLayout()
        form.addRow("Note", self.text)
        form.addRow("Colour", self.colour)
        box = QVBoxLayout(self)
        box.addLayout(form)
        box.addWidget(self.room)
        box.addWidget(self.buttons)
        self._check()

    def _check(self) -> None:
        """Say how much room there is, or what would be left out."""
        text = self.text.text()
        used, kept = len(text.encode("utf-8")), fitting(text)
        lost = len(text) - len(kept)
        if lost:
            said = f"Too long: the last {lost} letter{'s' if lost > 1 else ''} will be left out."
        else:
            said = f"Room for {NOTE_BYTES - used} more letters (fewer if they carry accents)."
        self.room.setText(said)
        self.room.setProperty("role", "warning" if lost else "muted")
        self.room.style().polish(self.room)

    def accept(self) -> None:
        """Write the marker as one undo step."""
        if self._markers.set(self.frame, int(self.colour.currentData()), self.text.text()):
            self.cut.emit()
        super().accept()
