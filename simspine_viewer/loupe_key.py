"""The key of the loupe: a tap switches it, holding it shows the loupe until it is let go."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QElapsedTimer, QEvent, QObject
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QApplication

HOLD_MS = 300  # a tap is shorter


class LoupeKey(QObject):
    """Waits for the key that switched the loupe on to be let go; watches only until then."""

    def __init__(self, switch_off: Callable[[], None], parent: QObject) -> None:
        super().__init__(parent)
        self._switch_off = switch_off
        self._held = QElapsedTimer()
        self._watching = False

    def pressed(self) -> None:
        """The loupe was switched on by its key just now."""
        app = QApplication.instance()
        if app is not None and not self._watching:
            self._held.start()
            self._watching = True
            app.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.KeyRelease:
            if isinstance(event, QKeyEvent) and not event.isAutoRepeat():
                self._stop()
                if self._held.elapsed() >= HOLD_MS:
                    self._switch_off()
        elif event.type() == QEvent.Type.ApplicationDeactivate:
            self._stop()
        return False

    def _stop(self) -> None:
        app = QApplication.instance()
        self._watching = False
        if app is not None:
            app.removeEventFilter(self)
