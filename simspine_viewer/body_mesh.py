"""Shape of the person in the 3D view: joints, links and spine as one mesh of fixed size.

Which vertices exist never changes; what is missing collapses into one point and so draws nothing.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from pipeline.data.skeleton import Side, Skeleton
from simspine_viewer.bridges import bridges
from simspine_viewer.glyphs import GLYPHS, Template, tube, tubes
from simspine_viewer.palette import (
    OTHER_PERSON,
    PREVIEW,
    RGB,
    SIDE_SHAPE,
    STANDARD,
    Palette,
    Shape,
)

FloatArray = NDArray[np.float64]

LINK_RADIUS = 0.0065  # m
SPINE_RADIUS = 0.017  # m, about that of a lumbar vertebral body
COLUMN_RADIUS = 0.027  # m, so that the keypoints of the column stand out of the spine
GUESS_RADIUS = 0.005  # m, where the column is drawn across missing keypoints
BRIDGE_RADIUS = 0.003  # m
GHOST_RADIUS = 0.011  # m, the place a dragged point came from
# Beside bones, which show the body, only the points and what joins them need to be seen.
SLIM_JOINT, SLIM_LINK, SLIM_SPINE = 0.75, 0.0028, 0.0035  # share of a glyph; m; m
SLIM_COLUMN = 0.0115  # m
_RINGS = 65  # along the spine: 8 for each of the 8 segments of SpineTrack's column, and the end
_SIDES = 12  # around the spine
_LINK_SIDES, _BRIDGE_SIDES = 8, 4

_LOOK: dict[Shape, float] = {"circle": 1.0, "triangle": 1.25, "diamond": 1.35}  # equal weight


def joint_radii(skeleton: Skeleton) -> FloatArray:
    """(K,) glyph radius in metres: small where the landmark is small (its OKS sigma)."""
    sigma = np.array([keypoint.sigma for keypoint in skeleton.keypoints])
    look = np.array([_LOOK[SIDE_SHAPE[keypoint.side]] for keypoint in skeleton.keypoints])
    radii = np.clip(0.007 + 0.11 * sigma, 0.011, 0.0165) * look
    radii[list(skeleton.column)] = COLUMN_RADIUS
    return np.asarray(radii)


def _link_side(a: Side, b: Side) -> Side:
    return b if a == "mid" else a


class BodyMesh:
    """Vertices of the annotated person; :meth:`pose` moves them.

    ``points``, ``normals`` (N, 3) float32 change in place, ``colours`` (N, 3) uint8 and
    ``triangles`` (M, 3) stay.
    """

    def __init__(self, skeleton: Skeleton, palette: Palette = STANDARD) -> None:
        self._column = np.array(skeleton.column, int)
        self._radii = joint_radii(skeleton)
        self._slim_radii = SLIM_JOINT * self._radii
        self._slim_radii[self._column] = SLIM_COLUMN
        consecutive = {frozenset(pair) for pair in pairwise(skeleton.column)}
        self._all_links = skeleton.links
        links = [pair for pair in skeleton.links if frozenset(pair) not in consecutive]
        self._links = np.array(links, int).reshape(-1, 2)
        self._joints: list[tuple[slice, NDArray[np.intp], Template]] = []
        normals, colours, triangles = [], [], []
        start = 0

        def add(template: Template, colour: RGB) -> slice:
            nonlocal start
            n = len(template.points)
            normals.append(template.normals)
            colours.append(np.tile(np.array(colour, np.uint8), (n, 1)))
            triangles.append(template.triangles + start)
            start += n
            return slice(start - n, start)

        sides = [keypoint.side for keypoint in skeleton.keypoints]
        for side, shape in SIDE_SHAPE.items():
            members = np.flatnonzero([own == side for own in sides])
            template = GLYPHS[shape]
            places = [add(template, palette.of(side)) for _ in members]
            if places:
                where = slice(places[0].start, places[-1].stop)
                self._joints.append((where, members, template))
        self._ghost = add(GLYPHS["circle"], PREVIEW)
        self._trail = add(tube(2, _LINK_SIDES), PREVIEW)
        link_start = start
        for a, b in self._links:
            add(tube(2, _LINK_SIDES), palette.of(_link_side(sides[a], sides[b])))
        self._tubes = slice(link_start, start)
        self._bridges = add(tubes(len(skeleton), _BRIDGE_SIDES), OTHER_PERSON)
        self._bridged: tuple[bytes, list[tuple[int, int]]] = b"", []
        self._spine = add(tube(_RINGS, _SIDES), palette.mid)
        self.points = np.zeros((start, 3), np.float32)
        self.normals = np.concatenate(normals).astype(np.float32)
        self.colours = np.concatenate(colours)
        self.triangles = np.concatenate(triangles)
        self.spine_line = np.zeros((_RINGS, 3))

    def pose(
        self,
        xyz: FloatArray,
        selected: int = -1,
        preview: tuple[int, FloatArray] | None = None,
        *,
        bridged: bool = True,
        slim: bool = False,
    ) -> None:
        """Move everything to the points (K, 3) m; NaN points are not drawn.

        The ``selected`` joint is drawn larger. With a ``preview`` (keypoint, (3,) m) the person is
        shown with that keypoint moved, and a trail from where it was. ``bridged``: connect what
        lies on both sides of missing points. ``slim``: as drawn over bones.
        """
        moved, radii = xyz, (self._slim_radii if slim else self._radii).copy()
        link_radius = SLIM_LINK if slim else LINK_RADIUS
        if selected >= 0:
            radii[selected] *= 1.35
        origin = end = np.full(3, np.nan)
        if preview is not None:
            keypoint, end = preview
            origin, moved = xyz[keypoint], xyz.copy()
            moved[keypoint] = end
        for where, members, template in self._joints:
            self._place(where, template, moved[members], radii[members])
        self._place(self._ghost, GLYPHS["circle"], origin[None], np.array([GHOST_RADIUS]))
        self._straight(self._trail, origin[None], end[None], LINK_RADIUS / 2)
        a, b = moved[self._links[:, 0]], moved[self._links[:, 1]]
        self._straight(self._tubes, a, b, link_radius)
        a, b = self._bridge_ends(moved if bridged else np.full_like(moved, np.nan))
        self._straight(self._bridges, a, b, BRIDGE_RADIUS, _BRIDGE_SIDES)
        self._bend(moved[self._column], slim)

    def _bridge_ends(self, xyz: FloatArray) -> tuple[FloatArray, FloatArray]:
        """(B, 3) ends of the connections across missing points; chosen anew when others miss."""
        mask = np.isfinite(xyz).all(axis=1).tobytes()
        if mask != self._bridged[0]:
            column = set(self._column.tolist())
            pairs = [pair for pair in bridges(xyz, self._all_links) if not column >= set(pair)]
            self._bridged = mask, pairs
        ends = np.full((2, len(xyz), 3), np.nan)
        for n, (a, b) in enumerate(self._bridged[1]):
            ends[:, n] = xyz[a], xyz[b]
        return ends[0], ends[1]

    def _place(
        self, where: slice, template: Template, centres: FloatArray, radii: FloatArray
    ) -> None:
        """Glyphs (G) at their centres (G, 3), with radii (G,)."""
        there = np.asarray(np.isfinite(centres).all(axis=1))[:, None, None]
        points = np.where(there, centres[:, None] + radii[:, None, None] * template.points, 0.0)
        self.points[where] = points.reshape(-1, 3)

    def _straight(
        self, where: slice, a: FloatArray, b: FloatArray, radius: float, n_around: int = _LINK_SIDES
    ) -> None:
        """Tubes between (L, 3) ends."""
        along = b - a
        there = np.asarray(np.isfinite(along).all(axis=1))
        along = np.where(there[:, None], along, (0.0, 1.0, 0.0))
        reference = np.where(np.abs(along[:, :1]) < np.abs(along[:, 1:2]), (1.0, 0, 0), (0, 1.0, 0))
        rings, outward = _rings(along, reference, n_around)
        ends = np.stack([a, b], axis=1)[:, :, None]
        points = np.where(there[:, None, None, None], ends + radius * rings[:, None], 0.0)
        self.points[where] = points.reshape(-1, 3)
        self.normals[where] = np.repeat(outward[:, None], 2, axis=1).reshape(-1, 3)

    def _bend(self, column: FloatArray, slim: bool) -> None:
        """The spine's tube through the finite column points, thin where keypoints are missing."""
        line, radius = spine_curve(column, _RINGS)
        if slim:
            radius = np.minimum(radius, SLIM_SPINE)
        self.spine_line = line
        if np.isnan(line).any():
            self.points[self._spine] = 0.0
            return
        tangent = np.gradient(line, axis=0)
        # The axis in which the spine bends least: no tangent comes near it.
        reference = np.linalg.svd(line - line.mean(axis=0), full_matrices=False)[2][2]
        rings, outward = _rings(tangent, np.broadcast_to(reference, line.shape), _SIDES)
        self.points[self._spine] = (line[:, None] + radius[:, None, None] * rings).reshape(-1, 3)
        self.normals[self._spine] = outward.reshape(-1, 3)


