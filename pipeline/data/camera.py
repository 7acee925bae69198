"""Cameras: intrinsics, distortion, pose in the project's world, and their time axis.

Convention: OpenCV. ``x_camera = R @ x_world + t``; metres; pixel centres at integers, origin top
left. The project's world is Y up: importers turn other worlds before a ``Camera`` is built into a
``Sequence`` (:func:`turned`).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

# Target-from-source rotations into the Y-up world of the project. The Z-up one is Pose2Sim's and
# SIMSPINE's TRC convention: TRC (x, y, z) = world (y, z, x).
WORLD_FROM_UP: dict[str, FloatArray] = {
    "y": np.eye(3),
    "z": np.array([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]),
    "-y": np.diag([1.0, -1.0, -1.0]),
}


@dataclass(frozen=True, slots=True, eq=False)
class Camera:
    """One calibrated view.

    Parameters
    ----------
    name : str
        The camera's name as in the calibration.
    size : (int, int)
        Width and height in pixels for which the intrinsics hold.
    matrix : (3, 3) array
        Intrinsic matrix in pixels.
    distortion : (D,) array
        OpenCV coefficients k1 k2 p1 p2 [k3 [k4 k5 k6]]; D is 4, 5 or 8, as read.
    rotation : (3, 3) array
        ``camera_from_world`` rotation.
    translation : (3,) array
        ``camera_from_world`` translation in metres.
    """

    name: str
    size: tuple[int, int]
    matrix: FloatArray
    distortion: FloatArray
    rotation: FloatArray
    translation: FloatArray

    @property
    def centre(self) -> FloatArray:
        """(3,) optical centre in world metres."""
        centre: FloatArray = -self.rotation.T @ self.translation
        return centre


def turned(camera: Camera, new_from_old: FloatArray) -> Camera:
    """The same camera expressed in a world turned by the (3, 3) rotation ``new_from_old``."""
    return replace(camera, rotation=camera.rotation @ new_from_old.T)


@dataclass(frozen=True, slots=True)
class SyncMap:
    """A camera's time axis: ``video_frame = floor(frame * rate + 1/2) + offset``.

    ``offset`` is in video frames; ``rate`` is video frames per sequence frame.
    ``n_frames`` is the number of displayed frames of the video (0: no video).
    """

    offset: int = 0
    rate: float = 1.0
    n_frames: int = 0

    def video_frame(self, frame: int) -> int | None:
        """Index of the displayed video frame at a sequence frame; None where there is none."""
        index = math.floor(frame * self.rate + 0.5) + self.offset
        return index if 0 <= index < self.n_frames else None


@dataclass(frozen=True, slots=True)
class CameraGroup:
    """The views of a recording, in the order used by every ``V`` axis."""

    cameras: tuple[Camera, ...] = field(default_factory=tuple)

    def __len__(self) -> int:
        return len(self.cameras)

    def __iter__(self) -> Iterator[Camera]:
        return iter(self.cameras)

    def __getitem__(self, view: int) -> Camera:
        return self.cameras[view]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(camera.name for camera in self.cameras)

    def index(self, name: str) -> int:
        """View index of a camera name; ValueError if there is none."""
        return self.names.index(name)
