"""Models read through OpenSim: arrays say what OpenSim says, or are refused in one sentence."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.data.errors import UserError
from pipeline.kinematics.forward import body_transforms, marker_positions
from pipeline.kinematics.functions import consistent
from pipeline.kinematics.model import FloatArray, KinematicModel

pytestmark = pytest.mark.opensim

# Joint types whose motion arrays can express, with the number of their coordinates.
JOINTS = {"Weld": 0, "Pin": 1, "Slider": 1, "Universal": 2, "Planar": 3, "Gimbal": 3, "Ball": 3,
          "Free": 6}  # fmt: skip


def _api() -> Any:
    from pipeline.simulation import osim_model

    return osim_model


def _osim() -> Any:
    from pipeline.simulation.opensim_api import osim

    return osim


def _worst_difference(osim_model: Any, model: KinematicModel, poses: FloatArray) -> float:
    """Largest distance of a body origin or a marker to OpenSim's, metres, over all poses."""
    state = osim_model.initSystem()
    own_poses, own_markers = body_transforms(model, poses), marker_positions(model, poses)
    coordinates = [osim_model.getCoordinateSet().get(n) for n in model.coordinate_names]
    bodies = [osim_model.getBodySet().get(n) for n in model.body_names]
    markers = [osim_model.getMarkerSet().get(n) for n in model.marker_names]
    worst = 0.0
    for t, pose in enumerate(consistent(model, poses)):
        for coordinate, value in zip(coordinates, pose, strict=True):
            if not coordinate.getLocked(state):
                coordinate.setValue(state, float(value), False)
        osim_model.realizePosition(state)
        for b, body in enumerate(bodies):
            origin = body.getPositionInGround(state)
            found = np.array([origin.get(k) for k in range(3)])
            worst = max(worst, float(np.linalg.norm(found - own_poses[t, b, :, 3])))
        for m, marker in enumerate(markers):
            place = marker.getLocationInGround(state)
            found = np.array([place.get(k) for k in range(3)])
            worst = max(worst, float(np.linalg.norm(found - own_markers[t, m])))
    return worst


def random_poses(model: KinematicModel, count: int, seed: int = 0) -> FloatArray:
    """(count, Q) poses within the ranges; half a turn, or a metre, where there is none."""
    rng = np.random.default_rng(seed)
    poses = rng.uniform(np.maximum(model.lower, -np.pi), np.minimum(model.upper, np.pi),
                        (count, model.n_coordinates))  # fmt: skip
    poses[:, model.locked] = model.default[model.locked]
    return consistent(model, poses)


@pytest.mark.realdata
def test_pose2sims_model_agrees_with_opensim(pose2sim_model: Path) -> None:
    path = pose2sim_model / "Model_Pose2Sim_muscles_flex.osim"
    marker_file = pose2sim_model / "Markers_Body25b.xml"
    model, notes = _api().extract_kinematics(path, marker_file)
    assert notes == []
    assert (model.n_bodies, model.n_coordinates, model.n_markers) == (30, 62, 21)
    assert (model.coupled_to >= 0).sum() == 20
    assert len(model.mesh_files) == 104
    assert model.masses.sum() == pytest.approx(83.978, abs=1e-3)
    reference = _api().load_model(path)
    _api().attach_markers(reference, marker_file)
    assert _worst_difference(reference, model, random_poses(model, 500)) < 1e-10


@pytest.mark.realdata
def test_gait2354_agrees_with_opensim(gait2354: Path) -> None:
    path = gait2354 / "reference_subject01_simbody.osim"
    model, _ = _api().extract_kinematics(path)
    assert _worst_difference(_api().load_model(path), model, random_poses(model, 500)) < 1e-10


def _joint(kind: str, parent: Any, child: Any) -> Any:
    osim = _osim()
    place, turn = osim.Vec3(0.1, -0.2, 0.3), osim.Vec3(0.4, 0.2, -0.6)
    back, around = osim.Vec3(-0.05, 0.1, 0.02), osim.Vec3(-0.3, 0.5, 0.1)
    return getattr(osim, f"{kind}Joint")(f"{kind}_joint", parent, place, turn, child, back, around)


