"""Epipolar curves: through the true projection, inside the picture, empty where nothing is."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.data.camera import Camera
from pipeline.geometry.epipolar import epipolar_curve, epipolar_fan
from tests.truth.cameras import forward, look_at, ring
from tests.truth.curves import distance_to_curve


@pytest.mark.parametrize("coefficients", [0, 4, 5, 8])
def test_the_curve_passes_through_the_true_projection(coefficients: int) -> None:
    cameras = ring(4, coefficients)
    points = np.random.default_rng(4).uniform([-0.8, 0.1, -0.8], [0.8, 1.9, 0.8], (25, 3))
    worst = 0.0
    for point in points:
        for source, target in ((0, 1), (2, 0), (1, 3)):
            there = np.array(forward(cameras[target], point))
            curve = epipolar_curve(
                cameras[source], forward(cameras[source], point), cameras[target]
            )
            worst = max(worst, distance_to_curve(curve, there))
    # Measured: 0.04 px with 64 points on the strongest lens.
    assert worst < 0.1


def test_the_curve_is_bent_where_the_lens_is() -> None:
    straight, bent = ring(4, 0), ring(4, 4)
    for cameras, least, most in ((straight, 0.0, 1e-6), (bent, 1.0, 100.0)):
        curve = epipolar_curve(cameras[0], (955.0, 200.0), cameras[1])
        chord = curve[-1] - curve[0]
        across = np.abs(
            np.linalg.det(np.stack([curve - curve[0], np.broadcast_to(chord, curve.shape)], 1))
        )
        assert least <= (across / np.linalg.norm(chord)).max() <= most


def test_the_curve_keeps_to_the_picture_and_its_margin() -> None:
    cameras = ring(6, 5)
    for x in (5.0, 700.0, 1900.0):
        for target in (1, 2, 4):
            curve = epipolar_curve(cameras[0], (x, 500.0), cameras[target], margin=15.0)
            assert len(curve) <= 64
            assert (curve >= -15.0).all()
            assert (curve <= np.array([1919.0, 1079.0]) + 15.0).all()


def test_the_curve_is_sampled_evenly_and_fills_the_picture() -> None:
    cameras = ring(4, 0)
    curve = epipolar_curve(cameras[0], (955.0, 540.0), cameras[1], n=50)
    steps = np.linalg.norm(np.diff(curve, axis=0), axis=1)
    assert len(curve) >= 45
    assert steps.max() < 1.01 * steps.min()
    assert steps.sum() > 1000.0


def test_only_what_lies_in_front_of_both_cameras() -> None:
    away = (0.0,) * 4
    here = look_at("here", np.array([0.0, 1.0, 0.0]), np.array([0.0, 1.0, 5.0]), away)
    back = look_at("back", np.array([0.5, 1.0, 0.0]), np.array([0.5, 1.0, -5.0]), away)
    assert epipolar_curve(here, (955.0, 540.0), back).shape == (0, 2)
    assert epipolar_curve(here, (np.nan, 540.0), here).shape == (0, 2)
    # A camera a little behind the first sees the far part only: the depth range cuts it.
    beside = look_at("beside", np.array([1.0, 1.0, 0.0]), np.array([0.0, 1.0, 4.0]), away)
    whole = epipolar_curve(here, (955.3, 543.9), beside)
    part = epipolar_curve(here, (955.3, 543.9), beside, depths=(3.0, 5.0))
    ends = [forward(beside, np.array([0.0, 1.0, depth])) for depth in (3.0, 5.0)]
    np.testing.assert_allclose(part[[0, -1]], ends, atol=0.5)
    assert np.ptp(whole[:, 0]) > np.ptp(part[:, 0])


def test_a_lens_model_that_ends_inside_the_picture_is_no_obstacle() -> None:
    base = ring(4, 0)
    fish = Camera("fish", base[1].size, base[1].matrix, np.array([-0.9, 0.0, 0.0, 0.0]),
                  base[1].rotation, base[1].translation)  # fmt: skip
    point = np.array([0.1, 1.1, 0.0])
    there = np.array(forward(fish, point))
    curve = epipolar_curve(base[0], forward(base[0], point), fish, n=400)
    assert distance_to_curve(curve, there) < 1.0


def test_the_measure_of_these_tests() -> None:
    line = np.array([[0.0, 0.0], [10.0, 0.0], [10.0, 10.0]])
    assert distance_to_curve(line, np.array([4.0, 3.0])) == 3.0
    assert distance_to_curve(line, np.array([13.0, 14.0])) == 5.0
    assert distance_to_curve(line[:1], np.array([4.0, 3.0])) == 5.0
    assert distance_to_curve(line[:0], np.array([4.0, 3.0])) == np.inf


def test_a_fan_is_the_curves_of_all_views_one_by_one() -> None:
    cameras = ring(6, 5)
    for xy in ((955.0, 540.0), (3.0, 1070.0), (np.nan, 4.0)):
        fan = epipolar_fan(cameras[2], xy, cameras)
        assert len(fan) == len(cameras)
        for target, curve in zip(cameras, fan, strict=True):
            alone = epipolar_curve(cameras[2], xy, target)
            assert np.allclose(curve, alone, atol=1e-9, rtol=0)
    assert any(len(curve) for curve in epipolar_fan(cameras[2], (955.0, 540.0), cameras))
