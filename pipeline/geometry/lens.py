"""The lens polynomial: OpenCV's rational distortion on normalised image coordinates.

Coefficients are an ``(8, ...)`` array in OpenCV's order k1 k2 p1 p2 k3 k4 k5 k6 whose trailing axes
broadcast against the coordinates, so that one call serves many cameras. Beyond a certain radius a
strong polynomial folds back towards the centre; coordinates from there on have no meaning, and
:func:`fold_limit` says where that begins.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

MAX_ITERATIONS = 40
# Up to this many coordinates plain floats are quicker than arrays.
SCALAR_BELOW = 16
# An iterate beyond the fold restarts at this share of the limit (of the squared radius).
INSIDE = 0.98
# In normalised units; at a focal length of 10^4 px this is 10^-9 px.
STEP_TOLERANCE = 1e-13


def coefficients(distortion: FloatArray) -> FloatArray:
    """Pad 0 to 8 OpenCV coefficients to (8,).

    Raises
    ------
    ValueError
        If there are more than 8 (thin prism and tilted sensor models are not supported).
    """
    given = np.asarray(distortion, dtype=np.float64).ravel()
    if given.size > 8:
        raise ValueError(f"{given.size} distortion coefficients; at most 8 are supported")
    padded = np.zeros(8)
    padded[: given.size] = given
    return padded


def fold_limit(k: FloatArray) -> float:
    """Squared undistorted radius at which the radial polynomial stops growing.

    Parameters
    ----------
    k : (8,) array
        Coefficients of one camera.

    Returns
    -------
    float
        ``inf`` if the mapping never folds.
    """
    k1, k2, _, _, k3, k4, k5, k6 = k
    numerator = np.polynomial.Polynomial([1.0, k1, k2, k3])
    denominator = np.polynomial.Polynomial([1.0, k4, k5, k6])
    u = np.polynomial.Polynomial([0.0, 1.0])
    # d/dr of r N(r^2) / D(r^2), times D^2.
    slope = numerator * denominator + 2.0 * u * (
        numerator.deriv() * denominator - numerator * denominator.deriv()
    )
    limit = float("inf")
    for polynomial in (slope, denominator):
        for root in np.atleast_1d(polynomial.trim().roots()).astype(complex):
            if root.real > 0.0 and abs(root.imag) <= 1e-9 * abs(root.real):
                limit = min(limit, float(root.real))
    return limit


def distort(k: Any, x: Any, y: Any) -> tuple[Any, Any]:
    """Distort normalised coordinates (OpenCV camera model, no thin prism).

    Parameters
    ----------
    k : (8, ...) array
        Coefficients, broadcasting against ``x``.
    x, y : (...) arrays, or floats with a sequence of floats for ``k``
        Undistorted normalised coordinates.

    Returns
    -------
    x, y : (...) arrays
        Distorted normalised coordinates; folded ones are not marked here.
    """
    k1, k2, p1, p2, k3, k4, k5, k6 = k
    xx, yy, xy = x * x, y * y, x * y
    u = xx + yy
    radial = (1.0 + u * (k1 + u * (k2 + u * k3))) / (1.0 + u * (k4 + u * (k5 + u * k6)))
    return (
        x * radial + 2.0 * p1 * xy + p2 * (u + 2.0 * xx),
        y * radial + p1 * (u + 2.0 * yy) + 2.0 * p2 * xy,
    )


def distort_with_slope(k: Any, x: Any, y: Any) -> tuple[Any, Any, Any, Any, Any]:
    """Distorted coordinates and the (symmetric) derivative of the mapping.

    Parameters
    ----------
    k : (8, ...) array
        Coefficients, broadcasting against ``x``.
    x, y : (...) arrays, or floats with a sequence of floats for ``k``
        Undistorted normalised coordinates.

    Returns
    -------
    xd, yd, dxx, dxy, dyy : (...) arrays
        Distorted coordinates, then dxd/dx, dxd/dy = dyd/dx, dyd/dy.
    """
    k1, k2, p1, p2, k3, k4, k5, k6 = k
    xx, yy, xy = x * x, y * y, x * y
    u = xx + yy
    numerator = 1.0 + u * (k1 + u * (k2 + u * k3))
    inverse = 1.0 / (1.0 + u * (k4 + u * (k5 + u * k6)))
    radial = numerator * inverse
    twice_slope = (
        2.0
        * inverse
        * (k1 + u * (2.0 * k2 + 3.0 * k3 * u) - radial * (k4 + u * (2.0 * k5 + 3.0 * k6 * u)))
    )
    a, b = 2.0 * (p1 * x + p2 * y), 2.0 * (p1 * y + p2 * x)
    return (
        x * radial + 2.0 * p1 * xy + p2 * (u + 2.0 * xx),
        y * radial + p1 * (u + 2.0 * yy) + 2.0 * p2 * xy,
        radial + twice_slope * xx + b + 4.0 * p2 * x,
        twice_slope * xy + a,
        radial + twice_slope * yy + b + 4.0 * p1 * y,
    )


def undistort_with_slope(
    k: FloatArray, limit: FloatArray, xd: FloatArray, yd: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray, FloatArray]:
    """Invert :func:`distort` by Newton's method.

    Parameters
    ----------
    k : (8, V) array
        Coefficients of V cameras.
    limit : (V,) array
        :func:`fold_limit` of the cameras.
    xd, yd : (..., V) arrays
        Distorted normalised coordinates; NaN stays NaN.

    Returns
    -------
    x, y, dxx, dxy, dyy : (..., V) arrays
        Undistorted coordinates, NaN where the lens model has no solution, and the derivative of
        the *distortion* there.
    """
    if xd.size <= SCALAR_BELOW:
        v = len(limit)
        coefficients, limits = k.T.tolist(), limit.tolist()
        solved = [
            _undistorted_float(coefficients[i % v], limits[i % v], px, py)
            for i, (px, py) in enumerate(zip(xd.ravel().tolist(), yd.ravel().tolist(), strict=True))
        ]
        table = np.array(solved, dtype=np.float64).reshape(-1, 5).T.reshape(5, *xd.shape)
        return table[0], table[1], table[2], table[3], table[4]
    x, y = xd, yd
    known = np.isfinite(xd + yd)
    # Only a lens that folds needs its iterates held inside the limit.
    folds = bool(np.isfinite(limit).any())
    with np.errstate(all="ignore"):
        for _ in range(MAX_ITERATIONS):
            if folds:
                u = x * x + y * y
                shrink = np.where(u >= limit, np.sqrt(INSIDE * limit / np.maximum(u, 1e-30)), 1.0)
                x, y = x * shrink, y * shrink
            fx, fy, dxx, dxy, dyy = distort_with_slope(k, x, y)
            ex, ey = xd - fx, yd - fy
            inverse = 1.0 / (dxx * dyy - dxy * dxy)
            step_x, step_y = (dyy * ex - dxy * ey) * inverse, (dxx * ey - dxy * ex) * inverse
            x, y = x + step_x, y + step_y
            converged = np.abs(step_x) + np.abs(step_y) <= STEP_TOLERANCE
            if (converged | ~known).all():
                break
        converged &= x * x + y * y < limit
    if not converged.all():
        x, y = np.where(converged, x, np.nan), np.where(converged, y, np.nan)
    return x, y, dxx, dxy, dyy


def _undistorted_float(
    k: list[float], limit: float, xd: float, yd: float
) -> tuple[float, float, float, float, float]:
    x, y = xd, yd
    try:
        for _ in range(MAX_ITERATIONS):
            u = x * x + y * y
            if u >= limit:
                shrink = math.sqrt(INSIDE * limit / u)
                x, y = x * shrink, y * shrink
            fx, fy, dxx, dxy, dyy = distort_with_slope(k, x, y)
            ex, ey = xd - fx, yd - fy
            inverse = 1.0 / (dxx * dyy - dxy * dxy)
            step_x, step_y = (dyy * ex - dxy * ey) * inverse, (dxx * ey - dxy * ex) * inverse
            x, y = x + step_x, y + step_y
            if abs(step_x) + abs(step_y) <= STEP_TOLERANCE:
                if x * x + y * y < limit:
                    return x, y, dxx, dxy, dyy
                break
            if math.isnan(step_x):
                break
    except (ZeroDivisionError, OverflowError):
        # The vectorised form runs into inf and NaN here: outside what the lens model describes.
        pass
    return (math.nan,) * 5
