"""The one job that something in the window may have under way at a time."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QObject, Signal

from pipeline.jobs.messages import Event, Job
from simspine_viewer.job_manager import JobManager, JobState


class OneJob(QObject):
    """Sends a job, hears of no other, and knows whether it is still under way.

    Signals
    -------
    told(Event) : what only the owner understands.
    progressed : there is more to say of it.
    ended(JobState) : it is over, whichever way.
    """

    told = Signal(object)
    progressed = Signal()
    ended = Signal(object)

    def __init__(self, jobs: JobManager, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._jobs = jobs
        self.state: JobState | None = None
        jobs.told.connect(self._told)
        jobs.changed.connect(self._changed)
        jobs.finished.connect(self._finished)

    def start(self, task: str, title: str, args: dict[str, Any], revision: int, kind: str) -> None:
        """Send it; the one before must have ended."""
        job = self._jobs.submit(task, title, args, revision, kind=kind)
        self.state = next(state for state in self._jobs.jobs if state.job.id == job)

    def cancel(self) -> None:
        """Ask it to stop; :attr:`ended` says when it has."""
        if self.state is not None:
            self._jobs.cancel(self.state.job.id)

    def drop(self) -> None:
        """Ask it to stop, and hear no more of it."""
        self.cancel()
        self.state = None

    def _told(self, job: Job, event: Event) -> None:
        if self.state is not None and job.id == self.state.job.id:
            self.told.emit(event)

    def _changed(self) -> None:
        if self.state is not None:
            self.progressed.emit()

    def _finished(self, state: JobState) -> None:
        if self.state is not None and state.job.id == self.state.job.id:
            self.state = None
            self.ended.emit(state)
