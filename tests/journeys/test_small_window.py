"""A laptop of 1366 x 768 pixels at a scale of 200 % has 683 x 384 points; all of it must do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, QSize, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog

from pipeline.io.recording import recognise
from simspine_viewer import dialogs, help_pages, preferences, window_docks
from simspine_viewer.diagnostics_dialog import show_diagnostics
from simspine_viewer.layout_dialog import LayoutDialog
from simspine_viewer.layouts import BUILT_IN, Layout
from simspine_viewer.main_window import MainWindow
from simspine_viewer.plan_dialog import PlanDialog
from simspine_viewer.small_window import FRAME
from simspine_viewer.training_set_dialog import Annotated, TrainingSetDialog
from simspine_viewer.window_docks import RIGHT_WIDTH
from tests.viewer.small import small_project
from tests.viewer.text_fit import misfits
from tests.viewer.window import click, main_window, open_and_settle, settle, wait_until

pytestmark = pytest.mark.gui

SMALL, LARGE = QSize(683, 384), QSize(1366, 768)
PANELS = ("inspector", "people", "findings", "history", "jobs")


@pytest.fixture
def window(tmp_path: Path, qtbot) -> Iterator[MainWindow]:
    with main_window(SMALL.toTuple()) as made:
        open_and_settle(made, small_project(tmp_path))
        yield made


def _area(size: QSize) -> int:
    return size.width() * size.height()


def _fits(window: MainWindow) -> bool:
    least = window.minimumSizeHint()
    return least.boundedTo(SMALL) == least and window.size() == SMALL


@pytest.mark.realdata
def test_every_layout_of_a_real_recording_leaves_the_pictures_most(balancing: Path, qtbot) -> None:
    with main_window(SMALL.toTuple()) as window:
        open_and_settle(window, balancing)
        window.selection.set(keypoint=11)
        for layout in BUILT_IN:
            window.layouts.apply(layout)
            window.status.clearMessage()
            settle(window)
            assert _fits(window), (layout.name, window.minimumSizeHint(), window.size())
            assert _area(window.splitter.size()) > 0.5 * _area(SMALL), layout.name
            assert misfits(window) == [], layout.name
            if layout.shows == "3d":
                continue
            picture = window.grid.panes[0].picture_area()
            assert picture.height() >= 0.6 * window.grid.panes[0].height()
            for pane in window.grid.panes:
                assert pane.width() >= 90, layout.name
                assert pane.height() >= 60, layout.name
                assert window.grid.rect().contains(pane.geometry())


def test_panels_fold_away_and_come_back(window: MainWindow) -> None:
    window.layouts.apply(BUILT_IN[0])
    assert all(window.docks[name].isHidden() for name in PANELS)
    assert set(window.layouts.current().docks or ()) >= set(PANELS), "a folded panel is shown"
    window.resize(LARGE)
    wait_until(window.docks["inspector"].isVisible)
    assert window.docks["inspector"].width() >= RIGHT_WIDTH
    assert not any(window.docks[name].isHidden() for name in PANELS)
    wait_until(lambda: len(window.timeline.rows_seen()) == len(window.timeline.lanes()))
    window.resize(SMALL)
    wait_until(window.docks["inspector"].isHidden)
    assert _fits(window)


def test_a_small_window_remembers_the_panels_for_a_large_one(window: MainWindow) -> None:
    window.layouts.apply(BUILT_IN[0])
    kept = window.layouts.current("kept")
    assert isinstance(kept, Layout)
    window.resize(LARGE)
    wait_until(lambda: not window.layouts.small.small)
    window.docks["people"].hide()
    window.layouts.apply(kept)
    assert window.docks["people"].isVisible()


def test_any_panel_can_be_shown_and_the_window_stays(window: MainWindow) -> None:
    for name, dock in window.docks.items():
        window.show_panel(name)
        wait_until(lambda dock=dock: dock.isVisible())
        QTest.qWait(20)
        assert _fits(window), (name, window.minimumSizeHint())
    assert all(dock.isVisible() for dock in window.docks.values())


def test_the_button_beside_the_menus_lists_the_panels(window: MainWindow) -> None:
    button = window.menuBar().cornerWidget()
    assert button.isVisible()
    titles = [action.text() for action in button.menu().actions()]
    assert titles == [dock.windowTitle() for dock in window.docks.values()]
    window.docks["history"].toggleViewAction().trigger()
    wait_until(window.docks["history"].isVisible)
    assert window.splitter.width() >= window.splitter.minimumSizeHint().width()
    window.resize(LARGE)
    wait_until(lambda: not button.isVisible())


def test_dialogs_fit(window: MainWindow, tmp_path: Path) -> None:
    most = QSize(SMALL.width(), SMALL.height() - FRAME)
    plan = recognise(tmp_path / "walk")
    window.selection.set(keypoint=3)
    shows = [
        lambda: PlanDialog(plan, window.theme, window).open(),
        lambda: dialogs.ExportDialog(tmp_path / "walk.simspine", window).open(),
        lambda: TrainingSetDialog(
            tmp_path / "walk.simspine", window.document.sequence, Annotated(), window
        ).open(),
        lambda: LayoutDialog(window).open(),
        lambda: help_pages.show_manual(window),
        lambda: help_pages.show_shortcuts(window),
        lambda: show_diagnostics(window),
        lambda: preferences.show(window),
        *(
            window.table.actions[name].trigger
            for name in ("parts", "suggest-swaps", "refine-cameras", "sync-cameras", "adjust")
        ),
    ]
    seen = set()
    for show in shows:
        show()
        (dialog,) = [d for d in window.findChildren(QDialog) if d.isVisible()]
        dialog.resize(most)
        QTest.qWait(10)
        assert dialog.size().boundedTo(most) == dialog.size(), type(dialog).__name__
        seen.add(type(dialog).__name__)
        dialog.close()
        QTest.qWait(5)
    assert len(seen) >= 10


def test_a_dialog_is_never_larger_than_the_screen(window: MainWindow) -> None:
    dialog = QDialog(window)
    dialog.resize(3000, 2000)
    dialog.move(500, 700)
    dialog.show()
    QTest.qWait(5)
    assert window.screen().availableGeometry().contains(dialog.geometry())


def test_curves_leave_the_pictures_most_and_keep_the_height_they_are_given(
    window: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    window.resize(LARGE)
    dock = window.docks["curves"]
    window.table.actions["curves-panel"].trigger()
    wait_until(lambda: dock.isVisible() and window.curves.plot is not None)
    wait_until(lambda: 100 <= dock.height() <= LARGE.height() // 4)

    # Straight to the main window, whose the edges are: nothing that tests before left can be under
    # the mouse or hold it.
    edge = QPoint(dock.width() // 2, dock.y() - 1)
    monkeypatch.setattr(window_docks, "left_button_held", lambda: True)
    _mouse(window, QEvent.Type.MouseButtonPress, edge)
    for y in range(10, 71, 10):
        _mouse(window, QEvent.Type.MouseMove, edge - QPoint(0, y))
        QTest.qWait(1)
    wait_until(lambda: dock.height() > LARGE.height() // 4)
    _mouse(window, QEvent.Type.MouseButtonRelease, edge - QPoint(0, 70))
    wait_until(lambda: window.settings.curves_height == dock.height())
    monkeypatch.setattr(window_docks, "left_button_held", lambda: False)
    height = dock.height()
    dock.hide()
    window.timeline.set_lane_height(window.timeline.lane_height + 4)
    dock.show()
    wait_until(lambda: dock.height() == pytest.approx(height, abs=2))
    assert window.settings.curves_height == pytest.approx(height, abs=2)


def _mouse(window: MainWindow, kind: QEvent.Type, at: QPoint) -> None:
    """A mouse event with the left button at ``at``, in the window's points."""
    released = kind is QEvent.Type.MouseButtonRelease
    left, none = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
    button = none if kind is QEvent.Type.MouseMove else left
    event = QMouseEvent(
        kind,
        QPointF(at),
        QPointF(window.mapToGlobal(at)),
        button,
        none if released else left,
        Qt.KeyboardModifier.NoModifier,
    )
    QApplication.sendEvent(window, event)


def test_lanes_without_room_are_scrolled_to(window: MainWindow) -> None:
    timeline = window.timeline
    ids = [lane.id for lane in timeline.lanes()]
    assert 2 <= len(timeline.rows_seen()) < len(ids)
    assert timeline.rows_seen().start == 0
    for _ in range(len(ids) - 1):
        window.table.actions["lane-next"].trigger()
    assert timeline.active == ids[-1]
    assert timeline.rows_seen().stop == len(ids), "the lane that commands act on is seen"
    names = [name for name, _ in timeline.label_rects()]
    assert names == [timeline.lanes()[row].title for row in timeline.rows_seen()]
    assert timeline.strip_rect().bottom() <= timeline.height()
    window.table.actions["lane-next"].trigger()
    assert timeline.rows_seen().start == 0
    click(timeline)  # still goes to a frame
    assert window.time.frame > 0
