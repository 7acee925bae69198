"""The inspector: rows and selection, states of a keypoint in each view, live numbers."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QTableWidget

from pipeline.data.source import Flag
from simspine_viewer.inspector import Inspector
from simspine_viewer.settings import Settings
from simspine_viewer.theme import DARK, LIGHT
from tests.viewer.fakes import Bench, make_sequence, open_bench

pytestmark = pytest.mark.gui

KEYPOINT, THRESHOLD = 7, 10.0


@pytest.fixture
def bench() -> Bench:
    return open_bench()


@pytest.fixture
def inspector(qtbot, bench: Bench) -> Inspector:
    panel = Inspector(
        bench.document, bench.cursor, bench.selection, Settings(error_threshold=THRESHOLD)
    )
    qtbot.addWidget(panel)
    panel.resize(330, 600)
    panel.show()
    bench.document.opened.emit()
    return panel


def _text(table: QTableWidget, row: int, column: int) -> str:
    item = table.item(row, column)
    return "" if item is None else item.text()


def _colour(table: QTableWidget, row: int, column: int) -> str:
    item = table.item(row, column)
    assert item is not None
    return item.foreground().color().name()


def _states(inspector: Inspector) -> list[str]:
    return [_text(inspector.views, row, 1) for row in range(inspector.views.rowCount())]


def _click(table: QTableWidget, row: int) -> None:
    table.scrollToItem(table.item(row, 0))
    centre = table.visualItemRect(table.item(row, 0)).center()
    QTest.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=centre)


def test_a_row_for_every_keypoint_and_view(bench: Bench, inspector: Inspector) -> None:
    info = bench.document.sequence.info
    assert [_text(inspector.keypoints, r, 0) for r in range(len(info.skeleton))] == list(
        info.skeleton.markers
    )
    assert [_text(inspector.views, r, 0) for r in range(4)] == list(info.cameras.names)
    assert _text(inspector.keypoints, 0, 1) == "4"
    assert _text(inspector.keypoints, 0, 3) == "triangulated"
    assert inspector.title.text() == "No keypoint selected"
    assert inspector.detail.text() == "Click a point in a picture, in 3D or in the list."
    assert _states(inspector) == [""] * 4


def test_a_click_selects_and_the_selection_is_shown(bench: Bench, inspector: Inspector) -> None:
    _click(inspector.keypoints, 30)
    assert bench.selection.keypoint == 30
    _click(inspector.views, 2)
    assert bench.selection.view == 2
    bench.selection.set(keypoint=3, view=1)
    assert [i.row() for i in inspector.keypoints.selectionModel().selectedRows()] == [3]
    assert [i.row() for i in inspector.views.selectionModel().selectedRows()] == [1]
    assert inspector.keypoints.visualItemRect(inspector.keypoints.item(3, 0)).top() >= 0
    marker = bench.document.sequence.info.skeleton.keypoints[3].marker
    assert inspector.title.text().startswith(f"{marker}: ")
    bench.selection.set(keypoint=-1)
    assert inspector.title.text() == "No keypoint selected"
    assert _states(inspector) == [""] * 4
    assert not inspector.keypoints.selectionModel().selectedRows()


def test_states_in_one_view(bench: Bench, inspector: Inspector) -> None:
    bench.selection.set(keypoint=KEYPOINT, view=1)
    editor, document = bench.editor, bench.document
    assert _states(inspector) == ["detected"] * 4
    steps = (
        (lambda: editor.toggle(Flag.OCCLUDED), "occluded"),
        (lambda: editor.toggle(Flag.OCCLUDED), "detected"),
        (lambda: editor.toggle(Flag.ABSENT), "absent"),
        (lambda: editor.toggle(Flag.ABSENT), "detected"),
        (editor.delete, "deleted"),
        (editor.revert, "detected"),
    )
    for act, state in steps:
        act()
        assert _states(inspector) == ["detected", state, "detected", "detected"]
    points = document.points_at(0)
    editor.drag_in_view(1, KEYPOINT, points.xy[1, KEYPOINT] + 6)
    editor.release()
    assert _states(inspector)[1] == "placed"
    editor.toggle(Flag.OCCLUDED)
    assert _states(inspector)[1] == "placed, occluded"
    for _ in range(len(steps) + 2):
        document.undo()
    assert _states(inspector) == ["detected"] * 4
    assert not document.history.can_undo


def test_missing_is_said_and_coloured(bench: Bench, inspector: Inspector) -> None:
    bench.selection.set(keypoint=KEYPOINT, view=0)
    bench.editor.delete(all_views=True)
    assert _states(inspector) == ["deleted"] * 4
    assert _colour(inspector.views, 0, 1) == DARK.bad
    assert inspector.detail.text() == "No 3D position: it needs to be seen in two views."
    assert _text(inspector.keypoints, KEYPOINT, 1) == "0"
    assert _text(inspector.keypoints, KEYPOINT, 2) == "missing"
    assert _colour(inspector.keypoints, KEYPOINT, 2) == DARK.bad
    inspector.set_theme(LIGHT)
    assert _colour(inspector.views, 0, 1) == LIGHT.bad
    assert _colour(inspector.keypoints, KEYPOINT, 2) == LIGHT.bad
    assert _colour(inspector.keypoints, KEYPOINT + 1, 2) == LIGHT.text


def test_nobody_detected_is_missing(qtbot) -> None:
    sequence = make_sequence(bystander=False)
    index = np.array([(0, v, 0, KEYPOINT) for v in range(4)])
    sequence.apply(sequence.patch("instances2d.xy", index, np.nan))
    bench = open_bench(sequence)
    panel = Inspector(bench.document, bench.cursor, bench.selection, Settings())
    qtbot.addWidget(panel)
    panel.show()
    bench.document.opened.emit()
    bench.selection.set(keypoint=KEYPOINT)
    assert _states(panel) == ["missing"] * 4
    bench.cursor.set_frame(1)
    qtbot.waitUntil(lambda: _states(panel) == ["detected"] * 4)


def test_a_drag_is_shown_live_and_escape_takes_it_back(
    qtbot, bench: Bench, inspector: Inspector
) -> None:
    bench.selection.set(keypoint=KEYPOINT, view=0)
    before = inspector.detail.text(), _text(inspector.views, 0, 3)
    points = bench.document.points_at(0)
    texts = set()
    for step in (10, 20, 40, 80):
        bench.editor.drag_in_view(0, KEYPOINT, points.xy[0, KEYPOINT] + step)
        preview = bench.document.preview
        assert preview is not None
        x, y, z = (f"{1000 * v:.0f}" for v in preview.xyz)
        expected = f"x {x}  y {y}  z {z} mm"
        qtbot.waitUntil(lambda e=expected: inspector.detail.text().startswith(e))
        for view in range(4):
            assert _text(inspector.views, view, 3) == f"{preview.residual[view]:.1f} px"
            bad = preview.residual[view] > THRESHOLD
            assert _colour(inspector.views, view, 3) == (DARK.bad if bad else DARK.text)
        texts.add(inspector.detail.text())
    assert len(texts) == 4
    assert any(_colour(inspector.views, view, 3) == DARK.bad for view in range(4))
    bench.editor.cancel()
    assert (inspector.detail.text(), _text(inspector.views, 0, 3)) == before


def test_a_drag_of_another_keypoint_leaves_the_numbers(bench: Bench, inspector: Inspector) -> None:
    bench.selection.set(keypoint=KEYPOINT, view=0)
    before = inspector.detail.text()
    bench.editor.drag_in_view(0, KEYPOINT + 1, np.array([5.0, 5.0]))
    assert inspector.detail.text() == before


def test_hidden_it_catches_up_when_shown(bench: Bench, inspector: Inspector) -> None:
    bench.selection.set(keypoint=KEYPOINT, view=0)
    inspector.hide()
    bench.editor.delete(all_views=True)
    bench.cursor.set_frame(1)
    bench.cursor.set_frame(0)
    inspector.show()
    assert _text(inspector.keypoints, KEYPOINT, 2) == "missing"
    assert _states(inspector) == ["deleted"] * 4


def test_of_many_steps_the_last_is_shown_and_some_are_not(qtbot) -> None:
    sequence = make_sequence(n_frames=9, bystander=False)
    bench = open_bench(sequence)
    panel = Inspector(bench.document, bench.cursor, bench.selection, Settings())
    qtbot.addWidget(panel)
    panel.show()
    bench.document.opened.emit()
    bench.selection.set(keypoint=KEYPOINT)
    seen = []
    for frame in range(1, 9):
        bench.cursor.set_frame(frame)
        seen.append(panel.detail.text())
    assert len(set(seen)) < 8
    panel.refresh()
    last = panel.detail.text()
    panel.detail.setText("")
    bench.cursor.set_frame(0)
    bench.cursor.set_frame(8)
    qtbot.waitUntil(lambda: panel.detail.text() == last)


def test_closed_it_says_how_to_begin(bench: Bench, inspector: Inspector) -> None:
    bench.selection.set(keypoint=KEYPOINT, view=0)
    bench.document.close()
    assert inspector.keypoints.rowCount() == 0
    assert inspector.views.rowCount() == 0
    assert inspector.detail.text().startswith("Open a recording")
    inspector.set_theme(LIGHT)
    bench.selection.set(keypoint=-1)
    assert inspector.title.text() == "No keypoint selected"
