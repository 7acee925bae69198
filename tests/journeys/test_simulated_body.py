"""A simulated body used as a person would: stages, switches, and a hip dragged with the bones."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from simspine_viewer.main_window import MainWindow
from simspine_viewer.pose import Pose
from simspine_viewer.settings import Settings
from simspine_viewer.stages import NOT_SIMULATED, Stage
from tests.viewer.simulated import posed
from tests.viewer.small import small_project
from tests.viewer.window import at_keypoint, drag, main_window, open_and_settle, settle, wait_until

pytestmark = [pytest.mark.gui, pytest.mark.opensim]

VIEW, FRAME = 1, 5
Key, Modifier = Qt.Key, Qt.KeyboardModifier


class Follower:
    """Stands in for the live solver: its body stands on what is being dragged."""

    def __init__(self, window: MainWindow) -> None:
        self.document = window.document
        self.home = np.nanmean(self.document.points_at(FRAME).xyz, axis=0) - (0.0, 0.95, 0.0)
        self.pose: Pose = posed(shift=tuple(self.home))
        self.document.pose_source = lambda frame: self.pose if frame == FRAME else None
        self.document.preview_changed.connect(self.follow)
        self.document.pose_changed.emit()

    def follow(self) -> None:
        preview = self.document.preview
        by = np.zeros(3)
        if preview is not None:
            by = preview.xyz - self.document.points_at(FRAME).xyz[preview.keypoint]
        self.pose = posed(shift=tuple(self.home + by), live=preview is not None)
        self.document.pose_changed.emit()


@pytest.fixture
def window(qtbot, tmp_path: Path) -> Iterator[MainWindow]:
    with main_window((1366, 768)) as made:
        open_and_settle(made, small_project(tmp_path))
        made.time.set_frame(FRAME)
        settle(made)
        yield made


def press(window: MainWindow, key: Qt.Key, held: Qt.KeyboardModifier = Modifier.NoModifier) -> None:
    QTest.keyClick(window, key, held)


def spine(window: MainWindow) -> np.ndarray | None:
    scene = window.grid.panes[VIEW].scene()
    assert scene is not None
    return None if scene.spine is None else scene.spine.xy


def test_bones_and_spine_are_switched_with_keys_and_remembered(window: MainWindow) -> None:
    feed = window.view3d._feed
    press(window, Key.Key_S, Modifier.ShiftModifier)
    press(window, Key.Key_S, Modifier.ShiftModifier)
    assert "not simulated yet" in window.status.currentMessage()
    Follower(window)
    wait_until(lambda: feed.shows_bones)
    assert spine(window) is not None
    press(window, Key.Key_K, Modifier.ShiftModifier)
    wait_until(lambda: not feed.shows_bones)
    press(window, Key.Key_S, Modifier.ShiftModifier)
    assert spine(window) is None
    kept = Settings.load()
    assert (kept.show_bones, kept.show_spine) == (False, False)
    press(window, Key.Key_K, Modifier.ShiftModifier)
    wait_until(lambda: feed.shows_bones)


def test_the_simulated_stage_is_one_of_those_gone_through(window: MainWindow) -> None:
    while window.grid.options.stage is not Stage.MODEL:
        press(window, Key.Key_S)
    scene = window.grid.panes[VIEW].scene()
    assert scene is not None
    assert scene.legend == NOT_SIMULATED
    assert NOT_SIMULATED in window.status.currentMessage()
    Follower(window)
    scene = window.grid.panes[VIEW].scene()
    assert scene is not None
    assert scene.legend == "Simulated"
    assert np.isfinite(scene.handles).all()
    window.time.set_frame(FRAME + 1)  # a frame that nobody has simulated
    settle(window)
    scene = window.grid.panes[VIEW].scene()
    assert scene is not None
    assert scene.legend == NOT_SIMULATED
    assert not window.view3d._feed.shows_bones


def test_a_hip_is_dragged_and_the_body_comes_along(window: MainWindow) -> None:
    Follower(window)
    feed, pane = window.view3d._feed, window.grid.panes[VIEW]
    wait_until(lambda: feed.shows_bones)
    hip = window.document.sequence.info.skeleton.index("RHip")
    before, image = spine(window), window.view3d.grab().toImage()
    assert before is not None
    start = at_keypoint(window, VIEW, hip)
    drag(pane, start, start + QPoint(60, 10), release=False)
    assert window.document.preview is not None
    moved = spine(window)
    assert moved is not None
    assert np.nanmin(np.linalg.norm(moved - before, axis=1)) > 3
    wait_until(lambda: window.view3d.grab().toImage() != image)
    QTest.keyClick(pane, Key.Key_Escape)
    QTest.mouseRelease(pane, Qt.MouseButton.LeftButton, pos=start + QPoint(60, 10))
    back = spine(window)
    assert back is not None
    assert np.allclose(back, before)
    assert not window.document.history.can_undo
