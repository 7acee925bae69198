"""How far the detections of one person are from their 3D points, by block, view and frame."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.data.observations import Observations, observations
from pipeline.data.sequence import Sequence
from pipeline.geometry.heldout import heldout_errors
from pipeline.geometry.projection import project_views

FloatArray = NDArray[np.float64]

# Detections below this score are used by the solver but not counted, as in Pose2Sim.
COUNTED_SCORE = 0.3
BLOCK = 200  # frames


@dataclass(frozen=True, slots=True)
class ErrorSummary:
    """Median and ninetieth percentile in pixels of ``n`` detections; NaN where ``n`` is 0.

    ``inf`` stands for predictions behind the camera.
    """

    median: float
    p90: float
    n: int


@dataclass(frozen=True, slots=True)
class ViewErrors:
    """A summary of every view, in the order of the V axis, and one over all their detections."""

    views: tuple[ErrorSummary, ...]
    overall: ErrorSummary


@dataclass(frozen=True, slots=True)
class Quality:
    """Errors of all detections above :data:`COUNTED_SCORE` in all views.

    ``reprojection`` is measured to the person's 3D point, ``heldout`` to the point that the
    *other* views agree on; ``n_markers`` keypoints have a 3D point in some frame.
    """

    n_markers: int
    reprojection: ViewErrors
    heldout: ViewErrors


def heldout_block(sequence: Sequence, track: int, frames: NDArray[np.intp]) -> FloatArray:
    """Distance of each detection from the point that the other views agree on.

    Parameters
    ----------
    sequence : Sequence
        Its ``points3d`` are not used, so they may be stale.
    track : int
    frames : (n,) int array
        One block; :data:`BLOCK` frames of 37 keypoints in 4 views take some tenths of a second.

    Returns
    -------
    (n, V, K) array
        Pixels; NaN where nothing is counted: no detection, a score up to :data:`COUNTED_SCORE`, or
        fewer than two other views. ``inf`` where the prediction lies behind the camera.
    """
    return _heldout(sequence, observations(sequence, track, frames))


def reprojection_block(sequence: Sequence, track: int, frames: NDArray[np.intp]) -> FloatArray:
    """Distance of each detection from the projected 3D point, as :func:`heldout_block`.

    The track's ``points3d`` must be up to date in ``frames``.
    """
    return _reprojection(sequence, track, frames, observations(sequence, track, frames))


def per_frame(errors: FloatArray) -> FloatArray:
    """(n,) median over the views and keypoints of (n, V, K) errors; NaN where none is counted."""
    flat = errors.reshape(len(errors), -1)
    median = np.full(len(flat), np.nan)
    some = ~np.isnan(flat).all(axis=1)
    if some.any():
        median[some] = np.nanmedian(flat[some], axis=1)
    return median


def summary(blocks: Iterable[FloatArray]) -> ViewErrors:
    """Summaries over one or more blocks (n, V, K) of errors in pixels; ValueError without any."""
    parts = [np.moveaxis(block, 1, 0).reshape(block.shape[1], -1) for block in blocks]
    by_view = np.concatenate(parts, axis=1)
    return ViewErrors(tuple(_summary(errors) for errors in by_view), _summary(by_view))


def quality_steps(sequence: Sequence, track: int) -> Generator[tuple[float, str], None, Quality]:
    """Measure a track whose ``points3d`` are up to date, in steps of :data:`BLOCK` frames."""
    n_frames = sequence.n_frames
    reprojection, heldout = [], []
    there = np.zeros(sequence.n_keypoints, bool)
    for start in range(0, n_frames, BLOCK):
        frames = np.arange(start, min(start + BLOCK, n_frames), dtype=np.intp)
        seen = observations(sequence, track, frames)
        there |= np.isfinite(sequence.read("points3d.xyz", frames, track)[..., 0]).any(axis=0)
        reprojection.append(_reprojection(sequence, track, frames, seen))
        heldout.append(_heldout(sequence, seen))
        yield (int(frames[-1]) + 1) / n_frames, "Measuring"
    return Quality(int(there.sum()), summary(reprojection), summary(heldout))


def _heldout(sequence: Sequence, seen: Observations) -> FloatArray:
    n, n_views, n_keypoints = seen.score.shape
    by_point = heldout_errors(
        sequence.cameras,
        seen.xy.transpose(0, 2, 1, 3).reshape(-1, n_views, 2),
        seen.score.transpose(0, 2, 1).reshape(-1, n_views),
        manual=seen.manual.transpose(0, 2, 1).reshape(-1, n_views),
    )
    return _counted(by_point.reshape(n, n_keypoints, n_views).transpose(0, 2, 1), seen)


def _reprojection(
    sequence: Sequence, track: int, frames: NDArray[np.intp], seen: Observations
) -> FloatArray:
    n, n_views, n_keypoints = seen.score.shape
    xyz = sequence.read("points3d.xyz", frames, track).astype(np.float64)
    projected = project_views(sequence.cameras, xyz.reshape(-1, 3))  # (n K, V, 2)
    projected = projected.reshape(n, n_keypoints, n_views, 2).transpose(0, 2, 1, 3)
    return _counted(np.linalg.norm(projected - seen.xy, axis=-1), seen)


def _counted(errors: FloatArray, seen: Observations) -> FloatArray:
    return np.where(seen.score > COUNTED_SCORE, errors, np.nan)


def _summary(errors: FloatArray) -> ErrorSummary:
    counted = errors[~np.isnan(errors)]
    if not len(counted):
        return ErrorSummary(float("nan"), float("nan"), 0)
    # Between two infinite values there is nothing to interpolate.
    p90 = np.percentile(counted, 90, method="higher")
    return ErrorSummary(float(np.median(counted)), float(p90), len(counted))
