"""Angles against a column that is laid out here by hand, turned, bent and walked about."""

from __future__ import annotations

import csv
from dataclasses import fields, replace

import numpy as np
import pytest

from pipeline.data.resources import resource_path
from pipeline.kinematics.angles import beyond_limits, intervertebral_angles, posture
from pipeline.kinematics.model import CONSTANT, KinematicModel
from pipeline.kinematics.vertebrae import levels, vertebrae

DEG = np.pi / 180


def turn(axis: int, angle: float) -> np.ndarray:
    cosine, sine = np.cos(angle), np.sin(angle)
    i, j = (axis + 1) % 3, (axis + 2) % 3
    matrix = np.eye(3)
    matrix[i, i] = matrix[j, j] = cosine
    matrix[i, j], matrix[j, i] = -sine, sine
    return matrix


def column_model(
    neutral: dict[str, float], places: dict[str, tuple[float, float]]
) -> KinematicModel:
    """Pelvis, sacrum and the column; each joint's parent frame holds the neutral angle."""
    bodies = ["pelvis", "sacrum", *(level.child for level in levels())]
    parents = [-1, 0, *(bodies.index(level.parent) for level in levels())]
    n = len(bodies)
    parent_from_joint = np.tile(np.eye(3, 4), (n, 1, 1))
    for place, body in enumerate(bodies):
        parent_from_joint[place, :, :3] = turn(2, neutral.get(body, 0.0) * DEG)
        parent_from_joint[place, :2, 3] = 1e-3 * np.array(places.get(body, (0.0, 0.0)))
    none = np.zeros(0)
    return KinematicModel(
        name="column", body_names=tuple(bodies), joint_names=tuple(f"to_{b}" for b in bodies),
        parents=np.array(parents), parent_from_joint=parent_from_joint,
        joint_from_body=np.tile(np.eye(3, 4), (n, 1, 1)),
        axes=np.tile(np.array([[0, 0, -1], [1, 0, 0], [0, 1, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]]),
                     (n, 1, 1)),
        axis_function=np.zeros((n, 6), int), axis_coordinate=np.full((n, 6), -1),
        function_kind=np.array([CONSTANT]), function_terms=np.zeros((1, 2)),
        function_knots=np.zeros(2, int), knots=np.zeros((0, 3)), coordinate_names=(),
        default=none, lower=none, upper=none, clamped=none.astype(bool), locked=none.astype(bool),
        motion=none.astype(int), coupled_to=none.astype(int), coupler_function=none.astype(int),
        marker_names=(), marker_bodies=none.astype(int), marker_locations=np.zeros((0, 3)),
        mesh_files=(), mesh_bodies=none.astype(int), body_from_mesh=np.zeros((0, 3, 4)),
        mesh_scale=np.zeros((0, 3)), masses=np.zeros(n), mass_centres=np.zeros((n, 3)),
    )  # fmt: skip


