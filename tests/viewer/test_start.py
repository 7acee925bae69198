"""What is put off at the program's start, so that the window is there at once."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from PySide6.QtWidgets import QWidget

from simspine_viewer.first_paint import AfterFirstPaint

pytestmark = pytest.mark.gui

# None of these is needed to paint the first window; together they take longer than all the rest.
LATER = ("scipy", "vtkmodules", "av", "cv2", "pyqtgraph")


def test_the_window_is_imported_without_what_only_recordings_need() -> None:
    code = (
        "import json, sys, simspine_viewer.__main__, simspine_viewer.main_window\n"
        "print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    loaded = set(json.loads(done.stdout.splitlines()[-1]))
    assert "PySide6" in loaded
    assert not loaded & set(LATER)


def test_work_waits_for_the_first_paint_and_is_done_once(qtbot) -> None:  # type: ignore[no-untyped-def]
    happened: list[str] = []

    class Painted(QWidget):
        def paintEvent(self, _event) -> None:  # type: ignore[no-untyped-def]
            happened.append("painted")

    window = Painted()
    qtbot.addWidget(window)
    AfterFirstPaint(window, lambda: happened.append("called"))
    window.show()
    qtbot.waitUntil(lambda: "called" in happened)
    window.repaint()
    qtbot.wait(30)
    assert happened[0] == "painted"
    assert happened.count("called") == 1


def test_a_window_that_is_not_painted_does_not_hold_work_up(qtbot) -> None:  # type: ignore[no-untyped-def]
    happened: list[str] = []
    window = QWidget()
    qtbot.addWidget(window)
    AfterFirstPaint(window, lambda: happened.append("called"))
    qtbot.waitUntil(lambda: happened == ["called"])
