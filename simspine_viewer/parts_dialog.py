"""The window in which parts of the body are hidden and locked."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QDialogButtonBox,
    QGridLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from simspine_viewer.parts import Parts


class PartsDialog(QDialog):
    """A row of two check boxes for every part; changes hold at once."""

    def __init__(self, parts: Parts, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._parts = parts
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Body Parts")
        note = QLabel(
            "Hidden parts are not drawn and cannot be clicked. Locked parts are drawn, but cannot"
            " be changed."
        )
        note.setWordWrap(True)
        note.setProperty("role", "muted")
        box, self._grid = QVBoxLayout(self), QGridLayout()
        self._grid.setColumnStretch(0, 1)
        self._grid.setHorizontalSpacing(24)
        box.addWidget(note)
        box.addLayout(self._grid)
        self.shown: dict[str, QCheckBox] = {}
        self.locked: dict[str, QCheckBox] = {}
        for row, part in enumerate(parts.all):
            name = QLabel(f"{part.title}  ({len(part.keypoints)})")
            self._grid.addWidget(name, row, 0)
            for column, text, boxes, act in (
                (1, "Show", self.shown, lambda on, p=part.id: parts.set_hidden(p, not on)),
                (2, "Lock", self.locked, lambda on, p=part.id: parts.set_locked(p, on)),
            ):
                check = QCheckBox(text)
                check.setAccessibleName(f"{text} {part.title}")
                check.toggled.connect(act)
                boxes[part.id] = check
                self._grid.addWidget(check, row, column)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        self.everything = QPushButton("Show and Unlock &All")
        buttons.addButton(self.everything, QDialogButtonBox.ButtonRole.ResetRole)
        self.everything.setAutoDefault(False)
        self.everything.clicked.connect(parts.reset)
        buttons.rejected.connect(self.reject)
        box.addWidget(buttons)
        parts.changed.connect(self._refresh)
        self._refresh()

    def _refresh(self) -> None:
        known = {part.id for part in self._parts.all}
        if known != set(self.shown):  # another recording, or none
            self.reject()
            return
        for part in known:
            for check, on in (
                (self.shown[part], not self._parts.is_hidden(part)),
                (self.locked[part], self._parts.is_locked(part)),
            ):
                with QSignalBlocker(check):
                    check.setChecked(on)
