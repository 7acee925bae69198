"""A triangle mesh of where a distance field is zero, by surface nets (Gibson 1998)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
Field = Callable[[FloatArray], FloatArray]

_BLOCK = 8
# A field is looked at closely where it may be zero: it may be wrong by this factor.
_SLACK = 2.5


def _values(field: Field, axes: tuple[FloatArray, ...]) -> FloatArray:
    """The field on a grid; far from its zero only its value at every block's middle."""
    shape = tuple(len(axis) for axis in axes)
    values = np.empty(shape)
    starts = [np.arange(0, n, _BLOCK) for n in shape]
    corners = np.stack(np.meshgrid(*starts, indexing="ij"), axis=-1).reshape(-1, 3)
    stops = np.minimum(corners + _BLOCK, shape) - 1
    low = np.stack([axes[i][corners[:, i]] for i in range(3)], axis=-1)
    high = np.stack([axes[i][stops[:, i]] for i in range(3)], axis=-1)
    middle = field(0.5 * (low + high))
    near = np.abs(middle) < _SLACK * 0.5 * np.linalg.norm(high - low, axis=1) + 0.02
    parts, places = [], []
    for corner, value, close in zip(corners, middle, near, strict=True):
        box = tuple(slice(c, c + _BLOCK) for c in corner)
        if not close:
            values[box] = value
            continue
        grid = np.meshgrid(*(axes[i][box[i]] for i in range(3)), indexing="ij")
        places.append(box)
        parts.append(np.stack(grid, axis=-1).reshape(-1, 3))
    found = field(np.concatenate(parts))
    first = 0
    for box, part in zip(places, parts, strict=True):
        values[box] = found[first : first + len(part)].reshape(values[box].shape)
        first += len(part)
    return values


def gradient(field: Field, points: FloatArray, by: float = 4e-4) -> FloatArray:
    """(N, 3) slope of the field."""
    steps = by * np.eye(3)
    return np.stack([(field(points + s) - field(points - s)) / (2.0 * by) for s in steps], axis=-1)


def surface_net(  # noqa: PLR0915 (one pass over cells and edges)
    field: Field, axes: tuple[FloatArray, ...]
) -> tuple[FloatArray, IntArray]:
    """Points (N, 3) on the field's zero and triangles (F, 3), counter-clockwise from outside.

    Parameters
    ----------
    field : callable
        Signed distance, roughly, of points (N, 3), negative inside.
    axes : three arrays
        Places of the grid's planes along X, Y, Z, rising.
    """
    values = _values(field, axes)
    inside = values < 0.0
    count = np.zeros(tuple(n - 1 for n in values.shape), np.int8)
    for dx in (0, 1):
        for dy in (0, 1):
            for dz in (0, 1):
                count += inside[dx : dx + count.shape[0], dy : dy + count.shape[1],
                                dz : dz + count.shape[2]]  # fmt: skip
    cells = np.argwhere((count > 0) & (count < 8))
    number = np.full(count.shape, -1, np.int64)
    number[tuple(cells.T)] = np.arange(len(cells))
    total, crossings = np.zeros((len(cells), 3)), np.zeros(len(cells))
    quads = []
    for axis in range(3):
        others = [a for a in range(3) if a != axis]
        a, b = np.moveaxis(values, axis, 0)[:-1], np.moveaxis(values, axis, 0)[1:]
        crossing = np.moveaxis((a < 0.0) != (b < 0.0), 0, axis)
        edges = np.argwhere(crossing)
        ends = edges.copy()
        ends[:, axis] += 1
        va, vb = values[tuple(edges.T)], values[tuple(ends.T)]
        place = np.stack([axes[i][edges[:, i]] for i in range(3)], axis=-1)
        length = axes[axis][ends[:, axis]] - axes[axis][edges[:, axis]]
        place[:, axis] += va / (va - vb) * length
        around = []
        inner = np.ones(len(edges), bool)
        for da, db in ((0, 0), (1, 0), (1, 1), (0, 1)):
            cell = edges.copy()
            cell[:, others[0]] -= da
            cell[:, others[1]] -= db
            good = ((cell >= 0) & (cell < count.shape)).all(axis=1)
            inner &= good
            index = number[tuple(np.where(good[:, None], cell, 0).T)]
            around.append(index)
            np.add.at(total, index[good], place[good])
            np.add.at(crossings, index[good], 1.0)
        quad = np.stack(around, axis=-1)[inner]
        turned = (va < 0.0)[inner] != (axis == 1)
        quad[turned] = quad[turned][:, ::-1]
        quads.append(quad)
    points = total / crossings[:, None]
    size = float(np.median(np.diff(axes[1])))
    for _ in range(4):  # onto the surface, by Newton's steps along the slope
        slope = gradient(field, points)
        steep = np.maximum((slope * slope).sum(axis=1), 0.05)
        move = -(field(points) / steep)[:, None] * slope
        long = np.linalg.norm(move, axis=1, keepdims=True)
        points = points + move * np.minimum(1.0, 0.5 * size / np.maximum(long, 1e-9))
    all_quads = np.concatenate(quads)
    # Each quad is cut along its shorter diagonal.
    d0 = np.linalg.norm(points[all_quads[:, 0]] - points[all_quads[:, 2]], axis=1)
    d1 = np.linalg.norm(points[all_quads[:, 1]] - points[all_quads[:, 3]], axis=1)
    first = d0 <= d1
    q = np.where(first[:, None], all_quads, np.roll(all_quads, -1, axis=1))
    faces = np.concatenate([q[:, [0, 1, 2]], q[:, [0, 2, 3]]])
    normal = np.cross(points[faces[:, 1]] - points[faces[:, 0]],
                      points[faces[:, 2]] - points[faces[:, 0]])  # fmt: skip
    if (normal * gradient(field, points[faces].mean(axis=1))).sum() < 0.0:
        faces = faces[:, ::-1]
    return points, faces
