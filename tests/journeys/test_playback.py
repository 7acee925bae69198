"""Scrub, step and play with mouse and keys: what the panes show is what the clock says."""

from __future__ import annotations

import itertools
import multiprocessing
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QMessageBox, QPushButton

from pipeline.data import edits
from pipeline.data.history import Place
from simspine_viewer import proxy_planner
from simspine_viewer.main_window import MainWindow
from simspine_viewer.picture import NO_FRAME, NO_VIDEO, Tier
from tests.journeys.coded_recording import (
    N_VIEWS,
    N,
    coded_project,
    coded_recording,
    shown_frames,
)
from tests.truth.video import encode
from tests.viewer.window import main_window, open_and_settle, project_of, settle, wait_until

pytestmark = pytest.mark.gui

Key = Qt.Key
NO_KEYS = Qt.KeyboardModifier.NoModifier
LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def window(qtbot) -> Iterator[MainWindow]:
    with main_window() as made:
        yield made


@pytest.fixture
def opened(window: MainWindow, tmp_path: Path) -> MainWindow:
    open_and_settle(window, coded_project(tmp_path))
    window.time.set_frame(0)
    settle(window)
    return window


class Seen:
    """Every set of pictures that the panes have shown, by what is in the pixels."""

    def __init__(self, window: MainWindow) -> None:
        self._window = window
        self.frames: list[int] = []
        window.loader.frames_ready.connect(self._read)

    def _read(self, frame: int, pictures: object) -> None:
        codes = shown_frames(self._window)
        exact = [pane.picture.is_own for pane in self._window.grid.panes]
        if all(exact):
            assert codes == [frame] * N_VIEWS
        self.frames.append(frame)


def run(window: MainWindow, command: str) -> None:
    """By the menu, as somebody would who does not know the key."""
    window.table.actions[command].trigger()


def press(window: MainWindow, key: Qt.Key, modifiers: Qt.KeyboardModifier = NO_KEYS) -> None:
    QTest.keyClick(window, key, modifiers)


def until_paused(window: MainWindow) -> None:
    wait_until(lambda: not window.time.playing)
    settle(window)


def test_dragging_on_the_timeline_ends_on_the_exact_frame(opened: MainWindow) -> None:
    window, timeline = opened, opened.timeline
    seen = Seen(window)
    y = timeline.height() // 2
    left, right = (round(timeline.x_of(frame)) for frame in (5, 110))
    QTest.mousePress(timeline, LEFT, pos=QPoint(left, y))
    for x in [*range(left, right, 9), *range(right, left + 40, -13)]:
        QTest.mouseMove(timeline, QPoint(x, y))
        QTest.qWait(15)
    QTest.mouseRelease(timeline, LEFT, pos=QPoint(x, y))
    wanted = timeline.frame_at(x)
    settle(window)
    assert window.time.frame == wanted
    assert shown_frames(window) == [wanted] * N_VIEWS
    assert len(seen.frames) > 3


def test_a_keyframe_in_its_place_is_said_and_cannot_be_worked_on(opened: MainWindow) -> None:
    window = opened
    firsts = []
    window.loader.frames_ready.connect(
        lambda _, __: firsts.append([item.text for item in window.grid.panes[0].header_items()])
    )
    current = []
    window.loader.frames_ready.connect(
        lambda _, __: current.append(window.grid.panes[0].is_current)
    )
    window.time.set_frame(100)
    settle(window)
    assert "keyframe, 40 frames earlier" in firsts[0]
    assert current == [False]
    texts = [item.text for item in window.grid.panes[0].header_items()]
    assert not any("keyframe" in text for text in texts)
    assert window.grid.panes[0].is_current


@pytest.mark.parametrize(("key", "step"), [(Key.Key_Right, 1), (Key.Key_Left, -1)])
def test_holding_an_arrow_key_steps_through_the_frames(
    opened: MainWindow, key: Qt.Key, step: int
) -> None:
    window = opened
    window.time.set_frame(60)
    settle(window)
    seen = Seen(window)
    for _ in range(40):
        press(window, key)
        QTest.qWait(4)
    settle(window)
    assert window.time.frame == 60 + 40 * step
    assert shown_frames(window) == [window.time.frame] * N_VIEWS
    assert seen.frames == sorted(seen.frames, reverse=step < 0)


def test_play_keeps_time_to_the_end(opened: MainWindow) -> None:
    window = opened
    seen = Seen(window)
    press(window, Key.Key_Space)
    assert window.table.actions["play"].isChecked()
    wait_until(lambda: window.time.frame > 40)
    assert " fps, " in window.status.speed.text()
    assert window.status.speed.text().endswith(" dropped")
    until_paused(window)
    assert window.time.frame == N - 1
    assert seen.frames == sorted(seen.frames)
    assert "fps" not in window.status.speed.text()


def test_every_frame_is_shown_once_each_way(opened: MainWindow) -> None:
    window = opened
    run(window, "every-frame")
    run(window, "speed-4")
    assert window.status.speed.text() == "4×, every frame"
    seen = Seen(window)
    press(window, Key.Key_Space)
    until_paused(window)
    assert seen.frames == list(range(1, N))
    assert window.time.dropped == 0
    seen.frames.clear()
    press(window, Key.Key_Space, Qt.KeyboardModifier.ShiftModifier)
    assert window.table.actions["play-backwards"].isChecked()
    until_paused(window)
    assert seen.frames == list(range(N - 2, -1, -1))


