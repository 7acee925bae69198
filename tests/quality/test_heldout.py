"""The held-out-camera error of a track: counted, summarised by view and frame, not flattered."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.data import edits
from pipeline.data.camera import SyncMap
from pipeline.data.sequence import RecordingInfo, Sequence, VideoRef
from pipeline.data.skeleton import project_skeleton
from pipeline.geometry.reconstruct import solve_points3d
from pipeline.quality.heldout import (
    BLOCK,
    heldout_block,
    per_frame,
    quality_steps,
    reprojection_block,
    summary,
)
from tests.truth.cameras import observe, ring

N_VIEWS, PUSHED, SHIFT = 4, 2, 25.0


def sequence_of(n_frames: int, shift: float = 0.0, noise: float = 0.0) -> Sequence:
    """One person of fixed points; every detection of view ``PUSHED`` lies ``shift`` px aside."""
    cameras, skeleton = ring(N_VIEWS, 5), project_skeleton()
    points = np.random.default_rng(3).uniform([-0.6, 0.2, -0.6], [0.6, 1.8, 0.6], (37, 3))
    xy = np.tile(observe(cameras, points).swapaxes(0, 1), (n_frames, 1, 1, 1))  # (T, V, K, 2)
    xy += np.random.default_rng(4).normal(0.0, noise, xy.shape)
    xy[:, PUSHED, :, 0] += shift
    info = RecordingInfo(
        "held", 50.0, n_frames, cameras, (VideoRef(None, (1920, 1080), 0),) * N_VIEWS,
        (SyncMap(),) * N_VIEWS, skeleton, 1,
    )  # fmt: skip
    sequence = Sequence(info)
    for layer, values in (
        ("instances2d.xy", xy[:, :, None]),
        ("instances2d.score", np.full((n_frames, N_VIEWS, 1, 37), 0.9)),
        ("assignment.track", np.zeros((n_frames, N_VIEWS, 1))),
    ):
        axes = np.indices(sequence.layer(layer).shape[: 3 if layer.startswith("assign") else 4])
        index = axes.reshape(len(axes), -1).T
        sequence.apply(sequence.patch(layer, index, values.reshape(len(index), *values.shape[4:])))
    return sequence


def test_only_the_held_out_error_shows_the_whole_push_of_one_view() -> None:
    sequence = sequence_of(3, SHIFT)
    frames = np.arange(3)
    for patch in solve_points3d(sequence, 0, frames):
        sequence.apply(patch)
    heldout = summary([heldout_block(sequence, 0, frames)])
    assert heldout.views[PUSHED].median == pytest.approx(SHIFT, abs=0.1)
    assert heldout.views[PUSHED].n == 3 * 37
    assert heldout.overall.n == 3 * 37 * N_VIEWS
    assert heldout.overall.median < heldout.views[PUSHED].median <= heldout.views[PUSHED].p90
    reprojection = summary([reprojection_block(sequence, 0, frames)])
    assert reprojection.views[PUSHED].median < 0.95 * SHIFT


def test_exact_detections_have_no_error() -> None:
    errors = heldout_block(sequence_of(2), 0, np.arange(2))
    assert errors.shape == (2, N_VIEWS, 37)
    assert np.nanmax(errors) < 1e-2  # detections are stored as float32
    assert not np.isnan(errors).any()


def test_detections_of_a_low_score_are_not_counted() -> None:
    sequence = sequence_of(4, SHIFT)
    low = [(1, PUSHED, 0, k) for k in range(37)]
    sequence.apply(sequence.patch("instances2d.score", low, 0.29))
    errors = heldout_block(sequence, 0, np.arange(4))
    assert np.isnan(errors[1, PUSHED]).all()
    assert np.isnan(errors).sum() == 37


def test_a_frame_without_anybody_is_nan_and_a_correction_shows_in_its_own_frame() -> None:
    sequence = sequence_of(4)
    sequence.apply(sequence.patch("assignment.track", [(2, v, 0) for v in range(N_VIEWS)], -1))
    for keypoint in range(37):
        for patch in edits.place_point(sequence, 0, 1, PUSHED, keypoint, (50.0, 50.0)):
            sequence.apply(patch)
    found = per_frame(heldout_block(sequence, 0, np.arange(4)))
    assert np.isnan(found[2])
    assert found[1] > 10 * max(found[0], found[3])
    nothing = summary([heldout_block(sequence, 0, np.array([2]))])
    assert nothing.overall.n == 0
    assert np.isnan(nothing.overall.median)


def test_block_by_block_is_the_same_as_all_at_once() -> None:
    sequence = sequence_of(BLOCK + 5, SHIFT, noise=3.0)
    frames = np.arange(BLOCK + 5)
    for patch in solve_points3d(sequence, 0, frames):
        sequence.apply(patch)
    steps = quality_steps(sequence, 0)
    told = []
    while True:
        try:
            told.append(next(steps))
        except StopIteration as end:
            quality = end.value
            break
    assert [fraction for fraction, _ in told] == [BLOCK / (BLOCK + 5), 1.0]
    whole = summary([heldout_block(sequence, 0, frames)])
    assert quality.heldout.overall.n == whole.overall.n
    assert quality.heldout.overall.median == pytest.approx(whole.overall.median, abs=1e-6)
    assert quality.n_markers == 37


def test_predictions_behind_the_camera_stay_infinite() -> None:
    errors = np.full((1, 2, 10), np.inf)
    errors[0, 0, :9] = 1.0
    found = summary([errors])
    assert (found.views[0].median, found.views[0].p90) == (1.0, np.inf)
    assert found.views[1].median == np.inf
