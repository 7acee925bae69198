"""Movements and bodies of the articulated model: truth, ranges, seeds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pipeline.data.resources import resource_path
from pipeline.data.skeleton import project_skeleton
from pipeline.kinematics.forward import marker_positions
from pipeline.kinematics.model import KinematicModel, free_coordinates
from pipeline.synthesis.motion_families import FAMILIES, HELD_OUT
from pipeline.synthesis.motions import (
    MotionSetting,
    draw_movement,
    generic_model,
    keypoint_markers,
    natural_ranges,
    spine_coordinates,
    within_ranges,
)
from pipeline.synthesis.physique import BodyRange, random_person, scaled

ALL = {**FAMILIES, **HELD_OUT}


def _person(seed: int = 0) -> KinematicModel:
    return random_person(generic_model(), np.random.default_rng(seed), BodyRange())


@pytest.mark.opensim
def test_a_scaled_model_is_where_opensim_puts_it() -> None:
    """Factors of every body, and coordinates over their whole range, against OpenSim itself."""
    from pipeline.simulation.opensim_api import osim

    rng = np.random.default_rng(3)
    generic = generic_model()
    factors = {name: rng.uniform(0.7, 1.4, 3) for name in generic.body_names}
    ours = scaled(generic, factors, mass=88.0)
    model = osim.Model(str(resource_path("models", "simspine_core.osim")))
    scales = osim.ScaleSet()
    for body, along in factors.items():
        scale = osim.Scale()
        scale.setSegmentName(body)
        scale.setScaleFactors(osim.Vec3(*(float(x) for x in along)))
        scale.setApply(True)
        scales.cloneAndAppend(scale)
    model.scale(model.initSystem(), scales, True, 88.0)
    state = model.initSystem()
    free = free_coordinates(generic)
    lower, upper = natural_ranges(generic)
    for _ in range(3):
        chosen = np.where(free, rng.uniform(lower, upper), generic.default)
        chosen[generic.motion == 1] = rng.uniform(-1.0, 1.0, 3)
        for c in np.flatnonzero(free):
            model.getCoordinateSet().get(generic.coordinate_names[c]).setValue(
                state, float(chosen[c]), False
            )
        model.assemble(state)
        model.realizePosition(state)
        theirs = [
            model.getMarkerSet().get(name).getLocationInGround(state).to_numpy()
            for name in generic.marker_names
        ]
        np.testing.assert_allclose(marker_positions(ours, chosen), theirs, atol=1e-6)
    np.testing.assert_allclose(ours.masses.sum(), model.getTotalMass(state), rtol=1e-6)


def test_points_are_where_the_coordinates_put_the_markers() -> None:
    person = _person()
    movement = draw_movement(person, np.random.default_rng(1), 50, 50.0)
    markers = marker_positions(person, movement.coordinates)
    names = [person.marker_names.index(name) for name in project_skeleton().markers]
    np.testing.assert_allclose(movement.points, markers[:, names], atol=1e-9)
    assert list(keypoint_markers(person)) == names


@pytest.mark.parametrize("name", ALL)
def test_joints_stay_within_their_ranges_and_move_at_natural_speeds(name: str) -> None:
    person = _person(4)
    lower, upper = natural_ranges(person)
    bounded = free_coordinates(person) & (person.motion != 1)
    # The pelvis turns with the heading.
    bounded[
        [person.coordinate_names.index(f"pelvis_{n}") for n in ("tilt", "list", "rotation")]
    ] = False
    fastest = 0.0
    for seed in range(4):
        movement = draw_movement(
            person,
            np.random.default_rng(seed),
            100,
            50.0,
            MotionSetting(families={name: ALL[name]}),
        )
        q = movement.coordinates[:, bounded]
        assert (q >= lower[bounded] - 1e-9).all()
        assert (q <= upper[bounded] + 1e-9).all()
        assert np.isfinite(movement.points).all()
        assert movement.points[..., 1].min() > -1e-9
        speed = np.linalg.norm(np.diff(movement.points, axis=0), axis=-1) * 50.0
        fastest = max(fastest, float(np.percentile(speed, 99)))
    assert 0.02 < fastest < 9.0  # m/s; a fast throw's hand does 10


def test_ranges_bind_what_lies_far_outside() -> None:
    model = generic_model()
    lower, upper = natural_ranges(model)
    far = within_ranges(model, np.stack([lower - 5.0, upper + 5.0]))
    assert (far >= lower - 1e-9).all()
    assert (far <= upper + 1e-9).all()
    middle = 0.5 * (lower + upper)[None]
    np.testing.assert_allclose(within_ranges(model, middle), middle, atol=1e-12)


def test_who_stands_does_not_slide() -> None:
    """The lower foot of somebody who walks rests on the floor while it carries."""
    setting = MotionSetting(families={"walking": FAMILIES["walking"]}, mixed=0.0)
    movement = draw_movement(_person(2), np.random.default_rng(5), 150, 50.0, setting)
    names = project_skeleton().names
    feet = [i for i, n in enumerate(names) if "toe" in n or "heel" in n]
    points = movement.points[:, feet]
    speed = np.linalg.norm(np.diff(points, axis=0), axis=-1) * 50.0
    lowest = points[1:, :, 1].argmin(axis=1)
    carrying = speed[np.arange(len(lowest)), lowest]
    assert np.median(carrying) < 0.15 < speed.max()
    assert np.ptp(movement.points[:, names.index("hip")][:, [0, 2]], axis=0).max() > 0.5


def test_the_same_seed_gives_the_same_movement() -> None:
    one, same, other = (
        draw_movement(_person(s), np.random.default_rng(s), 30, 50.0) for s in (1, 1, 2)
    )
    np.testing.assert_array_equal(one.points, same.points)
    np.testing.assert_array_equal(one.coordinates, same.coordinates)
    assert not np.allclose(one.points, other.points)


def test_bodies_differ_in_stature_proportion_and_mass() -> None:
    people = [_person(seed) for seed in range(40)]
    names = people[0].marker_names
    head, heel = names.index("Head"), names.index("RHeel")
    knee, hip = names.index("RKnee"), names.index("RHip")
    at = np.array([marker_positions(p, p.default) for p in people])
    stature = at[:, head, 1] - at[:, heel, 1]
    thigh = np.linalg.norm(at[:, knee] - at[:, hip], axis=1) / stature
    assert 1.40 < stature.min() < 1.62
    assert 1.82 < stature.max() < 2.1
    assert 0.02 < thigh.std() / thigh.mean() < 0.06
    masses = [p.masses.sum() for p in people]
    assert min(masses) < 60.0
    assert max(masses) > 85.0


def test_bodies_nobody_has_are_refused() -> None:
    with pytest.raises(KeyError, match="no body named tail"):
        scaled(generic_model(), {"tail": np.ones(3)})
    model = generic_model()
    functions = model.axis_function.copy()
    functions[5, 3] = functions[0, 3]
    coordinates = model.axis_coordinate.copy()
    coordinates[5, 3] = coordinates[0, 3]
    sliding = replace(model, axis_function=functions, axis_coordinate=coordinates)
    with pytest.raises(ValueError, match="slides"):
        scaled(sliding, {})


def test_held_out_movements_are_others() -> None:
    assert not set(FAMILIES) & set(HELD_OUT)
    taught = {g for family in FAMILIES.values() for g in map(id, family.gestures)}
    assert not taught & {id(g) for family in HELD_OUT.values() for g in family.gestures}


def test_eleven_coordinates_of_the_spine_are_free() -> None:
    model = generic_model()
    free = {model.coordinate_names[c] for c in np.flatnonzero(free_coordinates(model))}
    assert len(spine_coordinates()) == 11
    assert set(spine_coordinates()) <= free
