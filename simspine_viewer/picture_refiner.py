"""Which views still show less than the exact frame, and in what order it is decoded for them."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping

from PySide6.QtCore import QObject, Qt, QTimer

from simspine_viewer.picture import Picture

REST_MS = 80  # after that long without a request the exact frame is decoded


class PictureRefiner(QObject):
    """Waits until the cursor rests, then asks for exact pictures, the active view first.

    Parameters
    ----------
    pictures : callable
        What is shown now, by view; asked when the cursor has come to rest.
    ask : callable(view)
        Begins to decode the exact picture of a view.
    """

    def __init__(
        self,
        pictures: Callable[[], Mapping[int, Picture]],
        ask: Callable[[int], None],
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._pictures, self._ask = pictures, ask
        self.active = 0
        self._moved_at = 0.0
        self._waiting: list[int] = []
        self._under_way: set[int] = set()
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setTimerType(Qt.TimerType.PreciseTimer)
        self._rest.timeout.connect(self._begin)

    @property
    def pending(self) -> bool:
        """Whether better pictures are still to come."""
        return self._rest.isActive() or bool(self._waiting or self._under_way)

    def moved(self) -> None:
        """The cursor has moved: nothing is refined until it rests."""
        self._moved_at = time.monotonic()
        self.drop()

    def drop(self) -> None:
        """Want no better pictures any more."""
        self._rest.stop()
        self._waiting.clear()
        self._under_way.clear()

    def shown(self) -> None:
        """Something less than the exact frame is shown; rest is counted from the last move."""
        waited = 1000 * (time.monotonic() - self._moved_at)
        self._rest.start(max(0, round(REST_MS - waited)))

    def refined(self, view: int) -> None:
        """A view has its exact picture."""
        self._under_way.discard(view)
        if self._waiting:
            self._next(len(self._waiting))

    def _begin(self) -> None:
        pictures = self._pictures()
        views = [view for view, picture in pictures.items() if not picture.is_full]
        self._waiting = sorted(views, key=lambda view: (view != self.active, view))
        # Alone the active view gets there first, where there are not cores for all.
        self._next(len(views) if (os.cpu_count() or 1) > len(pictures) else 1)

    def _next(self, count: int) -> None:
        views, self._waiting = self._waiting[:count], self._waiting[count:]
        self._under_way.update(views)
        for view in views:
            self._ask(view)
