"""Forward kinematics against scipy's rotations, derivatives against differences."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.kinematics.forward import body_transforms, marker_positions
from pipeline.kinematics.functions import consistent, evaluate
from pipeline.kinematics.jacobian import marker_jacobian
from pipeline.kinematics.model import coordinate_index
from tests.kinematics.puppet import KNOTS, movement, puppet, spline, true_markers, true_poses


def test_poses_agree_with_scipy() -> None:
    model = puppet()
    coordinates = movement(40) * 2.0
    poses = body_transforms(model, coordinates)
    for frame, pose in zip(coordinates, poses, strict=True):
        np.testing.assert_allclose(pose, true_poses(model, frame), atol=1e-13)
    np.testing.assert_allclose(
        marker_positions(model, coordinates), true_markers(model, coordinates), atol=1e-13
    )


def test_one_frame_and_many_say_the_same() -> None:
    model = puppet()
    coordinates = movement(3)
    np.testing.assert_array_equal(
        body_transforms(model, coordinates[1]), body_transforms(model, coordinates)[1]
    )
    assert marker_positions(model, coordinates[1]).shape == (model.n_markers, 3)


def test_a_missing_frame_stays_missing() -> None:
    model = puppet()
    coordinates = movement(3)
    coordinates[1] = np.nan
    points = marker_positions(model, coordinates)
    assert np.isnan(points[1]).all()
    assert np.isfinite(points[[0, 2]]).all()


def test_driven_coordinates_follow() -> None:
    model = puppet()
    coordinates = np.zeros(20)
    coordinates[coordinate_index(model, "back_flex")] = 0.4
    coordinates[coordinate_index(model, "upper_flex")] = 99.0
    found = consistent(model, coordinates)
    assert found[coordinate_index(model, "upper_flex")] == pytest.approx(0.6)
    assert coordinates[coordinate_index(model, "upper_flex")] == 99.0


def test_splines_go_straight_on_outside() -> None:
    model = puppet()
    x = np.linspace(KNOTS[0, 0] - 0.7, KNOTS[-1, 0] + 0.7, 101)
    value, slope = evaluate(model, 3, x)
    np.testing.assert_allclose(value, [spline(at) for at in x], atol=1e-15)
    h = 1e-6
    differences = (evaluate(model, 3, x + h)[0] - evaluate(model, 3, x - h)[0]) / (2.0 * h)
    np.testing.assert_allclose(slope, differences, atol=1e-8)


def test_the_jacobian_agrees_with_differences() -> None:
    model = puppet()
    coordinates = movement(1, seed=4)[0]
    jacobian = marker_jacobian(model, coordinates)
    h = 1e-6
    for c in range(model.n_coordinates):
        there, back = coordinates.copy(), coordinates.copy()
        there[c] += h
        back[c] -= h
        moved = (marker_positions(model, there) - marker_positions(model, back)) / (2.0 * h)
        np.testing.assert_allclose(jacobian[:, :, c], moved, atol=1e-8)


def test_coordinates_of_another_model_are_refused() -> None:
    with pytest.raises(ValueError, match="20 coordinates"):
        body_transforms(puppet(), np.zeros((5, 7)))
