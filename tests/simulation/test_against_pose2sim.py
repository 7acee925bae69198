"""Our joint angles on the real recording fit Pose2Sim's points no worse than its own motion."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline.io.motion_files import in_radians, read_motion
from pipeline.io.opensim_setups import read_ik_setup
from pipeline.io.trc import read_trc
from pipeline.kinematics.forward import marker_positions
from pipeline.kinematics.ik import solve
from pipeline.kinematics.ik_options import IkOptions
from pipeline.kinematics.model import rotational_coordinates

pytestmark = [pytest.mark.opensim, pytest.mark.realdata]

TRIAL = "S00_P00_T01_BalancingTrial"


def test_the_cost_is_not_above_that_of_the_stored_motion(
    balancing_source: Path, pose2sim_model: Path
) -> None:
    from pipeline.simulation.osim_model import extract_kinematics

    reference = balancing_source / "reference"
    model, _ = extract_kinematics(reference / "Model_Pose2Sim_body25b_scaled.osim")
    recorded = read_trc(reference / f"{TRIAL}_0-100_filt_butterworth.trc")
    stored = read_motion(reference / f"{TRIAL}_filt_butterworth_0-100_body25b.mot")
    tasks = read_ik_setup(pose2sim_model / "IK_Setup_Pose2Sim_Body25b.xml").tasks
    weights = {n: w for n, w in tasks.marker_weights().items() if n in model.marker_names}
    columns = [recorded.names.index(n) if n in recorded.names else -1 for n in model.marker_names]
    markers = np.where(
        np.array(columns)[:, None] >= 0, recorded.xyz[:, columns], np.nan
    )  # fmt: skip
    targets = tasks.coordinate_targets()
    options = IkOptions(
        marker_weights=weights,
        default_weight=0.0,
        coordinate_weights={n: w for n, (w, _) in targets.items()},
        coordinate_targets={n: t for n, (_, t) in targets.items() if t is not None},
    )

    theirs = in_radians(stored, rotational_coordinates(model))
    q = np.stack([theirs.column(name) for name in model.coordinate_names], axis=-1)
    weight = np.array([weights.get(name, 0.0) for name in model.marker_names])

    def rms(coordinates: np.ndarray) -> float:
        error = ((marker_positions(model, coordinates) - markers) ** 2).sum(axis=-1)
        there = np.isfinite(error) & (weight > 0)
        return float(np.sqrt(np.sum(np.where(there, weight * error, 0.0)) / np.sum(there * weight)))

    assert rms(solve(model, markers, options).coordinates) <= 1.0005 * rms(q)
