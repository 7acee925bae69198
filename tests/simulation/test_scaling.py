"""Known factors are found again from noisy motion, and the subject's model is whole."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.data.errors import UserError
from pipeline.io.opensim_setups import ModelMarker, write_marker_set
from pipeline.io.scale_setups import read_scale_setup
from pipeline.io.trc import Trc, read_trc

pytestmark = [pytest.mark.opensim, pytest.mark.realdata]

# Locations of SIMSPINE's markers on Pose2Sim's model (simspine_facts.md §3.1), one side.
_MIDDLE = {
    "Nose": ("head", 0.116266, 0.012610, 0.0),
    "Head": ("head", 0.015922, 0.164131, 0.0),
    "Neck": ("torso", -0.042956, 0.413061, 0.0),
    "Spine_05": ("torso", -0.075034, 0.338510, 0.0),
    "Spine_04": ("torso", -0.080639, 0.215644, 0.0),
    "Spine_03": ("lumbar1", -0.044242, -0.009101, 0.0),
    "Spine_02": ("lumbar3", -0.047699, -0.004161, 0.0),
    "Spine_01": ("lumbar5", -0.036870, 0.014393, 0.0),
    "Hip": ("pelvis", -0.156262, 0.004088, 0.0),
}
_RIGHT = {
    "Shoulder": ("torso", -0.012752, 0.366307, 0.201574),
    "Elbow": ("humerus_r", 0.025, -0.297955, -0.008738),
    "Wrist": ("radius_r", -0.000174, -0.235096, 0.009744),
    "Hip": ("pelvis", -0.063927, -0.081343, 0.105406),
    "Knee": ("femur_r", -0.005410, -0.386132, 0.005111),
    "Ankle": ("tibia_r", -0.000286, -0.376840, 0.014960),
    "BigToe": ("toes_r", 0.064664, 0.009869, -0.014580),
    "Heel": ("calcn_r", 0.013586, 0.023304, -0.001887),
}
TRUTH = {
    "pelvis": 1.06,
    "lumbar": 0.93,
    "thorax": 1.07,
    "thorax breadth": 0.97,
    "head": 1.04,
    "arm": 0.94,
    "forearm": 1.05,
    "thigh": 1.08,
    "shank": 0.96,
    "foot": 1.03,
}


def column_markers() -> tuple[ModelMarker, ...]:
    markers = [ModelMarker(n, b, (x, y, z)) for n, (b, x, y, z) in _MIDDLE.items()]
    for name, (body, x, y, z) in _RIGHT.items():
        left = body[:-1] + "l" if body.endswith("_r") else body
        markers += [
            ModelMarker(f"R{name}", body, (x, y, z)),
            ModelMarker(f"L{name}", left, (x, y, -z)),
        ]
    return tuple(markers)


@pytest.fixture(scope="module")
def scaling() -> Any:
    from pipeline.simulation import scaling

    return scaling


@pytest.fixture(scope="module")
def generic(pose2sim_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pose2Sim's model without muscles, with markers on the column."""
    from pipeline.simulation.model_writing import save_model
    from pipeline.simulation.osim_model import attach_markers, load_model

    folder = tmp_path_factory.mktemp("generic")
    write_marker_set(folder / "markers.xml", column_markers())
    model = load_model(pose2sim_model / "Model_Pose2Sim_muscles_flex.osim")
    attach_markers(model, folder / "markers.xml")
    save_model(model, folder / "generic.osim")
    return folder / "generic.osim"


