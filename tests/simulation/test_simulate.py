"""The whole simulation against a person made by another model than the one that is fitted."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.data.errors import UserError
from pipeline.data.resources import resource_path
from pipeline.data.source import Source
from pipeline.kinematics.angles import posture
from pipeline.kinematics.forward import body_transforms, marker_positions
from pipeline.kinematics.model import KinematicModel, coordinate_index
from pipeline.kinematics.published import CHAIN

pytestmark = pytest.mark.opensim

RATE, N_FRAMES, NOISE = 50.0, 130, 0.005


@pytest.fixture(scope="module")
def person() -> KinematicModel:
    """The extended model with markers that lie up to 10 mm off: not what is fitted."""
    from pipeline.simulation.osim_model import extract_kinematics

    model, _ = extract_kinematics(resource_path("models", "simspine_extended.osim"))
    rng = np.random.default_rng(7)
    offsets = rng.normal(0, 0.004, model.marker_locations.shape)
    return replace(model, marker_locations=model.marker_locations + offsets)


@pytest.fixture(scope="module")
def motion(person: KinematicModel) -> np.ndarray:
    """Standing upright for a second, then bending forwards and sideways, 40 degrees and more."""
    time = np.maximum(np.arange(N_FRAMES) / RATE - 1.0, 0.0)
    q = np.tile(person.default, (N_FRAMES, 1))
    for name, degrees, hertz in (
        ("lumbar_lower_flex", 24, 0.5), ("lumbar_upper_flex", 16, 0.5),
        ("thoracic_lower_flex", 8, 0.5), ("lumbar_bend", 12, 0.8), ("neck_lower_flex", 15, 0.7),
        ("thoracic_lower_bend", 6, 0.8), ("thoracic_upper_bend", 4, 0.8),
        ("hip_flexion_r", 25, 0.5), ("hip_flexion_l", 20, 0.5), ("pelvis_tilt", -20, 0.5),
    ):  # fmt: skip
        swing = np.sin(2 * np.pi * hertz * time) if "bend" in name else 1 - np.cos(
            2 * np.pi * hertz * time
        )  # fmt: skip
        q[:, coordinate_index(person, name)] = np.radians(degrees) * swing / (
            1 if "bend" in name else 2
        )  # fmt: skip
    q[:, coordinate_index(person, "pelvis_ty")] = 0.92
    return q


@pytest.fixture(scope="module")
def measured(person: KinematicModel, motion: np.ndarray):  # type: ignore[no-untyped-def]
    from pipeline.kinematics.measured import Measured

    xyz = marker_positions(person, motion)
    rng = np.random.default_rng(8)
    steps = rng.normal(0, 1, (N_FRAMES + 4, *xyz.shape[1:]))
    correlated = NOISE * (steps[:-4] + steps[2:-2] + steps[4:]) / np.sqrt(3.0)
    shape = xyz.shape[:2]
    return Measured(
        person.marker_names, np.arange(N_FRAMES) / RATE, xyz + correlated,
        np.full(shape, NOISE), np.zeros(shape, np.uint8), RATE,
    )  # fmt: skip


def run(measured, path: Path):  # type: ignore[no-untyped-def]
    from pipeline.simulation.simulate import SimulationOptions, simulate_steps

    steps = simulate_steps(measured, path, SimulationOptions(threads=1))
    shares = []
    while True:
        try:
            shares.append(next(steps)[0])
        except StopIteration as finished:
            assert shares == sorted(shares)
            return finished.value


@pytest.fixture(scope="module")
def found(measured, tmp_path_factory: pytest.TempPathFactory):  # type: ignore[no-untyped-def]
    return run(measured, tmp_path_factory.mktemp("subject") / "subject.osim")


def slope_and_rms(reached: np.ndarray, truth: np.ndarray) -> tuple[float, float]:
    truth, reached = truth - truth[:25].mean(), reached - reached[:25].mean()
    return float(np.polyfit(truth, reached, 1)[0]), float(np.sqrt(np.mean((reached - truth) ** 2)))


def test_lumbar_flexion_is_not_crushed(found, person: KinematicModel, motion: np.ndarray) -> None:
    truth = posture(person, body_transforms(person, motion))
    reached = posture(found.model, body_transforms(found.model, found.fitted.coordinates))
    slope, rms = slope_and_rms(reached.lumbar_lordosis, truth.lumbar_lordosis)
    assert 0.9 < slope < 1.1
    assert np.degrees(rms) < 0.35 * np.degrees(np.std(truth.lumbar_lordosis))
    slope, _ = slope_and_rms(reached.trunk_inclination, truth.trunk_inclination)
    assert slope == pytest.approx(1.0, abs=0.05)


def test_labels_are_nearer_to_the_truth_than_what_was_measured(
    found, measured, person: KinematicModel, motion: np.ndarray
) -> None:
    truth = marker_positions(person, motion)
    column = [measured.names.index(name) for name in CHAIN]
    errors = [
        np.sqrt(np.mean((each[:, column] - truth[:, column]) ** 2))
        for each in (found.labels.xyz, measured.xyz)
    ]
    assert errors[0] < 0.85 * errors[1]


def test_angles_and_labels_agree(found) -> None:
    placed = marker_positions(found.model, found.fitted.coordinates)
    assert np.median(np.linalg.norm(placed - found.labels.xyz, axis=-1)) < 0.006


def test_a_correction_of_one_frame_survives(found, measured, tmp_path: Path) -> None:
    level = measured.names.index("Spine_03")
    xyz, manual = measured.xyz.copy(), measured.manual.copy()
    xyz[80, level] = found.labels.xyz[80, level] + np.array([0.0, 0.0, 0.030])
    manual[80, level] = Source.MANUAL_3D
    again = run(replace(measured, xyz=xyz, manual=manual), tmp_path / "subject.osim")
    survived = (again.labels.xyz - found.labels.xyz)[80, level, 2] / 0.030
    assert survived >= 0.95
    assert again.labels.source[80, level] == Source.MANUAL_3D


def test_a_spine_that_nobody_saw_comes_from_the_priors_and_says_so(
    measured, person: KinematicModel, motion: np.ndarray, tmp_path: Path
) -> None:
    column = [measured.names.index(name) for name in CHAIN if name != "Neck"]
    xyz = measured.xyz.copy()
    xyz[:, column] = np.nan
    labels = run(replace(measured, xyz=xyz), tmp_path / "subject.osim").labels
    assert (labels.source[:, column] == Source.SIMULATED).all()
    error = np.linalg.norm(labels.xyz - marker_positions(person, motion), axis=-1)[:, column]
    assert np.median(error) < 0.04
    assert np.nanmin(labels.sigma[:, column]) >= 0.029


def test_levels_placed_at_judged_heights_set_no_lengths(measured, tmp_path: Path) -> None:
    """Placed 12 % too far apart by hand, they change no segment; detected ones do."""
    from pipeline.simulation.simulate import SimulationOptions, learn_steps

    levels = [n for n, name in enumerate(measured.names) if name.startswith("Spine_")]
    hip = measured.names.index("Hip")
    xyz = measured.xyz.copy()
    xyz[:, levels] += 0.12 * (xyz[:, levels] - xyz[:, [hip]])
    by_hand = measured.manual.copy()
    by_hand[:, levels] = Source.MANUAL_3D
    missing = xyz.copy()
    missing[:, levels] = np.nan
    lumbar = []
    for changes in ({"xyz": xyz}, {"xyz": xyz, "manual": by_hand}, {"xyz": missing}):
        steps = learn_steps(replace(measured, **changes), tmp_path / "s.osim", SimulationOptions())
        try:
            while True:
                next(steps)
        except StopIteration as finished:
            factors = {one.name: one for one in finished.value.scaling.factors}
        lumbar.append(factors["lumbar"].measured)
    detected, placed, absent = lumbar
    assert detected > 1.08
    assert placed == pytest.approx(absent, nan_ok=True)


def test_no_points_make_no_person(measured, tmp_path: Path) -> None:
    nobody = replace(measured, xyz=np.full_like(measured.xyz, np.nan))
    with pytest.raises(UserError, match="there are no points"):
        run(nobody, tmp_path / "subject.osim")
    assert not (tmp_path / "subject.osim").exists()


def test_every_file_says_the_same_to_opensim(found, measured, tmp_path: Path) -> None:
    from pipeline.jobs.simulation_files import write_simulation
    from pipeline.simulation.opensim_api import osim

    files = write_simulation(tmp_path, measured, found, "a person & a <tag>")
    named = {path.name: path for path in files}
    assert osim.Model(str(named["subject.osim"])).getNumCoordinates() == found.model.n_coordinates
    angles = osim.TimeSeriesTable(str(named["angles.mot"]))
    # A rotation that drives other levels is "coupled" to OpenSim, and such stay in radians there.
    for name, unit in (("knee_angle_r", np.pi / 180), ("lumbar_lower_flex", 1.0)):
        column = angles.getDependentColumn(name).to_numpy()
        wanted = found.fitted.coordinates[:, coordinate_index(found.model, name)]
        np.testing.assert_allclose(unit * column, wanted, atol=1e-9)
    labels = osim.TimeSeriesTableVec3(str(named["labels.trc"]))
    row = labels.getRowAtIndex(50)
    head = row.getElt(0, measured.names.index("Head")).to_numpy()
    wanted = found.labels.xyz[50, measured.names.index("Head")]
    np.testing.assert_allclose(head, wanted, atol=1e-6)
    for name in ("model_markers.sto", "marker_errors.sto"):
        assert osim.TimeSeriesTable(str(named[name])).getNumRows() == N_FRAMES
    report = named["report.html"].read_text(encoding="utf-8")
    assert "a person &amp; a &lt;tag&gt;" in report
    assert "priors alone" not in report
    rows = named["angles.csv"].read_text(encoding="utf-8").splitlines()
    assert len(rows) == N_FRAMES + 1
    assert {len(row.split(",")) for row in rows} == {2 + 14 + 75 + 1}
