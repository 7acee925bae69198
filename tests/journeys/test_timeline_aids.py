"""Aids on the time axis, as a person uses them: keys, mouse, menus; undo where data change."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from pipeline.data import notes
from pipeline.data.source import Flag
from pipeline.io.trc import read_trc
from simspine_viewer import dialogs
from simspine_viewer.dialogs import ExportDialog
from simspine_viewer.main_window import MainWindow
from simspine_viewer.note_editor import NoteEditor
from simspine_viewer.settings import Settings
from tests.viewer.small import N_FRAMES, small_project
from tests.viewer.window import main_window, open_and_settle, settle, wait_until

pytestmark = pytest.mark.gui

LEFT = Qt.MouseButton.LeftButton
NO, SHIFT, CTRL = (
    Qt.KeyboardModifier.NoModifier,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.ControlModifier,
)
VIEW = 1


@pytest.fixture
def window(tmp_path: Path, qtbot) -> Iterator[MainWindow]:
    with main_window() as made:
        open_and_settle(made, small_project(tmp_path))
        seen = made.document.points_at(5).xy[VIEW, :, 0]
        made.selection.set(keypoint=int(np.flatnonzero(np.isfinite(seen))[0]), view=VIEW)
        yield made


def key(window: MainWindow, which: Qt.Key, modifiers=NO) -> None:
    QTest.keyClick(window, which, modifiers)


def undo(window: MainWindow) -> None:
    key(window, Qt.Key.Key_Z, CTRL)


def at(window: MainWindow, frame: int) -> QPoint:
    return QPoint(round(window.timeline.x_of(frame)), 40)


def select(window: MainWindow, first: int, last: int) -> None:
    timeline = window.timeline
    QTest.mousePress(timeline, LEFT, SHIFT, at(window, first))
    QTest.mouseMove(timeline, at(window, (first + last) // 2))
    QTest.mouseMove(timeline, at(window, last))
    QTest.mouseRelease(timeline, LEFT, SHIFT, at(window, last))


def note_editor(window: MainWindow) -> NoteEditor:
    """The editor that is open, once keys go to it."""
    (editor,) = [e for e in window.findChildren(NoteEditor) if e.isVisible()]
    wait_until(editor.isActiveWindow)
    return editor


def back(window: MainWindow) -> None:
    """Keys go to the main window again, as window managers see to."""
    window.activateWindow()
    wait_until(window.isActiveWindow)


def seen(window: MainWindow) -> list[bool]:
    """Frames in which the selected keypoint is observed in the active view."""
    k = window.selection.keypoint
    return [bool(np.isfinite(window.document.points_at(f).xy[VIEW, k, 0])) for f in range(N_FRAMES)]


def test_a_range_is_selected_edited_undone_and_dropped(window: MainWindow) -> None:
    before, document = seen(window), window.document
    select(window, 3, 6)
    assert (window.frame_range.start, window.frame_range.stop) == (3, 7)
    assert window.time.loop_range == (3, 7)
    key(window, Qt.Key.Key_Delete, CTRL)
    assert document.history.position == 1, "one undo step for the whole range"
    assert seen(window) == [was and not 3 <= f < 7 for f, was in enumerate(before)]
    undo(window)
    assert seen(window) == before
    assert document.history.position == 0

    key(window, Qt.Key.Key_X, CTRL | SHIFT)
    flags = document.sequence.read("manual2d.flags", track=document.person)
    assert (flags[3:7, VIEW, window.selection.keypoint] == Flag.OCCLUDED).all()
    assert np.count_nonzero(flags) == 4
    key(window, Qt.Key.Key_R, CTRL)
    assert not document.sequence.read("manual2d.flags", track=document.person).any()
    assert document.history.position == 2
    undo(window)
    undo(window)
    assert not document.sequence.read("manual2d.flags", track=document.person).any()
    settle(window)
    key(window, Qt.Key.Key_Escape)
    assert not window.frame_range
    assert window.time.loop_range is None
    assert not window.table.actions["range-delete"].isEnabled()


def test_a_range_by_keys_and_the_zoom_to_it(window: MainWindow) -> None:
    window.time.set_frame(2)
    key(window, Qt.Key.Key_BracketLeft, CTRL)
    window.time.set_frame(10)
    key(window, Qt.Key.Key_BracketRight, CTRL)
    assert (window.frame_range.start, window.frame_range.stop) == (2, 11)
    key(window, Qt.Key.Key_9, CTRL)
    assert (window.aids.view.first, window.aids.view.span) == (2, 9)
    key(window, Qt.Key.Key_0, CTRL)
    assert window.aids.view.whole
    key(window, Qt.Key.Key_Plus, CTRL)
    assert not window.aids.view.whole
    assert window.aids.view.first <= window.time.frame < window.aids.view.stop
    key(window, Qt.Key.Key_PageUp)
    assert window.aids.view.first == 0
    key(window, Qt.Key.Key_PageDown)
    assert window.aids.view.first > 0
    key(window, Qt.Key.Key_Minus, CTRL)
    assert window.aids.view.whole
    window.table.actions["time-seconds"].trigger()
    assert window.timeline.ruler_labels()[0][0].endswith(" s")
    assert Settings.load().time_in_seconds
    window.table.actions["range-clear"].trigger()
    assert not window.frame_range


def test_only_the_range_is_exported(
    window: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    select(window, 2, 7)
    target = tmp_path / "part.trc"
    asked: list[ExportDialog] = []

    def answer(parent, project, person, frames, has_model):
        dialog = ExportDialog(project, parent, person, frames)
        asked.append(dialog)
        dialog.path.setText(str(target))
        return dialog.choice()

    monkeypatch.setattr(dialogs, "ask_export", answer)
    window.table.actions["export"].trigger()
    assert "frames 2 to 7" in asked[0].only_range.text()
    wait_until(lambda: not window.jobs.running)
    settle(window)
    assert len(read_trc(target).xyz) == 6


def test_markers_and_notes(window: MainWindow) -> None:
    document, markers = window.document, window.aids.markers
    window.time.set_frame(4)
    key(window, Qt.Key.Key_M)
    assert notes.note_at(document.sequence, 4).marker == 1
    window.time.set_frame(8)
    key(window, Qt.Key.Key_M, SHIFT)
    editor = note_editor(window)
    assert not editor.isModal()
    QTest.keyClicks(editor.text, "hip and knee swap")
    editor.colour.setCurrentIndex(3)
    QTest.keyClick(editor.text, Qt.Key.Key_Return)
    back(window)
    assert notes.note_at(document.sequence, 8) == notes.Note(4, "hip and knee swap")
    assert document.history.position == 2
    assert "hip and knee swap" in window.timeline.words_at(QPointF(window.timeline.x_of(8), 8))

    window.time.set_frame(0)
    key(window, Qt.Key.Key_M, CTRL)
    assert window.time.frame == 4
    key(window, Qt.Key.Key_M, CTRL)
    assert window.time.frame == 8
    key(window, Qt.Key.Key_M, CTRL | SHIFT)
    assert window.time.frame == 4

    window.table.actions["copy-markers"].trigger()
    lines = QApplication.clipboard().text().splitlines()
    assert lines[0] == "frame\ttime_s\tcolour\tnote"
    assert [line.split("\t")[0] for line in lines[1:]] == ["4", "8"]
    assert lines[2].endswith("Blue\thip and knee swap")

    window.table.actions["markers-panel"].trigger()
    panel = window.markers_panel
    assert panel.list.count() == 2
    rect = panel.list.visualItemRect(panel.list.item(1))
    QTest.mouseClick(panel.list.viewport(), LEFT, NO, rect.center())
    assert window.time.frame == 8
    QTest.mouseClick(panel.colour_buttons[1], LEFT)
    assert notes.note_at(document.sequence, 8) == notes.Note(2, "hip and knee swap")
    QTest.mouseClick(panel.delete_button, LEFT)
    assert sorted(markers.all) == [4]
    for left in ([4, 8], [4, 8], [4], []):
        undo(window)
        assert sorted(markers.all) == left
    assert panel.empty.isVisible()
    assert not window.table.actions["next-marker"].isEnabled()


def test_a_note_that_is_too_long_says_so_and_is_cut_between_letters(window: MainWindow) -> None:
    key(window, Qt.Key.Key_M, SHIFT)
    editor = note_editor(window)
    QTest.keyClicks(editor.text, "knee")
    assert "236 more letters" in editor.room.text()
    editor.text.setText("ä" * 125)
    assert "5 letters will be left out" in editor.room.text()
    QTest.keyClick(editor.text, Qt.Key.Key_Return)
    back(window)
    assert notes.note_at(window.document.sequence, window.time.frame).text == "ä" * 120
    assert "left out" in window.status.currentMessage()
    key(window, Qt.Key.Key_M, SHIFT)
    editor = note_editor(window)
    QTest.keyClicks(editor.text, "never written")
    QTest.keyClick(editor, Qt.Key.Key_Escape)
    back(window)
    assert window.document.history.position == 1


def test_lanes_are_chosen_moved_and_kept(window: MainWindow) -> None:
    timeline = window.timeline
    height = timeline.height()
    window.table.actions["lane-jump"].trigger()
    assert [lane.id for lane in timeline.lanes()][-1] == "jump"
    wait_until(lambda: timeline.height() > height)
    wait_until(lambda: window.aids.lanes.complete)
    while timeline.active != "jump":
        key(window, Qt.Key.Key_L, CTRL | SHIFT)
    key(window, Qt.Key.Key_Up, CTRL | SHIFT)
    assert [lane.id for lane in timeline.lanes()].index("jump") == 3
    key(window, Qt.Key.Key_Down, CTRL | SHIFT)
    window.table.actions["lane-missing"].trigger()
    assert Settings.load().lanes == ["residual", "confidence", "edited", "jump"]
    lane = timeline.lane_height
    window.table.actions["lane-higher"].trigger()
    assert timeline.lane_height == lane + 6
    window.table.actions["lane-lower"].trigger()
    assert timeline.lane_height == lane


def test_the_next_frame_that_stands_out_in_the_chosen_lane(window: MainWindow) -> None:
    window.time.set_frame(5)
    window.editor.nudge(3, 0)
    window.time.set_frame(9)
    window.editor.nudge(3, 0)
    window.time.set_frame(0)
    names = dict(window.timeline.label_rects())
    QTest.mouseClick(window.timeline, LEFT, NO, names["Edited"].center().toPoint())
    key(window, Qt.Key.Key_G)
    assert window.time.frame == 5
    key(window, Qt.Key.Key_G)
    assert window.time.frame == 9
    key(window, Qt.Key.Key_G)
    assert window.time.frame == 9
    assert "stands out in the lane Edited" in window.status.currentMessage()
    key(window, Qt.Key.Key_G, SHIFT)
    assert window.time.frame == 5
    window.time.set_frame(0)
    undo(window)
    assert window.time.frame == 9, "undo goes where it acts"
    assert (window.aids.lanes.values["edited"] > 0).nonzero()[0].tolist() == [5]


def test_curves_follow_and_move_the_cursor(
    window: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key(window, Qt.Key.Key_U, CTRL)
    curves = window.curves
    wait_until(lambda: curves.plot is not None and curves.store.complete)
    settle(window)
    plot = curves.plot
    box = plot.plots[0].getViewBox()
    scene = box.mapViewToScene(QPointF(7.5, sum(box.viewRange()[1]) / 2))
    QTest.mouseClick(plot.viewport(), LEFT, NO, plot.mapFromScene(scene))
    assert window.time.frame == 7
    key(window, Qt.Key.Key_Plus, CTRL)
    first, last = plot.plots[0].getViewBox().viewRange()[0]
    assert (first, last - first) == pytest.approx((window.aids.view.first, window.aids.view.span))
    target = tmp_path / "curves.csv"
    monkeypatch.setattr(dialogs, "ask_new_file", lambda *a: target)
    select(window, 4, 6)
    window.table.actions["curves-save"].trigger()
    assert [line.split(",")[0] for line in target.read_text().splitlines()] == [
        "frame", "4", "5", "6",
    ]  # fmt: skip
    window.table.actions["curves-copy"].trigger()
    assert not QApplication.clipboard().pixmap().isNull()
    key(window, Qt.Key.Key_U, CTRL)
    assert not curves.isVisible()
