"""Whom the commands take without ``--person``, and what they say about a folder's project."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.cli.main import main
from pipeline.cli.output import ProgressBar
from pipeline.data import edits
from pipeline.data.history import Place
from pipeline.io.opening import create_project
from pipeline.io.project import Project, project_path_for
from pipeline.io.recording import recognise
from tests.cli.helpers import Capture
from tests.io.recordings import write_recording


@pytest.fixture
def two_people(tmp_path: Path, project: Path) -> Path:
    """The edited project, in which person 2 has a point in two views of frame 1."""
    with Project.open(project, author="Ada") as opened:
        for view in range(2):
            patches = edits.place_point(opened.sequence, 1, 1, view, 4, (50.0, 60.0))
            opened.commit("Place point", patches, Place())
    return project


def taken(path: Path, capsys: Capture, *options: str) -> str:
    out = path.parent / "out.csv"
    assert main(["export", str(path), "--format", "csv", "-o", str(out), *options]) == 0
    return capsys.readouterr().out.rstrip().rpartition(" of ")[2]


def test_the_person_picked_in_the_project_is_taken(two_people: Path, capsys: Capture) -> None:
    assert taken(two_people, capsys) == "person 1"
    with Project.open(two_people) as opened:
        opened.set_state("person", 1)
    assert taken(two_people, capsys) == "person 2"
    assert taken(two_people, capsys, "--person", "1") == "person 1"


@pytest.mark.parametrize("picked", [7, -1, "x", None, [1]])
def test_a_pick_that_does_not_exist_is_passed_over(
    two_people: Path, picked: object, capsys: Capture
) -> None:
    with Project.open(two_people) as opened:
        opened.set_state("person", picked)
    assert taken(two_people, capsys) == "person 1"


def test_a_pick_who_is_ignored_is_passed_over(two_people: Path, capsys: Capture) -> None:
    with Project.open(two_people) as opened:
        opened.set_state("person", 1)
        opened.commit("Ignore", edits.ignore_track(opened.sequence, 1, True), Place())
    assert taken(two_people, capsys) == "person 1"


def test_a_folder_with_a_project_says_so_in_one_line(tmp_path: Path, capsys: Capture) -> None:
    folder = write_recording(tmp_path / "hop")
    assert main(["info", str(folder)]) == 0
    assert capsys.readouterr().err == ""
    plan = recognise(folder)
    path = project_path_for(plan.root, plan.name)
    create_project(plan, path, "Ada").close()
    for arguments in (
        ["info", str(folder)],
        ["info", str(folder), "--json"],
        ["triangulate", str(folder), "-o", str(tmp_path / "a.trc")],
        ["export", str(folder), "--format", "csv", "-o", str(tmp_path / "a.csv")],
    ):
        assert main(arguments) == 0
        said = capsys.readouterr().err
        assert said == f"“hop” has a project with corrections: give {path} to use them.\n"
    assert main(["info", str(path)]) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("command", ["info", "triangulate"])
def test_reading_shows_each_video_and_each_view(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_recording(tmp_path / "hop")
    shown: list[str] = []
    monkeypatch.setattr(ProgressBar, "show", lambda bar, fraction, text="": shown.append(text))
    options = [] if command == "info" else ["-o", str(tmp_path / "a.trc")]
    assert main([command, str(folder), *options]) == 0
    for view in recognise(folder).views:
        assert view.video is not None
        assert view.detections is not None
        assert f"Reading {view.video.name}" in shown
        assert f"Reading “{view.detections.name}”" in shown
