"""Per-frame signals of one person: residual, confidence, missing, edited."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.data.observations import observations
from pipeline.data.sequence import Sequence

FloatArray = NDArray[np.float64]

BLOCK = 2048  # frames read at once, so that memory stays flat on long recordings


@dataclass(frozen=True, slots=True, eq=False)
class FrameSignals:
    """One value per frame, shape (n,).

    ``residual``: largest keypoint residual, px (NaN: nothing triangulated). ``confidence``: mean
    score of the observed points. ``missing``: number of keypoints without a 3D point, 0 where the
    points have not been computed yet. ``edited``: number of values placed or flagged by a person.
    """

    residual: FloatArray
    confidence: FloatArray
    missing: NDArray[np.intp]
    edited: NDArray[np.intp]


def frame_signals(
    sequence: Sequence, track: int, frames: NDArray[np.intp] | None = None
) -> FrameSignals:
    """Signals of ``frames`` (all by default) from the state of the sequence as it is."""
    rows = np.arange(sequence.n_frames) if frames is None else frames
    parts = [_block(sequence, track, rows[i : i + BLOCK]) for i in range(0, len(rows), BLOCK)]
    if not parts:
        empty = np.zeros(0)
        return FrameSignals(empty, empty, empty.astype(np.intp), empty.astype(np.intp))
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    return FrameSignals(*columns)


def _block(
    sequence: Sequence, track: int, rows: NDArray[np.intp]
) -> tuple[FloatArray, FloatArray, NDArray[np.intp], NDArray[np.intp]]:
    residual = sequence.read("points3d.residual", rows, track).astype(float)
    found = np.isfinite(residual)
    largest = np.where(found.any(axis=1), np.where(found, residual, 0.0).max(axis=1), np.nan)
    seen = observations(sequence, track, rows)
    n_seen = np.isfinite(seen.xy[..., 0]).sum(axis=(1, 2))
    confidence = seen.score.sum(axis=(1, 2)) / np.maximum(n_seen, 1)
    missing = (~np.isfinite(sequence.read("points3d.xyz", rows, track)[..., 0])).sum(axis=1)
    missing[sequence.stamps.stale_at("points3d", track, rows)] = 0
    placed = np.isfinite(sequence.read("manual3d.xyz", rows, track)[..., 0]).sum(axis=1)
    edited = (seen.manual | (seen.flags != 0)).sum(axis=(1, 2)) + placed
    return largest, confidence, missing, edited


def next_frame_where(condition: NDArray[np.bool_], frame: int, direction: int) -> int | None:
    """First frame after (``direction`` 1) or before (-1) ``frame`` where ``condition`` holds."""
    where = np.flatnonzero(condition)
    ahead = where[where > frame] if direction > 0 else where[where < frame]
    if not len(ahead):
        return None
    return int(ahead[0] if direction > 0 else ahead[-1])
