"""Who is who over views and time, against figures whose identity is known."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.data.camera import CameraGroup
from pipeline.geometry.association import AssociationOptions, associate
from pipeline.geometry.association_costs import pair_costs
from tests.truth.cameras import ring
from tests.truth.people import N_POINTS, detected, walking


def paths(n_frames: int, ends: list[tuple[tuple[float, float], tuple[float, float]]]) -> np.ndarray:
    share = np.linspace(0.0, 1.0, n_frames)[:, None, None]
    first = np.array([e[0] for e in ends], dtype=float)
    last = np.array([e[1] for e in ends], dtype=float)
    return first + share * (last - first)


def agreement(tracks: np.ndarray, identity: np.ndarray, seen: np.ndarray) -> float:
    """Share of detections whose track is the one that most of their person's detections have."""
    right = 0
    for person in np.unique(identity[seen]):
        own = tracks[seen & (identity == person)]
        right += np.bincount(own + 1)[1:].max(initial=0)
    return right / seen.sum()


def check_one_per_view(tracks: np.ndarray) -> None:
    for frame in tracks.reshape(-1, tracks.shape[-1]):
        used = frame[frame >= 0]
        assert len(used) == len(set(used.tolist()))


@pytest.mark.parametrize("n_cameras", [2, 4, 6])
def test_three_people_in_shuffled_order(n_cameras: int) -> None:
    cameras = ring(n_cameras) if n_cameras > 2 else CameraGroup(ring(5).cameras[:2])
    ways = [((-1.0, 0.3), (-0.6, 0.5)), ((0.2, -0.9), (0.4, -0.4)), ((0.9, 0.8), (0.6, 0.9))]
    xy, score, identity = detected(cameras, walking(paths(60, ways)))
    tracks = associate(cameras, xy, score)
    seen = np.isfinite(xy[..., 0]).any(axis=-1)
    assert tracks.dtype == np.int16
    assert (tracks >= 0).all()
    check_one_per_view(tracks)
    assert agreement(tracks, identity, seen) > 0.995
    assert len(np.unique(tracks)) == 3


def test_the_order_of_detections_changes_nothing() -> None:
    cameras = ring(4)
    ways = [((-0.7, 0.0), (0.0, 0.4)), ((0.8, 0.1), (0.3, -0.6))]
    xy, score, _ = detected(cameras, walking(paths(40, ways)))
    tracks = associate(cameras, xy, score)
    random = np.random.default_rng(8)
    order = random.permuted(np.tile(np.arange(2), (40, 4, 1)), axis=-1)
    again = associate(
        cameras,
        np.take_along_axis(xy, order[..., None, None], 2),
        np.take_along_axis(score, order[..., None], 2),
    )
    np.testing.assert_array_equal(again, np.take_along_axis(tracks, order, 2))


def test_people_who_cross_keep_their_tracks() -> None:
    cameras = ring(4)
    ways = [((-1.2, 0.15), (1.2, 0.15)), ((1.2, -0.15), (-1.2, -0.15))]
    points = walking(paths(90, ways))
    xy, score, identity = detected(cameras, points)
    # Where one hides the other the detector sees only the nearer one.
    for view, camera in enumerate(cameras):
        depth = np.linalg.norm(points.mean(axis=2) - camera.centre, axis=-1)
        centre = np.full((90, 2, 2), np.nan)
        for person in range(2):
            place = np.where(identity[:, view, :, None, None] == person, xy[:, view], np.nan)
            centre[:, person] = np.nanmean(place, axis=(1, 2))
        hidden = np.abs(centre[:, 0, 0] - centre[:, 1, 0]) < 60.0
        farther = depth.argmax(axis=1)
        gone = hidden[:, None] & (identity[:, view] == farther[:, None])
        xy[:, view][gone], score[:, view][gone] = np.nan, 0.0
    seen = np.isfinite(xy[..., 0]).any(axis=-1)
    assert 10 < (~seen).sum() < 200
    tracks = associate(cameras, xy, score)
    check_one_per_view(tracks)
    assert agreement(tracks, identity, seen) > 0.99
    assert (tracks[~seen] == -1).all()


