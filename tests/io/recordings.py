"""Small recordings written to disk for the tests of pipeline.io."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import av
import numpy as np
import tomli_w
from numpy.typing import NDArray

from pipeline.data.camera import Camera
from pipeline.data.skeleton import load_skeleton

# Where a person's points are on a standing figure, in units of its height, x right, y down, by
# marker name: seen from the front, so that left is on the right of the picture.
_FIGURE = {
    "Nose": (0.0, 0.08), "Head": (0.0, 0.0), "Neck": (0.0, 0.17), "MidHip": (0.0, 0.5),
    "Hip": (0.0, 0.5), "Eye": (0.02, 0.06), "Ear": (0.04, 0.07), "Shoulder": (0.11, 0.18),
    "Elbow": (0.16, 0.35), "Wrist": (0.18, 0.5), "Knee": (0.06, 0.73), "Ankle": (0.06, 0.95),
    "BigToe": (0.08, 1.0), "SmallToe": (0.1, 0.99), "Heel": (0.05, 0.97),
}  # fmt: skip
_PAIRED_HIP = (0.05, 0.51)


def looking_camera(name: str, angle: float, size: tuple[int, int] = (640, 480)) -> Camera:
    """A camera 3 m from the origin of a Z-up world, 1 m up, looking at the axis."""
    position = np.array([3 * np.cos(angle), 3 * np.sin(angle), 1.0])
    forward = np.array([-np.cos(angle), -np.sin(angle), 0.0])
    down = np.array([0.0, 0.0, -1.0])
    rotation = np.stack([np.cross(down, forward), down, forward])
    matrix = np.array([[500.0, 0, size[0] / 2 - 3], [0, 505.0, size[1] / 2 + 4], [0, 0, 1]])
    distortion = np.array([-0.05, 0.12, 0.0006, -0.0004, 0.01])
    return Camera(name, size, matrix, distortion, rotation, -rotation @ position)


def calibration_table(n_cameras: int = 2) -> dict[str, Any]:
    """Pose2Sim TOML content as a table, sections ``cam_01`` and so on."""
    table: dict[str, Any] = {}
    for i in range(n_cameras):
        camera = looking_camera(f"cam_{i + 1:02d}", 1.5 * i)
        table[camera.name] = {
            "name": camera.name,
            "size": [640.0, 480.0],
            "matrix": camera.matrix.tolist(),
            "distortions": camera.distortion.tolist(),
            "rotation": camera.rotation.tolist(),
            "translation": camera.translation.tolist(),
            "fisheye": False,
        }
    return table


def write_table(path: Path, table: dict[str, Any]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(tomli_w.dumps(table).encode())
    return path


def figure(markers: Sequence[str], height: float = 300.0) -> NDArray[np.float64]:
    """(K, 3) x, y, score of a standing person, by marker names."""
    rows = []
    for marker in markers:
        side = {"L": 1.0, "R": -1.0}.get(marker[0], 0.0)
        base = marker[1:] if side and marker[1:] in {*_FIGURE, "Hip"} else marker
        x, y = _PAIRED_HIP if side and base == "Hip" else _FIGURE.get(base, (0.0, 0.4))
        rows.append((320 + side * x * height, 100 + y * height, 0.9))
    return np.array(rows)


def write_people(path: Path, people: Sequence[NDArray[np.float64]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    entries = [{"person_id": [-1], "pose_keypoints_2d": p.ravel().tolist()} for p in people]
    path.write_text(json.dumps({"version": 1.3, "people": entries}))


def write_video(
    path: Path, n_frames: int = 6, size: tuple[int, int] = (640, 480), fps: int = 50
) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=fps)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        for i in range(n_frames):
            picture = np.full((size[1], size[0], 3), 20 * i, dtype=np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    return path


def write_recording(root: Path, n_cameras: int = 2, n_frames: int = 6) -> Path:
    """A Pose2Sim project: videos, calibration and one HALPE_26 person in every frame."""
    person = figure(load_skeleton("halpe_26").markers)
    write_table(root / "calibration" / "Calib.toml", calibration_table(n_cameras))
    for i in range(1, n_cameras + 1):
        write_video(root / "videos" / f"cam{i:02d}.mp4", n_frames)
        for frame in range(n_frames):
            name = f"cam{i:02d}_{frame:06d}.json"
            moved = person + np.array([frame, 0, 0])
            write_people(root / "pose" / f"cam{i:02d}_json" / name, [moved])
    return root
