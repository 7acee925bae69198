"""Revisions, staleness and the landing of computed values."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.data import edits
from pipeline.data.layers import NO_TRACK
from pipeline.data.patch import Patch
from pipeline.data.sequence import Sequence
from tests.data.recordings import N_FRAMES, small_info


@pytest.fixture
def sequence() -> Sequence:
    return Sequence(small_info())


def apply(sequence: Sequence, patches: tuple[Patch, ...]) -> None:
    for patch in patches:
        sequence.apply(patch)


def points(sequence: Sequence, frames: np.ndarray, value: float, track: int = 0) -> tuple[Patch]:
    index = [(frame, point) for frame in frames for point in range(37)]
    return (sequence.patch("points3d.xyz", index, value, track),)


def stale(sequence: Sequence, track: int = 0) -> list[int]:
    return np.flatnonzero(sequence.stamps.stale("points3d", track)).tolist()


def test_everything_is_stale_until_computed(sequence: Sequence) -> None:
    frames = np.arange(N_FRAMES)
    assert stale(sequence) == frames.tolist()
    sequence.land(points(sequence, frames, 1.0), frames, sequence.revision)
    assert stale(sequence) == []


def test_an_edit_makes_its_frames_stale_for_its_track_only(sequence: Sequence) -> None:
    frames = np.arange(N_FRAMES)
    for track in (0, 1):
        sequence.land(points(sequence, frames, 1.0, track), frames, sequence.revision)
    apply(sequence, edits.place_point(sequence, 0, 17, 1, 2, (3, 4)))
    apply(sequence, edits.place_point_3d(sequence, 0, 99, 2, (3, 4, 5)))
    assert stale(sequence, 0) == [17, 99]
    assert stale(sequence, 1) == []
    sequence.apply(sequence.patch("assignment.track", [(5, 0, 0)], 1))
    assert stale(sequence, 0) == [5, 17, 99]
    assert stale(sequence, 1) == [5]


def test_undo_makes_stale_too(sequence: Sequence) -> None:
    frames = np.arange(N_FRAMES)
    patches = edits.place_point(sequence, 0, 17, 1, 2, (3, 4))
    apply(sequence, patches)
    sequence.land(points(sequence, frames, 1.0), frames, sequence.revision)
    apply(sequence, tuple(patch.inverse() for patch in reversed(patches)))
    assert stale(sequence) == [17]


def test_ignoring_a_person_makes_nothing_stale(sequence: Sequence) -> None:
    frames = np.arange(N_FRAMES)
    sequence.land(points(sequence, frames, 1.0), frames, sequence.revision)
    apply(sequence, edits.ignore_track(sequence, 0, True))
    assert stale(sequence) == []


def test_values_computed_before_an_edit_do_not_land_on_its_frame(sequence: Sequence) -> None:
    frames = np.arange(10, 20)
    base = sequence.revision
    computed = points(sequence, frames, 1.0)
    apply(sequence, edits.place_point(sequence, 0, 13, 1, 2, (3, 4)))
    apply(sequence, edits.place_point(sequence, 0, 30, 1, 2, (3, 4)))  # not among the frames
    (change,) = sequence.land(computed, frames, base)
    landed = [frame for frame in frames if frame != 13]
    assert change.frames.tolist() == landed
    xyz = sequence.read("points3d.xyz", frames, 0)
    assert np.isnan(xyz[3]).all()
    assert np.all(xyz[[0, 1, 2, 4, 5, 6, 7, 8, 9]] == 1)
    assert not set(landed) & set(stale(sequence))
    assert 13 in stale(sequence)
    sequence.land(points(sequence, np.array([13]), 2.0), np.array([13]), sequence.revision)
    assert 13 not in stale(sequence)


def test_landing_does_not_count_as_an_edit(sequence: Sequence) -> None:
    before = sequence.revision
    frames = np.arange(5)
    sequence.land(points(sequence, frames, 1.0), frames, before)
    assert sequence.revision == before


def test_only_derived_layers_land(sequence: Sequence) -> None:
    patch = sequence.patch("manual3d.xyz", [(0, 0)], 1.0, 0)
    with pytest.raises(ValueError, match="not a derived layer"):
        sequence.land((patch,), np.array([0]), 0)


def test_forgetting_makes_all_stale(sequence: Sequence) -> None:
    frames = np.arange(N_FRAMES)
    sequence.land(points(sequence, frames, 1.0), frames, sequence.revision)
    sequence.stamps.forget("points3d", 0)
    assert stale(sequence) == frames.tolist()


def test_patches_outside_a_layer_are_refused(sequence: Sequence) -> None:
    for index in ([(N_FRAMES, 0, 0)], [(0, 3, 0)], [(0, 0, 37)], [(-1, 0, 0)]):
        with pytest.raises(IndexError, match=r"manual2d\.xy"):
            sequence.patch("manual2d.xy", index, 0.0, 0)
    with pytest.raises(ValueError, match="indexed by"):
        sequence.patch("manual2d.xy", [(0, 0)], 0.0, 0)
    with pytest.raises(ValueError, match="track"):
        sequence.patch("manual2d.xy", [(0, 0, 0)], 0.0, NO_TRACK)
    with pytest.raises(ValueError, match="track"):
        sequence.read("assignment.track", track=0)


def test_a_patch_keeps_what_it_replaces(sequence: Sequence) -> None:
    apply(sequence, edits.place_point(sequence, 0, 17, 1, 2, (3, 4)))
    patch = sequence.patch("manual2d.xy", [(17, 1, 2), (18, 1, 2)], (5, 6), 0)
    assert patch.old[0].tolist() == [3, 4]
    assert np.isnan(patch.old[1]).all()
    assert patch.new.tolist() == [[5, 6], [5, 6]]
    assert patch.frames.tolist() == [17, 18]
    assert sequence.read("manual2d.xy", [17], 0)[0, 1, 2].tolist() == [3, 4]
