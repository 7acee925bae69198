"""The preferences: pages in a window of their own, each change in force at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFrame,
    QHBoxLayout,
    QListWidget,
    QScrollArea,
    QStackedWidget,
    QVBoxLayout,
)

from simspine_viewer.keys_page import KeysPage
from simspine_viewer.preferences_pages import PAGES, Page

if TYPE_CHECKING:
    from simspine_viewer.main_window import MainWindow


class PreferencesDialog(QDialog):
    """A list of pages and the page chosen; the window stays usable beside it."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Preferences")
        self.setObjectName("preferences")
        room = window.screen().availableGeometry()
        self.resize(min(780, room.width() - 20), min(560, room.height() - 60))
        self.names = QListWidget()
        self.names.setAccessibleName("Pages")
        self.stack = QStackedWidget()
        self.pages: dict[str, Page] = {}
        for kind in (*PAGES, KeysPage):
            page = kind(window)
            self.pages[page.title] = page
            self.names.addItem(page.title)
            if isinstance(page, KeysPage):  # has a list that scrolls by itself
                self.stack.addWidget(page)
                continue
            area = QScrollArea()
            area.setWidgetResizable(True)
            area.setFrameShape(QFrame.Shape.NoFrame)
            area.setWidget(page)
            self.stack.addWidget(area)
        widest = self.names.sizeHintForColumn(0)
        self.names.setFixedWidth(widest + 28)
        self.names.currentRowChanged.connect(self.stack.setCurrentIndex)
        self.names.currentRowChanged.connect(lambda _: self._current().reload())
        self.buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.RestoreDefaults | QDialogButtonBox.StandardButton.Close
        )
        defaults = self.buttons.button(QDialogButtonBox.StandardButton.RestoreDefaults)
        defaults.setToolTip("This page as in a new program.")
        for button in (defaults, self.buttons.button(QDialogButtonBox.StandardButton.Close)):
            button.setAutoDefault(False)  # Return ends what is typed, not the dialog
        defaults.clicked.connect(lambda: self._current().restore_defaults())
        self.buttons.rejected.connect(self.reject)
        middle = QHBoxLayout()
        middle.addWidget(self.names)
        middle.addWidget(self.stack, 1)
        box = QVBoxLayout(self)
        box.addLayout(middle, 1)
        box.addWidget(self.buttons)
        self.names.setCurrentRow(0)

    def _current(self) -> Page:
        return list(self.pages.values())[self.names.currentRow()]

    def show_page(self, title: str) -> None:
        """Bring a page to the front."""
        self.names.setCurrentRow(list(self.pages).index(title))


def show(window: MainWindow, page: str = "") -> PreferencesDialog:
    """Show the preferences, those that are open already rather than new ones."""
    open_ones = [d for d in window.findChildren(PreferencesDialog) if d.isVisible()]
    dialog = open_ones[0] if open_ones else PreferencesDialog(window)
    if page:
        dialog.show_page(page)
    dialog.show()
    dialog.raise_()
    dialog.activateWindow()
    return dialog
