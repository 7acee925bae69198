"""Real worker processes: what they say, and what becomes of jobs when they die, hang or stop."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from pipeline.jobs.messages import Cancelled, Done, Event, Failed, Job, Partial, Progress
from pipeline.jobs.spawn import WorkerProcess

pytestmark = [
    pytest.mark.worker,
    pytest.mark.skipif(os.name == "nt", reason="the tasks kill with POSIX signals"),
]

TASKS = "tests.jobs.bad_tasks"
ENDINGS = (Done, Failed, Cancelled)
# Far beyond what a busy machine needs; only a broken worker takes it.
PATIENCE = 60.0


class _Heard:
    """A worker and everything it said so far."""

    def __init__(self, worker: WorkerProcess) -> None:
        self.worker = worker
        self.events: list[Event] = []
        self.submitted: set[int] = set()

    def submit(self, job: Job) -> None:
        self.worker.submit(job)
        self.submitted.add(job.id)

    def finish(self) -> None:
        """Leave the worker at rest for the next test."""
        ended = {event.job_id for event in self.events if isinstance(event, ENDINGS)}
        if not self.worker.alive or self.submitted - ended:
            self.worker.close()

    def until(self, enough: Callable[[], bool]) -> None:
        end = time.monotonic() + PATIENCE
        while not enough():
            assert time.monotonic() < end, f"still waiting after {self.events}"
            time.sleep(0.01)
            self.events += self.worker.poll()

    def endings(self, *ids: int) -> list[Event]:
        """The endings of jobs in this order, once all are there; each must have one only."""
        self.until(lambda: set(ids) <= {e.job_id for e in self.events if isinstance(e, ENDINGS)})
        found = [e for e in self.events if isinstance(e, ENDINGS)]
        assert len(found) == len({e.job_id for e in found})
        return [next(e for e in found if e.job_id == i) for i in ids]

    def begun(self, job_id: int) -> None:
        self.until(lambda: any(e.job_id == job_id for e in self.events))


@pytest.fixture(scope="module")
def worker() -> Iterator[WorkerProcess]:
    # Heartbeats come once a second.
    worker = WorkerProcess("test", TASKS, hung_after=3.0)
    yield worker
    worker.close()


@pytest.fixture
def heard(worker: WorkerProcess) -> Iterator[_Heard]:
    """The worker of all these tests, at rest."""
    heard = _Heard(worker)
    yield heard
    heard.finish()


def _gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    # A child of init or of a container's first process may stay as a zombie.
    status = Path(f"/proc/{pid}/stat")
    return status.exists() and status.read_text().rpartition(")")[2].split()[0] == "Z"


def test_jobs_are_run_in_order_by_one_process(heard: _Heard) -> None:
    for i in (1, 2, 3):
        heard.submit(Job(i, "count", {"n": i}))
    pid = heard.worker.pid
    assert heard.endings(1, 2, 3) == [Done(i, {"n": i}) for i in (1, 2, 3)]
    assert [e.job_id for e in heard.events] == sorted(e.job_id for e in heard.events)
    assert heard.events[0] == Progress(1, 0.0, "Started")
    assert heard.worker.pid == pid


def test_partial_results_arrive_with_their_values(heard: _Heard) -> None:
    heard.submit(Job(1, "partial"))
    heard.endings(1)
    (partial,) = [event for event in heard.events if isinstance(event, Partial)]
    assert partial.frames.tolist() == [2]
    np.testing.assert_array_equal(partial.patches[0].new, np.arange(6.0).reshape(2, 3))


def test_failures_are_told_and_cost_nothing(heard: _Heard) -> None:
    heard.submit(Job(1, "bug", title="Measure"))
    pid = heard.worker.pid
    heard.submit(Job(2, "user_error"))
    heard.submit(Job(3, "count"))
    bug, error, done = heard.endings(1, 2, 3)
    assert isinstance(bug, Failed)
    assert bug.message == "Measure failed (KeyError: 'frames')."
    assert error == Failed(2, "walk.mp4 cannot be read.")
    assert isinstance(done, Done)
    assert heard.worker.pid == pid


@pytest.mark.parametrize("task", ["file", "thread"])
def test_a_running_job_is_cancelled_and_cleans_up(heard: _Heard, task: str, tmp_path: Path) -> None:
    heard.submit(Job(1, task, {"path": str(tmp_path / "walk.trc")}))
    heard.submit(Job(2, "count"))
    heard.begun(1)
    heard.worker.cancel(1)
    assert heard.endings(1, 2) == [Cancelled(1), Done(2, {"n": 3})]
    assert list(tmp_path.iterdir()) == []


def test_a_waiting_job_is_cancelled_while_another_runs(heard: _Heard, tmp_path: Path) -> None:
    log = tmp_path / "log"
    heard.submit(Job(1, "file", {"path": str(tmp_path / "walk.trc")}))
    heard.submit(Job(2, "count", {"log": str(log)}))
    heard.begun(1)
    heard.worker.cancel(2)
    assert heard.endings(2) == [Cancelled(2)]
    assert not any(isinstance(e, ENDINGS) for e in heard.events if e.job_id == 1)
    heard.worker.cancel(1)
    heard.endings(1)
    assert not log.exists()


def test_cancelling_what_is_over_or_unknown_does_nothing(heard: _Heard) -> None:
    heard.worker.cancel(1)
    heard.submit(Job(1, "count"))
    heard.endings(1)
    heard.worker.cancel(1)
    heard.submit(Job(2, "count"))
    assert isinstance(heard.endings(2)[0], Done)


@pytest.mark.parametrize(
    ("task", "cause"),
    [("crash", "stopped unexpectedly"), ("leave", "stopped"), ("hang", "did not answer any more")],
)
def test_a_worker_that_is_lost_costs_one_job(
    heard: _Heard, task: str, cause: str, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    heard.submit(Job(1, "count", {"log": str(log)}))
    heard.submit(Job(2, task, title="Bad job"))
    heard.submit(Job(3, "count", {"log": str(log)}))
    heard.submit(Job(4, "count", {"log": str(log)}))
    first = heard.worker.pid
    assert first is not None
    before, lost, *after = heard.endings(1, 2, 3, 4)
    assert isinstance(before, Done)
    assert isinstance(lost, Failed)
    assert lost.message.startswith("Bad job: the worker process ")
    assert cause in lost.message
    assert after == [Done(3, {"n": 3}), Done(4, {"n": 3})]
    assert heard.worker.pid != first
    assert _gone(first)
    assert log.read_text().split() == ["1", "3", "4"]


def test_a_worker_killed_at_rest_costs_no_job(heard: _Heard) -> None:
    heard.submit(Job(1, "count"))
    heard.endings(1)
    assert heard.worker.pid is not None
    os.kill(heard.worker.pid, signal.SIGKILL)
    heard.submit(Job(2, "count"))
    assert heard.endings(2) == [Done(2, {"n": 3})]


def test_a_cancel_that_a_crash_overtakes_still_counts(heard: _Heard, tmp_path: Path) -> None:
    log = tmp_path / "log"
    heard.submit(Job(1, "file", {"path": str(tmp_path / "walk.trc")}))
    heard.submit(Job(2, "count", {"log": str(log)}))
    heard.begun(1)
    assert heard.worker.pid is not None
    os.kill(heard.worker.pid, signal.SIGKILL)
    heard.worker.cancel(2)
    lost, cancelled = heard.endings(1, 2)
    assert isinstance(lost, Failed)
    assert cancelled == Cancelled(2)
    assert not log.exists()


def test_a_worker_that_cannot_start_fails_its_jobs_and_gives_up() -> None:
    heard = _Heard(WorkerProcess("test", "tests.jobs.no_such_module"))
    heard.submit(Job(1, "count"))
    heard.submit(Job(2, "count"))
    assert all(isinstance(ending, Failed) for ending in heard.endings(1, 2))
    assert not heard.worker.alive
    heard.worker.close()


def test_a_job_that_cannot_be_sent_is_not_kept(heard: _Heard) -> None:
    with pytest.raises(Exception, match=r"pickle|local"):
        heard.submit(Job(1, "count", {"n": lambda: 3}))
    heard.submit(Job(2, "count"))
    assert isinstance(heard.endings(2)[0], Done)
    assert {event.job_id for event in heard.events} == {2}


def test_large_jobs_do_not_make_the_window_wait_for_each_other(heard: _Heard) -> None:
    """Ten times what a pipe holds goes down while a thousand events come up."""
    frames = np.zeros(250_000, np.intp)
    heard.submit(Job(1, "count", {"n": 20_000}))
    for i in range(2, 12):
        heard.submit(Job(i, "count", {"frames": frames}))
        heard.worker.cancel(i)
    heard.worker.cancel(1)
    endings = heard.endings(*range(1, 12))
    assert all(isinstance(ending, (Done, Cancelled)) for ending in endings)


def test_ctrl_c_is_left_to_the_window(heard: _Heard) -> None:
    heard.submit(Job(1, "count"))
    heard.endings(1)
    assert heard.worker.pid is not None
    pid = heard.worker.pid
    os.kill(pid, signal.SIGINT)
    heard.submit(Job(2, "count"))
    assert isinstance(heard.endings(2)[0], Done)
    assert heard.worker.pid == pid


def test_close_stops_a_running_job_and_the_process(heard: _Heard, tmp_path: Path) -> None:
    heard.submit(Job(1, "file", {"path": str(tmp_path / "walk.trc")}))
    heard.begun(1)
    pid = heard.worker.pid
    assert pid is not None
    heard.worker.close(timeout=PATIENCE)
    assert _gone(pid)
    assert not heard.worker.alive
    assert heard.worker.poll() == []
    assert list(tmp_path.iterdir()) == []
    heard.worker.close()


def test_a_worker_ends_with_the_process_that_started_it(tmp_path: Path) -> None:
    code = (
        "import time\n"
        "from pipeline.jobs.messages import Job\n"
        "from pipeline.jobs.spawn import WorkerProcess\n"
        "if __name__ == '__main__':\n"
        f"    worker = WorkerProcess('test', {TASKS!r})\n"
        f"    worker.submit(Job(1, 'file', {{'path': {str(tmp_path / 'walk.trc')!r}}}))\n"
        "    while not worker.poll(): time.sleep(0.01)\n"
        "    print(worker.pid, flush=True)\n"
        "    time.sleep(600)\n"
    )
    script = tmp_path / "window.py"
    script.write_text(code)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    window = subprocess.Popen(
        [sys.executable, str(script)], stdout=subprocess.PIPE, text=True, env=environment
    )
    with window:
        assert window.stdout is not None
        pid = int(window.stdout.readline())
        window.kill()
    end = time.monotonic() + PATIENCE
    while not _gone(pid):
        assert time.monotonic() < end, "the worker has outlived its window"
        time.sleep(0.02)
    assert not (tmp_path / "walk.trc").exists()


def test_what_the_window_imports_is_light() -> None:
    code = "import sys, pipeline.jobs.spawn, pipeline.jobs.messages\nprint(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    loaded = set(done.stdout.split())
    heavy = {"scipy", "cv2", "av", "vtk", "vtkmodules", "pyvista", "sqlite3", "PySide6"}
    work = {"pipeline.jobs.tasks", "pipeline.jobs.worker", "pipeline.io", "pipeline.geometry"}
    assert "pipeline.data.patch" in loaded
    assert not loaded & (heavy | work)
