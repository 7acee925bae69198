"""The arithmetic of triangulation: many independent robust three-parameter problems at once.

Every function works on one chunk of N points seen by V views.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pipeline.geometry.projection import NEAREST_DEPTH, CameraStack

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
Loss = Literal["l2", "huber", "soft_l1", "cauchy"]

# Steps shorter than this (metres) end the iteration. Each step is at most half as long as the one
# before (measured; usually a tenth), so what is left to go is well below the tenth of a millimetre,
# which is 0.1 px for a camera at 2 m with a focal length of 2000 px.
STEP_TOLERANCE = 5e-5
# Relative ridge on the normal matrix: two parallel lines of sight give a far point with an enormous
# covariance instead of an exception.
RIDGE = 1e-12
# Share of the loss's bend in the Newton matrix. Measured on the real recording, mean steps to
# converge at share 0 / 0.5 / 0.9 / 1: 17 / 11 / 5.4 / 6.3, and from 0.7 on single points overshoot,
# which the fallback share catches.
BEND_SHARE, SAFE_BEND_SHARE = 0.9, 0.5
# Fewer active points than this are not worth gathering into smaller arrays.
GATHER_ABOVE = 64
# Makes the matrix of a point that nobody sees invertible (information is in px^-2, about 1).
SMALLEST_RIDGE = 1e-30
IDENTITY = np.eye(3)


@dataclass(slots=True, eq=False)
class Problem:
    """One chunk of points on the way to its solution.

    Parameters
    ----------
    xyz : (N, 3) array
        Current place, moved by :func:`solve`.
    rows, offset : (N, V, 2, 3) and (N, V, 2) arrays
        ``rows @ xyz + offset = depth * reprojection error`` in pixels.
    information : (N, V) array
        Inverse variances in px^-2; 0 where ``used`` is False.
    used : (N, V) bool array
    manual : (N, V) bool array or None
        Observations without robust loss.
    """

    xyz: FloatArray
    rows: FloatArray
    offset: FloatArray
    information: FloatArray
    used: BoolArray
    manual: BoolArray | None

    def subset(self, index: BoolArray) -> Problem:
        """Copies of some of the points."""
        return Problem(
            self.xyz[index],
            self.rows[index],
            self.offset[index],
            self.information[index],
            self.used[index],
            None if self.manual is None else self.manual[index],
        )


def ridged(normal: FloatArray) -> FloatArray:
    """(N, 3, 3) matrices that can be inverted, whatever their rank."""
    trace: FloatArray = normal[:, 0, 0] + normal[:, 1, 1] + normal[:, 2, 2]
    return np.asarray(normal + (RIDGE * trace + SMALLEST_RIDGE)[:, None, None] * IDENTITY)


def linear_solution(rows: FloatArray, offset: FloatArray, information: FloatArray) -> FloatArray:
    """(N, 3) minimum of the error weighted by depth: plain weighted DLT, inhomogeneous form."""
    n, v = information.shape
    flat = rows.reshape(n, 2 * v, 3)
    weighted = (rows * information[..., None, None]).reshape(n, 2 * v, 3).swapaxes(1, 2)
    normal = weighted @ flat
    solution = np.linalg.solve(ridged(normal), weighted @ offset.reshape(n, 2 * v, 1))
    return np.asarray(-solution[..., 0], dtype=np.float64)


def _loss(ratio: FloatArray, kind: Loss) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Loss of q = (r / scale)^2 in units of scale^2, its weight psi(r)/r, and weight - psi'(r)."""
    if kind == "huber":
        outside = ratio > 1.0
        weight = 1.0 / np.sqrt(np.maximum(ratio, 1.0))
        return (
            np.where(outside, 1.0 / weight - 0.5, 0.5 * ratio),
            weight,
            np.where(outside, weight, 0.0),
        )
    if kind == "soft_l1":
        root = np.sqrt(1.0 + ratio)
        weight = 1.0 / root
        return root - 1.0, weight, weight - weight * weight * weight
    if kind == "cauchy":
        weight = 1.0 / (1.0 + ratio)
        return 0.5 * np.log1p(ratio), weight, 2.0 * weight * (1.0 - weight)
    return 0.5 * ratio, np.ones_like(ratio), np.zeros_like(ratio)


