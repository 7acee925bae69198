"""The normal equations of a whole track and their solution: banded in time, limbs by iteration.

Unknowns are ordered keypoint, frame, axis: the reprojection and the second differences of one
keypoint then fill a band of half-width 6, which LAPACK factorises in linear time. Limbs couple
keypoints; conjugate gradients preconditioned by that factor take care of them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.linalg import lapack

from pipeline.geometry.track_views import Linearised, RobustLoss, TrackViews, linearised

FloatArray = NDArray[np.floating]
BoolArray = NDArray[np.bool_]

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
# No point moves farther in one step (metres): a linearisation does not reach farther.
LONGEST_STEP = 0.5
HALVINGS = 6
# Relative rounding of the cost in single precision.
COST_NOISE = 1e-6


@dataclass(slots=True, eq=False)
class Priors:
    """What is known besides the views, for K keypoints in T frames.

    Parameters
    ----------
    free : (K, T) bool array
        Points to be solved; the others stay where they are, and take part where they are finite.
    bend : (K, T) array
        Weight in m^-2 of the second difference centred on each frame; 0 = none.
    pairs : (S, 2) int array
        Ends of the limbs.
    length : (S,) array
        Metres.
    stiffness : (S, T) array
        Weight in m^-2 of each limb's length in each frame.
    """

    free: BoolArray
    bend: FloatArray
    pairs: NDArray[np.intp]
    length: FloatArray
    stiffness: FloatArray


@dataclass(slots=True, eq=False)
class Limbs:
    """Limbs linearised: unit vectors (S, T, 3), excess over the length (S, T) m."""

    direction: FloatArray
    excess: FloatArray


def limbs_at(priors: Priors, xyz: FloatArray) -> Limbs:
    """Linearise the limbs at (K, T, 3)."""
    apart = xyz[priors.pairs[:, 0]] - xyz[priors.pairs[:, 1]]
    length = np.sqrt(np.einsum("sti,sti->st", apart, apart))
    apart *= (1.0 / np.maximum(length, 1e-9))[..., None]
    return Limbs(apart, length - priors.length[:, None])


def second_difference(xyz: FloatArray) -> FloatArray:
    """(K, T, 3) second differences, 0 at both ends."""
    out = np.zeros_like(xyz)
    out[:, 1:-1] = xyz[:, 2:] - 2.0 * xyz[:, 1:-1] + xyz[:, :-2]
    return out


def _cost(priors: Priors, limbs: Limbs, bent: FloatArray) -> float:
    temporal = float(np.einsum("kt,kti,kti->", priors.bend, bent, bent))
    return 0.5 * (temporal + float(np.einsum("st,st,st->", priors.stiffness, limbs.excess,
                                             limbs.excess)))  # fmt: skip


def _banded(priors: Priors, at: Linearised, limbs: Limbs, dtype: type[np.floating]) -> FloatArray:
    """(K, T, 3, BAND) lower band of the matrix, fixed points replaced by the identity."""
    k, t = priors.free.shape
    diagonal = at.normal.reshape(6, k, t).astype(np.float64)
    direction = limbs.direction
    ends = priors.pairs.tolist()
    for own, (i, j) in zip(diagonal, _UPPER, strict=True):
        outer = priors.stiffness * direction[..., i] * direction[..., j]
        for segment, (one, other) in enumerate(ends):
            own[one] += outer[segment]
            own[other] += outer[segment]
    bend = priors.bend
    temporal = 4.0 * bend
    temporal[:, 1:] += bend[:, :-1]
    temporal[:, :-1] += bend[:, 1:]
    diagonal[[0, 3, 5]] += temporal
    diagonal[[0, 3, 5]] *= 1.0 + RIDGE
    fixed = ~priors.free
    diagonal[:, fixed] = 0.0
    diagonal[[[0], [3], [5]], fixed] = 1.0
    diagonal[[0, 3, 5]] += 1e-6
    band = np.zeros((k, t, 3, BAND), dtype)
    for own, (i, j) in zip(diagonal, _UPPER, strict=True):
        band[:, :, i, j - i] = own
    both = priors.free[:, :-1] & priors.free[:, 1:]
    band[:, :-1, :, 3] = np.where(both, -2.0 * (bend[:, :-1] + bend[:, 1:]), 0.0)[..., None]
    both = priors.free[:, :-2] & priors.free[:, 2:]
    band[:, :-2, :, 6] = np.where(both, bend[:, 1:-1], 0.0)[..., None]
    return band


def _gradient(priors: Priors, at: Linearised, limbs: Limbs, bent: FloatArray) -> FloatArray:
    k, t = priors.free.shape
    gradient = np.empty((k, t, 3))
    gradient[...] = at.gradient.reshape(3, k, t).transpose(1, 2, 0)
    pull = bent * priors.bend[..., None]
    gradient -= 2.0 * pull
    gradient[:, 1:] += pull[:, :-1]
    gradient[:, :-1] += pull[:, 1:]
    force = limbs.direction * (priors.stiffness * limbs.excess)[..., None]
    for segment, (first, second) in enumerate(priors.pairs.tolist()):
        gradient[first] += force[segment]
        gradient[second] -= force[segment]
    gradient[~priors.free] = 0.0
    return gradient


@dataclass(slots=True, eq=False)
class Coupling:
    """Where limbs couple points: the pattern of a block sparse matrix.

    ``source`` says for each block, row by row, which limb and frame (index into (S, T)) it is of.
    """

    source: NDArray[np.intp]
    indices: NDArray[np.int32]
    indptr: NDArray[np.int32]


def coupling_of(priors: Priors) -> Coupling:
    """The pattern of the limbs' off-diagonal blocks."""
    k, t = priors.free.shape
    frames = np.arange(t)[:, None]
    source, indices, counts = [], [], []
    for keypoint in range(k):
        limb, end = np.nonzero(priors.pairs == keypoint)
        source.append((limb * t + frames).reshape(-1))
        indices.append((priors.pairs[limb, 1 - end] * t + frames).reshape(-1))
        counts.append(np.full(t, len(limb)))
    pointers = np.concatenate([[0], np.cumsum(np.concatenate(counts))])
    return Coupling(
        np.concatenate(source),
        np.concatenate(indices).astype(np.int32),
        pointers.astype(np.int32),
    )


