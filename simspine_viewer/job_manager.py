"""Jobs of the window: one worker process of each kind, queues, and what became of each job."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal

from pipeline.jobs.messages import (
    Cancelled,
    Done,
    Ending,
    Event,
    Failed,
    File,
    Job,
    Partial,
    Progress,
)
from pipeline.jobs.spawn import WorkerProcess

POLL_MS = 30
#: Tasks that write files somebody asked for.
WRITING = ("export", "training_set")
KEPT = 50  # finished jobs that stay in the list


@dataclass(slots=True)
class JobState:
    """A job as the job panel shows it.

    ``part_of`` is for jobs that are part of longer work: it takes the job's own fraction to the
    fraction and the words that are shown. The files they write are nobody's business.
    """

    job: Job
    fraction: float = 0.0
    text: str = "Waiting"
    ending: Ending | None = None
    files: list[str] = field(default_factory=list)
    part_of: Callable[[float], tuple[float, str]] | None = None

    @property
    def running(self) -> bool:
        return self.ending is None


class JobManager(QObject):
    """Submits jobs to the workers and hands their events on.

    There is one worker process of each kind, so that a long job of one kind does not hold up the
    others. It is started at the first job, and again should it die.
    """

    changed = Signal()
    partial = Signal(object, object)  # Job, Partial
    told = Signal(object, object)  # Job, and an event that only who sent it understands
    finished = Signal(object)  # JobState

    def __init__(
        self,
        worker: Callable[[str], WorkerProcess] | None = None,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.jobs: list[JobState] = []
        self._make_worker = worker or WorkerProcess
        self._workers: dict[str, WorkerProcess] = {}
        self._kinds: dict[int, str] = {}
        self._next_id = 1
        self._timer = QTimer(self)
        self._timer.setInterval(POLL_MS)
        self._timer.timeout.connect(self._poll)

    @property
    def running(self) -> list[JobState]:
        return [state for state in self.jobs if state.running]

    def worker(self, kind: str) -> WorkerProcess | None:
        """The worker of a kind, once it has been needed."""
        return self._workers.get(kind)

    def submit(
        self,
        task: str,
        title: str,
        args: dict[str, Any],
        base_revision: int = 0,
        kind: str = "geometry",
        part_of: Callable[[float], tuple[float, str]] | None = None,
    ) -> int:
        """Queue a job with the worker of a kind; returns the job's id."""
        job = Job(self._next_id, task, args, base_revision, title)
        self._next_id += 1
        finished = [state for state in self.jobs if not state.running]
        for state in finished[: max(0, len(finished) - KEPT)]:
            self.jobs.remove(state)
        self.jobs.append(JobState(job, part_of=part_of))
        if part_of is not None:
            self.jobs[-1].fraction, self.jobs[-1].text = part_of(0.0)
        if kind not in self._workers:
            self._workers[kind] = self._make_worker(kind)
            self._workers[kind].start()
        self._kinds[job.id] = kind
        self._workers[kind].submit(job)
        self._timer.start()
        self.changed.emit()
        return job.id

    def cancel(self, job_id: int) -> None:
        """Ask a job to stop; it ends with ``Cancelled`` once the worker has heard."""
        kind = self._kinds.get(job_id, "")
        if kind in self._workers:
            self._workers[kind].cancel(job_id)

    def cancel_all(self, task: str | None = None) -> None:
        """Ask all jobs (of one task) to stop."""
        for state in self.running:
            if task in (None, state.job.task):
                self.cancel(state.job.id)

    def forget(self, job_id: int) -> None:
        """Take a job that has ended off the list."""
        self.jobs = [state for state in self.jobs if state.running or state.job.id != job_id]
        self.changed.emit()

    def close(self) -> None:
        """Stop the workers; running jobs are dropped."""
        self._timer.stop()
        for worker in self._workers.values():
            worker.close()
        self._workers.clear()
        self._kinds.clear()

    def _poll(self) -> None:
        for worker in tuple(self._workers.values()):
            for event in worker.poll():
                self._handle(event)
        if not self.running:
            self._timer.stop()

    def _handle(self, event: Event) -> None:
        state = next((s for s in self.jobs if s.job.id == event.job_id), None)
        if state is None or not state.running:
            return
        if isinstance(event, Progress):
            shown = state.part_of(event.fraction) if state.part_of is not None else None
            state.fraction, state.text = shown or (event.fraction, event.text)
        elif isinstance(event, Partial):
            self.partial.emit(state.job, event)
        elif isinstance(event, File) and state.part_of is None:
            state.files.append(str(event.path))
        elif isinstance(event, (Done, Failed, Cancelled)):
            state.ending = event
            state.text = _ending_text(event)
            self._kinds.pop(state.job.id, None)
            self.finished.emit(state)
        else:
            self.told.emit(state.job, event)
        self.changed.emit()


def _ending_text(event: Ending) -> str:
    if isinstance(event, Failed):
        return event.message
    return "Done" if isinstance(event, Done) else "Cancelled"
