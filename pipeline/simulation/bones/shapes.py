"""Closed surfaces that the bones are put together from: lofts, tubes, plates, turned bodies.

Every part is closed and its triangles are wound so that they are seen from outside; parts of one
bone may reach into each other. Millimetres.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

Point = tuple[float, float, float]
Radii = Sequence[tuple[float, float]] | Sequence[float] | np.ndarray
_TINY = 1e-9
# How far a tube's rounded end stands out, in parts of its smaller radius.
_DOME = 0.6


@dataclass(frozen=True, slots=True, eq=False)
class Mesh:
    """Points (P, 3) and triangles (T, 3) of indices into them; vertices that are shared shade
    smoothly."""

    points: np.ndarray
    triangles: np.ndarray

    def moved(self, transform: np.ndarray) -> Mesh:
        """The mesh under a (4, 4) rigid transform (its translation in mm)."""
        return Mesh(self.points @ transform[:3, :3].T + transform[:3, 3], self.triangles)

    def mirrored(self) -> Mesh:
        """The other side's mesh: Z negated, still seen from outside."""
        return Mesh(self.points * (1.0, 1.0, -1.0), self.triangles[:, ::-1])


def joined(parts: Sequence[Mesh]) -> Mesh:
    """Several parts as one mesh."""
    starts = np.cumsum([0, *(len(part.points) for part in parts)])
    return Mesh(
        np.concatenate([part.points for part in parts]),
        np.concatenate([p.triangles + start for p, start in zip(parts, starts, strict=False)]),
    )


def both_sides(parts: Sequence[Mesh]) -> list[Mesh]:
    """The parts and their mirror images."""
    return [*parts, *(part.mirrored() for part in parts)]


def volume(mesh: Mesh) -> float:
    """Signed volume in mm³; positive where the triangles face outwards."""
    a, b, c = (mesh.points[mesh.triangles[:, i]] for i in range(3))
    return float(np.einsum("ij,ij->i", a, np.cross(b, c)).sum() / 6.0)


def loft(rings: np.ndarray, dish: tuple[float, float] = (0.0, 0.0)) -> Mesh:
    """Skin over closed rings, with a flat or dished cap at both ends.

    Parameters
    ----------
    rings
        (R, N, 3) points; equal indices of neighbouring rings are joined.
    dish
        How far the middle of the first and of the last cap lies inside, in mm.

    The caps have their own vertices, so that their rim shades as an edge.
    """
    rings = np.asarray(rings, dtype=float)
    around = rings.shape[1]
    points, triangles = [rings.reshape(-1, 3)], [_sides(rings)]
    start = rings.shape[0] * around
    for ring, neighbour, depth, wound in (
        (rings[0], rings[1], dish[0], 1),
        (rings[-1], rings[-2], dish[1], -1),
    ):
        points += [ring, _apex(ring, neighbour, -depth)]
        triangles.append(_fan(np.arange(around) + start, start + around)[:, ::wound])
        start += around + 1
    return _outwards(Mesh(np.concatenate(points), np.concatenate(triangles)))


def domed(rings: np.ndarray, dome: tuple[float, float]) -> Mesh:
    """Skin over (R, N, 3) closed rings with rounded ends that stand out by ``dome`` mm."""
    rings = np.asarray(rings, dtype=float)
    count, around = rings.shape[:2]
    total = count * around
    points = [
        rings.reshape(-1, 3),
        _apex(rings[0], rings[1], dome[0]),
        _apex(rings[-1], rings[-2], dome[1]),
    ]
    triangles = [
        _sides(rings),
        _fan(np.arange(around), total),
        _fan(np.arange(around) + total - around, total + 1)[:, ::-1],
    ]
    return _outwards(Mesh(np.concatenate(points), np.concatenate(triangles)))


def _sides(rings: np.ndarray) -> np.ndarray:
    count, around = rings.shape[:2]
    index = np.arange(count * around).reshape(count, around)
    a, b = index[:-1], index[1:]
    a2, b2 = np.roll(a, -1, axis=1), np.roll(b, -1, axis=1)
    return np.concatenate(
        [np.stack([a, b, a2], -1).reshape(-1, 3), np.stack([a2, b, b2], -1).reshape(-1, 3)]
    )


