"""Training as a job: progress, an ending, going on."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.jobs.messages import Cancelled, Done, Event, Failed, File, Job, Progress
from pipeline.jobs.runner import run_job
from pipeline.jobs.tasks import TASKS

SETTINGS = """
[lifter]
steps = 4
clips = 4
frames = 9
width = 16
blocks = 1
validate_every = 2
validation_clips = 4
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.toml"
    path.write_text(SETTINGS)
    return path


def _job(config: Path, folder: Path, **more: object) -> Job:
    return Job(7, "train_lifter", {"config": str(config), "folder": str(folder), **more})


def _events(job: Job) -> list[Event]:
    return list(run_job(job, TASKS))


def test_a_training_tells_how_far_it_is_and_where_the_weights_are(
    config: Path, tmp_path: Path
) -> None:
    events = _events(_job(config, tmp_path / "made"))
    fractions = [e.fraction for e in events if isinstance(e, Progress)]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    assert "spine" in [e for e in events if isinstance(e, Progress)][-1].text
    (made,) = [e.path for e in events if isinstance(e, File)]
    assert made.is_file()
    ending = events[-1]
    assert isinstance(ending, Done)
    assert ending.result["step"] == ending.result["steps"] == 4
    assert ending.result["weights"] == str(made)


def test_a_training_goes_on_after_a_part(config: Path, tmp_path: Path) -> None:
    first = _events(_job(config, tmp_path / "made", steps=1))[-1]
    assert isinstance(first, Done)
    assert first.result["weights"] is None
    assert first.result["step"] == 1
    rest = _events(_job(config, tmp_path / "made"))
    assert isinstance(rest[-1], Done)
    assert rest[-1].result["step"] == 4
    again = _events(_job(config, tmp_path / "made"))[-1]
    assert isinstance(again, Done)
    assert again.result["weights"] == str(tmp_path / "made" / "lifter.pt")


def test_a_cancelled_training_keeps_what_it_has(config: Path, tmp_path: Path) -> None:
    count = iter([False, False, True])
    job = _job(config, tmp_path / "made")
    events = list(run_job(job, TASKS, lambda: next(count, True)))
    assert isinstance(events[-1], Cancelled)
    assert (tmp_path / "made" / "training.pt").is_file()
    assert isinstance(_events(job)[-1], Done)


def test_settings_that_make_no_sense_fail_in_one_sentence(config: Path, tmp_path: Path) -> None:
    config.write_text("[lifter]\nsteps = -1")
    ending = _events(_job(config, tmp_path / "made"))[-1]
    assert isinstance(ending, Failed)
    assert ending.message.endswith("steps must be a whole number from 1 on, not -1.")
    assert not (tmp_path / "made").exists()
