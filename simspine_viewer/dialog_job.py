"""The one job of a dialog: sent for the annotated person, followed in a line, stopped with it."""

from __future__ import annotations

from collections.abc import Hashable

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QDialog, QLabel

from pipeline.jobs.messages import Failed
from simspine_viewer.document import Document
from simspine_viewer.job_manager import JobManager, JobState


class DialogJob(QObject):
    """Writes into ``line`` how far the job is, and why it failed.

    Closing the project closes the dialog, and closing the dialog stops the job.

    Signals
    -------
    ended(Ending) : the job is over, whichever way.
    outdated : cameras, time axes or people are others than when the job was sent, or the same
        again: ask :meth:`is_current`.
    """

    ended = Signal(object)
    outdated = Signal()

    def __init__(self, document: Document, jobs: JobManager, line: QLabel, dialog: QDialog) -> None:
        super().__init__(dialog)
        self._document, self._jobs, self._line = document, jobs, line
        self._id: int | None = None
        self._sent_for: Hashable = None
        self._was_current = True
        line.setWordWrap(True)
        jobs.changed.connect(self._show_progress)
        jobs.finished.connect(self._finished)
        document.changed.connect(lambda _: self._check())
        document.closed.connect(dialog.reject)
        dialog.finished.connect(lambda _: self._forget())

    @property
    def running(self) -> bool:
        """True from the moment it is sent until it has ended."""
        return self._id is not None

    def start(self, task: str, title: str, track: int) -> None:
        """Send it, for a person of the open project; one at a time."""
        project = self._document.project
        if project is None or self.running:
            return
        self._sent_for, self._was_current = self._state(), True
        arguments = {"project": str(project.path), "track": track}
        revision = self._document.sequence.revision
        self._id = self._jobs.submit(task, title, arguments, revision)

    def cancel(self) -> None:
        """Ask it to stop; :attr:`ended` says when it has."""
        if self._id is not None:
            self._jobs.cancel(self._id)

    def is_current(self) -> bool:
        """Whether cameras, time axes and people are those that the job was sent for."""
        return self._document.is_open and self._state() == self._sent_for

    def _state(self) -> Hashable:
        sequence = self._document.sequence
        people = sequence.layer("assignment.track").n_writes
        return sequence.cameras, sequence.syncs, people

    def _check(self) -> None:
        if self._sent_for is not None and self.is_current() != self._was_current:
            self._was_current = not self._was_current
            self.outdated.emit()

    def _show_progress(self) -> None:
        state = next((s for s in self._jobs.running if s.job.id == self._id), None)
        if state is not None:
            self._line.setText(f"{state.fraction:.0%} {state.text}".strip())

    def _finished(self, state: JobState) -> None:
        if state.job.id != self._id:
            return
        self._id = None
        self._line.setText(state.ending.message if isinstance(state.ending, Failed) else "")
        self.ended.emit(state.ending)

    def _forget(self) -> None:
        self.cancel()
        self._id = None