@dataclass(frozen=True, slots=True, eq=False)
class Equations:
    """The problem linearised at one place.

    ``normal`` (N, 3, 3) is the information that the observations carry, ``normal - bend`` the
    Hessian of the robust cost; ``gradient`` (N, 3, 1), ``cost`` (N,) in px^0, ``chi2`` (N,) the
    robustly weighted one, ``nearest`` (N,) depth in metres and ``front`` (N,) the number of used
    views that have the point in front of them.
    """

    normal: FloatArray
    bend: FloatArray
    gradient: FloatArray
    cost: FloatArray
    chi2: FloatArray
    nearest: FloatArray
    front: NDArray[np.int64]


def linearised(stack: CameraStack, problem: Problem, loss: Loss, loss_px: float) -> Equations:
    """Linearise all points of ``problem`` at their current place."""
    n, v = problem.information.shape
    axis = stack.rotation[:, 2]
    depth = problem.xyz @ axis.T + stack.translation[:, 2]
    front = (depth > NEAREST_DEPTH) & problem.used
    inverse = 1.0 / np.where(front, depth, 1.0)[..., None]
    scaled = (problem.rows.reshape(n, 2 * v, 3) @ problem.xyz[..., None]).reshape(n, v, 2)
    residual = (scaled + problem.offset) * inverse
    square = (residual[..., None, :] @ residual[..., None])[..., 0, 0]
    ratio = square / loss_px**2
    cost, robust, bend = _loss(ratio, loss)
    if problem.manual is not None:
        cost = np.where(problem.manual, 0.5 * ratio, cost)
        robust = np.where(problem.manual, 1.0, robust)
        bend = np.where(problem.manual, 0.0, bend)
    information = np.where(front, problem.information, 0.0)
    weight = information * robust
    jacobian = (problem.rows - residual[..., None] * axis[:, None, :]) * inverse[..., None]
    weighted = (jacobian * weight[..., None, None]).reshape(n, 2 * v, 3).swapaxes(1, 2)
    pull = (residual[..., None, :] @ jacobian)[..., 0, :]
    shortfall = information * bend / np.maximum(square, 1e-300)
    return Equations(
        normal=weighted @ jacobian.reshape(n, 2 * v, 3),
        bend=(pull * shortfall[..., None]).swapaxes(1, 2) @ pull,
        gradient=weighted @ residual.reshape(n, 2 * v, 1),
        cost=(information[:, None, :] @ cost[..., None])[:, 0, 0],
        chi2=(weight[:, None, :] @ square[..., None])[:, 0, 0],
        nearest=np.where(front, depth, np.inf).min(axis=1),
        front=front.sum(axis=1),
    )


def solve(
    stack: CameraStack, problem: Problem, loss: Loss, loss_px: float, max_iterations: int
) -> Equations:
    """Move ``problem.xyz`` to the minimum and linearise there.

    Newton steps with most of the loss's bend; a point whose cost rises goes back and from then on
    keeps to a smaller share, which is slower but does not overshoot. A point stops after its first
    short step, whatever the others do, so that its place does not depend on its company.
    """
    active, current = np.arange(len(problem.xyz)), problem
    best: FloatArray = problem.xyz
    lowest = np.full(len(problem.xyz), np.inf)
    share = np.full(len(problem.xyz), BEND_SHARE)
    going = np.ones(len(problem.xyz), bool)
    for _ in range(max_iterations):
        at = linearised(stack, current, loss, loss_px)
        rose = (at.cost > lowest * (1.0 + 1e-9)) & going
        any_rose = bool(rose.any())
        if any_rose:
            current.xyz[rose], share[rose] = best[rose], SAFE_BEND_SHARE
            at.cost[rose] = np.inf
        best, lowest = current.xyz, at.cost
        normal, gradient = at.normal - share[:, None, None] * at.bend, at.gradient
        lost = at.front < 2
        if lost.any():
            normal[lost], gradient[lost] = IDENTITY, 0.0
        step = np.asarray(np.linalg.solve(ridged(normal), gradient)[..., 0], dtype=np.float64)
        length = np.sqrt(np.einsum("ni,ni->n", step, step))
        # A step of more than half the way to a camera would leave the region that the
        # linearisation describes, and may end behind it.
        shrink = np.minimum(1.0, 0.5 * at.nearest / np.maximum(length, 1e-300)) * going
        going &= length > STEP_TOLERANCE
        if any_rose:
            shrink[rose], going[rose] = 0.0, True
        current.xyz = current.xyz - step * shrink[:, None]
        if current is not problem:
            problem.xyz[active] = current.xyz
        count = np.count_nonzero(going)
        if not count:
            break
        if len(going) > GATHER_ABOVE and 2 * count < len(going):
            active, current = active[going], current.subset(going)
            best, lowest, share = best[going], lowest[going], share[going]
            going = going[going]
    return linearised(stack, problem, loss, loss_px)
