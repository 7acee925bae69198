"""The next frame without the keypoint: by its key, never to a frame that is only not solved yet."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from pipeline.data import edits
from pipeline.data.history import Place
from simspine_viewer.main_window import MainWindow
from tests.viewer.small import N_FRAMES, small_project
from tests.viewer.window import main_window, open_and_settle, settle

pytestmark = [pytest.mark.gui, pytest.mark.worker]

GONE, VIEWS = 6, [0, 1, 2, 3]


@pytest.fixture
def window(qtbot, tmp_path: Path) -> Iterator[MainWindow]:
    with main_window() as made:
        open_and_settle(made, small_project(tmp_path))
        keypoint = made.document.sequence.info.skeleton.index("left_knee")
        made.selection.set(keypoint=keypoint, view=0)
        yield made


def _press(window: MainWindow, modifier: Qt.KeyboardModifier | None = None) -> int:
    """Ask for the next frame without the keypoint; the frame that is shown then."""
    QTest.keyClick(window, Qt.Key.Key_7, modifier or Qt.KeyboardModifier.NoModifier)
    return window.time.frame


def test_what_is_not_solved_yet_is_no_gap(window: MainWindow) -> None:
    document, keypoint = window.document, window.selection.keypoint
    sequence = document.sequence
    window.time.set_frame(0)
    assert _press(window) == 0
    assert "No later frame lacks the keypoint." in window.status.currentMessage()
    gone = edits.delete_point(sequence, document.person, GONE, VIEWS, keypoint)
    document.commit("Delete", gone, Place(GONE, 0, keypoint, document.person))
    settle(window)
    window.time.set_frame(0)
    assert _press(window) == GONE
    window.time.set_frame(N_FRAMES - 1)
    assert _press(window, Qt.KeyboardModifier.ControlModifier) == GONE
    document.undo()
    settle(window)
    window.time.set_frame(0)
    assert _press(window) == 0, "undone: the point is there again"
    window.planner._closing()  # nothing is solved behind the test's back
    for patch in edits.set_sync(sequence, 0, 1.0, 0.0):
        sequence.apply(patch)
    assert _press(window) == 0
    assert "so far; the rest is still being computed" in window.status.currentMessage()
