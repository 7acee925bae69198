"""Which frames of a trial cameras are refined from, and which they are checked in."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.data.camera import Camera
from pipeline.geometry.triangulation import triangulate

FloatArray = NDArray[np.float64]
Index = NDArray[np.intp]

# Frames looked at when choosing; more would not spread better but take longer.
CANDIDATES = 240
# Keypoints that three views must share for a frame to count: as many fix two cameras.
SHARED_KEYPOINTS = 6


@dataclass(frozen=True, slots=True, eq=False)
class Chosen:
    """``fit`` and ``check`` are disjoint frame numbers, ascending.

    ``xyz`` (len(fit), K, 3) are the fitted frames' points in metres under the cameras as they are,
    NaN where there is none; ``travel_m`` is how far a typical keypoint is from its own mean place
    over the frames looked at (medians).
    """

    fit: Index
    check: Index
    xyz: FloatArray
    travel_m: float


def usable_frames(used: NDArray[np.bool_]) -> Index:
    """Frames in which enough keypoints are seen by three views: ``used`` is (T, V, K)."""
    shared = (used.sum(axis=1) >= 3).sum(axis=1)
    return np.flatnonzero(shared >= SHARED_KEYPOINTS)


def spread_evenly(frames: Index, count: int) -> Index:
    """At most ``count`` of the frames, evenly over their order."""
    if len(frames) <= count:
        return frames
    return frames[np.linspace(0, len(frames) - 1, count).round().astype(np.intp)]


def choose_frames(
    cameras: tuple[Camera, ...],
    xy: FloatArray,
    score: FloatArray,
    manual: NDArray[np.bool_],
    usable: Index,
    *,
    n_fit: int,
    n_check: int,
) -> Chosen:
    """Frames far from each other in time and in the volume, and others between them.

    The first is the one nearest the middle; each next one is the farthest from all before it,
    where the length of the trial counts as much as the volume the person moves through. ``xy`` is
    (T, V, K, 2), ``score`` and ``manual`` (T, V, K).
    """
    frames = spread_evenly(usable, CANDIDATES)
    n_views, n_keypoints = score.shape[1:]
    solved = triangulate(
        cameras,
        xy[frames].transpose(0, 2, 1, 3).reshape(-1, n_views, 2),
        score[frames].transpose(0, 2, 1).reshape(-1, n_views),
        manual=manual[frames].transpose(0, 2, 1).reshape(-1, n_views),
    )
    xyz = solved.xyz.reshape(len(frames), n_keypoints, 3)
    picked = _farthest(_features(frames, xyz), n_fit)
    fit = frames[picked]
    others = np.setdiff1d(usable, fit)
    return Chosen(fit, spread_evenly(others, n_check), xyz[picked], _travel(xyz))


def _features(frames: Index, xyz: FloatArray) -> FloatArray:
    """(F, 4) time and middle of the person, each over its range (at least half a metre)."""
    known = np.isfinite(xyz[..., 0])
    total = np.where(known[..., None], xyz, 0.0).sum(axis=1)
    middle = total / np.maximum(known.sum(axis=1), 1)[:, None]
    some = known.any(axis=1)
    if some.any():
        middle[~some] = middle[some].mean(axis=0)
    low, high = np.percentile(middle, [5, 95], axis=0)
    place = (middle - low) / max(float((high - low).max()), 0.5)
    time = (frames - frames[0]) / max(int(frames[-1] - frames[0]), 1)
    return np.concatenate([time[:, None], np.clip(place, -0.5, 1.5)], axis=1)


def _farthest(features: FloatArray, count: int) -> Index:
    distance = np.linalg.norm(features - np.median(features, axis=0), axis=1)
    picked = [int(distance.argmin())]
    nearest = np.linalg.norm(features - features[picked[0]], axis=1)
    while len(picked) < min(count, len(features)):
        picked.append(int(nearest.argmax()))
        nearest = np.minimum(nearest, np.linalg.norm(features - features[picked[-1]], axis=1))
    return np.array(sorted(picked), np.intp)


def _travel(xyz: FloatArray) -> float:
    known = np.isfinite(xyz[..., 0])
    enough = known.sum(axis=0) >= 2
    if not enough.any():
        return 0.0
    points = xyz[:, enough]
    away = points - np.nanmedian(points, axis=0)
    # The median over time: a few wild points must not pass for a movement.
    return float(np.nanmedian(np.nanmedian(np.linalg.norm(away, axis=-1), axis=0)))