def _chain(path: Path, kinds: list[str]) -> None:
    """One body behind the other, each on a joint of the next kind, a marker at the end."""
    osim = _osim()
    model = osim.Model()
    model.setName("chain")
    parent = model.getGround()
    for kind in kinds:
        body = osim.Body(f"{kind}_body", 1.0, osim.Vec3(0.01), osim.Inertia(1.0, 1.0, 1.0))
        model.addBody(body)
        model.addJoint(_joint(kind, parent, body))
        parent = body
    model.addMarker(osim.Marker("end", parent, osim.Vec3(0.1, 0.2, 0.3)))
    model.finalizeConnections()
    assert model.printToXML(str(path))


def test_every_simple_joint_agrees_with_opensim(tmp_path: Path) -> None:
    path = tmp_path / "chain.osim"
    _chain(path, list(JOINTS))
    model, _ = _api().extract_kinematics(path)
    assert model.n_coordinates == sum(JOINTS.values())
    assert _worst_difference(_api().load_model(path), model, random_poses(model, 50)) < 1e-12


def test_an_unknown_joint_is_refused_in_one_sentence(tmp_path: Path) -> None:
    osim = _osim()
    model = osim.Model()
    body = osim.Body("egg", 1.0, osim.Vec3(0.0), osim.Inertia(1.0, 1.0, 1.0))
    model.addBody(body)
    origin = osim.Vec3(0.0)
    model.addJoint(
        osim.EllipsoidJoint(
            "rolling", model.getGround(), origin, origin, body, origin, origin, osim.Vec3(0.1)
        )
    )
    model.finalizeConnections()
    path = tmp_path / "egg.osim"
    model.printToXML(str(path))
    with pytest.raises(UserError) as caught:
        _api().extract_kinematics(path)
    assert str(caught.value) == (
        f"{path}: joint rolling of type EllipsoidJoint cannot be expressed in arrays; "
        "use the OpenSim engine."
    )


def test_an_unknown_constraint_is_refused(tmp_path: Path) -> None:
    osim = _osim()
    path = tmp_path / "chain.osim"
    _chain(path, ["Free", "Pin"])
    model = _api().load_model(path)
    origin = osim.Vec3(0.0)
    constraint = osim.PointConstraint(model.getGround(), origin, model.getBodySet().get(1), origin)
    constraint.setName("pinned")
    model.addConstraint(constraint)
    model.finalizeConnections()
    model.printToXML(str(path))
    with pytest.raises(_api().NotInArraysError, match="constraint pinned of type PointConstraint"):
        _api().extract_kinematics(path)


def _coupled(path: Path, rule: Any, scale: float = 1.0) -> None:
    """Two pins, the second driven by the first."""
    osim = _osim()
    _chain(path, ["Free", "Pin"])
    model = _api().load_model(path)
    coupler = osim.CoordinateCouplerConstraint()
    coupler.setName("rhythm")
    coupler.setIndependentCoordinateNames(osim.ArrayStr("Free_joint_coord_0", 1))
    coupler.setDependentCoordinateName("Pin_joint_coord_0")
    coupler.setFunction(rule)
    osim.PropertyHelper.setValueDouble(scale, coupler.updPropertyByName("scale_factor"))
    model.addConstraint(coupler)
    model.finalizeConnections()
    assert model.printToXML(str(path))


@pytest.mark.parametrize("kind", ["linear", "spline", "multiplied"])
def test_couplers_agree_with_opensim(tmp_path: Path, kind: str) -> None:
    osim = _osim()
    spline = osim.SimmSpline()
    for x, y in ((-1.0, 0.3), (-0.2, -0.1), (0.4, 0.5), (1.0, 0.6)):
        spline.addPoint(x, y)
    rule = osim.LinearFunction(0.7, 0.1) if kind == "linear" else spline
    if kind == "multiplied":
        # The multiplier frees the function that it is given.
        spline.thisown = False
        rule = osim.MultiplierFunction(spline, -2.0)
    path = tmp_path / "coupled.osim"
    _coupled(path, rule, 1.5)
    model, _ = _api().extract_kinematics(path)
    reference = _api().load_model(path)
    state = reference.initSystem()
    driver, driven = reference.getCoordinateSet().get(0), reference.getCoordinateSet().get(6)
    assert model.coordinate_names[6] == driven.getName()
    for value in (-1.4, -0.6, 0.1, 0.9, 1.3):
        driver.setValue(state, value, False)
        reference.assemble(state)
        pose = np.zeros(7)
        pose[0] = driver.getValue(state)
        assert consistent(model, pose)[6] == pytest.approx(driven.getValue(state), abs=1e-6)


