"""The mouse on the timeline: wheel, ruler, range, overview and the names of the lanes."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QContextMenuEvent, QHelpEvent, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from simspine_viewer.settings import Settings
from simspine_viewer.time_aids import TimeAids
from simspine_viewer.timeline import Timeline
from tests.viewer.fakes import open_bench
from tests.viewer.long_recording import empty_sequence

pytestmark = pytest.mark.gui

LEFT, NO, SHIFT = (
    Qt.MouseButton.LeftButton,
    Qt.KeyboardModifier.NoModifier,
    Qt.KeyboardModifier.ShiftModifier,
)


@pytest.fixture
def timeline(qtbot) -> Timeline:
    bench = open_bench(empty_sequence(1000))
    aids = TimeAids(bench.document, bench.cursor, bench.selection)
    made = Timeline(bench.document, bench.cursor, Settings(), aids)
    made.bench, made.aids = bench, aids
    qtbot.addWidget(made)
    made.resize(1000, made.sizeHint().height())
    made.show()
    return made


def wheel(timeline: Timeline, at: QPointF, notches: float, modifiers=NO) -> None:
    event = QWheelEvent(
        at, timeline.mapToGlobal(at), QPoint(), QPoint(0, round(120 * notches)),
        Qt.MouseButton.NoButton, modifiers, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(timeline, event)


def pull(timeline: Timeline, start: QPoint, end: QPoint, modifiers=NO, button=LEFT) -> None:
    QTest.mousePress(timeline, button, modifiers, start)
    for i in range(1, 5):
        QTest.mouseMove(timeline, start + (end - start) * i / 4)
    QTest.mouseRelease(timeline, button, modifiers, end)


def at(timeline: Timeline, frame: int, y: int = 40) -> QPoint:
    return QPoint(round(timeline.x_of(frame)), y)


def test_the_wheel_zooms_at_the_pointer_and_pans_with_shift(timeline: Timeline) -> None:
    place = QPointF(at(timeline, 300))
    before = timeline.axis().position_at(place.x())
    for _ in range(12):
        wheel(timeline, place, 1)
    assert timeline.view.span < 100
    assert timeline.axis().position_at(place.x()) == pytest.approx(before)
    first = timeline.view.first
    wheel(timeline, place, -1, SHIFT)
    assert timeline.view.first == pytest.approx(first + 0.1 * timeline.view.span)
    wheel(timeline, place, 1, SHIFT)
    assert timeline.view.first == pytest.approx(first)
    span = timeline.view.span
    wheel(timeline, place, -1, Qt.KeyboardModifier.ControlModifier)
    assert timeline.view.span == pytest.approx(1.25 * span), "Ctrl zooms, as in other programs"
    assert timeline.axis().position_at(place.x()) == pytest.approx(before)
    for _ in range(20):
        wheel(timeline, place, -1)
    assert timeline.view.whole
    assert timeline.bench.cursor.frame == 0, "none of this moves the cursor"


def test_the_ruler_pans_when_zoomed_and_a_click_on_it_goes_there(timeline: Timeline) -> None:
    timeline.view.show(400, 100)
    pull(timeline, at(timeline, 450, 8), at(timeline, 430, 8))
    assert timeline.view.first == pytest.approx(420, abs=0.2)
    assert timeline.bench.cursor.frame == 0
    QTest.mouseClick(timeline, LEFT, NO, at(timeline, 471, 8))
    assert timeline.bench.cursor.frame == 471
    timeline.view.show(400, 100)
    pull(timeline, at(timeline, 450), at(timeline, 420), button=Qt.MouseButton.MiddleButton)
    assert timeline.view.first == pytest.approx(430, abs=0.2)


def test_shift_and_drag_selects_a_range_whose_ends_can_be_moved(timeline: Timeline) -> None:
    chosen = timeline.range
    timeline.view.show(100, 100)
    pull(timeline, at(timeline, 150), at(timeline, 120), SHIFT)
    assert (chosen.start, chosen.stop) == (120, 151)
    assert timeline.bench.cursor.loop_range == (120, 151)
    end = QPoint(round(timeline.axis().edge(151)), 8)
    pull(timeline, end, at(timeline, 180, 8))
    assert (chosen.start, chosen.stop) == (120, 181)
    start = QPoint(round(timeline.axis().edge(120)), 8)
    pull(timeline, start, at(timeline, 130, 8))
    assert (chosen.start, chosen.stop) == (130, 181)
    QTest.mouseClick(timeline, LEFT, SHIFT, at(timeline, 110))
    assert not chosen, "a click with Shift selects nothing"
    assert timeline.bench.cursor.loop_range is None


def test_a_scrub_beyond_the_edge_takes_the_view_along(timeline: Timeline) -> None:
    timeline.view.show(400, 100)
    QTest.mousePress(timeline, LEFT, NO, at(timeline, 450))
    QTest.mouseMove(timeline, QPoint(timeline.width() + 100, 40))
    frame = timeline.bench.cursor.frame
    assert frame > 500
    assert timeline.view.first < frame < timeline.view.first + timeline.view.span
    QTest.mouseRelease(timeline, LEFT, NO, QPoint(timeline.width() + 100, 40))


def test_the_overview_moves_the_visible_part(timeline: Timeline) -> None:
    timeline.view.show(0, 100)
    y = round(timeline.strip_rect().center().y())
    x = round(timeline.whole_axis().centre(700))
    QTest.mouseClick(timeline, LEFT, NO, QPoint(x, y))
    assert timeline.view.first == pytest.approx(650, abs=2)


def test_lanes_are_chosen_explained_and_moved_by_their_names(timeline: Timeline) -> None:
    rects = dict(timeline.label_rects())
    QTest.mouseClick(timeline, LEFT, NO, rects["Edited"].center().toPoint())
    assert timeline.active == "edited"
    told: list[bool] = []
    timeline.lanes_changed.connect(lambda: told.append(True))
    start, end = (rects[name].center().toPoint() for name in ("Missing", "Residual"))
    pull(timeline, start, end)
    assert [lane.title for lane in timeline.lanes()] == [
        "Missing", "Residual", "Confidence", "Edited",
    ]  # fmt: skip
    assert told
    assert timeline.bench.cursor.frame == 0
    words = timeline.words_at(QPointF(end))
    assert "detector gives" in words


def test_the_right_button_asks_for_the_menu(timeline: Timeline) -> None:
    asked: list[QPoint] = []
    timeline.menu_requested.connect(asked.append)
    place = dict(timeline.label_rects())["Confidence"].center().toPoint()
    reason = QContextMenuEvent.Reason.Mouse
    QApplication.sendEvent(timeline, QContextMenuEvent(reason, place, timeline.mapToGlobal(place)))
    assert asked == [timeline.mapToGlobal(place)]
    assert timeline.active == "confidence"


def test_a_flag_speaks_its_note(timeline: Timeline) -> None:
    timeline.markers.set(500, 3, "swap begins")
    spot = QPointF(at(timeline, 500, 8))
    assert timeline.words_at(spot) == "Frame 500: swap begins"
    event = QHelpEvent(QEvent.Type.ToolTip, spot.toPoint(), timeline.mapToGlobal(spot.toPoint()))
    QApplication.sendEvent(timeline, event)
    assert timeline.words_at(QPointF(at(timeline, 500))).startswith("Frame 500, 10.000 s")
    picture = timeline.grab().toImage()
    colours = {picture.pixelColor(spot.toPoint().x() - 4, y).name() for y in range(2, 9)}
    assert "#009e73" in colours
