"""The whole main window for tests: real project, real decoders, real worker, real events."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMessageBox, QWidget

from pipeline.io.opening import create_project
from pipeline.io.project import project_path_for
from pipeline.io.recording import recognise
from simspine_viewer.main_window import MainWindow
from simspine_viewer.settings import Settings
from simspine_viewer.theme import apply_theme, theme_for

WAIT_MS = 60_000


def make_recording(folder: Path, n_views: int = 4, n_frames: int = 12) -> Path:
    """A small demo recording with drawn pictures; returns its folder."""
    from pipeline.synthesis.demo import make_demo

    make_demo(folder, n_frames=n_frames, size=(160, 160), n_views=n_views, render=False)
    return folder


def project_of(recording: Path) -> Path:
    """The project of a recording, made in this process."""
    plan = recognise(recording)
    path = project_path_for(plan.root, plan.name)
    create_project(plan, path, "tester").close()
    return path


@contextmanager
def main_window(size: tuple[int, int] = (1366, 768)) -> Iterator[MainWindow]:
    """A shown main window that is closed in order, whatever the test did."""
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    settings = Settings.load()
    settings.theme = "dark"
    apply_theme(theme_for(settings.theme, app), app)
    window = MainWindow(app, settings)
    window.opener.attended = False
    window.resize(*size)
    window.show()
    try:
        yield window
    finally:
        for box in window.findChildren(QMessageBox):
            box.close()
        window.close()
        window.deleteLater()
        app.processEvents()


def wait_until(condition: Callable[[], bool], timeout: int = WAIT_MS) -> None:
    """Let events run until ``condition`` holds; an assertion error after ``timeout`` ms."""
    deadline = time.monotonic() + timeout / 1000
    while not condition():
        assert time.monotonic() < deadline, "the window did not get there in time"
        QTest.qWait(10)


def settle(window: MainWindow) -> None:
    """Wait for pictures, points and jobs of the current frame."""
    wait_until(lambda: window.settled() and not window.jobs.running)
    QTest.qWait(50)


def open_and_settle(window: MainWindow, path: Path) -> None:
    """Open a recording or project and wait until everything is there."""
    window.open_path(path)
    wait_until(lambda: window.document.is_open)
    settle(window)


def at_keypoint(window: MainWindow, view: int, keypoint: int) -> QPoint:
    """Where the observed keypoint is drawn in a pane, in the pane's coordinates."""
    xy = window.document.points_at(window.time.frame).xy[view, keypoint]
    assert np.isfinite(xy).all(), "this keypoint is not seen in this view"
    return at_pixel(window, view, xy)


def at_pixel(window: MainWindow, view: int, xy: np.ndarray) -> QPoint:
    """Where a picture position is drawn in a pane."""
    pane = window.grid.panes[view]
    return QPointF(*pane.transform.to_widget(xy)).toPoint()


def click(widget: QWidget) -> None:
    """Press and release the left button in the middle of what can be seen and used."""
    assert widget.isVisible()
    assert widget.isEnabled()
    QTest.mouseClick(widget, Qt.MouseButton.LeftButton, pos=widget.rect().center())


def drag(widget: QWidget, start: QPoint, end: QPoint, *, release: bool = True) -> None:
    """Press, move in steps, release; as a hand would."""
    left = Qt.MouseButton.LeftButton
    QTest.mousePress(widget, left, pos=start)
    for i in range(1, 6):
        QTest.mouseMove(widget, start + (end - start) * i / 5, delay=5)
    if release:
        QTest.mouseRelease(widget, left, pos=end)


def distant_keypoint(window: MainWindow, view: int) -> int:
    """A keypoint seen in this view that lies farthest from all others, easy to hit."""
    xy = window.document.points_at(window.time.frame).xy[view]
    seen = np.flatnonzero(np.isfinite(xy[:, 0]))
    gaps = {
        int(a): min(np.linalg.norm(xy[a] - xy[b]) for b in seen if b != a)
        for a in itertools.islice(seen, None)
    }
    return max(gaps, key=gaps.__getitem__)
