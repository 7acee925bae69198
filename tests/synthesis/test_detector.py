"""The simulated detector is wrong in the ways and by the amounts that it claims."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.data.skeleton import project_skeleton
from pipeline.synthesis.cameras import ring_of_cameras
from pipeline.synthesis.clips import grounded, truth_of
from pipeline.synthesis.demo import demo_person
from pipeline.synthesis.demo_scene import scene
from pipeline.synthesis.detector import Detections, detect, keypoint_sigma
from pipeline.synthesis.things import joined_things

SIZE, FPS, N = (640, 640), 30.0, 240
SKELETON = project_skeleton()
COLUMN = list(SKELETON.column)
Case = tuple[np.ndarray, np.ndarray, Detections]


def _make(views: int, n: int, size: tuple[int, int], seed: int) -> Case:
    person = demo_person()
    poses = grounded(person, scene(person.model, np.arange(n) / FPS))
    known = truth_of(person, poses, ring_of_cameras(views, size), joined_things([]))
    found = detect(SKELETON, known.xy, known.visible, size, FPS, seed)
    return known.xy, known.visible, found


@pytest.fixture(scope="module")
def case() -> Case:
    return _make(4, N, SIZE, 7)


def _planted(found: Detections) -> np.ndarray:
    mask = np.zeros(found.score.shape, bool)
    for error in found.errors:
        for name in error.keypoints:
            mask[error.start : error.stop, error.view, SKELETON.index(name)] = True
    return mask


def _error(case: Case) -> np.ndarray:
    truth, _, found = case
    error = found.xy - truth
    error[_planted(found) | (found.score == 0.0)] = np.nan
    return error


def test_noise_has_the_stated_size_and_grows_where_the_point_is_hidden(case: Case) -> None:
    truth, visible, found = case
    error = _error(case)
    assert truth.shape == (N, 4, 37, 2)
    always_seen = visible.mean(axis=0) > 0.97
    spread = np.sqrt(np.nanmean(error**2, axis=(0, 3)))
    expected = np.broadcast_to(keypoint_sigma(SKELETON), spread.shape)
    ratio = (spread / expected)[always_seen]
    assert 0.9 < ratio.mean() < 1.2
    assert 1.5 < np.median(spread[always_seen]) < 4.0
    hidden = visible.mean(axis=0) < 0.03
    assert (spread / expected)[hidden].mean() > 1.8 * ratio.mean()
    spine = np.isin(np.arange(37), COLUMN)
    assert (
        spread[:, spine][always_seen[:, spine]].mean()
        > 1.3 * spread[:, ~spine][always_seen[:, ~spine]].mean()
    )
    assert found.xy[..., 0].max() < SIZE[0]


def test_noise_is_correlated_in_time(case: Case) -> None:
    _, visible, _ = case
    error = _error(case)[:, visible.all(axis=0)]
    assert error.shape[1] > 30
    error -= np.nanmean(error, axis=0)
    one = np.nanmean(error[1:] * error[:-1]) / np.nanmean(error**2)
    far = np.nanmean(error[30:] * error[:-30]) / np.nanmean(error**2)
    # exp(-1 / (0.2 s * 30 Hz)) of the slow part, which holds 91 % of the variance.
    assert one == pytest.approx(0.77, abs=0.08)
    assert abs(far) < 0.1


def test_scores_say_what_is_hidden(case: Case) -> None:
    _, visible, found = case
    score = np.where(_planted(found) | (found.score == 0.0), np.nan, found.score)
    assert np.nanmean(score[visible]) > 0.75
    assert np.nanmean(score[~visible]) < 0.55
    front, back = score[:, 3][:, COLUMN[:-1]], score[:, 0][:, COLUMN[:-1]]
    assert np.nanmean(back) - np.nanmean(front) > 0.3
    assert found.score.max() <= 1.0
    assert found.score.min() == 0.0


def test_missing_points_are_zeros_and_mostly_hidden_ones(case: Case) -> None:
    _, visible, found = case
    gone = (found.score == 0.0) & ~_planted(found)
    assert np.all(found.xy[gone] == 0.0)
    assert 0.002 < gone.mean() < 0.06
    assert gone[~visible].mean() > 5 * gone[visible].mean()


def test_planted_errors_are_where_the_list_says(case: Case) -> None:
    truth, _, found = case
    assert len(found.errors) >= 12
    assert {e.kind for e in found.errors} == {"swap", "jump", "outlier", "lost", "drift", "zero-x"}
    for error in found.errors:
        keypoints = [SKELETON.index(name) for name in error.keypoints]
        rows = slice(error.start, error.stop)
        xy = found.xy[rows, error.view][:, keypoints]
        score = found.score[rows, error.view][:, keypoints]
        true = truth[rows, error.view][:, keypoints]
        off = np.linalg.norm(xy - true, axis=-1)
        if error.kind == "lost":
            assert not xy.any()
            assert not score.any()
        elif error.kind == "zero-x":
            assert not xy[..., 0].any()
            assert xy[..., 1].min() > 0.0
            assert score.min() > 0.6
        elif error.kind == "swap":
            half = len(keypoints) // 2
            other = np.concatenate([true[:, half:], true[:, :half]], axis=1)
            assert np.median(np.linalg.norm(xy - other, axis=-1)) < 6.0
            assert np.median(off) > 12.0
            assert error.stop - error.start in range(3, 8)
        elif error.kind == "drift":
            assert off[-1, 0] > 0.6 * error.size
            assert off[0, 0] < 14.0
            assert error.size == pytest.approx(32.0, abs=3.0)
        else:
            low, high = (40.0, 60.0) if error.kind == "jump" else (60.0, 120.0)
            assert low < error.size < high
            np.testing.assert_allclose(off, error.size, atol=14.0)
            assert error.stop - error.start == (5 if error.kind == "jump" else 1)
            assert score.min() > 0.4


@pytest.mark.parametrize(("views", "n"), [(1, 240), (4, 240), (4, 24), (8, 48), (2, 12)])
def test_planted_errors_never_overlap(views: int, n: int) -> None:
    _, _, found = _make(views, n, (160, 160), 1)
    count = np.zeros(found.score.shape, int)
    for error in found.errors:
        assert 0 <= error.start < error.stop <= n
        for name in error.keypoints:
            count[error.start : error.stop, error.view, SKELETON.index(name)] += 1
    assert count.max() == 1


def test_pixel_figures_scale_with_the_picture() -> None:
    small = _make(2, 120, (160, 160), 7)
    large = _make(2, 120, SIZE, 7)
    ratio = np.nanstd(_error(large)) / np.nanstd(_error(small))
    assert ratio == pytest.approx(4.0, rel=0.05)


def test_same_seed_same_detections_other_seed_others() -> None:
    first, again, other = (_make(2, 30, SIZE, seed)[2] for seed in (5, 5, 6))
    assert first.xy.tobytes() == again.xy.tobytes()
    assert first.score.tobytes() == again.score.tobytes()
    assert first.errors == again.errors
    assert not np.allclose(first.xy, other.xy)
