"""How long one step of a drag takes: solve, then paint what it changed, on a real recording.

What is painted is what Qt has been asked for by then: all panes and the inspector, each once. (A
``repaint()`` of each pane in turn would paint seven panes, as the first one brings all others up to
date already.)

Usage: ``python benchmarks/drag.py [RECORDING] [--events 600]``. Runs off screen, so what a display
server adds is not in it. The same panes painted again without a drag are timed in the same run, so
that the cost of the drag itself can be told from the cost of painting.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from pipeline.io.opening import create_project
from pipeline.io.project import Project
from pipeline.io.recording import recognise
from simspine_viewer.main_window import MainWindow
from simspine_viewer.settings import Settings

DEFAULT = Path(__file__).resolve().parents[2] / "shared" / "data" / "balancing"
LIMIT_MS = 16.0  # one frame of a 60 Hz display


def opened(window: MainWindow, recording: Path, folder: Path) -> None:
    """Open a recording as a project in ``folder`` and wait for its first pictures."""
    path = folder / "benchmark.simspine"
    create_project(recognise(recording), path, "benchmark").close()
    window.document.open(Project.open(path))
    while not window.settled() or window.jobs.running:
        QTest.qWait(20)


def paint(window: MainWindow) -> None:
    """Paint now what would be painted as soon as the event loop has nothing else to do."""
    QCoreApplication.sendPostedEvents(window, QEvent.Type.UpdateRequest.value)


def timed(window: MainWindow, events: int) -> tuple[np.ndarray, np.ndarray]:
    """Milliseconds of each drag step with painting, and of painting alone, interleaved."""
    points = window.document.points_at(window.time.frame)
    view, keypoint = 1, window.document.sequence.info.skeleton.index("LHip")
    window.selection.set(keypoint, view)
    start = points.xy[view, keypoint]
    dragging, painting = np.empty(events), np.empty(events)
    for i in range(events):
        angle = 0.1 * i
        xy = start + 20 * np.array([np.cos(angle), np.sin(angle)])
        began = time.perf_counter()
        window.editor.drag_in_view(view, keypoint, xy)
        paint(window)
        dragging[i] = time.perf_counter() - began
        began = time.perf_counter()
        for pane in window.grid.panes:
            pane.update()
        paint(window)
        painting[i] = time.perf_counter() - began
    window.editor.cancel()
    return 1e3 * dragging, 1e3 * painting


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recording", nargs="?", type=Path, default=DEFAULT)
    parser.add_argument("--events", type=int, default=600)
    args = parser.parse_args()
    app = QApplication([])
    window = MainWindow(app, Settings())
    window.resize(1920, 1080)
    window.show()
    with tempfile.TemporaryDirectory() as folder:
        opened(window, args.recording, Path(folder))
        dragging, painting = timed(window, args.events)
        print(f"{len(window.grid.panes)} views, {args.events} events, 1920x1080, off screen")
        for name, values in (("drag step + painting", dragging), ("painting alone", painting)):
            median, late = np.percentile(values, [50, 95])
            print(f"  {name:21s} median {median:6.1f} ms   p95 {late:6.1f} ms")
        print(f"  one frame of a 60 Hz display is {LIMIT_MS:.0f} ms")
        window.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
