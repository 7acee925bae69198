"""Small meshes the person is put together from: a glyph per shape, and tubes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simspine_viewer.palette import Shape

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Template:
    """A small mesh about the origin: ``points`` and ``normals`` (N, 3), ``triangles`` (M, 3)."""

    points: FloatArray
    normals: FloatArray
    triangles: NDArray[np.int64]


def _faceted(corners: FloatArray, triangles: NDArray[np.int64]) -> Template:
    points = corners[triangles]
    normals = np.cross(points[:, 1] - points[:, 0], points[:, 2] - points[:, 0])
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    flat = np.arange(3 * len(triangles)).reshape(-1, 3)
    return Template(points.reshape(-1, 3), np.repeat(normals, 3, axis=0), flat)


def sphere(n_around: int = 12, n_down: int = 8) -> Template:
    """Unit sphere."""
    polar = np.linspace(0, np.pi, n_down + 1)[:, None]
    around = np.linspace(0, 2 * np.pi, n_around, endpoint=False)[None]
    x, z = np.sin(polar) * np.cos(around), np.sin(polar) * np.sin(around)
    points = np.stack([x, np.broadcast_to(np.cos(polar), x.shape), z], axis=-1).reshape(-1, 3)
    return Template(points, points, _grid_triangles(n_down + 1, n_around))


def _octahedron() -> Template:
    corners = np.array([[1, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0], [0, 0, 1], [0, 0, -1]], float)
    quarter = [(0, 2, 4), (4, 2, 1), (1, 2, 5), (5, 2, 0)]
    below = [(a, 3, b) for b, _, a in quarter]
    return _faceted(corners, np.array(quarter + below))


def _cone(n_around: int = 12) -> Template:
    """Point up, standing on its base, centred on half its height."""
    around = np.linspace(0, 2 * np.pi, n_around, endpoint=False)
    rim = np.column_stack([np.cos(around), np.full(n_around, -0.8), np.sin(around)])
    outward = np.column_stack([np.cos(around), np.full(n_around, 0.5), np.sin(around)])
    outward /= np.linalg.norm(outward, axis=1, keepdims=True)
    tip = np.tile([0.0, 1.2, 0.0], (n_around, 1))
    down = np.tile([0.0, -1.0, 0.0], (n_around, 1))
    first = np.arange(n_around)
    nxt = (first + 1) % n_around
    side = np.column_stack([first, n_around + first, nxt])
    base = 2 * n_around + np.column_stack([np.zeros(n_around, int), first, nxt])[1:-1]
    return Template(
        np.concatenate([rim, tip, rim]), np.concatenate([outward, outward, down]),
        np.concatenate([side, base]),
    )  # fmt: skip


def _grid_triangles(n_rings: int, n_around: int) -> NDArray[np.int64]:
    """Triangles (M, 3) between successive rings of vertices, facing outward."""
    ring, spoke = np.meshgrid(np.arange(n_rings - 1), np.arange(n_around), indexing="ij")
    a, b = ring * n_around + spoke, ring * n_around + (spoke + 1) % n_around
    c, d = a + n_around, b + n_around
    return np.concatenate(
        [np.stack([a, b, c], -1).reshape(-1, 3), np.stack([b, d, c], -1).reshape(-1, 3)]
    )


def tube(n_rings: int, n_around: int) -> Template:
    """``n_rings`` rings of ``n_around`` vertices each, still without positions."""
    n = n_rings * n_around
    return Template(np.zeros((n, 3)), np.zeros((n, 3)), _grid_triangles(n_rings, n_around))


def tubes(n: int, n_around: int) -> Template:
    """``n`` straight tubes, one after the other."""
    one = tube(2, n_around)
    triangles = [one.triangles + i * len(one.points) for i in range(n)]
    points = np.zeros((n * len(one.points), 3))
    return Template(points, points, np.concatenate(triangles))


GLYPHS: dict[Shape, Template] = {
    "circle": sphere(),
    "triangle": _cone(),
    "diamond": _octahedron(),
}
