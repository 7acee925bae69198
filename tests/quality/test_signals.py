"""Lanes say where something is wrong, and jumping goes there."""

from __future__ import annotations

import numpy as np

from pipeline.data import edits
from pipeline.data.source import Flag
from pipeline.geometry.reconstruct import solve_points3d
from pipeline.quality.signals import BLOCK, frame_signals, next_frame_where
from tests.data.recordings import N_FRAMES, small_sequence


def test_signals_of_some_frames_equal_those_of_all() -> None:
    sequence = small_sequence()
    frames = np.arange(N_FRAMES)
    sequence.land(solve_points3d(sequence, 0, frames), frames, sequence.revision)
    whole, part = frame_signals(sequence, 0), frame_signals(sequence, 0, np.array([3, 290]))
    for name in ("residual", "confidence", "missing", "edited"):
        np.testing.assert_array_equal(getattr(whole, name)[[3, 290]], getattr(part, name))
    assert len(whole.residual) == N_FRAMES < BLOCK


def test_what_has_not_been_computed_is_neither_missing_nor_wrong() -> None:
    signals = frame_signals(small_sequence(), 0)
    assert np.isnan(signals.residual).all()
    assert (signals.missing == 0).all()


def test_what_cannot_be_computed_is_missing() -> None:
    sequence, frames = small_sequence(), np.arange(N_FRAMES)
    gone = np.argwhere(sequence.read("assignment.track")[:5] >= 0)
    sequence.apply(sequence.patch("assignment.track", gone, -1))
    sequence.land(solve_points3d(sequence, 0, frames), frames, sequence.revision)
    signals = frame_signals(sequence, 0)
    assert (signals.missing[:5] == 37).all()
    assert (signals.missing[5:] < 37).any()


def test_every_kind_of_edit_is_counted() -> None:
    sequence = small_sequence()
    for patches in (
        edits.place_point(sequence, 0, 5, 0, 18, (10, 20)),
        edits.toggle_flag(sequence, 0, 5, [1], 18, Flag.OCCLUDED),
        edits.place_point_3d(sequence, 0, 6, 18, (0, 1, 0)),
    ):
        for patch in patches:
            sequence.apply(patch)
    edited = frame_signals(sequence, 0).edited
    assert edited[5] == 2
    assert edited[6] == 1
    assert edited.sum() == 3


def test_jumping_to_the_next_and_previous_frame() -> None:
    there = np.zeros(10, bool)
    there[[2, 5, 9]] = True
    assert next_frame_where(there, 2, 1) == 5
    assert next_frame_where(there, 5, -1) == 2
    assert next_frame_where(there, 9, 1) is None
    assert next_frame_where(there, 2, -1) is None
