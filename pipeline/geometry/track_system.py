"""The normal equations of a whole track and their solution: banded in time, limbs by iteration.

Unknowns are ordered keypoint, frame, axis: the reprojection and the second differences of one
keypoint then fill a band of half-width 6, which LAPACK factorises in linear time. Limbs couple
keypoints; conjugate gradients preconditioned by that factor take care of them. After a few steps
most points have arrived: only those that still move, and what is near them, are solved on.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from pipeline.geometry.track_part import Part, Priors, near_those, part_of
from pipeline.geometry.track_views import Linearised, RobustLoss, TrackViews, linearised, some_views

FloatArray = NDArray[np.floating]

BAND = 7
_UPPER = ((0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2))
# Second differences stiffer than this (m^-2, from about 250 frames per second on) ask for double
# precision; below, the steps are as good in single.
STIFF = 1e8
RIDGE = 1e-6
# Share of the loss's bend in the Newton matrix: careful at first, as with more of it single points
# leap by decimetres; then what converges fastest.
FIRST_SHARE, SHARE, CAREFUL_STEPS = 0.7, 0.9, 4
# Conjugate gradients stop at this residual relative to the first, or after so many steps: Newton's
# own error falls to about a tenth per step, so that more would be wasted.
CG_TOLERANCE, CG_STEPS = 0.05, 12
# Newton steps end when no point moves farther than this (metres): of 20 000, all but a few dozen
# then move less than a fifth of it.
STEP_TOLERANCE = 5e-4
# A point that moved less than this (metres) in a step has arrived, unless one near it moves; the
# unknowns are chosen anew when at most this share of them is left.
ARRIVED, FEWER = 5e-5, 0.7
# No point moves farther in one step (metres): a linearisation does not reach farther.
LONGEST_STEP = 0.5
HALVINGS = 6
# Relative rounding of the cost in single precision.
COST_NOISE = 1e-6


def _banded(part: Part, at: Linearised, along: FloatArray, dtype: type[np.floating]) -> FloatArray:
    """(N, 3, BAND) lower band of the matrix; ``along`` (M, 3) are the limbs' directions."""
    outer = np.empty((len(along), 6))
    for row, (i, j) in enumerate(_UPPER):
        np.multiply(along[:, i], along[:, j], out=outer[:, row])
    outer *= part.stiffness[:, None]
    diagonal = np.ascontiguousarray((part.at_ends @ outer).T)
    diagonal += at.normal
    diagonal[[0, 3, 5]] += part.temporal
    diagonal[[0, 3, 5]] *= 1.0 + RIDGE
    diagonal[[0, 3, 5]] += 1e-6
    band = np.zeros((len(part.points), 3, BAND), dtype)
    for own, (i, j) in zip(diagonal, _UPPER, strict=True):
        band[:, i, j - i] = own
    band[:, :, 3] = part.next[:, None]
    band[:, :, 6] = part.after[:, None]
    return band


def _newton_step(part: Part, at: Linearised, along: FloatArray, gradient: FloatArray) -> FloatArray:
    """(N, 3) step against the gradient, by preconditioned conjugate gradients."""
    from scipy.linalg import lapack  # here, because the window imports this module at its start

    single = part.temporal.max(initial=0.0) < 6.0 * STIFF
    dtype = np.float32 if single else np.float64
    factorise, substitute = (
        (lapack.spbtrf, lapack.spbtrs) if single else (lapack.dpbtrf, lapack.dpbtrs)
    )
    band = _banded(part, at, along, dtype)
    factor, info = factorise(band.reshape(-1, BAND).T, lower=1, overwrite_ab=1)
    if info != 0:
        raise ArithmeticError(f"the normal equations are not positive definite (row {info})")
    residual: FloatArray = np.negative(gradient.reshape(-1)).astype(dtype)
    z, _ = substitute(factor, residual, lower=1)
    if not len(part.between):
        return np.asarray(z, dtype=np.float64).reshape(gradient.shape)
    one, other = part.tied
    rod: FloatArray = (along.take(part.between, 0)
           * np.sqrt(part.stiffness[part.between])[:, None]).astype(dtype)  # fmt: skip
    pull = np.empty((2, *rod.shape), dtype)
    # What the preconditioner makes of a direction is carried along, so that only the limbs'
    # part of the matrix is ever multiplied.
    step, direction, mapped = np.zeros_like(residual), z.copy(), residual.copy()
    product = float(np.vdot(residual, z))
    enough = CG_TOLERANCE**2 * product
    for _ in range(CG_STEPS):
        if product <= enough:
            break
        places = direction.reshape(-1, 3)
        for end, far in ((0, other), (1, one)):
            stretched = np.einsum("bi,bi->b", rod, places.take(far, 0))
            np.multiply(rod, stretched[:, None], out=pull[end])
        image = mapped - (part.onto @ pull.reshape(-1, 3)).reshape(-1)
        length = dtype(product / float(np.vdot(direction, image)))
        step += length * direction
        residual -= length * image
        z, _ = substitute(factor, residual, lower=1)
        previous, product = product, float(np.vdot(residual, z))
        share = dtype(product / previous)
        direction *= share
        direction += z
        mapped *= share
        mapped += residual
    return np.asarray(step, dtype=np.float64).reshape(gradient.shape)


