"""The built-in demo: a four-camera recording of a painted figure whose every keypoint is known.

The folder has Pose2Sim's layout (videos, calibration, pose) and, beside it, the truth. It appears
under its name only when it is complete.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

from pipeline.data.camera import Camera, CameraGroup
from pipeline.data.errors import UserError
from pipeline.data.skeleton import project_skeleton
from pipeline.synthesis import body, detector
from pipeline.synthesis.body import FloatArray, Posed
from pipeline.synthesis.cameras import pixels, ring_of_cameras, write_calibration
from pipeline.synthesis.detector import Bools, PlantedError
from pipeline.synthesis.figure import build_figure
from pipeline.synthesis.motion import scene
from pipeline.synthesis.render import backdrop, light_figure, paint, sketch
from pipeline.synthesis.room import Image

Report = Callable[[float, str], None]

GROUP_OF_PICTURES = 12
# Constant quality at which checker and skin show no blocks.
RATE_FACTOR = "19"
# Pictures that may wait for their encoder, per view.
WAITING = 4
ABANDONED_SECONDS = 3600.0


@dataclass(frozen=True, slots=True, eq=False)
class DemoTruth:
    """What really happened.

    ``xyz`` (T, 37, 3) metres, Y up; ``xy`` (T, V, 37, 2) px, ideal detections; ``visible``
    (T, V, 37), no flesh in front; ``errors``, the gross errors planted in the detections.
    """

    xyz: FloatArray
    xy: FloatArray
    visible: Bools
    errors: tuple[PlantedError, ...]


@dataclass(frozen=True, slots=True, eq=False)
class DemoRecording:
    """A recording on disk and its truth; ``cameras`` in the project's Y-up world."""

    folder: Path
    cameras: CameraGroup
    fps: float
    truth: DemoTruth


@contextmanager
def _completed_folder(folder: Path) -> Iterator[Path]:
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


def _painted(cameras: CameraGroup, posed: Posed) -> Iterator[list[Image]]:
    """The pictures of all views, frame after frame."""
    with ThreadPoolExecutor(2) as pool:
        scenes = list(pool.map(backdrop, cameras))
    for rotation, origin in zip(posed.rotation, posed.origin, strict=True):
        lit = light_figure(build_figure(), rotation, origin)
        yield [paint(scene, lit) for scene in scenes]


def _sketched(cameras: CameraGroup, xy: FloatArray) -> Iterator[list[Image]]:
    skeleton = project_skeleton()
    for i, places in enumerate(xy):
        yield [sketch(c, skeleton, places[v], i) for v, c in enumerate(cameras)]


def _write_videos(
    folder: Path, cameras: CameraGroup, fps: float, pictures: Iterator[list[Image]], report: Report
) -> None:
    """``report`` is told how many frames are done, as its first argument."""
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


def _write_detections(folder: Path, cameras: CameraGroup, found: detector.Detections) -> None:
    for v, camera in enumerate(cameras):
        view = folder / f"{camera.name}_json"
        view.mkdir(parents=True)
        for i in range(len(found.xy)):
            person = detector.openpose_person(found.xy[i, v], found.score[i, v])
            text = json.dumps({"version": 1.3, "people": [person]}, separators=(",", ":"))
            (view / f"{camera.name}.{i:04d}.json").write_text(text, encoding="utf-8")


def _write_truth(folder: Path, fps: float, seed: int, truth: DemoTruth) -> None:
    np.savez_compressed(
        folder / "truth.npz",
        xyz=truth.xyz, xy=truth.xy.astype(np.float32), visible=truth.visible,
    )  # fmt: skip
    skeleton = project_skeleton()
    table = {
        "format": 1,
        "fps": fps,
        "n_frames": len(truth.xyz),
        "seed": seed,
        "skeleton": skeleton.name,
        "keypoints": list(skeleton.names),
        "arrays": "truth.npz: xyz (T, K, 3) metres, Y up; xy (T, V, K, 2) px; visible (T, V, K)",
        "errors": [asdict(error) for error in truth.errors],
    }
    (folder / "truth.json").write_text(json.dumps(table, indent=1), encoding="utf-8")


def load_truth(folder: Path) -> DemoTruth:
    """Read the truth beside a demo recording."""
    table = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
    errors = tuple(
        PlantedError(**{**entry, "keypoints": tuple(entry["keypoints"])})
        for entry in table["errors"]
    )
    with np.load(folder / "truth.npz") as arrays:
        return DemoTruth(arrays["xyz"], arrays["xy"].astype(np.float64), arrays["visible"], errors)


def make_demo(
    folder: Path,
    *,
    n_frames: int = 240,
    fps: float = 30,
    size: tuple[int, int] = (640, 640),
    seed: int = 7,
    n_views: int = 4,
    render: bool = True,
    progress: Report | None = None,
) -> DemoRecording:
    """Write a synthetic recording with known truth; the same arguments give the same files.

    Parameters
    ----------
    folder : Path
        Where the recording appears, all at once; it must not exist or be empty.
    n_frames : int
        Frames at ``fps``. The scene lasts 8 s; longer recordings play it to and fro.
    size : (int, int)
        Width and height of the videos, even numbers.
    seed : int
        For the detector's noise; the motion is always the same.
    n_views : int
        1 to 8 cameras.
    render : bool
        False: plain pictures with the skeleton only, made many times faster.
    progress : callable, optional
        Called with a fraction 0..1 and a few words; what it raises stops the work.

    Raises
    ------
    UserError
        If the folder exists and is not empty, or cannot be written.
    ValueError
        If a number is out of range.
    """
    if n_frames < 1 or min(size) < 16 or size[0] % 2 or size[1] % 2:
        raise ValueError(f"cannot make a demo of {n_frames} frames of {size[0]}x{size[1]} px")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UserError(f"{folder} already exists; choose another folder for the demo.")
    report: Report = progress if progress is not None else (lambda fraction, text: None)
    cameras = ring_of_cameras(n_views, size)
    skeleton = project_skeleton()
    posed = body.pose(scene(np.arange(n_frames) / fps))
    xyz = body.keypoints(posed)
    xy = np.stack([pixels(camera, xyz) for camera in cameras], axis=1)
    visible = detector.seen(cameras, posed, xyz)
    found = detector.detect(skeleton, xy, visible, size, fps, seed)
    truth = DemoTruth(xyz, xy, visible, found.errors)
    try:
        with _completed_folder(folder) as work:
            for part in ("videos", "calibration", "pose"):
                (work / part).mkdir()
            write_calibration(work / "calibration" / "Calib_demo.toml", cameras)
            _write_truth(work, fps, seed, truth)
            report(0.0, "painting the room" if render else "drawing")
            pictures = _painted(cameras, posed) if render else _sketched(cameras, xy)

            def painted(done: float, text: str) -> None:
                report(0.04 + 0.92 * done / n_frames, f"{text} frame {done:.0f} of {n_frames}")

            _write_videos(work / "videos", cameras, fps, pictures, painted)
            report(0.97, "writing the detections")
            _write_detections(work / "pose", cameras, found)
    except OSError as error:
        raise UserError(f"The demo cannot be written to {folder}: {error.strerror}.") from error
    report(1.0, "done")
    return DemoRecording(folder, cameras, fps, truth)
