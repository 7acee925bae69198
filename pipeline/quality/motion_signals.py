"""Per-frame signals of the 3D points of one person: spread, views, lengths, symmetry, motion."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.data.observations import detections
from pipeline.data.sequence import Sequence
from pipeline.data.source import Source
from pipeline.geometry.projection import project_views
from pipeline.geometry.track_limbs import RIGID_SIGMA, segments

FloatArray = NDArray[np.float64]
Rows = NDArray[np.intp]

# Metres. Of shorter bones, such as those of the foot, detector noise is more than the length tells.
LONG_BONE = 0.12
# Frames spread over the recording from which the subject's own lengths are taken: the median of
# 400 lengths with 15 mm spread is known to 1 mm.
SAMPLED = 400


@dataclass(frozen=True, slots=True, eq=False)
class Body:
    """Bones of one person that keep their length.

    Parameters
    ----------
    pairs : (S, 2) int array
        Keypoint indices of the ends.
    length : (S,) array
        Median length in metres; NaN where the bone was never seen or is a short one.
    mirrored : (M, 2) int array
        Positions in ``pairs`` of the left and the right one of the same bone.
    given : (K,) bool array
        True for keypoints that the detector gives in some view of some sampled frame.
    """

    pairs: NDArray[np.intp]
    length: FloatArray
    mirrored: NDArray[np.intp]
    given: NDArray[np.bool_]


def measure_body(sequence: Sequence, track: int) -> Body:
    """Lengths of a person's bones, from :data:`SAMPLED` frames spread over the recording."""
    pairs, sigma, group = segments(sequence.info.skeleton)
    rigid = sigma == RIGID_SIGMA
    pairs, group = pairs[rigid], group[rigid]
    mirrored = [np.flatnonzero(group == number) for number in np.unique(group)]
    n = min(SAMPLED, sequence.n_frames)
    rows = np.unique(np.linspace(0, max(sequence.n_frames - 1, 0), n).astype(np.intp))
    xyz = sequence.read("points3d.xyz", rows, track).astype(np.float64)
    length = _nan_median(_lengths(xyz, pairs))
    length[~(length >= LONG_BONE)] = np.nan
    detected, score = detections(sequence, track, rows)
    return Body(
        pairs,
        length,
        np.array([pair for pair in mirrored if len(pair) == 2], np.intp).reshape(-1, 2),
        np.any(np.isfinite(detected[..., 0]) & (score > 0), axis=(0, 1)),
    )


def _lengths(xyz: FloatArray, pairs: NDArray[np.intp]) -> FloatArray:
    ends: FloatArray = xyz[:, pairs[:, 0]] - xyz[:, pairs[:, 1]]
    return np.asarray(np.linalg.norm(ends, axis=-1))


def _nan_median(values: FloatArray) -> FloatArray:
    """Median over the first axis; NaN where there is nothing, without a warning."""
    median = np.full(values.shape[1], np.nan)
    some = np.isfinite(values).any(axis=0)
    if some.any():
        median[some] = np.nanmedian(values[:, some], axis=0)
    return median


def largest(values: FloatArray) -> FloatArray:
    """(n,) largest finite value of each row of (n, m); NaN where there is none."""
    found = np.isfinite(values)
    top = np.where(found, values, -np.inf).max(axis=1, initial=-np.inf)
    return np.where(found.any(axis=1), top, np.nan)


def point_signals(sequence: Sequence, track: int, rows: Rows, body: Body) -> dict[str, FloatArray]:
    """Signals that need one frame of ``points3d`` only, each (n,) with NaN where nothing is known.

    Returns
    -------
    dict
        ``sigma``: largest standard deviation of a point, mm. ``views``: mean number of views
        behind the triangulated points. ``limb``: largest deviation of a long bone from its median
        length, %. ``asymmetry``: largest difference between the left and the right one of a bone,
        % of their mean. ``missing``: keypoints without a point, of those that the detector ever
        gives.
    """
    xyz = sequence.read("points3d.xyz", rows, track).astype(np.float64)
    sigma = sequence.read("points3d.sigma", rows, track).astype(np.float64)
    n_views = sequence.read("points3d.n_views", rows, track).astype(np.float64)
    source = sequence.read("points3d.source", rows, track)
    there = np.isfinite(xyz[..., 0])
    seen = there & (source != Source.MANUAL_3D)
    counted = seen.sum(axis=1)
    views = np.where(seen, n_views, 0.0).sum(axis=1) / np.maximum(counted, 1)
    lengths = np.where(np.isfinite(body.length), _lengths(xyz, body.pairs), np.nan)
    left, right = lengths[:, body.mirrored[:, 0]], lengths[:, body.mirrored[:, 1]]
    missing = (body.given & ~there).sum(axis=1).astype(np.float64)
    missing[sequence.stamps.stale_at("points3d", track, rows)] = 0.0
    with np.errstate(invalid="ignore", divide="ignore"):
        limb = 100.0 * np.abs(lengths / body.length - 1.0)
        asymmetry = 200.0 * np.abs(left - right) / (left + right)
    return {
        "sigma": largest(np.where(there, sigma, np.nan)),
        "views": np.where(counted > 0, views, np.nan),
        "limb": largest(limb),
        "asymmetry": largest(asymmetry),
        "missing": missing,
    }


def motion_signals(
    sequence: Sequence, track: int, rows: Rows, keypoint: int
) -> dict[str, FloatArray]:
    """How fast and how abruptly a keypoint moves, or (``keypoint`` -1) the worst of all.

    Returns
    -------
    dict
        ``speed``: m/s between the neighbouring frames. ``jump``: length of the second difference
        of the position, mm. Both (n,), NaN where a frame or a neighbour has no point.
    """
    first, last = int(rows[0]), int(rows[-1])
    low, high = max(first - 1, 0), min(last + 2, sequence.n_frames)
    xyz = sequence.read("points3d.xyz", slice(low, high), track).astype(np.float64)
    if keypoint >= 0:
        xyz = xyz[:, keypoint : keypoint + 1]
    before, here, after = (
        _shifted(xyz, rows - low + step, sequence.n_frames, low) for step in (-1, 0, 1)
    )
    speed = np.linalg.norm(after - before, axis=-1) * (sequence.info.fps / 2.0)
    jump = np.linalg.norm(before - 2.0 * here + after, axis=-1) * 1000.0
    return {"speed": largest(speed), "jump": largest(jump)}


def _shifted(xyz: FloatArray, index: Rows, n_frames: int, low: int) -> FloatArray:
    """Rows of ``xyz``; NaN for those before the first or after the last frame."""
    inside = (index + low >= 0) & (index + low < n_frames)
    taken = xyz[np.where(inside, index, 0)]
    return np.where(inside[:, None, None], taken, np.nan)


def outside_signal(sequence: Sequence, track: int, rows: Rows) -> FloatArray:
    """(n,) number of points, over all views, that fall outside the picture; NaN without points."""
    xyz = sequence.read("points3d.xyz", rows, track).astype(np.float64)
    n, n_keypoints = xyz.shape[:2]
    cameras = sequence.cameras
    projected = project_views(cameras, xyz.reshape(-1, 3)).reshape(n, n_keypoints, len(cameras), 2)
    sizes = np.array([camera.size for camera in cameras.cameras], np.float64)
    known = np.isfinite(projected).all(axis=-1).reshape(n, -1)
    beyond = ((projected < -0.5) | (projected > sizes - 0.5)).any(axis=-1).reshape(n, -1) & known
    count = beyond.sum(axis=1).astype(np.float64)
    return np.where(known.any(axis=1), count, np.nan)