def _coupling_matrix(
    coupling: Coupling, priors: Priors, limbs: Limbs, dtype: type[np.floating]
) -> sparse.bsr_array:
    one, other = priors.pairs[:, 0], priors.pairs[:, 1]
    weight = priors.stiffness * (priors.free[one] & priors.free[other])
    along = limbs.direction.astype(dtype)
    blocks = along[..., :, None] * (along * -weight[..., None].astype(dtype))[..., None, :]
    data = blocks.reshape(-1, 3, 3)[coupling.source]
    size = 3 * priors.free.size
    return sparse.bsr_array((data, coupling.indices, coupling.indptr), shape=(size, size))


def _newton_step(
    priors: Priors, coupling: Coupling, limbs: Limbs, at: Linearised, gradient: FloatArray
) -> FloatArray:
    """(K, T, 3) step against the gradient, by preconditioned conjugate gradients."""
    single = priors.bend.max(initial=0.0) < STIFF
    dtype = np.float32 if single else np.float64
    factorise, substitute = (
        (lapack.spbtrf, lapack.spbtrs) if single else (lapack.dpbtrf, lapack.dpbtrs)
    )
    band = _banded(priors, at, limbs, dtype)
    factor, info = factorise(band.reshape(-1, BAND).T, lower=1, overwrite_ab=1)
    if info != 0:
        raise ArithmeticError(f"the normal equations are not positive definite (row {info})")
    residual: FloatArray = np.negative(gradient.reshape(-1)).astype(dtype)
    z, _ = substitute(factor, residual, lower=1)
    if not len(priors.pairs):
        return np.asarray(z).reshape(gradient.shape)
    between = _coupling_matrix(coupling, priors, limbs, dtype)
    # What the preconditioner makes of a direction is carried along, so that only the limbs'
    # part of the matrix is ever multiplied.
    step, direction, mapped = np.zeros_like(residual), z.copy(), residual.copy()
    product = float(np.vdot(residual, z))
    enough = CG_TOLERANCE**2 * product
    for _ in range(CG_STEPS):
        if product <= enough:
            break
        image = between @ direction
        image += mapped
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
    return step.reshape(gradient.shape)


def solve_system(
    views: TrackViews, priors: Priors, xyz: FloatArray, loss: RobustLoss, steps: int,
    tolerance: float = STEP_TOLERANCE,
) -> FloatArray:  # fmt: skip
    """(K, T, 3) minimum reached from ``xyz`` (finite everywhere) in at most ``steps`` steps."""
    place, best, lowest, step = xyz, xyz, math.inf, np.zeros_like(xyz)
    halvings = 0
    coupling = coupling_of(priors)
    k, t, _ = xyz.shape
    for number in range(steps):
        share = FIRST_SHARE if number < CAREFUL_STEPS else SHARE
        at = linearised(views, np.ascontiguousarray(place.reshape(k * t, 3).T), loss, share)
        limbs, bent = limbs_at(priors, place), second_difference(place)
        cost = at.cost + _cost(priors, limbs, bent)
        if cost > lowest * (1.0 + COST_NOISE) and halvings < HALVINGS:
            step *= 0.5
            halvings += 1
            place = best + step
            continue
        best, lowest, halvings = place, cost, 0
        gradient = _gradient(priors, at, limbs, bent)
        step = _newton_step(priors, coupling, limbs, at, gradient).astype(np.float64)
        length = np.sqrt(np.einsum("kti,kti->kt", step, step))
        step *= np.minimum(1.0, LONGEST_STEP / np.maximum(length, 1e-12))[..., None]
        place = place + step
        if float(length.max(initial=0.0)) <= tolerance:
            break
    return place
