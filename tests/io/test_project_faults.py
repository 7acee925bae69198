"""Killed programs and full disks cost at most the gesture under way."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.data import edits
from pipeline.data.errors import UserError
from pipeline.data.history import Place
from pipeline.io.project import Project
from tests.data.recordings import small_arrays, small_info
from tests.truth.killing import Killer, digest

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals and resource limits")


def test_killed_twenty_times(tmp_path: Path) -> None:
    with Killer(tmp_path) as killer:
        trials = [killer.trial(seed) for seed in range(20)]
    assert sum(trial.acknowledged for trial in trials) > 100  # they did die in the middle of work


FULL_DISK = """
import resource, sys
from pathlib import Path
import numpy as np
from pipeline.data.errors import UserError
from pipeline.data.history import Place
from pipeline.data import edits
from pipeline.io.project import Project
from tests.truth.killing import digest

def room(n):
    resource.setrlimit(resource.RLIMIT_FSIZE, (n, resource.RLIM_INFINITY))

path, rng = Path(sys.argv[1]), np.random.default_rng(0)
log = path.with_name(path.name + "-wal")
refused = 0
with Project.open(path) as project:
    sequence = project.sequence

    def place(frame):
        patches = edits.place_point(sequence, 0, frame, 1, 5, rng.uniform(0, 99, 2))
        project.commit("place", patches, Place())

    place(0)
    for extra in (0, 24, 4096, 5000, 9000):  # fails at the first, in a later or in a partial page
        before, position = digest(sequence), project.history.position
        stamps = (sequence.revision, sequence.stamps.newest_input("points3d", 0).tolist())
        room(log.stat().st_size + extra)
        for act in (lambda: place(270), project.undo):
            try:
                act()
            except UserError as error:
                refused += 1
                message = str(error)
                assert str(path) in message and "disk" in message, message
                assert digest(sequence) == before
                assert project.history.position == position
                assert (sequence.revision, sequence.stamps.newest_input("points3d", 0).tolist()
                        ) == stamps
            else:
                before, position = digest(sequence), project.history.position
                stamps = (sequence.revision, sequence.stamps.newest_input("points3d", 0).tolist())
        try:
            project.save_as(path.with_name("target.simspine"))
        except UserError as error:
            assert "target.simspine could not be written" in str(error), str(error)
        else:
            raise AssertionError("a copy larger than the limit was written")
        room(resource.RLIM_INFINITY)
        place(100 + extra % 97)
    print(refused, digest(sequence), project.history.position)
"""


def test_a_full_disk_loses_nothing(tmp_path: Path) -> None:
    path, target = tmp_path / "walk.simspine", tmp_path / "target.simspine"
    for name in (path, target):
        Project.create(name, small_info(), author="Ada", recording={}, **small_arrays()).close()
    before = target.read_bytes()
    result = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(path)],
        cwd=Path(__file__).resolve().parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    refused, expected, position = result.stdout.split()
    assert int(refused) >= 5
    with Project.open(path) as project:
        assert digest(project.sequence) == expected
        assert project.history.position == int(position)
    assert target.read_bytes() == before
    assert sorted(entry.name for entry in tmp_path.iterdir()) == [target.name, path.name]


def test_creating_on_a_full_disk_leaves_nothing(tmp_path: Path) -> None:
    script = """
import resource, sys
from pathlib import Path
from pipeline.data.errors import UserError
from pipeline.io.project import Project
from tests.data.recordings import small_arrays, small_info
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))
try:
    Project.create(Path(sys.argv[1]), small_info(), author="", recording={}, **small_arrays())
except UserError as error:
    print(error)
"""
    path = tmp_path / "walk.simspine"
    out = subprocess.run(
        [sys.executable, "-c", script, str(path)],
        cwd=Path(__file__).resolve().parents[2],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert out.startswith(f"{path} could not be created: ")
    assert list(tmp_path.iterdir()) == []


def test_a_failure_while_replacing_leaves_both_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, target = tmp_path / "walk.simspine", tmp_path / "target.simspine"
    target.write_bytes(b"precious")

    def refuse(source: object, destination: object) -> None:
        raise PermissionError(13, "Permission denied")

    with Project.create(
        path, small_info(), author="Ada", recording={}, **small_arrays()
    ) as project:
        with monkeypatch.context() as patched:
            patched.setattr("pipeline.io.project_sqlite.os.replace", refuse)
            with pytest.raises(
                UserError, match=r"target\.simspine could not be written: permission"
            ):
                project.save_as(target)
        assert target.read_bytes() == b"precious"
        assert project.path == path
        project.commit("P", edits.place_point(project.sequence, 0, 3, 1, 5, (1, 2)), Place())
    assert sorted(entry.name for entry in tmp_path.iterdir()) == [target.name, path.name]
