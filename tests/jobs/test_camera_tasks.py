"""Refining cameras as a job: plain data that says all, nothing written, stopped when asked."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from pipeline.data import edits
from pipeline.data.history import Place
from pipeline.io.opening import create_project
from pipeline.io.project import Project
from pipeline.io.recording import recognise
from pipeline.jobs.messages import Cancelled, Done, Event, Failed, Job, Progress
from pipeline.jobs.runner import run_job
from pipeline.jobs.tasks import TASKS
from pipeline.synthesis.demo import make_demo
from tests.geometry.refining import disturbed


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A walk of 60 frames whose cameras are corrected to where they do not stand."""
    folder = tmp_path_factory.mktemp("refine") / "walk"
    make_demo(folder, n_frames=40, size=(320, 320), n_views=3, render=False)
    path = folder.parent / "walk.simspine"
    with create_project(recognise(folder), path, "Ada") as project:
        wrong = disturbed(project.sequence.cameras, mm=60.0, degrees=2.0)
        project.commit("Disturb", edits.set_cameras(project.sequence, wrong), Place())
    return path


def _run(project: Path, cancel_after: int = 10**9, track: int = 0) -> list[Event]:
    events: list[Event] = []
    job = Job(1, "refine_cameras", {"project": str(project), "track": track})
    for event in run_job(job, TASKS, lambda: len(events) >= cancel_after):
        events.append(event)
    return events


def test_the_result_says_what_would_change_and_changes_nothing(project: Path) -> None:
    before = project.read_bytes()
    *progress, done = _run(project)
    assert isinstance(done, Done)
    assert project.read_bytes() == before
    fractions = [event.fraction for event in progress if isinstance(event, Progress)]
    assert fractions == sorted(fractions)
    result = json.loads(json.dumps(done.result, allow_nan=False))
    assert result["accepted"], result["reason"]
    assert result["after"] < 0.85 * result["before"]
    assert 10 < len(result["frames"]) <= 40
    with Project.open(project, read_only=True) as opened:
        old = opened.sequence.cameras
    for camera, found in zip(old, result["cameras"], strict=True):
        rotation, translation = np.array(found["rotation"]), np.array(found["translation"])
        np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-12)
        moved = 1000 * np.linalg.norm(-rotation.T @ translation - camera.centre)
        assert found["moved_mm"] == pytest.approx(moved)
        assert found["verdict"] in ("clear", "weak", "none")
        assert found["offset"] == 0
        assert len(found["cost"]) == len(result["tried"])


@pytest.mark.parametrize("after", [3, 40])
def test_it_stops_between_two_steps(project: Path, after: int) -> None:
    events = _run(project, cancel_after=after)
    assert isinstance(events[-1], Cancelled)
    assert len(events) == after + 1


def test_somebody_who_is_not_there_is_refused_politely(project: Path) -> None:
    done = _run(project, track=7)[-1]
    assert isinstance(done, Done)
    assert not done.result["accepted"]
    assert "0 frames" in done.result["reason"]
    assert done.result["before"] is None
    assert {camera["verdict"] for camera in done.result["cameras"]} == {"none"}


def test_a_project_that_is_not_there_fails_in_one_sentence(tmp_path: Path) -> None:
    ending = _run(tmp_path / "no.simspine")[-1]
    assert isinstance(ending, Failed)
    assert "no.simspine" in ending.message


def test_cameras_out_of_step_are_to_be_synchronised_first(project: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copyfile(project, tmp_path / "late.simspine"))
    with Project.open(copy, author="Ada") as opened:
        opened.commit("Shift", edits.set_sync(opened.sequence, 1, -2.0, 0.0), Place())
    done = _run(copy)[-1]
    assert isinstance(done, Done)
    assert [camera["offset"] for camera in done.result["cameras"]] == [0, 2, 0]
    assert not done.result["accepted"]
    assert "out of step" in done.result["reason"]
    assert f"{done.result['cameras'][1]['name']} by +2 frames" in done.result["reason"]
