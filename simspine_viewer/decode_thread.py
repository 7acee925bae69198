"""One decode thread per view: takes the newest request, hands over a picture, prefetches when idle.

Nothing here knows Qt: a thread that held Qt objects could have them finalised by a garbage
collection that happens to run in it.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pipeline.data.errors import UserError
from pipeline.io.frame_cache import FrameCache
from pipeline.io.video import VideoReader
from simspine_viewer.picture import NOT_DECODABLE, Picture

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class DecodeRequest:
    """A frame of one view's video that is wanted now.

    ``ticket`` comes back with the picture; ``ahead`` are the video frames most likely to be asked
    for next, soonest first.
    """

    ticket: int
    frame: int
    video_frame: int
    ahead: tuple[int, ...] = ()


class DecodeThread:
    """Decodes one video file. ``deliver`` and ``failed`` are called from the thread.

    Parameters
    ----------
    view : int
    path : Path
        The video file; opened in the thread, at the first request.
    cache : FrameCache
        Shared by all views.
    keep_bytes : int
        Bound on what the reader keeps for stepping back.
    deliver : callable(view, ticket, Picture)
        Called once for every request that was taken.
    failed : callable(view, sentence)
        Called when the file turns out to be unreadable, or decoding fails in an unforeseen way.
    """

    def __init__(
        self,
        view: int,
        path: Path,
        cache: FrameCache,
        keep_bytes: int,
        deliver: Callable[[int, int, Picture], None],
        failed: Callable[[int, str], None],
    ) -> None:
        self._view, self._path, self._cache = view, path, cache
        self._keep_bytes = keep_bytes
        self._deliver, self._failed = deliver, failed
        self._wake = threading.Condition()
        self._request: DecodeRequest | None = None
        self._ahead: deque[int] = deque()
        self._stopping = False
        self._reader: VideoReader | None = None
        self._unreadable = ""
        self._reported: set[str] = set()
        # A daemon, so that a decoder stuck in a damaged file or a dead network share cannot keep
        # the program from ending.
        self._thread = threading.Thread(target=self._run, name=f"decode-{view}", daemon=True)
        self._thread.start()

    def request(self, request: DecodeRequest) -> None:
        """Ask for a frame; a request not yet taken is replaced."""
        with self._wake:
            self._request = request
            self._ahead.clear()
            self._wake.notify()

    def stop(self) -> None:
        """Ask the thread to end after the frame it is decoding."""
        with self._wake:
            self._stopping = True
            self._wake.notify()

    def join(self, timeout: float) -> bool:
        """Wait for the end, at most ``timeout`` seconds; False where it has not come."""
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while True:
            with self._wake:
                self._wake.wait_for(lambda: self._stopping or self._request or self._ahead)
                if self._stopping:
                    break
                request, self._request = self._request, None
                upcoming = self._ahead.popleft() if request is None else -1
            if request is None:
                self._prefetch(upcoming)
                continue
            picture = self._picture(request.frame, request.video_frame)
            self._deliver(self._view, request.ticket, picture)
            with self._wake:
                if self._request is None and self._reader is not None:
                    self._ahead.extend(request.ahead)
        if self._reader is not None:
            self._reader.close()

    def _prefetch(self, video_frame: int) -> None:
        try:
            self._decoded(video_frame, video_frame)
        except Exception:
            # Told to the user if and when the frame is asked for.
            _log.debug("prefetching frame %d of %s", video_frame, self._path, exc_info=True)
            self._ahead.clear()

    def _picture(self, frame: int, video_frame: int) -> Picture:
        """The picture, whatever happens: a fault becomes its reason, and the thread lives on."""
        try:
            return self._decoded(frame, video_frame)
        except UserError as error:
            sentence = str(error)
        except Exception as error:
            _log.exception("decoding frame %d of %s", video_frame, self._path)
            sentence = f"{self._path}: decoding failed ({type(error).__name__}: {error})."
        if self._reader is None:
            self._unreadable = sentence
        if sentence not in self._reported:
            self._reported.add(sentence)
            self._failed(self._view, sentence)
        return Picture(frame, video_frame, reason=sentence)

    def _decoded(self, frame: int, video_frame: int) -> Picture:
        if self._unreadable:
            return Picture(frame, video_frame, reason=self._unreadable)
        if self._reader is None:
            self._reader = VideoReader(self._path, keep_bytes=self._keep_bytes)
        pixels = self._cache.get(self._view, video_frame)
        if pixels is None:
            pixels = self._reader.get(video_frame)
            if pixels is None:
                return Picture(frame, video_frame, reason=NOT_DECODABLE)
            pixels.flags.writeable = False
            self._cache.put(self._view, video_frame, pixels)
        return Picture(frame, video_frame, pixels, suspect=self._reader.suspect(video_frame))
