"""Without a network, a download or detections: the demo from its pictures to labels."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.cli.main import main
from pipeline.cli.output import Exit
from pipeline.io.detections import read_detections
from tests.cli.helpers import Capture
from tests.journeys.offline_demo import DETECTOR, FRAMES, bare_demo, spine_error_mm

pytestmark = pytest.mark.opensim


def test_detect_triangulate_simulate_export(tmp_path: Path, capsys: Capture) -> None:
    demo = bare_demo(tmp_path / "demo")
    folder = demo.folder
    pose = folder / "pose"
    assert main(["detect", str(folder), "--model", DETECTOR, "-o", str(pose)]) == Exit.OK
    assert f"found in {4 * FRAMES} of {4 * FRAMES} pictures" in capsys.readouterr().out
    found = read_detections(pose / f"{demo.cameras.names[0]}_json", n_frames=FRAMES)
    assert found.skeleton == "spinetrack_37"
    points = tmp_path / "points.trc"
    assert main(["triangulate", str(folder), "-o", str(points)]) == Exit.OK
    simulated = tmp_path / "simulated"
    assert main(["simulate", str(folder), "-o", str(simulated)]) == Exit.OK
    assert spine_error_mm(demo, simulated / "labels.trc") < 25.0
    written = tmp_path / "set.json"
    assert main(["export", str(folder), "-o", str(written), "--format", "coco"]) == Exit.OK
    assert written.stat().st_size > 1000
