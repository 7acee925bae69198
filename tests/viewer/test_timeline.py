"""The timeline: frames under the pointer, lanes that hide nothing, words on a frame."""

from __future__ import annotations

import itertools
import math
from dataclasses import fields

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor, QImage
from PySide6.QtTest import QTest

from pipeline.data import edits
from pipeline.data.history import Place
from pipeline.geometry.reconstruct import solve_points3d
from pipeline.quality.signals import FrameSignals, frame_signals
from simspine_viewer.lanes import LANES
from simspine_viewer.settings import Settings
from simspine_viewer.theme import DARK, LIGHT
from simspine_viewer.time_aids import TimeAids
from simspine_viewer.timeline import Timeline
from tests.viewer.fakes import ANNOTATED, BYSTANDER, Bench, make_sequence, open_bench
from tests.viewer.long_recording import empty_sequence
from tests.viewer.window import wait_until

pytestmark = pytest.mark.gui

WIDTH = 900


def _timeline(qtbot, bench: Bench, width: int = WIDTH) -> Timeline:
    aids = TimeAids(bench.document, bench.cursor, bench.selection)
    settings = Settings(error_threshold=20.0)
    timeline = Timeline(bench.document, bench.cursor, settings, aids)
    qtbot.addWidget(timeline)
    timeline.aids = aids  # kept alive
    timeline.resize(width, timeline.sizeHint().height())
    timeline.show()
    wait_until(lambda: aids.lanes.complete)
    return timeline


def _touched(timeline: Timeline) -> None:
    """Values were written into the store by hand."""
    timeline.store.revision += 1
    timeline.update()


def _solved(bench: Bench, track: int = ANNOTATED) -> None:
    frames = np.arange(bench.document.sequence.n_frames)
    sequence = bench.document.sequence
    bench.document.land(solve_points3d(sequence, track, frames), frames, sequence.revision)


def _at(timeline: Timeline, x: float) -> QPoint:
    return QPoint(round(x), timeline.height() // 2)


def _lane(timeline: Timeline, name: str, *, with_cursor: bool = False) -> np.ndarray:
    """(height, width, 3) colours of one lane, between its first and last frame."""
    picture = timeline.grab()
    if not with_cursor:  # its line covers a column
        picture = timeline._lanes
    image = picture.toImage().convertToFormat(QImage.Format.Format_RGB32)
    pixels = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.width(), 4)
    rect = timeline._lane_rect([lane.title for lane in timeline.lanes()].index(name)).toRect()
    return pixels[rect.top() : rect.bottom(), rect.left() : rect.right() + 1, 2::-1].astype(int)


def _columns_of(lane: np.ndarray, colour: str) -> np.ndarray:
    """Which columns of a lane show a colour at least at its bottom line."""
    wanted = QColor(colour)
    distance = np.abs(lane[-1] - (wanted.red(), wanted.green(), wanted.blue())).sum(axis=-1)
    return np.flatnonzero(distance < 12)


