"""Projection and its inverse against an independent forward model."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.data.camera import Camera
from pipeline.geometry.lens import fold_limit, undistort_with_slope
from pipeline.geometry.projection import (
    project,
    project_views,
    ray,
    stacked,
    undistort,
)
from tests.truth.cameras import forward, observe, ring


def cloud(n: int = 60, seed: int = 3) -> np.ndarray:
    return np.random.default_rng(seed).uniform([-1.0, 0.0, -1.0], [1.0, 2.0, 1.0], (n, 3))


@pytest.mark.parametrize("coefficients", [0, 4, 5, 8])
def test_projection_agrees_with_the_independent_model(coefficients: int) -> None:
    cameras = ring(5, coefficients)
    points = cloud()
    assert np.abs(project_views(cameras, points) - observe(cameras, points)).max() < 1e-9


@pytest.mark.parametrize("coefficients", [0, 4, 5, 8])
def test_undistort_returns_to_the_pixel_all_over_the_picture(coefficients: int) -> None:
    camera = ring(3, coefficients)[1]
    x, y = np.meshgrid(np.linspace(0, 1919, 25), np.linspace(0, 1079, 15))
    pixels = np.stack([x, y], -1)
    origin, direction = ray(camera, pixels)
    assert np.isfinite(direction).all()
    again = np.array([[forward(camera, origin + 3.0 * d) for d in row] for row in direction])
    assert np.abs(again - pixels).max() < 1e-6


def test_few_and_many_pixels_are_undistorted_alike() -> None:
    camera = ring(3, 8)[0]
    pixels = np.random.default_rng(0).uniform(0, 1079, (200, 2))
    pixels[7] = np.nan
    one_by_one = np.array([undistort(camera, p) for p in pixels])
    np.testing.assert_allclose(undistort(camera, pixels), one_by_one, rtol=0, atol=1e-12)


def test_few_and_many_points_are_projected_alike() -> None:
    cameras = ring(3, 5)
    points = cloud(50) * 6.0
    points[3] = np.nan
    many = project_views(cameras, points)
    assert np.isnan(many[4:]).any()
    one_by_one = np.array([project_views(cameras, point) for point in points])
    np.testing.assert_allclose(many, one_by_one, rtol=0, atol=1e-9)


def test_points_behind_and_missing_points_are_nan() -> None:
    camera = ring(4)[0]
    behind = camera.centre - camera.rotation[2]
    points = np.array([behind, [np.nan, 1.0, 0.0], [0.0, 1.0, 0.0]])
    pixels = project(camera, points)
    assert np.isnan(pixels[:2]).all()
    assert np.isfinite(pixels[2]).all()
    assert np.isnan(undistort(camera, [np.nan, 5.0])).all()


def test_folded_points_do_not_come_back_into_the_picture() -> None:
    base = ring(4)[0]
    strong = Camera("strong", base.size, base.matrix, np.array([-0.35, 0.0, 0.0, 0.0]),
                    base.rotation, base.translation)  # fmt: skip
    # x (1 - 0.35 x^2) grows up to x = 0.976 and is back at the middle of the picture at 1.69.
    assert fold_limit(stacked([strong]).coefficients[:, 0]) == pytest.approx(1.0 / 1.05)
    for x, visible in ((0.9, True), (1.05, False), (1.6, False), (1.69, False)):
        point = strong.centre + strong.rotation.T @ np.array([x, 0.0, 1.0])
        u, _ = forward(strong, point)
        assert 0 <= u <= 1919
        assert np.isfinite(project(strong, point)).all() == visible


def test_pixels_beyond_the_lens_model_are_nan_not_wrong() -> None:
    k = np.zeros((8, 1))
    k[0] = -0.35
    limit = np.array([fold_limit(k[:, 0])])
    largest = 2.0 / 3.0 * np.sqrt(limit[0])
    for count in (1, 40):
        target = np.full((count, 1), largest * 1.01)
        x, *_ = undistort_with_slope(k, limit, target, np.zeros((count, 1)))
        assert np.isnan(x).all()
        x, *_ = undistort_with_slope(k, limit, target * 0.98, np.zeros((count, 1)))
        np.testing.assert_allclose(x * (1 - 0.35 * x * x), target * 0.98, atol=1e-12)


def test_any_leading_shape_is_kept() -> None:
    camera = ring(4)[0]
    points = cloud(24).reshape(2, 3, 4, 3)
    assert project(camera, points).shape == (2, 3, 4, 2)
    assert undistort(camera, project(camera, points)).shape == (2, 3, 4, 2)
    assert project(camera, np.zeros((0, 3))).shape == (0, 2)
    origin, direction = ray(camera, project(camera, points[0, 0, 0]))
    assert origin.shape == direction.shape == (3,)
