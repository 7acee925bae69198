"""Writes a recording in Pose2Sim's layout: videos, calibration, detections; all at once or not."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.data.camera import Camera, CameraGroup
from pipeline.synthesis.detector import Detections, openpose_person

Image = NDArray[np.uint8]
Report = Callable[[float, str], None]

GROUP_OF_PICTURES = 12
# Constant quality at which checker and skin show no blocks.
RATE_FACTOR = "19"
# Pictures that may wait for their encoder, per view.
WAITING = 4
ABANDONED_SECONDS = 3600.0


@contextmanager
def completed_folder(folder: Path) -> Iterator[Path]:
    """A temporary folder that takes the given name if the block ends well, else vanishes."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    prefix = f".{folder.name}.part-"
    for left in folder.parent.glob(f"{prefix}*"):
        if time.time() - left.stat().st_mtime > ABANDONED_SECONDS:
            shutil.rmtree(left, ignore_errors=True)
    work = Path(tempfile.mkdtemp(prefix=prefix, dir=folder.parent))
    work.chmod(0o755)
    try:
        yield work
        if folder.is_dir():
            folder.rmdir()
        os.replace(work, folder)
    except BaseException:
        shutil.rmtree(work, ignore_errors=True)
        raise


class _Video:
    """An H.264 file that pictures are added to, in a thread of its own."""

    def __init__(self, path: Path, camera: Camera, fps: float) -> None:
        self._container = av.open(str(path), "w", options={"movflags": "+faststart"})
        rate = Fraction(fps).limit_denominator(1001)
        options = {"crf": RATE_FACTOR, "preset": "superfast", "bf": "0", "sc_threshold": "0"}
        stream: Any = self._container.add_stream("libx264", rate=rate, options=options)
        stream.width, stream.height = camera.size
        stream.pix_fmt = "yuv420p"
        stream.gop_size = GROUP_OF_PICTURES
        stream.thread_count = 1
        self._stream, self._count = stream, 0
        self._time_base = 1 / rate

    def add(self, picture: Image) -> None:
        # OpenCV converts three times faster than swscale, to the same BT.601 limited range.
        planes = cv2.cvtColor(picture, cv2.COLOR_RGB2YUV_I420)
        frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
        frame.pts, frame.time_base = self._count, self._time_base
        self._count += 1
        self._container.mux(self._stream.encode(frame))

    def finish(self) -> None:
        self._container.mux(self._stream.encode(None))

    def close(self) -> None:
        self._container.close()


def write_videos(
    folder: Path, cameras: CameraGroup, fps: float, pictures: Iterable[list[Image]], report: Report
) -> None:
    """Videos of the pictures of all views, which come frame after frame.

    ``report`` is told how many frames are done, as its first argument.
    """
    with ExitStack() as stack:
        # One thread per video: a video's pictures stay in order, and encoding runs beside painting.
        threads = [stack.enter_context(ThreadPoolExecutor(1)) for _ in cameras]
        videos = [_Video(folder / f"{camera.name}.mp4", camera, fps) for camera in cameras]
        for video, thread in zip(videos, threads, strict=True):
            stack.callback(video.close)
            stack.callback(thread.shutdown, cancel_futures=True)
        waiting: deque[Future[None]] = deque()
        for i, views in enumerate(pictures):
            for picture, video, thread in zip(views, videos, threads, strict=True):
                waiting.append(thread.submit(video.add, picture))
            while len(waiting) > WAITING * len(videos):
                waiting.popleft().result()
            report(i + 1, "painting")
        waiting.extend(
            thread.submit(video.finish) for video, thread in zip(videos, threads, strict=True)
        )
        while waiting:
            waiting.popleft().result()


def write_detections(folder: Path, cameras: CameraGroup, found: Detections) -> None:
    """OpenPose JSON: a folder for each camera, a file for each frame."""
    for v, camera in enumerate(cameras):
        view = folder / f"{camera.name}_json"
        view.mkdir(parents=True)
        for i in range(len(found.xy)):
            person = openpose_person(found.xy[i, v], found.score[i, v])
            text = json.dumps({"version": 1.3, "people": [person]}, separators=(",", ":"))
            (view / f"{camera.name}.{i:04d}.json").write_text(text, encoding="utf-8")