@pytest.mark.parametrize("n_frames", [2, 5, 97, 700])
def test_a_press_goes_to_the_very_frame(qtbot, n_frames: int) -> None:
    bench = open_bench(make_sequence(n_frames=n_frames, n_views=2, bystander=False))
    timeline = _timeline(qtbot, bench)
    frames = {0, 1, n_frames // 2, n_frames - 2, n_frames - 1}
    for frame in sorted(frames) + sorted(frames, reverse=True):
        first_pixel = math.ceil(timeline.x_of(frame) - 0.5 * timeline.axis().step)
        QTest.mouseClick(timeline, Qt.MouseButton.LeftButton, pos=_at(timeline, first_pixel))
        assert bench.cursor.frame == frame


def test_a_drag_scrubs_and_stops_at_both_ends(qtbot) -> None:
    bench = open_bench(make_sequence(n_frames=50, n_views=2, bystander=False))
    timeline = _timeline(qtbot, bench)
    seen: list[int] = []
    bench.cursor.moved.connect(seen.append)
    left = Qt.MouseButton.LeftButton
    QTest.mousePress(timeline, left, pos=_at(timeline, timeline.x_of(10)))
    for x in (timeline.x_of(20), WIDTH + 300, timeline.x_of(30), -200, 0):
        QTest.mouseMove(timeline, _at(timeline, x))
    QTest.mouseRelease(timeline, left, pos=_at(timeline, 0))
    assert seen == [10, 20, 49, 30, 0]
    QTest.mouseMove(timeline, _at(timeline, timeline.x_of(40)))
    assert bench.cursor.frame == 0, "without a button nothing moves"
    QTest.mousePress(timeline, Qt.MouseButton.RightButton, pos=_at(timeline, timeline.x_of(40)))
    assert bench.cursor.frame == 0


def test_a_press_stops_play(qtbot) -> None:
    bench = open_bench()
    timeline = _timeline(qtbot, bench)
    bench.cursor.play()
    QTest.mouseClick(timeline, Qt.MouseButton.LeftButton, pos=_at(timeline, timeline.x_of(3)))
    assert not bench.cursor.playing
    assert bench.cursor.frame == 3


def test_nothing_open_takes_no_events(qtbot) -> None:
    bench = open_bench()
    timeline = _timeline(qtbot, bench)
    bench.document.close()
    bench.cursor.set_range(0, 30.0)
    QTest.mouseClick(timeline, Qt.MouseButton.LeftButton, pos=_at(timeline, 400))
    assert bench.cursor.frame == 0
    assert timeline.describe(0) == ""
    timeline.grab()


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=lambda theme: theme.name)
def test_a_planted_error_is_red_where_it_is(qtbot, theme) -> None:
    bench = open_bench(make_sequence(n_frames=60, bystander=False))
    document = bench.document
    patches = edits.place_point(document.sequence, ANNOTATED, 25, 0, 7, (5.0, 5.0))
    document.commit("Move", patches, Place(25, 0, 7, ANNOTATED))
    _solved(bench)
    timeline = _timeline(qtbot, bench)
    timeline.set_theme(theme)
    assert timeline.signals is not None
    assert np.flatnonzero(np.nan_to_num(timeline.signals.residual) > 20.0).tolist() == [25]
    red = _columns_of(_lane(timeline, "Residual"), theme.bad)
    left = timeline._lane_rect(0).left()
    assert {timeline.frame_at(left + x + 0.5) for x in red} == {25}
    blue = _columns_of(_lane(timeline, "Edited"), theme.accent)
    assert {timeline.frame_at(left + x + 0.5) for x in blue} == {25}
    quiet = _columns_of(_lane(timeline, "Missing"), theme.warning)
    assert len(quiet) == 0, "every point of every frame was triangulated"


def test_an_edit_and_its_undo_change_their_frame_only(qtbot) -> None:
    bench = open_bench(make_sequence(n_frames=30))
    document = bench.document
    _solved(bench)
    timeline = _timeline(qtbot, bench)
    assert timeline.signals is not None
    before = {f.name: getattr(timeline.signals, f.name).copy() for f in fields(FrameSignals)}
    views = list(range(document.sequence.n_views))
    patches = edits.delete_point(document.sequence, ANNOTATED, 12, views, 4)
    document.commit("Delete", patches, Place(12, -1, 4, ANNOTATED))
    assert timeline.signals.edited[12] == len(views)
    assert timeline.signals.missing[12] == before["missing"][12] + 1
    for name, old in before.items():
        new = getattr(timeline.signals, name)
        np.testing.assert_array_equal(np.delete(new, 12), np.delete(old, 12))
    assert len(_columns_of(_lane(timeline, "Missing"), DARK.warning)) > 10
    document.undo()
    for name, old in before.items():
        np.testing.assert_allclose(getattr(timeline.signals, name), old, rtol=1e-5)
    assert len(_columns_of(_lane(timeline, "Edited"), DARK.accent)) == 0
    fresh = frame_signals(document.sequence, ANNOTATED)
    np.testing.assert_array_equal(timeline.signals.edited, fresh.edited)


def test_another_person_has_lanes_of_their_own(qtbot) -> None:
    bench = open_bench()
    document = bench.document
    patches = edits.place_point(document.sequence, ANNOTATED, 2, 0, 7, (5.0, 5.0))
    document.commit("Move", patches, Place(2, 0, 7, ANNOTATED))
    timeline = _timeline(qtbot, bench)
    assert timeline.signals is not None
    assert timeline.signals.edited.tolist() == [0, 0, 1, 0, 0]
    document.set_person(BYSTANDER)
    assert timeline.signals.edited.tolist() == [0] * 5


