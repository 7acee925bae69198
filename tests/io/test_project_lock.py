"""A project open twice is refused by name; a killed program leaves no lock."""

from __future__ import annotations

import getpass
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipeline.data.errors import UserError
from pipeline.io import project_lock
from pipeline.io.project import Project
from pipeline.io.project_lock import ProjectLock
from tests.data.recordings import small_arrays, small_info

HOLD = """
import sys, time
from pathlib import Path
from pipeline.io.project_lock import ProjectLock
lock = ProjectLock(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.readline()
lock.release()
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "walk.simspine"
    Project.create(path, small_info(), author="Ada", recording={}, **small_arrays()).close()
    return path


def holder(path: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_a_project_open_in_another_process_is_refused_by_name(path: Path) -> None:
    with holder(path) as process:
        with pytest.raises(UserError) as caught:
            Project.open(path)
        message = str(caught.value)
        for part in (str(path), getpass.getuser(), socket.gethostname(), f"{process.pid}"):
            assert part in message
        assert time.strftime("since %Y-") in message
        Project.open(path, read_only=True).close()
        process.communicate("\n")
    Project.open(path).close()
    assert [entry.name for entry in path.parent.glob("walk*")] == [path.name]


@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_a_killed_process_leaves_no_lock(path: Path) -> None:
    with holder(path) as process:
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert path.with_name(path.name + ".lock").exists()
    Project.open(path).close()
    assert not path.with_name(path.name + ".lock").exists()


def test_the_same_file_by_another_name_is_the_same_project(path: Path) -> None:
    link = path.with_name("link.simspine")
    link.symlink_to(path)
    with Project.open(path), pytest.raises(UserError, match=r"walk\.simspine is already open"):
        Project.open(link)


def test_a_lock_text_not_yet_written(path: Path) -> None:
    with Project.open(path) as project:
        path.with_name(path.name + ".lock").write_bytes(b"")
        with pytest.raises(UserError, match="already open in another window"):
            Project.open(path)
        assert project.history.position == 0


def test_save_as_onto_an_open_project_is_refused(path: Path) -> None:
    other = path.with_name("other.simspine")
    Project.create(other, small_info(), author="Bob", recording={}, **small_arrays()).close()
    before = other.read_bytes()
    with Project.open(path) as project:
        with holder(other) as process:
            with pytest.raises(UserError, match=r"other\.simspine is already open"):
                project.save_as(other)
            process.communicate("\n")
        assert project.path == path
        assert other.read_bytes() == before


def test_a_lock_taken_over_while_it_is_being_removed(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its holder unlinks the file between our opening and locking it: we must not hold a ghost."""
    first = ProjectLock(path)
    lock = project_lock._lock

    def late(handle: int) -> bool:
        first.release()
        return lock(handle)

    monkeypatch.setattr(project_lock, "_lock", late)
    second = ProjectLock(path)
    monkeypatch.undo()
    with pytest.raises(UserError, match="already open"):
        ProjectLock(path)
    second.release()


def test_a_file_system_without_locks_opens_with_a_finding(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(project_lock, "_lock", lambda handle: False)
    with Project.open(path) as project:
        assert [finding.code for finding in project.findings] == ["lock-unavailable"]


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="needs a folder that takes no files")
def test_a_folder_that_takes_no_files(path: Path) -> None:
    with pytest.raises(UserError, match="takes no files"):
        ProjectLock(Path("/proc/self/walk.simspine"))
    with pytest.raises(UserError, match="takes no files"):
        Project.create(
            Path("/proc/self/walk.simspine"),
            small_info(),
            author="",
            recording={},
            **small_arrays(),
        )
    with Project.open(path) as project:
        with pytest.raises(UserError, match="takes no files"):
            project.save_as(Path("/proc/self/walk.simspine"))
        assert project.path == path
