"""What panes and panels draw of one frame, and what a drag under way would make of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class FramePoints:
    """All points of the annotated person in one frame, as panes and panels draw them.

    ``xy`` (V, K, 2) px observed (manual first), ``score``, ``manual``, ``flags`` (V, K);
    ``xyz`` (K, 3) m; ``reprojected`` (V, K, 2) px of ``xyz``; ``residual`` (V, K) px between
    both; ``rms`` (K,) px, the root mean square of the residuals that count; ``sigma`` (K,) mm;
    ``source`` (K,). ``others``: xy (V, K, 2) of the other people by track. ``fused`` (K, 3) m,
    ``fused_sigma`` (K,) mm and ``fused_source`` (K,) are the final points, solved over time; NaN
    and 0 where they have not been computed since something near them changed.
    """

    frame: int
    xy: FloatArray
    score: FloatArray
    manual: NDArray[np.bool_]
    flags: NDArray[np.uint8]
    xyz: FloatArray
    reprojected: FloatArray
    residual: FloatArray
    rms: FloatArray
    sigma: FloatArray
    source: NDArray[np.uint8]
    others: dict[int, FloatArray]
    fused: FloatArray
    fused_sigma: FloatArray
    fused_source: NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class Preview:
    """What a drag under way would do; drawn by all views, written nowhere.

    ``view`` is the view being dragged in, -1 for a drag in 3D. ``xy`` (V, 2): the observed point
    in each view with the drag applied. ``xyz`` (3,) the solved point; ``reprojected`` (V, 2) and
    ``residual`` (V,) follow from it; ``sigma`` mm.
    """

    frame: int
    view: int
    keypoint: int
    xy: FloatArray
    xyz: FloatArray
    reprojected: FloatArray
    residual: FloatArray
    sigma: float
