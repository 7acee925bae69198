"""What keeps its place on the screen while the frame changes, and where it is."""

from __future__ import annotations

from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from simspine_viewer.document import FramePoints

FloatArray = NDArray[np.float64]


class Follow(StrEnum):
    """What keeps its place in the panes while the frame changes."""

    NOTHING = "nothing"
    KEYPOINT = "keypoint"
    PERSON = "person"


def followed_xy(points: FramePoints, view: int, keypoint: int, follow: Follow) -> FloatArray:
    """(2,) px of what is followed in one view, NaN where it is not known.

    A keypoint stands where it was seen, else where its 3D point falls; without a selected one the
    person is followed.
    """
    seen = np.isfinite(points.xy[view, :, 0])[:, None]
    handles = np.where(seen, points.xy[view], points.reprojected[view])
    if follow is Follow.KEYPOINT and keypoint >= 0:
        return np.asarray(handles[keypoint])
    return middle_of(handles)


def followed_xyz(xyz: FloatArray, keypoint: int, follow: Follow) -> FloatArray:
    """(3,) m of what is followed in 3D among the points (K, 3), NaN where it is not known."""
    if follow is Follow.KEYPOINT and keypoint >= 0:
        return np.asarray(xyz[keypoint])
    return middle_of(xyz)


def middle_of(points: FloatArray) -> FloatArray:
    """(D,) median of the points (K, D) that are known, NaN where none is."""
    known = np.isfinite(points).all(axis=1)
    if not known.any():
        return np.full(points.shape[1], np.nan)
    return np.asarray(np.median(points[known], axis=0))
