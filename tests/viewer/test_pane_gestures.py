"""One pane under a real mouse and keyboard: select, drag, place, pan, and what ends a drag."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QContextMenuEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from pipeline.data import edits
from pipeline.data.history import Place
from simspine_viewer.palette import PREVIEW
from simspine_viewer.video_pane import VideoPane
from tests.viewer.fakes import BYSTANDER, SIZE, Bench, open_bench
from tests.viewer.pane_stand import (
    LEFT,
    drag,
    empty_spot,
    keypoint,
    on_widget,
    picture_of,
    pixels_of,
    show_pane,
    where,
)

pytestmark = pytest.mark.gui


@pytest.fixture
def bench(qtbot: QtBot) -> Bench:
    return open_bench()


@pytest.fixture
def pane(qtbot: QtBot, bench: Bench) -> VideoPane:
    return show_pane(qtbot, bench, 0)


@pytest.fixture
def panes(qtbot: QtBot, bench: Bench) -> list[VideoPane]:
    return [show_pane(qtbot, bench, view) for view in range(4)]


def count_of(pane: VideoPane, colour: tuple[int, int, int]) -> int:
    return int((np.abs(pixels_of(pane) - colour).max(axis=-1) < 40).sum())


def test_press_selects_the_keypoint_and_the_view(bench: Bench, panes: list[VideoPane]) -> None:
    QTest.mouseClick(panes[2], LEFT, pos=where(bench, panes[2]))
    assert (bench.selection.keypoint, bench.selection.view) == (keypoint(bench), 2)
    assert not bench.document.history.entries


def test_press_on_nothing_selects_the_view_only(bench: Bench, panes: list[VideoPane]) -> None:
    bench.selection.set(5, 0)
    QTest.mouseClick(panes[1], LEFT, pos=empty_spot(panes[1]))
    assert (bench.selection.keypoint, bench.selection.view) == (5, 1)


def test_drag_previews_in_all_views_and_release_commits_one_step(
    bench: Bench, panes: list[VideoPane]
) -> None:
    pane, k = panes[0], keypoint(bench)
    before = bench.document.points_at(0)
    start, by = where(bench, pane), QPoint(34, -21)
    drag(pane, start, by, release=False)
    preview = bench.document.preview
    assert preview is not None
    assert (preview.view, preview.keypoint) == (0, k)
    for other in panes[1:]:
        scene = other.scene()
        assert scene is not None
        assert np.linalg.norm(scene.reprojected[k] - before.reprojected[other.view, k]) > 1
    assert all(count_of(p, PREVIEW) > 10 for p in panes)
    assert not bench.document.history.entries

    QTest.mouseRelease(pane, LEFT, pos=start + by)
    assert bench.document.preview is None
    assert len(bench.document.history.entries) == 1
    after = bench.document.points_at(0)
    moved = after.xy[0, k] - before.xy[0, k]
    assert np.allclose(moved, np.array([34, -21]) / pane.transform.scale, atol=1e-3)
    assert after.manual[0, k]
    assert np.linalg.norm(after.xyz[k] - before.xyz[k]) > 0.005

    bench.document.undo()
    assert np.array_equal(bench.document.points_at(0).xy, before.xy)


def test_a_point_does_not_jump_to_the_pointer(bench: Bench, pane: VideoPane) -> None:
    k, before = keypoint(bench), bench.document.points_at(0)
    drag(pane, where(bench, pane) + QPoint(5, 3), QPoint(30, 0))
    moved = bench.document.points_at(0).xy[0, k] - before.xy[0, k]
    assert np.allclose(moved, [30 / pane.transform.scale, 0], atol=1e-3)


def test_a_hand_that_trembles_moves_nothing(bench: Bench, pane: VideoPane) -> None:
    drag(pane, where(bench, pane), QPoint(2, 2))
    assert bench.document.preview is None
    assert not bench.document.history.entries
    assert bench.selection.keypoint == keypoint(bench)


def test_escape_drops_the_drag_until_the_next_press(bench: Bench, pane: VideoPane) -> None:
    start = where(bench, pane)
    drag(pane, start, QPoint(40, 10), release=False)
    assert bench.document.preview is not None
    QTest.keyClick(pane, Qt.Key.Key_Escape)
    assert bench.document.preview is None
    QTest.mouseMove(pane, start + QPoint(60, 30))
    assert bench.document.preview is None
    QTest.mouseRelease(pane, LEFT, pos=start + QPoint(60, 30))
    assert not bench.document.history.entries
    drag(pane, start, QPoint(40, 10))
    assert len(bench.document.history.entries) == 1


def test_another_frame_drops_the_drag(bench: Bench, pane: VideoPane) -> None:
    start = where(bench, pane)
    drag(pane, start, QPoint(40, 10), release=False)
    bench.cursor.set_frame(1)
    pane.set_picture(picture_of(1))
    QTest.mouseMove(pane, start + QPoint(60, 30))
    QTest.mouseRelease(pane, LEFT, pos=start + QPoint(60, 30))
    assert bench.document.preview is None
    assert not bench.document.history.entries


def test_another_frame_drops_a_press_that_has_not_moved(bench: Bench, pane: VideoPane) -> None:
    start = where(bench, pane)
    QTest.mousePress(pane, LEFT, pos=start)
    bench.cursor.set_frame(1)
    pane.set_picture(picture_of(1))
    QTest.mouseMove(pane, start + QPoint(60, 30))
    assert bench.document.preview is None
    QTest.mouseRelease(pane, LEFT, pos=start + QPoint(60, 30))
    assert not bench.document.history.entries


def test_a_drag_dropped_by_somebody_else_stays_dropped(bench: Bench, pane: VideoPane) -> None:
    start = where(bench, pane)
    drag(pane, start, QPoint(40, 10), release=False)
    bench.editor.cancel()
    QTest.mouseMove(pane, start + QPoint(60, 30))
    assert bench.document.preview is None
    QTest.mouseRelease(pane, LEFT, pos=start + QPoint(60, 30))
    assert not bench.document.history.entries


def test_points_of_a_picture_that_is_not_current_cannot_be_moved(
    bench: Bench, pane: VideoPane
) -> None:
    start = where(bench, pane)
    bench.cursor.set_frame(2)
    assert pane.frame == 0
    drag(pane, start, QPoint(40, 10))
    assert bench.selection.keypoint == keypoint(bench)
    assert not bench.document.history.entries


def test_placing_puts_the_selected_keypoint_where_the_press_is(
    bench: Bench, panes: list[VideoPane]
) -> None:
    k, pane = keypoint(bench), panes[1]
    bench.selection.set(k, 0)
    bench.editor.set_placing(True)
    assert pane.cursor().shape() == Qt.CursorShape.CrossCursor
    target = np.array([30.0, 40.0])
    QTest.mousePress(pane, LEFT, pos=on_widget(pane, target))
    assert bench.document.preview is not None
    QTest.mouseRelease(pane, LEFT, pos=on_widget(pane, target))
    points = bench.document.points_at(0)
    assert points.manual[1, k]
    assert np.abs(points.xy[1, k] - target).max() <= 0.5 / pane.transform.scale + 1e-6
    assert len(bench.document.history.entries) == 1
    QTest.keyClick(pane, Qt.Key.Key_Escape)
    assert not bench.editor.placing
    assert pane.cursor().shape() != Qt.CursorShape.CrossCursor


def test_a_missing_point_is_taken_by_its_cross(bench: Bench, pane: VideoPane) -> None:
    k = keypoint(bench)
    start = where(bench, pane)
    document = bench.document
    document.commit("x", edits.delete_point(document.sequence, 0, 0, [0], k), Place(0))
    assert np.isnan(document.points_at(0).xy[0, k]).all()
    drag(pane, start, QPoint(20, 8))
    points = document.points_at(0)
    assert points.manual[0, k]
    assert np.isfinite(points.xy[0, k]).all()


def test_somebody_else_can_be_clicked(qtbot: QtBot, bench: Bench, pane: VideoPane) -> None:
    points = bench.document.points_at(0)
    others, own = points.others[BYSTANDER][0], points.xy[0]
    apart = np.linalg.norm(others[:, None] - own[None], axis=-1).min(axis=1)
    apart[((others < 0) | (others > np.array(SIZE))).any(axis=-1)] = 0
    far = int(apart.argmax())
    with qtbot.waitSignal(pane.person_clicked) as signal:
        QTest.mouseClick(pane, LEFT, pos=on_widget(pane, others[far]))
    assert signal.args == [BYSTANDER]
    assert bench.selection.keypoint == -1


def test_hidden_overlay_cannot_be_edited(bench: Bench, pane: VideoPane) -> None:
    pane.set_options(type(pane.options)(visible=False))
    drag(pane, where(bench, pane), QPoint(40, 10))
    assert not bench.document.history.entries


def test_menu_is_asked_for_at_the_keypoint(qtbot: QtBot, bench: Bench, pane: VideoPane) -> None:
    at = where(bench, pane)
    event = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, at, pane.mapToGlobal(at))
    with qtbot.waitSignal(pane.menu_requested) as signal:
        QApplication.sendEvent(pane, event)
    assert signal.args == [pane.mapToGlobal(at), keypoint(bench)]
    assert bench.selection.keypoint == keypoint(bench)


def test_double_click_asks_to_enlarge(qtbot: QtBot, pane: VideoPane) -> None:
    with qtbot.waitSignal(pane.enlarge_requested) as signal:
        QTest.mouseDClick(pane, LEFT, pos=empty_spot(pane))
    assert signal.args == [0]


def test_the_pointer_says_what_a_press_would_do(bench: Bench, pane: VideoPane) -> None:
    shapes = [pane.cursor().shape()]
    at = where(bench, pane)
    for spot in (at, empty_spot(pane)):
        QTest.mouseMove(pane, spot)
        shapes.append(pane.cursor().shape())
    QTest.mousePress(pane, Qt.MouseButton.MiddleButton, pos=at)
    shapes.append(pane.cursor().shape())
    QTest.mouseRelease(pane, Qt.MouseButton.MiddleButton, pos=at)
    shapes.append(pane.cursor().shape())
    arrow, hand = Qt.CursorShape.ArrowCursor, Qt.CursorShape.PointingHandCursor
    assert shapes == [arrow, hand, arrow, Qt.CursorShape.ClosedHandCursor, hand]


def test_another_button_does_not_disturb_a_drag(bench: Bench, pane: VideoPane) -> None:
    start, old = where(bench, pane), pane.transform
    drag(pane, start, QPoint(40, 10), release=False)
    QTest.mousePress(pane, Qt.MouseButton.MiddleButton, pos=start)
    QTest.mouseMove(pane, start + QPoint(60, 30))
    QTest.mouseRelease(pane, Qt.MouseButton.MiddleButton, pos=start + QPoint(60, 30))
    assert pane.transform == old
    assert bench.document.preview is not None
    QTest.mouseRelease(pane, LEFT, pos=start + QPoint(60, 30))
    assert len(bench.document.history.entries) == 1


@pytest.mark.parametrize(
    ("button", "modifier"),
    [
        (Qt.MouseButton.MiddleButton, Qt.KeyboardModifier.NoModifier),
        (LEFT, Qt.KeyboardModifier.AltModifier),
    ],
)
def test_pan_moves_the_picture_with_the_pointer(
    bench: Bench, pane: VideoPane, button: Qt.MouseButton, modifier: Qt.KeyboardModifier
) -> None:
    start = where(bench, pane)
    pixel = pane.transform.to_picture((start.x(), start.y()))
    QTest.mousePress(pane, button, modifier, start)
    QTest.mouseMove(pane, start + QPoint(25, 40))
    QTest.mouseRelease(pane, button, modifier, start + QPoint(25, 40))
    moved = pane.transform.to_picture((start.x() + 25, start.y() + 40))
    assert np.allclose(moved, pixel)
    assert bench.selection.keypoint == -1
    assert not bench.document.history.entries


def test_of_many_moves_in_one_turn_the_newest_counts(
    qtbot: QtBot, bench: Bench, pane: VideoPane
) -> None:
    solved: list[float] = []
    bench.document.preview_changed.connect(
        lambda: bench.document.preview and solved.append(bench.document.preview.xy[0, 0])
    )
    at = where(bench, pane)
    QTest.mousePress(pane, LEFT, pos=at)
    for step in range(5, 40):
        QTest.mouseMove(pane, at + QPoint(step, 0))
    assert len(solved) <= 2
    qtbot.waitUntil(lambda: len(solved) > 2 and bench.document.preview is not None)
    preview = bench.document.preview
    assert preview is not None
    assert abs(on_widget(pane, preview.xy[0]).x() - (at.x() + 39)) <= 1
    QTest.mouseMove(pane, at + QPoint(44, 0))
    QTest.mouseMove(pane, at + QPoint(50, 0))
    QTest.mouseRelease(pane, LEFT, pos=at + QPoint(50, 0))
    placed = bench.document.points_at(0).xy[0, keypoint(bench)]
    assert abs(on_widget(pane, placed).x() - (at.x() + 50)) <= 1


def test_a_drag_is_painted_from_kept_layers_as_it_would_be_painted_anew(
    qtbot: QtBot, bench: Bench, panes: list[VideoPane]
) -> None:
    at = where(bench, panes[0])
    QTest.mousePress(panes[0], LEFT, pos=at)
    QTest.mouseMove(panes[0], at + QPoint(10, 4))
    for pane in panes:
        pixels_of(pane)  # makes the layers
    qtbot.wait(150)
    QTest.mouseMove(panes[0], at + QPoint(60, -30))
    qtbot.wait(30)
    for pane in panes:
        kept = pixels_of(pane)
        pane.refresh()
        assert np.array_equal(pixels_of(pane), kept)
        assert count_of(pane, PREVIEW) > 10
    QTest.mouseRelease(panes[0], LEFT, pos=at + QPoint(60, -30))
