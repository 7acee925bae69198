"""The real program in a real window: started and closed again and again, leaving nothing behind."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.viewer.small import small_project

pytestmark = [
    pytest.mark.xvfb,
    pytest.mark.skipif(shutil.which("Xvfb") is None, reason="Xvfb is not installed"),
]

ROOT = Path(__file__).resolve().parents[2]
# What the platform says on a bare X server, whatever the program does.
HARMLESS = re.compile(
    r"propagateSizeHints|XDG_RUNTIME_DIR|libEGL|MESA|xkbcommon|Failed to create .*sessionbus"
    r"|^INFO ",
    re.IGNORECASE,
)
# Runs the program as `simspine-viewer` does, and closes the window after a moment by its own
# command, as Ctrl+Q would; with a job, one that takes long is still running then.
PROGRAM = """
import sys
from PySide6.QtCore import QTimer
from simspine_viewer import __main__ as program, main_window

moment, job = float(sys.argv[1]), sys.argv[2] == "job"
shown = main_window.MainWindow.showEvent

def showEvent(self, event):
    shown(self, event)
    QTimer.singleShot(round(1000 * moment), lambda: close(self))

def close(window):
    if moment > 1 and len(sys.argv) > 3 and not window.document.is_open:
        QTimer.singleShot(50, lambda: close(window))
        return
    if job:
        window.document.sequence.stamps.forget("points3d", window.document.person)
        window.planner.plan_now()
        assert window.jobs.running
    print(next((w.pid for w in window.jobs._workers.values()), 0), flush=True)
    window.close()

if __name__ == "__main__":
    main_window.MainWindow.showEvent = showEvent
    sys.exit(program.main(sys.argv[3:]))
"""


@pytest.fixture(scope="module")
def display() -> Iterator[str]:
    """A virtual screen of its own."""
    read, write = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(write), "-screen", "0", "1400x900x24", "-nolisten", "tcp"],
        pass_fds=[write],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(write)
    with os.fdopen(read) as pipe:
        number = pipe.readline().strip()
    assert number, "Xvfb did not start"
    yield f":{number}"
    server.send_signal(signal.SIGTERM)
    server.wait(10)


def _run(
    display: str, script: Path, moment: float, job: str, *arguments: str
) -> tuple[subprocess.CompletedProcess[str], set[int]]:
    """Run the program in a session of its own; what ended, and the processes it left."""
    environment = {k: v for k, v in os.environ.items() if k != "QT_QPA_PLATFORM"}
    environment |= {"DISPLAY": display, "PYTHONPATH": str(ROOT), "QT_QPA_PLATFORM": "xcb"}
    process = subprocess.Popen(
        [sys.executable, str(script), str(moment), job, *arguments],
        env=environment,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    out, err = process.communicate(timeout=120)
    done = subprocess.CompletedProcess(process.args, process.returncode, out, err)
    deadline = time.monotonic() + 5
    while (left := _session(process.pid)) and time.monotonic() < deadline:
        time.sleep(0.05)
    return done, left


def _session(leader: int) -> set[int]:
    """Living processes of a session, by /proc."""
    found = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
            except (FileNotFoundError, ProcessLookupError):
                continue
            if int(fields[3]) == leader and fields[0] != "Z":
                found.add(int(entry.name))
    return found


def _assert_clean(done: subprocess.CompletedProcess[str], left: set[int]) -> None:
    noise = [line for line in done.stderr.splitlines() if not HARMLESS.search(line)]
    assert not noise, "\n".join(noise)
    assert done.returncode == 0, (done.returncode, done.stderr[-3000:])
    assert left == set(), "processes are left"


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "program.py"
    path.write_text(PROGRAM)
    return path


def test_empty(display: str, script: Path) -> None:
    for moment in (0.0, 0.01, 0.05, 0.2, 0.3, 0.4, 0.5):
        done, left = _run(display, script, moment, "none")
        _assert_clean(done, left)


def test_with_a_recording(display: str, script: Path, tmp_path: Path) -> None:
    path = small_project(tmp_path)
    for moment in (0.0, 0.1, 0.4, 1.2, 1.5, 2.0, 1.1):
        done, left = _run(display, script, moment, "none", str(path))
        _assert_clean(done, left)
        assert sorted(p.name for p in path.parent.glob("*.simspine*")) == [path.name]


def test_with_a_job_running(display: str, script: Path, tmp_path: Path) -> None:
    path = small_project(tmp_path)
    for moment in (1.1, 1.2, 1.4, 1.6, 1.8, 2.0):
        done, left = _run(display, script, moment, "job", str(path))
        _assert_clean(done, left)
        assert int(done.stdout.split()[-1]) > 0, "the worker ran"
        assert sorted(p.name for p in path.parent.glob("*.simspine*")) == [path.name]
