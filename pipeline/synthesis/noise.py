"""Smooth noise and soft steps, compiled; kernels of other files call these.

:mod:`pipeline.kinematics.compiled` counts this file among the sources of compiled code.
"""

from __future__ import annotations

import math

from pipeline.kinematics.compiled import inner


@inner
def _hash(x: int, y: int, z: int) -> float:
    h = (x * 374761393 + y * 668265263 + z * 1274126177) & 0xFFFFFFFF
    h = ((h ^ (h >> 13)) * 1103515245) & 0xFFFFFFFF
    return ((h ^ (h >> 16)) & 0xFFFF) / 65535.0


@inner
def noise(x: float, y: float, z: float) -> float:
    """Smooth noise, 0 to 1, with cells of size 1."""
    i, j, k = math.floor(x), math.floor(y), math.floor(z)
    u, v, w = x - i, y - j, z - k
    u, v, w = u * u * (3 - 2 * u), v * v * (3 - 2 * v), w * w * (3 - 2 * w)
    a = _hash(i, j, k) + u * (_hash(i + 1, j, k) - _hash(i, j, k))
    b = _hash(i, j + 1, k) + u * (_hash(i + 1, j + 1, k) - _hash(i, j + 1, k))
    c = _hash(i, j, k + 1) + u * (_hash(i + 1, j, k + 1) - _hash(i, j, k + 1))
    d = _hash(i, j + 1, k + 1) + u * (_hash(i + 1, j + 1, k + 1) - _hash(i, j + 1, k + 1))
    e = a + v * (b - a)
    f = c + v * (d - c)
    return e + w * (f - e)


@inner
def ramp(value: float, low: float, high: float) -> float:
    """0 below ``low``, 1 above ``high``, smooth between."""
    u = min(max((value - low) / (high - low), 0.0), 1.0)
    return u * u * (3.0 - 2.0 * u)


@inner
def speck(x: float, y: float, z: float) -> float:
    """1 in the middle of rare round specks with a radius of 0.4, 0 elsewhere."""
    i, j, k = math.floor(x + 0.5), math.floor(y + 0.5), math.floor(z + 0.5)
    if _hash(i, j, k) < 0.985:
        return 0.0
    u, v, w = x - i, y - j, z - k
    return 1.0 - ramp(u * u + v * v + w * w, 0.04, 0.16)
