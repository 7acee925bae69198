"""A pose model that goes on to learn from the corrected frames: the run, and what it came to."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal

from pipeline.jobs.messages import Done, Failed
from simspine_viewer.detecting import WORKER
from simspine_viewer.document import Document
from simspine_viewer.job_manager import JobManager, JobState
from simspine_viewer.one_job import OneJob

TASK = "fine_tune"
STOPPED = "Stopped; nothing was kept."


class Tuning(QObject):
    """Teaches a copy of a model with the annotated person's corrected frames.

    The model stays as it is. What was learnt lies in a temporary folder until another run begins
    or the program ends; a person may have it added to the models.

    Signals
    -------
    changed : a run began or ended, or its result was forgotten.
    progressed : there is more to say of it.
    failed(sentence) : why it ended early.
    """

    changed = Signal()
    progressed = Signal()
    failed = Signal(str)

    def __init__(self, document: Document, jobs: JobManager, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self._run = OneJob(jobs, self)
        self._clean: weakref.finalize[..., Any] | None = None
        self.result: dict[str, Any] | None = None
        self._run.ended.connect(self._finished)
        self._run.progressed.connect(self.progressed)
        document.closed.connect(self.forget)
        document.person_changed.connect(self.forget)

    @property
    def job(self) -> JobState | None:
        """The run under way."""
        return self._run.state

    @property
    def weights(self) -> Path | None:
        """What was learnt, if that is better than the model was."""
        made = None if self.result is None else self.result["weights"]
        return None if made is None else Path(made)

    def start(self, model: str, title: str, steps: int) -> None:
        """Teach a model by its name for so many steps; one run at a time."""
        document, project = self._document, self._document.project
        if project is None or self.job is not None:
            return
        self.forget()
        if self._clean is not None:
            self._clean()
        folder = tempfile.mkdtemp(prefix="simspine-tuning-")
        self._clean = weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        args: dict[str, Any] = {
            "project": str(project.path),
            "track": document.person,
            "model": model,
            "folder": folder,
            "steps": steps,
        }
        title = f"Fine-tune {title}"
        self._run.start(TASK, title, args, document.sequence.revision, WORKER)
        self.changed.emit()

    def cancel(self) -> None:
        """Stop a run under way; nothing is kept of it."""
        self._run.cancel()

    def forget(self, *_: object) -> None:
        """Stop, and forget what was learnt and not kept."""
        if self.job is not None or self.result is not None:
            self._run.drop()
            self.result = None
            self.changed.emit()

    def _finished(self, state: JobState) -> None:
        if isinstance(state.ending, Done):
            self.result = state.ending.result
        elif isinstance(state.ending, Failed):
            self.failed.emit(state.ending.message)
        else:
            self.failed.emit(STOPPED)
        self.changed.emit()