def scaled_by_truth(generic: Path) -> Any:
    """The model scaled by OpenSim with factors from TRUTH, written out body by body."""
    from pipeline.simulation.opensim_api import osim
    from pipeline.simulation.osim_model import load_model

    model = load_model(generic)
    factors = {
        **dict.fromkeys(("pelvis", "sacrum"), "pelvis"),
        **dict.fromkeys((f"lumbar{i}" for i in range(1, 6)), "lumbar"),
        "head": "head",
    }
    for side in "rl":
        factors |= {f"humerus_{side}": "arm", f"femur_{side}": "thigh", f"tibia_{side}": "shank"}
        factors |= dict.fromkeys((f"{b}_{side}" for b in ("ulna", "radius", "hand")), "forearm")
        factors |= dict.fromkeys((f"{b}_{side}" for b in ("talus", "calcn", "toes")), "foot")
    vectors = {body: 3 * [TRUTH[name]] for body, name in factors.items()}
    vectors["torso"] = [TRUTH["thorax"], TRUTH["thorax"], TRUTH["thorax breadth"]]
    scales = osim.ScaleSet()
    for body, vector in vectors.items():
        scale = osim.Scale()
        scale.setSegmentName(body)
        scale.setScaleFactors(osim.Vec3(*vector))
        scale.setApply(True)
        scales.cloneAndAppend(scale)
    model.scale(model.initSystem(), scales, True, -1.0)
    return model


def couplers(model: Any) -> dict[str, tuple[str, float]]:
    """What drives a coupled coordinate, and how much: all couplers of this model are linear."""
    from pipeline.simulation.opensim_api import osim

    found = {}
    constraints = model.getConstraintSet()
    for i in range(constraints.getSize()):
        coupler = osim.CoordinateCouplerConstraint.safeDownCast(constraints.get(i))
        ratio = coupler.getFunction().calcValue(osim.Vector(1, 1.0))
        driver = coupler.getIndependentCoordinateNames().get(0)
        found[coupler.getDependentCoordinateName()] = (driver, ratio)
    return found


