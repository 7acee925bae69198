"""Pictures decoded ahead of play: what comes next waits here, so that showing it takes no decoding.

The threads fill it while the window paints. Neither waits for the other: in play a thread that had
to be asked for each frame would get its turn only after the window has painted the last one.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable

from simspine_viewer.picture import Picture

# Frames ahead: 120 ms at 50 frames per second, longer than a picture of the 3D view takes.
DEPTH = 6
# Where those of all views would take more than this, fewer are kept, but no fewer than _FEWEST.
_MOST_BYTES = 128 * 2**20
_FEWEST = 3


class PlayQueue:
    """Pictures by view and frame; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._expected: tuple[int, ...] = ()
        self._pictures: dict[tuple[int, int], Picture] = {}

    def expect(self, frames: Iterable[int]) -> None:
        """The frames that come next, soonest first; pictures of others are dropped."""
        expected = tuple(frames)
        with self._lock:
            self._expected = expected
            self._pictures = {key: p for key, p in self._pictures.items() if key[1] in expected}

    def put(self, view: int, picture: Picture) -> None:
        """A picture has been decoded; one that is no longer expected is not kept."""
        with self._lock:
            if picture.frame in self._expected:
                self._pictures[view, picture.frame] = picture

    def get(self, view: int, frame: int) -> Picture | None:
        """The picture of a frame, None where it is not there."""
        with self._lock:
            return self._pictures.get((view, frame))

    def missing(self, view: int) -> list[int]:
        """Expected frames of a view that are not there yet, soonest first."""
        with self._lock:
            return [frame for frame in self._expected if (view, frame) not in self._pictures]


def depth(pictures: Iterable[Picture]) -> int:
    """How many frames ahead to decode, given pictures of all views."""
    n_bytes = sum(0 if picture.pixels is None else picture.pixels.nbytes for picture in pictures)
    return max(_FEWEST, min(DEPTH, _MOST_BYTES // max(n_bytes, 1)))
