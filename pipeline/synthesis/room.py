"""The demo's room: traced once per camera through its exact lens, and the figure's soft shadow."""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.data.camera import Camera
from pipeline.geometry.projection import undistort
from pipeline.synthesis.body import FloatArray

Image = NDArray[np.uint8]

HALF_SIDE, CEILING = 4.0, 3.1
TILE = 0.5
# Spacing (px) of the grid on which the lens is inverted, and rays per pixel edge at outlines.
LENS_STEP, EDGE_RAYS = 4.0, 3
# Towards the light: from the window on the figure's left, above and a little behind.
LIGHT = np.array([-0.36, 0.86, -0.34]) / np.linalg.norm([-0.36, 0.86, -0.34])
# The part of the floor on which a shadow can fall, metres either side of the middle.
SHADOW_REACH = 2.0
SHADOW_PIXELS_PER_METRE = 40.0

_FLOOR_LIGHT, _FLOOR_DARK = np.array([196.0, 182.0, 162.0]), np.array([166.0, 150.0, 130.0])
_WALL = np.array([176.0, 190.0, 200.0])
_WOOD = np.array([178.0, 134.0, 92.0])
_TRIM = np.array([226.0, 226.0, 222.0])


class _Lens:
    """Directions in the world through any places of a picture, from a coarse exact grid."""

    def __init__(self, camera: Camera) -> None:
        width, height = camera.size
        # One cell beyond the picture on every side, then interpolated: below 0.001 px of error.
        columns = np.arange(-LENS_STEP, width + 2 * LENS_STEP, LENS_STEP)
        rows = np.arange(-LENS_STEP, height + 2 * LENS_STEP, LENS_STEP)
        self._grid = undistort(camera, np.stack(np.meshgrid(columns, rows), axis=-1))
        self._rotation = camera.rotation.astype(np.float32)
        self._grid = self._grid.astype(np.float32)

    def rays(self, x: FloatArray, y: FloatArray) -> NDArray[np.float32]:
        """(N, 3) directions through pixels ``x``, ``y`` (N,), one metre deep."""
        # cv2.remap rounds its weights to 1/32, which would show as a tremor of straight lines.
        u, v = x / LENS_STEP + 1.0, y / LENS_STEP + 1.0
        i, j = u.astype(np.intp), v.astype(np.intp)
        a, b = (u - i).astype(np.float32)[:, None], (v - j).astype(np.float32)[:, None]
        top = self._grid[j, i] * (1 - a) + self._grid[j, i + 1] * a
        bottom = self._grid[j + 1, i] * (1 - a) + self._grid[j + 1, i + 1] * a
        flat = top * (1 - b) + bottom * b
        right, down, ahead = self._rotation
        return np.asarray(flat[:, :1] * right + flat[:, 1:] * down + ahead)


def _near(value: NDArray[np.float32], period: float, half_width: float) -> NDArray[np.bool_]:
    return np.asarray(np.abs((value + 0.5 * period) % period - 0.5 * period) < half_width)


def _colours(hit: NDArray[np.float32], face: NDArray[np.intp]) -> NDArray[np.float32]:
    """(N, 3) RGB of places on the room's inside; ``face`` is the axis 0..2 of the surface hit."""
    x, y, z = hit.T
    colours = np.empty(hit.shape, np.float32)
    floor, roof = (face == 1) & (y < 1.0), (face == 1) & (y >= 1.0)
    wall = face != 1
    odd = ((np.floor(x / TILE) + np.floor(z / TILE)) % 2).astype(bool)
    colours[:] = _WALL
    colours[floor & odd], colours[floor & ~odd] = _FLOOR_LIGHT, _FLOOR_DARK
    colours[roof] = (224.0, 226.0, 228.0)
    # The floor is bright in the middle; walls fade upward and differ by how they face the light.
    radius = np.hypot(x, z)
    colours[floor] *= (1.06 - 0.20 * np.clip(radius / 4.5, 0, 1) ** 1.5)[floor, None]
    tone = np.where(face == 0, np.where(x > 0, 1.03, 0.95), np.where(z > 0, 1.06, 0.92))
    colours[wall] *= (tone * (0.90 + 0.055 * y))[wall, None]
    # Wall bars in front of the figure, a window on its left.
    bars = (face == 0) & (x > 0) & (np.abs(z) < 2.0) & (y > 0.12) & (y < 2.45)
    rung = bars & _near(y, 0.19, 0.022)
    post = bars & _near(z + 0.5, 1.0, 0.05)
    colours[bars & _near(y + 0.035, 0.19, 0.020)] *= 0.88
    colours[rung], colours[post] = 0.96 * _WOOD, _WOOD
    window = (face == 2) & (z < 0) & (np.abs(x) < 1.7) & (y > 0.95) & (y < 2.5)
    sky = np.stack([206 + 12 * (2.5 - y), 224 + 8 * (2.5 - y), np.full_like(y, 242.0)], axis=-1)
    colours[window] = sky[window]
    frame = window & (_near(x + 1.7, 1.133, 0.035) | (y < 1.02) | (y > 2.43))
    colours[frame] = _TRIM
    colours[wall & (y < 0.11)] = 0.93 * _TRIM
    # Corners are a little darker.
    for a, b, limit in ((x, z, HALF_SIDE), (x, y, HALF_SIDE), (z, y, HALF_SIDE)):
        gap_a = limit - np.abs(a)
        gap_b = limit - np.abs(b) if b is z else np.minimum(b, CEILING - b)
        edge = np.hypot(np.clip(gap_a, 0, None), np.clip(gap_b, 0, None))
        colours *= (1.0 - 0.16 * np.exp(-edge / 0.30))[:, None]
    return colours


