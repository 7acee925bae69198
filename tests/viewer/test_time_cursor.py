"""The one clock: stepping, clamping, playing in real time."""

from __future__ import annotations

import itertools

import pytest

from simspine_viewer.time_cursor import MAX_SKIPPED, TimeCursor

pytestmark = pytest.mark.gui


@pytest.fixture
def cursor(qtbot) -> TimeCursor:
    cursor = TimeCursor()
    cursor.set_range(100, 50.0)
    return cursor


def test_steps_stay_in_the_range(cursor: TimeCursor) -> None:
    cursor.step(-1)
    assert cursor.frame == 0
    cursor.step(250)
    assert cursor.frame == 99


def test_moved_is_said_once_and_only_for_a_move(cursor: TimeCursor) -> None:
    heard: list[int] = []
    cursor.moved.connect(heard.append)
    cursor.set_frame(7)
    cursor.set_frame(7)
    assert heard == [7]


def test_play_goes_at_the_rate_of_the_clock_and_stops_at_the_end(cursor: TimeCursor, qtbot) -> None:
    heard: list[int] = []
    cursor.moved.connect(heard.append)
    cursor.set_speed(4.0)
    with qtbot.waitSignal(cursor.playing_changed, check_params_cb=lambda on: not on, timeout=5000):
        cursor.play()
    assert cursor.frame == 99
    assert not cursor.playing
    assert heard == sorted(heard)


def test_loop_starts_again(cursor: TimeCursor, qtbot) -> None:
    cursor.set_range(5, 100.0)
    cursor.loop = True
    heard: list[int] = []
    cursor.moved.connect(heard.append)
    cursor.play()
    qtbot.waitUntil(lambda: heard.count(0) >= 2, timeout=5000)
    cursor.pause()


def test_a_step_pauses(cursor: TimeCursor) -> None:
    cursor.play()
    cursor.step(1)
    assert not cursor.playing


def test_an_empty_range_cannot_play(cursor: TimeCursor) -> None:
    cursor.set_range(0, 30.0)
    cursor.play()
    assert not cursor.playing
    cursor.step(5)
    assert cursor.frame == 0


def test_play_waits_for_the_picture_and_never_leaps(cursor: TimeCursor, qtbot) -> None:
    """A decoder that is too slow makes play slower; it never makes it skip more and more."""
    heard: list[int] = []
    cursor.moved.connect(heard.append)
    ready = False
    cursor.is_ready = lambda: ready
    cursor.play()
    qtbot.wait(300)  # 15 frames are due
    assert heard == []
    ready = True
    qtbot.waitUntil(lambda: len(heard) >= 1)
    ready = False
    assert heard[0] <= 1 + MAX_SKIPPED
    qtbot.wait(200)
    assert cursor.reached < 0.5
    ready = True
    qtbot.waitUntil(lambda: len(heard) >= 6)
    cursor.pause()
    steps = [after - before for before, after in itertools.pairwise(heard)]
    assert max(steps) <= 1 + MAX_SKIPPED
