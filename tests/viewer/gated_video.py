"""A video reader that decodes only while its gate is open, and proxies made in this process."""

from __future__ import annotations

import threading
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np

from pipeline.io.proxy_store import ProxyStore, proxy_key
from pipeline.io.video import Interrupted, VideoReader
from pipeline.io.video_frames import VideoIndex
from pipeline.io.video_index import index_video
from pipeline.jobs.media_tasks import make_proxy
from pipeline.jobs.messages import Job

ShouldStop = Callable[[], bool]
N = 400
GROUP = 100


def gated_index(path: Path) -> VideoIndex:
    """400 frames of 2 x 2 pixels with a keyframe at every hundredth."""
    keys = np.arange(0, N, GROUP, dtype=np.int64)
    frames = np.arange(N, dtype=np.int64)
    clean, lead = np.ones(len(keys), np.bool_), np.zeros(len(keys), np.int64)
    rate = Fraction(1, 50)
    return VideoIndex(
        path, "h264", "pts", rate, frames, keys, keys, keys, keys, clean, lead, 2, 2
    )  # fmt: skip


class GatedReader(VideoReader):
    """Pictures of 2 x 2 pixels whose value is the frame's number, divided by two."""

    gate = threading.Event()
    loose = threading.Event()
    log: list[tuple[str, int]]

    def __init__(self, path: Path, keep_bytes: int) -> None:
        self.own_gate = self.loose if path.name == "hanging.mp4" else self.gate
        self.index = gated_index(path)
        self.kept: set[int] = set()
        type(self).log = []

    def decoded(self, frame: int, should_stop: ShouldStop | None = None) -> None:  # type: ignore[override]
        if frame in self.kept:
            return
        if should_stop is not None and should_stop():
            raise Interrupted
        while not self.own_gate.wait(0.002):
            if should_stop is not None and should_stop():
                self.log.append(("gave up", frame))
                raise Interrupted
        if frame == 13:
            raise RuntimeError("thirteen")
        self.kept.add(frame)
        self.log.append(("decoded", frame))

    def get(self, frame: int, should_stop: ShouldStop | None = None) -> np.ndarray | None:
        self.decoded(frame, should_stop)
        return None if frame == 14 else np.full((2, 2, 4), frame // 2, np.uint8)

    def keyframe(self, frame: int) -> tuple[int, np.ndarray] | None:
        key = frame // GROUP * GROUP
        self.log.append(("keyframe", key))
        return key, np.full((2, 2, 4), key // 2, np.uint8)

    def prefetch_before(self, frame: int, should_stop: ShouldStop | None = None) -> None:
        self.log.append(("before", frame))

    def suspect(self, frame: int) -> bool:
        return frame == 15

    def close(self) -> None:
        pass

    @classmethod
    def times(cls, what: str, frame: int) -> int:
        """How often something was done with a frame."""
        return cls.log.count((what, frame))


def prepare(path: Path, store: ProxyStore, segments: tuple[int, ...] = (0,)) -> None:
    """Make segments of a video's proxy in this process."""
    arguments = {
        "video": str(path),
        "folder": str(store.folder),
        "max_bytes": store.max_bytes,
        "key": proxy_key(path),
        "segments": list(segments),
    }
    assert all(store.has(proxy_key(path), s) for s in segments) or list(
        make_proxy(Job(1, "make_proxy", arguments))
    )
    assert index_video(path).frame_count
