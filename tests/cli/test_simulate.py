"""``simspine simulate``: the real recording from detections to labels, angles and a report."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from pipeline.cli.main import main
from pipeline.cli.output import Exit
from pipeline.io.motion_files import read_motion
from pipeline.io.trc import read_trc
from tests.cli.helpers import Capture, said_one_sentence

pytestmark = pytest.mark.opensim

REFERENCE = "S00_P00_T01_BalancingTrial_filt_butterworth_0-100_body25b.mot"


@pytest.mark.realdata
def test_the_real_recording_is_simulated(
    balancing: Path, balancing_source: Path, tmp_path: Path, capsys: Capture
) -> None:
    out = tmp_path / "simulated"
    assert main(["simulate", str(balancing), "-o", str(out)]) == Exit.OK
    assert "From the model and its priors alone: Hip, Spine_01" in capsys.readouterr().out
    labels = read_trc(out / "labels.trc")
    assert len(labels.names) == 37
    assert np.isfinite(labels.xyz).all()
    report = (out / "report.html").read_text(encoding="utf-8")
    assert "priors alone" in report
    assert "http" not in report

    # Against what OpenSim and Pose2Sim made of their own points: the same movement.
    ours, theirs = (
        read_motion(path)
        for path in (out / "angles.mot", balancing_source / "reference" / REFERENCE)
    )
    for name, limit in (("knee_angle_r", 10), ("knee_angle_l", 10), ("hip_flexion_l", 15)):
        other = theirs.column(name)
        assert np.sqrt(np.mean((ours.column(name) - other) ** 2)) < limit, name
        assert np.corrcoef(ours.column(name), other)[0, 1] > 0.85, name
    with (out / "labels.csv").open(encoding="utf-8") as file:
        sources = {row["keypoint"]: row["source"] for row in csv.DictReader(file)}
    assert sources["Spine_03"] == "simulated"
    assert sources["LKnee"] == "blended"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--height", "175"), "--height 175 is no person's height in metres."),
        (("--mass", "-70"), "--mass -70 is no person's mass in kilograms."),
    ],
)
def test_wrong_units_are_told_before_anything_is_read(
    arguments: tuple[str, str], sentence: str, tmp_path: Path, capsys: Capture
) -> None:
    assert main(["simulate", "nowhere", "-o", str(tmp_path / "out"), *arguments]) == Exit.USAGE
    said_one_sentence(capsys, Exit.USAGE, sentence)
    assert not (tmp_path / "out").exists()


@pytest.mark.realdata
def test_a_file_in_the_place_of_the_folder_is_left_alone(
    balancing: Path, tmp_path: Path, capsys: Capture
) -> None:
    target = tmp_path / "out"
    target.write_text("mine")
    assert main(["simulate", str(balancing), "-o", str(target)]) == Exit.FAILED
    said_one_sentence(capsys, Exit.FAILED, f"The folder {target} cannot be made: file exists.")
    assert target.read_text() == "mine"
