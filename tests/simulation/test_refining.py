"""Sizes told by whole movements: nearer to the truth, within their SDs, and OpenSim's as well."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.data.resources import resource_path
from pipeline.kinematics.forward import body_transforms, marker_positions
from tests.truth.other_sizes import OtherPerson, other_person

pytestmark = pytest.mark.opensim


@pytest.fixture(scope="module")
def person() -> OtherPerson:
    from pipeline.simulation.osim_model import extract_kinematics

    generic, _ = extract_kinematics(resource_path("models", "simspine_core.osim"))
    return other_person(generic, 1, column=True, frames=150)


def learnt(person: OtherPerson, folder: Path, **options: Any) -> Any:
    from pipeline.simulation.simulate import SimulationOptions, learn_steps

    folder.mkdir(exist_ok=True)
    steps = learn_steps(person.measured, folder / "s.osim", SimulationOptions(**options))
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


@pytest.fixture(scope="module")
def refined(person: OtherPerson, tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Path]:
    folder = tmp_path_factory.mktemp("refined")
    return learnt(person, folder), folder / "s.osim"


def joints_off(person: OtherPerson, found: Any) -> float:
    ours = body_transforms(found.subject.model, found.solved.coordinates)
    true = body_transforms(person.model, person.coordinates)
    return float(np.sqrt(np.mean(np.sum((ours[..., 3] - true[..., 3]) ** 2, axis=-1))))


def test_sizes_and_joints_come_nearer(
    person: OtherPerson, refined: tuple[Any, Path], tmp_path: Path
) -> None:
    by_lengths = learnt(person, tmp_path, refine=False)
    told = {one.name: one for one in refined[0].scaling.refined}
    before = np.log([one.before / person.sizes[name] for name, one in told.items()])
    after = np.log([one.factor / person.sizes[name] for name, one in told.items()])
    assert np.sqrt(np.mean(after**2)) < 0.8 * np.sqrt(np.mean(before**2))
    off = after / [one.sigma for one in told.values()]
    assert np.sqrt(np.mean(off**2)) < 2.5
    assert told["thigh"].seen
    assert joints_off(person, refined[0]) < 0.95 * joints_off(person, by_lengths)
    assert by_lengths.scaling.refined == ()


def test_the_file_is_the_model_that_is_followed(refined: tuple[Any, Path]) -> None:
    from pipeline.simulation.osim_model import extract_kinematics

    found, file = refined
    model, _ = extract_kinematics(file)
    own = found.subject.model
    order = [model.marker_names.index(name) for name in own.marker_names]
    q = found.solved.coordinates[::20]
    apart = marker_positions(model, q)[:, order] - marker_positions(own, q)
    assert np.abs(apart).max() < 1e-9
    thigh = next(one for one in found.scaling.refined if one.name == "thigh")
    assert found.scaling.body_factors["femur_r"] == pytest.approx((thigh.factor,) * 3)


def test_a_part_that_does_not_count_tells_no_size(person: OtherPerson, tmp_path: Path) -> None:
    xyz = person.measured.xyz.copy()
    legs = [
        place
        for place, name in enumerate(person.measured.names)
        if any(part in name for part in ("Knee", "Ankle", "Toe", "Heel"))
    ]
    xyz[:, legs] += np.random.default_rng(0).normal(0.0, 0.1, xyz[:, legs].shape)
    wrong = replace(person, measured=replace(person.measured, xyz=xyz))
    found = learnt(wrong, tmp_path, weights={"legs": 0.0})
    told = {one.name: one for one in found.scaling.refined}
    assert not told["shank"].seen
    assert told["shank"].factor == pytest.approx(told["foot"].factor, rel=0.03)
