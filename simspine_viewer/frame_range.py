"""The range of frames that the user has selected."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal


class FrameRange(QObject):
    """Frames ``start`` up to and without ``stop``; empty (0, 0) where nothing is selected."""

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.start = 0
        self.stop = 0
        self._n_frames = 0

    def __bool__(self) -> bool:
        return self.stop > self.start

    def __len__(self) -> int:
        return self.stop - self.start

    @property
    def frames(self) -> NDArray[np.intp]:
        """The selected frames, ascending."""
        return np.arange(self.start, self.stop, dtype=np.intp)

    def set_axis(self, n_frames: int) -> None:
        """Select nothing on an axis of ``n_frames`` frames."""
        self._n_frames = n_frames
        self.clear()

    def set(self, start: int, stop: int) -> None:
        """Select ``start`` up to and without ``stop``, within the recording."""
        start, stop = max(start, 0), min(stop, self._n_frames)
        if stop <= start:
            start = stop = 0
        if (start, stop) != (self.start, self.stop):
            self.start, self.stop = start, stop
            self.changed.emit()

    def between(self, first: int, last: int) -> None:
        """Select all frames between two, both included, in either order."""
        self.set(min(first, last), max(first, last) + 1)

    def set_first(self, frame: int) -> None:
        """Begin the range at a frame; it reaches to where it ended, else to the last frame."""
        self.set(frame, self.stop if self and self.stop > frame else self._n_frames)

    def set_last(self, frame: int) -> None:
        """End the range with a frame; it starts where it did, else at the first frame."""
        self.set(self.start if self and self.start <= frame else 0, frame + 1)

    def clear(self) -> None:
        """Select nothing."""
        self.set(0, 0)