@pytest.mark.parametrize("width", [700, 1366])
def test_no_frame_is_too_short_to_be_seen(qtbot, width: int) -> None:
    """One bad frame of 30 000 has a column of its own colour, in every lane."""
    n = 30_000
    bench = open_bench(empty_sequence(n))
    timeline = _timeline(qtbot, bench, width)
    signals = (
        ("Residual", DARK.bad, 3.0, 45.0),
        ("Edited", DARK.accent, 0, 1),
        ("Missing", DARK.warning, 0, 37),
        ("Confidence", DARK.bad, 0.9, 0.1),
    )
    for bad in (0, 1, 9_999, 15_007, 29_999):
        for name, _, usual, off in signals:
            values = timeline.store.values[name.lower()]
            values[:] = usual
            values[bad] = off
        _touched(timeline)
        place = (bad + 0.5) / n * timeline._lane_rect(0).width()
        for name, colour, _, _ in signals:
            shown = _columns_of(_lane(timeline, name), colour)
            assert 1 <= len(shown) <= 3, (name, bad)
            assert abs(shown.mean() - place) < 2.5, (name, bad)


def test_residual_at_the_threshold_is_not_red(qtbot) -> None:
    bench = open_bench()
    timeline = _timeline(qtbot, bench)
    assert timeline.signals is not None
    timeline.signals.residual[:] = 20.0
    _touched(timeline)
    assert len(_columns_of(_lane(timeline, "Residual"), DARK.bad)) == 0
    timeline._settings.error_threshold = 19.0
    timeline.update()
    assert len(_columns_of(_lane(timeline, "Residual"), DARK.bad)) > 500


def test_the_cursor_moves_over_lanes_that_stay(qtbot) -> None:
    bench = open_bench(make_sequence(n_frames=40, bystander=False))
    timeline = _timeline(qtbot, bench)
    first = _lane(timeline, "Confidence", with_cursor=True)
    bench.cursor.set_frame(20)
    moved = _lane(timeline, "Confidence", with_cursor=True)
    x = timeline.x_of(20) - timeline._lane_rect(0).left()
    changed = np.flatnonzero(np.abs(first - moved).sum(axis=(0, 2)))
    assert len(changed)
    column = timeline.axis().step  # the frame's column is shaded as well
    near = (np.abs(changed - x) < column / 2 + 2) | (changed < column + 2)
    assert near.all()
    bench.cursor.set_frame(0)
    np.testing.assert_array_equal(_lane(timeline, "Confidence", with_cursor=True), first)


def test_words_on_a_frame(qtbot) -> None:
    bench = open_bench()
    _solved(bench)
    timeline = _timeline(qtbot, bench)
    values = timeline.store.values
    values["residual"][:] = [np.nan, 12.34, 0, 0, 0]
    values["confidence"][1] = 0.876
    values["edited"][1], values["missing"][1] = 3, 9
    assert timeline.describe(1).split("\n") == [
        "Frame 1, 0.020 s",
        "Residual: 12.3 px",
        "Confidence: 0.88",
        "Edited: 3",
        "Missing: 9",
    ]
    assert "Residual: none" in timeline.describe(0)
    assert timeline.describe(5) == ""


@pytest.mark.parametrize("n_frames", [1, 9, 100, 12_345, 180_000])
@pytest.mark.parametrize("width", [340, 1366, 3840])
def test_frame_numbers_are_whole_and_apart(qtbot, n_frames: int, width: int) -> None:
    bench = open_bench()
    timeline = _timeline(qtbot, bench, width)
    bench.cursor.set_range(n_frames, 50.0)
    labels = timeline.ruler_labels()
    assert labels[0][0] == "0"
    for (a, left), (b, right) in itertools.pairwise(labels):
        assert left.right() + 4 <= right.left(), (a, b)
    assert labels[-1][1].right() <= width


@pytest.mark.parametrize("n_frames", [1, 3, 5000])
def test_every_lane_is_painted_with_and_without_anything_in_it(qtbot, n_frames: int) -> None:
    bench = open_bench(empty_sequence(n_frames))
    timeline = _timeline(qtbot, bench)
    timeline.set_lanes([lane.id for lane in LANES])
    timeline.resize(WIDTH, timeline.sizeHint().height())
    wait_until(lambda: timeline.store.complete)
    empty = timeline.grab().toImage()
    for values in timeline.store.values.values():
        values[:] = 50.0
    _touched(timeline)
    timeline.markers.set(0, 2, "first")
    full = timeline.grab().toImage()
    for row, lane in enumerate(timeline.lanes()):
        rect = timeline._lane_rect(row).toRect()
        assert empty.copy(rect) != full.copy(rect), lane.id
    bench.document.close()
    bench.cursor.set_range(0, 30.0)
    timeline.grab()