def recorded(model: Any, seed: int, n: int = 250) -> Trc:
    """A person who bends, turns and now and then crouches or leaps, with noise and mistakes."""
    rng = np.random.default_rng(seed)
    state = model.initSystem()
    coordinates, markers = model.getCoordinateSet(), model.getMarkerSet()
    times = np.arange(n) / 50
    # Whole periods: markers on the back spread when it bends forward, and close backward.
    slow = {
        name: size * np.sin(2 * np.pi * (rng.integers(1, 3) * 0.2 * times + rng.uniform()))
        for name, size in (
            *(("L5_S1_Flex_Ext", 0.03), ("L5_S1_Lat_Bending", 0.015), ("pelvis_rotation", 1.0)),
            *(("neck_flexion", 0.15), ("neck_rotation", 0.3), ("pelvis_tilt", 0.15)),
            *(("arm_flex_r", 0.5), ("arm_flex_l", 0.5), ("hip_rotation_r", 0.2)),
            *(("pelvis_tx", 0.3), ("hip_adduction_l", 0.1)),
        )
    }
    crouch = np.clip(np.sin(2 * np.pi * 0.2 * times) - 0.6, 0, None) * 4
    for side in "rl":
        slow |= {f"hip_flexion_{side}": crouch, f"knee_angle_{side}": crouch + 0.1}
        slow[f"elbow_flex_{side}"] = np.full(n, 0.1)
    names = [markers.get(i).getName() for i in range(markers.getSize())]
    for name, (driver, ratio) in couplers(model).items():
        if driver in slow:
            slow[name] = ratio * slow[driver]
    xyz = np.empty((n, len(names), 3))
    for frame in range(n):
        for name, values in slow.items():
            coordinates.get(name).setValue(state, float(values[frame]), False)
        model.realizePosition(state)
        for k in range(len(names)):
            xyz[frame, k] = markers.get(k).getLocationInGround(state).to_numpy()
    xyz += rng.normal(0, 0.003, xyz.shape)
    swapped = rng.choice(n, n // 20, replace=False)
    left, right = names.index("LKnee"), names.index("RKnee")
    xyz[swapped, left], xyz[swapped, right] = xyz[swapped, right], xyz[swapped, left]
    xyz[rng.random((n, len(names))) < 0.05] = np.nan
    return Trc(tuple(names), times, xyz, 50.0)


@pytest.fixture(scope="module")
def subject(generic: Path) -> list[Trc]:
    model = scaled_by_truth(generic)
    return [recorded(model, seed) for seed in (1, 2)]


def test_known_factors_are_found_again(
    generic: Path, subject: list[Trc], scaling: Any, tmp_path: Path
) -> None:
    from pipeline.simulation.osim_model import load_model

    output = tmp_path / "subject.osim"
    report = scaling.scale_model(generic, subject, output, scaling.ScaleOptions(mass=64.5))
    found = {one.name: one for one in report.factors}
    assert found.keys() == TRUTH.keys()
    for name, truth in TRUTH.items():
        assert found[name].factor == pytest.approx(truth, rel=0.01), name
        assert found[name].n_frames > 50
        assert 0 < found[name].spread < 0.06
        assert np.abs(found[name].residuals).max() < 0.01
        assert not found[name].bounded
    assert report.n_frames == 500
    assert 50 < report.n_selected < 420
    assert report.unmeasured_bodies == ()
    assert report.ignored_bodies == ()
    assert report.body_factors["torso"][2] == found["thorax breadth"].factor
    model = load_model(output)
    assert model.getName() == "subject"
    assert model.getTotalMass(model.initSystem()) == pytest.approx(64.5)
    assert report.mass == pytest.approx(64.5)
    # The subject's own neutral skeleton, against the one that the motion was made with.
    truth_model = scaled_by_truth(generic)
    for one, two in ((model, truth_model),):
        states = one.initSystem(), two.initSystem()
        for marker in column_markers():
            places = [
                m.getMarkerSet().get(marker.name).getLocationInGround(s).to_numpy()
                for m, s in zip((one, two), states, strict=True)
            ]
            assert np.linalg.norm(places[0] - places[1]) < 0.015, marker.name
    assert [one.name for one in tmp_path.iterdir()] == ["subject.osim"]


def test_height_bounds_every_factor_and_fills_the_rest(
    generic: Path, subject: list[Trc], scaling: Any, tmp_path: Path
) -> None:
    legs = [
        replace(trc, names=tuple(n if n[1:] in {"Hip", "Knee"} else f"{n}?" for n in trc.names))
        for trc in subject
    ]
    options = scaling.ScaleOptions(height=2.05)
    report = scaling.scale_model(generic, legs, tmp_path / "s.osim", options)
    # Top of the head at 1.7109 m, big toe at 0.0124 m (simspine_facts.md §3.1).
    stature = 2.05 / (1.7109 - 0.0124)
    assert report.stature_factor == pytest.approx(stature, rel=1e-3)
    found = {one.name: one for one in report.factors}
    assert found.keys() == {"pelvis", "thigh"}
    assert found["pelvis"].factor == found["pelvis"].measured
    assert report.body_factors["torso"] == (report.stature_factor,) * 3
    assert "torso" in report.unmeasured_bodies
    tall = scaling.ScaleOptions(height=2.4)
    bounded = scaling.scale_model(generic, legs, tmp_path / "s.osim", tall)
    pelvis = bounded.factors[0]
    assert pelvis.bounded
    assert pelvis.factor == pytest.approx(0.85 * bounded.stature_factor)
    assert "Neck?" in report.ignored_markers


def test_manual_factors_and_masses_by_volume(
    generic: Path, subject: list[Trc], scaling: Any, tmp_path: Path
) -> None:
    from pipeline.simulation.osim_model import load_model

    options = scaling.ScaleOptions(manual={"head": (1.1, 1.2, 1.3)}, unmeasured=1.0)
    report = scaling.scale_model(generic, subject, tmp_path / "s.osim", options)
    assert report.body_factors["head"] == (1.1, 1.2, 1.3)
    models = [load_model(path) for path in (generic, report.model_file)]
    before, after = (model.getBodySet().get("head").getMass() for model in models)
    assert after / before == pytest.approx(1.1 * 1.2 * 1.3)


def test_refusals(generic: Path, subject: list[Trc], scaling: Any, tmp_path: Path) -> None:
    def refused(trials: list[Trc], output: Path = tmp_path / "s.osim", **options: Any) -> str:
        with pytest.raises(UserError) as caught:
            scaling.scale_model(generic, trials, output, scaling.ScaleOptions(**options))
        return str(caught.value)

    trc = subject[0]
    strangers = replace(trc, names=tuple(f"x{name}" for name in trc.names))
    assert "no segment has two markers" in refused([strangers])
    assert "no segment has two markers" in refused([trc], measurements=())
    missing = replace(trc, xyz=np.full_like(trc.xyz, np.nan))
    assert "no frame has the measured markers" in refused([missing])
    assert "there are no frames" in refused([])
    assert "units or names must be wrong" in refused([replace(trc, xyz=trc.xyz * 1000)])
    assert "has no body tail" in refused([trc], manual={"tail": (1.0, 1.0, 1.0)})
    assert "its folder does not exist" in refused([trc], tmp_path / "none" / "s.osim")
    assert list(tmp_path.iterdir()) == []


def test_one_round_is_opensims_own_measurement(
    pose2sim_model: Path, balancing_source: Path, scaling: Any, tmp_path: Path
) -> None:
    """Same frames, same set-up: OpenSim averages where we take the median."""
    from pipeline.kinematics.scale_frames import FrameRule
    from pipeline.simulation.osim_model import load_model
    from pipeline.simulation.scale_tool import scale_with_opensim

    setup_file = pose2sim_model / "Scaling_Setup_Pose2Sim_Body25b.xml"
    model_file = pose2sim_model / "Model_Pose2Sim_muscles_flex.osim"
    markers = pose2sim_model / "Markers_Body25b.xml"
    name = "S00_P00_T01_BalancingTrial_0-100_filt_butterworth.trc"
    trc_file = balancing_source / "reference" / name
    scale_with_opensim(
        setup_file,
        tmp_path / "theirs.osim",
        model_file=model_file,
        marker_set=markers,
        marker_file=trc_file,
        time_range=(0.01, 1.67),
        mass=69.0,
        place_markers=False,
    )
    options = scaling.ScaleOptions(
        measurements=read_scale_setup(setup_file).measurements,
        rounds=1,
        unmeasured=1.0,
        mass=69.0,
        rule=FrameRule(fast_fraction=0.0, max_bend=np.pi, max_column=np.pi, mad_limit=np.inf),
    )
    report = scaling.scale_model(
        model_file, [read_trc(trc_file)], tmp_path / "ours.osim", options, markers
    )
    assert {one.n_frames for one in report.factors} == {100}
    theirs, ours = load_model(tmp_path / "theirs.osim"), load_model(tmp_path / "ours.osim")
    for marker, tolerance in (("RKnee", 0.01), ("RElbow", 0.01), ("Neck", 0.01), ("RHip", 0.045)):
        ratio = [
            np.linalg.norm(model.getMarkerSet().get(marker).get_location().to_numpy())
            for model in (theirs, ours)
        ]
        assert ratio[1] / ratio[0] == pytest.approx(1, abs=tolerance), marker


def test_the_delivered_model_is_near(
    pose2sim_model: Path, balancing_source: Path, scaling: Any, tmp_path: Path
) -> None:
    """Pose2Sim scaled it to another recording, a static one, of the same person."""
    delivered = {  # joint offsets of the delivered model / those of the generic one
        "torso": 0.9902,
        "arm": 1.0339,
        "forearm": 0.9921,
        "thigh": 0.9896,
        "shank": 0.9897,
        "foot": 0.9872,
        "pelvis": 1.0014,
    }
    setup = read_scale_setup(pose2sim_model / "Scaling_Setup_Pose2Sim_Body25b.xml")
    name = "S00_P00_T01_BalancingTrial_0-100_filt_butterworth.trc"
    report = scaling.scale_model(
        pose2sim_model / "Model_Pose2Sim_muscles_flex.osim",
        [read_trc(balancing_source / "reference" / name)],
        tmp_path / "s.osim",
        scaling.ScaleOptions(measurements=setup.measurements, rounds=1),
        pose2sim_model / "Markers_Body25b.xml",
    )
    found = {one.name: one.factor for one in report.factors}
    ratios = np.array([found[name] / factor for name, factor in delivered.items()])
    assert np.abs(ratios - 1).max() < 0.15
    assert np.median(np.abs(ratios - 1)) < 0.09
