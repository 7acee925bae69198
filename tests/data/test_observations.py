"""Detections of a track with a person's corrections on top."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.data import edits
from pipeline.data.chunked_array import ChunkedArray
from pipeline.data.observations import detections, observations, track_ids
from pipeline.data.sequence import Sequence
from pipeline.data.source import Flag
from tests.data.recordings import small_arrays, small_info, small_sequence

F, V, K = 40, 1, 5


@pytest.fixture
def sequence() -> Sequence:
    return small_sequence()


def apply(sequence: Sequence, patches: tuple) -> None:
    for patch in patches:
        sequence.apply(patch)


def test_detections_follow_the_assignment(sequence: Sequence) -> None:
    arrays = small_arrays()
    for track in (0, 1):
        xy, score = detections(sequence, track)
        here = arrays["assignment"][:, :, track] == track
        assert np.array_equal(xy[here], arrays["xy"][:, :, track][here])
        assert np.array_equal(score[here], arrays["score"][:, :, track][here])
        assert np.isnan(xy[~here]).all()
        assert not score[~here].any()
    sequence.apply(sequence.patch("assignment.track", [(F, V, 0), (F, V, 1)], [1, -1]))
    xy, _ = detections(sequence, 1, slice(F, F + 1))
    assert np.array_equal(xy[0, V], arrays["xy"][F, V, 0])


def test_of_two_instances_the_surer_one_is_taken(sequence: Sequence) -> None:
    arrays = small_arrays()
    apply(sequence, edits.merge_tracks(sequence, 0, 1))
    xy, _ = detections(sequence, 0)
    means = arrays["score"].mean(axis=-1)
    both = (arrays["assignment"] >= 0).all(axis=-1)
    assert both.sum() > 100
    for frame, view in np.argwhere(both)[:50]:
        surer = means[frame, view].argmax()
        assert np.array_equal(xy[frame, view], arrays["xy"][frame, view, surer])


def test_a_placed_point_counts_fully(sequence: Sequence) -> None:
    apply(sequence, edits.place_point(sequence, 0, F, V, K, (12, 34)))
    seen = observations(sequence, 0, np.array([F]))
    assert seen.xy[0, V, K].tolist() == [12, 34]
    assert seen.score[0, V, K] == 1
    assert np.argwhere(seen.manual).tolist() == [[0, V, K]]


@pytest.mark.parametrize(
    ("flag", "placed_counts"),
    [(Flag.OCCLUDED, True), (Flag.ABSENT, False), (Flag.REJECTED, True)],
)
def test_flagged_detections_are_missing(
    sequence: Sequence, flag: Flag, placed_counts: bool
) -> None:
    apply(sequence, edits.toggle_flag(sequence, 0, F, [V], K, flag))
    seen = observations(sequence, 0, slice(F, F + 1))
    assert np.isnan(seen.xy[0, V, K]).all()
    assert seen.score[0, V, K] == 0
    assert seen.flags[0, V, K] == flag
    sequence.apply(sequence.patch("manual2d.xy", [(F, V, K)], (1, 2), 0))
    seen = observations(sequence, 0, slice(F, F + 1))
    assert bool(seen.manual[0, V, K]) is placed_counts
    assert bool(np.isfinite(seen.xy[0, V, K]).all()) is placed_counts
    assert seen.score[0, V, K] == float(placed_counts)


def test_a_missing_detection_has_no_score(sequence: Sequence) -> None:
    sequence.apply(sequence.patch("instances2d.xy", [(F, V, 0, K)], np.nan))
    sequence.apply(sequence.patch("instances2d.score", [(F, V, 0, K)], 0.9))
    sequence.apply(sequence.patch("assignment.track", [(F, V, 0)], 0))
    seen = observations(sequence, 0, slice(F, F + 1))
    assert seen.score[0, V, K] == 0


def test_no_persons_no_frames() -> None:
    empty = Sequence(small_info())
    assert track_ids(empty).tolist() == []
    assert observations(empty, 0, slice(0, 0)).xy.shape == (0, 3, 37, 2)
    assert np.isnan(observations(empty, 0).xy).all()


def test_tracks_are_those_assigned_or_annotated(sequence: Sequence) -> None:
    assert track_ids(sequence).tolist() == [0, 1]
    apply(sequence, edits.place_point(sequence, 4, F, V, K, (1, 2)))
    assert track_ids(sequence).tolist() == [0, 1, 4]


def test_asking_for_the_tracks_again_scans_nothing(
    sequence: Sequence, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = track_ids(sequence)
    given[:] = 99  # what is handed out is the caller's
    with monkeypatch.context() as patched:
        for name in ("read", "any"):
            patched.delattr(ChunkedArray, name)
        assert track_ids(sequence).tolist() == [0, 1]
        sequence.apply(sequence.patch("points3d.n_views", [(0, 0)], 3, 0))  # nobody's work
        assert track_ids(sequence).tolist() == [0, 1]


def test_every_way_of_changing_tracks_is_noticed(sequence: Sequence) -> None:
    assert track_ids(sequence).tolist() == [0, 1]
    apply(sequence, edits.place_point(sequence, 4, F, V, 0, (1, 2)))
    assert track_ids(sequence).tolist() == [0, 1, 4]
    sequence.apply(sequence.patch("assignment.track", [(F, V, 0)], 7))
    assert track_ids(sequence).tolist() == [0, 1, 4, 7]
    apply(sequence, edits.revert_point(sequence, 4, F, [V], 0))
    assert track_ids(sequence).tolist() == [0, 1, 7]
    store = sequence.layer("assignment.track")
    for number in range(store.n_chunks):
        store.set_chunk(number, np.full((store.rows_in(number), *store.shape[1:]), 3, "i2"))
    assert track_ids(sequence).tolist() == [3]
