"""Which keypoint and which view the user is working on."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal


class Selection(QObject):
    """Selected keypoint (-1: none) and active view (the pane last worked in)."""

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.keypoint = -1
        self.view = 0

    def set(self, keypoint: int | None = None, view: int | None = None) -> None:
        """Change either or both; None leaves it as it is."""
        new = (
            self.keypoint if keypoint is None else keypoint,
            self.view if view is None else view,
        )
        if new != (self.keypoint, self.view):
            self.keypoint, self.view = new
            self.changed.emit()
