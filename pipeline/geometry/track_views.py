"""The reprojection term of a track's batch solve: observations as arrays, linearised anywhere.

Points run along the last axis of every array (keypoint by keypoint, frame by frame within), so
that each of the few dozen operations per view is one pass over contiguous memory.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pipeline.data.camera import CameraGroup
from pipeline.geometry.projection import NEAREST_DEPTH, normalised_views, stacked

FloatArray = NDArray[np.floating]
BoolArray = NDArray[np.bool_]

# Half the numbers' width is half the time. About a point near the person, rounding stays below
# 0.001 px, a hundredth of a millimetre.
WORK = np.float32
# Points worked on at once: some forty rows of this many numbers stay within a processor's cache.
STRIP = 4096


@dataclass(frozen=True, slots=True)
class RobustLoss:
    """Soft-l1 up to the tail, from there on redescending.

    With q = (r / ``scale``)² the weight is (1 + q)^-1/2 / (1 + q / c²), c = ``tail`` / ``scale``:
    beyond the tail (pixels) an observation loses its influence, as in Cauchy's loss.
    """

    scale: float
    tail: float

    def cost(self, ratio: FloatArray) -> FloatArray:
        """Half the integral of the weight over q, in units of scale²."""
        root = np.sqrt(1.0 + ratio)
        if math.isinf(self.tail):
            return np.asarray(root - 1.0)
        square = (self.tail / self.scale) ** 2
        breadth = math.sqrt(square - 1.0)
        angle: FloatArray = np.arctan(root / breadth)
        return np.asarray((angle - math.atan(1.0 / breadth)) * (square / breadth))

    def weight(self, ratio: FloatArray) -> tuple[FloatArray, FloatArray]:
        """The weight, and its relative fall along the residual, at most 1."""
        inverse = 1.0 / (1.0 + ratio)
        weight = np.sqrt(inverse)
        fall = ratio * inverse
        if not math.isinf(self.tail):
            square = (self.tail / self.scale) ** 2
            redescend = 1.0 / (square + ratio)
            weight *= square * redescend
            fall = np.minimum(fall + 2.0 * ratio * redescend, 1.0)
        return weight, fall


@dataclass(slots=True, eq=False)
class TrackViews:
    """Observations of N points in V views.

    ``rows`` (2, 4, V, N): ``rows[:, :3] @ xyz + rows[:, 3] = depth * residual px``;
    ``information`` (V, N) px^-2, 0 where there is no observation; ``manual`` (V, N) without robust
    loss; ``axes`` (V, 4) optical axes with their offsets; ``centre`` (3,) the world point that the
    offsets and all places are relative to.
    """

    rows: FloatArray
    information: FloatArray
    manual: BoolArray
    axes: FloatArray
    centre: FloatArray


@dataclass(slots=True, eq=False)
class Linearised:
    """Sums over the views at one place.

    ``normal`` (6, N) upper triangles with the loss's bend taken off in part, ``gradient`` (3, N),
    ``cost`` of all points together.
    """

    normal: FloatArray
    gradient: FloatArray
    cost: float


@dataclass(slots=True, eq=False)
class ViewsAt:
    """Each view at one place.

    ``jacobian`` (V, 2, 3, N) px/m, ``square`` (V, N) px² of the residual, ``weight`` (V, N) px^-2,
    robust, 0 where nothing is seen.
    """

    jacobian: FloatArray
    square: FloatArray
    weight: FloatArray


def track_views(
    cameras: CameraGroup, xy: FloatArray, information: FloatArray, manual: BoolArray
) -> TrackViews:
    """Prepare observations (N, V, 2) px with information (N, V) px^-2 and manual (N, V)."""
    stack = stacked(cameras)
    place, slope = normalised_views(cameras, xy)
    used = np.isfinite(place[..., 0]) & (information > 0.0)
    place[~used] = 0.0
    n, v = used.shape
    centre = nearest_to_axes(cameras)
    pose = np.concatenate([stack.rotation, stack.translation[..., None]], axis=2)
    pose[..., 3] += stack.rotation @ centre
    axes = pose[:, 2]
    rows = np.empty((2, 4, v, n), WORK)
    for view in range(v):
        upper = pose[view, :2]
        plain = upper[..., None] - axes[view][:, None] * place[:, view].T[:, None]  # (2, 4, N)
        scale = stack.scale[view]
        if slope is None:
            rows[:, :, view] = np.einsum("ij,jkn->ikn", scale, plain)
        else:
            bent = scale @ slope[:, view]
            bent[~used[:, view]] = 0.0
            for row in range(2):
                rows[row, :, view] = bent[:, row, 0] * plain[0] + bent[:, row, 1] * plain[1]
    weight = np.where(used, information, 0.0).T.astype(WORK, order="C")
    return TrackViews(rows, weight, manual.T.copy(), axes, centre)


def some_views(views: TrackViews, points: NDArray[np.intp]) -> TrackViews:
    """The observations of ``points`` (n,), ascending."""
    if len(points) == views.information.shape[1]:
        return views
    return replace(
        views, rows=np.take(views.rows, points, axis=-1),
        information=np.take(views.information, points, axis=-1),
        manual=np.take(views.manual, points, axis=-1),
    )  # fmt: skip


def nearest_to_axes(cameras: CameraGroup) -> FloatArray:
    """(3,) the point nearest to all optical axes: about where the person is."""
    stack = stacked(cameras)
    across = np.eye(3) - stack.rotation[:, 2, :, None] * stack.rotation[:, 2, None, :]
    centres = np.array([camera.centre for camera in cameras]).reshape(-1, 3)
    matrix = across.sum(axis=0) + 1e-6 * np.eye(3)
    return np.asarray(np.linalg.solve(matrix, (across @ centres[..., None]).sum(axis=0))[:, 0]
                      + 1e-6 * centres.mean(axis=0))  # fmt: skip


def linear_start(views: TrackViews) -> FloatArray:
    """(3, N) weighted linear solutions in the world; NaN with fewer than two views."""
    n = views.information.shape[1]
    normal, gradient = np.zeros((6, n)), np.zeros((3, n))
    for view, information in enumerate(views.information):
        for row in views.rows[:, :, view].astype(np.float64):
            weighted = row[:3] * information
            normal += _outer(weighted, row)
            gradient += weighted * row[3]
    xyz = views.centre[:, None] - solved(normal, gradient)
    xyz[:, (views.information > 0.0).sum(axis=0) < 2] = np.nan
    return xyz


def _outer(left: FloatArray, right: FloatArray) -> FloatArray:
    return np.stack(
        [left[0] * right[0], left[0] * right[1], left[0] * right[2], left[1] * right[1],
         left[1] * right[2], left[2] * right[2]]
    )  # fmt: skip


def solved(normal: FloatArray, gradient: FloatArray) -> FloatArray:
    """(3, N) solutions of symmetric 3 x 3 systems given by their upper triangles (6, N)."""
    a, b, c, d, e, f = normal
    ridge = 1e-12 * (a + d + f) + 1e-30
    a, d, f = a + ridge, d + ridge, f + ridge
    aa, ab, ac = d * f - e * e, c * e - b * f, b * e - c * d
    bb, bc, cc = a * f - c * c, b * c - a * e, a * d - b * b
    inverse = 1.0 / (a * aa + b * ab + c * ac)
    x, y, z = gradient * inverse
    return np.stack([aa * x + ab * y + ac * z, ab * x + bb * y + bc * z, ac * x + bc * y + cc * z])


def linearised(views: TrackViews, xyz: FloatArray, loss: RobustLoss, share: float) -> Linearised:
    """Linearise at (3, N) places; ``share`` is the part of the loss's bend in the matrix."""
    n = xyz.shape[1]
    xyz = (xyz - views.centre[:, None]).astype(WORK)
    normal, gradient, cost = np.zeros((6, n), WORK), np.zeros((3, n), WORK), 0.0
    for start in range(0, n, STRIP):
        part = slice(start, start + STRIP)
        cost += _strip(views, part, xyz[:, part], loss, share, normal[:, part], gradient[:, part])
    return Linearised(normal, gradient, cost * loss.scale**2)


