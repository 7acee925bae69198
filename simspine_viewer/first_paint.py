"""Puts off work until a window was painted for the first time."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, QTimer
from PySide6.QtWidgets import QWidget

# A window that starts minimised or on another desktop is not painted for long.
LONGEST_WAIT_MS = 1000


class AfterFirstPaint(QObject):
    """Calls something once, right after the first paint of a window.

    Parameters
    ----------
    window : QWidget
        Not yet shown; owns this object.
    call : callable
        Called from the event loop, at the latest ``LONGEST_WAIT_MS`` from now.
    """

    def __init__(self, window: QWidget, call: Callable[[], None]) -> None:
        super().__init__(window)
        # No reference to the window: with the last one gone it would be destroyed by its own child.
        self._call = call
        self._painted = False
        self._latest = QTimer(self)
        self._latest.setSingleShot(True)
        self._latest.timeout.connect(self._go)
        self._latest.start(LONGEST_WAIT_MS)
        window.installEventFilter(self)

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Paint and not self._painted:
            self._painted = True
            self._latest.start(0)  # children are painted after their window, in the same event
        return False

    def _go(self) -> None:
        window = self.parent()
        if window is not None:
            window.removeEventFilter(self)
        self._call()
        self.deleteLater()
