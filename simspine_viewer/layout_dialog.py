"""The dialog in which the user's own layouts are used, renamed and deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QPushButton,
    QVBoxLayout,
)

from simspine_viewer import dialogs

if TYPE_CHECKING:
    from simspine_viewer.main_window import MainWindow


class LayoutDialog(QDialog):
    """A list of the user's own layouts and what can be done with them."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Own Layouts")
        self.resize(420, 320)
        self._window = window
        self.names = QListWidget()
        self.names.setAccessibleName("Own layouts")
        self.names.itemActivated.connect(lambda _: self._use())
        self.names.currentRowChanged.connect(lambda _: self._enable())
        self.empty = QLabel("None yet: arrange the window, then View ▸ Layout ▸ Save Layout…")
        self.empty.setWordWrap(True)
        self.empty.setProperty("role", "muted")
        self.use, self.rename, self.delete = (
            QPushButton(text) for text in ("Use", "Rename…", "Delete")
        )
        self.use.clicked.connect(self._use)
        self.rename.clicked.connect(self._rename)
        self.delete.clicked.connect(self._delete)
        close = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        close.rejected.connect(self.reject)
        buttons = QHBoxLayout()
        for button in (self.use, self.rename, self.delete):
            button.setAutoDefault(False)
            buttons.addWidget(button)
        buttons.addStretch(1)
        box = QVBoxLayout(self)
        box.addWidget(self.names, 1)
        box.addWidget(self.empty)
        box.addLayout(buttons)
        box.addWidget(close)
        self._fill()

    def _fill(self, name: str = "") -> None:
        self.names.clear()
        own = [layout.name for layout in self._window.layouts.own]
        self.names.addItems(own)
        self.names.setCurrentRow(own.index(name) if name in own else 0)
        self.empty.setVisible(not own)
        self._enable()

    def _enable(self) -> None:
        for button in (self.use, self.rename, self.delete):
            button.setEnabled(self.names.currentRow() >= 0)

    def _name(self) -> str:
        item = self.names.currentItem()
        return item.text() if item is not None else ""

    def _use(self) -> None:
        for layout in self._window.layouts.own:
            if layout.name == self._name():
                self._window.layouts.apply(layout)

    def _rename(self) -> None:
        old = self._name()
        new = dialogs.ask_text(self, "Rename Layout", f"Another name for “{old}”:", old)
        if new:
            self._window.guarded(lambda: self._window.layouts.rename(old, new))
            self._fill(new)

    def _delete(self) -> None:
        self._window.layouts.delete(self._name())
        self._fill()
