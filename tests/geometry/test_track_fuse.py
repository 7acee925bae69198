"""The fused layers of a sequence: every value says where it came from."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pipeline.data import edits
from pipeline.data.camera import SyncMap
from pipeline.data.sequence import RecordingInfo, Sequence, VideoRef
from pipeline.data.skeleton import project_skeleton
from pipeline.data.source import Flag, Source
from pipeline.geometry.fuse import (
    REACH,
    known_lengths,
    remember_lengths,
    solve_fused,
    track_lengths,
)
from pipeline.geometry.track_limbs import SAME_LENGTH, LimbLengths, same_lengths, segments
from tests.truth.cameras import observe, ring
from tests.truth.moving_body import detected_body, moving_body

N, TRACK, KNEE = 90, 0, project_skeleton().index("left_knee")
SIZE = (1920, 1080)


@pytest.fixture(scope="module")
def truth() -> np.ndarray:
    return moving_body(N, seed=6)


@pytest.fixture
def sequence(truth: np.ndarray) -> Sequence:
    cameras = ring(4)
    info = RecordingInfo(
        "truth", 60.0, N, cameras, (VideoRef(None, SIZE, 0),) * 4, (SyncMap(),) * 4,
        project_skeleton(), 1,
    )  # fmt: skip
    sequence = Sequence(info)
    xy, score = detected_body(cameras, truth)
    index = np.indices((N, 4, 1, 37)).reshape(4, -1).T
    sequence.apply(sequence.patch("instances2d.xy", index, xy.reshape(-1, 2)))
    sequence.apply(sequence.patch("instances2d.score", index, score.reshape(-1)))
    who = np.indices((N, 4, 1)).reshape(3, -1).T
    sequence.apply(sequence.patch("assignment.track", who, TRACK))
    return sequence


def fused(sequence: Sequence, frames: np.ndarray | None = None) -> dict[str, np.ndarray]:
    frames = np.arange(N) if frames is None else frames
    sequence.land(solve_fused(sequence, TRACK, frames), frames, sequence.revision)
    return {
        name: sequence.read(f"fused.{name}", track=TRACK) for name in ("xyz", "sigma", "source")
    }


def do(sequence: Sequence, patches: tuple) -> None:
    for patch in patches:
        sequence.apply(patch)


def test_all_frames_are_solved(sequence: Sequence, truth: np.ndarray) -> None:
    solved = fused(sequence)
    assert np.nanmedian(np.linalg.norm(solved["xyz"] - truth, axis=-1)) < 0.025
    assert (solved["source"] == Source.TRIANGULATED).mean() > 0.97
    assert not sequence.stamps.stale("fused", TRACK).any()


def test_an_edit_changes_no_more_than_its_reach(sequence: Sequence, truth: np.ndarray) -> None:
    before = fused(sequence)
    target = before["xyz"][45, KNEE] + [0.04, 0.0, 0.03]
    for view, xy in enumerate(observe(sequence.cameras, target[None])[0]):
        do(sequence, edits.place_point(sequence, TRACK, 45, view, KNEE, xy))
    stale = np.flatnonzero(sequence.stamps.stale("fused", TRACK))
    assert stale.tolist() == list(range(45 - REACH, 45 + REACH + 1))
    partly = fused(sequence, stale)
    assert np.linalg.norm(partly["xyz"][45, KNEE] - target) < 0.003
    assert partly["source"][45, KNEE] == Source.MANUAL_2D
    assert partly["source"][44, KNEE] == Source.TRIANGULATED
    # As if everything had been solved again.
    wholly = fused(sequence)
    assert np.nanmax(np.linalg.norm(partly["xyz"] - wholly["xyz"], axis=-1)) < 0.0005


def test_single_frames_far_apart_come_out_as_all_together(sequence: Sequence) -> None:
    some = np.array([0, 3, 44, 89])
    apart = {name: values[some] for name, values in fused(sequence, some).items()}
    whole = fused(sequence)
    assert np.nanmax(np.linalg.norm(apart["xyz"] - whole["xyz"][some], axis=-1)) < 0.0005
    assert np.array_equal(apart["source"], whole["source"][some])
    assert solve_fused(sequence, TRACK, np.zeros(0, np.intp)) == ()


def test_bridged_and_missing_points_say_so(sequence: Sequence) -> None:
    views = [0, 1, 2, 3]
    for frame in (*range(30, 36), *range(50, 80)):
        do(sequence, edits.toggle_flag(sequence, TRACK, frame, views, KNEE, Flag.OCCLUDED))
    solved = fused(sequence)
    assert (solved["source"][30:36, KNEE] == Source.INTERPOLATED).all()
    assert np.isfinite(solved["xyz"][30:36, KNEE]).all()
    assert (solved["source"][50:80, KNEE] == Source.NONE).all()
    assert np.isnan(solved["xyz"][50:80, KNEE]).all()


def test_a_3d_placement_stands(sequence: Sequence) -> None:
    there = np.array([0.1, 1.0, 0.2])
    do(sequence, edits.place_point_3d(sequence, TRACK, 20, KNEE, there))
    solved = fused(sequence)
    np.testing.assert_allclose(solved["xyz"][20, KNEE], there, atol=1e-6)
    assert solved["source"][20, KNEE] == Source.MANUAL_3D
    assert np.isnan(solved["sigma"][20, KNEE])


def test_who_is_split_in_two_has_other_limbs(sequence: Sequence, truth: np.ndarray) -> None:
    half = N // 2
    xy, _ = detected_body(sequence.cameras, 0.8 * truth[half:])
    index = np.indices((N - half, 4, 1, 37)).reshape(4, -1).T + np.array([half, 0, 0, 0])
    do(sequence, (sequence.patch("instances2d.xy", index, xy.reshape(-1, 2)),))
    together = track_lengths(sequence, TRACK)
    assert known_lengths(sequence, TRACK) is together
    do(sequence, edits.split_track(sequence, TRACK, half))
    assert known_lengths(sequence, TRACK) is None
    first, second = track_lengths(sequence, TRACK), track_lengths(sequence, TRACK + 1)
    assert not same_lengths(together, first)
    assert same_lengths(first, first)
    assert np.nanmedian(second.length / first.length) == pytest.approx(0.8, abs=0.03)


def test_lengths_measured_elsewhere_are_those_of_the_track_until_its_frames_change(
    sequence: Sequence,
) -> None:
    pairs, spread, _ = segments(project_skeleton())
    told = LimbLengths(pairs, np.full(len(pairs), 0.3), spread)
    remember_lengths(sequence, TRACK, told)
    assert track_lengths(sequence, TRACK) is told
    do(sequence, edits.split_track(sequence, TRACK, 60))
    assert known_lengths(sequence, TRACK) is None
    assert not same_lengths(track_lengths(sequence, TRACK), told)


def test_a_length_that_is_not_known_any_more_is_another(sequence: Sequence) -> None:
    lengths = track_lengths(sequence, TRACK)
    fewer = lengths.length.copy()
    fewer[np.flatnonzero(np.isfinite(fewer))[0]] = np.nan
    assert not same_lengths(lengths, replace(lengths, length=fewer))
    assert same_lengths(lengths, replace(lengths, length=lengths.length + 0.9 * SAME_LENGTH))


def test_limb_lengths_stay_while_points_are_corrected(sequence: Sequence) -> None:
    before = track_lengths(sequence, TRACK)
    do(sequence, edits.place_point(sequence, TRACK, 20, 0, KNEE, [10.0, 10.0]))
    assert track_lengths(sequence, TRACK) is before
