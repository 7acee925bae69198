"""Figures by which 2D keypoint detectors are compared."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]

# mmpose's defaults (keypoint_auc): thresholds 0, 1/20, ... 19/20 of 30 pixels.
AUC_PIXELS, _THRESHOLDS = 30.0, 20


def keypoint_auc(distances: ArrayLike, normaliser: float = AUC_PIXELS) -> float:
    """Area under the curve of correct keypoints, by mmpose's definition.

    The mean over the thresholds 0, 0.05, ... 0.95 of the part of the points that lie nearer than
    that times the normaliser; first per keypoint, then over keypoints. Perfect is 0.95, since
    nothing is nearer than 0.

    Parameters
    ----------
    distances : array (N, K)
        Pixels from the truth; not a number where a point is not labelled.
    normaliser : float
        Pixels.
    """
    far = np.asarray(distances, np.float64) / normaliser
    labelled = np.isfinite(far)
    counted = labelled.sum(axis=0)
    columns = counted > 0
    if not columns.any():
        return float("nan")
    areas = []
    for threshold in np.arange(_THRESHOLDS) / _THRESHOLDS:
        near = (np.where(labelled, far, np.inf) < threshold).sum(axis=0)
        areas.append((near[columns] / counted[columns]).mean())
    return float(np.mean(areas))
