"""Pictures of a recording's views by frame, for a network to look at."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.data.errors import UserError
from pipeline.data.sequence import Sequence
from pipeline.io.video_reader import FrameReader, open_video

Image = NDArray[np.uint8]
Place = tuple[int, int]

# Decoded before they are looked at: enough to keep decoding and the network busy side by side.
_AHEAD_BYTES = 96 << 20
# A block of frames of one view is looked at twice at most; what does not fit is decoded again.
_KEEP_BYTES = 64 << 20


def views_with_video(sequence: Sequence) -> tuple[int, ...]:
    """Views whose video is there."""
    return tuple(
        view
        for view, video in enumerate(sequence.info.videos)
        if video.path is not None and Path(video.path).exists()
    )


def chosen_views(sequence: Sequence, names: tuple[str, ...] | None) -> tuple[int, ...]:
    """Views of the given names, in the recording's order; without names all that have a video.

    Raises
    ------
    UserError
        If there is no such view, or no video of it.
    """
    there = views_with_video(sequence)
    if names is None:
        if not there:
            raise UserError(f"“{sequence.info.name}” has no video in which to look for anybody.")
        return there
    known = sequence.cameras.names
    for name in names:
        if name not in known:
            raise UserError(
                f"“{sequence.info.name}” has no view named “{name}”; there are {', '.join(known)}."
            )
        if known.index(name) not in there:
            raise UserError(f"The view {name} of “{sequence.info.name}” has no video to look at.")
    return tuple(sorted({known.index(name) for name in names}))


class Pictures:
    """Pictures of some views, each view decoded in a thread of its own; to be closed."""

    def __init__(self, sequence: Sequence) -> None:
        self._videos = sequence.info.videos
        self._syncs = sequence.syncs
        self._readers: dict[int, FrameReader] = {}
        self._threads: dict[int, ThreadPoolExecutor] = {}
        self._expected: deque[Place] = deque()
        self._ahead: dict[Place, Future[Image | None]] = {}

    def expect(self, places: Iterable[Place]) -> None:
        """Say which pictures (frame, view) are wanted next, in this order: they are decoded ahead.

        What was expected before and never asked for is let go.
        """
        for asked in self._ahead.values():
            asked.cancel()
        self._ahead.clear()
        self._expected = deque(places)
        self._decode_ahead()

    def get(self, frame: int, view: int) -> Image | None:
        """The RGB picture (H, W, 3) that a view shows at a frame; None where it shows none.

        A picture that cannot be decoded, or only in part, counts as none.
        """
        asked = self._ahead.pop((frame, view), None) or self._asked((frame, view))
        self._decode_ahead()
        return asked.result()

    def _decode_ahead(self) -> None:
        room = _AHEAD_BYTES - sum(map(self._bytes_of, self._ahead))
        while self._expected and room >= self._bytes_of(self._expected[0]):
            place = self._expected.popleft()
            room -= self._bytes_of(place)
            self._ahead[place] = self._asked(place)

    def _bytes_of(self, place: Place) -> int:
        width, height = self._videos[place[1]].size
        return 3 * width * height

    def _asked(self, place: Place) -> Future[Image | None]:
        view = place[1]
        if view not in self._threads:
            self._threads[view] = ThreadPoolExecutor(1, f"simspine-decode-{view}")
        return self._threads[view].submit(self._decoded, *place)

    def _decoded(self, frame: int, view: int) -> Image | None:
        number = self._syncs[view].video_frame(frame)
        if number is None:
            return None
        if view not in self._readers:
            path = self._videos[view].path
            assert path is not None  # of chosen views
            self._readers[view] = open_video(Path(path), keep_bytes=_KEEP_BYTES)
        reader = self._readers[view]
        picture = reader.get(number)
        if picture is None or reader.suspect(number):
            return None
        return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGRA2RGB), np.uint8)

    def __enter__(self) -> Pictures:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.expect(())
        for thread in self._threads.values():
            thread.shutdown(cancel_futures=True)
        self._threads.clear()
        for reader in self._readers.values():
            reader.close()
        self._readers.clear()
