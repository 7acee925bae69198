"""One decode thread per view: answers the newest request, and works ahead of it when idle.

Nothing here knows Qt: a thread that held Qt objects could have them finalised by a garbage
collection that happens to run in it.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.data.errors import UserError
from pipeline.io.frame_cache import FrameCache
from pipeline.io.proxy_store import ProxyStore
from pipeline.io.video_frames import Interrupted, VideoIndex
from simspine_viewer.picture import Picture, Size, Tier

if TYPE_CHECKING:
    from simspine_viewer.picture_source import PictureSource

_NICENESS = 10
# A video on a share that was away for a moment is found again; one that is broken costs little.
_AGAIN_SECONDS = 3.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class DecodeRequest:
    """A frame of one view's video that is wanted now.

    Parameters
    ----------
    ticket : int
        Comes back with the picture.
    frame, video_frame : int
        On the sequence axis, and in the video.
    exact : bool
        The frame itself in full resolution, however long it takes; dropped for a newer request.
        Otherwise what can be shown soonest, which is finished whatever comes.
    snap : bool
        Whether the keyframe before is better than waiting.
    size : (width, height) or None
        Of the pane in device pixels; None for full resolution.
    ahead : tuple of int
        Video frames most likely to be asked for next, soonest first.
    before : bool
        Whether the exact frames before this one are worth decoding, too, when idle.
    """

    ticket: int
    frame: int
    video_frame: int
    exact: bool = False
    snap: bool = False
    size: Size | None = None
    ahead: tuple[int, ...] = ()
    before: bool = False


@dataclass(frozen=True, slots=True)
class _IdleWork:
    video_frame: int
    exact: bool
    is_before: bool = False
    frame: int = -1  # on the sequence axis, where the picture is to be handed over


@dataclass(frozen=True, slots=True)
class Answers:
    """Whom a thread calls; all of it happens in the thread.

    ``deliver(view, ticket, picture)`` once for every request that was not dropped for a newer one;
    ``failed(view, sentence)`` when the file turns out to be unreadable, or decoding fails in an
    unforeseen way; ``opened(view, key, index)`` once the file is open: by which key its proxy is
    known (empty where it can have none), and its index; ``ahead(view, picture)`` for what
    :meth:`DecodeThread.look_ahead` listed and could be decoded.
    """

    deliver: Callable[[int, int, Picture], None]
    failed: Callable[[int, str], None]
    opened: Callable[[int, str, VideoIndex], None]
    ahead: Callable[[int, Picture], None] = lambda view, picture: None


def _give_way() -> None:
    """Let the window's thread go before this one where both have work: bursts of it come here."""
    if sys.platform == "linux":  # elsewhere this would be the priority of the process
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)


