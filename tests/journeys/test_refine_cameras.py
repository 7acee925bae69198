"""The cameras of the real recording are refined from the person, and put back, by keyboard."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMenu

from pipeline.data.camera import CameraGroup
from simspine_viewer.main_window import MainWindow
from simspine_viewer.refine_dialog import RefineDialog
from simspine_viewer.sync_dialog import SyncDialog
from tests.viewer.window import main_window, open_and_settle, settle, wait_until

pytestmark = [pytest.mark.gui, pytest.mark.realdata]


def _bits(cameras: CameraGroup) -> bytes:
    return b"".join(c.rotation.tobytes() + c.translation.tobytes() for c in cameras)


def _from_menu(window: MainWindow, name: str) -> None:
    """Choose a command of Tools ▸ Cameras with the keyboard."""
    menu = next(m for m in window.menuBar().findChildren(QMenu) if m.title() == "Cameras")
    menu.popup(window.mapToGlobal(window.rect().center()))
    QTest.qWait(20)
    action = window.table.actions[name]
    assert action in menu.actions()
    menu.setActiveAction(action)
    QTest.keyClick(menu, Qt.Key.Key_Return)


def _measured(window: MainWindow) -> float:
    wait_until(lambda: window.monitor.errors is not None and not window.monitor.busy)
    assert window.monitor.errors is not None
    return window.monitor.errors.overall.median


def test_refine_apply_undo(balancing: Path, qtbot) -> None:
    files = sorted((balancing / "calibration").iterdir())
    sums = [hashlib.sha256(path.read_bytes()).hexdigest() for path in files]
    with main_window() as window:
        said: list[str] = []
        window.status.messageChanged.connect(said.append)
        open_and_settle(window, balancing)
        document = window.document
        assert _measured(window) > 22.0
        # The alarm: said once, and listed among the notes.
        assert (
            sum(
                text == "The calibration of cam_03 and cam_01 seems to be off; see Findings."
                for text in said
            )
            == 1
        )
        assert any("cam_03" in line.text() for line in window.findings_panel.lines)
        start, points = _bits(document.sequence.cameras), document.points_at(40).xyz.copy()
        assert not window.table.actions["reset-cameras"].isEnabled()

        _from_menu(window, "refine-cameras")
        (dialog,) = window.findChildren(RefineDialog)
        assert dialog.alarm.isVisible()
        assert not dialog.isModal()
        assert not dialog.apply_button.isEnabled()
        wait_until(lambda: not dialog.running)
        assert dialog.table.rowCount() == 4
        assert dialog.table.item(2, 0).text() == "cam_03"
        assert dialog.table.item(0, 4).text() == "in step (clear)"
        assert _bits(document.sequence.cameras) == start, "nothing happens before Apply"
        assert dialog.apply_button.isEnabled()
        QTest.keyClick(dialog, Qt.Key.Key_Return)
        assert document.history.position == 1
        assert document.history.entries[0].label == "Refine cameras"
        settle(window)
        assert _bits(document.sequence.cameras) != start
        assert window.table.actions["reset-cameras"].isEnabled()
        wait_until(lambda: window.monitor.errors.overall.median < 14.0)
        assert _measured(window) <= 13.1
        assert np.nanmax(np.abs(document.points_at(40).xyz - points)) > 0.005
        assert not any("calibration seems" in line.text() for line in window.findings_panel.lines)

        window.activateWindow()  # as a window manager does when a dialog closes
        wait_until(window.isActiveWindow)
        QTest.keyClick(window, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
        assert _bits(document.sequence.cameras) == start
        settle(window)
        np.testing.assert_array_equal(document.points_at(40).xyz, points)

        QTest.keyClick(window, Qt.Key.Key_Y, Qt.KeyboardModifier.ControlModifier)
        assert _bits(document.sequence.cameras) != start
        _from_menu(window, "reset-cameras")
        assert _bits(document.sequence.cameras) == start
        assert document.history.entries[-1].label == "Cameras as imported"
    assert [hashlib.sha256(path.read_bytes()).hexdigest() for path in files] == sums
    assert sorted((balancing / "calibration").iterdir()) == files


def test_a_late_camera_is_found_and_put_right(balancing: Path, qtbot) -> None:
    with main_window() as window:
        open_and_settle(window, balancing)
        document = window.document
        _from_menu(window, "sync-cameras")
        (dialog,) = window.findChildren(SyncDialog)
        assert not dialog.apply_button.isEnabled()
        box = dialog.offsets[2]
        box.setFocus()
        box.selectAll()
        QTest.keyClicks(box, "3")
        QTest.keyClick(box, Qt.Key.Key_Tab)
        assert box.value() == 3.0
        QTest.mouseClick(dialog.apply_button, Qt.MouseButton.LeftButton)
        assert document.history.entries[-1].label == "Synchronise cameras"
        assert document.sequence.syncs[2].offset == 3
        settle(window)

        # Now the pictures of camera 3 come three frames early, which the estimate must say.
        QTest.mouseClick(dialog.estimate_button, Qt.MouseButton.LeftButton)
        wait_until(lambda: not dialog.running)
        assert dialog.verdicts[2].text() == "3 frames early (clear)"
        assert [verdict.text() for verdict in dialog.verdicts[:2]] == ["in step (clear)"] * 2
        assert box.value() == 0.0
        QTest.mouseClick(dialog.apply_button, Qt.MouseButton.LeftButton)
        assert document.sequence.syncs == document.sequence.info.syncs
        assert document.history.position == 2

        window.table.actions["undo"].trigger()
        assert box.value() == 3.0, "the dialog shows what is in force"
        QTest.keyClick(dialog, Qt.Key.Key_Escape)
        assert not dialog.isVisible()


def test_a_job_under_way_is_cancelled_with_its_dialog(balancing: Path, qtbot) -> None:
    with main_window() as window:
        open_and_settle(window, balancing)
        _from_menu(window, "refine-cameras")
        (dialog,) = window.findChildren(RefineDialog)
        wait_until(lambda: dialog.progress.value() > 0)
        QTest.keyClick(dialog, Qt.Key.Key_Escape)
        wait_until(lambda: not window.jobs.running)
        (state,) = (s for s in window.jobs.jobs if s.job.task == "refine_cameras")
        assert state.text == "Cancelled"
        assert window.document.history.position == 0
