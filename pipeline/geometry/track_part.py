"""The unknowns of one stage of the batch solve, and the priors between them and what stays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from scipy import sparse

FloatArray = NDArray[np.floating]
BoolArray = NDArray[np.bool_]

# Frames on both sides of a point that moves which are solved with it.
NEAR = 3


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


@dataclass(slots=True, eq=False)
class Part:
    """N of the points, numbered keypoint by keypoint and frame by frame within.

    Parameters
    ----------
    points : (N,) int array
        Which they are, ascending.
    temporal, next, after : (N,) arrays
        Second differences in the matrix, m^-2: on the diagonal, and coupling each unknown to the
        following one and to the one after that.
    centres, bend, bends : (C,) int array, (C,) array, (N, C) sparse array
        Points on which second differences with a part in this are centred, their weights, and how
        they pull at the unknowns.
    limbs, length, stiffness, ends : (2, M) int array, (M,) arrays, (N, M) sparse array
        Both ends of the limbs with a part in this, in metres and m^-2, and the same.
    at_ends : (N, M) sparse array
        1 where ``ends`` is not 0.
    between, tied, onto : (B,) int array, (2, B) int array, (N, 2 B) sparse array
        Limbs between two unknowns, these two, and where what pulls at the first ends, then at the
        second ends, goes.
    """

    points: NDArray[np.intp]
    temporal: FloatArray
    next: FloatArray
    after: FloatArray
    centres: NDArray[np.intp]
    bend: FloatArray
    bends: sparse.csc_array
    limbs: NDArray[np.intp]
    length: FloatArray
    stiffness: FloatArray
    ends: sparse.csc_array
    at_ends: sparse.csc_array
    between: NDArray[np.intp]
    tied: NDArray[np.int32]
    onto: sparse.csc_array


def part_of(priors: Priors, chosen: BoolArray) -> Part:
    """The unknowns ``chosen`` (K T,) of the free points; all others stay."""
    _, t = priors.free.shape
    points = np.flatnonzero(chosen)
    n = len(points)
    number = np.full(chosen.size, -1, np.int32)
    number[points] = np.arange(n, dtype=np.int32)
    # Nothing is centred on a keypoint's first and last frames: keypoints do not mix.
    bend = np.concatenate([[0.0], priors.bend.reshape(-1), [0.0, 0.0]])
    before, own, following = bend[points], bend[points + 1], bend[points + 2]
    apart = np.diff(points, append=-1)
    after = np.zeros(n)
    after[:-2] = np.where(points[2:] - points[:-2] == 2, following[:-2], 0.0)
    beside = chosen.copy()
    beside[1:] |= chosen[:-1]
    beside[:-1] |= chosen[1:]
    centres = np.flatnonzero(beside & (priors.bend.reshape(-1) > 0.0))
    pulled = number[np.stack([centres - 1, centres, centres + 1])]
    factor = np.array([1.0, -2.0, 1.0])

    weight = priors.stiffness.reshape(-1)
    frames = np.arange(t)
    ends = (priors.pairs.T[..., None] * t + frames).reshape(2, -1)
    limbs = np.flatnonzero((weight > 0.0) & chosen[ends].any(axis=0))
    ends = ends[:, limbs]
    at = number[ends]
    both = np.flatnonzero((at >= 0).all(axis=0))
    pull = _scattering(at, np.array([1.0, -1.0]), n)
    return Part(
        points,
        4.0 * own + before + following,
        np.where(apart == 1, -2.0 * (own + following), np.where(apart == 2, following, 0.0)),
        after,
        centres,
        priors.bend.reshape(-1)[centres],
        _scattering(pulled, factor, n),
        ends,
        priors.length[limbs // t],
        weight[limbs],
        pull,
        abs(pull),
        both,
        at[:, both],
        _scattering(at[:, both].reshape(1, -1), np.ones(1, np.float32), n),
    )


def _scattering(rows: NDArray[np.int32], factor: FloatArray, n: int) -> sparse.csc_array:
    """(n, M) matrix with ``factor`` (F,) in ``rows`` (F, M) of each column; -1 = nowhere."""
    from scipy import sparse  # here, because the window imports this module at its start

    known = rows.T >= 0
    values = np.where(known, factor, factor.dtype.type(0)).reshape(-1)
    starts = np.arange(0, rows.size + 1, len(rows), dtype=np.int32)
    where = np.where(known, rows.T, 0).reshape(-1)
    return sparse.csc_array((values, where, starts), shape=(n, rows.shape[1]))


def near_those(priors: Priors, part: Part, moving: BoolArray) -> BoolArray:
    """(K T,) free points up to ``NEAR`` frames from the ``moving`` (N,), or one limb away."""
    start = np.zeros(priors.free.size, bool)
    start[part.points[moving]] = True
    start[part.limbs[:, start[part.limbs].any(axis=0)]] = True
    reached = start.reshape(priors.free.shape)
    out = reached.copy()
    for shift in range(1, NEAR + 1):
        out[:, shift:] |= reached[:, :-shift]
        out[:, :-shift] |= reached[:, shift:]
    return np.asarray(out & priors.free).reshape(-1)