def _fan(ring: np.ndarray, apex: int) -> np.ndarray:
    return np.stack([ring, np.roll(ring, -1), np.full(len(ring), apex)], axis=-1)


def _apex(ring: np.ndarray, neighbour: np.ndarray, out: float) -> np.ndarray:
    middle = ring.mean(0)
    outward = middle - neighbour.mean(0)
    return np.asarray([middle + out * outward / (np.linalg.norm(outward) + _TINY)])


def tube(
    path: Sequence[Point] | np.ndarray,
    radii: Radii,
    around: int = 6,
    up: Point = (0.0, 1.0, 0.0),
    power: float = 2.0,
) -> Mesh:
    """A swept ellipse along a path.

    ``radii`` are half measures (across ``up``, along ``up``) at every point of the path, or plain
    radii; ``power`` above 2 squares the section.
    """
    path = np.asarray(path, dtype=float)
    half = np.array([(r, r) if np.isscalar(r) else r for r in radii], dtype=float)
    along = np.gradient(path, axis=0)
    along /= np.linalg.norm(along, axis=1, keepdims=True)
    across = np.cross(along, np.asarray(up))
    across /= np.linalg.norm(across, axis=1, keepdims=True) + _TINY
    raised = np.cross(across, along)
    round_x, round_y = superellipse(around, power)
    rings = (
        path[:, None]
        + (half[:, :1] * round_x)[..., None] * across[:, None]
        + (half[:, 1:] * round_y)[..., None] * raised[:, None]
    )
    return domed(rings, (float(_DOME * half[0].min()), float(_DOME * half[-1].min())))


def superellipse(around: int, power: float) -> tuple[np.ndarray, np.ndarray]:
    """(N,) x and y on the unit superellipse; symmetric about both axes for even N."""
    angle = 2 * np.pi * (np.arange(around) + (0.5 if around == 4 else 0.0)) / around
    cos, sin = np.cos(angle), np.sin(angle)
    scale = (np.abs(cos) ** power + np.abs(sin) ** power) ** (-1.0 / power)
    return cos * scale, sin * scale


def smooth_path(points: Sequence[Point] | np.ndarray, steps: int) -> np.ndarray:
    """(steps, 3) points on a Catmull-Rom curve through the given ones, evenly in parameter."""
    given = np.asarray(points, dtype=float)
    padded = np.concatenate([2 * given[:1] - given[1:2], given, 2 * given[-1:] - given[-2:-1]])
    at = np.linspace(0, len(given) - 1, steps)
    piece = np.minimum(at.astype(int), len(given) - 2)
    t = (at - piece)[:, None]
    p0, p1, p2, p3 = (padded[piece + i] for i in range(4))
    curve: np.ndarray = 0.5 * (
        2 * p1
        + (p2 - p0) * t
        + (2 * p0 - 5 * p1 + 4 * p2 - p3) * t**2
        + (3 * p1 - p0 - 3 * p2 + p3) * t**3
    )
    return curve


def smooth_radii(radii: Radii, steps: int) -> np.ndarray:
    """(steps, 2) half measures interpolated linearly in the same parameter."""
    half = np.array([(r, r) if np.isscalar(r) else r for r in radii], dtype=float)
    at = np.linspace(0, len(half) - 1, steps)
    return np.stack([np.interp(at, np.arange(len(half)), half[:, i]) for i in range(2)], axis=1)


def bone(
    points: Sequence[Point],
    radii: Radii,
    steps: int,
    around: int = 8,
    up: Point = (0.0, 1.0, 0.0),
    power: float = 2.0,
) -> Mesh:
    """A tube along a smooth curve through a few points with the half measures given there."""
    return tube(smooth_path(points, steps), smooth_radii(radii, steps), around, up, power)


def ellipsoid(centre: Point, radii: Point, around: int = 10, rows: int = 6) -> Mesh:
    """An ellipsoid along the axes."""
    return star(centre, lambda d: 1.0 / np.linalg.norm(d / radii, axis=-1), around, rows)