def _trace(camera: Camera, rays: NDArray[np.float32]) -> NDArray[np.float32]:
    centre = camera.centre.astype(np.float32)
    low = np.array([-HALF_SIDE, 0.0, -HALF_SIDE], np.float32)
    high = np.array([HALF_SIDE, CEILING, HALF_SIDE], np.float32)
    with np.errstate(divide="ignore"):
        reach = np.where(rays > 0.0, high - centre, low - centre) / rays
    reach[rays == 0.0] = np.inf
    face = np.argmin(reach, axis=1)
    hit = centre + rays * np.take_along_axis(reach, face[:, None], axis=1)
    return np.clip(_colours(hit.astype(np.float32), face), 0.0, 255.0)


def paint_room(camera: Camera) -> Image:
    """(H, W, 3) RGB picture of the empty room through a camera's exact lens."""
    lens, (width, height) = _Lens(camera), camera.size
    row, column = np.divmod(np.arange(width * height), width)
    picture = _trace(camera, lens.rays(column, row)).astype(np.uint8).reshape(height, width, 3)
    # Where anything changes between neighbours, the mean of several rays per pixel is taken.
    reach = np.ones((3, 3), np.uint8)
    edge = np.asarray(cv2.dilate(picture, reach)) - cv2.erode(picture, reach)
    column, row = (a.astype(np.float64) for a in np.nonzero(edge.max(axis=2) > 5)[::-1])
    total = np.zeros((len(row), 3), np.float32)
    steps = (np.arange(EDGE_RAYS) + 0.5) / EDGE_RAYS - 0.5
    for dx in steps:
        for dy in steps:
            total += _trace(camera, lens.rays(column + dx, row + dy))
    mean = np.round(total / EDGE_RAYS**2).astype(np.uint8)
    picture[row.astype(np.intp), column.astype(np.intp)] = mean
    return picture


def floor_map(camera: Camera) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """For every second pixel of a picture, where on the shadow's map its piece of floor lies."""
    columns = np.arange(0.5, camera.size[0], 2.0)
    rows = np.arange(0.5, camera.size[1], 2.0)
    x, y = np.meshgrid(columns, rows)
    rays = _Lens(camera).rays(x.ravel(), y.ravel()).reshape(*x.shape, 3)
    centre = camera.centre
    with np.errstate(divide="ignore", invalid="ignore"):
        reach = -centre[1] / rays[..., 1]
        x = centre[0] + reach * rays[..., 0]
        z = centre[2] + reach * rays[..., 2]
    on_floor = (reach > 0) & (np.abs(x) < HALF_SIDE) & (np.abs(z) < HALF_SIDE)
    column = np.where(on_floor, (x + SHADOW_REACH) * SHADOW_PIXELS_PER_METRE, -10.0)
    row = np.where(on_floor, (z + SHADOW_REACH) * SHADOW_PIXELS_PER_METRE, -10.0)
    return column.astype(np.float32), row.astype(np.float32)


def cast_shadow(points: FloatArray, hulls: Iterable[NDArray[np.intp]]) -> Image:
    """Brightness 0..255 of the floor's map under a skin of points (N, 3)."""
    side = int(2 * SHADOW_REACH * SHADOW_PIXELS_PER_METRE)
    height = points[:, 1:2]
    place = points[:, [0, 2]] - height * LIGHT[[0, 2]] / LIGHT[1]
    cells = np.round((place + SHADOW_REACH) * SHADOW_PIXELS_PER_METRE * 16).astype(np.int32)
    dark = np.zeros((side, side), np.uint8)
    for hull in hulls:
        cv2.fillConvexPoly(dark, cv2.convexHull(cells[hull]), 255, cv2.LINE_AA, 4)
    near = cv2.GaussianBlur(dark, (0, 0), 1.0)
    wide = cv2.blur(cv2.blur(dark, (15, 15)), (15, 15))
    return np.asarray(255 - cv2.addWeighted(near, 0.34, wide, 0.20, 0.0), dtype=np.uint8)


def shadow_corners(shadow: Image) -> FloatArray:
    """(4, 3) world corners of the piece of floor that a shadow's map darkens."""
    dark = shadow < 255
    columns, rows = np.flatnonzero(dark.any(axis=0)), np.flatnonzero(dark.any(axis=1))
    x = np.array([columns[0] - 1, columns[-1] + 1]) / SHADOW_PIXELS_PER_METRE - SHADOW_REACH
    z = np.array([rows[0] - 1, rows[-1] + 1]) / SHADOW_PIXELS_PER_METRE - SHADOW_REACH
    return np.array([[a, 0.0, b] for a in x for b in z])
