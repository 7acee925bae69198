"""What the media worker does: small copies of videos (proxies), segment by segment."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
from collections.abc import Generator
from contextlib import closing
from pathlib import Path

from pipeline.data.errors import UserError
from pipeline.io.proxy_encode import encode_segment
from pipeline.io.proxy_store import ProxyStore, proxy_key, segment_range
from pipeline.io.video_index import index_video
from pipeline.io.video_reader import open_video
from pipeline.jobs.messages import Done, Event, File, Job, Progress

# Making copies must not slow down the window that plays the video meanwhile.
_NICENESS = 10
# More than a segment of 960 x 960 pixels takes, measured on noisy pictures.
_SEGMENT_BYTES = 24 << 20
# The reader goes forward only, and needs no more than what reordering hands over at once.
_KEEP_BYTES = 16 << 20


def make_proxy(job: Job) -> Generator[Event, None, None]:
    """Make segments of a video's proxy.

    Args ``video``, ``folder`` and ``max_bytes`` (of the store), ``key`` (the video's),
    ``segments`` (in this order; those that are there are passed over) and, if any, ``in_use``
    (keys of videos whose segments must stay). Yields ``File`` for each segment made.
    """
    path = Path(job.args["video"])
    key = str(job.args["key"])
    segments = [int(segment) for segment in job.args["segments"]]
    in_use = {key, *job.args.get("in_use", ())}
    store = ProxyStore(Path(job.args["folder"]), int(job.args["max_bytes"]))
    _step_back()
    store.sweep()
    index = index_video(path)
    if _current_key(path) != key:
        raise UserError(f"{path}: the video was replaced while its proxy was to be made.")
    made = 0
    with open_video(path, index, keep_bytes=_KEEP_BYTES) as reader:
        for count, segment in enumerate(segments):
            start, stop = segment_range(segment, index.frame_count)
            if store.has(key, segment) or start >= stop:
                continue
            store.make_room(_SEGMENT_BYTES, in_use)
            out = store.segment_path(key, segment)
            with closing(encode_segment(path, index, start, stop, out, reader=reader)) as steps:
                for share in steps:
                    text = f"{path.name}: frames {start} to {stop - 1}"
                    yield Progress(job.id, (count + share) / len(segments), text)
            made += 1
            yield File(job.id, out)
    yield Done(job.id, {"segments": made})


def _step_back() -> None:
    # Only in a worker: a process that was made nice can never be made less so.
    if multiprocessing.parent_process() is None or not hasattr(os, "nice"):
        return
    if os.nice(0) < _NICENESS:
        # Refused in some containers; then it runs as it is.
        with contextlib.suppress(OSError):
            os.nice(_NICENESS - os.nice(0))


def _current_key(path: Path) -> str:
    try:
        return proxy_key(path)
    except OSError as error:
        raise UserError(f"{path}: the video file cannot be read ({error.strerror}).") from error