def _strip(
    views: TrackViews, part: slice, xyz: FloatArray, loss: RobustLoss, share: float,
    normal: FloatArray, gradient: FloatArray,
) -> float:  # fmt: skip
    axis = views.axes.astype(WORK)[..., None]  # (V, 4, 1)
    depth = axis[:, 0] * xyz[0]
    depth += axis[:, 1] * xyz[1]
    depth += axis[:, 2] * xyz[2]
    depth += axis[:, 3]
    front = depth > NEAREST_DEPTH
    information = views.information[:, part] * front
    inverse = 1.0 / np.where(front, depth, WORK(1.0))
    rows = views.rows[..., part] * inverse  # (2, 4, V, n)
    residual = rows[:, 3] + rows[:, 0] * xyz[0]
    residual += rows[:, 1] * xyz[1]
    residual += rows[:, 2] * xyz[2]
    square = residual[0] * residual[0]
    square += residual[1] * residual[1]
    ratio = square * WORK(loss.scale**-2.0)
    value = loss.cost(ratio)
    weight, fall = loss.weight(ratio)
    manual = views.manual[:, part]
    if manual.any():
        value = np.where(manual, WORK(0.5) * ratio, value)
        weight, fall = np.where(manual, WORK(1.0), weight), np.where(manual, WORK(0.0), fall)
    cost = float(np.einsum("vn,vn->", information, value, dtype=np.float64))
    weight *= information
    # Three rows: the derivatives of both residuals, and of their length times itself.
    slope = np.empty((3, 3, *weight.shape), WORK)
    leaning = axis[:, :3, 0].T[..., None] * inverse  # (3, V, n)
    np.multiply(residual[:, None], leaning, out=slope[:2])
    np.subtract(rows[:, :3], slope[:2], out=slope[:2])
    np.multiply(residual[0], slope[0], out=slope[2])
    slope[2] += residual[1] * slope[1]
    weighted = np.empty_like(slope)
    np.multiply(slope[:2], weight, out=weighted[:2])
    np.einsum("vn,ivn->in", weight, slope[2], out=gradient)
    fall *= weight
    fall *= WORK(-share)
    fall /= np.maximum(square, WORK(1e-30))
    np.multiply(slope[2], fall, out=weighted[2])
    row = 0
    for i in range(3):
        for j in range(i, 3):
            np.einsum("rvn,rvn->n", weighted[:, i], slope[:, j], out=normal[row])
            row += 1
    return cost


