"""Shows the diagnostics, and copies them once somebody has seen what is in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QFontDatabase, QGuiApplication
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
)

from simspine_viewer.desktop import show_file
from simspine_viewer.diagnostics import diagnostics
from simspine_viewer.log_file import log_path

if TYPE_CHECKING:
    from simspine_viewer.main_window import MainWindow


class DiagnosticsDialog(QDialog):
    """The text that would be copied, and a button that does."""

    def __init__(self, window: MainWindow, text: str) -> None:
        super().__init__(window)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Diagnostics")
        self.resize(720, 520)
        note = QLabel(
            "For a report of a problem. It has no pictures and no points; read it, and take out "
            "what you would rather keep to yourself."
        )
        note.setWordWrap(True)
        self.text = QPlainTextEdit(text)
        self.text.setAccessibleName("Diagnostics")
        self.text.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.copy = QPushButton("Copy")
        self.copy.setDefault(True)
        self.copy.clicked.connect(self._copy)
        folder = QPushButton("Show Log File")
        folder.setAutoDefault(False)
        folder.clicked.connect(lambda: show_file(log_path()))
        self.done_ = QLabel()
        self.done_.setProperty("role", "muted")
        close = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        close.rejected.connect(self.reject)
        row = QHBoxLayout()
        for widget in (self.copy, folder):
            row.addWidget(widget)
        row.addWidget(self.done_, 1)
        row.addWidget(close)
        box = QVBoxLayout(self)
        box.addWidget(note)
        box.addWidget(self.text, 1)
        box.addLayout(row)

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self.text.toPlainText())
        self.done_.setText("Copied.")


def show_diagnostics(window: MainWindow, report: str = "") -> None:
    """Show what would be copied; ``report`` goes first."""
    DiagnosticsDialog(window, diagnostics(window, report)).show()
