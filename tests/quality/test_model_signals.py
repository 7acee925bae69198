"""How far the body model stays away: only where both sides are up to date."""

from __future__ import annotations

import numpy as np

from pipeline.quality.model_signals import model_signal
from tests.viewer.fakes import ANNOTATED, make_sequence


def test_the_largest_distance_counts_and_stale_frames_are_unknown() -> None:
    sequence = make_sequence(n_frames=6)
    frames = np.arange(6)
    assert np.isnan(model_signal(sequence, ANNOTATED, frames)).all()
    n_keypoints = sequence.n_keypoints
    index = np.stack(np.meshgrid(frames, np.arange(n_keypoints), indexing="ij"), -1).reshape(-1, 2)
    points = np.zeros((6, n_keypoints, 3))
    points[:, 1] = np.nan
    body = points.copy()
    body[:, 1] = 5.0  # nobody measured it
    body[:, 2, 1] = 0.012
    body[3, 4, 0] = -0.090
    for name, values in (("fused.xyz", points), ("kinematics.xyz", body)):
        sequence.apply(sequence.patch(name, index, values.reshape(-1, 3), ANNOTATED))
        sequence.stamps.computed(name.partition(".")[0], ANNOTATED, frames, sequence.revision)
    np.testing.assert_allclose(
        model_signal(sequence, ANNOTATED, frames), [12, 12, 12, 90, 12, 12], atol=1e-3
    )
    sequence.stamps.forget("kinematics", ANNOTATED)
    assert np.isnan(model_signal(sequence, ANNOTATED, frames)).all()
