"""A ring of cameras and a forward camera model written apart from the one under test.

One point at a time, in plain Python, from OpenCV's published formula; nothing is shared with
``pipeline.geometry``.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from pipeline.data.camera import Camera, CameraGroup

FloatArray = NDArray[np.float64]

# As of a phone, a sports camera and a wide lens calibrated with the rational model; the pictures
# of a 1920 x 1080 camera with f = 1100 px reach a normalised radius of 1.
DISTORTIONS = {
    4: (-0.21, 0.07, 0.0011, -0.0007),
    5: (-0.28, 0.11, -0.0009, 0.0006, -0.021),
    8: (0.35, 0.03, 0.0004, -0.0003, 0.002, 0.62, 0.06, 0.004),
}


def look_at(name: str, position: FloatArray, target: FloatArray, distortion: tuple[float, ...],
            focal: float = 1100.0) -> Camera:  # fmt: skip
    """A 1920 x 1080 camera with its picture's bottom towards the floor (Y up)."""
    forward = (target - position) / np.linalg.norm(target - position)
    right = np.cross(forward, [0.0, 1.0, 0.0])
    right /= np.linalg.norm(right)
    down = np.cross(forward, right)
    rotation = np.stack([right, down, forward])
    matrix = np.array([[focal, 0.0, 955.3], [0.0, focal * 1.003, 543.9], [0.0, 0.0, 1.0]])
    return Camera(name, (1920, 1080), matrix, np.array(distortion), rotation, -rotation @ position)


def ring(n: int, coefficients: int = 4, radius: float = 4.0, centre: float = 1.0) -> CameraGroup:
    """``n`` cameras around the origin, looking at a point ``centre`` metres above it."""
    cameras = []
    for i in range(n):
        angle = 2.0 * math.pi * i / n + 0.3
        height = 1.2 + 0.5 * (i % 3)
        position = np.array([radius * math.cos(angle), height, radius * math.sin(angle)])
        distortion = DISTORTIONS[coefficients] if coefficients else (0.0,) * 4
        target = np.array([0.0, centre, 0.0])
        cameras.append(look_at(f"cam{i + 1}", position, target, distortion))
    return CameraGroup(tuple(cameras))


def forward(camera: Camera, point: FloatArray) -> tuple[float, float]:
    """Pixel of one world point; NaN behind the camera."""
    local = [
        sum(float(camera.rotation[i, j]) * float(point[j]) for j in range(3))
        + float(camera.translation[i])
        for i in range(3)
    ]
    if local[2] <= 0.0:
        return math.nan, math.nan
    a, b = local[0] / local[2], local[1] / local[2]
    k = [float(c) for c in camera.distortion] + [0.0] * (8 - len(camera.distortion))
    r2 = a**2 + b**2
    gain = (1 + k[0] * r2 + k[1] * r2**2 + k[4] * r2**3) / (
        1 + k[5] * r2 + k[6] * r2**2 + k[7] * r2**3
    )
    u = a * gain + 2 * k[2] * a * b + k[3] * (r2 + 2 * a**2)
    v = b * gain + k[2] * (r2 + 2 * b**2) + 2 * k[3] * a * b
    m = camera.matrix
    return float(m[0, 0] * u + m[0, 1] * v + m[0, 2]), float(m[1, 1] * v + m[1, 2])


def observe(cameras: CameraGroup, points: FloatArray) -> FloatArray:
    """(N, V, 2) exact pixels of (N, 3) points."""
    return np.array([[forward(camera, point) for camera in cameras] for point in points])
