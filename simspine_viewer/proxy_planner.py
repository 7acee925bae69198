"""Has proxies of slow videos made in the background, those around the cursor first.

One segment of one view is a job of its own, so that the plan follows the cursor; in the list of
jobs all of them together are one line.
"""

from __future__ import annotations

import os

import numpy as np
from PySide6.QtCore import QObject, QTimer, Signal

from pipeline.io.proxy_store import ProxyStore, needs_proxy, segment_of
from pipeline.io.video_frames import VideoIndex
from pipeline.jobs.messages import Cancelled, Done, Ending
from simspine_viewer.document import Document
from simspine_viewer.frame_loader import FrameLoader, KnownVideo
from simspine_viewer.job_manager import JobManager, JobState
from simspine_viewer.settings import Settings
from simspine_viewer.time_cursor import TimeCursor

TASK = "make_proxy"
TITLE = "Making proxies for smooth scrubbing"
QUIET_MS = 500  # after opening, and after the last move of the cursor
# Decoding of one frame, per million pixels (3.4 to 4.2 measured for H.264 at 2 and 1 megapixels).
_MS_PER_MEGAPIXEL = 3.7
# Half of one frame of a 30 Hz display, as decoders share the cores with what paints.
_SLOW_MS = 16.0


def worst_seek_ms(index: VideoIndex) -> float:
    """What the slowest random frame of a video takes to decode, estimated from its index."""
    starts = np.append(index.key_frame, index.frame_count)
    longest = int(np.max(np.diff(starts)))
    return longest * index.width * index.height * 1e-6 * _MS_PER_MEGAPIXEL


def is_slow(index: VideoIndex) -> bool:
    """Whether scrubbing through a video stutters without proxies."""
    return needs_proxy(index) and worst_seek_ms(index) > _SLOW_MS


