"""A byte-bounded store of displayed pictures, shared by the decode threads and the window."""

from __future__ import annotations

import threading
from collections import OrderedDict

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]


class FrameCache:
    """Least recently used pictures by ``(view, frame)``; safe to use from several threads.

    Parameters
    ----------
    max_bytes : int
        Upper bound on the pictures' total size. A picture larger than that is not kept.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._used_bytes = 0
        self._images: OrderedDict[tuple[int, int], Image] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def used_bytes(self) -> int:
        """Total size of the pictures now held."""
        return self._used_bytes

    def __len__(self) -> int:
        return len(self._images)

    def get(self, view: int, frame: int) -> Image | None:
        """The picture, now the most recently used one; None where it is not held."""
        with self._lock:
            image = self._images.get((view, frame))
            if image is not None:
                self._images.move_to_end((view, frame))
            return image

    def put(self, view: int, frame: int, image: Image) -> None:
        """Hold a picture (not copied), dropping the least recently used ones to make room."""
        with self._lock:
            self._remove((view, frame))
            if image.nbytes > self._max_bytes:
                return
            self._images[view, frame] = image
            self._used_bytes += image.nbytes
            while self._used_bytes > self._max_bytes:
                self._remove(next(iter(self._images)))

    def clear(self, view: int | None = None) -> None:
        """Drop all pictures, or those of one view (its video was replaced)."""
        with self._lock:
            for key in [key for key in self._images if view is None or key[0] == view]:
                self._remove(key)

    def _remove(self, key: tuple[int, int]) -> None:
        image = self._images.pop(key, None)
        if image is not None:
            self._used_bytes -= image.nbytes
