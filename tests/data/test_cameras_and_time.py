"""Corrected cameras and time axes: what is in force, and whose picture a value belongs to."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.data import edits
from pipeline.data.camera import CameraGroup, SyncMap, rotation_matrix, rotation_vector
from pipeline.data.errors import UserError
from pipeline.data.layers import REACH, reach_of
from pipeline.data.observations import detections, observations, track_ids
from pipeline.data.patch import Patch
from pipeline.data.sequence import Sequence
from pipeline.data.source import Flag
from pipeline.data.time_axes import frames_of_rows, rows_of_pictures
from tests.data.recordings import N_FRAMES, small_sequence

ALL = np.arange(N_FRAMES)
K = 5


@pytest.fixture
def sequence() -> Sequence:
    return small_sequence()


def apply(sequence: Sequence, patches: tuple[Patch, ...]) -> tuple[Patch, ...]:
    for patch in patches:
        sequence.apply(patch)
    return patches


def take_back(sequence: Sequence, patches: tuple[Patch, ...]) -> None:
    apply(sequence, tuple(patch.inverse() for patch in reversed(patches)))


def by_picture(sequence: Sequence, view: int) -> dict[int, np.ndarray]:
    """What is seen in each picture of a view, by video frame."""
    shown = sequence.syncs[view].video_frames(ALL)
    xy = observations(sequence, 0).xy[:, view]
    return {int(picture): xy[frame] for frame, picture in enumerate(shown)}


def assert_same_pictures(now: dict[int, np.ndarray], before: dict[int, np.ndarray]) -> None:
    common = now.keys() & before.keys()
    assert len(common) > 0.9 * len(before)
    for picture in common:
        assert np.array_equal(now[picture], before[picture], equal_nan=True)


@given(st.lists(st.floats(-4.0, 4.0), min_size=3, max_size=3))
@settings(max_examples=200, deadline=None)
def test_rotations_come_back_from_their_vectors(vector: list[float]) -> None:
    rotation = rotation_matrix(np.array(vector))
    assert np.allclose(rotation @ rotation.T, np.eye(3), atol=1e-12)
    assert np.linalg.norm(rotation_vector(rotation)) <= np.pi + 1e-9
    assert np.allclose(rotation_matrix(rotation_vector(rotation)), rotation, atol=1e-12)


@pytest.mark.parametrize("axis", np.vstack([np.eye(3), -np.eye(3), np.ones((1, 3)) / 3**0.5]))
@pytest.mark.parametrize("angle", [0.0, 1e-12, 1e-7, 1.0, np.pi - 1e-9, np.pi])
def test_no_turn_small_turns_and_half_turns(axis: np.ndarray, angle: float) -> None:
    vector = rotation_vector(rotation_matrix(axis * angle))
    assert abs(np.linalg.norm(vector) - angle) < 1e-9
    assert np.allclose(rotation_matrix(vector), rotation_matrix(axis * angle), atol=1e-12)


def test_cameras_in_force_and_back(sequence: Sequence) -> None:
    imported = sequence.info.cameras
    assert sequence.cameras is imported
    turn = rotation_matrix(np.array([0.01, -0.02, 0.03]))
    moved = replace(imported[1], rotation=turn @ imported[1].rotation, translation=np.arange(3.0))
    wanted = CameraGroup((imported[0], moved, imported[2]))
    patches = apply(sequence, edits.set_cameras(sequence, wanted))
    now = sequence.cameras
    assert now is sequence.cameras
    assert now[0] is imported[0]
    assert np.allclose(now[1].rotation, moved.rotation, atol=1e-14)
    assert np.array_equal(now[1].translation, moved.translation)
    assert now[1].matrix is imported[1].matrix
    assert sequence.info.cameras is imported
    assert edits.set_cameras(sequence, now) == ()
    take_back(sequence, patches)
    assert sequence.cameras is imported
    assert edits.set_cameras(sequence, imported) == ()
    apply(sequence, patches)
    apply(sequence, edits.reset_cameras(sequence))
    assert sequence.cameras is imported


def test_only_poses_of_the_recordings_own_cameras_change(sequence: Sequence) -> None:
    first, *others = sequence.info.cameras
    wider = replace(first, matrix=first.matrix * 2)
    with pytest.raises(ValueError, match="only the pose of cam0"):
        edits.set_cameras(sequence, CameraGroup((wider, *others)))
    with pytest.raises(ValueError, match="are not"):
        edits.set_cameras(sequence, CameraGroup((*others, first)))


@pytest.mark.parametrize("group", ["points3d", "fused"])
def test_other_cameras_make_every_frame_of_everybody_stale(sequence: Sequence, group: str) -> None:
    for track in (0, 1):
        sequence.stamps.computed(group, track, ALL, sequence.revision)
        assert not sequence.stamps.stale(group, track).any()
    moved = replace(sequence.info.cameras[0], translation=np.zeros(3))
    change = sequence.apply(
        edits.set_cameras(sequence, CameraGroup((moved, *sequence.info.cameras.cameras[1:])))[0]
    )
    assert change.group == "cameras"
    assert change.frames.tolist() == ALL.tolist()
    assert sequence.stamps.stale(group, 0).all()
    assert sequence.stamps.stale(group, 1).all()
    patch = sequence.patch("points3d.xyz", [(4, 0)], 1.0, 0)
    base = sequence.revision
    apply(sequence, edits.reset_cameras(sequence))
    assert sequence.land((patch,), np.array([4]), base)[0].frames.tolist() == []


@pytest.mark.parametrize("drift", [0.0, 0.3, -0.25])
def test_a_drift_that_was_imported_is_no_correction(drift: float) -> None:
    imported = SyncMap(1.5, 1.0, 900, drift)
    for offset in (0.0, 3.0, -2.0):
        now = replace(imported, offset=imported.offset + offset)
        rows = rows_of_pictures(imported, now, N_FRAMES)
        inside = (rows >= 0) & (rows < N_FRAMES)
        shown, stored = now.video_frames(ALL), imported.video_frames(rows)
        close = np.abs(shown - stored)[inside]
        assert close.max() <= (0 if drift <= 0 else 1), "some pictures were never shown"
        assert (close == 0).mean() > 0.6
        if not offset:
            assert rows.tolist() == ALL.tolist()


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("edit"), st.integers(0, 299), st.integers(0, 1)),
            st.tuples(st.just("all"), st.just(0), st.just(0)),
            st.tuples(st.just("solve"), st.integers(0, 299), st.integers(1, 300)),
        ),
        max_size=12,
    )
)
def test_staleness_follows_from_the_stamps(steps: list[tuple[str, int, int]]) -> None:
    """What is kept up with every change is what the definition gives: newest input in reach."""
    sequence = Sequence(small_sequence().info)
    changed = np.zeros(N_FRAMES, np.int64)
    computed = {group: np.full(N_FRAMES, -1) for group in REACH}
    revision = 0
    for kind, at, extra in steps:
        if kind == "solve":
            frames = np.arange(at, min(at + extra, N_FRAMES))
            for group in REACH:
                base = max(revision - 1, 0)
                sequence.stamps.computed(group, 0, frames, base)
                computed[group][frames] = base
            continue
        revision += 1
        if kind == "all":
            sequence.stamps.changed("cameras", -1, slice(None), revision)
            changed[:] = revision
        else:
            sequence.stamps.changed("manual2d", extra, np.array([at]), revision)
            changed[at] = revision if extra == 0 else changed[at]
    for group in REACH:
        reach = reach_of(group, sequence.info.fps)
        newest = [changed[max(0, t - reach) : t + reach + 1].max() for t in range(N_FRAMES)]
        assert sequence.stamps.newest_input(group, 0).tolist() == newest
        expected = computed[group] < newest
        assert sequence.stamps.stale(group, 0).tolist() == expected.tolist()
        some = np.array([7, 3, 299])
        assert sequence.stamps.stale_at(group, 0, some).tolist() == expected[some].tolist()


def test_an_edit_makes_the_fused_points_around_it_stale(sequence: Sequence) -> None:
    for group in REACH:
        sequence.stamps.computed(group, 0, ALL, sequence.revision)
    apply(sequence, edits.place_point(sequence, 0, 10, 1, K, (1, 2)))
    assert np.flatnonzero(sequence.stamps.stale("points3d", 0)).tolist() == [10]
    assert np.flatnonzero(sequence.stamps.stale("fused", 0)).tolist() == list(range(26))
    solved = np.arange(5, 20)
    sequence.stamps.computed("fused", 0, solved, sequence.revision - 1)
    assert sequence.stamps.stale("fused", 0)[solved].all()
    sequence.stamps.computed("fused", 0, solved, sequence.revision)
    assert not sequence.stamps.stale("fused", 0)[solved].any()


@pytest.mark.parametrize(("fps", "reach"), [(25.0, 15), (60.0, 15), (120.0, 30), (240.0, 60)])
def test_an_edit_is_felt_as_long_at_any_frame_rate(fps: float, reach: int) -> None:
    sequence = Sequence(replace(small_sequence().info, fps=fps))
    sequence.stamps.computed("fused", 0, ALL, sequence.revision)
    apply(sequence, edits.place_point(sequence, 0, 100, 1, K, (1, 2)))
    stale = np.flatnonzero(sequence.stamps.stale("fused", 0))
    assert stale.tolist() == list(range(100 - reach, 101 + reach))


@given(st.floats(0.2, 3.0), st.integers(-20, 20), st.floats(-20, 20), st.floats(-0.02, 0.02))
@settings(max_examples=300, deadline=None)
def test_a_row_is_the_one_whose_picture_is_shown(
    rate: float, imported_offset: int, offset: float, drift: float
) -> None:
    imported = SyncMap(imported_offset, rate, 500)
    now = SyncMap(imported_offset + offset, rate, 500, drift)
    rows = rows_of_pictures(imported, now, 200)
    assert np.all(np.diff(rows) >= 0)
    shown, stored = now.video_frames(np.arange(200)), imported.video_frames(rows)
    if rate <= 1:
        assert np.array_equal(stored, shown)
    else:
        assert np.abs(stored - shown).max() <= np.ceil(rate / 2)
        known = {imported.video_frame(row): row for row in range(-300, 600)}
        for frame, picture in enumerate(shown.tolist()):
            if picture in known and imported.video_frame(known[picture]) is not None:
                assert rows[frame] == known[picture]
    some = rows[[3, 50, 50]]
    expected = np.flatnonzero(np.isin(rows, some))
    assert frames_of_rows(rows, some).tolist() == expected.tolist()
    identity = rows_of_pictures(imported, imported, 200)
    assert identity.tolist() == list(range(200))


def test_offsets_of_whole_frames_do_not_change_rounding() -> None:
    frames = np.arange(2000)
    for rate in (2 / 3, 0.1, 59.94 / 60, 1.0):
        plain = SyncMap(0, rate).video_frames(frames)
        assert np.array_equal(plain, np.floor(frames * rate + 0.5))
        assert np.array_equal(SyncMap(-1234567, rate).video_frames(frames) + 1234567, plain)
    assert SyncMap(2.4, 1.0, 10).video_frame(3) == 5
    assert SyncMap(2.6, 1.0, 10).video_frame(3) == 6
    assert SyncMap(0, 1.0, 1000, drift=0.01).video_frame(50) == 51


@pytest.mark.parametrize(
    ("view", "offset", "drift"), [(0, 2, 0), (1, -7, 0), (0, 0, 0.02), (2, 4, 0), (1, 2.6, -0.01)]
)
def test_detections_stay_with_their_pictures(
    sequence: Sequence, view: int, offset: float, drift: float
) -> None:
    apply(sequence, edits.place_point(sequence, 0, 40, view, K, (11, 12)))
    apply(sequence, edits.toggle_flag(sequence, 0, 90, [view], K, Flag.OCCLUDED))
    before = by_picture(sequence, view)
    whole = observations(sequence, 0)
    patches = apply(sequence, edits.set_sync(sequence, view, offset, drift))
    assert_same_pictures(by_picture(sequence, view), before)
    others = [v for v in range(3) if v != view]
    now = observations(sequence, 0)
    assert np.array_equal(now.xy[:, others], whole.xy[:, others], equal_nan=True)
    assert not np.array_equal(now.xy[:, view], whole.xy[:, view], equal_nan=True)
    some = np.array([299, 3, 150])
    assert np.array_equal(observations(sequence, 0, some).xy, now.xy[some], equal_nan=True)
    take_back(sequence, patches)
    assert not sequence.is_moved()
    again = observations(sequence, 0)
    for part in ("xy", "score", "manual", "flags"):
        assert np.array_equal(getattr(again, part), getattr(whole, part), equal_nan=part == "xy")


def test_a_shift_by_two_in_numbers(sequence: Sequence) -> None:
    before, _ = detections(sequence, 0)
    apply(sequence, edits.set_sync(sequence, 0, 2, 0))
    after, score = detections(sequence, 0)
    assert np.array_equal(after[:-2, 0], before[2:, 0], equal_nan=True)
    assert np.isnan(after[-2:, 0]).all()
    assert not score[-2:, 0].any()
    assert sequence.stored_rows(0, np.array([0, 297, 298])).tolist() == [2, 299, -1]
    assert sequence.stored_rows(1, np.array([0, 297, 298])).tolist() == [0, 297, 298]


def test_points_placed_after_a_shift_stay_with_their_picture(sequence: Sequence) -> None:
    shift = apply(sequence, edits.set_sync(sequence, 0, 2, 0))
    sequence.stamps.computed("points3d", 0, ALL, sequence.revision)
    (changed, *_) = [
        sequence.apply(patch) for patch in edits.place_point(sequence, 0, 40, 0, K, (11, 12))
    ]
    assert changed.frames.tolist() == [40]
    assert np.flatnonzero(sequence.stamps.stale("points3d", 0)).tolist() == [40]
    assert observations(sequence, 0, np.array([40])).xy[0, 0, K].tolist() == [11, 12]
    take_back(sequence, shift)
    assert observations(sequence, 0, np.array([42])).xy[0, 0, K].tolist() == [11, 12]
    assert not observations(sequence, 0, np.array([40])).manual.any()


def test_where_nothing_was_imported_nothing_can_be_placed(sequence: Sequence) -> None:
    apply(sequence, edits.set_sync(sequence, 0, 2, 0))
    with pytest.raises(UserError, match=r"cam0 at frame 299 lies outside the recording"):
        edits.place_point(sequence, 0, 299, 0, K, (1, 2))
    patches = edits.delete_point(sequence, 0, 299, [0, 1], K)
    assert {tuple(index) for patch in patches for index in patch.index} <= {(299, 1, K), (299, K)}
    assert edits.toggle_flag(sequence, 0, 299, [0], K, Flag.ABSENT) == ()


def test_splitting_a_person_follows_the_pictures(sequence: Sequence) -> None:
    apply(sequence, edits.set_sync(sequence, 0, 3, 0))
    for frame in (99, 100):
        apply(sequence, edits.place_point(sequence, 0, frame, 0, K, (frame, 1)))
        apply(sequence, edits.place_point_3d(sequence, 0, frame, K + 1, (1, 2, 3)))
    before = observations(sequence, 0)
    apply(sequence, edits.split_track(sequence, 0, 100))
    new = int(track_ids(sequence).max())
    old, young = observations(sequence, 0), observations(sequence, new)
    assert np.array_equal(old.xy[:100], before.xy[:100], equal_nan=True)
    assert np.isnan(old.xy[100:]).all()
    assert np.array_equal(young.xy[100:], before.xy[100:], equal_nan=True)
    assert np.isnan(young.xy[:100]).all()
    apply(sequence, edits.merge_tracks(sequence, 0, new))
    assert np.array_equal(observations(sequence, 0).xy, before.xy, equal_nan=True)
    assert np.isfinite(sequence.read("manual3d.xyz", [100], 0)[0, K + 1]).all()


@pytest.mark.parametrize(("offset", "drift"), [(np.nan, 0), (0, -1.0), (0, np.inf)])
def test_time_axes_that_are_none_are_refused(
    sequence: Sequence, offset: float, drift: float
) -> None:
    with pytest.raises(ValueError, match="no time axis"):
        edits.set_sync(sequence, 0, offset, drift)


def test_no_correction_is_as_imported(sequence: Sequence) -> None:
    assert edits.set_sync(sequence, 1, 0, 0) == ()
    apply(sequence, edits.set_sync(sequence, 1, 1, 0))
    assert sequence.syncs[1] == SyncMap(-2, 1.0, N_FRAMES)
    apply(sequence, edits.set_sync(sequence, 1, 0, 0))
    assert sequence.syncs == sequence.info.syncs
    assert np.isnan(sequence.read("cameras.sync")).all()
