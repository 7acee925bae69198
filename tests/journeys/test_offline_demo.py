"""In the window, without detections: detect, simulate, correct, export."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtWidgets import QApplication

from pipeline.data.observations import detections
from simspine_viewer import dialogs
from simspine_viewer.detect_dialog import DetectDialog
from simspine_viewer.main_window import MainWindow
from tests.journeys.offline_demo import FRAMES, bare_demo, spine_error_mm
from tests.viewer.window import main_window, open_and_settle, settle, wait_until

pytestmark = [pytest.mark.gui, pytest.mark.opensim]

LONG = 250_000
FRAME, VIEW = 10, 1


@pytest.fixture
def window(
    qapp: QApplication, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[MainWindow]:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    with main_window() as made:
        yield made


def test_from_pictures_to_labels(
    window: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    demo = bare_demo(tmp_path / "demo")
    open_and_settle(window, demo.folder)
    document = window.document
    assert not np.isfinite(detections(document.sequence, document.person)[0]).any()

    window.table.actions["detect"].trigger()
    (dialog,) = window.findChildren(DetectDialog)
    wait_until(lambda: bool(window.models.there), LONG)
    assert dialog.model_box.currentData() == "simspine-detector"
    assert "real video wants SpinePose" in dialog.about.text()
    dialog.button.click()
    wait_until(lambda: window.detecting.job is None, LONG)
    settle(window)
    assert f"found in {4 * FRAMES} of {4 * FRAMES} pictures" in dialog.doing.text()
    dialog.close()

    person = document.person
    wait_until(lambda: not document.sequence.stamps.stale("fused", person).any(), LONG)
    window.table.actions["simulate"].trigger()
    wait_until(lambda: window.simulations.job is None, LONG)
    assert window.simulations.subject is not None, window.simulations.failure
    wait_until(lambda: window.poses.ready and not window.planner.pending, LONG)

    window.time.set_frame(FRAME)
    settle(window)
    keypoint = document.sequence.info.skeleton.index("spine_03")
    truth = demo.truth.xy[FRAME, VIEW, keypoint]
    window.selection.set(keypoint=keypoint, view=VIEW)
    window.editor.drag_in_view(VIEW, keypoint, truth)
    window.editor.release()
    wait_until(lambda: not window.planner.pending and not window.jobs.running, LONG)
    points = document.points_at(FRAME)
    assert points.manual[VIEW, keypoint]
    np.testing.assert_allclose(points.xy[VIEW, keypoint], truth, atol=1e-3)

    target = tmp_path / "labels.trc"
    choice = dialogs.ExportChoice("trc", target, stage="labels")
    monkeypatch.setattr(dialogs, "ask_export", lambda *a, **k: choice)
    window.table.actions["export"].trigger()
    wait_until(lambda: target.exists() and not window.jobs.running, LONG)
    assert spine_error_mm(demo, target) < 25.0
