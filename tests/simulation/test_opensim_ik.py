"""OpenSim's solver behind our call does what OpenSim's tool does, and refuses in words."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.data.errors import UserError
from pipeline.io.motion_files import in_radians, read_motion
from pipeline.io.opensim_setups import read_ik_setup
from pipeline.io.trc import Trc, read_trc

pytestmark = pytest.mark.opensim

NAMES = ("A", "B", "C")
PLACES = ((0.0, 0.1, 0.0), (0.0, -0.2, 0.05), (0.1, -0.3, 0.0))


@pytest.fixture(scope="module")
def engine() -> Any:
    from pipeline.simulation import opensim_ik

    return opensim_ik


@pytest.fixture(scope="module")
def pendulum(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One body on a pin about ground's Z axis, its angle ``swing``, with three markers."""
    from pipeline.simulation.opensim_api import osim

    model = osim.Model()
    model.setName("pendulum")
    body = osim.Body("rod", 1.0, osim.Vec3(0), osim.Inertia(1, 1, 1))
    model.addBody(body)
    joint = osim.PinJoint("pin", model.getGround(), body)
    joint.updCoordinate().setName("swing")
    joint.updCoordinate().setRangeMin(-3.0)
    joint.updCoordinate().setRangeMax(3.0)
    joint.updCoordinate().setDefaultValue(0.3)
    model.addJoint(joint)
    for name, place in zip(NAMES, PLACES, strict=True):
        model.addMarker(osim.Marker(name, body, osim.Vec3(*place)))
    model.finalizeConnections()
    path = tmp_path_factory.mktemp("model") / "pendulum.osim"
    model.printToXML(str(path))
    return path


def swinging(n: int = 12) -> tuple[np.ndarray, Trc]:
    """Angles, and where the markers are: a rotation about Z, written out."""
    angle = 0.8 * np.sin(np.arange(n) / 3)
    c, s, zero, one = np.cos(angle), np.sin(angle), np.zeros(n), np.ones(n)
    turn = np.stack([c, -s, zero, s, c, zero, zero, zero, one], axis=-1).reshape(n, 3, 3)
    xyz = np.einsum("tij,mj->tmi", turn, np.array(PLACES))
    return angle, Trc(NAMES, np.arange(n) / 50, xyz, 50.0)


def test_angles_errors_and_locations(pendulum: Path, engine: Any) -> None:
    angle, trc = swinging()
    trc.xyz[4, 1] = np.nan
    trc.xyz[6, 0, 2] = np.nan
    trc.xyz[8:10] = np.nan
    moved = trc.xyz.copy()
    moved[3, 2] += [0, 0, 0.03]  # out of the plane, so that no angle can follow it
    folder = os.getcwd()
    result = engine.opensim_ik(pendulum, NAMES, trc.times, moved, {"A": 1, "B": 2, "C": 3, "X": 1})
    assert result.coordinate_names == ("swing",)
    assert result.rotational == {"swing"}
    assert result.marker_names == NAMES
    assert result.ignored == ("X",)
    seen = np.delete(np.arange(12), [8, 9])
    np.testing.assert_allclose(result.coordinates[seen, 0], angle[seen], atol=1e-4)
    assert np.isnan(result.coordinates[8:10]).all()
    assert np.isnan(result.marker_locations[8:10]).all()
    clean = swinging()[1].xyz
    np.testing.assert_allclose(result.marker_locations[seen], clean[seen], atol=1e-4)
    assert result.marker_errors[3, 2] == pytest.approx(0.03, abs=1e-4)
    assert np.isnan(result.marker_errors[4, 1])
    assert np.isnan(result.marker_errors[6, 0])
    assert np.nanmax(np.delete(result.marker_errors, 3, axis=0)) < 1e-4
    assert os.getcwd() == folder


def test_progress_is_told_and_may_end_early(pendulum: Path, engine: Any) -> None:
    _, trc = swinging()
    steps = engine.opensim_ik_steps(pendulum, NAMES, trc.times, trc.xyz)
    assert [round(next(steps) * 12) for _ in range(3)] == [1, 2, 3]
    steps.close()


def test_coordinate_targets_pull(pendulum: Path, engine: Any) -> None:
    _, trc = swinging(1)
    for target, pulled in ((None, 0.3), (-0.5, -0.5)):
        found = engine.opensim_ik(
            pendulum, NAMES, trc.times, trc.xyz, None, {"swing": (1e3, target)}
        )
        assert found.coordinates[0, 0] == pytest.approx(pulled, abs=1e-3)


def test_refusals(pendulum: Path, engine: Any, tmp_path: Path) -> None:
    _, trc = swinging()

    def refused(model: Path = pendulum, **changes: Any) -> str:
        arguments = {"names": NAMES, "times": trc.times, "xyz": trc.xyz} | changes
        with pytest.raises(UserError) as caught:
            engine.opensim_ik(model, **arguments)
        assert str(model) in str(caught.value)
        return str(caught.value)

    assert "none of the markers" in refused(names=("x", "y", "z"))
    assert "none of the markers" in refused(marker_weights={"A": 0.0})
    assert "missing in every frame" in refused(xyz=np.full_like(trc.xyz, np.nan))
    assert "no coordinate sway" in refused(coordinate_targets={"sway": (1.0, None)})
    (tmp_path / "no.osim").write_text("<a/>")
    refused(tmp_path / "no.osim")
    refused(tmp_path / "none.osim")


@pytest.mark.realdata
def test_published_angles_of_gait2354(gait2354: Path, engine: Any) -> None:
    setup = read_ik_setup(gait2354 / "subject01_Setup_IK.xml")
    trc = read_trc(gait2354 / "subject01_walk1.trc")
    walk = (trc.times > 0.399) & (trc.times < 1.601)
    result = engine.opensim_ik(
        gait2354 / "reference_subject01_simbody.osim",
        trc.names,
        trc.times[walk],
        trc.xyz[walk],
        setup.tasks.marker_weights(),
        setup.tasks.coordinate_targets(),
        constraint_weight=setup.constraint_weight,
    )
    published = read_motion(gait2354 / "reference_subject01_walk1_ik.mot")
    assert published.columns == result.coordinate_names
    assert not result.ignored
    reference = in_radians(published, result.rotational).values
    difference = np.degrees(result.coordinates - reference)
    assert np.sqrt((difference**2).mean()) < 0.02
    assert np.abs(difference).max() < 0.15
