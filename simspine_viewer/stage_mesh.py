"""Shapes and colours around the person in the 3D view: floor, axes and cameras as arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.data.camera import Camera
from simspine_viewer.palette import RGB, SELECTED

FloatArray = NDArray[np.float64]

FINE, COARSE = 0.25, 1.0  # m
FRUSTUM_DEPTH = 0.3  # m
AXIS_LENGTH = 0.3  # m
# Red, green, blue for x, y, z, as in OpenSim and every other biomechanics program.
AXIS_COLOUR: tuple[RGB, RGB, RGB] = ((226, 78, 78), (96, 184, 84), (76, 132, 236))


@dataclass(frozen=True, slots=True)
class SceneTheme:
    """Colours of one appearance; those with a meaning are in :mod:`simspine_viewer.palette`."""

    ground: RGB
    grid: RGB
    shadow: RGB
    camera: RGB
    active_camera: RGB
    uncertainty: RGB
    bone: RGB  # of the column
    other_bone: RGB


DARK = SceneTheme(
    ground=(26, 30, 36), grid=(150, 162, 180), shadow=(15, 17, 21), camera=(150, 160, 176),
    active_camera=(74, 158, 255), uncertainty=SELECTED,
    bone=(226, 205, 162), other_bone=(137, 140, 146),
)  # fmt: skip
LIGHT = SceneTheme(
    ground=(241, 243, 246), grid=(92, 104, 122), shadow=(190, 197, 207), camera=(96, 106, 122),
    active_camera=(11, 99, 197), uncertainty=(30, 36, 46),
    bone=(212, 184, 138), other_bone=(182, 186, 193),
)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Segments:
    """Line segments: ``points`` (N, 3) m, ``lines`` (M, 2) indices, ``alpha`` (N,) 0 to 1."""

    points: FloatArray
    lines: NDArray[np.int64]
    alpha: FloatArray


def floor_grid(spacing: float, radius: float, skip: float | None = None) -> Segments:
    """Lines on the floor Y = 0 about the origin that fade out towards ``radius`` metres.

    Lines at multiples of ``skip`` are left out.
    """
    n = int(np.floor(radius / spacing))
    offsets = spacing * np.arange(-n, n + 1)
    if skip is not None:
        offsets = offsets[np.abs(offsets / skip - np.round(offsets / skip)) > 1e-6]
    steps = np.linspace(-radius, radius, 25)
    along, across = np.meshgrid(steps, offsets)
    zero = np.zeros_like(along)
    points = np.concatenate(
        [
            np.stack([along, zero, across], -1).reshape(-1, 3),
            np.stack([across, zero, along], -1).reshape(-1, 3),
        ]
    )
    first = np.arange(len(points)).reshape(-1, len(steps))[:, :-1].ravel()
    distance = np.hypot(points[:, 0], points[:, 2]) / radius
    alpha = np.clip(1.15 - 1.15 * distance, 0.0, 1.0) ** 1.3
    return Segments(points, np.column_stack([first, first + 1]), alpha)


def world_axes() -> Segments:
    """Three segments from the origin along X, Y and Z, in this order."""
    points = np.zeros((6, 3))
    points[1::2] = AXIS_LENGTH * np.eye(3)
    return Segments(points, np.arange(6).reshape(3, 2), np.ones(6))


def frustum(camera: Camera) -> FloatArray:
    """(8, 3) m: centre, the picture's four corners (from top left, clockwise), and a roof.

    The roof is a triangle on the picture's top edge, which shows which way is up.
    """
    width, height = camera.size
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], float) - 0.5
    roof = np.array([[0.38, 0.0], [0.5, -0.16], [0.62, 0.0]]) * (width, height) - 0.5
    image = np.concatenate([corners, roof])
    homogeneous = np.column_stack([image, np.ones(len(image))])
    local = FRUSTUM_DEPTH * homogeneous @ np.linalg.inv(camera.matrix).T
    return np.concatenate([camera.centre[None], (local - camera.translation) @ camera.rotation])


FRUSTUM_POINTS = 8
FRUSTUM_LINES = np.array(
    [[0, 1], [0, 2], [0, 3], [0, 4], [1, 2], [2, 3], [3, 4], [4, 1], [5, 6], [6, 7]]
)
FRUSTUM_FACES = np.array([[1, 2, 3], [1, 3, 4], [5, 6, 7]])