def test_a_loop_over_a_range_stays_in_it(opened: MainWindow) -> None:
    window = opened
    window.time.set_loop_range((30, 36))
    run(window, "every-frame")
    press(window, Key.Key_L)
    seen = Seen(window)
    press(window, Key.Key_Space)
    wait_until(lambda: len(seen.frames) >= 20)
    press(window, Key.Key_Space)
    assert not window.time.playing
    assert set(seen.frames) == set(range(30, 36))
    steps = {after - before for before, after in itertools.pairwise(seen.frames)}
    assert steps == {1, -5}


def test_speeds_by_key_and_by_menu(opened: MainWindow) -> None:
    window = opened
    press(window, Key.Key_BracketRight)
    assert window.time.speed == 2.0
    run(window, "speed-0.1")
    assert window.table.actions["speed-0.1"].isChecked()
    press(window, Key.Key_BracketLeft)
    assert window.time.speed == 0.1
    press(window, Key.Key_Space)
    QTest.qWait(500)  # five frames a second
    press(window, Key.Key_Space)
    assert window.time.frame <= 4


def test_videos_of_other_length_and_missing_ones_leave_the_others_alone(
    window: MainWindow, tmp_path: Path
) -> None:
    recording = coded_recording(tmp_path)
    videos = sorted((recording / "videos").iterdir())
    encode(videos[1], range(200, 250), "-c:v", "libx264", "-g", "60", "-pix_fmt", "yuv420p")
    project = project_of(recording)
    videos[2].unlink()
    open_and_settle(window, project)
    for frame in (20, 90, 49, 50):
        window.time.set_frame(frame)
        settle(window)
        assert shown_frames(window) == [frame, frame if frame < 50 else None, None]
    reasons = [pane.picture.reason for pane in window.grid.panes]
    assert reasons[:2] == ["", NO_FRAME]
    assert reasons[2] == NO_VIDEO or "does not exist" in reasons[2]


def test_a_corrected_offset_shifts_the_picture_at_once_and_undo_shifts_it_back(
    opened: MainWindow,
) -> None:
    window, document = opened, opened.document
    window.time.set_frame(20)
    settle(window)
    document.commit("Shift", edits.set_sync(document.sequence, 1, 7.0, 0.0), Place(20))
    settle(window)
    assert shown_frames(window) == [20, 27, 20]
    window.time.set_frame(115)
    settle(window)
    assert shown_frames(window) == [115, None, 115]
    press(window, Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    settle(window)
    assert shown_frames(window) == [window.time.frame] * N_VIEWS


@pytest.fixture
def all_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proxy_planner, "_SLOW_MS", 0.0)


def test_small_copies_are_made_in_the_background_used_and_deleted(
    all_slow: None, window: MainWindow, tmp_path: Path
) -> None:
    # First until every video is open: nothing is missing of the ones that are not.
    open_and_settle(window, coded_project(tmp_path))
    wait_until(lambda: window.playback.proxies.share_done == 1.0)
    settle(window)
    lines = [s for s in window.jobs.jobs if s.job.title == proxy_planner.TITLE]
    assert len(lines) == 1
    labels = [label.text() for label in window.job_panel.findChildren(QLabel)]
    assert labels.count(proxy_planner.TITLE) == 1
    firsts = []
    window.loader.frames_ready.connect(
        lambda frame, pictures: firsts.append([frame, {p.tier for p in pictures}])
    )
    seen = Seen(window)
    for frame in (100, 20, 70):
        window.time.set_frame(frame)
        settle(window)
    assert firsts == [[100, {Tier.PROXY}], [20, {Tier.PROXY}], [70, {Tier.PROXY}]]
    assert seen.frames == [100, 20, 70]
    assert all(pane.picture.is_full for pane in window.grid.panes)

    assert window.table.actions["prepare-video"].isChecked()
    run(window, "delete-prepared")
    (box,) = window.findChildren(QMessageBox)
    assert "kB" in box.text()
    (button,) = [b for b in box.findChildren(QPushButton) if "This Recording" in b.text()]
    QTest.mouseClick(button, LEFT)
    assert window.playback.proxies.used_bytes() == (0, 0)
    assert not window.table.actions["prepare-video"].isChecked()
    window.time.set_frame(100)
    settle(window)
    assert Tier.PROXY not in firsts[-1][1]
    run(window, "prepare-video")
    wait_until(lambda: window.playback.proxies.share_done == 1.0)


def test_nothing_is_left_when_the_window_closes_while_preparing(
    all_slow: None, qtbot, tmp_path: Path
) -> None:
    project = coded_project(tmp_path)
    with main_window() as window:
        window.open_path(project)
        wait_until(lambda: any(s.job.task == proxy_planner.TASK for s in window.jobs.running))
        began = time.monotonic()
        window.close()
        assert time.monotonic() - began < 15
    assert not [t for t in threading.enumerate() if t.name.startswith("decode-")]
    assert not multiprocessing.active_children()
