"""The tasks themselves, run as functions and once each way through a real worker."""

from __future__ import annotations

import functools
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.data.errors import UserError
from pipeline.data.patch import Patch
from pipeline.data.sequence import Sequence
from pipeline.geometry.fuse import solve_fused, track_lengths
from pipeline.geometry.reconstruct import solve_points3d
from pipeline.io.export import FORMATS
from pipeline.io.opening import open_in_memory
from pipeline.io.project import Project
from pipeline.io.recording import recognise
from pipeline.jobs import solve_tasks
from pipeline.jobs.messages import Cancelled, Done, Event, Failed, File, Job, Partial, Progress
from pipeline.jobs.runner import run_job
from pipeline.jobs.spawn import WorkerProcess
from pipeline.jobs.tasks import TASKS
from pipeline.synthesis import demo as synthesis_demo
from pipeline.synthesis.demo import make_demo

N_FRAMES = 10
small_demo = functools.partial(make_demo, n_frames=N_FRAMES, size=(320, 320), render=False)


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_demo(tmp_path_factory.mktemp("recordings") / "walk").folder


@pytest.fixture(scope="module")
def project(recording: Path) -> Path:
    path = recording.parent / "walk.simspine"
    _done("import_recording", plan=recognise(recording), project=str(path), author="Ada")
    return path


def _run(task: str, cancel_after: int = 10**9, **args: Any) -> list[Event]:
    """Events of a job that is cancelled after so many of them."""
    events: list[Event] = []
    for event in run_job(Job(1, task, args), TASKS, lambda: len(events) >= cancel_after):
        events.append(event)
    return events


def _done(task: str, **args: Any) -> list[Event]:
    events = _run(task, **args)
    assert isinstance(events[-1], Done), events[-1]
    return events


def _files(events: list[Event]) -> list[Path]:
    return [event.path for event in events if isinstance(event, File)]


def _solved(sequence: Sequence) -> np.ndarray:
    for patch in solve_points3d(sequence, 0, np.arange(N_FRAMES)):
        sequence.apply(patch)
    return sequence.read("points3d.xyz", track=0)


def test_an_import_makes_the_project_of_a_folder(project: Path, recording: Path) -> None:
    read, _ = open_in_memory(recording)
    with Project.open(project, read_only=True) as opened:
        for layer in ("instances2d.xy", "instances2d.score", "assignment.track"):
            np.testing.assert_array_equal(opened.sequence.read(layer), read.read(layer))


def test_an_import_says_what_it_made(recording: Path, tmp_path: Path) -> None:
    path = tmp_path / "walk.simspine"
    events = _done("import_recording", plan=recognise(recording), project=str(path), author="")
    assert _files(events) == [path]
    fractions = [event.fraction for event in events if isinstance(event, Progress)]
    assert len(fractions) >= 2
    assert fractions == sorted(fractions)


@pytest.mark.parametrize("cancel_after", [1, 2])
def test_a_cancelled_import_leaves_nothing(
    cancel_after: int, recording: Path, tmp_path: Path
) -> None:
    args = {"plan": recognise(recording), "project": str(tmp_path / "w.simspine"), "author": ""}
    assert _run("import_recording", cancel_after, **args)[-1] == Cancelled(1)
    assert list(tmp_path.glob("*.simspine*")) == []


def test_an_import_never_removes_a_project_that_was_there(project: Path, recording: Path) -> None:
    before = project.read_bytes()
    args = {"plan": recognise(recording), "project": str(project), "author": ""}
    for cancel_after in (1, 2, 100):
        _run("import_recording", cancel_after, **args)
        assert project.read_bytes() == before
    ending = _run("import_recording", **args)[-1]
    assert isinstance(ending, Failed)
    assert str(project) in ending.message


