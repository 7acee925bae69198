"""Measuring how far a polyline passes from a pixel."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray


def distance_to_curve(curve: NDArray[np.float64], xy: NDArray[np.float64]) -> float:
    """Pixels from ``xy`` (2,) to the nearest place of a polyline (M, 2); infinite if it is empty.

    One segment at a time, in plain Python.
    """
    x, y = (float(value) for value in xy)
    points = [(float(a), float(b)) for a, b in curve]
    least = min((math.hypot(a - x, b - y) for a, b in points), default=math.inf)
    for (ax, ay), (bx, by) in pairwise(points):
        dx, dy = bx - ax, by - ay
        square = dx * dx + dy * dy
        if square > 0.0:
            share = min(max(((x - ax) * dx + (y - ay) * dy) / square, 0.0), 1.0)
            least = min(least, math.hypot(ax + share * dx - x, ay + share * dy - y))
    return least
