"""Training as a job: progress, an ending, going on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline.data.skeleton import project_skeleton
from pipeline.io.picture_set import annotation, image_entry, write_annotations, write_picture
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


DETECTOR = """
[detector]
steps = 2
batch = 2
width = 4
features = 8
validate_every = 1
half = false
pictures = 2
validation_pictures = 2
"""


def picture_set(folder: Path, count: int = 6) -> Path:
    """A set of grey pictures whose points mean nothing."""
    rng = np.random.default_rng(0)
    images, annotations = [], []
    for i in range(1, count + 1):
        picture = rng.integers(0, 256, (90, 70, 3)).astype(np.uint8)
        write_picture(folder / f"{i}.jpg", picture)
        xy = rng.uniform(5, 65, (len(project_skeleton()), 2))
        images.append(image_entry(i, f"{i}.jpg", picture))
        annotations.append(annotation(i, xy, np.full(len(xy), 2)))
    write_annotations(folder, project_skeleton(), images, annotations, {})
    return folder


def test_a_detector_is_taught_with_pictures_that_are_given(tmp_path: Path) -> None:
    config = tmp_path / "tiny.toml"
    config.write_text(DETECTOR)
    args = {
        "config": str(config),
        "folder": str(tmp_path / "made"),
        "pictures": str(picture_set(tmp_path / "set")),
        "device": "cpu",
    }
    events = _events(Job(1, "train_detector", args))
    ending = events[-1]
    assert isinstance(ending, Done)
    assert ending.result["step"] == 2
    assert ending.result["error_px"] > 0.0
    assert "AUC" in [e for e in events if isinstance(e, Progress)][-1].text
    (made,) = [e.path for e in events if isinstance(e, File)]
    assert made == tmp_path / "made" / "detector.pt"
    (tmp_path / "set" / "1.jpg").unlink()
    again = _events(Job(2, "train_detector", {**args, "folder": str(tmp_path / "other")}))[-1]
    assert isinstance(again, Failed)
    assert again.message.endswith("1.jpg cannot be read: No such file or directory.")


def test_a_detector_is_taught_with_drawn_pictures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipeline.synthesis import picture_sets

    asked = []

    def drawn(folder: Path, seed: int, pictures: int, *, processes: int) -> list[float]:
        asked.append((folder.name, pictures))
        picture_set(folder, pictures)
        return [0.5, 1.0]

    monkeypatch.setattr(picture_sets, "draw_set", drawn)
    config = tmp_path / "tiny.toml"
    config.write_text(DETECTOR)
    args = {"config": str(config), "folder": str(tmp_path / "made"), "device": "cpu"}
    events = _events(Job(1, "train_detector", args))
    assert isinstance(events[-1], Done)
    assert asked == [("teach", 2), ("validate", 2)]
    fractions = [e.fraction for e in events if isinstance(e, Progress)]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
