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
from numpy.typing import ArrayLike, NDArray

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


def rotation_vector(rotation: FloatArray) -> FloatArray:
    """(3,) axis times angle in radians of a (3, 3) rotation, angle at most pi."""
    r = np.asarray(rotation, np.float64)
    axis_sine = np.array([r[2, 1] - r[1, 2], r[0, 2] - r[2, 0], r[1, 0] - r[0, 1]])
    # Shepperd's choice of the largest part of the quaternion is accurate at every angle.
    parts = np.array([np.trace(r), r[0, 0], r[1, 1], r[2, 2]])
    largest = int(parts.argmax())
    if largest == 0:
        quaternion = np.array([1.0 + parts[0], *axis_sine])
    else:
        i = largest - 1
        imaginary = r[i] + r[:, i]
        imaginary[i] = 1.0 + 2.0 * r[i, i] - parts[0]
        quaternion = np.array([axis_sine[i], *imaginary])
    quaternion /= np.linalg.norm(quaternion)
    if quaternion[0] < 0.0:
        quaternion = -quaternion
    sine = float(np.linalg.norm(quaternion[1:]))
    if sine == 0.0:
        return np.zeros(3)
    vector: FloatArray = quaternion[1:] * (2.0 * math.atan2(sine, quaternion[0]) / sine)
    return vector


def rotation_matrix(vector: FloatArray) -> FloatArray:
    """(3, 3) rotation of a (3,) axis times angle in radians (Rodrigues' formula)."""
    angle = float(np.linalg.norm(vector))
    x, y, z = np.asarray(vector, np.float64)
    cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    # np.sinc is sin(pi x) / (pi x), without a division at 0.
    first, half = np.sinc(angle / np.pi), np.sinc(angle / (2.0 * np.pi))
    return np.asarray(np.eye(3) + first * cross + 0.5 * half**2 * (cross @ cross))


@dataclass(frozen=True, slots=True)
class SyncMap:
    """A camera's time axis: ``video_frame = floor(frame * (rate + drift) + offset + 1/2)``.

    ``offset`` is in video frames; one with a fraction shows the nearest picture. ``rate`` is video
    frames per sequence frame as imported, ``drift`` what a person added to it. ``n_frames`` is the
    number of displayed frames of the video (0: no video).
    """

    offset: float = 0
    rate: float = 1.0
    n_frames: int = 0
    drift: float = 0.0

    def video_frame(self, frame: int) -> int | None:
        """Index of the displayed video frame at a sequence frame; None where there is none."""
        index = int(self.video_frames(frame))
        return index if 0 <= index < self.n_frames else None

    def video_frames(self, frames: ArrayLike) -> NDArray[np.intp]:
        """Index of the video frame at each sequence frame, also where the video has none."""
        # The whole part is added last, so that an offset of whole frames never changes rounding.
        whole = math.floor(self.offset)
        inner = np.asarray(frames) * (self.rate + self.drift) + (self.offset - whole) + 0.5
        return np.asarray(np.floor(inner).astype(np.intp) + whole)


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
