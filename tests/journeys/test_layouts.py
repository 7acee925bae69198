"""Layouts by key, menu and mouse; a second window; everything as it was left."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QWidget

from simspine_viewer import dialogs
from simspine_viewer.layout_dialog import LayoutDialog
from simspine_viewer.layouts import from_text
from simspine_viewer.main_window import MainWindow
from simspine_viewer.pane_layout import Arrangement
from simspine_viewer.settings import Settings
from tests.viewer.small import small_project
from tests.viewer.window import click, drag, main_window, open_and_settle, wait_until

pytestmark = pytest.mark.gui

CTRL, ALT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.AltModifier


def test_each_layout_by_its_key(window: MainWindow) -> None:
    QTest.keyClick(window, Qt.Key.Key_2, CTRL | ALT)
    assert window.grid.arrangement is Arrangement.STRIP
    widths = [pane.width() for pane in window.grid.panes]
    assert widths[0] > 1.5 * max(widths[1:])
    QTest.keyClick(window, Qt.Key.Key_3, CTRL | ALT)
    assert window.view3d.isVisible()
    assert not window.grid.isVisible()
    QTest.keyClick(window, Qt.Key.Key_4, CTRL | ALT)
    assert window.grid.isVisible()
    assert window.toolbar.isHidden()
    assert window.docks["inspector"].isHidden()
    assert not window.docks["timeline"].isHidden()
    QTest.keyClick(window, Qt.Key.Key_1, CTRL | ALT)
    assert not window.toolbar.isHidden()
    assert window.grid.arrangement is Arrangement.GRID
    assert window.size().height() <= 768, "no layout makes the window larger"


def test_a_click_in_the_strip_swaps_and_edits_nothing(window: MainWindow) -> None:
    window.table.actions["panes-strip"].trigger()
    QTest.qWait(5)
    place = window.grid.panes[2].geometry()
    big = window.grid.panes[0].geometry()
    steps = window.document.history.position
    centre = window.grid.panes[2].rect().center()
    drag(window.grid.panes[2], centre, centre + QPoint(30, 10))
    assert window.selection.view == 2
    assert window.grid.panes[2].geometry() == big
    assert window.grid.panes[0].geometry() != place or window.grid.panes[0].width() < big.width()
    assert window.document.history.position == steps
    window.table.actions["panes-row"].trigger()
    assert len({pane.y() for pane in window.grid.panes}) == 1
    assert len({pane.x() for pane in window.grid.panes}) == 4


@pytest.mark.parametrize(("key", "name"), [(Qt.Key.Key_D, "view3d"), (Qt.Key.Key_P, "grid")])
def test_a_second_window_that_comes_back(window: MainWindow, key: Qt.Key, name: str) -> None:
    widget: QWidget = getattr(window, name)
    sizes = window.splitter.sizes()
    QTest.keyClick(window, key, CTRL | ALT)
    second = window.layouts.second
    assert second is not None
    assert second.isVisible()
    assert widget.window() is second
    assert widget.isVisible()
    before = window.time.frame
    QTest.keyClick(second, Qt.Key.Key_Right)
    assert window.time.frame == before + 1, "keys work there too"
    second.close()
    assert widget.window() is window
    assert widget.isVisible()
    assert window.layouts.second is None
    assert window.splitter.sizes() == sizes


def test_own_layouts_are_saved_used_renamed_and_deleted(
    window: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter(["  My   view ", "Column", "review"])
    monkeypatch.setattr(dialogs, "ask_text", lambda *a: next(answers))
    QTest.keyClick(window, Qt.Key.Key_3, CTRL | ALT)
    window.table.actions["layout-save"].trigger()
    assert [layout.name for layout in from_text(Settings.load().own_layouts)] == ["My view"]
    QTest.keyClick(window, Qt.Key.Key_1, CTRL | ALT)
    assert window.grid.isVisible()
    QTest.keyClick(window, Qt.Key.Key_6, CTRL | ALT)
    assert not window.grid.isVisible()
    window.table.actions["layouts"].trigger()
    (dialog,) = window.findChildren(LayoutDialog)
    click(dialog.rename)
    assert [layout.name for layout in window.layouts.own] == ["Column"]
    assert window.table.actions["layout-own-1"].text() == "Column"
    said: list[str] = []
    window.error_said.connect(said.append)
    click(dialog.rename)
    assert said == ["“review” is a built-in layout; take another name."]
    for box in window.findChildren(QDialog):
        if box is not dialog:
            box.close()
    click(dialog.delete)
    assert window.layouts.own == ()
    assert not window.table.actions["layout-own-1"].isVisible()


# Where one left off


def _wheel(pane: QWidget, at: QPoint, notches: int) -> None:
    for _ in range(notches):
        event = QWheelEvent(
            at, pane.mapToGlobal(at), QPoint(), QPoint(0, 120),
            Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier,
            Qt.ScrollPhase.NoScrollPhase, False,
        )  # fmt: skip
        QApplication.sendEvent(pane, event)


def test_everything_is_as_it_was_left(qapp: QApplication, tmp_path: Path) -> None:
    path = small_project(tmp_path)
    with main_window() as window:
        open_and_settle(window, path)
        pane = window.grid.panes[2]
        _wheel(pane, QPoint(60, 90), 4)
        middle = pane.picture_area().center()
        pixel = pane.transform.to_picture((middle.x(), middle.y()))
        scale = pane.transform.scale
        window.time.set_frame(5)
        window.selection.set(keypoint=18, view=2)
        window.table.actions["panes-row"].trigger()
        window.table.actions["panes-grid"].trigger()
        window.layouts.apply(window.layouts.current("x"))
    with main_window() as window:
        open_and_settle(window, path)
        assert (window.time.frame, window.selection.keypoint, window.selection.view) == (5, 18, 2)
        pane = window.grid.panes[2]
        middle = pane.picture_area().center()
        again = pane.transform.to_picture((middle.x(), middle.y()))
        assert pane.transform.scale == pytest.approx(scale, rel=0.1)
        assert again == pytest.approx(pixel, abs=3)
        whole = window.grid.panes[0]
        before = whole.transform.scale
        whole.fit()
        assert whole.transform.scale == before, "panes that were not zoomed fit as before"


@pytest.mark.parametrize("damage", ["", "{}", "[1, {}]", "garbage", '[{"name": 3}]', "null"])
def test_a_damaged_layout_starts_as_new(qapp: QApplication, damage: str) -> None:
    settings = Settings()
    settings.layout = settings.own_layouts = damage
    settings.save()
    with main_window() as window:
        assert window.layouts.own == ()
        assert not window.docks["inspector"].isHidden()


def test_the_layout_comes_back(qapp: QApplication) -> None:
    with main_window() as window:
        wait_until(window.isActiveWindow)
        QTest.keyClick(window, Qt.Key.Key_4, CTRL | ALT)
        assert window.toolbar.isHidden()
    with main_window() as window:
        assert window.toolbar.isHidden()
        assert window.docks["inspector"].isHidden()
        wait_until(window.isActiveWindow)
        QTest.keyClick(window, Qt.Key.Key_1, CTRL | ALT)
        assert not window.docks["inspector"].isHidden()