class ProxyPlanner(QObject):
    """Submits one job after the other until all slow videos of the recording have copies.

    Stops for good (until :meth:`set_enabled` or another recording) when the user cancels the job or
    it fails, and for a while when play reads from the videos themselves.

    Signals
    -------
    changed : copies came, or were deleted, or are made no more.
    """

    changed = Signal()

    def __init__(
        self,
        document: Document,
        cursor: TimeCursor,
        loader: FrameLoader,
        jobs: JobManager,
        settings: Settings,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._document, self._cursor, self._loader = document, cursor, loader
        self._jobs, self._settings = jobs, settings
        self._videos: dict[int, KnownVideo] = {}
        self._job: tuple[int, int, int] | None = None  # id, view, segment
        self._line = -1  # the job that is shown for all of them
        self._stopped = self._cancelling = False
        self.store = self._new_store()
        self._quiet = QTimer(self)
        self._quiet.setSingleShot(True)
        self._quiet.setInterval(QUIET_MS)
        self._quiet.timeout.connect(self.plan)
        document.opened.connect(self._begin)
        document.closed.connect(self._end)
        loader.video_opened.connect(self._video_opened)
        cursor.moved.connect(lambda _: self._quiet.start())
        cursor.playing_changed.connect(self._playing_changed)
        jobs.finished.connect(self._finished)

    def _new_store(self) -> ProxyStore:
        store = ProxyStore(max_bytes=int(self._settings.proxy_gigabytes * 2**30))
        self._loader.set_store(store if self._settings.use_proxies else None)
        return store

    @property
    def videos(self) -> dict[int, KnownVideo]:
        """The open videos that copies are made of, by view."""
        return {view: video for view, video in self._videos.items() if is_slow(video.index)}

    @property
    def share_done(self) -> float:
        """How much of these videos has copies, 0 to 1; 1 where none is needed."""
        counts = [self._counts(video) for video in self.videos.values()]
        total = sum(n for n, _ in counts)
        return 1.0 - sum(missing for _, missing in counts) / total if total else 1.0

    def _counts(self, video: KnownVideo) -> tuple[int, int]:
        n_frames = video.index.frame_count
        return segment_of(n_frames - 1) + 1, len(self.store.missing(video.key, n_frames))

    def used_bytes(self) -> tuple[int, int]:
        """Disk space of the copies of this recording's videos, and of all videos."""
        keys = {video.key for video in self._videos.values()}
        return sum(self.store.used_bytes(key) for key in keys), self.store.used_bytes()

    def set_enabled(self, on: bool) -> None:
        """Make and use copies, or neither; remembered."""
        self._settings.use_proxies = on
        self._settings.save()
        self._stopped = False
        if not on:
            self._cancel()
        self.store = self._new_store()
        self._quiet.start()
        self.changed.emit()

    def delete(self, everything: bool) -> None:
        """Delete the copies of this recording's videos, or of all, and make no more of them."""
        self.set_enabled(False)
        if everything:
            self.store.clear()
        else:
            for video in self._videos.values():
                self.store.delete(video.key)
        self.changed.emit()

    def plan(self) -> None:
        """Submit the next job, if there is one and nothing speaks against it."""
        if self._job is not None:
            self._follow_cursor()
        if self._job is not None or self._stopped or not self._settings.use_proxies:
            return
        if not self._document.is_open or self._plays_from_originals():
            return
        following = self._next_segment()
        if following is None:
            return
        view, segment = following
        video = self._videos[view]
        arguments = {
            "video": str(video.index.path),
            "folder": str(self.store.folder),
            "max_bytes": self.store.max_bytes,
            "key": video.key,
            "segments": [segment],
            "in_use": sorted({known.key for known in self._videos.values()}),
        }
        self._take_off_list()
        share = _Share(self.share_done, 1 / sum(self._counts(v)[0] for v in self.videos.values()))
        job = self._jobs.submit(TASK, TITLE, arguments, kind="media", part_of=share.shown)
        self._job, self._line = (job, view, segment), job

    def _next_segment(self) -> tuple[int, int] | None:
        """The missing segment nearest to the cursor, as (view, segment)."""
        found: list[tuple[int, int, int]] = []
        for view, video in self.videos.items():
            here = self._video_frame(view)
            missing = self.store.missing(video.key, video.index.frame_count, here)
            if missing:
                found.append((abs(missing[0] - segment_of(here)), view, missing[0]))
        return min(found)[1:] if found else None

    def _video_frame(self, view: int) -> int:
        """The video's frame at the cursor, or the nearest it has."""
        sync = self._document.sequence.syncs[view]
        last = self._videos[view].index.frame_count - 1
        return min(max(int(sync.video_frames(self._cursor.frame)), 0), last)

    def _lacks_copies_here(self) -> bool:
        return any(
            not self.store.has(video.key, segment_of(self._video_frame(view)))
            for view, video in self.videos.items()
        )

    def _plays_from_originals(self) -> bool:
        # With cores to spare the worker, which is nice, takes nothing from the decoders.
        is_tight = (os.cpu_count() or 1) <= len(self._videos) + 1
        return self._cursor.playing and is_tight and self._lacks_copies_here()

    def _follow_cursor(self) -> None:
        """Give up the job under way where the cursor has gone far from it."""
        assert self._job is not None
        _, view, segment = self._job
        following = self._next_segment()
        if following is None or view not in self._videos:
            return
        nearest = abs(following[1] - segment_of(self._video_frame(following[0])))
        if abs(segment - segment_of(self._video_frame(view))) > nearest + 1:
            self._cancel()

    def _has(self, view: int, segment: int) -> bool:
        return view not in self._videos or self.store.has(self._videos[view].key, segment)

    def _cancel(self) -> None:
        if self._job is not None and not self._cancelling:
            self._cancelling = True
            self._jobs.cancel(self._job[0])

    def _take_off_list(self) -> None:
        if self._line >= 0:
            self._jobs.forget(self._line)
            self._line = -1

    def _begin(self) -> None:
        self._stopped = False
        self._quiet.start()

    def _end(self) -> None:
        self._quiet.stop()
        self._videos.clear()
        self._cancel()

    def _video_opened(self, video: KnownVideo) -> None:
        if video.key:
            self._videos[video.view] = video
            self._quiet.start()

    def _playing_changed(self, playing: bool) -> None:
        if self._document.is_open and playing and self._plays_from_originals():
            self._cancel()
        else:
            self._quiet.start()

    def _finished(self, state: JobState) -> None:
        if self._job is None or state.job.id != self._job[0]:
            return
        _, view, segment = self._job
        self._job = None
        by_us, self._cancelling = self._cancelling, False
        ending: Ending | None = state.ending
        if isinstance(ending, Cancelled) and by_us:
            QTimer.singleShot(0, self._take_off_list)
            self._quiet.start()
        elif isinstance(ending, Done) and self._has(view, segment):
            QTimer.singleShot(0, self.plan)
        else:
            self._stopped = True
        self.changed.emit()


class _Share:
    """What one job adds to the whole."""

    def __init__(self, done: float, size: float) -> None:
        self._done, self._size = done, size

    def shown(self, fraction: float) -> tuple[float, str]:
        """The fraction of the whole, and the words for it."""
        whole = self._done + self._size * fraction
        return whole, f"{100 * whole:.0f} %"
