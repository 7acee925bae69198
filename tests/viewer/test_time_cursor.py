"""The one clock: stepping, clamping, playing in real time or frame by frame, both ways, looping."""

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


@pytest.fixture
def heard(cursor: TimeCursor) -> list[int]:
    """Frames the cursor has moved to."""
    frames: list[int] = []
    cursor.moved.connect(frames.append)
    return frames


def until_stopped(cursor: TimeCursor, qtbot) -> None:
    qtbot.waitUntil(lambda: not cursor.playing, timeout=10_000)


def test_steps_stay_in_the_range(cursor: TimeCursor) -> None:
    cursor.step(-1)
    assert cursor.frame == 0
    cursor.step(250)
    assert cursor.frame == 99


def test_moved_is_said_once_and_only_for_a_move(cursor: TimeCursor, heard) -> None:
    cursor.set_frame(7)
    cursor.set_frame(7)
    assert heard == [7]


def test_play_goes_at_the_rate_of_the_clock_and_stops_at_the_end(
    cursor: TimeCursor, heard, qtbot
) -> None:
    cursor.set_speed(4.0)
    cursor.play()
    until_stopped(cursor, qtbot)
    assert cursor.frame == 99
    assert heard == sorted(heard)


def test_play_faster_than_a_display_passes_frames_over_without_dropping_any(
    cursor: TimeCursor, heard, qtbot
) -> None:
    cursor.set_speed(4.0)  # 200 frames a second
    assert cursor.stride == 4
    cursor.play()
    until_stopped(cursor, qtbot)
    assert len(heard) <= 100 / 4 + 1


def test_loop_starts_again(cursor: TimeCursor, heard, qtbot) -> None:
    cursor.set_range(5, 100.0)
    cursor.loop = True
    heard.clear()
    cursor.play()
    qtbot.waitUntil(lambda: heard.count(0) >= 2, timeout=5000)
    cursor.pause()


def test_every_frame_is_shown_once_however_slow_its_pictures_are(
    cursor: TimeCursor, heard, qtbot
) -> None:
    ready = False
    cursor.is_ready = lambda: ready
    cursor.set_speed(4.0)
    cursor.set_every_frame(True)
    cursor.play()
    qtbot.wait(300)  # 60 frames are due
    assert heard == []
    ready = True
    until_stopped(cursor, qtbot)
    assert heard == list(range(1, 100))
    assert cursor.dropped == 0


def test_every_frame_keeps_time_where_it_can(cursor: TimeCursor, heard, qtbot) -> None:
    cursor.set_every_frame(True)
    cursor.play()
    qtbot.wait(400)
    cursor.pause()
    assert heard == list(range(1, len(heard) + 1))
    assert len(heard) <= 21  # 50 a second, not as fast as it goes


def test_backwards_to_the_start(cursor: TimeCursor, heard, qtbot) -> None:
    cursor.set_frame(20)
    heard.clear()
    cursor.play(-1)
    until_stopped(cursor, qtbot)
    assert heard == sorted(heard, reverse=True)
    assert heard[-1] == 0


def test_backwards_from_the_start_begins_at_the_end(cursor: TimeCursor, heard) -> None:
    cursor.play(-1)
    assert heard == [99]
    cursor.toggle(1)  # the other way, without a pause
    assert (cursor.playing, cursor.direction, cursor.frame) == (True, 1, 0)
    cursor.toggle(1)
    assert not cursor.playing


@pytest.mark.parametrize("direction", [1, -1])
def test_a_selected_range_is_looped_over_and_nothing_else(
    cursor: TimeCursor, heard, qtbot, direction: int
) -> None:
    cursor.loop = True
    cursor.set_loop_range((40, 44))
    cursor.set_every_frame(True)
    cursor.set_speed(2.0)
    cursor.play(direction)
    qtbot.waitUntil(lambda: len(heard) >= 13)
    cursor.pause()
    once = [40, 41, 42, 43][::direction]
    assert heard[:12] == once * 3


def test_without_loop_a_range_does_not_hold_play(cursor: TimeCursor, heard, qtbot) -> None:
    cursor.set_loop_range((90, 95))
    cursor.set_frame(92)
    cursor.play()
    until_stopped(cursor, qtbot)
    assert cursor.frame == 99


@pytest.mark.parametrize(
    ("asked", "kept"),
    [((10, 20), (10, 20)), ((20, 10), (10, 20)), ((-5, 200), (0, 100)), ((7, 8), None),
     ((150, 160), None), (None, None)],
)  # fmt: skip
def test_a_range_lies_within_the_recording(cursor: TimeCursor, asked, kept) -> None:
    cursor.set_loop_range(asked)
    assert cursor.loop_range == kept


def test_another_recording_has_no_range(cursor: TimeCursor) -> None:
    cursor.set_loop_range((10, 20))
    cursor.set_range(50, 30.0)
    assert cursor.loop_range is None


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


def test_play_waits_for_the_picture_and_never_leaps(cursor: TimeCursor, heard, qtbot) -> None:
    """A decoder that is too slow makes play slower; it never makes it skip more and more."""
    ready = False
    cursor.is_ready = lambda: ready
    cursor.play()
    qtbot.wait(300)  # 15 frames are due
    assert heard == []
    ready = True
    qtbot.waitUntil(lambda: len(heard) >= 1)
    ready = False
    assert heard[0] <= 1 + MAX_SKIPPED
    assert cursor.dropped == heard[0] - 1 > 0
    qtbot.wait(200)
    assert cursor.reached < 0.5
    ready = True
    qtbot.waitUntil(lambda: len(heard) >= 6)
    cursor.pause()
    steps = [after - before for before, after in itertools.pairwise(heard)]
    assert max(steps) <= 1 + MAX_SKIPPED
    assert cursor.dropped == heard[0] - 1 + sum(step - 1 for step in steps)
