"""How long it takes from a mouse event of a drag until all panes show what it changed.

Usage: ``python benchmarks/drag.py [RECORDING] [--events 600] [--size 1920x1080]``. Prints lines for
the recording and for a demo with eight views, with the 3D view hidden and shown, without and with a
simulated body that follows every event.

A point is held with real mouse events at 60 Hz. The time runs from when an event is *due*, so that
whatever keeps the event loop busy (such as the 3D view being drawn) counts, until everything that
has asked to be painted by then is painted: all panes, and the inspector and the 3D view where it is
their turn. Off screen, so what a display server adds is not in it.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as in the program

import numpy as np
from PySide6.QtCore import QCoreApplication, QEvent, QEventLoop, QPointF, Qt, QTimer
from PySide6.QtGui import QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from benchmarks.machine import name_machine
from benchmarks.player_media import run_for
from benchmarks.simulated_body import Swaying, shipped_model
from pipeline.io.opening import create_project
from pipeline.io.project import Project
from pipeline.io.recording import recognise
from pipeline.kinematics.model import KinematicModel
from pipeline.synthesis.demo import make_demo
from simspine_viewer.main_window import MainWindow
from simspine_viewer.settings import Settings
from simspine_viewer.video_pane import VideoPane

DEFAULT = Path(__file__).resolve().parents[2] / "shared" / "data" / "balancing"
HERTZ = 60.0
LIMITS = {4: 16.0, 8: 33.0}  # ms at the 95th percentile, by the number of views
VIEW, NAME = 1, "LHip"


def opened(window: MainWindow, recording: Path, folder: Path) -> None:
    """Open a recording as a project in ``folder`` and wait for its first pictures."""
    path = folder / f"{recording.name}.simspine"
    create_project(recognise(recording), path, "benchmark").close()
    window.document.open(Project.open(path))
    while not window.settled() or window.jobs.running:
        run_for(20)


def send(pane: VideoPane, kind: QEvent.Type, at: QPointF, *, held: bool) -> None:
    """One mouse event, as a window system would send it."""
    left, none = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
    button = none if kind == QEvent.Type.MouseMove else left
    buttons, keys = left if held else none, Qt.KeyboardModifier.NoModifier
    event = QMouseEvent(kind, at, pane.mapToGlobal(at), button, buttons, keys)
    QApplication.sendEvent(pane, event)


def paint(window: MainWindow) -> None:
    """Paint now what would be painted as soon as the event loop has nothing else to do."""
    QCoreApplication.sendPostedEvents(window, QEvent.Type.UpdateRequest.value)


class Hand:
    """Drags a point in a circle, one event in each sixtieth of a second."""

    def __init__(self, window: MainWindow, events: int) -> None:
        self.window, self.events = window, events
        self.pane = window.grid.panes[VIEW]
        self.waited: list[float] = []
        self.worked: list[float] = []
        points = window.document.points_at(window.time.frame)
        keypoint = window.document.sequence.info.skeleton.index(NAME)
        self.start = QPointF(*self.pane.transform.to_widget(points.xy[VIEW, keypoint]))
        self.loop = QEventLoop()
        self.timer = QTimer()
        self.timer.setTimerType(Qt.TimerType.PreciseTimer)
        self.timer.setInterval(1)
        self.timer.timeout.connect(self.tick)
        self.done, self.began = 0, 0.0

    def drag(self) -> None:
        """Press, move ``events`` times, let go without an edit."""
        send(self.pane, QEvent.Type.MouseButtonPress, self.start, held=True)
        self.began = time.perf_counter() + 0.1
        self.timer.start()
        self.loop.exec()
        self.timer.stop()
        assert self.window.document.preview is not None, "nothing was dragged"
        QTest.keyClick(self.pane, Qt.Key.Key_Escape)
        send(self.pane, QEvent.Type.MouseButtonRelease, self.start, held=False)
        paint(self.window)

    def tick(self) -> None:
        """Send the newest event that is due; those before it are answered with it."""
        now = time.perf_counter()
        due = int((now - self.began) * HERTZ) + 1 if now >= self.began else 0
        if due <= self.done:
            return
        angle = 0.1 * due
        at = self.start + 20 * QPointF(np.cos(angle), np.sin(angle))
        before = self.window.document.preview
        send(self.pane, QEvent.Type.MouseMove, at, held=True)
        assert self.window.document.preview is not before or self.done < 1, "the move was put off"
        paint(self.window)
        painted = time.perf_counter()
        self.worked.append(1e3 * (painted - now))
        for number in range(self.done, due):
            self.waited.append(1e3 * (painted - self.began - number / HERTZ))
        self.done = due
        if self.done >= self.events:
            self.loop.quit()


def measured(window: MainWindow, events: int, model: KinematicModel | None) -> None:
    """Print a line with the 3D view hidden and one with it shown; ``model``: simulated too."""
    n_views = len(window.grid.panes)
    body = None if model is None else Swaying(window.document, model)
    for shown in (False, True):
        window.view3d.setVisible(shown)
        run_for(600)
        Hand(window, 30).drag()
        hand = Hand(window, events)
        run_for(300)
        hand.drag()
        median, late = np.percentile(hand.waited, [50, 95])
        print(
            f"{n_views} views, 3D {'on ' if shown else 'off'}, "
            f"{'without' if body is None else 'with'} a simulated body: median {median:5.1f} ms, "
            f"p95 {late:5.1f} ms (limit {LIMITS.get(n_views, 33.0):.0f}), "
            f"of which work {np.median(hand.worked):5.1f} ms; {len(hand.waited)} events",
            flush=True,
        )
    if body is not None:
        body.leave()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recording", nargs="?", type=Path, default=DEFAULT)
    parser.add_argument("--events", type=int, default=600)
    parser.add_argument("--size", default="1920x1080")
    args = parser.parse_args()
    name_machine()
    model = shipped_model()
    app = QApplication([])
    window = MainWindow(app, Settings())
    window.resize(*map(int, args.size.split("x")))
    window.show()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_demo(folder / "demo", n_frames=4, size=(1000, 1000), n_views=8, render=False)
        for recording in (args.recording, folder / "demo"):
            opened(window, recording, folder)
            measured(window, args.events, None)
            measured(window, args.events, model)
        window.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