def star(
    centre: Point,
    distance: Callable[[np.ndarray], np.ndarray],
    around: int,
    rows: int,
    crowding: float = 0.0,
) -> Mesh:
    """A surface seen whole from one point, at ``distance`` of the (..., 3) unit directions.

    The poles are up and down; the first meridian points forward, so it is symmetric in Z.
    ``crowding`` (0 to 1) draws the grid together in front and at the equator.
    """
    polar = np.pi * np.arange(1, rows) / rows
    polar = polar + 0.5 * crowding * np.sin(2 * polar)
    azimuth = 2 * np.pi * np.arange(around) / around
    azimuth = azimuth - crowding * np.sin(azimuth)
    sin, cos = np.sin(polar)[:, None], np.cos(polar)[:, None]
    grid = np.stack(
        [sin * np.cos(azimuth), np.broadcast_to(cos, (rows - 1, around)), sin * np.sin(azimuth)], -1
    )
    directions = np.concatenate([grid.reshape(-1, 3), [[0, 1.0, 0], [0, -1.0, 0]]])
    points = np.asarray(centre) + directions * distance(directions)[:, None]
    index = np.arange((rows - 1) * around).reshape(rows - 1, around)
    top, bottom = (rows - 1) * around, (rows - 1) * around + 1
    a, b = index[:-1], index[1:]
    a2, b2 = np.roll(a, -1, axis=1), np.roll(b, -1, axis=1)
    first, last = index[0], index[-1]
    triangles = np.concatenate(
        [
            np.stack([a, a2, b], -1).reshape(-1, 3),
            np.stack([a2, b2, b], -1).reshape(-1, 3),
            np.stack([np.full(around, top), np.roll(first, -1), first], -1),
            np.stack([np.full(around, bottom), last, np.roll(last, -1)], -1),
        ]
    )
    return _outwards(Mesh(points, triangles))


def plate(middle: np.ndarray, thickness: np.ndarray | float) -> Mesh:
    """A sheet of given thickness around a (U, V, 3) grid of points, closed along its rim."""
    middle = np.asarray(middle, dtype=float)
    thick = np.broadcast_to(np.asarray(thickness, dtype=float), middle.shape[:2])
    normal = np.cross(np.gradient(middle, axis=0), np.gradient(middle, axis=1))
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True) + _TINY
    half = 0.5 * thick[..., None] * normal
    rows, columns = middle.shape[:2]
    index = np.arange(rows * columns).reshape(rows, columns)
    a, b, c, d = index[:-1, :-1], index[1:, :-1], index[:-1, 1:], index[1:, 1:]
    front = np.concatenate(
        [np.stack([a, b, c], -1).reshape(-1, 3), np.stack([c, b, d], -1).reshape(-1, 3)]
    )
    total = rows * columns
    rim = np.concatenate([index[0], index[1:, -1], index[-1, -2::-1], index[-2:0:-1, 0]])
    after = np.roll(rim, -1)
    edge = np.concatenate(
        [
            np.stack([rim, after, rim + total], -1),
            np.stack([after, after + total, rim + total], -1),
        ]
    )
    points = np.concatenate([(middle + half).reshape(-1, 3), (middle - half).reshape(-1, 3)])
    return _outwards(Mesh(points, np.concatenate([front, front[:, ::-1] + total, edge])))


def turned(centre: Point, axis: Point, profile: Sequence[tuple[float, float]], around: int) -> Mesh:
    """A body of revolution: ``profile`` is (distance along the axis, radius) of a closed line."""
    line = np.asarray(axis) / np.linalg.norm(axis)
    side = np.cross(line, (0.0, 1.0, 0.0) if abs(line[1]) < 0.9 else (1.0, 0.0, 0.0))
    side /= np.linalg.norm(side)
    other = np.cross(line, side)
    angle = 2 * np.pi * np.arange(around) / around
    ring = np.cos(angle)[:, None] * side + np.sin(angle)[:, None] * other
    rings = np.array([np.asarray(centre) + h * line + r * ring for h, r in profile])
    return domed(rings, (0.0, 0.0))


def _outwards(mesh: Mesh) -> Mesh:
    return mesh if volume(mesh) > 0 else Mesh(mesh.points, mesh.triangles[:, ::-1])
