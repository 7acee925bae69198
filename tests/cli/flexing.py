"""A recording of somebody who stands and then bends forward in the lumbar spine, as detections."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np

from pipeline.data.resources import resource_path
from pipeline.geometry.projection import project_views
from pipeline.io.opening import open_in_memory
from pipeline.kinematics.angles import posture
from pipeline.kinematics.forward import body_transforms, marker_positions
from pipeline.kinematics.model import KinematicModel, coordinate_index

N_FRAMES = 110
_UPRIGHT = 60  # frames; then a slow bend
_NOISE = 0.5  # px


def flexing_recording(folder: Path, demo: Path) -> np.ndarray:
    """Write it, seen by the cameras of the demo; returns the true lumbar lordosis, radians."""
    from pipeline.simulation.osim_model import extract_kinematics

    model, _ = extract_kinematics(resource_path("models", "simspine_extended.osim"))
    q = _motion(model)
    sequence, _ = open_in_memory(demo)
    names = sequence.info.skeleton.markers
    xyz = marker_positions(model, q)[:, [model.marker_names.index(name) for name in names]]
    pixels = project_views(sequence.cameras, xyz)  # (T, K, V, 2)
    pixels += np.random.default_rng(3).normal(0.0, _NOISE, pixels.shape)
    shutil.copytree(demo / "calibration", folder / "calibration")
    for view, camera in enumerate(sequence.cameras):
        here = folder / "pose" / f"{camera.name}_json"
        here.mkdir(parents=True)
        for frame in range(N_FRAMES):
            seen = np.concatenate([pixels[frame, :, view], np.ones((len(names), 1))], axis=1)
            person = {"person_id": [-1], "pose_keypoints_2d": seen.ravel().round(3).tolist()}
            text = json.dumps({"version": 1.3, "people": [person]})
            (here / f"{camera.name}.{frame:04d}.json").write_text(text)
    return np.asarray(posture(model, body_transforms(model, q)).lumbar_lordosis)


def _motion(model: KinematicModel) -> np.ndarray:
    q = np.tile(model.default, (N_FRAMES, 1))
    bend = np.zeros(N_FRAMES)
    bend[_UPRIGHT:] = 0.5 * (1 - np.cos(np.linspace(0, np.pi, N_FRAMES - _UPRIGHT)))
    for name, degrees in (
        ("lumbar_lower_flex", 24), ("lumbar_upper_flex", 16), ("hip_flexion_r", 20),
        ("hip_flexion_l", 20), ("pelvis_tilt", -15),
    ):  # fmt: skip
        q[:, coordinate_index(model, name)] += np.radians(degrees) * bend
    q[:, coordinate_index(model, "pelvis_ty")] = 0.92
    # Standing still is no exact repetition.
    q[:, coordinate_index(model, "pelvis_tx")] = 0.01 * np.sin(np.arange(N_FRAMES) / 9.0)
    return q
