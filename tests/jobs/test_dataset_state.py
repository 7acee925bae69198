"""What counts as finished, and what makes it out of date."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.io.opening import create_project
from pipeline.io.recording import recognise
from tests.io.recordings import write_recording


@pytest.fixture
def state_of(tmp_path: Path):  # type: ignore[no-untyped-def]
    from pipeline.jobs import dataset_state

    (tmp_path / "labels.trc").write_text("labels")
    state = dataset_state.SequenceState("a", "b", 12, 3.5, None, ("poor fit",), {"labels.trc": 6})
    dataset_state.write_state(tmp_path, state)
    return dataset_state, state


def test_a_state_comes_back(state_of, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    module, state = state_of
    assert module.read_state(tmp_path) == state
    assert module.is_result(tmp_path)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 1}', '{"format": 99}'])
def test_a_state_that_is_none_is_no_state(state_of, text: str, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    module, _ = state_of
    (tmp_path / "sequence.json").write_text(text)
    assert module.read_state(tmp_path) is None


def test_a_lost_or_cut_file_is_done_again(state_of, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    module, _ = state_of
    (tmp_path / "labels.trc").write_text("lab")
    assert module.read_state(tmp_path) is None
    (tmp_path / "labels.trc").unlink()
    assert module.read_state(tmp_path) is None


def test_changed_inputs_have_another_stamp(tmp_path: Path) -> None:
    from pipeline.jobs.dataset_state import input_stamp

    folder = write_recording(tmp_path / "walk")
    first = input_stamp(folder)
    assert input_stamp(folder) == first
    (folder / "notes.txt").write_text("nothing that is read")
    assert input_stamp(folder) == first
    detections = next((folder / "pose").rglob("*.json"))
    told = json.loads(detections.read_text())
    detections.write_text(json.dumps(told, indent=2))
    second = input_stamp(folder)
    assert second != first
    calibration = next(folder.rglob("*.toml"))
    os.utime(calibration, ns=(1, 1))
    assert input_stamp(folder) not in {first, second}

    project = tmp_path / "walk.simspine"
    create_project(recognise(folder), project, "Ada").close()
    before = input_stamp(project)
    os.utime(project, ns=(1, 1))
    assert input_stamp(project) != before


def test_options_count_and_threads_do_not() -> None:
    from pipeline.jobs.dataset_state import options_stamp
    from pipeline.jobs.simulation_plan import SimulationPlan

    plan = SimulationPlan()
    assert options_stamp(replace(plan, threads=7)) == options_stamp(plan)
    assert options_stamp(replace(plan, spine="extended")) != options_stamp(plan)
    assert options_stamp(replace(plan, height=1.7)) != options_stamp(plan)
