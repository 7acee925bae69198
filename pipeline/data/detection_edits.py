"""What a model found of a person, put beside the imported detections as patches of one gesture.

Placed points are never touched: they go before detections of every kind.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pipeline.data.edits import Patches
from pipeline.data.layers import MAX_TRACKS
from pipeline.data.observations import track_ids
from pipeline.data.sequence import Sequence

_LAYER = "detected2d.points"


def set_detections(
    sequence: Sequence, track: int, frames: ArrayLike, views: ArrayLike, points: ArrayLike
) -> Patches:
    """Let ``points`` be what a model found of a track in n pictures; other pictures stay.

    Parameters
    ----------
    sequence : Sequence
    track : int
    frames, views : (n,) int arrays
        Each pair at most once. Pictures that lay outside the recording when it was imported are
        left out: nothing can be stored with them.
    points : (n, K, 5) array
        x, y (px), score (0..1), standard deviations of x and y (px); NaN where not found, so that
        what was imported counts there.
    """
    places = np.stack([np.asarray(frames, np.intp), np.asarray(views, np.intp)], axis=-1)
    values = np.asarray(points, np.float32)
    n, k = len(places), sequence.n_keypoints
    if values.shape != (n, k, 5):
        raise ValueError(f"points have shape {values.shape}, expected {(n, k, 5)}")
    for view in np.unique(places[:, 1]).tolist():
        here = places[:, 1] == view
        places[here, 0] = sequence.stored_rows(view, places[here, 0])
    kept = places[:, 0] >= 0
    places, values = places[kept], values[kept]
    values = np.where(np.isfinite(values[..., :1]), values, np.float32(np.nan))
    index = np.concatenate(
        [places.repeat(k, axis=0), np.tile(np.arange(k), len(places))[:, None]], axis=1
    )
    flat = values.reshape(-1, 5)
    old = sequence.layer(_LAYER, track).get(index)
    told = np.isfinite(flat[:, 0]) | np.isfinite(old[:, 0])
    if not told.any() or np.array_equal(old[told], flat[told], equal_nan=True):
        return ()
    return (sequence.patch(_LAYER, index[told], flat[told], track),)


def forget_detections(
    sequence: Sequence, track: int, frames: ArrayLike, views: ArrayLike
) -> Patches:
    """Take back what models found of a track in n pictures: the imported detections return."""
    n = len(np.asarray(frames))
    nothing = np.full((n, sequence.n_keypoints, 5), np.nan, np.float32)
    return set_detections(sequence, track, frames, views, nothing)


def new_track(sequence: Sequence) -> int:
    """The id of a person nobody has seen yet."""
    return min(int(track_ids(sequence).max(initial=-1)) + 1, MAX_TRACKS - 1)


def in_project_skeleton(
    found: NDArray[np.floating], scores: NDArray[np.floating], sd: NDArray[np.floating],
    mapping: NDArray[np.intp],
) -> NDArray[np.float32]:  # fmt: skip
    """Points of n people of some skeleton as rows for :func:`set_detections`.

    Parameters
    ----------
    found, sd : (n, J, 2) arrays
        Pixels.
    scores : (n, J) array
        Any scale; cut to 0..1.
    mapping : (K,) int array
        See :meth:`pipeline.data.skeleton.Skeleton.mapping_onto`.
    """
    rows = np.concatenate([found, np.clip(scores, 0.0, 1.0)[..., None], sd], axis=-1)
    out = np.asarray(rows[:, mapping], np.float32)
    out[:, mapping < 0] = np.nan
    out[~np.isfinite(out[..., 0])] = np.nan
    return out
