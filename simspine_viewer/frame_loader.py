"""Pictures of all views at one frame, decoded in threads; the newest request wins.

Panes switch together: :attr:`FrameLoader.frames_ready` comes only when every view has its picture
or the reason why it has none. While the cursor moves, that is whatever can be had soonest (a small
copy, or the keyframe before); once it rests, :attr:`FrameLoader.picture_refined` brings the exact
frame in full resolution view by view, the active one first.

What can be had soon is finished and shown even when a newer frame has been asked for, so that
pictures keep coming during a scrub that is faster than the decoders; what lies between the two is
dropped. Exact frames give way to a newer request at once.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Container
from collections.abc import Sequence as Items
from dataclasses import dataclass

from PySide6.QtCore import QObject, Qt, Signal, Slot

from pipeline.data.camera import SyncMap
from pipeline.data.sequence import VideoRef
from pipeline.io.frame_cache import FrameCache
from pipeline.io.proxy_store import ProxyStore
from pipeline.io.video_frames import VideoIndex
from simspine_viewer.decode_thread import Answers, DecodeRequest, DecodeThread
from simspine_viewer.picture import NO_FRAME, NO_VIDEO, Picture, Size
from simspine_viewer.picture_refiner import PictureRefiner
from simspine_viewer.play_queue import DEPTH, PlayQueue, depth

MAX_BYTES = 192 * 2**20
# Frames fetched ahead while idle: enough to bridge one late tick at 60 Hz, few enough that four
# views of 1080 x 1920 keep their last pictures in the cache.
AHEAD = 4
# A larger distance between two requests is a jump, which says nothing about the next one.
_STEP = 10
# Of the memory, what the readers keep decoded; a frame there is 2.7 times smaller than a picture.
_READERS_SHARE = 0.6
JOIN_SECONDS = 5.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ShownFrames:
    """Requests since the recording was set: asked for, shown, and dropped for a newer one."""

    requested: int = 0
    shown: int = 0
    dropped: int = 0


@dataclass(frozen=True, slots=True)
class KnownVideo:
    """A video that has been opened: its view, its index, and the key of its proxy ("": none)."""

    view: int
    key: str
    index: VideoIndex


class FrameLoader(QObject):
    """Loads the pictures of all views.

    Attributes
    ----------
    upcoming : callable(count), optional
        The frames that play goes to next, soonest first; they are decoded ahead of it.

    Signals
    -------
    frames_ready(frame, pictures) : a tuple of one :class:`Picture` per view, all of ``frame``.
    picture_refined(view, picture) : a better picture of the frame last shown.
    failed(view, sentence) : a view's video cannot be read; the other views go on.
    video_opened(KnownVideo) : a view's video has been opened.
    """

    frames_ready = Signal(int, object)
    picture_refined = Signal(int, object)
    failed = Signal(int, str)
    video_opened = Signal(object)
    # Carries nothing: what arrived is fetched under the lock, in the window's thread.
    _arrived = Signal()

    def __init__(self, parent: QObject | None = None, max_bytes: int = MAX_BYTES) -> None:
        super().__init__(parent)
        self._max_bytes = max_bytes
        self._cache = FrameCache(0)
        self._store: ProxyStore | None = None
        self._syncs: tuple[SyncMap, ...] = ()
        self._threads: list[DecodeThread | None] = []
        self._sizes: dict[int, Size | None] = {}
        self._playing = False
        self.upcoming: Callable[[int], Items[int]] | None = None
        self._queue = PlayQueue()
        self._depth = DEPTH
        self._requested = self._shown = self._dropped = 0
        self._current: int | None = None
        self._snapping = False
        self._next: int | None = None
        self._last = 0
        self._stride = 1
        self._shown_frame: int | None = None
        self._refiner = PictureRefiner(self._pictures_shown, self._ask_exact, self)
        self._lock = threading.Lock()
        self._closed = True
        self._ticket = 0
        self._pictures: dict[int, Picture] = {}
        self._refined: list[tuple[int, Picture]] = []
        self._faults: list[tuple[int, str]] = []
        self._opened: list[KnownVideo] = []
        self._arrived.connect(self._take, Qt.ConnectionType.QueuedConnection)

    @property
    def shown(self) -> ShownFrames:
        """Counts for the status bar."""
        return ShownFrames(self._requested, self._shown, self._dropped)

    @property
    def busy(self) -> bool:
        """Whether a requested frame has not been shown yet."""
        return self._current is not None

    @property
    def settled(self) -> bool:
        """Whether every view shows the best picture there is of the frame last asked for."""
        return not (self.busy or self._refiner.pending)

    def set_memory(self, max_bytes: int) -> None:
        """Bound on all pictures kept, from the next recording on."""
        self._max_bytes = max_bytes

    def set_store(self, store: ProxyStore | None) -> None:
        """Take proxies of the videos from a store, or (None) use none."""
        self._store = store
        self._queue.expect(())
        for thread in self._threads:
            if thread is not None:
                thread.set_store(store)

    def set_recording(self, videos: Items[VideoRef], syncs: Items[SyncMap]) -> None:
        """Show other videos, one per view; what was asked of the old ones is forgotten."""
        self.close()
        self._syncs = tuple(syncs)
        self._requested = self._shown = self._dropped = self._last = 0
        self._sizes.clear()
        readers = int(self._max_bytes * _READERS_SHARE)
        self._cache = FrameCache(self._max_bytes - readers)
        keep_bytes = readers // max(sum(video.path is not None for video in videos), 1)
        self._queue, self._depth = PlayQueue(), DEPTH
        answers = Answers(self._deliver, self._fault, self._open, self._queue.put)
        self._closed = False
        self._threads = [
            None
            if video.path is None
            else DecodeThread(view, video.path, self._cache, keep_bytes, self._store, answers)
            for view, video in enumerate(videos)
        ]

    def set_syncs(self, syncs: Items[SyncMap]) -> None:
        """Show the same videos with other time axes, the frame asked for last at once."""
        if self._closed or tuple(syncs) == self._syncs or len(syncs) != len(self._threads):
            return
        self._syncs = tuple(syncs)
        self._queue.expect(())  # what is there belongs to other frames now
        self._current = self._next = None
        self.request(self._last)

    def set_active(self, view: int) -> None:
        """The view whose exact picture is decoded first."""
        self._refiner.active = view

    def set_playing(self, playing: bool) -> None:
        """While playing nothing is refined, and no keyframe is shown for another frame."""
        self._playing = playing
        if playing:
            self._refiner.drop()
            self._look_ahead()
            return
        self._queue.expect(())
        if self._shown_frame is not None and not self.busy:
            self._refiner.shown()

    def has(self, frame: int) -> bool:
        """Whether a frame has been decoded ahead of play in every view."""
        for view, (thread, sync) in enumerate(zip(self._threads, self._syncs, strict=True)):
            if thread is None or sync.video_frame(frame) is None:
                continue
            if self._queue.get(view, frame) is None:
                return False
        return True

    def set_target_size(self, view: int, size: Size | None) -> None:
        """Width and height in device pixels at which a view is drawn; None where it is enlarged.

        Moving pictures need not be much larger than that; at rest they are in full resolution.
        """
        self._sizes[view] = size

    def request(self, frame: int) -> None:
        """Ask for a frame of the sequence; only the newest request not yet begun is kept."""
        if not self._threads:
            return
        self._requested += 1
        self._refiner.moved()
        distance = frame - self._last
        is_jump = abs(distance) > _STEP
        # A scrub goes by any distance, and working ahead of it would keep the next request waiting.
        is_steady = self._playing or abs(distance) <= 1 or distance == self._stride
        if distance and not is_jump:
            self._stride = distance
        self._last = frame
        if self._current is None:
            self._begin(frame, snap=is_jump, prefetch=is_steady and not is_jump)
        elif is_jump and not self._snapping and not self._playing:
            # What is being decoded may take long, and is no longer near what is wanted.
            self._dropped += 1 + (self._next is not None)
            self._next = None
            self._begin(frame, snap=True, prefetch=False)
        else:
            self._dropped += self._next is not None
            self._next = frame

    def close(self) -> None:
        """End all threads and forget all pictures; waits for frames being decoded."""
        with self._lock:
            self._closed = True
            self._ticket += 1
            self._pictures.clear()
            self._refined.clear()
            self._faults.clear()
            self._opened.clear()
        self._refiner.drop()
        self._current = self._next = self._shown_frame = None
        threads = [thread for thread in self._threads if thread is not None]
        self._threads = []
        for thread in threads:
            thread.stop()
        deadline = time.monotonic() + JOIN_SECONDS
        late = [t for t in threads if not t.join(max(deadline - time.monotonic(), 0.0))]
        if late:
            _log.warning("%d decode threads did not end in %.0f s", len(late), JOIN_SECONDS)
        # After the threads: what they decoded last must not stay.
        self._cache = FrameCache(0)

    # Moving

    def _begin(self, frame: int, *, snap: bool, prefetch: bool = True) -> None:
        self._current = frame
        self._snapping = snap = snap and not self._playing
        settled: dict[int, Picture] = {}
        wanted: list[tuple[DecodeThread, DecodeRequest]] = []
        is_ahead = self._playing and self.upcoming is not None
        with self._lock:
            self._ticket += 1
            self._refined.clear()
            for view, (thread, sync) in enumerate(zip(self._threads, self._syncs, strict=True)):
                video_frame = sync.video_frame(frame)
                if thread is None:
                    settled[view] = Picture(frame, reason=NO_VIDEO)
                elif video_frame is None:
                    settled[view] = Picture(frame, reason=NO_FRAME)
                elif is_ahead and (ready := self._queue.get(view, frame)) is not None:
                    settled[view] = ready
                else:
                    ahead = self._ahead(frame, sync, AHEAD) if prefetch and not is_ahead else ()
                    # Reducing is worth its time where pictures are kept, not where they fly by.
                    size = None if self._playing else self._sizes.get(view)
                    request = DecodeRequest(
                        self._ticket, frame, video_frame, snap=snap, size=size, ahead=ahead
                    )
                    wanted.append((thread, request))
            self._pictures = settled
        for thread, request in wanted:
            thread.request(request)
        if not wanted:
            self._arrived.emit()
        self._look_ahead({thread for thread, _ in wanted})

    def _look_ahead(self, called: Container[DecodeThread] = ()) -> None:
        """Have the threads decode what play shows next; those called away begin anew."""
        if not self._playing or self.upcoming is None:
            return
        frames = self.upcoming(self._depth)
        self._queue.expect(frames)
        for view, (thread, sync) in enumerate(zip(self._threads, self._syncs, strict=True)):
            missing = self._queue.missing(view)
            # Not for each frame: to wake a thread takes the window's time, too.
            if thread is None or (2 * len(missing) < self._depth and thread not in called):
                continue
            placed = [(frame, sync.video_frame(frame)) for frame in missing]
            work = [(frame, own) for frame, own in placed if own is not None]
            is_back = len(work) > 1 and work[1][1] < work[0][1]
            thread.look_ahead(work, before=work[-1][1] if is_back else -1)

    def _ahead(self, frame: int, sync: SyncMap, count: int) -> tuple[int, ...]:
        frames = (sync.video_frame(frame + self._stride * n) for n in range(1, count + 1))
        return tuple(f for f in frames if f is not None)

    # At rest

    def _pictures_shown(self) -> dict[int, Picture]:
        with self._lock:
            return {} if self.busy else dict(self._pictures)

    def _ask_exact(self, view: int) -> None:
        thread, frame = self._threads[view], self._shown_frame
        assert thread is not None
        assert frame is not None
        thread.request(
            DecodeRequest(
                self._ticket,
                frame,
                self._pictures[view].video_frame,
                exact=True,
                ahead=self._ahead(frame, self._syncs[view], 1),
                before=view == self._refiner.active,
            )
        )

    # What the threads say

    def _deliver(self, view: int, ticket: int, picture: Picture) -> None:
        with self._lock:
            if self._closed or ticket != self._ticket:
                return
            if view in self._pictures:
                self._refined.append((view, picture))
                self._arrived.emit()
                return
            self._pictures[view] = picture
            if len(self._pictures) == len(self._threads):
                self._arrived.emit()

    def _fault(self, view: int, sentence: str) -> None:
        with self._lock:
            if not self._closed:
                self._faults.append((view, sentence))
                self._arrived.emit()

    def _open(self, view: int, key: str, index: VideoIndex) -> None:
        with self._lock:
            if not self._closed:
                self._opened.append(KnownVideo(view, key, index))
                self._arrived.emit()

    @Slot()
    def _take(self) -> None:
        with self._lock:
            faults, self._faults = self._faults, []
            opened, self._opened = self._opened, []
            refined, self._refined = self._refined, []
            self._pictures.update(refined)
            pictures: tuple[Picture, ...] = ()
            if self._current is not None and len(self._pictures) == len(self._threads):
                pictures = tuple(self._pictures[view] for view in range(len(self._threads)))
        for view, sentence in faults:
            self.failed.emit(view, sentence)
        for video in opened:
            self.video_opened.emit(video)
        for view, picture in refined:
            self._refiner.refined(view)
            self.picture_refined.emit(view, picture)
        if self._current is None or len(pictures) != len(self._threads):
            return
        frame, self._current = self._current, None
        self._depth = depth(pictures)
        upcoming, self._next = self._next, None
        self._shown_frame = frame
        if upcoming is not None and upcoming != frame:
            # Now, so that decoding goes on while the panes draw. Nothing ahead of it: whoever is
            # behind the requests has no idle time.
            self._begin(upcoming, snap=abs(upcoming - frame) > _STEP, prefetch=False)
        elif not self._playing and not all(picture.is_full for picture in pictures):
            self._refiner.shown()
        self._shown += 1
        self.frames_ready.emit(frame, pictures)
