"""From a sequence's observations to the derived 3D points of one person."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.data.camera import CameraGroup
from pipeline.data.observations import observations
from pipeline.data.patch import Patch
from pipeline.data.sequence import Sequence
from pipeline.data.source import Source
from pipeline.geometry.projection import project_views
from pipeline.geometry.triangulation import triangulate

FloatArray = NDArray[np.float64]

# Pose2Sim's likelihood threshold: below it a detection says little about whether a point is wrong.
COUNTED_SCORE = 0.3


def solve_points3d(sequence: Sequence, track: int, frames: NDArray[np.intp]) -> tuple[Patch, ...]:
    """Patches that bring the ``points3d`` layers of ``track`` up to date in ``frames`` (n,).

    A point placed in 3D stands where it was put; everything else is triangulated from all views.
    The residual is the root mean square in pixels over the views that count: those in which a
    person placed the point or the detector's score is at least :data:`COUNTED_SCORE`, or all views
    with an observation where there is none such. The sigma of a point placed in 3D is NaN, because
    nobody measured it.
    """
    cameras = sequence.cameras
    seen = observations(sequence, track, frames)
    _, n_views, n_keypoints = seen.score.shape
    by_point = seen.xy.transpose(0, 2, 1, 3).reshape(-1, n_views, 2)
    score = seen.score.transpose(0, 2, 1).reshape(-1, n_views)
    solved = triangulate(
        cameras,
        by_point,
        score,
        manual=seen.manual.transpose(0, 2, 1).reshape(-1, n_views),
    )
    xyz, residual, sigma = solved.xyz, solved.residual, solved.sigma
    source = np.where(np.isfinite(xyz[:, 0]), int(Source.TRIANGULATED), int(Source.NONE))
    placed = sequence.read("manual3d.xyz", frames, track).reshape(-1, 3)
    by_hand = np.isfinite(placed[:, 0])
    if by_hand.any():
        xyz[by_hand] = placed[by_hand]
        residual[by_hand] = np.linalg.norm(
            by_point[by_hand] - project_views(cameras, placed[by_hand]), axis=-1
        )
        sigma[by_hand] = np.nan
        source[by_hand] = Source.MANUAL_3D
    touched = seen.manual.any(axis=1).reshape(-1) & ~by_hand & (source != Source.NONE)
    source[touched] = Source.MANUAL_2D

    counted = score >= COUNTED_SCORE  # a placed point has score 1
    counted |= ~(counted & np.isfinite(residual)).any(axis=1, keepdims=True)
    index = np.stack(np.meshgrid(frames, np.arange(n_keypoints), indexing="ij"), -1).reshape(-1, 2)
    values = {
        "points3d.xyz": xyz,
        "points3d.residual": root_mean_square(np.where(counted, residual, np.nan)),
        "points3d.sigma": sigma,
        "points3d.n_views": solved.n_views,
        "points3d.source": source,
    }
    return tuple(sequence.patch(name, index, value, track) for name, value in values.items())


def root_mean_square(residual: FloatArray) -> FloatArray:
    """Root mean square over the last axis, ignoring NaN; NaN where there is nothing. (N,)"""
    count = np.isfinite(residual).sum(axis=-1)
    total = np.nansum(np.where(np.isfinite(residual), residual, np.nan) ** 2, axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(count > 0, np.sqrt(total / count), np.nan)


def solve_point(
    cameras: CameraGroup, xy: FloatArray, score: FloatArray, manual: NDArray[np.bool_]
) -> tuple[FloatArray, float]:
    """One point from its views: xy (V, 2) px, score (V,), manual (V,) → xyz (3,) m, sigma mm."""
    solved = triangulate(cameras, xy[None], score[None], manual=manual[None])
    return solved.xyz[0], float(solved.sigma[0])
