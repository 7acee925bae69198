"""How uncertain the points of a batch solve are: marginal covariances of its normal equations."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from pipeline.geometry.track_part import Priors, limbs_at

FloatArray = NDArray[np.floating]

# Stands for "known": the information in m^-2 of a point that does not move.
CERTAIN = 1e12
# About so many frames' covariances are worked out together, apart from what they need on both
# sides.
STRETCH = 128
_UPPER = ((0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2))


def longest_sigma(covariance: FloatArray) -> FloatArray:
    """(...) standard deviation along the longest axis of (6, ...) upper triangles.

    The largest eigenvalue in closed form (O. K. Smith, Communications of the ACM 4, 168, 1961).
    """
    a, b, c, d, e, f = covariance
    mean = (a + d + f) / 3.0
    x, y, z = a - mean, d - mean, f - mean
    spread = np.sqrt((x * x + y * y + z * z + 2.0 * (b * b + c * c + e * e)) / 6.0)
    determinant = x * (y * z - e * e) - b * (b * z - e * c) + c * (b * e - y * c)
    cosine = np.clip(0.5 * determinant / np.maximum(spread, 1e-100) ** 3, -1.0, 1.0)
    largest = mean + 2.0 * spread * np.cos(np.arccos(cosine) / 3.0)
    return np.asarray(np.sqrt(np.maximum(largest, 0.0)))


def marginal_covariance(
    normal: FloatArray, priors: Priors, xyz: FloatArray, reach: int
) -> FloatArray:
    """(6, K, T) upper triangles in m² of every point's covariance.

    Exact in time, up to frames more than ``reach`` away. A limb counts with the uncertainty of its
    other end, itself without limbs: one sweep of belief propagation along the skeleton.

    Parameters
    ----------
    normal : (6, K, T) array
        Information of the views in m^-2, upper triangles.
    priors : Priors
    xyz : (K, T, 3) array
    reach : int
    """
    limbs = limbs_at(priors, xyz)
    information = normal.copy()
    alone = _banded_covariance(information, priors, reach)
    products = [limbs.direction[..., i] * limbs.direction[..., j] for i, j in _UPPER]
    doubled = np.array([1.0, 2.0, 2.0, 1.0, 2.0, 1.0])
    for segment, (one, other) in enumerate(priors.pairs.tolist()):
        along = np.stack([p[segment] for p in products])
        stiff = priors.stiffness[segment]
        for end, far in ((one, other), (other, one)):
            variance = np.einsum("i,it,it->t", doubled, along, alone[:, far])
            information[:, end] += along * (stiff / (1.0 + stiff * variance))
    return _banded_covariance(information, priors, reach)


def _banded_covariance(normal: FloatArray, priors: Priors, reach: int) -> FloatArray:
    """Diagonal blocks of the inverse of views plus second differences, in overlapping stretches."""
    _, k, t = normal.shape
    bend = priors.bend
    diagonal = normal.copy()
    temporal = 4.0 * bend
    temporal[:, 1:] += bend[:, :-1]
    temporal[:, :-1] += bend[:, 1:]
    diagonal[[0, 3, 5]] += temporal + 1e-6
    fixed = ~priors.free
    diagonal[:, fixed] = 0.0
    diagonal[[[0], [3], [5]], fixed] = CERTAIN
    near, far = np.zeros((k, t)), np.zeros((k, t))
    near[:, :-1] = -2.0 * (bend[:, :-1] + bend[:, 1:])
    near[:, :-1][fixed[:, :-1] | fixed[:, 1:]] = 0.0
    far[:, :-2] = bend[:, 1:-1]
    far[:, :-2][fixed[:, :-2] | fixed[:, 2:]] = 0.0

    out = np.empty_like(normal)
    stretch = math.ceil(t / max(1, round(t / STRETCH)))
    if stretch == t:  # all at once
        reach = 0
    starts = list(range(0, t, stretch))
    steps = stretch + 2 * reach
    # Stretches side by side: frame (start - reach + step), clipped; what lies outside is certain.
    frames = np.array(starts)[:, None] - reach + np.arange(steps)
    outside = (frames < 0) | (frames >= t)
    at = np.clip(frames, 0, t - 1)
    blocks = diagonal[:, :, at]  # (6, K, W, steps)
    blocks[:, :, outside] = 0.0
    for row in (0, 3, 5):
        blocks[row][:, outside] = CERTAIN
    coupling_near, coupling_far = near[:, at], far[:, at]
    coupling_near[:, outside], coupling_far[:, outside] = 0.0, 0.0
    covariance = _selected_inverse(
        np.ascontiguousarray(np.moveaxis(blocks, -1, 0)).reshape(steps, 6, -1),
        np.ascontiguousarray(np.moveaxis(coupling_near, -1, 0)).reshape(steps, -1),
        np.ascontiguousarray(np.moveaxis(coupling_far, -1, 0)).reshape(steps, -1),
        reach,
    ).reshape(stretch, 6, k, len(starts))
    for number, start in enumerate(starts):
        length = min(stretch, t - start)
        out[:, :, start : start + length] = np.moveaxis(covariance[:length, :, :, number], 0, -1)
    return out


def _product(left: FloatArray, right: FloatArray) -> FloatArray:
    return np.asarray(np.einsum("ijn,jkn->ikn", left, right))


# Of a flat 3 x 3 matrix: cofactors of the upper triangle as products of two less products of two,
# and where the nine come from.
_COFACTORS = np.array(
    [[4, 8, 5, 5], [2, 5, 1, 8], [1, 5, 2, 4], [0, 8, 2, 2], [2, 1, 0, 5], [0, 4, 1, 1]]
).T.copy()
_NINE = np.array([0, 1, 2, 1, 3, 4, 2, 4, 5])
_UPPER_OF_NINE = np.array([0, 1, 2, 4, 5, 8])


def _inverse(m: FloatArray) -> FloatArray:
    """Inverse of symmetric (3, 3, n)."""
    flat = m.reshape(9, -1)
    first, second, third, fourth = (flat.take(rows, 0) for rows in _COFACTORS)
    first *= second
    third *= fourth
    first -= third
    first /= (flat[:3] * first[:3]).sum(axis=0)
    return np.asarray(first.take(_NINE, 0).reshape(m.shape))


def _selected_inverse(
    diagonal: FloatArray, near: FloatArray, far: FloatArray, reach: int
) -> FloatArray:
    """Diagonal blocks (steps - 2 reach, 6, n) of the inverse of n block-pentadiagonal matrices.

    ``diagonal`` (steps, 6, n); ``near`` and ``far`` (steps, n) are multiples of the identity that
    couple a step to the next and to the one after. Elimination forwards, then the covariances
    backwards (K. Takahashi et al., 1973).
    """
    steps, _, n = diagonal.shape
    blocks = diagonal.take(_NINE, 1).reshape(steps, 3, 3, n)
    inverses, pairs = [], []
    first, second = np.zeros((3, 3, n)), np.zeros((3, 3, n))
    carried = np.zeros((3, 3, n))
    for step in range(steps):
        inverse = _inverse(blocks[step] - first)
        coupling = np.negative(carried, order="C")
        coupling.reshape(9, n)[::4] += near[step]
        gain = _product(inverse, coupling)
        link = inverse * far[step]
        carried = gain.swapaxes(0, 1) * far[step]
        first = second + _product(coupling.swapaxes(0, 1), gain)
        second = link * far[step]
        inverses.append(inverse)
        pairs.append(np.concatenate([gain, link], axis=1))
    out = np.empty((steps - 2 * reach, 9, n))
    # Of the next two steps together, as (6, 6).
    following = np.zeros((6, 6, n))
    for step in range(steps - 1, reach - 1, -1):
        pair = pairs[step]
        ahead = _product(pair, following)
        own = inverses[step] + _product(ahead, pair.swapaxes(0, 1))
        own = 0.5 * (own + own.swapaxes(0, 1))  # else rounding grows twofold per step
        following[3:, 3:] = following[:3, :3]
        following[:3, :3] = own
        np.negative(ahead[:, :3], out=following[:3, 3:])
        following[3:, :3] = following[:3, 3:].swapaxes(0, 1)
        if step < steps - reach:
            out[step - reach] = own.reshape(9, n)
    return np.asarray(out.take(_UPPER_OF_NINE, 1))
