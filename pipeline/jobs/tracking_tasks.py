"""Following one point of one view through the pictures of its video, as a job."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.geometry.picture_tracking import track_point
from pipeline.io.video_index import index_video
from pipeline.io.video_reader import FrameReader, open_video
from pipeline.jobs.messages import Done, Event, Job, Progress

# Room for the pictures that stepping back hands over at once, as few seeks as possible.
_KEEP_BYTES = 256 << 20


def track_keypoint(job: Job) -> Generator[Event, None, None]:
    """Follow a point: args ``video``, ``pictures`` (numbers, in this order), ``xy``.

    ``xy`` is where it is in the first picture, px. Only pictures of the video itself are looked at,
    never a proxy's. Nothing is written: ``Done`` carries ``xy``, one pair for each picture after
    the first in which it was found, and ``reason`` why it ended early (empty where it did not).
    """
    path = Path(job.args["video"])
    numbers = [int(number) for number in job.args["pictures"]]
    x, y = (float(value) for value in job.args["xy"])
    found: list[tuple[float, float]] = []
    with open_video(path, index_video(path), keep_bytes=_KEEP_BYTES) as reader:
        stopped: list[str] = []
        steps = track_point(_pictures(reader, numbers, stopped), (x, y))
        while True:
            try:
                point = next(steps)
            except StopIteration as finished:
                reason = str(finished.value) or next(iter(stopped), "")
                break
            found.append((point.x, point.y))
            yield Progress(job.id, len(found) / max(1, len(numbers) - 1), "Following the point")
    yield Done(job.id, {"xy": found, "reason": reason})


def _pictures(
    reader: FrameReader, numbers: list[int], stopped: list[str]
) -> Iterator[NDArray[np.uint8]]:
    """Grey pictures one by one; says in ``stopped`` why there are no more, where some are left."""
    for number in numbers:
        picture = reader.get(number)
        if picture is None:
            stopped.append("a picture cannot be decoded")
            return
        if reader.suspect(number):
            stopped.append("a picture is damaged")
            return
        yield np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGRA2GRAY), np.uint8)
