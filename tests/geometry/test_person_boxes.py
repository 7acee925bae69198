"""Boxes of a person from points, through the calibration, and who is in them."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.data.skeleton import project_skeleton
from pipeline.geometry.person_boxes import (
    box_of_points,
    boxes_from_one_view,
    boxes_from_world,
    grown,
    is_in_picture,
    likeness,
    windows,
    world_points,
)
from tests.truth.cameras import observe, ring

SKELETON = project_skeleton()
SIGMAS = np.array([keypoint.sigma for keypoint in SKELETON.keypoints])
# A standing person 1.8 m tall of other proportions than those assumed, m above and beside the hip.
_FIGURE = {
    "left_shoulder": (0.19, 0.52, 0.01), "right_shoulder": (-0.19, 0.52, 0.01),
    "left_elbow": (0.24, 0.21, 0.02), "right_elbow": (-0.24, 0.21, 0.02),
    "left_wrist": (0.26, -0.06, 0.06), "right_wrist": (-0.26, -0.06, 0.06),
    "left_hip": (0.1, 0.0, 0.0), "right_hip": (-0.1, 0.0, 0.0),
    "left_knee": (0.11, -0.45, 0.02), "right_knee": (-0.11, -0.45, 0.02),
    "left_ankle": (0.11, -0.88, -0.02), "right_ankle": (-0.11, -0.88, -0.02),
    "head": (0.0, 0.84, 0.0), "nose": (0.0, 0.72, 0.1), "neck": (0.0, 0.56, 0.0),
}  # fmt: skip


def _person(place: tuple[float, float] = (0.0, 0.0)) -> np.ndarray:
    points = np.full((37, 3), np.nan)
    for name, offset in _FIGURE.items():
        points[SKELETON.index(name)] = np.add(offset, (place[0], 0.95, place[1]))
    return points


def _seen(cameras, points: np.ndarray) -> np.ndarray:  # type: ignore[no-untyped-def]
    return observe(cameras, points).transpose(1, 0, 2)  # (V, K, 2)


def test_a_box_goes_round_the_sure_points() -> None:
    xy = np.array([[10.0, 20], [30, 80], [20, 50], [12, 60], [28, 30], [500, 500], [np.nan, 9]])
    score = np.array([0.9, 0.4, 0.3, 0.8, 0.5, 0.29, 0.9])
    np.testing.assert_allclose(box_of_points(xy, score, 1.0), (10, 20, 30, 80))
    np.testing.assert_allclose(box_of_points(xy, score, 1.5), (5, 5, 35, 95))
    score[4] = 0.1
    assert np.isnan(box_of_points(xy, score)).all()  # four points are too few
    many = box_of_points(np.stack([xy, xy]), np.stack([score, np.ones(7)]), 1.0)
    assert np.isnan(many[0]).all()
    np.testing.assert_allclose(many[1], (10, 20, 500, 500))
    assert np.isnan(box_of_points(np.ones((9, 2)), np.ones(9))).all()


def test_a_grown_box_keeps_its_middle() -> None:
    np.testing.assert_allclose(grown((10.0, 0.0, 30.0, 60.0), 2.0), (0, -30, 40, 90))


@pytest.mark.parametrize("coefficients", [0, 4, 8])
def test_points_in_the_world_give_boxes_in_all_views(coefficients: int) -> None:
    cameras = ring(4, coefficients)
    points = _person((0.4, -0.2))
    boxes = boxes_from_world(cameras, points, 1.0)
    seen = _seen(cameras, points)
    np.testing.assert_allclose(boxes[:, :2], np.nanmin(seen, axis=1), atol=1e-6)
    np.testing.assert_allclose(boxes[:, 2:], np.nanmax(seen, axis=1), atol=1e-6)


def test_points_that_views_agree_on() -> None:
    cameras, points = ring(3), _person()
    seen = _seen(cameras, points)
    score = np.where(np.isfinite(seen[..., 0]), 0.8, 0.0)
    found = world_points(cameras, seen, score)
    np.testing.assert_allclose(found, points, atol=1e-6)
    stranger = _seen(cameras, _person((0.9, 0.8)))
    mixed = np.stack([seen[0], seen[1], stranger[2]])
    assert np.isfinite(world_points(cameras, mixed, score)[:, 0]).sum() < 5


@pytest.mark.parametrize("view", range(4))
def test_one_view_tells_the_others_where_to_look(view: int) -> None:
    cameras = ring(4, 4)
    generator = np.random.default_rng(view)
    for _ in range(8):
        place = generator.uniform(-0.8, 0.8, 2)
        points = _person((place[0], place[1]))
        seen = _seen(cameras, points)
        score = np.where(np.isfinite(seen[view, :, 0]), 0.8, 0.0)
        noisy = seen[view] + generator.normal(0, 3, (37, 2))
        boxes = boxes_from_one_view(cameras, view, noisy, score, SKELETON.names)
        truth = boxes_from_world(cameras, points, 1.0)
        shown = grown(boxes, 1.25)  # what a crop of it shows
        assert (shown[:, :2] < truth[:, :2]).all()
        assert (shown[:, 2:] > truth[:, 2:]).all()
        height = (truth[:, 3] - truth[:, 1])[:, None]
        assert (boxes[:, 2:] - boxes[:, :2] < 2 * height).all()


def test_a_view_without_limbs_tells_nothing() -> None:
    boxes = boxes_from_one_view(ring(3), 0, np.ones((37, 2)), np.zeros(37), SKELETON.names)
    assert np.isnan(boxes).all()


def test_windows_cover_the_picture_in_ever_smaller_parts() -> None:
    boxes = windows((600, 400))
    assert tuple(boxes[0]) == (0, 0, 600, 400)
    for part in (300, 200):
        some = boxes[np.isclose(boxes[:, 2] - boxes[:, 0], part)]
        # Whoever is no wider than half a window is whole in one of them.
        for left in range(0, 600 - part // 2, 10):
            assert ((some[:, 0] <= left) & (some[:, 2] >= left + part / 2)).any()
    assert (boxes[:, 2] <= 600).all()


def test_a_box_outside_the_picture_shows_nobody() -> None:
    size = (100, 50)
    assert is_in_picture((10.0, 10, 20, 20), size)
    assert is_in_picture((-40.0, 10, 10, 20), size)
    assert not is_in_picture((-40.0, 10, 4, 20), size)
    assert not is_in_picture((200.0, 10, 220, 20), size)
    assert not is_in_picture((np.nan,) * 4, size)
    np.testing.assert_array_equal(
        is_in_picture([[0.0, 0, 9, 9], [0.0, 60, 9, 90]], size), [True, False]
    )


def test_likeness_is_cocos_similarity_and_tells_people_apart() -> None:
    cameras = ring(1)
    here = _seen(cameras, _person())[0]
    score = np.where(np.isfinite(here[:, 0]), 0.9, 0.0)
    assert likeness(here, score, here, score, SIGMAS) == pytest.approx(1.0)
    moved = here + np.array((6.0, -4.0))
    low, high = np.nanmin(here, axis=0), np.nanmax(here, axis=0)
    there = np.isfinite(here[:, 0])
    # pycocotools: exp(-d² / (2 · area · (2 · sigma)²)), mean over labelled points.
    expected = np.exp(-52.0 / (2 * np.prod(high - low) * (2 * SIGMAS[there]) ** 2)).mean()
    assert likeness(moved, score, here, score, SIGMAS) == pytest.approx(expected)
    beside = _seen(cameras, _person((0.5, 0.5)))[0]
    assert likeness(beside, score, here, score, SIGMAS) < 0.25 < expected
    assert likeness(here, score, here, np.zeros(37), SIGMAS) == -1.0
