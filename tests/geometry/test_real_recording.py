"""The figures that the real recording must reach, with every detection counted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline.geometry.association import associate
from pipeline.geometry.heldout import heldout_errors
from pipeline.geometry.triangulation import LINEAR_OPTIONS, triangulate
from pipeline.io.recording import load_recording, recognise


@pytest.mark.realdata
def test_reprojection_and_heldout_error_reach_the_peers(balancing: Path) -> None:
    recording = load_recording(recognise(balancing))
    cameras = recording.cameras
    tracks = associate(cameras, recording.instances_xy, recording.instances_score)
    frame, view, person = np.nonzero(tracks == 0)
    n_frames, n_views, _, n_points = recording.instances_score.shape
    xy = np.full((n_frames, n_points, n_views, 2), np.nan)
    score = np.zeros((n_frames, n_points, n_views))
    xy[frame, :, view] = recording.instances_xy[frame, view, person]
    score[frame, :, view] = recording.instances_score[frame, view, person]
    detected = np.isfinite(xy[..., 0]).any(axis=(0, 2)) & (score.max(axis=(0, 2)) > 0.3)
    xy, score = xy[:, detected].reshape(-1, n_views, 2), score[:, detected].reshape(-1, n_views)
    counted = (score > 0.3) & np.isfinite(xy[..., 0])

    solved = triangulate(cameras, xy, score)
    assert np.isfinite(solved.xyz).all(axis=1).mean() > 0.99
    # Pose2Sim's own points: 10.75 px; plain weighted DLT: 23.0 px.
    assert np.median(solved.residual[counted]) <= 10.75
    ours = np.nanmedian(heldout_errors(cameras, xy, score)[counted])
    assert ours <= 23.0
    dlt = heldout_errors(cameras, xy, score, options=LINEAR_OPTIONS)[counted]
    assert ours <= np.nanmedian(dlt)
