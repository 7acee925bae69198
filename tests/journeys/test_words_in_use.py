"""What the window says of itself: keys of the user, trails, stages, and what is switched on."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMessageBox, QPushButton, QTableWidget, QTableWidgetItem

from simspine_viewer.commands.table import COMMANDS
from simspine_viewer.keymap import to_text
from simspine_viewer.main_window import MainWindow
from simspine_viewer.preferences import PreferencesDialog
from simspine_viewer.stages import Stage
from simspine_viewer.swap_dialog import SwapDialog
from tests.viewer.window import distant_keypoint, drag, main_window, settle, wait_until

pytestmark = pytest.mark.gui

Key = Qt.Key
SHIFT = Qt.KeyboardModifier.ShiftModifier
VIEW = 1


def said(window: MainWindow) -> str:
    return window.statusBar().currentMessage()


def give_keys(window: MainWindow, **keys: tuple[str, ...]) -> None:
    window.settings.own_keys = to_text(keys)
    window.table.set_keys()


def test_the_texts_name_the_keys_of_the_user(window: MainWindow) -> None:
    empty, mode = window.markers_panel.empty, window.status.mode
    assert empty.text() == "No markers yet. M marks the current frame, Shift+M adds a note."
    window.selection.set(keypoint=3, view=VIEW)
    QTest.keyClick(window, Key.Key_P)
    assert mode.text().endswith("click where it is; P ends")
    give_keys(window, marker=("F9",), note=(), place=("Ctrl+Alt+F10",))
    assert empty.text() == (
        "No markers yet. F9 marks the current frame, “Note…” in the menus adds a note."
    )
    assert mode.text().endswith("click where it is; Ctrl+Alt+F10 ends")
    QTest.keyClick(
        window, Key.Key_F10, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier
    )
    assert mode.text() == ""


def test_switching_trails_says_what_is_on(window: MainWindow) -> None:
    window.selection.set(keypoint=3, view=VIEW)
    assert not window.grid.options.trail
    QTest.keyClick(window, Key.Key_T, SHIFT)
    length = window.grid.options.trail
    assert length > 0
    assert said(window) == f"Trail on: {length} frames before and after this one; T hides it."
    QTest.keyClick(window, Key.Key_T)
    assert window.grid.options.trail == 0
    assert said(window) == "Trail off; T shows it again."
    QTest.keyClick(window, Key.Key_T)
    assert window.grid.options.trail == length
    assert said(window).startswith(f"Trail on: {length} frames")
    window.selection.set(keypoint=-1)
    QTest.keyClick(window, Key.Key_T)
    QTest.keyClick(window, Key.Key_T)
    assert said(window).endswith("of the keypoint that you select.")
    QTest.keyClick(window, Key.Key_T)


@pytest.mark.parametrize("stage", [Stage.TRIANGULATED, Stage.FINAL])
def test_a_drag_in_another_stage_says_that_it_places(window: MainWindow, stage: Stage) -> None:
    settle(window)
    keypoint = distant_keypoint(window, VIEW)
    window.selection.set(keypoint=keypoint, view=VIEW)
    while window.grid.options.stage is not stage:
        QTest.keyClick(window, Key.Key_S)
    assert "A drag in a picture places" in said(window)
    pane, document = window.grid.panes[VIEW], window.document
    wait_until(lambda: pane.scene() is not None and pane.scene().observed[keypoint])
    at = pane.transform.to_widget(pane.scene().handles[keypoint])
    start, steps = QPoint(*np.round(at).astype(int).tolist()), document.history.position
    drag(pane, start, start + QPoint(9, 6), release=False)
    name = document.sequence.info.skeleton.keypoints[keypoint].marker
    camera = document.sequence.cameras[VIEW].name
    assert window.status.mode.text() == f"Placing {name} in {camera}; the 3D point follows"
    assert document.preview is not None
    other = window.grid.panes[0].scene()
    assert other is not None
    np.testing.assert_allclose(other.handles[keypoint], document.preview.reprojected[0])
    QTest.mouseRelease(pane, Qt.MouseButton.LeftButton, pos=start + QPoint(9, 6))
    assert window.status.mode.text() == ""
    assert document.history.position == steps + 1
    assert document.points_at(window.time.frame).manual[VIEW, keypoint]
    QTest.keyClick(window, Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert not document.points_at(window.time.frame).manual[VIEW, keypoint]
    while window.grid.options.stage is not Stage.WORK:
        QTest.keyClick(window, Key.Key_S)
    settle(window)


def test_what_has_no_effect_does_not_look_switched_on(qtbot) -> None:
    with main_window() as window:
        window.settings.show_epipolar = True
        window.table.refresh()
        actions = window.table.actions
        lit = {c.id for c in COMMANDS if actions[c.id].isChecked()}
        usable = {c.id for c in COMMANDS if c.checked and actions[c.id].isEnabled()}
        assert not actions["epipolar"].isEnabled()
        assert lit <= usable
        # The window's looks and the panels, which are there without a recording, and proxies.
        rest = {name for name in usable if not name.startswith("lane-")}
        assert rest == {"light", "dark", "system", "prepare-video"}


def test_headers_stand_over_what_they_name(window: MainWindow) -> None:
    window.table.actions["preferences"].trigger()
    (dialog,) = window.findChildren(PreferencesDialog)
    dialog.show_page("Keys")
    window.table.actions["suggest-swaps"].trigger()
    (swaps,) = [d for d in window.findChildren(SwapDialog) if d.isVisible()]
    tables = [t for t in window.findChildren(QTableWidget) if t is not window.command_palette.list]
    assert len(tables) >= 4
    for table in tables:
        assert left_aligned(table), table.accessibleName()
    swaps.close()
    settle(window)


def left_aligned(table: QTableWidget) -> bool:
    """Headers and cells start at the left."""
    model, role = table.model(), Qt.ItemDataRole.TextAlignmentRole
    default = table.horizontalHeader().defaultAlignment()
    headers = [
        model.headerData(column, Qt.Orientation.Horizontal, role) or default
        for column in range(table.columnCount())
    ]
    cells = [
        (table.item(0, column) or QTableWidgetItem()).textAlignment()
        for column in range(table.columnCount())
    ]
    left = Qt.AlignmentFlag.AlignLeft
    return all(Qt.AlignmentFlag(header) & left for header in headers) and not any(
        Qt.AlignmentFlag(cell) & (Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignHCenter)
        for cell in cells
    )


def test_proxies_are_deleted_in_one_place(qtbot) -> None:
    with main_window() as window:
        window.table.actions["preferences"].trigger()
        (dialog,) = window.findChildren(PreferencesDialog)
        dialog.show_page("Video")
        assert not [b.text() for b in dialog.findChildren(QPushButton) if "Delete" in b.text()]
        window.table.actions["delete-prepared"].trigger()
        assert said(window) == "There are no proxies on this computer."
        assert not window.findChildren(QMessageBox)
