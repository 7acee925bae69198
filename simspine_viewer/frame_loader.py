"""Pictures of all views at one frame, decoded in threads; the newest request wins.

Panes switch together: :attr:`FrameLoader.frames_ready` comes only when every view has its picture
or the reason why it has none. A frame being decoded is finished and shown even when a newer one has
been asked for, so that pictures keep coming during a scrub that is faster than the decoders; what
lies between the two is dropped.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence as Items
from dataclasses import dataclass

from PySide6.QtCore import QObject, Qt, Signal, Slot

from pipeline.data.camera import SyncMap
from pipeline.data.sequence import VideoRef
from pipeline.io.frame_cache import FrameCache
from simspine_viewer.decode_thread import DecodeRequest, DecodeThread
from simspine_viewer.picture import NO_FRAME, NO_VIDEO, Picture

MAX_BYTES = 512 * 2**20
# Frames fetched ahead while idle: enough to bridge one late tick at 60 Hz, few enough that four
# views of 1080 x 1920 keep their last pictures in the cache.
AHEAD = 4
# A larger distance between two requests is a jump, which says nothing about the next one.
_STEP = 10
JOIN_SECONDS = 5.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ShownFrames:
    """Requests since the recording was set: asked for, shown, and dropped for a newer one."""

    requested: int = 0
    shown: int = 0
    dropped: int = 0


class FrameLoader(QObject):
    """Loads the pictures of all views.

    Signals
    -------
    frames_ready(frame, pictures) : a tuple of one :class:`Picture` per view, all of ``frame``.
    failed(view, sentence) : a view's video cannot be read; the other views go on.
    """

    frames_ready = Signal(int, object)
    failed = Signal(int, str)
    # Carries nothing: what arrived is fetched under the lock, in the window's thread.
    _arrived = Signal()

    def __init__(self, parent: QObject | None = None, max_bytes: int = MAX_BYTES) -> None:
        super().__init__(parent)
        self._max_bytes = max_bytes
        self._cache = FrameCache(max_bytes // 2)
        self._syncs: tuple[SyncMap, ...] = ()
        self._threads: list[DecodeThread | None] = []
        self._requested = self._shown = self._dropped = 0
        self._current: int | None = None
        self._next: int | None = None
        self._last = 0
        self._direction = 1
        self._lock = threading.Lock()
        self._closed = True
        self._ticket = 0
        self._pictures: dict[int, Picture] = {}
        self._faults: list[tuple[int, str]] = []
        self._arrived.connect(self._take, Qt.ConnectionType.QueuedConnection)

    @property
    def shown(self) -> ShownFrames:
        """Counts for the status bar."""
        return ShownFrames(self._requested, self._shown, self._dropped)

    @property
    def busy(self) -> bool:
        """Whether a requested frame has not been shown yet."""
        return self._current is not None

    def set_recording(self, videos: Items[VideoRef], syncs: Items[SyncMap]) -> None:
        """Show other videos, one per view; what was asked of the old ones is forgotten."""
        self.close()
        self._syncs = tuple(syncs)
        self._requested = self._shown = self._dropped = self._last = 0
        # Half for what the readers keep to step back, half for pictures ready to be drawn.
        keep_bytes = self._max_bytes // 2 // max(len(videos), 1)
        self._closed = False
        self._threads = [
            None
            if video.path is None
            else DecodeThread(view, video.path, self._cache, keep_bytes, self._deliver, self._fault)
            for view, video in enumerate(videos)
        ]

    def request(self, frame: int) -> None:
        """Ask for a frame of the sequence; only the newest request not yet begun is kept."""
        if self._closed:
            return
        self._requested += 1
        distance = frame - self._last
        if distance:
            self._direction = -1 if -_STEP <= distance < 0 else 1
        self._last = frame
        if self._current is None:
            self._begin(frame)
            return
        if self._next is not None:
            self._dropped += 1
        self._next = frame

    def close(self) -> None:
        """End all threads and forget all pictures; waits for frames being decoded."""
        with self._lock:
            self._closed = True
            self._ticket += 1
            self._pictures.clear()
            self._faults.clear()
        self._current = self._next = None
        threads = [thread for thread in self._threads if thread is not None]
        self._threads = []
        for thread in threads:
            thread.stop()
        deadline = time.monotonic() + JOIN_SECONDS
        late = [t for t in threads if not t.join(max(deadline - time.monotonic(), 0.0))]
        if late:
            _log.warning("%d decode threads did not end in %.0f s", len(late), JOIN_SECONDS)
        # After the threads: what they decoded last must not stay.
        self._cache = FrameCache(self._max_bytes // 2)

    def _begin(self, frame: int, *, prefetch: bool = True) -> None:
        self._current = frame
        settled: dict[int, Picture] = {}
        wanted: list[tuple[DecodeThread, DecodeRequest]] = []
        with self._lock:
            self._ticket += 1
            for view, (thread, sync) in enumerate(zip(self._threads, self._syncs, strict=True)):
                video_frame = sync.video_frame(frame)
                if thread is None:
                    settled[view] = Picture(frame, reason=NO_VIDEO)
                elif video_frame is None:
                    settled[view] = Picture(frame, reason=NO_FRAME)
                else:
                    ahead = self._ahead(frame, sync) if prefetch else ()
                    request = DecodeRequest(self._ticket, frame, video_frame, ahead)
                    wanted.append((thread, request))
            self._pictures = settled
        for thread, request in wanted:
            thread.request(request)
        if not wanted:
            self._arrived.emit()

    def _ahead(self, frame: int, sync: SyncMap) -> tuple[int, ...]:
        frames = (sync.video_frame(frame + self._direction * n) for n in range(1, AHEAD + 1))
        return tuple(f for f in frames if f is not None)

    def _deliver(self, view: int, ticket: int, picture: Picture) -> None:
        with self._lock:
            if self._closed or ticket != self._ticket:
                return
            self._pictures[view] = picture
            if len(self._pictures) == len(self._threads):
                self._arrived.emit()

    def _fault(self, view: int, sentence: str) -> None:
        with self._lock:
            if not self._closed:
                self._faults.append((view, sentence))
                self._arrived.emit()

    @Slot()
    def _take(self) -> None:
        with self._lock:
            faults, self._faults = self._faults, []
            pictures: tuple[Picture, ...] = ()
            if self._current is not None and len(self._pictures) == len(self._threads):
                pictures = tuple(self._pictures[view] for view in range(len(self._threads)))
        for view, sentence in faults:
            self.failed.emit(view, sentence)
        if self._current is None or len(pictures) != len(self._threads):
            return
        frame, self._current = self._current, None
        upcoming, self._next = self._next, None
        if upcoming is not None and upcoming != frame:
            # Now, so that decoding goes on while the panes draw. Nothing ahead of it: whoever is
            # behind the requests has no idle time.
            self._begin(upcoming, prefetch=False)
        self._shown += 1
        self.frames_ready.emit(frame, pictures)
