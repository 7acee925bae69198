"""Two detectors on the same pictures of one person: how much each finds, and how well.

Nobody knows the truth of a recording. What can be told is how well the points of a detector agree
among the views, how near they are to points that a person placed, and where the two differ.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.data.camera import Camera
from pipeline.geometry.heldout import heldout_errors
from pipeline.quality.heldout import COUNTED_SCORE

FloatArray = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class DetectorFigures:
    """What one detector's points come to; NaN where there is nothing to tell it by.

    Attributes
    ----------
    pictures
        With the person found.
    points, column
        Points with a score above 0.3, and those of them on the spine's column, per picture with
        the person.
    heldout, heldout_n
        Median distance in px from where the other views agree, and of how many points. Only
        points that both detectors found count, so that who finds less does not come out better.
    placed, placed_n
        Median distance in px from points that a person placed, and of how many, likewise.
    """

    pictures: int
    points: float
    column: float
    heldout: float
    heldout_n: int
    placed: float
    placed_n: int


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """Figures of both, and the distance (n, V, K) in px between their points; NaN unless both."""

    one: DetectorFigures
    other: DetectorFigures
    apart: FloatArray


def compare_detectors(
    cameras: Iterable[Camera],
    one: FloatArray,
    other: FloatArray,
    placed: FloatArray,
    column: tuple[int, ...],
) -> Comparison:
    """Compare two detectors on n frames of V views.

    Parameters
    ----------
    cameras : iterable of V cameras
    one, other : (n, V, K, 3) arrays
        x, y (px) and score; NaN where not found.
    placed : (n, V, K, 2) array
        Points that a person placed, px; NaN elsewhere.
    column : tuple of int
        The keypoints of the spine.
    """
    views = tuple(cameras)
    counted = [_counted(points) for points in (one, other)]
    shared = counted[0] & counted[1]
    errors = [_heldout(views, points) for points in (one, other)]
    measured = shared & np.isfinite(errors[0]) & np.isfinite(errors[1])
    by_hand = shared & np.isfinite(placed[..., 0])
    figures = [
        DetectorFigures(
            pictures=int(own.any(axis=2).sum()),
            points=_per_picture(own),
            column=_per_picture(own, column),
            heldout=_median(error[measured]),
            heldout_n=int(measured.sum()),
            placed=_median(np.linalg.norm(points[..., :2] - placed, axis=-1)[by_hand]),
            placed_n=int(by_hand.sum()),
        )
        for points, own, error in zip((one, other), counted, errors, strict=True)
    ]
    apart = np.linalg.norm(one[..., :2] - other[..., :2], axis=-1)
    return Comparison(figures[0], figures[1], np.where(shared, apart, np.nan))


def furthest_apart(apart: FloatArray, most: int) -> list[tuple[int, int, int]]:
    """Places (frame's position, view, keypoint) of the largest distances, at most one a picture."""
    n, n_views, _ = apart.shape
    known = np.where(np.isfinite(apart), apart, -1.0)
    keypoint, worst = known.argmax(axis=2), known.max(axis=2)
    order = np.argsort(-worst, axis=None)[:most]
    places = np.stack(np.unravel_index(order, (n, n_views)), axis=-1).tolist()
    return [
        (frame, view, int(keypoint[frame, view]))
        for frame, view in places
        if worst[frame, view] >= 0.0
    ]


def _counted(points: FloatArray) -> Bools:
    return np.isfinite(points[..., 0]) & (np.nan_to_num(points[..., 2]) > COUNTED_SCORE)


def _heldout(cameras: tuple[Camera, ...], points: FloatArray) -> FloatArray:
    n, n_views, n_keypoints, _ = points.shape
    flat = points.transpose(0, 2, 1, 3).reshape(-1, n_views, 3)
    errors = heldout_errors(cameras, flat[..., :2], np.nan_to_num(flat[..., 2]))
    return errors.reshape(n, n_keypoints, n_views).transpose(0, 2, 1)


def _per_picture(counted: Bools, keypoints: tuple[int, ...] | None = None) -> float:
    pictures = int(counted.any(axis=2).sum())
    chosen = counted if keypoints is None else counted[..., list(keypoints)]
    return float(chosen.sum()) / pictures if pictures else float("nan")


def _median(values: FloatArray) -> float:
    return float(np.median(values)) if len(values) else float("nan")
