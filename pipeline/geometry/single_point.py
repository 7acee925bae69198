"""The solver of :mod:`pipeline.geometry.point_solver` for one point, in plain floats.

A dragged point is solved at every move of the mouse. On four numbers at a time numpy spends its
time in calls: this form takes a fifth of it. A test holds the two together.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from pipeline.geometry.point_solver import (
    BEND_SHARE,
    RIDGE,
    SAFE_BEND_SHARE,
    SMALLEST_RIDGE,
    STEP_TOLERANCE,
    Equations,
    Loss,
    Problem,
)
from pipeline.geometry.projection import NEAREST_DEPTH, CameraStack

Row = tuple[float, float, float]
# Information, whether it is manual, two rows with their offsets, optical axis with its offset.
Observation = tuple[float, bool, Row, float, Row, float, Row, float]
Matrix = tuple[float, float, float, float, float, float]
# Gradient, upper triangle of the matrix with the bend subtracted, cost, chi squared, nearest depth,
# views in front.
Linearised = tuple[Row, Matrix, float, float, float, int]
# Of q = (r / scale)^2: loss in units of scale^2, weight, and weight - psi'(r).
LossFunction = Callable[[float], Row]


def solve_single(
    stack: CameraStack, problem: Problem, loss: Loss, loss_px: float, max_iterations: int
) -> Equations:
    """Move ``problem.xyz`` (1, 3) to the minimum and linearise there.

    It stays where fewer than two views face it.
    """
    seen = observations(stack, problem)
    function = _LOSSES[loss]
    x, y, z = problem.xyz[0].tolist()
    best, lowest, share = (x, y, z), math.inf, BEND_SHARE
    for _ in range(max_iterations):
        at = linearised_at(seen, (x, y, z), function, loss_px, share)
        gradient, matrix, cost, _, nearest, front = at
        if front < 2:
            break
        if cost > lowest * (1.0 + 1e-9):
            (x, y, z), lowest, share = best, math.inf, SAFE_BEND_SHARE
            continue
        best, lowest = (x, y, z), cost
        dx, dy, dz = solved(matrix, gradient)
        length = math.sqrt(dx * dx + dy * dy + dz * dz)
        shrink = min(1.0, 0.5 * nearest / max(length, 1e-300))
        x, y, z = x - shrink * dx, y - shrink * dy, z - shrink * dz
        if length <= STEP_TOLERANCE:
            break
    problem.xyz[0] = x, y, z
    gradient, (a, b, c, d, e, f), cost, chi2, nearest, front = linearised_at(
        seen, (x, y, z), function, loss_px, 0.0
    )
    return Equations(
        normal=np.array([[[a, b, c], [b, d, e], [c, e, f]]]),
        bend=np.zeros((1, 3, 3)),
        gradient=np.array(gradient).reshape(1, 3, 1),
        cost=np.array([cost]),
        chi2=np.array([chi2]),
        nearest=np.array([nearest]),
        front=np.array([front]),
    )


def observations(stack: CameraStack, problem: Problem) -> list[Observation]:
    """The views of a problem of one point that take part, as floats."""
    information = problem.information[0].tolist()
    rows, offset = problem.rows[0].tolist(), problem.offset[0].tolist()
    axes, depths = stack.rotation[:, 2].tolist(), stack.translation[:, 2].tolist()
    manual = [False] * len(information) if problem.manual is None else problem.manual[0].tolist()
    return [
        (information[v], manual[v], rows[v][0], offset[v][0], rows[v][1], offset[v][1], axes[v],
         depths[v])
        for v in range(len(information))
        if information[v] > 0.0
    ]  # fmt: skip


def _l2(ratio: float) -> Row:
    return 0.5 * ratio, 1.0, 0.0


def _soft_l1(ratio: float) -> Row:
    root = math.sqrt(1.0 + ratio)
    weight = 1.0 / root
    return root - 1.0, weight, weight - weight * weight * weight


def _huber(ratio: float) -> Row:
    if ratio <= 1.0:
        return _l2(ratio)
    root = math.sqrt(ratio)
    return root - 0.5, 1.0 / root, 1.0 / root


def _cauchy(ratio: float) -> Row:
    weight = 1.0 / (1.0 + ratio)
    return 0.5 * math.log1p(ratio), weight, 2.0 * weight * (1.0 - weight)


_LOSSES: dict[Loss, LossFunction] = {
    "l2": _l2, "soft_l1": _soft_l1, "huber": _huber, "cauchy": _cauchy,
}  # fmt: skip


def linearised_at(
    seen: list[Observation], xyz: Row, loss: LossFunction, loss_px: float, share: float
) -> Linearised:
    """Sums over the views at one place, ``share`` of the loss's bend taken off the matrix."""
    x, y, z = xyz
    g0 = g1 = g2 = h00 = h01 = h02 = h11 = h12 = h22 = cost = chi2 = 0.0
    nearest, front = math.inf, 0
    for information, manual, (a0, a1, a2), a3, (b0, b1, b2), b3, (c0, c1, c2), c3 in seen:
        depth = c0 * x + c1 * y + c2 * z + c3
        if depth <= NEAREST_DEPTH:
            continue
        front += 1
        nearest = min(nearest, depth)
        inverse = 1.0 / depth
        u = (a0 * x + a1 * y + a2 * z + a3) * inverse
        v = (b0 * x + b1 * y + b2 * z + b3) * inverse
        square = u * u + v * v
        value, weight, bend = (_l2 if manual else loss)(square / loss_px**2)
        cost += information * value
        weight *= information
        chi2 += weight * square
        bend *= share * information / max(square, 1e-300)
        u0, u1, u2 = (a0 - u * c0) * inverse, (a1 - u * c1) * inverse, (a2 - u * c2) * inverse
        v0, v1, v2 = (b0 - v * c0) * inverse, (b1 - v * c1) * inverse, (b2 - v * c2) * inverse
        p0, p1, p2 = u * u0 + v * v0, u * u1 + v * v1, u * u2 + v * v2
        g0 += weight * p0
        g1 += weight * p1
        g2 += weight * p2
        h00 += weight * (u0 * u0 + v0 * v0) - bend * p0 * p0
        h01 += weight * (u0 * u1 + v0 * v1) - bend * p0 * p1
        h02 += weight * (u0 * u2 + v0 * v2) - bend * p0 * p2
        h11 += weight * (u1 * u1 + v1 * v1) - bend * p1 * p1
        h12 += weight * (u1 * u2 + v1 * v2) - bend * p1 * p2
        h22 += weight * (u2 * u2 + v2 * v2) - bend * p2 * p2
    return (g0, g1, g2), (h00, h01, h02, h11, h12, h22), cost, chi2, nearest, front


def solved(matrix: Matrix, gradient: Row) -> Row:
    """Solution of a symmetric 3 x 3 system, ridged, by its adjugate."""
    a, b, c, d, e, f = matrix
    ridge = RIDGE * (a + d + f) + SMALLEST_RIDGE
    a, d, f = a + ridge, d + ridge, f + ridge
    aa, ab, ac = d * f - e * e, c * e - b * f, b * e - c * d
    bb, bc, cc = a * f - c * c, b * c - a * e, a * d - b * b
    inverse = 1.0 / (a * aa + b * ab + c * ac)
    x, y, z = gradient
    return (
        (aa * x + ab * y + ac * z) * inverse,
        (ab * x + bb * y + bc * z) * inverse,
        (ac * x + bc * y + cc * z) * inverse,
    )
