"""Factors, offsets and poses as one problem, against OpenSim's scaling and its own markers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline.data.resources import resource_path
from pipeline.kinematics.forward import marker_positions
from pipeline.kinematics.ik import solve
from pipeline.kinematics.ik_options import IkOptions
from pipeline.kinematics.scale_measurements import keypoint_measurements
from pipeline.kinematics.scale_refinement import ScaleGroup, refine_scale, scaled_kinematics

pytestmark = pytest.mark.opensim
GENERIC = resource_path("models", "simspine_core.osim")


def test_scaled_arrays_are_those_of_the_scaled_model_file(tmp_path: Path) -> None:
    from pipeline.simulation.opensim_api import osim
    from pipeline.simulation.osim_model import extract_kinematics
    from pipeline.simulation.scaling import _scale

    model, _ = extract_kinematics(GENERIC)
    rng = np.random.default_rng(3)
    factors = rng.uniform(0.85, 1.15, (model.n_bodies, 3))
    written = osim.Model(str(GENERIC))
    _scale(written, dict(zip(model.body_names, factors, strict=True)), None)
    written.printToXML(str(tmp_path / "scaled.osim"))
    told, _ = extract_kinematics(tmp_path / "scaled.osim")
    ours = scaled_kinematics(model, factors)
    poses = np.tile(model.default, (5, 1)) + rng.uniform(-0.3, 0.3, (5, model.n_coordinates))
    apart = marker_positions(ours, poses) - marker_positions(told, poses)
    assert np.abs(apart).max() < 1e-9


def test_size_and_a_constant_offset_are_found() -> None:
    from pipeline.simulation.osim_model import extract_kinematics
    from pipeline.simulation.simulate import _priors
    from tests.truth.spine_motion import full_range

    model, _ = extract_kinematics(GENERIC)
    size = 1.06
    motion = full_range(300, 50.0, 0, size=size)
    order = [motion.names.index(name) for name in model.marker_names]
    rng = np.random.default_rng(0)
    points = motion.markers[::12][:, order]
    points = points + rng.normal(0.0, 0.002, points.shape)
    moved = model.marker_names.index("REar")
    head = [model.marker_names.index(name) for name in ("LEar", "REar")]
    across = points[:, head[1]] - points[:, head[0]]
    points[:, moved] += 0.012 * across / np.linalg.norm(across, axis=-1, keepdims=True)
    groups = [
        ScaleGroup(one.name, one.bodies, 0.0, 0.06)
        for one in keypoint_measurements(model.marker_names, model.body_names)
        if one.name != "thorax breadth"
    ]
    priors = _priors("core")
    start = solve(model, points, IkOptions(priors=priors)).coordinates
    offset_sd = np.full(model.n_markers, 0.006)
    offset_sd[model.marker_names.index("LEar")] = 0.0
    sigma = np.full(points.shape[:2], 0.002)
    found = refine_scale(model, points, sigma, start, groups, offset_sd, priors)
    z = (np.log(found.factors) - np.log(size)) / found.factor_sigma
    assert np.abs(z).max() < 3.0
    assert np.nanmean(found.after) < 0.2 * np.nanmean(found.before)
    assert abs(found.offsets[moved, 2] - 0.012) < 0.005
    assert found.offset_sigma[moved, 2] < 0.006
