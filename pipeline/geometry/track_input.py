"""The input of a track's batch solve: checked, and which points take part."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pipeline.data.camera import CameraGroup
from pipeline.geometry.track_options import TrackOptions

FloatArray = NDArray[np.floating]
BoolArray = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Track:
    """Checked input of one solve, keypoints first where arithmetic wants it.

    ``xy`` (T, V, K, 2), ``score`` (T, V, K), ``manual`` (T, V, K), ``placed`` (T, K, 3) NaN = not,
    ``active`` (K, T) points that take part, ``seen`` (K, T) those that two views see.
    """

    cameras: CameraGroup
    xy: FloatArray
    score: FloatArray
    manual: BoolArray
    placed: FloatArray
    active: BoolArray
    seen: BoolArray
    fps: float

    def frames(self, start: int, stop: int) -> Track:
        """The same for frames ``start`` to ``stop``."""
        part = slice(start, stop)
        return replace(
            self, xy=self.xy[part], score=self.score[part], manual=self.manual[part],
            placed=self.placed[part], active=self.active[:, part], seen=self.seen[:, part],
        )  # fmt: skip


def checked_track(
    cameras: CameraGroup, xy: ArrayLike, score: ArrayLike, manual: ArrayLike | None,
    placed: ArrayLike | None, fps: float, options: TrackOptions,
) -> Track:  # fmt: skip
    """Bring the input of a solve into shape; ValueError where shapes do not fit."""
    pixels = np.asarray(xy, dtype=np.float64)
    scores = np.asarray(score, dtype=np.float64)
    if pixels.ndim != 4 or pixels.shape[1] != len(cameras) or pixels.shape[3] != 2:
        raise ValueError(f"xy has shape {pixels.shape}, expected (T, {len(cameras)}, K, 2)")
    if scores.shape != pixels.shape[:3]:
        raise ValueError(f"score has shape {scores.shape}, expected {pixels.shape[:3]}")
    if not fps > 0.0:
        raise ValueError(f"fps is {fps}, expected a positive number")
    t, _, k = scores.shape
    by_hand = np.zeros(scores.shape, bool) if manual is None else np.asarray(manual, dtype=bool)
    there = np.full((t, k, 3), np.nan) if placed is None else np.asarray(placed, dtype=np.float64)
    if by_hand.shape != scores.shape:
        raise ValueError(f"manual has shape {by_hand.shape}, expected {scores.shape}")
    if there.shape != (t, k, 3):
        raise ValueError(f"placed has shape {there.shape}, expected {(t, k, 3)}")
    used = np.isfinite(pixels[..., 0]) & ((scores > 0.0) | by_hand)
    seen = (used.sum(axis=1) >= 2).T
    fixed = np.isfinite(there[..., 0]).T
    active = bridged(seen | fixed, int(options.max_gap_s * fps + 1e-6))
    return Track(cameras, pixels, scores, by_hand, there, active, seen, fps)


def bridged(known: BoolArray, most: int) -> BoolArray:
    """(K, T) ``known`` with gaps of at most ``most`` frames between known ones closed."""
    t = known.shape[1]
    index = np.arange(t)
    before = np.maximum.accumulate(np.where(known, index, -1), axis=1)
    after = np.minimum.accumulate(np.where(known, index, t)[:, ::-1], axis=1)[:, ::-1]
    return np.asarray(known | ((before >= 0) & (after < t) & (after - before - 1 <= most)))
