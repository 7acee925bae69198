"""Reported SDs of angles against real errors, on bodies drawn from the priors."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.data.resources import resource_path
from pipeline.kinematics.angle_sigma import (
    angle_limits,
    angle_values,
    angles_known,
    level_angle,
)
from pipeline.kinematics.angles import intervertebral_angles
from pipeline.kinematics.forward import body_transforms, marker_positions
from pipeline.kinematics.functions import consistent
from pipeline.kinematics.ik import solve
from pipeline.kinematics.ik_options import Prior
from pipeline.kinematics.measured import Measured, trust_of
from pipeline.kinematics.model import KinematicModel
from pipeline.kinematics.subject import Subject, subject_of, weight_factors
from pipeline.simulation.model_tables import read_tables
from pipeline.simulation.osim_model import extract_kinematics

pytestmark = pytest.mark.opensim

REGIONS = ("lumbar_lordosis", "thoracic_kyphosis", "cervical_lordosis", "pelvic_tilt",
           "trunk_inclination", "trunk_lean", "sagittal_axis")  # fmt: skip
LEVELS = (level_angle("L4_L5", "flexion"), level_angle("T8_T9", "bending"),
          level_angle("C5_C6", "twist"), "q.lumbar_bend")  # fmt: skip
FRAMES, NOISE = 400, 0.010


@pytest.fixture(scope="module")
def model() -> KinematicModel:
    return extract_kinematics(resource_path("models", "simspine_core.osim"))[0]


@pytest.fixture(scope="module")
def priors() -> dict[str, Prior]:
    rows = read_tables().regional("core")
    return {row.name: Prior(0.0, float(np.radians(row.prior_sd_deg))) for row in rows}


def _drawn(model: KinematicModel, priors: dict[str, Prior], unseen: str) -> tuple[
    np.ndarray, Measured
]:  # fmt: skip
    """Coordinates drawn from the priors, and their markers with noise, some never seen."""
    rng = np.random.default_rng(4)
    truth = np.tile(model.default, (FRAMES, 1))
    for name, prior in priors.items():
        at = model.coordinate_names.index(name)
        drawn = rng.normal(prior.mean, prior.sd, FRAMES)
        truth[:, at] = np.clip(drawn, model.lower[at], model.upper[at])
    truth = consistent(model, truth)
    clean = marker_positions(model, truth)
    xyz = clean + rng.normal(0.0, NOISE, clean.shape)
    names = model.marker_names
    xyz[:, [bool(unseen) and name.startswith(unseen) for name in names]] = np.nan
    flat = np.full(xyz.shape[:2], 1e-5)
    measured = Measured(
        names, np.arange(FRAMES) / 50.0, xyz, flat, np.zeros(flat.shape, np.uint8), 50.0
    )
    return truth, measured


def _solved(
    model: KinematicModel, priors: dict[str, Prior], unseen: str = ""
) -> tuple[Subject, Measured, np.ndarray, np.ndarray, np.ndarray]:
    truth, measured = _drawn(model, priors, unseen)
    subject = subject_of(model, measured, priors)
    factors = weight_factors(subject, trust_of(measured))
    found = solve(subject.model, measured.xyz, subject.ik_options(marker_weights_at=factors))
    return subject, measured, truth, found.coordinates, found.sigma


@pytest.mark.parametrize("unseen", ["", "Spine"])
def test_reported_sds_are_those_of_the_errors(
    model: KinematicModel, priors: dict[str, Prior], unseen: str
) -> None:
    subject, measured, truth, coordinates, sigma = _solved(model, priors, unseen)
    names = (*REGIONS, *LEVELS)
    known = angles_known(subject, measured, coordinates, sigma, names)
    error = angle_values(model, coordinates, names) - angle_values(model, truth, names)
    ratio = np.sqrt((known.sigma**2).mean(axis=0) / (error**2).mean(axis=0))
    assert np.all((ratio > 1.0 / 1.5) & (ratio < 1.5)), dict(zip(names, ratio, strict=True))


def test_joints_that_hang_together_are_not_taken_for_independent(
    model: KinematicModel, priors: dict[str, Prior]
) -> None:
    """A trunk's lean is known far better than the bends that add up to it."""
    subject, measured, _, coordinates, sigma = _solved(model, priors)
    names = ("trunk_inclination", "thoracic_kyphosis")
    known = angles_known(subject, measured, coordinates, sigma, names)
    lean, bend = np.median(known.sigma, axis=0)
    assert lean < 0.5 * bend


def test_what_only_the_priors_say_is_not_seen(
    model: KinematicModel, priors: dict[str, Prior]
) -> None:
    """Without any point above the hips, where the pelvis faces is seen and the column is not."""
    _, measured = _drawn(model, priors, "")
    low = np.isin([name[1:] for name in measured.names], ("Hip", "Knee", "Ankle", "Heel"))
    measured.xyz[:, ~low] = np.nan
    subject = subject_of(model, measured, priors)
    found = solve(subject.model, measured.xyz, subject.ik_options())
    names = (
        "q.pelvis_rotation",
        "lumbar_lordosis",
        level_angle("L4_L5", "flexion"),
        "q.lumbar_bend",
    )
    known = angles_known(subject, measured, found.coordinates, found.sigma, names)
    np.testing.assert_array_equal(known.seen.mean(axis=0) > 0.5, [True, False, False, False])


def test_frames_without_a_pose_are_unknown(model: KinematicModel, priors: dict[str, Prior]) -> None:
    subject, measured, _, coordinates, sigma = _solved(model, priors)
    coordinates[3] = np.nan
    known = angles_known(subject, measured, coordinates, sigma, REGIONS)
    assert np.isnan(known.sigma[3]).all()
    assert not known.seen[3].any()
    assert np.isfinite(known.sigma[4]).all()


def test_names_say_what_is_meant(model: KinematicModel, priors: dict[str, Prior]) -> None:
    rng = np.random.default_rng(1)
    pose = model.default.copy()
    for name, prior in priors.items():
        pose[model.coordinate_names.index(name)] = rng.normal(0.0, prior.sd)
    pose = consistent(model, pose[None])
    between = intervertebral_angles(model, body_transforms(model, pose))
    place = [level.name for level in between.levels].index("L4_L5")
    names = (level_angle("L4_L5", "twist"), "q.lumbar_bend", "q.no_such", "L9_L10.twist")
    values = angle_values(model, pose, names)[0]
    assert values[0] == between.angles[0, place, 2]
    assert values[1] == pose[0, model.coordinate_names.index("lumbar_bend")]
    assert np.isnan(values[2:]).all()


def test_limits_are_those_of_the_level() -> None:
    low, high = angle_limits(level_angle("L4_L5", "flexion")) or (0.0, 0.0)
    assert low < 0.0 < high
    assert angle_limits("lumbar_lordosis") is None
    assert angle_limits("q.lumbar_bend") is None
