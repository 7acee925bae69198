"""Open, scrub, drag, undo, redo, be killed, reopen, export: on the demo and on real data."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from pipeline.geometry.projection import project_views
from pipeline.io.trc import read_trc
from simspine_viewer import dialogs
from tests.viewer.window import main_window, make_recording, open_and_settle, settle, wait_until

pytestmark = pytest.mark.gui

FRAME, VIEW = 7, 1


def _first_half(recording: Path) -> dict:
    done = subprocess.run(
        [sys.executable, "-m", "tests.journeys.first_half", str(recording)],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
        cwd=Path(__file__).resolve().parents[2],
    )
    assert done.returncode == -signal.SIGKILL, done.stderr[-4000:]
    return json.loads(done.stdout.splitlines()[-1])


def _second_half(report: dict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project, keypoint = Path(report["project"]), report["keypoint"]
    target = tmp_path / "out.trc"
    monkeypatch.setattr(dialogs, "ask_export", lambda *a, **k: dialogs.ExportChoice("trc", target))
    with main_window() as window:
        open_and_settle(window, project)
        document = window.document
        points = document.points_at(FRAME)
        assert points.manual[VIEW, keypoint]
        np.testing.assert_allclose(points.xy[VIEW, keypoint], report["xy"], atol=1e-3)
        np.testing.assert_allclose(points.xyz[keypoint], report["xyz"], atol=1e-4)
        assert document.history.can_undo, "the history survives a kill"
        person = document.person
        wait_until(lambda: not document.sequence.stamps.stale("fused", person).any())
        final = document.points_at(FRAME).fused[keypoint].copy()
        cameras = document.sequence.cameras
        seen = project_views(cameras, final)[VIEW]
        assert np.linalg.norm(seen - report["xy"]) < 1.5, "it stands where it was placed"
        window.table.actions["export"].trigger()
        wait_until(lambda: not window.jobs.running)
        settle(window)
        marker = document.sequence.info.skeleton.keypoints[keypoint].marker
    written = read_trc(target)
    row = written.xyz[FRAME, written.names.index(marker)]
    np.testing.assert_allclose(row, final, atol=1e-3)


def test_on_the_demo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, qtbot) -> None:
    recording = make_recording(tmp_path / "demo", n_views=4, n_frames=16)
    _second_half(_first_half(recording), tmp_path, monkeypatch)


@pytest.mark.realdata
def test_on_the_real_recording(
    balancing: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, qtbot
) -> None:
    _second_half(_first_half(balancing), tmp_path, monkeypatch)
