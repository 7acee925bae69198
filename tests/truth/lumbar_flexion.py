"""Lumbar flexion in SIMSPINE's published set-up: its markers on Pose2Sim's model, 5 mm of noise."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pipeline.kinematics.forward import marker_positions
from pipeline.kinematics.ik import solve
from pipeline.kinematics.ik_options import IkOptions
from pipeline.kinematics.model import KinematicModel, coordinate_index, with_markers
from pipeline.kinematics.published import PULLED, published_markers

N_FRAMES = 60


def published_model(folder: Path) -> KinematicModel:
    """Pose2Sim's model (from its folder) with the 33 published markers."""
    from pipeline.simulation.osim_model import extract_kinematics

    bare, _ = extract_kinematics(folder / "Model_Pose2Sim_muscles_flex.osim")
    markers = published_markers()
    return with_markers(
        bare,
        [marker.name for marker in markers],
        [marker.body for marker in markers],
        np.array([marker.location for marker in markers]),
    )


def flexion_found(model: KinematicModel, pull: float) -> float:
    """Share of a true flexion of the lumbar spine, with 5 mm of noise, that is found."""
    rng = np.random.default_rng(5)
    q = np.tile(model.default, (N_FRAMES, 1))
    flexion = coordinate_index(model, PULLED)
    phase = np.linspace(0, 2 * np.pi, N_FRAMES)
    q[:, flexion] = -0.06 * (1 - np.cos(phase))  # to 49 degrees of the whole lumbar spine
    q[:, coordinate_index(model, "pelvis_tilt")] = -0.2 * (1 - np.cos(phase))
    for side in "rl":
        q[:, coordinate_index(model, f"arm_add_{side}")] = -0.4
        q[:, coordinate_index(model, f"elbow_flex_{side}")] = 0.5
    markers = marker_positions(model, q)
    markers += rng.normal(0, 0.005, markers.shape)
    options = IkOptions(
        marker_weights={marker.name: marker.weight for marker in published_markers()},
        coordinate_weights={PULLED: pull},
    )
    found = solve(model, markers, options).coordinates[:, flexion]
    return float(np.polyfit(q[:, flexion], found, 1)[0])
