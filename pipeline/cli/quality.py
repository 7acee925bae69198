"""How good the 3D points of one person are, in the two numbers that ``simspine`` prints."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np

from pipeline.data.observations import observations
from pipeline.data.sequence import Sequence
from pipeline.geometry.heldout import heldout_errors
from pipeline.geometry.projection import project_views

# Detections below this score are used by the solver but not counted, as in Pose2Sim.
COUNTED_SCORE = 0.3
BLOCK = 200  # frames


@dataclass(frozen=True, slots=True)
class Quality:
    """Median errors over all views of all detections above :data:`COUNTED_SCORE`, in pixels.

    ``reprojection`` is measured to the person's 3D point, over ``n_reprojection`` detections;
    ``heldout`` to the point that the *other* views agree on, over ``n_heldout``. NaN without any.
    """

    n_markers: int
    reprojection: float
    n_reprojection: int
    heldout: float
    n_heldout: int


def quality_steps(sequence: Sequence, track: int) -> Generator[tuple[float, str], None, Quality]:
    """Measure a track whose ``points3d`` are up to date, in steps."""
    cameras, n_frames = sequence.info.cameras, sequence.n_frames
    reprojection, heldout = [np.zeros(0)], [np.zeros(0)]
    there = np.zeros(sequence.n_keypoints, bool)
    for start in range(0, n_frames, BLOCK):
        frames = np.arange(start, min(start + BLOCK, n_frames), dtype=np.intp)
        seen = observations(sequence, track, frames)
        pixels = seen.xy.transpose(0, 2, 1, 3).reshape(-1, len(cameras), 2)
        score, manual = (
            part.transpose(0, 2, 1).reshape(-1, len(cameras)) for part in (seen.score, seen.manual)
        )
        xyz = sequence.read("points3d.xyz", frames, track).astype(np.float64)
        there |= np.isfinite(xyz[..., 0]).any(axis=0)
        error = np.linalg.norm(project_views(cameras, xyz.reshape(-1, 3)) - pixels, axis=-1)
        predicted = heldout_errors(cameras, pixels, score, manual=manual)
        counted = score > COUNTED_SCORE
        for errors, found in ((reprojection, error), (heldout, predicted)):
            errors.append(found[counted & ~np.isnan(found)])
        yield (frames[-1] + 1) / n_frames, "Measuring"
    all_reprojection, all_heldout = np.concatenate(reprojection), np.concatenate(heldout)
    return Quality(
        int(there.sum()),
        _median(all_reprojection),
        len(all_reprojection),
        _median(all_heldout),
        len(all_heldout),
    )


def _median(errors: np.ndarray) -> float:
    return float(np.median(errors)) if len(errors) else float("nan")
