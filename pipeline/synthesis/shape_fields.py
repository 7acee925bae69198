"""Signed distances, roughly, of simple solids: what a body's shape is put together from."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator

FloatArray = NDArray[np.float64]
Knots = tuple[tuple[float, float], ...]


def curve(at: FloatArray, knots: Knots) -> FloatArray:
    """A smooth curve without overshoot through (argument, value), level beyond its ends."""
    x, y = np.array(knots).T
    return np.asarray(PchipInterpolator(x, y)(np.clip(at, x[0], x[-1])))


def step(value: FloatArray, low: float, high: float) -> FloatArray:
    """0 below ``low``, 1 above ``high``, smooth between."""
    u = np.clip((value - low) / (high - low), 0.0, 1.0)
    return np.asarray(u * u * (3.0 - 2.0 * u))


def bump(value: FloatArray, centre: float, width: float) -> FloatArray:
    """A Gaussian of height 1."""
    return np.asarray(np.exp(-(((value - centre) / width) ** 2)))


def joined(a: FloatArray, b: FloatArray, soft: float) -> FloatArray:
    """Union of two solids whose seam is rounded over ``soft`` metres (Quilez's polynomial)."""
    h = np.clip(0.5 + 0.5 * (b - a) / soft, 0.0, 1.0)
    return np.asarray(b + (a - b) * h - soft * h * (1.0 - h))


def carved(a: FloatArray, b: FloatArray, soft: float) -> FloatArray:
    """``a`` without ``b``."""
    return -joined(-a, b, soft)


def ellipsoid(p: FloatArray, centre: FloatArray, radii: FloatArray) -> FloatArray:
    """Distance of points (N, 3) to an ellipsoid along the axes."""
    q = p - centre
    k = np.linalg.norm(q / radii, axis=-1)
    steep = np.linalg.norm(q / radii**2, axis=-1)
    return np.asarray(k * (k - 1.0) / np.maximum(steep, 1e-6))


def capsule(p: FloatArray, a: FloatArray, b: FloatArray, ra: float, rb: float) -> FloatArray:
    """Distance to a round bar from ``a`` to ``b`` whose radius goes from ``ra`` to ``rb``."""
    axis = b - a
    along = np.clip((p - a) @ axis / (axis @ axis), 0.0, 1.0)
    gap = np.linalg.norm(p - a - along[:, None] * axis, axis=-1)
    return np.asarray(gap - (ra + (rb - ra) * along))


def limb(
    p: FloatArray,
    start: FloatArray,
    axes: FloatArray,
    wide: Knots,
    deep: Knots,
    shift: Knots,
    ends: tuple[float, float],
) -> FloatArray:
    """Distance to a bar of elliptic cross-sections.

    Parameters
    ----------
    start : (3,) array
        Where the axis begins.
    axes : (3, 3) array
        Rows: along, forward, sideways.
    wide, deep
        Half-thickness sideways and forward over the place along the axis, metres.
    shift
        How far forward the middle lies.
    ends
        First and last place along the axis; it is rounded there.
    """
    along, ahead, aside = axes @ (p - start).T
    at = np.clip(along, *ends)
    over = along - at
    x, z = ahead - curve(at, shift), aside
    a, b = curve(at, deep), curve(at, wide)
    # Beyond an end the bar goes on as half an ellipsoid.
    q = np.stack([x / a, z / b, over / np.minimum(a, b)])
    r = np.maximum(np.linalg.norm(q, axis=0), 1e-6)
    length = np.sqrt(x * x + z * z + over * over)
    return np.asarray(np.where(r > 0.2, length * (1.0 - 1.0 / r), -np.minimum(a, b) * (1.0 - r)))


def ring(
    p: FloatArray, mid: FloatArray, reach: FloatArray, half: FloatArray, exponent: FloatArray
) -> FloatArray:
    """Distance to level superellipses: ``mid`` and ``reach`` (N,) along X, ``half`` along Z."""
    x, z = p[:, 0] - mid, p[:, 2]
    u, w = np.abs(x) / reach, np.abs(z) / half
    r = np.maximum((u**exponent + w**exponent) ** (1.0 / exponent), 1e-6)
    length = np.sqrt(x * x + z * z)
    return np.asarray(
        np.where(r > 0.2, length * (1.0 - 1.0 / r), -np.minimum(reach, half) * (1.0 - r))
    )
