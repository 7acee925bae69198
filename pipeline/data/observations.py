"""What is known of one person in each view: detections with a person's corrections on top.

Everything is read by the frame at which its picture is shown now: see ``data/time_axes.py``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.data.layers import LAYERS
from pipeline.data.sequence import Sequence
from pipeline.data.source import Flag

FloatArray = NDArray[np.float64]
FrameIndex = slice | NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class Observations:
    """2D points of one track over n frames.

    ``xy`` (n, V, K, 2) px, NaN where there is none; ``score`` (n, V, K) in 0..1, 1 where a person
    placed the point; ``manual`` (n, V, K) True where a person placed it; ``flags`` (n, V, K)
    :class:`Flag` values.
    """

    xy: FloatArray
    score: FloatArray
    manual: NDArray[np.bool_]
    flags: NDArray[np.uint8]


def detections(
    sequence: Sequence, track: int, rows: FrameIndex = slice(None)
) -> tuple[FloatArray, FloatArray]:
    """The detector's points of one track: xy (n, V, K, 2) px and score (n, V, K).

    What a model found here (``detected2d``) goes before what was imported, point by point. Where a
    merged track has two instances in one view and frame, the one with the higher mean score is
    taken.
    """
    xy, score = _imported(sequence, track, rows)
    if _has_any(sequence, track):
        points = sequence.read_pictures("detected2d.points", rows, track)
        found = np.isfinite(points[..., 0])
        xy[found] = points[found, :2]
        score[found] = points[found, 2]
    return xy, score


def detection_sd(
    sequence: Sequence, track: int, rows: FrameIndex = slice(None)
) -> NDArray[np.float32]:
    """(n, V, K, 2) standard deviation in px of x and y of what a model found; NaN elsewhere."""
    if not _has_any(sequence, track):
        frames = len(np.arange(sequence.n_frames)[rows])
        return np.full((frames, sequence.n_views, sequence.n_keypoints, 2), np.nan, np.float32)
    sd: NDArray[np.float32] = sequence.read_pictures("detected2d.points", rows, track)[..., 3:]
    return sd


def _has_any(sequence: Sequence, track: int) -> bool:
    return any(True for _ in sequence.layer("detected2d.points", track).stored())


def _imported(sequence: Sequence, track: int, rows: FrameIndex) -> tuple[FloatArray, FloatArray]:
    assigned = sequence.read_pictures("assignment.track", rows)  # (n, V, P)
    n, n_views, n_persons = assigned.shape
    xy = np.full((n, n_views, sequence.n_keypoints, 2), np.nan)
    score = np.zeros((n, n_views, sequence.n_keypoints))
    if n_persons == 0 or n == 0:
        return xy, score
    all_score = sequence.read_pictures("instances2d.score", rows)
    rank = np.where(assigned == track, all_score.mean(axis=-1), -1.0)
    best = rank.argmax(axis=-1)  # (n, V)
    found = np.take_along_axis(rank, best[..., None], -1)[..., 0] >= 0
    frame, view = np.nonzero(found)
    person = best[frame, view]
    xy[frame, view] = sequence.read_pictures("instances2d.xy", rows)[frame, view, person]
    score[frame, view] = all_score[frame, view, person]
    return xy, score


def observations(sequence: Sequence, track: int, rows: FrameIndex = slice(None)) -> Observations:
    """Detections of a track with manual points, occlusions, absences and rejections applied.

    A detection flagged occluded, absent or rejected counts as missing; a placed point counts
    unless it is absent.
    """
    xy, score = detections(sequence, track, rows)
    manual_xy = sequence.read_pictures("manual2d.xy", rows, track)
    flags = sequence.read_pictures("manual2d.flags", rows, track)
    manual = np.isfinite(manual_xy[..., 0]) & ((flags & Flag.ABSENT) == 0)
    hidden = (flags & (Flag.OCCLUDED | Flag.ABSENT | Flag.REJECTED)) != 0
    xy[hidden] = np.nan
    xy[manual] = manual_xy[manual]
    score = np.where(manual, 1.0, np.where(np.isfinite(xy[..., 0]), score, 0.0))
    return Observations(xy, score, manual, flags)


def track_ids(sequence: Sequence) -> NDArray[np.intp]:
    """Ids of the tracks that have at least one instance or one manual value, ascending.

    Asking again costs nothing until an authored layer was written to, and little then.
    """
    stores = {
        (name, track): sequence.layer(name, track)
        for name, track in sequence.stored_layers()
        if (track >= 0 and LAYERS[name].kind == "authored") or name == "assignment.track"
    }

    def ids() -> NDArray[np.intp]:
        found = [np.zeros(0, np.intp)]
        for (name, track), store in stores.items():
            if name == "assignment.track":
                found += [part.astype(np.intp) for part in store.summary("ids", np.unique)]
            elif store.any():
                found.append(np.array([track]))
        together = np.unique(np.concatenate(found))
        return together[together >= 0]

    state = tuple((key, store.n_writes) for key, store in stores.items())
    return sequence.remembered("track_ids", state, ids).copy()
