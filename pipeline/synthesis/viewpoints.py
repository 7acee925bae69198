"""Cameras drawn at random, on a ring around somebody and elsewhere."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.data.camera import Camera

FloatArray = NDArray[np.float64]

_SIZES = ((1920, 1080), (1088, 1920), (1280, 720), (1000, 1000))


@dataclass(frozen=True, slots=True)
class CameraRange:
    """Where cameras stand and what they are.

    Parameters
    ----------
    distance, height : (float, float)
        From the person's middle, and above the floor, metres, drawn evenly.
    elsewhere : float
        How often a camera is off the ring: at any elevation between -15° and 65°.
    focal : (float, float)
        Focal length in lengths of the picture's longer side, drawn evenly in its logarithm.
    roll, tipped : float
        Standard deviation of the roll in radians, and how often it is anything up to 0.5.
    aim : float
        Standard deviation in metres of where a camera points.
    distortion : float
        Standard deviation of the first radial coefficient.
    """

    distance: tuple[float, float] = (2.3, 7.0)
    height: tuple[float, float] = (0.4, 2.6)
    elsewhere: float = 0.25
    focal: tuple[float, float] = (0.6, 1.8)
    roll: float = 0.04
    tipped: float = 0.3
    aim: float = 0.25
    distortion: float = 0.0


def draw_camera(
    rng: np.random.Generator, middle: FloatArray, cameras: CameraRange | None = None
) -> Camera:
    """A camera that looks at about ``middle`` (3,), a place in the world in metres, Y up."""
    cameras = cameras or CameraRange()
    bearing, distance = rng.uniform(-math.pi, math.pi), rng.uniform(*cameras.distance)
    rise = rng.uniform(*cameras.height) - middle[1]
    if rng.random() < cameras.elsewhere:
        rise = distance * math.sin(math.radians(rng.uniform(-15.0, 65.0)))
    rise = float(np.clip(rise, -0.9 * distance, 0.9 * distance))
    along = math.sqrt(distance**2 - rise**2)
    away = np.array([along * math.cos(bearing), rise, along * math.sin(bearing)])
    ahead = cameras.aim * rng.standard_normal(3) - away
    ahead /= np.linalg.norm(ahead)
    right = np.cross(ahead, [0.0, 1.0, 0.0])
    right /= np.linalg.norm(right)
    upright = np.stack([right, np.cross(ahead, right), ahead])
    roll = cameras.roll * rng.standard_normal()
    if rng.random() < cameras.tipped:
        roll = rng.uniform(-0.5, 0.5)
    c, s = math.cos(roll), math.sin(roll)
    rotation = np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]]) @ upright
    size = _SIZES[rng.integers(len(_SIZES))]
    focal = max(size) * math.exp(rng.uniform(*np.log(cameras.focal)))
    matrix = np.array(
        [[focal, 0.0, 0.5 * (size[0] - 1)], [0.0, focal, 0.5 * (size[1] - 1)], [0.0, 0.0, 1.0]]
    )
    lens = cameras.distortion * rng.standard_normal()
    return Camera(
        name="drawn",
        size=size,
        matrix=matrix,
        distortion=np.array([lens, -0.4 * lens, 0.0, 0.0]),
        rotation=rotation,
        translation=-rotation @ (middle + away),
    )
