"""Distances between two sets of points once one is laid over the other."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]
# Fewer points lie on a line and fit anything.
_FEWEST = 4


def laid_over(found: ArrayLike, truth: ArrayLike) -> FloatArray:
    """``found`` turned, scaled and moved onto ``truth``, frame by frame, by least squares.

    Parameters
    ----------
    found, truth : (..., K, 3) arrays
        Points that are NaN in either are left out of the fit.

    Returns
    -------
    (..., K, 3) array
        NaN where ``found`` is, and in frames with fewer than four common points.

    Notes
    -----
    Similarity of Umeyama (1991), IEEE PAMI 13:376; no mirror images. This is the alignment behind
    P-MPJPE.
    """
    a, b = np.asarray(found, np.float64), np.asarray(truth, np.float64)
    both = np.asarray(np.isfinite(a).all(axis=-1) & np.isfinite(b).all(axis=-1))
    count = both.sum(axis=-1)[..., None, None]
    weight = both[..., None]
    with np.errstate(invalid="ignore", divide="ignore"):
        middle_a = np.where(weight, a, 0.0).sum(axis=-2, keepdims=True) / count
        middle_b = np.where(weight, b, 0.0).sum(axis=-2, keepdims=True) / count
    from_a = np.nan_to_num(np.where(weight, a - middle_a, 0.0))
    from_b = np.nan_to_num(np.where(weight, b - middle_b, 0.0))
    u, s, vt = np.linalg.svd(np.swapaxes(from_b, -1, -2) @ from_a)
    sign = np.sign(np.linalg.det(u @ vt))
    flip = np.stack([np.ones_like(sign), np.ones_like(sign), sign], axis=-1)
    turn = (u * flip[..., None, :]) @ vt
    spread = (from_a**2).sum(axis=(-1, -2))
    with np.errstate(invalid="ignore", divide="ignore"):
        scale = (s * flip).sum(axis=-1) / spread
    moved = scale[..., None, None] * ((a - middle_a) @ np.swapaxes(turn, -1, -2)) + middle_b
    return np.asarray(np.where(count >= _FEWEST, moved, np.nan))


def aligned_errors(found: ArrayLike, truth: ArrayLike) -> FloatArray:
    """(..., K) distances once ``found`` is laid over ``truth``; NaN where there are none."""
    return np.asarray(np.linalg.norm(laid_over(found, truth) - np.asarray(truth), axis=-1))