def test_triangulation_solves_the_frames_asked_for_in_their_order(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(solve_tasks, "BLOCK", 3)
    ranges = np.array([(5, 9), (2, 5)])
    events = _done("triangulate", project=str(project), track=0, ranges=ranges)
    partials = [event for event in events if isinstance(event, Partial)]
    assert [partial.frames.tolist() for partial in partials] == [[5, 6, 7], [8], [2, 3, 4]]
    progress = [event.fraction for event in events if isinstance(event, Progress)]
    np.testing.assert_allclose(progress, [3 / 7, 4 / 7, 1])
    assert events[-1] == Done(1, {"frames": 7})
    with Project.open(project, read_only=True) as opened:
        landed, expected = opened.sequence, open_in_memory(project)[0]
    for partial in partials:
        landed.land(partial.patches, partial.frames, landed.revision)
    assert np.flatnonzero(landed.stamps.stale("points3d", 0)).tolist() == [0, 1, 9]
    found = landed.read("points3d.xyz", track=0)
    # A point's iterations end with those of the points that it is solved with.
    np.testing.assert_allclose(found[2:9], _solved(expected)[2:9], atol=1e-5)
    assert np.isfinite(found[2:9]).any()
    assert not np.isfinite(found[[0, 1, 9]]).any()


def test_a_part_that_cannot_be_read_stops_no_other(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def solve(sequence: Sequence, track: int, frames: np.ndarray) -> tuple[Patch, ...]:
        if 4 in frames:
            raise UserError("walk.simspine is damaged: part 1.")
        return solve_points3d(sequence, track, frames)

    monkeypatch.setattr(solve_tasks, "BLOCK", 3)
    monkeypatch.setattr(solve_tasks, "solve_points3d", solve)
    ranges = np.array([(0, N_FRAMES)])
    events = _run("triangulate", project=str(project), track=0, ranges=ranges)
    partials = [event.frames.tolist() for event in events if isinstance(event, Partial)]
    assert partials == [[0, 1, 2], [6, 7, 8], [9]]
    assert events[-1] == Failed(1, "walk.simspine is damaged: part 1.")


@pytest.mark.parametrize("task", ["triangulate", "fuse"])
def test_solving_no_frames_is_done(task: str, project: Path) -> None:
    nothing = np.zeros((0, 2), np.intp)
    assert _done(task, project=str(project), track=0, ranges=nothing) == [Done(1, {"frames": 0})]


def test_fusing_gives_what_the_whole_track_gives(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(solve_tasks, "FUSED_BLOCK", 4)
    events = _done("fuse", project=str(project), track=0, ranges=np.array([(5, 10), (0, 5)]))
    partials = [event for event in events if isinstance(event, Partial)]
    assert [len(partial.frames) for partial in partials] == [4, 1, 4, 1]
    sequence, _ = open_in_memory(project)
    lengths = track_lengths(sequence, 0).length
    for partial in partials:
        assert partial.lengths is not None
        np.testing.assert_array_equal(partial.lengths.length, lengths)
    for partial in partials:
        sequence.land(partial.patches, partial.frames, sequence.revision)
    assert not sequence.stamps.stale("fused", 0).any()
    whole = {patch.layer: patch.new for patch in solve_fused(sequence, 0, np.arange(N_FRAMES))}
    found = sequence.read("fused.xyz", track=0).reshape(-1, 3)
    np.testing.assert_allclose(found, whole["fused.xyz"], atol=1e-5)
    assert np.isfinite(found).any()


@pytest.mark.parametrize("name", FORMATS)
def test_an_export_is_written_whole_or_not_at_all(name: str, project: Path, tmp_path: Path) -> None:
    args = {"project": str(project), "track": 0, "format": name, "out": str(tmp_path / "out")}
    assert _run("export", 1, **args)[-1] == Cancelled(1)
    assert not (tmp_path / "out").exists()
    assert not [path for path in tmp_path.iterdir() if "out" in path.name]
    events = _done("export", **args)
    assert _files(events) == [tmp_path / "out"]
    assert (tmp_path / "out").exists()


def test_an_export_takes_a_range_of_frames(project: Path, tmp_path: Path) -> None:
    out = tmp_path / "walk.trc"
    args = {"project": str(project), "track": 0, "format": "trc", "out": str(out)}
    _done("export", frames=(2, 5), **args)
    rows = [line.split("\t")[0] for line in out.read_text().splitlines()[5:]]
    assert rows == ["3", "4", "5"]  # TRC counts from 1


@pytest.mark.parametrize(
    ("task", "args"),
    [
        ("export", {"track": 0, "format": "trc", "out": "x.trc"}),
        ("triangulate", {"track": 0, "ranges": [(0, 1)]}),
        ("fuse", {"track": 0, "ranges": [(0, 1)]}),
    ],
)
def test_a_project_that_is_not_there_is_named(
    task: str, args: dict[str, Any], tmp_path: Path
) -> None:
    path = tmp_path / "gone.simspine"
    ending = _run(task, project=str(path), **args)[-1]
    assert isinstance(ending, Failed)
    assert str(path) in ending.message
    assert ending.detail == ""


def test_a_demo_is_made_and_tells_how_far_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(synthesis_demo, "make_demo", small_demo)
    events = _done("demo", folder=str(tmp_path / "demo"))
    assert _files(events) == [tmp_path / "demo"]
    fractions = [event.fraction for event in events if isinstance(event, Progress)]
    assert len(fractions) >= N_FRAMES
    assert fractions == sorted(fractions)
    assert recognise(tmp_path / "demo").calibration is not None


def test_somebody_is_rendered_as_asked_for(tmp_path: Path) -> None:
    options = {"n_views": 2, "n_frames": 3, "size": (64, 48), "render": False}
    folder = tmp_path / "walk"
    events = _done("render", folder=str(folder), motion="walking", options=options)
    assert _files(events) == [folder]
    assert len(list((folder / "videos").iterdir())) == 2
    assert recognise(folder).calibration is not None


@pytest.mark.parametrize("cancel_after", [1, 5])
def test_a_cancelled_demo_leaves_no_half_folder(
    cancel_after: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # So long that it cannot be complete before the request is heard.
    endless = functools.partial(small_demo, n_frames=400)
    monkeypatch.setattr(synthesis_demo, "make_demo", endless)
    assert _run("demo", cancel_after, folder=str(tmp_path / "demo"))[-1] == Cancelled(1)
    assert not [path for path in tmp_path.iterdir() if "demo" in path.name]


@pytest.mark.worker
def test_a_worker_runs_them_for_the_window(project: Path, recording: Path, tmp_path: Path) -> None:
    worker = WorkerProcess("test")
    copy, out = tmp_path / "copy.simspine", tmp_path / "walk.trc"
    plan = recognise(recording)
    ranges = np.array([(0, N_FRAMES)])
    worker.submit(Job(1, "import_recording", {"plan": plan, "project": str(copy), "author": "Ada"}))
    worker.submit(Job(2, "triangulate", {"project": str(project), "track": 0, "ranges": ranges}))
    args = {"project": str(project), "track": 0, "format": "trc", "out": str(out)}
    worker.submit(Job(3, "export", args))
    events: list[Event] = []
    end = time.monotonic() + 60
    while len([event for event in events if isinstance(event, (Done, Failed))]) < 3:
        assert time.monotonic() < end, events
        time.sleep(0.02)
        events += worker.poll()
    worker.close()
    assert [event.job_id for event in events if isinstance(event, Done)] == [1, 2, 3]
    assert _files(events) == [copy, out]
    (partial,) = [event for event in events if isinstance(event, Partial)]
    sequence, _ = open_in_memory(project)
    sequence.land(partial.patches, partial.frames, sequence.revision)
    np.testing.assert_array_equal(
        sequence.read("points3d.xyz", track=0), _solved(open_in_memory(project)[0])
    )
