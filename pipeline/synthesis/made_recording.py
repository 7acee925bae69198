"""A rendered recording on disk with the truth beside it, as the demo and ``render`` make it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.data.camera import Camera, CameraGroup
from pipeline.data.errors import UserError
from pipeline.data.skeleton import Skeleton, project_skeleton
from pipeline.synthesis import detector
from pipeline.synthesis.cameras import write_calibration
from pipeline.synthesis.clips import ClipTruth, Set, render_clip, truth_of
from pipeline.synthesis.detector import Bools, PlantedError
from pipeline.synthesis.looks import Person
from pipeline.synthesis.recording import (
    Image,
    Report,
    completed_folder,
    write_detections,
    write_videos,
)

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class RecordingTruth:
    """What really happened.

    ``xyz`` (T, 37, 3) metres, Y up; ``xy`` (T, V, 37, 2) px, ideal detections; ``visible``
    (T, V, 37), nothing in front and in the picture; ``errors``, the gross errors planted in the
    detections; ``coordinates`` (T, Q) of the model, metres and radians, and their names.
    """

    xyz: FloatArray
    xy: FloatArray
    visible: Bools
    errors: tuple[PlantedError, ...]
    coordinates: FloatArray
    coordinate_names: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class MadeRecording:
    """A recording on disk and its truth; ``cameras`` in the project's Y-up world."""

    folder: Path
    cameras: CameraGroup
    fps: float
    truth: RecordingTruth


@dataclass(frozen=True, slots=True, eq=False)
class Script:
    """What is to be recorded.

    ``coordinates`` (T, Q) are those of the person's model; ``render`` False draws only a
    skeleton; ``planted`` puts gross errors into the detections; ``name`` is that of the
    calibration's file.
    """

    name: str
    person: Person
    coordinates: FloatArray
    cameras: CameraGroup
    where: Set
    fps: float
    seed: int
    render: bool = True
    planted: bool = False


def check_target(folder: Path, n_frames: int, size: tuple[int, int], what: str) -> None:
    """Refuse a folder that holds anything, and numbers that no video can have.

    Raises
    ------
    UserError, ValueError
    """
    if n_frames < 1 or min(size) < 16 or size[0] % 2 or size[1] % 2:
        raise ValueError(f"cannot make {what} of {n_frames} frames of {size[0]}x{size[1]} px")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UserError(f"{folder} already exists; choose another folder for {what}.")


def make_recording(folder: Path, script: Script, report: Report) -> MadeRecording:
    """Write videos, calibration, detections and truth; the folder appears when all is there.

    Raises
    ------
    UserError
        If it cannot be written.
    """
    cameras, n_frames = script.cameras, len(script.coordinates)
    report(0.0, "looking who is seen from where")
    known = truth_of(script.person, script.coordinates, cameras, script.where.things)
    size = cameras.cameras[0].size
    found = detector.detect(
        project_skeleton(), known.xy, known.visible, size, script.fps, script.seed, script.planted
    )
    names = script.person.model.coordinate_names
    truth = RecordingTruth(
        known.xyz, known.xy, known.visible, found.errors, known.coordinates, names
    )
    try:
        with completed_folder(folder) as work:
            for part in ("videos", "calibration", "pose"):
                (work / part).mkdir()
            write_calibration(work / "calibration" / f"Calib_{script.name}.toml", cameras)
            _write_truth(work, script, truth)
            report(0.02, "painting the room" if script.render else "drawing")

            def painted(done: float, text: str) -> None:
                report(0.04 + 0.92 * done / n_frames, f"{text} frame {done:.0f} of {n_frames}")

            write_videos(work / "videos", cameras, script.fps, _pictures(script, known), painted)
            report(0.97, "writing the detections")
            write_detections(work / "pose", cameras, found)
    except OSError as error:
        raise UserError(f"Nothing can be written to {folder}: {error.strerror}.") from error
    report(1.0, "done")
    return MadeRecording(folder, cameras, script.fps, truth)


def _pictures(script: Script, known: ClipTruth) -> Iterator[list[Image]]:
    if script.render:
        for pictures, _ in render_clip(
            script.person, script.coordinates, script.cameras, script.where,
            rate=script.fps, seed=script.seed, truth=known,
        ):  # fmt: skip
            yield pictures
        return
    skeleton = project_skeleton()
    for i, places in enumerate(known.xy):
        yield [sketch(c, skeleton, places[v], i) for v, c in enumerate(script.cameras)]


def sketch(camera: Camera, skeleton: Skeleton, xy: FloatArray, frame: int) -> Image:
    """A plain picture, quickly made: the links between true points (K, 2) and the frame number."""
    width, height = camera.size
    picture = np.full((height, width, 3), 214, np.uint8)
    tint = (int(camera.name.rsplit("_", 1)[-1]) * 37) % 60
    picture[:, :, 2] -= np.uint8(tint)
    thick = max(1, width // 160)
    places = np.round(np.clip(xy, -1e4, 1e4) * 16).astype(int)
    for a, b in skeleton.links:
        start, end = (tuple(places[k].tolist()) for k in (a, b))
        cv2.line(picture, start, end, (70, 84, 110), thick, cv2.LINE_AA, 4)
    cv2.putText(
        picture, str(frame), (4, height - 6), cv2.FONT_HERSHEY_PLAIN, max(0.8, width / 200),
        (40, 40, 40), 1, cv2.LINE_AA,
    )  # fmt: skip
    return picture


def _write_truth(folder: Path, script: Script, truth: RecordingTruth) -> None:
    np.savez_compressed(
        folder / "truth.npz",
        xyz=truth.xyz, xy=truth.xy.astype(np.float32), visible=truth.visible,
        coordinates=truth.coordinates,
    )  # fmt: skip
    skeleton = project_skeleton()
    table = {
        "format": 2,
        "fps": script.fps,
        "n_frames": len(truth.xyz),
        "seed": script.seed,
        "skeleton": skeleton.name,
        "keypoints": list(skeleton.names),
        "coordinates": list(truth.coordinate_names),
        "arrays": "truth.npz: xyz (T, K, 3) metres, Y up; xy (T, V, K, 2) px; visible (T, V, K); "
        "coordinates (T, Q) of the model, metres and radians",
        "errors": [asdict(error) for error in truth.errors],
    }
    (folder / "truth.json").write_text(json.dumps(table, indent=1), encoding="utf-8")


def load_truth(folder: Path) -> RecordingTruth:
    """Read the truth beside a recording."""
    table = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
    errors = tuple(
        PlantedError(**{**entry, "keypoints": tuple(entry["keypoints"])})
        for entry in table["errors"]
    )
    with np.load(folder / "truth.npz") as arrays:
        return RecordingTruth(
            arrays["xyz"], arrays["xy"].astype(np.float64), arrays["visible"], errors,
            arrays["coordinates"], tuple(table["coordinates"]),
        )  # fmt: skip