def test_a_polynomial_coupler_is_refused(tmp_path: Path) -> None:
    osim = _osim()
    path = tmp_path / "coupled.osim"
    _coupled(path, osim.PolynomialFunction(osim.Vector(3, 0.5)))
    with pytest.raises(_api().NotInArraysError, match=r"rhythm .* with a PolynomialFunction"):
        _api().extract_kinematics(path)


def _marker_file(path: Path, rows: list[tuple[str, str]]) -> Path:
    markers = "".join(
        f'<Marker name="{name}"><socket_parent_frame>/bodyset/{body}</socket_parent_frame>'
        "<location>0.1 0 0</location></Marker>"
        for name, body in rows
    )
    path.write_text(
        f'<OpenSimDocument Version="40000"><MarkerSet name="set"><objects>{markers}</objects>'
        "</MarkerSet></OpenSimDocument>"
    )
    return path


def test_markers_of_a_file_are_added_and_moved(tmp_path: Path) -> None:
    path = tmp_path / "chain.osim"
    _chain(path, ["Free", "Pin"])
    markers = _marker_file(tmp_path / "m.xml", [("end", "Free_body"), ("tip", "Pin_body")])
    model, _ = _api().extract_kinematics(path, markers)
    assert model.marker_names == ("end", "tip")
    assert [model.body_names[b] for b in model.marker_bodies] == ["Free_body", "Pin_body"]
    np.testing.assert_allclose(model.marker_locations[0], (0.1, 0.0, 0.0))


def test_bad_files_are_named(tmp_path: Path) -> None:
    good, bad = tmp_path / "chain.osim", tmp_path / "bad.osim"
    _chain(good, ["Free"])
    twice = _marker_file(tmp_path / "twice.xml", [("a", "Free_body"), ("a", "Free_body")])
    lost = _marker_file(tmp_path / "lost.xml", [("a", "tail")])
    bad.write_text("<OpenSimDocument")
    other = tmp_path / "other.xml"
    other.write_text("<x/>")
    for path, markers, message in (
        (tmp_path / "none.osim", None, r"none\.osim could not be read: No such file"),
        (bad, None, r"bad\.osim is no valid XML"),
        (other, None, r"other\.xml is not an OpenSim model"),
        (good, twice, r"twice\.xml names the marker a twice"),
        (good, lost, r"lost\.xml puts the marker a on tail, which the model"),
        (good, good, r"chain\.osim is not an OpenSim marker set"),
    ):
        with pytest.raises(UserError, match=message):
            _api().extract_kinematics(path, markers)


def test_a_model_without_markers_is_told(tmp_path: Path) -> None:
    path = tmp_path / "chain.osim"
    _chain(path, ["Free"])
    model = _api().load_model(path)
    model.updMarkerSet().clearAndDestroy()
    model.printToXML(str(path))
    _, notes = _api().extract_kinematics(path)
    assert notes == [f"{path} has no markers."]


def test_importing_opensim_leaves_no_trace(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    before = {name: os.environ.get(name) for name in ("PATH", "LD_LIBRARY_PATH")}
    path = tmp_path / "chain.osim"
    _chain(path, ["Free"])
    _api().extract_kinematics(path)
    assert {name: os.environ.get(name) for name in before} == before
    assert "/opensim" not in os.environ.get("LD_LIBRARY_PATH", "")
    assert [entry.name for entry in tmp_path.iterdir()] == ["chain.osim"]
