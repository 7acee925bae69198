"""A program that is killed is noticed at the next start, with its project and its report."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from pipeline.data.errors import UserError
from simspine_viewer.crash_guard import CrashGuard, state_folder
from simspine_viewer.diagnostics_dialog import DiagnosticsDialog
from simspine_viewer.recovery import Recovery
from tests.viewer.small import small_project
from tests.viewer.window import main_window, open_and_settle, settle, wait_until

pytestmark = pytest.mark.gui

ROOT = Path(__file__).resolve().parents[2]
GUARDED = """
import sys, threading
from simspine_viewer.crash_guard import CrashGuard
guard = CrashGuard()
guard.begin()
guard.set_project({project!r})
{then}
"""


def _run(then: str, project: str = "") -> subprocess.CompletedProcess[str]:
    code = GUARDED.format(project=project, then=then)
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60,
        cwd=ROOT,
    )  # fmt: skip


def test_an_orderly_end_leaves_nothing(tmp_path: Path) -> None:
    assert _run("guard.end()").returncode == 0
    assert list(state_folder().iterdir()) == []
    assert CrashGuard().crashes() == []


def test_a_crash_in_c_leaves_where_it_was(tmp_path: Path) -> None:
    project = tmp_path / "walk.simspine"
    project.touch()
    done = _run("import ctypes; ctypes.string_at(0)", str(project))
    assert done.returncode == -signal.SIGSEGV
    (crash,) = CrashGuard().crashes()
    assert crash.project == project
    assert "Segmentation fault" in crash.report
    assert "string_at" in crash.report
    assert crash.saved_until == pytest.approx(project.stat().st_mtime)
    assert CrashGuard().crashes() == [], "it is told once"


def test_an_error_writes_a_report_and_the_program_goes_on() -> None:
    done = _run(
        "guard.on_error = lambda text: print('said', text.splitlines()[-1])\n"
        "t = threading.Thread(target=lambda: 1 / 0); t.start(); t.join()\n"
        "print('still here'); guard.end()"
    )
    assert "said ZeroDivisionError: division by zero" in done.stdout
    assert "still here" in done.stdout
    (report,) = state_folder().glob("report-*.txt")
    assert "ZeroDivisionError" in report.read_text()


def test_what_a_person_can_understand_is_a_sentence_and_no_report() -> None:
    done = _run(
        "from pipeline.data.errors import UserError\n"
        "guard.on_error = lambda text: print('crash')\n"
        "guard.on_sentence = lambda text: print('said', text)\n"
        "def read(): raise UserError('walk.simspine is damaged.')\n"
        "t = threading.Thread(target=read); t.start(); t.join()\n"
        "print('still here'); guard.end()"
    )
    assert done.stdout.splitlines() == ["said walk.simspine is damaged.", "still here"]
    assert list(state_folder().glob("report-*.txt")) == []


def test_the_window_says_such_a_sentence_once_for_each_project(qtbot, tmp_path: Path) -> None:
    guard = CrashGuard(tmp_path / "state")
    with main_window() as window:
        Recovery(window, guard)
        for name in ("a", "b"):
            open_and_settle(window, small_project(tmp_path / name))
            for sentence in ("Part 3 is damaged.", "Part 4 is damaged.", "Part 3 is damaged."):
                guard._unexpected(UserError, UserError(sentence), None)
            shown = window.toasts.shown
            assert [toast.label.text() for toast in shown] == [
                "Part 3 is damaged.", "Part 4 is damaged.",
            ]  # fmt: skip
            for toast in shown:
                QTest.mouseClick(toast.buttons["Dismiss"], Qt.MouseButton.LeftButton)
    assert not list((tmp_path / "state").glob("report-*.txt"))


def test_a_damaged_session_is_told_all_the_same(tmp_path: Path) -> None:
    for number, text in enumerate(("", "[]", '{"began": "soon", "project": 3}')):
        (tmp_path / f"session-{number}.json").write_text(text)
    crashes = CrashGuard(tmp_path).crashes()
    assert len(crashes) == 3
    assert all(crash.project is None and crash.saved_until == 0 for crash in crashes)
    assert list(tmp_path.iterdir()) == []


def test_a_session_that_runs_is_no_crash(tmp_path: Path) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", GUARDED.format(project="", then="print(1, flush=True); input()")],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT,
    )  # fmt: skip
    assert child.stdout is not None
    assert child.stdout.readline()
    assert CrashGuard().crashes() == []
    child.kill()
    child.communicate()
    assert len(CrashGuard().crashes()) == 1


def test_a_killed_program_is_offered_again(qtbot, tmp_path: Path) -> None:
    path = small_project(tmp_path)
    program = subprocess.Popen(
        [sys.executable, "-m", "simspine_viewer", str(path)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=ROOT, start_new_session=True,
    )  # fmt: skip
    deadline = time.monotonic() + 120
    while not any(str(path) in s.read_text() for s in state_folder().glob("session-*.json")):
        assert program.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.1)
    os.killpg(program.pid, signal.SIGKILL)
    program.wait()
    with main_window() as window:
        recovery = Recovery(window, CrashGuard())
        recovery.offer()
        (toast,) = window.toasts.shown
        assert "ended unexpectedly" in toast.label.text()
        assert f"is saved in {path.name}" in toast.label.text()
        QTest.mouseClick(toast.buttons["Reopen Project"], Qt.MouseButton.LeftButton)
        wait_until(lambda: window.document.is_open)
        settle(window)
        assert window.document.project is not None
        assert window.document.project.path == path
        assert window.toasts.shown == []
        recovery.offer()
        assert window.toasts.shown == [], "it is told once"


def test_an_error_in_the_window_is_said_once(qtbot) -> None:
    with main_window() as window:
        guard = CrashGuard()
        Recovery(window, guard)
        assert guard.on_error is not None
        for _ in range(3):
            guard.on_error("Traceback\nZeroDivisionError: 7")
        (toast,) = window.toasts.shown
        assert "Your edits are safe" in toast.label.text()
        QTest.mouseClick(toast.buttons["Show Report"], Qt.MouseButton.LeftButton)
        (dialog,) = window.findChildren(DiagnosticsDialog)
        assert "ZeroDivisionError: 7" in dialog.text.toPlainText()
        dialog.close()
