"""``simspine refine``: a table, JSON, and one step in a project that can be undone."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from pipeline.cli.main import main
from pipeline.cli.output import Exit
from pipeline.data import edits
from pipeline.data.history import Place
from pipeline.io.opening import create_project
from pipeline.io.project import Project
from pipeline.io.recording import recognise
from pipeline.synthesis.demo import DemoRecording, make_demo
from tests.cli.helpers import Capture, said_one_sentence, tree
from tests.geometry.refining import disturbed


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("refine") / "walk"
    make_demo(folder, n_frames=40, size=(320, 320), n_views=3, render=False)
    path = folder.parent / "walk.simspine"
    with create_project(recognise(folder), path, "Ada") as project:
        wrong = disturbed(project.sequence.cameras, mm=60.0, degrees=2.0)
        project.commit("Disturb", edits.set_cameras(project.sequence, wrong), Place())
    return path


@pytest.fixture
def project(template: Path, tmp_path: Path) -> Path:
    return Path(shutil.copyfile(template, tmp_path / "walk.simspine"))


def _poses(path: Path) -> list[np.ndarray]:
    with Project.open(path, read_only=True) as project:
        return [np.column_stack([c.rotation, c.translation]) for c in project.sequence.cameras]


def test_it_tells_and_writes_nothing(project: Path, capsys: Capture) -> None:
    before = tree(project.parent)
    assert main(["refine", str(project)]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    lines = out.splitlines()
    with Project.open(project, read_only=True) as opened:
        names = opened.sequence.cameras.names
    for name in names:
        assert sum(line.startswith(f"  {name} ") for line in lines) == 1
    assert lines[-1] == "Accepted."
    assert tree(project.parent) == before


def test_apply_is_one_step_that_can_be_undone(project: Path, capsys: Capture) -> None:
    before = _poses(project)
    assert main(["refine", str(project), "--apply", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["applied"]
    assert told["accepted"]
    assert told["person"] == 1
    for now, found in zip(_poses(project), told["cameras"], strict=True):
        np.testing.assert_allclose(now[:, :3], found["rotation"], atol=1e-12)
        np.testing.assert_allclose(now[:, 3], found["translation"], atol=1e-12)
    with Project.open(project, author="Eve") as opened:
        assert opened.history.entries[-1].label == "Refine cameras"
        opened.undo()
    for now, was in zip(_poses(project), before, strict=True):
        np.testing.assert_array_equal(now, was)


def test_apply_needs_a_project(demo: DemoRecording, capsys: Capture) -> None:
    assert main(["refine", str(demo.folder), "--apply"]) == Exit.USAGE
    said_one_sentence(capsys, Exit.USAGE, "--apply", ".simspine")


def test_what_is_not_accepted_is_not_written(project: Path, capsys: Capture) -> None:
    with Project.open(project, author="Eve") as opened:
        opened.undo()  # the cameras stand where they should
    applied = _poses(project)
    assert main(["refine", str(project), "--apply"]) == Exit.FAILED
    streams = capsys.readouterr()
    assert "has to fall by more than 15%" in streams.out
    assert "Nothing was written" in streams.err
    for now, was in zip(_poses(project), applied, strict=True):
        np.testing.assert_array_equal(now, was)
