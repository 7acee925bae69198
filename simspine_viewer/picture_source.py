"""Pictures of one video: from its proxy, from the file itself, or of the keyframe before.

Nothing here knows Qt: it runs in a decode thread, and a thread that held Qt objects could have them
finalised by a garbage collection that happens to run in it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.io.frame_cache import FrameCache
from pipeline.io.proxy_reader import ProxyReader
from pipeline.io.proxy_store import ProxyStore, proxy_key
from pipeline.io.video import Interrupted, VideoReader
from pipeline.io.video_frames import VideoIndex
from pipeline.io.video_reader import open_video
from simspine_viewer.picture import NOT_DECODABLE, Picture, Size, Tier

Image = NDArray[np.uint8]
ShouldStop = Callable[[], bool]

# Frames decoded on the way to one that is had at once: as many as a short group of pictures has
# (105 ms at 1080 x 1920, 7 ms each).
_NEAR = 15

_log = logging.getLogger(__name__)


class PictureSource:
    """Opens a video and its proxy, and finds the quickest or the best picture of a frame.

    Parameters
    ----------
    view : int
    path : Path
        The video.
    cache : FrameCache
        Shared by all views and kinds of pictures, so that its bound is one for all.
    keep_bytes : int
        Bound on what the reader keeps for stepping back.

    Raises
    ------
    UserError
        The video cannot be read.
    """

    def __init__(self, view: int, path: Path, cache: FrameCache, keep_bytes: int) -> None:
        self._cache = cache
        # One cache for pictures of several kinds: each kind has view numbers of its own.
        self._slots = {tier: len(Tier) * view + place for place, tier in enumerate(Tier)}
        self._path = path
        self._reader = open_video(path, keep_bytes=keep_bytes)
        self._proxy: ProxyReader | None = None
        self._last = -_NEAR  # the last frame decoded
        self.key = _key_of(path)

    @property
    def index(self) -> VideoIndex:
        return self._reader.index

    def set_store(self, store: ProxyStore | None) -> None:
        """Take proxies from a store from now on, or (None) use none."""
        if self._proxy is not None:
            self._proxy.close()
            self._proxy = None
        if store is not None and self.key:
            self._proxy = ProxyReader(store, self.key, self.index)

    def close(self) -> None:
        """Close all files."""
        self.set_store(None)
        self._reader.close()

    def quick(self, frame: int, video_frame: int, size: Size | None, *, snap: bool) -> Picture:
        """What can be shown soonest of a frame.

        Parameters
        ----------
        frame, video_frame : int
            On the sequence axis, and in the video.
        size : (width, height) or None
            Of the pane, device pixels: a larger picture is halved as long as it stays larger.
        snap : bool
            Whether the keyframe before is better than waiting for the frame.
        """
        pixels = self._cache.get(self._slots[Tier.EXACT], video_frame)
        if pixels is not None:
            return self._exact_picture(frame, video_frame, pixels)
        picture = self._from_proxy(frame, video_frame)
        if picture is not None:
            return picture
        if snap and not self._is_near(video_frame):
            try:
                # Nothing but what is decoded already.
                return self._decoded(frame, video_frame, lambda: True, size)
            except Interrupted:
                found = self._reader.keyframe(video_frame)
            if found is not None and found[0] != video_frame:
                return self._picture(frame, video_frame, found[1], Tier.KEYFRAME, found[0])
        return self._decoded(frame, video_frame, None, size)

    def exact(self, frame: int, video_frame: int, should_stop: ShouldStop) -> Picture:
        """The frame itself in full resolution; Interrupted when ``should_stop`` says so."""
        pixels = self._cache.get(self._slots[Tier.EXACT], video_frame)
        if pixels is not None and pixels.shape[1::-1] == self._size:
            return self._exact_picture(frame, video_frame, pixels)
        return self._decoded(frame, video_frame, should_stop, None)

    def ahead(self, video_frame: int, should_stop: ShouldStop, *, exact: bool) -> None:
        """Decode ahead of time what :meth:`quick` or :meth:`exact` will be asked for."""
        if self._proxy is not None and not exact and self._proxy.has(video_frame):
            self._from_proxy(video_frame, video_frame)
        elif isinstance(self._reader, VideoReader) and (exact or self._is_near(video_frame)):
            # As decoded: that takes less memory than the picture, which is quick to make of it.
            self._reader.decoded(video_frame, should_stop)
            self._last = video_frame

    def playing(self, frame: int, video_frame: int, should_stop: ShouldStop) -> Picture:
        """What :meth:`quick` shows of a frame in play, ahead of time; may be Interrupted."""
        pixels = self._cache.get(self._slots[Tier.EXACT], video_frame)
        if pixels is not None:
            return self._exact_picture(frame, video_frame, pixels)
        picture = self._from_proxy(frame, video_frame)
        return picture or self._decoded(frame, video_frame, should_stop, None)

    def before(self, video_frame: int, should_stop: ShouldStop, *, exact: bool) -> None:
        """Decode what lies before a frame, unless a proxy makes stepping back quick anyhow."""
        if exact or self._proxy is None or not self._proxy.has(max(video_frame - 1, 0)):
            self._reader.prefetch_before(video_frame, should_stop)

    @property
    def _size(self) -> Size:
        return self.index.width, self.index.height

    def _is_near(self, video_frame: int) -> bool:
        if 0 <= video_frame - self._last <= _NEAR:
            return True
        start = int(self.index.key_frame[self.index.keyframe_before(video_frame)])
        return video_frame - start <= _NEAR

    def _from_proxy(self, frame: int, video_frame: int) -> Picture | None:
        proxy = self._proxy
        if proxy is None or not proxy.has(video_frame):
            return None
        if proxy.undecodable(video_frame):
            return Picture(frame, video_frame, reason=NOT_DECODABLE)
        slot = self._slots[Tier.PROXY]
        pixels = self._cache.get(slot, video_frame)
        if pixels is None:
            pixels = proxy.get(video_frame)
            if pixels is None:
                return None
            self._keep(slot, video_frame, pixels)
        suspect = proxy.suspect(video_frame)
        return self._picture(frame, video_frame, pixels, Tier.PROXY, suspect=suspect)

    def _decoded(
        self, frame: int, video_frame: int, should_stop: ShouldStop | None, size: Size | None
    ) -> Picture:
        pixels = self._reader.get(video_frame, should_stop)
        self._last = video_frame
        if pixels is None:
            return Picture(frame, video_frame, reason=NOT_DECODABLE)
        if size is not None:
            pixels = halved(pixels, size)
        self._keep(self._slots[Tier.EXACT], video_frame, pixels)
        return self._exact_picture(frame, video_frame, pixels)

    def _keep(self, slot: int, video_frame: int, pixels: Image) -> None:
        pixels.flags.writeable = False
        self._cache.put(slot, video_frame, pixels)

    def _exact_picture(self, frame: int, video_frame: int, pixels: Image) -> Picture:
        suspect = self._reader.suspect(video_frame)
        return self._picture(frame, video_frame, pixels, Tier.EXACT, suspect=suspect)

    def _picture(
        self,
        frame: int,
        video_frame: int,
        pixels: Image,
        tier: Tier,
        shown: int = -1,
        *,
        suspect: bool = False,
    ) -> Picture:
        pixels.flags.writeable = False
        return Picture(frame, video_frame, pixels, "", suspect, tier, shown, self._size)


def halved(pixels: Image, size: Size) -> Image:
    """An (H, W, 4) picture averaged down by two as often as it stays no smaller than ``size``.

    Not to ``size`` itself: INTER_AREA by any other factor takes 12 ms from 1000 x 1000 to 640 x
    640, halving 1.3 ms, and drawing what is up to twice too large 0.3 ms (measured).
    """
    while pixels.shape[1] >= 2 * size[0] and pixels.shape[0] >= 2 * size[1]:
        half = (max(pixels.shape[1] // 2, 1), max(pixels.shape[0] // 2, 1))
        if min(pixels.shape[:2]) < 2:
            break
        pixels = np.asarray(cv2.resize(pixels, half, interpolation=cv2.INTER_AREA), np.uint8)
    return pixels


def _key_of(path: Path) -> str:
    try:
        return proxy_key(path)
    except OSError as error:
        _log.info("%s has no proxy: %s", path, error)
        return ""