def test_the_most_visible_person_is_track_zero() -> None:
    cameras = ring(4)
    ways = [((-0.8, 0.0), (-0.8, 0.2)), ((0.8, 0.0), (0.8, 0.2))]
    xy, score, identity = detected(cameras, walking(paths(30, ways)))
    # Person 0 is seen by two cameras only.
    gone = identity == 0
    gone[:, :2] = False
    xy[gone], score[gone] = np.nan, 0.0
    tracks = associate(cameras, xy, score)
    assert (tracks[identity == 1] == 0).all()
    assert (tracks[(identity == 0) & ~gone] == 1).all()


def test_one_view_only_still_gives_tracks() -> None:
    cameras = CameraGroup(ring(4).cameras[:1])
    ways = [((-0.9, 0.2), (-0.3, 0.0)), ((0.9, 0.0), (0.4, 0.1))]
    xy, score, identity = detected(cameras, walking(paths(50, ways)))
    tracks = associate(cameras, xy, score)
    assert agreement(tracks, identity, np.ones(identity.shape, bool)) == 1.0
    assert set(np.unique(tracks)) == {0, 1}


def test_short_gaps_are_bridged_and_long_ones_are_not() -> None:
    cameras = ring(4)
    xy, score, _ = detected(cameras, walking(paths(60, [((-0.4, 0.0), (0.2, 0.3))])))
    for length, expected in ((10, {0}), (30, {0, 1})):
        with_gap, gap_score = xy.copy(), score.copy()
        with_gap[20 : 20 + length], gap_score[20 : 20 + length] = np.nan, 0.0
        tracks = associate(cameras, with_gap, gap_score, options=AssociationOptions(max_gap=20))
        assert (tracks[20 : 20 + length] == -1).all()
        assert set(np.unique(tracks[tracks >= 0])) == expected


def test_a_person_who_appears_in_one_view_after_the_other_is_one_track() -> None:
    cameras = ring(4)
    xy, score, _ = detected(cameras, walking(paths(40, [((-0.4, 0.0), (0.2, 0.3))])))
    xy[:10, 1:], score[:10, 1:] = np.nan, 0.0
    # Seen by two cameras in turn only, the two have to be joined afterwards.
    xy[10:20, 0], score[10:20, 0] = np.nan, 0.0
    tracks = associate(cameras, xy, score)
    assert set(np.unique(tracks)) == {-1, 0}


def test_empty_input_and_empty_frames() -> None:
    cameras = ring(3)
    for n_frames, n_people in ((0, 2), (5, 0), (5, 2)):
        xy = np.full((n_frames, 3, n_people, N_POINTS, 2), np.nan, dtype=np.float32)
        tracks = associate(cameras, xy, np.zeros(xy.shape[:-1], np.float32))
        assert tracks.shape == (n_frames, 3, n_people)
        assert (tracks == -1).all()


def test_detections_without_confident_points_are_not_lost() -> None:
    cameras = ring(4)
    xy, score, _ = detected(cameras, walking(paths(20, [((-0.4, 0.0), (0.2, 0.3))])))
    score[8:12, 2] *= 0.2
    tracks = associate(cameras, xy, score)
    assert (tracks == 0).all()


def test_pair_costs_tell_same_from_different() -> None:
    cameras = ring(4)
    ways = [((-0.9, 0.2), (-0.9, 0.2)), ((0.7, -0.5), (0.7, -0.5))]
    xy, _, identity = detected(cameras, walking(paths(10, ways)))
    sure = np.isfinite(xy[..., 0])
    costs = pair_costs(cameras, xy, sure, gate_px=12.0, gate_share=0.03)
    person, view = identity.reshape(10, -1), np.repeat(np.arange(4), 2)
    other_view = view[:, None] != view[None]
    same = (person[:, :, None] == person[:, None]) & other_view
    assert np.isnan(costs[:, ~other_view]).all()
    np.testing.assert_allclose(costs, costs.swapaxes(1, 2))
    assert costs[same].max() < 1.0
    assert np.median(costs[~same & other_view]) > 2.0


@pytest.mark.realdata
def test_both_people_of_the_real_recording_are_followed(balancing) -> None:
    from pipeline.io.recording import load_recording, recognise

    recording = load_recording(recognise(balancing))
    tracks = associate(recording.cameras, recording.instances_xy, recording.instances_score)
    check_one_per_view(tracks)
    views_seen = [(tracks == track).any(axis=-1).sum(axis=0).tolist() for track in (0, 1)]
    assert views_seen == [[100, 100, 100, 100], [100, 100, 0, 0]]
