"""The quality number that cannot be flattered: predict each view from all the others."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pipeline.data.camera import Camera
from pipeline.geometry.triangulation import (
    CHUNK,
    DEFAULT_OPTIONS,
    TriangulationOptions,
    triangulate,
)

FloatArray = NDArray[np.float64]


def heldout_errors(
    cameras: Iterable[Camera],
    xy: ArrayLike,
    score: ArrayLike,
    *,
    manual: ArrayLike | None = None,
    options: TriangulationOptions = DEFAULT_OPTIONS,
) -> FloatArray:
    """Distance of each observation from the point that the other views agree on.

    Parameters
    ----------
    cameras : iterable of V cameras
    xy : (N, V, 2) array
        Pixels; NaN = not observed.
    score : (N, V) array
        As in :func:`pipeline.geometry.triangulation.triangulate`. An observation of score 0 takes
        no part in the predictions but is measured.
    manual : (N, V) bool array, optional
        Observations set by a person.
    options : TriangulationOptions
        The same strategy is used for the predictions.

    Returns
    -------
    (N, V) array
        Pixels; NaN without an observation or with fewer than two other views, ``inf`` where the
        prediction lies behind the camera.
    """
    views = tuple(cameras)
    pixels = np.asarray(xy, dtype=np.float64)
    scores = np.asarray(score, dtype=np.float64)
    clicked = np.zeros(scores.shape, bool) if manual is None else np.asarray(manual, dtype=bool)
    n, v = scores.shape
    keep = ~np.eye(v, dtype=bool)
    errors = np.full((n, v), np.nan)
    size = max(1, CHUNK // max(v, 1))
    for start in range(0, n, size):
        part = slice(start, start + size)
        count = len(scores[part])
        # One problem per point and left-out view, in one batch: (count * V, V).
        left_out = np.where(keep, scores[part, None, :], 0.0).reshape(-1, v)
        fit = triangulate(
            views,
            np.repeat(pixels[part], v, axis=0),
            left_out,
            manual=(clicked[part, None, :] & keep).reshape(-1, v),
            options=options,
        )
        errors[part] = fit.residual.reshape(count, v, v)[:, np.arange(v), np.arange(v)]
    return errors