class DecodeThread:
    """Decodes one video file, which is opened in the thread at the first request.

    Parameters
    ----------
    view : int
    path : Path
    cache : FrameCache
        Shared by all views.
    keep_bytes : int
        Bound on what the reader keeps for stepping back.
    store : ProxyStore or None
        Where small copies lie; None to use none.
    answers : Answers
    """

    def __init__(
        self,
        view: int,
        path: Path,
        cache: FrameCache,
        keep_bytes: int,
        store: ProxyStore | None,
        answers: Answers,
    ) -> None:
        self._view, self._path, self._cache = view, path, cache
        self._keep_bytes = keep_bytes
        self._answers = answers
        self._wake = threading.Condition()
        self._request: DecodeRequest | None = None
        self._idle: deque[_IdleWork] = deque()
        self._stopping = False
        self._store = store
        self._is_new_store = False
        self._source: PictureSource | None = None
        self._unreadable, self._again_at = "", 0.0
        self._reported: set[str] = set()
        # A daemon, so that a decoder stuck in a damaged file or a dead network share cannot keep
        # the program from ending.
        self._thread = threading.Thread(target=self._run, name=f"decode-{view}", daemon=True)
        self._thread.start()

    def request(self, request: DecodeRequest) -> None:
        """Ask for a frame; a request not yet taken is replaced, work ahead of time is dropped."""
        with self._wake:
            self._request = request
            self._idle.clear()
            self._wake.notify()

    def look_ahead(self, frames: Iterable[tuple[int, int]], before: int = -1) -> None:
        """Decode what play shows next, in place of other work ahead of time.

        Parameters
        ----------
        frames : (sequence frame, video frame) pairs
            Soonest first.
        before : int
            A video frame before which more will be wanted, -1 where play goes forwards.
        """
        work = [_IdleWork(video_frame, False, frame=frame) for frame, video_frame in frames]
        if before >= 0:
            work.append(_IdleWork(before, False, is_before=True))
        with self._wake:
            self._idle = deque(work)
            self._wake.notify()

    def set_store(self, store: ProxyStore | None) -> None:
        """Take proxies from another store from now on, or (None) from none."""
        with self._wake:
            self._store, self._is_new_store = store, True
            self._wake.notify()

    def stop(self) -> None:
        """Ask the thread to end after the packet it is decoding."""
        with self._wake:
            self._stopping = True
            self._wake.notify()

    def join(self, timeout: float) -> bool:
        """Wait for the end, at most ``timeout`` seconds; False where it has not come."""
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _has_call(self) -> bool:
        return self._stopping or self._request is not None or self._is_new_store

    def _run(self) -> None:
        _give_way()
        while True:
            with self._wake:
                self._wake.wait_for(lambda: self._has_call() or self._idle)
                if self._stopping:
                    break
                is_new, store, self._is_new_store = self._is_new_store, self._store, False
                request, self._request = self._request, None
                work = self._idle.popleft() if request is None and self._idle else None
            if is_new and self._source is not None:
                self._source.set_store(store)
            if request is not None:
                self._answer(request)
            elif work is not None:
                self._work(work)
        if self._source is not None:
            self._source.close()

    def _answer(self, request: DecodeRequest) -> None:
        try:
            picture = self._picture(request)
        except Interrupted:
            return
        self._answers.deliver(self._view, request.ticket, picture)
        if self._source is None or picture.tier is Tier.KEYFRAME:
            return
        work = [_IdleWork(frame, request.exact) for frame in request.ahead]
        if request.exact or (request.ahead and request.ahead[0] < request.video_frame):
            work.append(_IdleWork(request.video_frame, request.before, is_before=True))
        with self._wake:
            if self._request is None:
                self._idle.extend(work)

    def _work(self, work: _IdleWork) -> None:
        source = self._source
        if source is None:  # it could not be opened
            return
        try:
            if work.frame >= 0:
                picture = source.playing(work.frame, work.video_frame, self._has_call)
                if picture.pixels is not None:
                    self._answers.ahead(self._view, picture)
            elif work.is_before:
                source.before(work.video_frame, self._has_call, exact=work.exact)
            else:
                source.ahead(work.video_frame, self._has_call, exact=work.exact)
        except Interrupted:
            return
        except Exception:
            # Told to the user if and when the frame is asked for.
            _log.debug("working ahead at %d of %s", work.video_frame, self._path, exc_info=True)
            self._idle.clear()

    def _picture(self, request: DecodeRequest) -> Picture:
        """The picture, whatever happens: a fault becomes its reason, and the thread lives on."""
        frame, video_frame = request.frame, request.video_frame
        if self._unreadable and time.monotonic() < self._again_at:
            return Picture(frame, video_frame, reason=self._unreadable)
        try:
            source = self._opened()
            if request.exact:
                return source.exact(frame, video_frame, self._has_call)
            return source.quick(frame, video_frame, request.size, snap=request.snap)
        except Interrupted:
            raise
        except UserError as error:
            sentence = str(error)
        except Exception as error:
            _log.exception("decoding frame %d of %s", video_frame, self._path)
            sentence = f"{self._path}: decoding failed ({type(error).__name__}: {error})."
        if self._source is None:
            self._unreadable, self._again_at = sentence, time.monotonic() + _AGAIN_SECONDS
        if sentence not in self._reported:
            self._reported.add(sentence)
            self._answers.failed(self._view, sentence)
        return Picture(frame, video_frame, reason=sentence)

    def _opened(self) -> PictureSource:
        if self._source is None:
            from simspine_viewer.picture_source import PictureSource  # loads decoders

            source = PictureSource(self._view, self._path, self._cache, self._keep_bytes)
            source.set_store(self._store)
            self._source = source
            self._answers.opened(self._view, source.key, source.index)
        return self._source
