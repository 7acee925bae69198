"""The first half of a journey, run in a process of its own that then kills itself.

Usage: ``python -m tests.journeys.first_half RECORDING``. Prints what it did as one JSON line.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path

import numpy as np
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from tests.viewer.window import (
    at_keypoint,
    distant_keypoint,
    drag,
    main_window,
    open_and_settle,
    settle,
    wait_until,
)

VIEW = 1


def journey(recording: Path) -> dict[str, object]:
    """Open, scrub, drag in view 2, undo, redo; returns what should survive."""
    with main_window((1600, 900)) as window:
        open_and_settle(window, recording)
        timeline, time = window.timeline, window.time
        left = Qt.MouseButton.LeftButton
        y = timeline.height() // 2
        QTest.mousePress(timeline, left, pos=QPoint(round(timeline.x_of(1)), y))
        for frame in range(1, 8):
            QTest.mouseMove(timeline, QPoint(round(timeline.x_of(frame)), y), delay=10)
        QTest.mouseRelease(timeline, left, pos=QPoint(round(timeline.x_of(7)), y))
        assert time.frame == 7
        settle(window)
        assert all(pane.is_current for pane in window.grid.panes)

        document, pane = window.document, window.grid.panes[VIEW]
        keypoint = distant_keypoint(window, VIEW)
        before = document.points_at(7)
        start = at_keypoint(window, VIEW, keypoint)
        end = start + QPoint(24, -18)
        drag(pane, start, end, release=False)
        preview = document.preview
        assert preview is not None
        assert preview.keypoint == keypoint
        moved = np.linalg.norm(preview.reprojected - before.reprojected[:, keypoint], axis=-1)
        assert (moved[[v for v in range(len(moved)) if v != VIEW]] > 0.5).any(), moved
        assert not document.history.can_undo, "a preview writes nothing"
        QTest.mouseRelease(pane, left, pos=end)
        assert document.history.position == 1
        placed = document.points_at(7)
        assert placed.manual[VIEW, keypoint]
        others = [v for v in range(len(moved)) if v != VIEW]
        follow = np.linalg.norm(
            placed.reprojected[others, keypoint] - before.reprojected[others, keypoint], axis=-1
        )
        assert follow.max() > 0.5

        time.set_frame(0)
        QTest.keyClick(window, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
        assert time.frame == 7, "undo goes where it acts"
        restored = document.points_at(7)
        np.testing.assert_array_equal(restored.xy, before.xy)
        np.testing.assert_allclose(restored.xyz, before.xyz, atol=1e-4)
        QTest.keyClick(window, Qt.Key.Key_Y, Qt.KeyboardModifier.ControlModifier)
        wait_until(lambda: document.history.position == 1)
        again = document.points_at(7)
        np.testing.assert_array_equal(again.xy, placed.xy)
        assert document.project is not None
        report = {
            "project": str(document.project.path),
            "keypoint": keypoint,
            "xy": again.xy[VIEW, keypoint].tolist(),
            "xyz": again.xyz[keypoint].tolist(),
        }
        print(json.dumps(report), flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("still alive")


if __name__ == "__main__":
    application = QApplication([])
    journey(Path(sys.argv[1]))