def _rings(
    along: FloatArray, reference: FloatArray, n_around: int
) -> tuple[FloatArray, FloatArray]:
    """Unit circles (N, n_around, 3) across the directions (N, 3), and their outward normals."""
    first = np.cross(along, reference)
    length = np.linalg.norm(first, axis=1, keepdims=True)
    first = first / np.maximum(length, 1e-12)
    second = np.cross(along, first)
    second /= np.maximum(np.linalg.norm(second, axis=1, keepdims=True), 1e-12)
    angle = np.linspace(0, 2 * np.pi, n_around, endpoint=False)
    ring = (
        np.cos(angle)[None, :, None] * first[:, None]
        + np.sin(angle)[None, :, None] * second[:, None]
    )
    return ring, ring


def spine_curve(column: FloatArray, n: int) -> tuple[FloatArray, FloatArray]:
    """Smooth curve through the finite points of a column.

    Centripetal Catmull-Rom spline, which passes every point without loops (Yuksel et al. 2011,
    doi:10.1016/j.cad.2010.08.008).

    Parameters
    ----------
    column : (C, 3) array
        Points from hip to skull in metres; NaN where missing.
    n : int
        Number of points wanted on the curve.

    Returns
    -------
    line : (n, 3) array
        All NaN for fewer than two distinct finite points.
    radius : (n,) array
        Metres; small on stretches that cross missing points.
    """
    there = np.flatnonzero(np.isfinite(column).all(axis=1))
    points = column[there]
    apart = np.ones(len(points), bool)
    apart[1:] = np.linalg.norm(np.diff(points, axis=0), axis=1) > 1e-6
    points, there = points[apart], there[apart]
    if len(points) < 2:
        return np.full((n, 3), np.nan), np.zeros(n)
    place = np.linspace(0, len(points) - 1, n)
    segment = np.minimum(place.astype(int), len(points) - 2)
    part = (place - segment)[:, None]
    extended = np.concatenate([[2 * points[0] - points[1]], points, [2 * points[-1] - points[-2]]])
    knots = np.concatenate(
        [[0.0], np.cumsum(np.sqrt(np.linalg.norm(np.diff(extended, axis=0), axis=1)))]
    )
    p0, p1, p2, p3 = (extended[segment + i] for i in range(4))
    t0, t1, t2, t3 = (knots[segment + i][:, None] for i in range(4))
    t = t1 + part * (t2 - t1)
    a1 = (t1 - t) / (t1 - t0) * p0 + (t - t0) / (t1 - t0) * p1
    a2 = (t2 - t) / (t2 - t1) * p1 + (t - t1) / (t2 - t1) * p2
    a3 = (t3 - t) / (t3 - t2) * p2 + (t - t2) / (t3 - t2) * p3
    b1 = (t2 - t) / (t2 - t0) * a1 + (t - t0) / (t2 - t0) * a2
    b2 = (t3 - t) / (t3 - t1) * a2 + (t - t1) / (t3 - t1) * a3
    line = (t2 - t) / (t2 - t1) * b1 + (t - t1) / (t2 - t1) * b2
    measured = np.diff(there)[segment] == 1
    return line, np.where(measured, SPINE_RADIUS, GUESS_RADIUS)
