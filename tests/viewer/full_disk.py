"""Edits on a full disk, in a process of its own that no longer may write large files.

Usage: ``python -m tests.viewer.full_disk PROJECT``; prints what the window said, as JSON.
"""

from __future__ import annotations

import json
import resource
import sys
from pathlib import Path

import numpy as np
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMessageBox

from tests.viewer.window import (
    at_keypoint,
    distant_keypoint,
    drag,
    main_window,
    open_and_settle,
    settle,
)


def main() -> None:
    QApplication([])
    path = Path(sys.argv[1])
    log = path.with_name(path.name + "-wal")
    with main_window((1600, 900)) as window:
        open_and_settle(window, path)
        document, pane = window.document, window.grid.panes[0]
        keypoint = distant_keypoint(window, 0)
        start = at_keypoint(window, 0, keypoint)
        drag(pane, start, start + QPoint(20, 10))
        settle(window)
        before = document.points_at(0)
        edited = window.timeline.signals.edited.tolist()
        resource.setrlimit(resource.RLIMIT_FSIZE, (log.stat().st_size, resource.RLIM_INFINITY))
        start = at_keypoint(window, 0, keypoint)
        drag(pane, start, start + QPoint(-30, 25))
        boxes = [box for box in window.findChildren(QMessageBox) if box.isVisible()]
        said = [box.text() for box in boxes]
        now = document.points_at(0)
        np.testing.assert_array_equal(now.xy, before.xy)
        np.testing.assert_array_equal(now.xyz, before.xyz)
        assert document.preview is None
        assert document.history.position == 1
        assert window.timeline.signals.edited.tolist() == edited
        QTest.keyClick(boxes[0], Qt.Key.Key_Escape)
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        drag(pane, start, start + QPoint(-30, 25))
        assert document.history.position == 2, "with room again the window goes on"
        xy = document.points_at(0).xy[0, keypoint].tolist()
    print(json.dumps({"said": said, "keypoint": keypoint, "xy": xy}))


if __name__ == "__main__":
    main()
