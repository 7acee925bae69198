"""The shipped models in OpenSim: coordinates, masses, neutral posture, rhythm and symmetry."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.data.resources import resource_path
from pipeline.simulation import build_models
from pipeline.simulation.build_models import built_files, main, model_text
from pipeline.simulation.model_tables import MOTIONS, VARIANTS, Variant, read_tables
from pipeline.simulation.neutral_pose import MM, endplate_normal, marker_in_body, neutral_frames
from pipeline.simulation.opensim_api import osim

pytestmark = pytest.mark.opensim

TABLES = read_tables()
# How exactly Simbody's assembler meets the couplers.
ASSEMBLED_RAD = 1e-5


class Posed:
    """A shipped model and its state; what it says is copied into arrays at once."""

    def __init__(self, variant: Variant) -> None:
        self.model: Any = osim.Model(str(resource_path("models", f"simspine_{variant}.osim")))
        self.start: Any = self.model.initSystem()
        self.state: Any = osim.State(self.start)
        self.variant = variant
        coordinates = self.model.getCoordinateSet()
        self.names = [coordinates.get(i).getName() for i in range(coordinates.getSize())]

    def set(self, values: dict[str, float]) -> None:
        self.state = osim.State(self.start)
        coordinates = self.model.getCoordinateSet()
        for name, value in values.items():
            coordinates.get(name).setValue(self.state, value, False)
        self.model.assemble(self.state)
        self.model.realizePosition(self.state)

    def value(self, name: str) -> float:
        return float(self.model.getCoordinateSet().get(name).getValue(self.state))

    def frame(self, body: str) -> np.ndarray:
        transform = self.model.getBodySet().get(body).getTransformInGround(self.state)
        rotation, place = transform.R().asMat33(), transform.p()
        frame = np.eye(4)
        frame[:3, :3] = [[rotation.get(i, j) for j in range(3)] for i in range(3)]
        frame[:3, 3] = [place.get(i) for i in range(3)]
        return frame

    def marker(self, name: str) -> np.ndarray:
        return np.array(
            self.model.getMarkerSet().get(name).getLocationInGround(self.state).to_numpy()
        )


@pytest.fixture(scope="module", params=VARIANTS)
def posed(request: pytest.FixtureRequest) -> Posed:
    return Posed(request.param)


@pytest.fixture(scope="module")
def core() -> Posed:
    return Posed("core")


@pytest.fixture
def loud() -> Any:
    osim.Logger.setLevelString("warn")
    yield
    osim.Logger.setLevelString("off")


@pytest.mark.parametrize("variant", VARIANTS)
def test_loads_without_a_word(
    variant: Variant, loud: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    model = osim.Model(str(resource_path("models", f"simspine_{variant}.osim")))
    model.initSystem()
    said = capfd.readouterr()
    assert said.out + said.err == ""


def test_a_missing_mesh_would_be_heard(
    tmp_path: Path, loud: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    lonely = tmp_path / "alone.osim"
    lonely.write_bytes(resource_path("models", "simspine_core.osim").read_bytes())
    osim.Model(str(lonely)).initSystem()
    said = capfd.readouterr()
    assert "simspine_L5.vtp" in said.out + said.err


@pytest.fixture(scope="module")
def built() -> dict[str, str]:
    return built_files(TABLES)


def test_shipped_is_what_the_tables_give(built: dict[str, str]) -> None:
    for name, text in built.items():
        shipped = resource_path("models", *name.split("/")).read_bytes()
        assert shipped == text.encode(), name


def test_building_twice_gives_the_same_bytes(built: dict[str, str]) -> None:
    for variant in VARIANTS:
        name = f"simspine_{variant}.osim"
        assert _without_meshes(model_text(TABLES, variant)) == _without_meshes(built[name])


def _without_meshes(text: str) -> list[str]:
    kept = re.sub(r"<attached_geometry>.*?</attached_geometry>", "", text, flags=re.DOTALL)
    return kept.split()


def test_the_command_writes_and_checks(
    tmp_path: Path,
    built: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(build_models, "built_files", lambda tables: built)
    assert main(["--check"]) == 0
    assert main(["--output", str(tmp_path / "models")]) == 0
    written = tmp_path / "models" / "simspine_core.osim"
    assert written.read_bytes() == resource_path("models", "simspine_core.osim").read_bytes()
    text = written.read_text(encoding="utf-8")
    written.write_text(text.replace("0.382", "0.383"), encoding="utf-8")
    (tmp_path / "models" / "Geometry" / "simspine_C9.vtp").touch()
    capsys.readouterr()
    assert main(["--check", "--output", str(tmp_path / "models")]) == 1
    said = capsys.readouterr().out
    assert "simspine_core.osim is not what the tables give" in said
    assert "simspine_C9.vtp is not what the tables give" in said
    assert "simspine_extended.osim is" not in said
    (tmp_path / "file").touch()
    assert main(["--output", str(tmp_path / "file" / "models")]) == 2
    assert "cannot be written" in capsys.readouterr().err


def test_coordinates(posed: Posed) -> None:
    regional = {row.name: row for row in TABLES.regional(posed.variant)}
    dependent = {f"{joint.level}_{motion}" for joint in TABLES.joints for motion in MOTIONS} & set(
        posed.names
    )
    assert len(regional) + len(dependent) == 75
    assert posed.model.getConstraintSet().getSize() == len(dependent) == 75 - len(regional)
    for name, row in regional.items():
        coordinate = posed.model.getCoordinateSet().get(name)
        assert coordinate.getClamped(posed.state)
        assert math.degrees(coordinate.getRangeMin()) == pytest.approx(row.min_deg, abs=1e-6)
        assert math.degrees(coordinate.getRangeMax()) == pytest.approx(row.max_deg, abs=1e-6)
    for name in dependent:
        coordinate = posed.model.getCoordinateSet().get(name)
        assert not coordinate.getClamped(posed.state)
        assert not coordinate.getLocked(posed.state)
    pelvis = ("tilt", "list", "rotation", "tx", "ty", "tz")
    assert posed.names[:6] == [f"pelvis_{part}" for part in pelvis]
    # On the gimbal lock of a Z-X-Y shoulder (90 degrees) no solver should start.
    assert abs(math.degrees(posed.value("arm_add_r"))) < 60


def test_masses(posed: Posed) -> None:
    assert posed.model.getTotalMass(posed.state) == pytest.approx(75.0, abs=1e-6)
    bodies = posed.model.getBodySet()
    column = {"pelvis", "sacrum", "skull", *(joint.child for joint in TABLES.joints)}
    names = [bodies.get(i).getName() for i in range(bodies.getSize())]
    assert column <= set(names)
    assert len(column) == 27
    for name in names:
        inertia = bodies.get(name).get_inertia()
        xx, yy, zz = (inertia.get(i) for i in range(3))
        assert bodies.get(name).getMass() > 0, name
        assert xx + yy >= zz
        assert yy + zz >= xx
        assert zz + xx >= yy, name


def test_joint_centres_are_the_tables(core: Posed) -> None:
    core.set({})
    hips = np.array([0.0, TABLES.posture("hip_axis_height") * MM, 0.0])
    for joint in TABLES.joints:
        place = (core.frame(joint.child)[:3, 3] - hips) / MM
        assert np.hypot(place[0] - joint.x_mm, place[1] - joint.y_mm) < 0.3, joint.level
        assert abs(place[2]) < 1e-9
    for side, sign in (("r", 1), ("l", -1)):
        femur = (core.frame(f"femur_{side}")[:3, 3] - hips) / MM
        assert np.allclose(femur, (0, 0, 84 * sign), atol=1e-6)


def _pitch(posed: Posed, body: str, plate: str) -> float:
    normal = posed.frame(body)[:3, :3] @ endplate_normal(TABLES, body, plate)
    return math.degrees(math.atan2(normal[0], normal[1]))


def test_neutral_posture(core: Posed) -> None:
    core.set({})
    plates = {
        "lumbar_lordosis_l1_s1": (("sacrum", "sup"), ("L1", "sup")),
        "lordosis_l4_s1": (("sacrum", "sup"), ("L4", "sup")),
        "kyphosis_t1_t12": (("T1", "sup"), ("T12", "inf")),
        "kyphosis_t4_t12": (("T4", "sup"), ("T12", "inf")),
        "cervical_lordosis_c2_c7": (("C7", "inf"), ("C2", "inf")),
    }
    for quantity, (low, high) in plates.items():
        cobb = _pitch(core, *low) - _pitch(core, *high)
        assert cobb == pytest.approx(TABLES.posture(quantity), abs=0.1), quantity
    assert _pitch(core, "T1", "sup") == pytest.approx(TABLES.posture("t1_slope"), abs=0.1)
    assert _pitch(core, "sacrum", "sup") == pytest.approx(TABLES.posture("sacral_slope"), abs=0.1)
    sacrum = core.frame("sacrum")[:3, 3]
    hips = 0.5 * (core.frame("femur_r") + core.frame("femur_l"))[:3, 3]
    tilt = math.degrees(math.atan2(hips[0] - sacrum[0], sacrum[1] - hips[1]))
    assert tilt == pytest.approx(TABLES.posture("pelvic_tilt"), abs=0.1)


def _rotation(axis: int, angle: float) -> np.ndarray:
    cos, sin = math.cos(angle), math.sin(angle)
    matrix = np.eye(3)
    i, j = (axis + 1) % 3, (axis + 2) % 3
    matrix[[i, i, j, j], [i, j, i, j]] = cos, -sin, sin, cos
    return matrix


@pytest.mark.parametrize("part", [0.9, -0.8])
def test_each_regional_coordinate_turns_its_region(posed: Posed, part: float) -> None:
    shares = TABLES.shares(posed.variant)
    for row in TABLES.regional(posed.variant):
        value = part * math.radians(row.max_deg if part > 0 else -row.min_deg)
        posed.set({row.name: value})
        taken = [
            (joint, shares[joint.level, row.motion][1])
            for joint in TABLES.joints
            if shares[joint.level, row.motion][0] == row.name
        ]
        for joint, share in taken:
            if joint.level != row.anchor:
                moved = posed.value(f"{joint.level}_{row.motion}")
                assert moved == pytest.approx(share * value, abs=ASSEMBLED_RAD)
        # The same turn by hand: neutral curvature and share of each level, one after the other.
        axis, sign = {"flex": (2, -1), "bend": (0, 1), "twist": (1, 1)}[row.motion]
        expected = np.eye(3)
        first = TABLES.joints.index(taken[0][0])
        last = TABLES.joints.index(taken[-1][0])
        share_of = {joint.level: share for joint, share in taken}
        neutral = np.eye(3)
        for joint in TABLES.joints[first : last + 1]:
            offset = _rotation(2, math.radians(joint.neutral_zrot_deg))
            neutral = neutral @ offset
            expected = (
                expected @ offset @ _rotation(axis, sign * share_of.get(joint.level, 0.0) * value)
            )
        bottom, top = posed.frame(taken[0][0].parent), posed.frame(taken[-1][0].child)
        found = bottom[:3, :3].T @ top[:3, :3]
        assert np.abs(found - expected).max() < 10 * ASSEMBLED_RAD, row.name
        net = math.acos((np.trace(found @ neutral.T) - 1.0) / 2.0)
        # docs/spine-model.md: tilted axes cost at most 4 per cent.
        assert 0.96 * abs(value) < net < (1.0 + 1e-4) * abs(value), row.name
        if row.motion == "flex":
            # In one plane the region's angle is the coordinate itself.
            turn = found @ neutral.T
            angle = -math.atan2(turn[1, 0], turn[0, 0])
            assert angle == pytest.approx(value, abs=10 * ASSEMBLED_RAD)
            assert abs(turn[2, 2] - 1.0) < 1e-9


def test_signs(core: Posed) -> None:
    core.set({})
    neutral = core.marker("Spine_05")
    core.set({"lumbar_lower_flex": 0.3})
    assert core.marker("Spine_05")[0] > neutral[0] + 0.05
    core.set({"lumbar_bend": 0.3})
    assert core.marker("Spine_05")[2] > neutral[2] + 0.05
    core.set({"trunk_twist": 0.3})
    assert core.marker("RShoulder")[0] > core.marker("LShoulder")[0] + 0.05
    core.set({"hip_flexion_r": 0.5, "knee_angle_r": 1.0, "elbow_flex_l": 1.0})
    assert core.marker("RKnee")[0] > 0.15
    assert core.marker("RAnkle")[0] < core.marker("RKnee")[0]
    assert core.marker("LWrist")[0] > core.marker("LElbow")[0] + 0.1
    core.set({"clavicle_elev_l": 0.3, "clavicle_prot_r": 0.3})
    assert core.marker("LShoulder")[1] > core.marker("RShoulder")[1] + 0.03
    assert core.marker("RShoulder")[0] > core.marker("LShoulder")[0] + 0.03


def test_markers(posed: Posed) -> None:
    posed.set({})
    markers = posed.model.getMarkerSet()
    assert [markers.get(i).getName() for i in range(markers.getSize())] == [
        row.marker for row in TABLES.markers
    ]
    frames = neutral_frames(TABLES)
    for row in TABLES.markers:
        frame = posed.frame(row.body)
        place = frame[:3, :3] @ marker_in_body(TABLES, row, frames) + frame[:3, 3]
        assert np.abs(posed.marker(row.marker) - place).max() < 1e-6, row.marker


def test_left_is_the_mirror_of_right(core: Posed) -> None:
    flip = np.diag([1.0, 1.0, -1.0])
    pose = {name: 0.1 + 0.02 * i for i, name in enumerate(core.names) if name.endswith("_r")}
    pose |= {f"{name[:-2]}_l": value for name, value in pose.items()}
    locked = ("pro_sup", "wrist_flex", "wrist_dev")
    core.set({name: value for name, value in pose.items() if not name.startswith(locked)})
    bodies = core.model.getBodySet()
    names = [bodies.get(i).getName() for i in range(bodies.getSize())]
    for name in names:
        if name.endswith("_r"):
            right, left = core.frame(name), core.frame(f"{name[:-2]}_l")
            assert np.allclose(flip @ right[:3, 3], left[:3, 3], atol=1e-9), name
            assert np.allclose(flip @ right[:3, :3] @ flip, left[:3, :3], atol=1e-9), name
            assert bodies.get(name).getMass() == bodies.get(f"{name[:-2]}_l").getMass()
    for row in TABLES.markers:
        if row.keypoint.startswith("right_"):
            other = core.marker("L" + row.marker[1:])
            assert np.allclose(flip @ core.marker(row.marker), other, atol=1e-9), row.marker