@pytest.fixture(scope="module")
def neutral() -> KinematicModel:
    """Our neutral chain, from the table's own columns for offsets and angles."""
    with resource_path("spine_model", "joints.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    angles = {row["child"]: float(row["neutral_zrot_deg"]) for row in rows} | {"sacrum": -38.0}
    places = {row["child"]: (float(row["loc_x_mm"]), float(row["loc_y_mm"])) for row in rows}
    return column_model(angles, places | {"sacrum": (-22.2, 104.7)})


def poses(model: KinematicModel, bends: dict[str, np.ndarray] | None = None) -> np.ndarray:
    """(1, B, 3, 4) with a rotation in the joint frame of some bodies."""
    found = np.zeros((1, model.n_bodies, 3, 4))
    for body, parent in enumerate(model.parents):
        local = np.eye(4)
        local[:3] = model.parent_from_joint[body]
        local[:3, :3] = local[:3, :3] @ (bends or {}).get(model.body_names[body], np.eye(3))
        ground = np.eye(4)
        if parent >= 0:
            ground[:3] = found[0, parent]
        found[0, body] = (ground @ local)[:3]
    return found


def moved(all_poses: np.ndarray, matrix: np.ndarray, by: tuple[float, float, float]) -> np.ndarray:
    out = all_poses.copy()
    out[..., :3] = matrix @ all_poses[..., :3]
    out[..., 3] = all_poses[..., 3] @ matrix.T + by
    return out


def test_the_neutral_posture_is_that_of_the_tables(neutral: KinematicModel) -> None:
    found = posture(neutral, poses(neutral))
    degrees = {
        "lumbar_lordosis": 56.5, "lower_lordosis": 38.0, "thoracic_kyphosis": 37.0,
        "whole_kyphosis": 44.0, "cervical_lordosis": 11.5, "t1_slope": 25.0,
        "sacral_slope": 38.0, "pelvic_tilt": 12.0, "cobb": 0.0, "trunk_lean": 0.0,
    }  # fmt: skip
    for name, expected in degrees.items():
        assert getattr(found, name)[0] / DEG == pytest.approx(expected, abs=0.2), name
    assert 1e3 * found.sagittal_axis[0] == pytest.approx(4.0, abs=3.0)
    assert 1e3 * found.cervical_axis[0] == pytest.approx(24.0, abs=2.0)
    assert abs(found.coronal_balance[0]) < 1e-9


def test_walking_elsewhere_and_turning_round_change_nothing(neutral: KinematicModel) -> None:
    bent = poses(neutral, {"L3": turn(2, -0.2), "T8": turn(0, 0.1)})
    here, there = (
        posture(neutral, each) for each in (bent, moved(bent, turn(1, 2.3), (3.0, 0.1, -7.0)))
    )
    for name in (field.name for field in fields(here)):
        np.testing.assert_allclose(getattr(there, name), getattr(here, name), atol=1e-9)


def test_flexion_flattens_the_lordosis_by_what_it_is(neutral: KinematicModel) -> None:
    before = posture(neutral, poses(neutral))
    after = posture(neutral, poses(neutral, {"L3": turn(2, -20 * DEG)}))
    assert (before.lumbar_lordosis - after.lumbar_lordosis)[0] / DEG == pytest.approx(20.0)
    assert (after.trunk_inclination - before.trunk_inclination)[0] > 10 * DEG
    assert after.thoracic_kyphosis[0] == pytest.approx(before.thoracic_kyphosis[0])


def test_a_bend_to_the_right_shows_from_the_front(neutral: KinematicModel) -> None:
    found = posture(neutral, poses(neutral, {"T8": turn(0, 15 * DEG)}))
    assert found.cobb[0] / DEG == pytest.approx(15.0, abs=1.0)
    assert found.trunk_lean[0] > 0
    assert found.coronal_balance[0] > 0


def test_each_joint_gives_back_its_three_angles(neutral: KinematicModel) -> None:
    wanted = np.array([12.0, -7.0, 5.0]) * DEG
    bend = turn(2, -wanted[0]) @ turn(0, wanted[1]) @ turn(1, wanted[2])
    found = intervertebral_angles(neutral, poses(neutral, {"T6": bend, "L4": bend}))
    names = [level.child for level in found.levels]
    assert len(names) == 25
    for child, angles in zip(names, found.angles[0], strict=True):
        expected = wanted if child in {"T6", "L4"} else np.zeros(3)
        np.testing.assert_allclose(angles, expected, atol=1e-12)


def test_a_joint_beyond_what_people_do_is_told(neutral: KinematicModel) -> None:
    within = intervertebral_angles(neutral, poses(neutral, {"L4": turn(2, -12 * DEG)}))
    assert not beyond_limits(within).any()
    beyond = beyond_limits(
        intervertebral_angles(neutral, poses(neutral, {"L4": turn(2, -20 * DEG)}))
    )
    assert np.count_nonzero(beyond) == 1
    assert beyond.max() / DEG == pytest.approx(20 - 13)
    back = beyond_limits(intervertebral_angles(neutral, poses(neutral, {"L4": turn(2, 6 * DEG)})))
    assert back.max() / DEG == pytest.approx(6 - 4)


def test_what_a_model_lacks_is_nan_and_lying_on_the_side_has_no_front(
    neutral: KinematicModel,
) -> None:
    lying = moved(poses(neutral), turn(0, np.pi / 2), (0, 0, 0))
    assert np.isnan(posture(neutral, lying).lumbar_lordosis).all()
    assert "C1" not in vertebrae()
    renamed = {"T4": "thorax"}
    names = tuple(renamed.get(name, name) for name in neutral.body_names)
    other = replace(neutral, body_names=names)
    found = posture(other, poses(neutral))
    assert np.isnan(found.thoracic_kyphosis).all()
    assert np.isfinite(found.lumbar_lordosis).all()
    assert len(intervertebral_angles(other, poses(neutral)).levels) == 23
