"""Calibrated cameras on a ring round the demo's room, and their Pose2Sim calibration file."""

from __future__ import annotations

import math
from pathlib import Path

import cv2
import numpy as np

from pipeline.data.camera import WORLD_FROM_UP, Camera, CameraGroup, turned
from pipeline.io.calibration import write_calibration_toml
from pipeline.synthesis.body import FloatArray

MAX_VIEWS = 8
TARGET = np.array([0.05, 0.88, 0.0])
# Bearing from straight ahead of the figure, towards its right (degrees), distance and height (m):
# two views of the back first, then two oblique ones of the front, then the rest.
_PLACES = (
    (152.0, 3.55, 1.75),
    (-146.0, 3.65, 1.25),
    (62.0, 3.60, 1.55),
    (-40.0, 3.50, 1.95),
    (104.0, 3.60, 1.10),
    (-95.0, 3.60, 2.10),
    (14.0, 3.70, 1.30),
    (178.0, 3.60, 2.20),
)
# k1 k2 p1 p2 k3 of a mild wide lens, before each camera's own small difference.
_LENS = np.array([-0.115, 0.062, 0.0006, -0.0004, -0.011])


def _camera(number: int, size: tuple[int, int]) -> Camera:
    bearing, distance, height = _PLACES[number]
    angle = math.radians(bearing)
    centre = np.array([TARGET[0] + distance * math.cos(angle), height, distance * math.sin(angle)])
    ahead = TARGET - centre
    ahead /= np.linalg.norm(ahead)
    right = np.cross(ahead, [0.0, 1.0, 0.0])
    right /= np.linalg.norm(right)
    rotation = np.stack([right, np.cross(ahead, right), ahead])
    # No rig stands exactly upright.
    roll = cv2.Rodrigues(np.array([0.0, 0.0, math.radians((-1.2, 0.8, 1.5, -0.6)[number % 4])]))[0]
    rotation = roll @ rotation
    focal = 0.985 * min(size) * distance / 2.18
    matrix = np.array(
        [
            [focal, 0.0, 0.5 * (size[0] - 1) + 0.009 * size[0] * math.sin(2.0 + number)],
            [0.0, 1.002 * focal, 0.5 * (size[1] - 1) + 0.007 * size[1] * math.cos(1.0 + number)],
            [0.0, 0.0, 1.0],
        ]
    )
    return Camera(
        name=f"cam_{number + 1}",
        size=size,
        matrix=matrix,
        distortion=_LENS * (1.0 + 0.08 * math.sin(3.0 * number)),
        rotation=rotation,
        translation=-rotation @ centre,
    )


def ring_of_cameras(n_views: int, size: tuple[int, int]) -> CameraGroup:
    """The demo's first ``n_views`` (1 to 8) cameras for pictures of ``size``, world Y up.

    Raises
    ------
    ValueError
        If ``n_views`` is outside 1 to 8.
    """
    if not 1 <= n_views <= MAX_VIEWS:
        raise ValueError(f"the demo has 1 to {MAX_VIEWS} views, not {n_views}")
    return CameraGroup(tuple(_camera(number, size) for number in range(n_views)))


def write_calibration(path: Path, cameras: CameraGroup) -> None:
    """Write cameras of the Y-up world as Pose2Sim's TOML, whose world is Z up."""
    write_calibration_toml(path, (turned(camera, WORLD_FROM_UP["z"].T) for camera in cameras))


def pixels(camera: Camera, xyz: FloatArray) -> FloatArray:
    """Pixels (..., 2) of world points (..., 3) in front of a camera, with its five coefficients."""
    local = xyz @ camera.rotation.T + camera.translation
    x, y = local[..., 0] / local[..., 2], local[..., 1] / local[..., 2]
    k1, k2, p1, p2, k3 = camera.distortion
    u = x * x + y * y
    radial = 1.0 + u * (k1 + u * (k2 + u * k3))
    dx = x * radial + 2.0 * p1 * x * y + p2 * (u + 2.0 * x * x)
    dy = y * radial + p1 * (u + 2.0 * y * y) + 2.0 * p2 * x * y
    (fx, _, cx), (_, fy, cy), _ = camera.matrix
    return np.stack([fx * dx + cx, fy * dy + cy], axis=-1)
