"""The planner keeps 3D up to date: once it is quiet, near the cursor first, only what is stale."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QTimer

from pipeline.data import edits
from pipeline.data.history import Place
from pipeline.data.source import Source
from pipeline.geometry import fuse
from pipeline.geometry.fuse import solve_fused, track_lengths
from pipeline.geometry.reconstruct import solve_points3d
from pipeline.geometry.track_limbs import SAME_LENGTH, LimbLengths
from pipeline.jobs.messages import Cancelled, Done, Event, Failed, Job, Partial
from simspine_viewer import job_planner
from simspine_viewer.job_manager import JobManager
from simspine_viewer.job_planner import JobPlanner
from simspine_viewer.simulations import Simulations
from tests.viewer.fakes import ANNOTATED, BYSTANDER, Bench, make_sequence, open_bench
from tests.viewer.small import small_project
from tests.viewer.window import main_window, open_and_settle, settle, wait_until

pytestmark = pytest.mark.gui


class FakeWorker:
    """Keeps the jobs it is given; the test says what comes of them."""

    def __init__(self) -> None:
        self.jobs: list[Job] = []
        self.events: list[Event] = []
        self.cancelled: list[int] = []

    def start(self) -> None: ...

    def submit(self, job: Job) -> None:
        self.jobs.append(job)

    def cancel(self, job_id: int) -> None:
        self.cancelled.append(job_id)

    def poll(self) -> list[Event]:
        events, self.events = self.events, []
        return events

    def close(self) -> None: ...

    def say(self, *events: Event) -> None:
        self.events += events
        wait_until(lambda: not self.events)


@pytest.fixture
def worker() -> FakeWorker:
    return FakeWorker()


@pytest.fixture
def bench(qtbot) -> Bench:
    return open_bench(make_sequence(n_frames=60))


@pytest.fixture
def planner(bench: Bench, worker: FakeWorker) -> Iterator[JobPlanner]:
    jobs = JobManager(worker=lambda _: worker)  # type: ignore[arg-type, return-value]
    made = JobPlanner(bench.document, bench.cursor, jobs, Simulations(bench.document, jobs))
    yield made
    jobs.close()


def _stale(bench: Bench, track: int = ANNOTATED) -> list[int]:
    return np.flatnonzero(bench.document.sequence.stamps.stale("points3d", track)).tolist()


def _solved(bench: Bench, job: Job, frames: np.ndarray) -> Partial:
    patches = solve_points3d(bench.document.sequence, job.args["track"], frames)
    return Partial(job.id, patches, frames)


def _fused(bench: Bench, job: Job, lengths: LimbLengths | None = None) -> tuple[Event, ...]:
    frames = np.concatenate([np.arange(*pair) for pair in job.args["ranges"].tolist()])
    sequence, track = bench.document.sequence, job.args["track"]
    known = lengths or track_lengths(bench.project.sequence, track)
    patches = solve_fused(sequence, track, frames, known)
    return Partial(job.id, patches, np.sort(frames), known), Done(job.id)


def _all_solved(bench: Bench, planner: JobPlanner, worker: FakeWorker) -> None:
    planner.plan_now()
    worker.say(_solved(bench, worker.jobs[0], np.arange(60)), Done(worker.jobs[0].id))
    wait_until(lambda: len(worker.jobs) == 2)
    worker.say(*_fused(bench, worker.jobs[1]))
    wait_until(lambda: not planner.pending)


def test_what_is_stale_is_sent_nearest_first(
    bench: Bench, planner: JobPlanner, worker: FakeWorker
) -> None:
    bench.cursor.set_frame(40)
    bench.document.opened.emit()
    assert planner.pending
    assert not worker.jobs, "it waits for quiet"
    wait_until(lambda: bool(worker.jobs))
    (job,) = worker.jobs
    assert job.task == "triangulate"
    assert job.args["ranges"].tolist() == [[0, 60]]
    assert job.args["track"] == ANNOTATED

    worker.say(_solved(bench, job, np.arange(30, 50)))
    assert _stale(bench) == [*range(30), *range(50, 60)]
    worker.say(_solved(bench, job, np.array([*range(30), *range(50, 60)])), Done(job.id))
    assert _stale(bench) == []
    wait_until(lambda: len(worker.jobs) == 2)
    assert worker.jobs[1].task == "fuse"
    assert worker.jobs[1].args["ranges"].tolist() == [[0, 60]]
    worker.say(*_fused(bench, worker.jobs[1]))
    assert np.isfinite(bench.document.points_at(20).fused).any()
    wait_until(lambda: not planner.pending)
    assert len(worker.jobs) == 2, "nothing is left to do"


def test_a_long_recording_is_sent_in_parts_around_the_cursor(
    bench: Bench, planner: JobPlanner, worker: FakeWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    kinds = [replace(kind, length=10) for kind in job_planner.KINDS]
    monkeypatch.setattr(job_planner, "KINDS", tuple(kinds))
    few = tuple(replace(kind, most=20) for kind in job_planner.KINDS)
    monkeypatch.setattr(job_planner, "KINDS", few)
    bench.cursor.set_frame(42)
    planner.plan_now()
    (first,) = worker.jobs
    assert first.args["ranges"].tolist() == [[37, 47], [47, 57]]
    worker.say(_solved(bench, first, np.arange(37, 57)), Done(first.id))
    wait_until(lambda: len(worker.jobs) == 2)
    assert worker.jobs[1].task == "fuse", "what is seen is finished before what is far away"
    worker.say(*_fused(bench, worker.jobs[1]))
    wait_until(lambda: len(worker.jobs) == 3)
    assert worker.jobs[2].task == "triangulate"
    assert worker.jobs[2].args["ranges"].tolist() == [[27, 37], [57, 60], [17, 27]]


def test_the_final_points_follow_an_edit(
    bench: Bench, planner: JobPlanner, worker: FakeWorker
) -> None:
    _all_solved(bench, planner, worker)
    document = bench.document
    before = document.points_at(20).fused[5].copy()
    observed = document.points_at(20).xy[0, 5]
    patches = edits.place_point(document.sequence, ANNOTATED, 20, 0, 5, observed + 20.0)
    document.commit("Move", patches, Place(20, 0, 5, ANNOTATED))
    assert np.isnan(document.points_at(20).fused).all(), "old values are not shown as new ones"
    stale = document.sequence.stamps.stale("fused", ANNOTATED)
    assert np.flatnonzero(stale).tolist() == list(range(5, 36))
    wait_until(lambda: not document.sequence.stamps.stale("fused", ANNOTATED).any())
    after = document.points_at(20)
    assert after.fused_source[5] == Source.MANUAL_2D
    assert np.linalg.norm(after.fused[5] - before) > 1e-3
    document.undo()
    wait_until(lambda: not document.sequence.stamps.stale("fused", ANNOTATED).any())
    # Solved from where it stood, which ends within the solver's tolerance of solving it anew.
    np.testing.assert_allclose(document.points_at(20).fused[5], before, atol=5e-4)
    assert len(worker.jobs) == 2, "nothing was sent for so little"


def test_what_was_edited_meanwhile_is_not_overwritten(
    bench: Bench, planner: JobPlanner, worker: FakeWorker
) -> None:
    planner.plan_now()
    (job,) = worker.jobs
    before = _solved(bench, job, np.arange(60))
    sequence, document = bench.document.sequence, bench.document
    patches = edits.place_point(sequence, ANNOTATED, 7, 0, 5, (5.0, 5.0))
    document.commit("Move", patches, Place(7, 0, 5, ANNOTATED))
    edited = document.points_at(7).xyz.copy()
    worker.say(before, Done(job.id))
    np.testing.assert_array_equal(document.points_at(7).xyz, edited)
    assert _stale(bench) == []


def test_many_frames_changed_at_once_are_planned_again(
    bench: Bench, planner: JobPlanner, worker: FakeWorker
) -> None:
    planner.plan_now()
    (job,) = worker.jobs
    late = _solved(bench, job, np.arange(60))
    sequence, document = bench.document.sequence, bench.document
    document.commit("Merge", edits.merge_tracks(sequence, ANNOTATED, BYSTANDER), Place())
    assert len(_stale(bench)) == 60
    worker.say(late, Done(job.id))
    assert len(_stale(bench)) == 60, "values of the old state do not land"
    wait_until(lambda: len(worker.jobs) == 2)
    assert worker.jobs[1].task == "triangulate"
    assert worker.jobs[1].args["ranges"].tolist() == [[0, 60]]


def test_a_failed_job_is_not_sent_again_until_something_changes(
    bench: Bench, planner: JobPlanner, worker: FakeWorker
) -> None:
    planner.plan_now()
    worker.say(Failed(worker.jobs[0].id, "The worker process stopped."))
    wait_until(lambda: not planner.pending)
    assert len(worker.jobs) == 1
    sequence, document = bench.document.sequence, bench.document
    patches = edits.place_point(sequence, ANNOTATED, 7, 0, 5, (5.0, 5.0))
    document.commit("Move", patches, Place(7, 0, 5, ANNOTATED))
    wait_until(lambda: len(worker.jobs) == 2)


def test_closing_stops_the_job_and_nothing_of_it_lands_elsewhere(
    bench: Bench, planner: JobPlanner, worker: FakeWorker
) -> None:
    planner.plan_now()
    (job,) = worker.jobs
    late = _solved(bench, job, np.arange(60))
    project = bench.document.project
    bench.document.close()
    assert worker.cancelled == [job.id]
    assert not planner.pending
    other = make_sequence(n_frames=60)
    assert project is not None
    project.sequence = other
    bench.document.open(project)
    worker.say(late, Cancelled(job.id))
    assert len(_stale(bench)) == 60


def test_another_person_is_solved_when_annotated(
    bench: Bench, planner: JobPlanner, worker: FakeWorker
) -> None:
    planner.plan_now()
    worker.say(_solved(bench, worker.jobs[0], np.arange(60)), Done(worker.jobs[0].id))
    bench.document.set_person(BYSTANDER)
    wait_until(lambda: len(worker.jobs) == 2)
    assert worker.jobs[1].args["track"] == BYSTANDER
    assert worker.jobs[1].task == "triangulate"


def _stale_fused(bench: Bench) -> list[int]:
    return np.flatnonzero(bench.document.sequence.stamps.stale("fused", ANNOTATED)).tolist()


def _split_off(bench: Bench, frame: int) -> None:
    sequence = bench.document.sequence
    bench.document.commit("Split", edits.split_track(sequence, BYSTANDER, frame), Place())


@pytest.mark.parametrize(
    ("by", "left"), [(3 * SAME_LENGTH, list(range(40))), (SAME_LENGTH / 2, [])], ids=["far", "near"]
)
def test_all_final_points_go_stale_where_limbs_are_others_after_people_were_sorted_out(
    bench: Bench, planner: JobPlanner, worker: FakeWorker, by: float, left: list[int]
) -> None:
    _all_solved(bench, planner, worker)
    before = track_lengths(bench.document.sequence, ANNOTATED)
    _split_off(bench, 55)
    assert _stale_fused(bench) == list(range(40, 60))
    wait_until(lambda: len(worker.jobs) > 2)
    worker.say(_solved(bench, worker.jobs[2], np.arange(55, 60)), Done(worker.jobs[2].id))
    wait_until(lambda: len(worker.jobs) > 3)
    job = worker.jobs[3]
    assert job.task == "fuse"
    assert job.args["ranges"].tolist() == [[40, 60]]
    worker.say(*_fused(bench, job, replace(before, length=before.length + by)))
    assert _stale_fused(bench) == left


def test_what_was_solved_with_the_limbs_of_other_people_does_not_land(
    bench: Bench, planner: JobPlanner, worker: FakeWorker
) -> None:
    planner.plan_now()
    worker.say(_solved(bench, worker.jobs[0], np.arange(60)), Done(worker.jobs[0].id))
    wait_until(lambda: len(worker.jobs) == 2)
    late = _fused(bench, worker.jobs[1])
    _split_off(bench, 55)
    worker.say(late[0])
    assert worker.cancelled == [worker.jobs[1].id]
    assert _stale_fused(bench) == list(range(60))
    worker.say(Cancelled(worker.jobs[1].id))
    wait_until(lambda: len(worker.jobs) == 3, 5000)


def test_an_edit_does_not_measure_limbs_in_the_window(
    bench: Bench, planner: JobPlanner, worker: FakeWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fuse, "measuring_lengths", lambda *_: pytest.fail("measured here"))
    sequence, document = bench.document.sequence, bench.document
    patches = edits.place_point(sequence, ANNOTATED, 7, 0, 5, (5.0, 5.0))
    document.commit("Move", patches, Place(7, 0, 5, ANNOTATED))
    wait_until(lambda: not document._after_edit.isActive())
    assert _stale_fused(bench) == list(range(60)), "left to the worker"
    wait_until(lambda: bool(worker.jobs))


def test_without_a_worker_limbs_are_measured_in_slices(
    bench: Bench, planner: JobPlanner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fuse, "length_stretches", lambda _: [(0, 20), (20, 40), (40, 60)])
    bench.project.read_only = True
    sequence = bench.document.sequence
    looks: list[bool] = []
    clock = QTimer()
    clock.timeout.connect(lambda: looks.append(planner._measuring is not None))
    clock.start(0)
    planner.plan_now()
    wait_until(lambda: not _stale_fused(bench))
    assert sum(looks) >= 3, "the window had its turn between two stretches"
    assert fuse.known_lengths(sequence, ANNOTATED) is not None


@pytest.mark.worker
def test_with_a_real_worker_that_is_cancelled(qtbot, tmp_path: Path) -> None:
    with main_window() as window:
        open_and_settle(window, small_project(tmp_path))
        document = window.document
        for group in ("points3d", "fused"):
            assert not document.sequence.stamps.stale(group, document.person).any()
        document.sequence.stamps.forget("points3d", document.person)
        window.planner.plan_now()
        (state,) = window.jobs.running
        window.jobs.cancel(state.job.id)
        wait_until(lambda: not state.running)
        settle(window)
        assert not window.jobs.running, "what was cancelled by hand does not begin again by itself"
        window.planner.try_again()  # as the next edit does
        settle(window)
        stale = document.sequence.stamps.stale("points3d", document.person)
        assert not stale.any()
