"""OpenSim's ScaleTool behind our call."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.data.errors import UserError
from pipeline.io.scale_setups import read_scale_setup, write_scale_setup

pytestmark = [pytest.mark.opensim, pytest.mark.realdata]


@pytest.fixture(scope="module")
def tool() -> Any:
    from pipeline.simulation import scale_tool

    return scale_tool


def bodies(path: Path) -> dict[str, tuple[float, Any]]:
    from pipeline.simulation.osim_model import load_model

    model = load_model(path)
    found = [model.getBodySet().get(i) for i in range(model.getBodySet().getSize())]
    return {b.getName(): (b.getMass(), b.getMassCenter().to_numpy()) for b in found}


@pytest.mark.parametrize("rewritten", [False, True])
def test_opensims_example_scales_as_published(
    rewritten: bool, gait2354: Path, tmp_path: Path, tool: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    setup_file = gait2354 / "subject01_Setup_Scale.xml"
    if rewritten:
        write_scale_setup(tmp_path / "again.xml", read_scale_setup(setup_file))
        setup_file = tmp_path / "again.xml"
    folder = os.getcwd()
    tool.scale_with_opensim(setup_file, tmp_path / "subject.osim", place_markers=False)
    published = bodies(gait2354 / "reference_subject01_scaledOnly.osim")
    ours = bodies(tmp_path / "subject.osim")
    assert ours.keys() == published.keys()
    for name, (mass, centre) in published.items():
        assert ours[name][0] == pytest.approx(mass, abs=1e-6)
        np.testing.assert_allclose(ours[name][1], centre, atol=1e-6)
    assert os.getcwd() == folder
    assert capfd.readouterr().out == ""


def test_placed_markers_move_and_bodies_do_not(gait2354: Path, tmp_path: Path, tool: Any) -> None:
    from pipeline.simulation.osim_model import load_model

    setup_file = gait2354 / "subject01_Setup_Scale.xml"
    places = []
    for place in (False, True):
        output = tmp_path / f"{place}.osim"
        tool.scale_with_opensim(setup_file, output, place_markers=place, mass=60.0)
        model = load_model(output)
        assert model.getTotalMass(model.initSystem()) == pytest.approx(60)
        places.append(model.getMarkerSet().get("R.Thigh.Front").get_location().to_numpy())
    assert 0.001 < np.linalg.norm(places[0] - places[1]) < 0.1


def test_refusals(
    gait2354: Path, pose2sim_model: Path, balancing_source: Path, tmp_path: Path, tool: Any
) -> None:
    setup_file = gait2354 / "subject01_Setup_Scale.xml"

    def refused(setup: Path, **changes: Any) -> str:
        with pytest.raises(UserError) as caught:
            tool.scale_with_opensim(setup, tmp_path / "s.osim", **changes)
        assert str(caught.value).count(". ") == 0
        return str(caught.value)

    assert "there is no such file" in refused(tmp_path / "none.xml")
    missing = refused(pose2sim_model / "Scaling_Setup_Pose2Sim_Body25b.xml")
    assert "Model_Pose2Sim_Body25b.osim does not exist" in missing
    assert "names no model" in refused(pose2sim_model / "Markers_Body25b.xml")
    # OpenSim 4.6 crashes the process here.
    other = balancing_source / "reference" / "S00_P00_T01_BalancingTrial_0-100.trc"
    lacking = refused(setup_file, marker_file=other)
    assert "lacks the marker V.Sacral of the measurement torso" in lacking
    assert list(tmp_path.iterdir()) == []
