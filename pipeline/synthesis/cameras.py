"""Calibrated cameras on a ring round the demo's room, and their Pose2Sim calibration file."""

from __future__ import annotations

import math
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.data.camera import WORLD_FROM_UP, Camera, CameraGroup, turned
from pipeline.io.calibration import write_calibration_toml

FloatArray = NDArray[np.float64]

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
    # No rig stands exactly upright.
    rotation = _towards(TARGET - centre, math.radians((-1.2, 0.8, 1.5, -0.6)[number % 4]))
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


def cameras_around(
    n_views: int, size: tuple[int, int], places: FloatArray, rng: np.random.Generator
) -> CameraGroup:
    """``n_views`` cameras on a ring that see all of the places (N, 3), metres, Y up.

    Raises
    ------
    ValueError
        If ``n_views`` is below 1.
    """
    if n_views < 1:
        raise ValueError(f"a recording has at least one view, not {n_views}")
    low, high = places.min(axis=0), places.max(axis=0)
    middle = 0.5 * (low + high)
    # Radius of what must be seen, with room for flesh beyond the points.
    radius = 0.5 * float(np.linalg.norm(high - low)) + 0.12
    first, cameras = rng.uniform(0.0, 2.0 * math.pi), []
    for number in range(n_views):
        angle = first + 2.0 * math.pi * (number + rng.uniform(-0.15, 0.15)) / n_views
        distance = max(3.0, 2.6 * radius) * rng.uniform(0.95, 1.1)
        height = rng.uniform(0.9, 2.2)
        aside = math.sqrt(max(distance**2 - (height - middle[1]) ** 2, 1.0))
        away = np.array([aside * math.cos(angle), height - middle[1], aside * math.sin(angle)])
        centre = middle + away
        rotation = _towards(middle - centre, math.radians(rng.normal(0.0, 1.2)))
        local = (places - centre) @ rotation.T
        flat = np.abs(local[:, :2]) / np.maximum(local[:, 2:], 0.5)
        # Flesh reaches beyond the points by about a tenth of somebody's height.
        focal = float((0.43 * np.array(size) / np.maximum(flat.max(axis=0), 0.05)).min())
        matrix = np.array([
            [focal, 0.0, 0.5 * (size[0] - 1) + 0.008 * size[0] * rng.uniform(-1.0, 1.0)],
            [0.0, 1.002 * focal, 0.5 * (size[1] - 1) + 0.008 * size[1] * rng.uniform(-1.0, 1.0)],
            [0.0, 0.0, 1.0],
        ])  # fmt: skip
        cameras.append(
            Camera(
                name=f"cam_{number + 1}",
                size=size,
                matrix=matrix,
                distortion=_LENS * rng.uniform(0.6, 1.1),
                rotation=rotation,
                translation=-rotation @ centre,
            )
        )
    return CameraGroup(tuple(cameras))


def _towards(ahead: FloatArray, roll: float) -> FloatArray:
    """(3, 3) rotation of a camera that looks along ``ahead``, nearly upright."""
    ahead = ahead / np.linalg.norm(ahead)
    right = np.cross(ahead, [0.0, 1.0, 0.0])
    right /= np.linalg.norm(right)
    turn = np.asarray(cv2.Rodrigues(np.array([0.0, 0.0, roll]))[0], np.float64)
    return np.asarray(turn @ np.stack([right, np.cross(ahead, right), ahead]))


def write_calibration(path: Path, cameras: CameraGroup) -> None:
    """Write cameras of the Y-up world as Pose2Sim's TOML, whose world is Z up."""
    write_calibration_toml(path, (turned(camera, WORLD_FROM_UP["z"].T) for camera in cameras))
