"""The empty state: what to do first, and the recordings worked on lately."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from simspine_viewer.settings import Settings

LIST_HEIGHT = 200
WIDTH = 660  # a line of text that is still easy to read


class Welcome(QWidget):
    """Shown while nothing is open; also while a recording is being read."""

    chosen = Signal(Path)

    def __init__(
        self,
        settings: Settings,
        open_recording: Callable[[], None],
        open_demo: Callable[[], None],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._settings = settings
        title = QLabel("See where the spine is wrong, and set it right.")
        title.setProperty("role", "title")
        title.setWordWrap(True)
        title.setAlignment(Qt.AlignmentFlag.AlignCenter)
        hint = QLabel(
            "Open a folder with 2 to 8 synchronised videos and a calibration, and detections if "
            "you have them: a Pose2Sim project works as it is."
        )
        hint.setWordWrap(True)
        hint.setAlignment(Qt.AlignmentFlag.AlignCenter)
        hint.setProperty("role", "muted")
        self.open_button = QPushButton("Open Recording…")
        self.open_button.setDefault(True)
        self.open_button.clicked.connect(open_recording)
        self.demo_button = QPushButton("Open the Demo")
        self.demo_button.clicked.connect(open_demo)
        self.recent_title = QLabel("Recent")
        self.recent_title.setProperty("role", "heading")
        self.recent = QListWidget()
        self.recent.setAccessibleName("Recent recordings")
        self.recent.setWordWrap(True)
        self.recent.setProperty("role", "wrapped")
        self.recent.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.recent.itemActivated.connect(self._activated)
        self.recent.itemClicked.connect(self._activated)
        self.busy = QLabel()
        self.busy.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.busy.setWordWrap(True)
        self.bar = QProgressBar()
        self.bar.setRange(0, 1000)
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(10)
        column = QWidget()
        column.setMaximumWidth(WIDTH)
        box = QVBoxLayout(column)
        box.setSpacing(12)
        for widget in (
            title, hint, self.open_button, self.demo_button, self.busy, self.bar,
            self.recent_title, self.recent,
        ):  # fmt: skip
            box.addWidget(widget)
        middle = QHBoxLayout()
        middle.addStretch(1)
        middle.addWidget(column, 1000)  # as wide as it may be, the rest shared by both sides
        middle.addStretch(1)
        outer = QVBoxLayout(self)
        outer.addStretch(2)
        outer.addLayout(middle)
        outer.addStretch(3)
        self.reload()
        self.set_busy("")

    def reload(self) -> None:
        """Show the recent recordings that still exist."""
        self.recent.clear()
        for entry in self._settings.recent:
            path = Path(entry)
            if path.exists():
                item = QListWidgetItem(f"{path.stem}\n{path.parent}")
                item.setToolTip(entry)
                item.setData(Qt.ItemDataRole.UserRole, entry)
                self.recent.addItem(item)
        self._show_recent()
        self._fit_recent()

    def _fit_recent(self) -> None:
        """As high as what it lists, so that a short list is no empty box."""
        lines = sum(self.recent.sizeHintForRow(row) for row in range(self.recent.count()))
        self.recent.setMaximumHeight(min(lines + 2 * self.recent.frameWidth() + 4, LIST_HEIGHT))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_recent()

    def _show_recent(self) -> None:
        for widget in (self.recent_title, self.recent):
            widget.setVisible(self.recent.count() > 0 and not self.busy.text())

    def set_busy(self, text: str) -> None:
        """Say what is being done; an empty text says that nothing is."""
        self.busy.setText(text)
        self.bar.setValue(0)
        for widget in (self.busy, self.bar):
            widget.setVisible(bool(text))
        for button in (self.open_button, self.demo_button):
            button.setEnabled(not text)
        self._show_recent()

    def set_progress(self, fraction: float) -> None:
        """How far the work under way is, 0 to 1."""
        self.bar.setValue(round(1000 * fraction))

    def _activated(self, item: QListWidgetItem) -> None:
        self.chosen.emit(Path(item.data(Qt.ItemDataRole.UserRole)))
