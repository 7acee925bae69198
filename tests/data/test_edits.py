"""What each edit does to the layers, and what it leaves alone."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.data import edits
from pipeline.data.observations import observations, track_ids
from pipeline.data.patch import Patch
from pipeline.data.sequence import Sequence
from pipeline.data.source import Flag
from tests.data.recordings import small_arrays, small_sequence

F, V, K = 40, 1, 5


@pytest.fixture
def sequence() -> Sequence:
    return small_sequence()


def apply(sequence: Sequence, patches: tuple[Patch, ...]) -> tuple[Patch, ...]:
    for patch in patches:
        sequence.apply(patch)
    return patches


def flag_at(sequence: Sequence, view: int = V, track: int = 0, frame: int = F) -> int:
    return int(sequence.read("manual2d.flags", [frame], track)[0, view, K])


def xy_at(sequence: Sequence, view: int = V, track: int = 0, frame: int = F) -> list[float]:
    values: list[float] = sequence.read("manual2d.xy", [frame], track)[0, view, K].tolist()
    return values


def test_placing_clears_absence_and_rejection_but_not_occlusion(sequence: Sequence) -> None:
    sequence.apply(sequence.patch("manual2d.flags", [(F, V, K)], 7, 0))
    apply(sequence, edits.place_point(sequence, 0, F, V, K, (1, 2)))
    assert flag_at(sequence) == Flag.OCCLUDED
    assert xy_at(sequence) == [1, 2]


def test_placing_in_a_view_takes_a_3d_placement_back(sequence: Sequence) -> None:
    apply(sequence, edits.place_point_3d(sequence, 0, F, K, (1, 2, 3)))
    assert sequence.read("manual3d.xyz", [F], 0)[0, K].tolist() == [1, 2, 3]
    apply(sequence, edits.place_point(sequence, 0, F, V, K, (1, 2)))
    assert np.isnan(sequence.read("manual3d.xyz", [F], 0)).all()


def test_placing_where_it_is_already_is_no_edit(sequence: Sequence) -> None:
    apply(sequence, edits.place_point(sequence, 0, F, V, K, (1, 2)))
    assert edits.place_point(sequence, 0, F, V, K, (1, 2)) == ()


def test_deleting_and_reverting(sequence: Sequence) -> None:
    apply(sequence, edits.place_point(sequence, 0, F, 0, K, (1, 2)))
    before = observations(small_sequence(), 0, slice(F, F + 1)).xy[0, :, K]
    apply(sequence, edits.delete_point(sequence, 0, F, [0, 1, 2], K))
    assert np.isnan(observations(sequence, 0, slice(F, F + 1)).xy[0, :, K]).all()
    apply(sequence, edits.revert_point(sequence, 0, F, [0, 1, 2], K))
    after = observations(sequence, 0, slice(F, F + 1)).xy[0, :, K]
    assert np.array_equal(after, before, equal_nan=True)
    assert np.isfinite(before).any()


def test_a_flag_goes_on_unless_it_is_on_in_all_views(sequence: Sequence) -> None:
    apply(sequence, edits.toggle_flag(sequence, 0, F, [0], K, Flag.OCCLUDED))
    apply(sequence, edits.toggle_flag(sequence, 0, F, [0, 1], K, Flag.OCCLUDED))
    assert [flag_at(sequence, view) for view in range(3)] == [1, 1, 0]
    apply(sequence, edits.toggle_flag(sequence, 0, F, [0, 1], K, Flag.OCCLUDED))
    assert [flag_at(sequence, view) for view in range(3)] == [0, 0, 0]


def test_a_point_is_either_hidden_in_a_picture_or_not_in_it(sequence: Sequence) -> None:
    apply(sequence, edits.toggle_flag(sequence, 0, F, [0], K, Flag.OCCLUDED))
    apply(sequence, edits.toggle_flag(sequence, 0, F, [0], K, Flag.ABSENT))
    assert flag_at(sequence, 0) == Flag.ABSENT
    apply(sequence, edits.toggle_flag(sequence, 0, F, [0], K, Flag.OCCLUDED))
    assert flag_at(sequence, 0) == Flag.OCCLUDED


def test_ignoring_and_bringing_back(sequence: Sequence) -> None:
    apply(sequence, edits.ignore_track(sequence, 1, True))
    assert sequence.read("tracks.ignored", slice(0, 3)).tolist() == [0, 1, 0]
    assert edits.ignore_track(sequence, 1, True) == ()
    apply(sequence, edits.ignore_track(sequence, 1, False))
    assert not sequence.read("tracks.ignored").any()


def test_merging_moves_instances_and_manual_work(sequence: Sequence) -> None:
    apply(sequence, edits.place_point(sequence, 1, F, V, K, (1, 2)))
    apply(sequence, edits.place_point(sequence, 1, 260, V, K, (3, 4)))
    apply(sequence, edits.place_point(sequence, 0, 260, V, K, (5, 6)))
    apply(sequence, edits.place_point_3d(sequence, 1, 7, K, (1, 2, 3)))
    apply(sequence, edits.toggle_flag(sequence, 1, 9, [V], K, Flag.OCCLUDED))
    apply(sequence, edits.merge_tracks(sequence, 0, 1))
    assigned, before = sequence.read("assignment.track"), small_arrays()["assignment"]
    assert not np.any(assigned == 1)
    assert np.array_equal(assigned == 0, before >= 0)
    assert xy_at(sequence) == [1, 2]
    assert xy_at(sequence, frame=260) == [5, 6]  # what the person who stays had is kept
    assert sequence.read("manual3d.xyz", [7], 0)[0, K].tolist() == [1, 2, 3]
    assert flag_at(sequence, frame=9) == Flag.OCCLUDED
    for layer in ("manual2d.xy", "manual3d.xyz"):
        assert np.isnan(sequence.read(layer, track=1)).all()
    assert not sequence.read("manual2d.flags", track=1).any()


@pytest.mark.parametrize("flag", [Flag.ABSENT, Flag.OCCLUDED])
def test_merging_never_hides_a_placed_point(sequence: Sequence, flag: Flag) -> None:
    apply(sequence, edits.place_point(sequence, 0, F, V, K, (1, 2)))
    apply(sequence, edits.toggle_flag(sequence, 1, F, [V], K, flag))
    apply(sequence, edits.merge_tracks(sequence, 0, 1))
    seen = observations(sequence, 0, slice(F, F + 1))
    assert seen.manual[0, V, K]
    assert flag_at(sequence) == 0


def test_splitting_gives_the_rest_to_a_new_track(sequence: Sequence) -> None:
    apply(sequence, edits.place_point(sequence, 0, 99, V, K, (1, 2)))
    apply(sequence, edits.place_point(sequence, 0, 100, V, K, (3, 4)))
    apply(sequence, edits.place_point_3d(sequence, 0, 260, K, (1, 2, 3)))
    apply(sequence, edits.toggle_flag(sequence, 0, 270, [V], K, Flag.ABSENT))
    apply(sequence, edits.split_track(sequence, 0, 100))
    assert track_ids(sequence).tolist() == [0, 1, 2]
    assigned, before = sequence.read("assignment.track"), small_arrays()["assignment"]
    assert np.array_equal(assigned[:100], before[:100])
    assert np.array_equal(assigned[100:] == 2, before[100:] == 0)
    assert np.array_equal(assigned == 1, before == 1)
    assert xy_at(sequence, frame=99) == [1, 2]
    assert xy_at(sequence, frame=100, track=2) == [3, 4]
    assert np.isnan(xy_at(sequence, frame=100)).all()
    assert sequence.read("manual3d.xyz", [260], 2)[0, K].tolist() == [1, 2, 3]
    assert flag_at(sequence, frame=270, track=2) == Flag.ABSENT
    assert flag_at(sequence, frame=270) == 0


def test_splitting_and_merging_back_is_nothing(sequence: Sequence) -> None:
    apply(sequence, edits.place_point(sequence, 0, 200, V, K, (1, 2)))
    apply(sequence, edits.split_track(sequence, 0, 100))
    apply(sequence, edits.merge_tracks(sequence, 0, 2))
    assert np.array_equal(sequence.read("assignment.track"), small_arrays()["assignment"])
    assert xy_at(sequence, frame=200) == [1, 2]


def test_undoing_a_split_leaves_no_track_behind(sequence: Sequence) -> None:
    apply(sequence, edits.place_point(sequence, 0, 200, V, K, (1, 2)))
    patches = apply(sequence, edits.split_track(sequence, 0, 100))
    apply(sequence, tuple(patch.inverse() for patch in reversed(patches)))
    assert track_ids(sequence).tolist() == [0, 1]


def test_asking_about_a_track_does_not_make_it(sequence: Sequence) -> None:
    observations(sequence, 7, slice(0, 1))
    assert track_ids(sequence).tolist() == [0, 1]