def _linearised(
    views: TrackViews, part: Part, place: FloatArray, loss: RobustLoss, share: float
) -> tuple[Linearised, FloatArray, FloatArray, float]:
    """Views, directions (M, 3) of the limbs, gradient (N, 3) and cost at ``place``."""
    at = linearised(views, np.ascontiguousarray(place.take(part.points, 0).T), loss, share)
    bent = np.zeros_like(place)
    bent[1:-1] = place[2:] - 2.0 * place[1:-1] + place[:-2]
    bent = bent.take(part.centres, 0)
    pull = bent * part.bend[:, None]
    along = place.take(part.limbs[0], 0) - place.take(part.limbs[1], 0)
    length = np.sqrt(np.einsum("mi,mi->m", along, along))
    along *= (1.0 / np.maximum(length, 1e-9))[:, None]
    excess = length - part.length
    tension = part.stiffness * excess
    cost = at.cost + 0.5 * (float(np.vdot(bent, pull)) + float(np.vdot(tension, excess)))
    gradient = at.gradient.T + part.bends @ pull + part.ends @ (along * tension[:, None])
    return at, along, gradient, cost


def unrest(views: TrackViews, part: Part, xyz: FloatArray, loss: RobustLoss) -> FloatArray:
    """(N,) by how much the next step would lower the cost at each point of ``part``."""
    place, seen = xyz.reshape(-1, 3), some_views(views, part.points)
    at, along, gradient, _ = _linearised(seen, part, place, loss, FIRST_SHARE)
    step = _newton_step(part, at, along, gradient)
    return np.asarray(np.abs(np.einsum("ni,ni->n", gradient, step)))


def solve_system(
    views: TrackViews, priors: Priors, whole: Part, xyz: FloatArray, loss: RobustLoss, steps: int,
    tolerance: float = STEP_TOLERANCE,
) -> FloatArray:  # fmt: skip
    """(K, T, 3) minimum reached from ``xyz`` (finite everywhere) in at most ``steps`` steps.

    Only ``whole`` moves.
    """
    place: FloatArray = np.array(xyz, dtype=np.float64).reshape(-1, 3)
    part = whole
    seen = some_views(views, part.points)
    best, lowest, halvings = place, math.inf, 0
    step: FloatArray = np.zeros((len(part.points), 3))
    for number in range(steps):
        share = FIRST_SHARE if number < CAREFUL_STEPS else SHARE
        at, along, gradient, cost = _linearised(seen, part, place, loss, share)
        if cost > lowest * (1.0 + COST_NOISE) and halvings < HALVINGS:
            step *= 0.5
            halvings += 1
            place = best.copy()
            place[part.points] += step
            continue
        best, lowest, halvings = place, cost, 0
        step = _newton_step(part, at, along, gradient)
        length = np.sqrt(np.einsum("ni,ni->n", step, step))
        step *= np.minimum(1.0, LONGEST_STEP / np.maximum(length, 1e-12))[:, None]
        place = best.copy()
        place[part.points] += step
        if float(length.max(initial=0.0)) <= tolerance:
            break
        moving, enough = length > ARRIVED, FEWER * len(length)
        if np.count_nonzero(moving) > enough:
            continue
        chosen = near_those(priors, part, moving)
        if np.count_nonzero(chosen) <= enough:
            part = part_of(priors, chosen)
            seen = some_views(views, part.points)
            step = place[part.points] - best[part.points]
            *_, lowest = _linearised(seen, part, best, loss, share)
    return place.reshape(xyz.shape)