def views_at(views: TrackViews, xyz: FloatArray, loss: RobustLoss) -> ViewsAt:
    """Jacobians, residuals and robust weights at (3, N) places."""
    v, n = views.information.shape
    xyz = xyz - views.centre[:, None]
    jacobian, square, weight = np.empty((v, 2, 3, n)), np.empty((v, n)), np.empty((v, n))
    for view, axis in enumerate(views.axes):
        depth = axis[:3] @ xyz + axis[3]
        front = depth > NEAREST_DEPTH
        inverse = 1.0 / np.where(front, depth, 1.0)
        rows = views.rows[:, :, view]
        residual = ((rows[:, :3] * xyz).sum(axis=1) + rows[:, 3]) * inverse
        square[view] = residual[0] ** 2 + residual[1] ** 2
        robust, _ = loss.weight(square[view] * loss.scale**-2.0)
        robust[views.manual[view]] = 1.0
        weight[view] = robust * views.information[view] * front
        pull = residual[:, None] * axis[:3, None]
        jacobian[view] = (rows[:, :3] - pull) * inverse
    return ViewsAt(jacobian, square, weight)


def weighted_normal(at: ViewsAt, weight: FloatArray) -> FloatArray:
    """(6, N) upper triangles of the information that the views carry with ``weight`` (V, N)."""
    normal = np.zeros((6, weight.shape[1]))
    for view, rows in enumerate(at.jacobian):
        for row in rows:
            normal += _outer(row * weight[view], row)
    return normal


def solved_inverse(normal: FloatArray) -> FloatArray:
    """(6, N) inverses of symmetric 3 x 3 matrices given by their upper triangles."""
    columns = [
        solved(normal, np.broadcast_to(np.eye(3)[:, i, None], (3, normal.shape[1])))
        for i in range(3)
    ]
    return np.stack([columns[0][0], columns[1][0], columns[2][0], columns[1][1], columns[2][1],
                     columns[2][2]])  # fmt: skip
