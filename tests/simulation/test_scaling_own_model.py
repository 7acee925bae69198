"""Our own model is scaled region by region: every body has a factor, every factor is its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.data.resources import resource_path
from pipeline.io.trc import Trc

pytestmark = pytest.mark.opensim

MODEL = resource_path("models", "simspine_core.osim")
TRUTH = {
    "pelvis": (1.05, ("pelvis", "sacrum")),
    "lumbar": (0.94, tuple(f"L{i}" for i in range(1, 6))),
    "thorax": (1.06, tuple(f"T{i}" for i in range(1, 13))),
    "shoulder girdle": (1.06, ("clavicle_r", "clavicle_l", "scapula_r", "scapula_l")),
    "neck": (0.97, tuple(f"C{i}" for i in range(1, 8))),
    "head": (1.03, ("skull",)),
    "arm": (0.95, ("humerus_r", "humerus_l")),
    "forearm": (1.04, tuple(f"{b}_{s}" for b in ("ulna", "radius", "hand") for s in "rl")),
    "thigh": (1.07, ("femur_r", "femur_l")),
    "shank": (0.96, ("tibia_r", "tibia_l")),
    "foot": (1.02, tuple(f"{b}_{s}" for b in ("talus", "calcn", "toes") for s in "rl")),
}


def person() -> Any:
    """Our model scaled by OpenSim with TRUTH."""
    from pipeline.simulation.opensim_api import osim
    from pipeline.simulation.osim_model import load_model

    model = load_model(MODEL)
    scales = osim.ScaleSet()
    for factor, bodies in TRUTH.values():
        for body in bodies:
            scale = osim.Scale()
            scale.setSegmentName(body)
            scale.setScaleFactors(osim.Vec3(factor))
            scale.setApply(True)
            scales.cloneAndAppend(scale)
    model.scale(model.initSystem(), scales, True, -1.0)
    return model


def recorded(bends: np.ndarray) -> Trc:
    """The person with both lumbar regions bent forwards by so many radians each, 3 mm of noise."""
    model = person()
    state = model.initSystem()
    markers = model.getMarkerSet()
    found: list[Any] = [markers.get(i) for i in range(markers.getSize())]
    coordinates = model.getCoordinateSet()
    places = {}
    for bend in set(bends.tolist()):
        for name in ("lumbar_lower_flex", "lumbar_upper_flex"):
            coordinates.get(name).setValue(state, bend, False)
        model.assemble(state)
        model.realizePosition(state)
        places[bend] = [marker.getLocationInGround(state).to_numpy() for marker in found]
    xyz = np.array([places[bend] for bend in bends.tolist()])
    xyz += np.random.default_rng(0).normal(0, 0.003, xyz.shape)
    return Trc(tuple(m.getName() for m in found), np.arange(len(bends)) / 50, xyz, 50.0)


def test_every_region_has_its_own_factor(tmp_path: Path) -> None:
    from pipeline.simulation.scaling import ScaleOptions, scale_model

    options = ScaleOptions(height=1.75, mass=70.0)
    report = scale_model(MODEL, [recorded(np.zeros(200))], tmp_path / "s.osim", options)
    found = {one.name: one for one in report.factors}
    assert found.keys() == TRUTH.keys() | {"thorax breadth"}
    for name, (truth, bodies) in TRUTH.items():
        assert found[name].factor == pytest.approx(truth, rel=0.005), name
        assert {body for body, _ in found[name].bodies} == set(bodies)
    assert report.unmeasured_bodies == report.ignored_bodies == report.ignored_markers == ()
    assert report.stature_factor == pytest.approx(1.0, abs=0.03)


def test_bent_frames_do_not_lengthen_the_back(tmp_path: Path) -> None:
    """A third of the frames upright, the others bent by 30°: the plain median would be 10 % off."""
    from pipeline.kinematics.scale_frames import FrameRule
    from pipeline.simulation.scaling import ScaleOptions, scale_model

    bends = np.repeat([0.0, np.radians(15), 0.0], [60, 100, 20])
    factors, trial = [], recorded(bends)
    for rule in (FrameRule(), FrameRule(max_column=np.pi)):
        options = ScaleOptions(rule=rule)
        report = scale_model(MODEL, [trial], tmp_path / "s.osim", options)
        factors.append({one.name: one.factor for one in report.factors}["lumbar"])
    assert factors[0] == pytest.approx(TRUTH["lumbar"][0], rel=0.01)
    assert factors[1] > 1.05 * TRUTH["lumbar"][0]
