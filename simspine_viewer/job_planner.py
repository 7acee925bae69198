"""Keeps derived layers up to date: waits for quiet, then sends stale frames to the worker."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, QTimer

from pipeline.data.layers import INPUTS
from pipeline.data.patch import Change
from pipeline.geometry.reconstruct import solve_points3d
from pipeline.jobs.messages import Done, Job, Partial
from simspine_viewer.document import Document
from simspine_viewer.job_manager import JobManager, JobState
from simspine_viewer.time_cursor import TimeCursor

QUIET_MS = 300
SLICE = 20  # frames solved between two looks at the event queue, about 20 ms
TASK = "triangulate"


class JobPlanner(QObject):
    """Plans triangulation of stale frames of the annotated person, those near the cursor first."""

    def __init__(
        self,
        document: Document,
        cursor: TimeCursor,
        jobs: JobManager,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._document, self._cursor, self._jobs = document, cursor, jobs
        self._job_id: int | None = None
        self._stopped = False
        self._quiet = QTimer(self)
        self._quiet.setSingleShot(True)
        self._quiet.setInterval(QUIET_MS)
        self._quiet.timeout.connect(self.plan_now)
        document.opened.connect(self.try_again)
        document.closed.connect(self._closing)
        document.changed.connect(self._changed)
        document.person_changed.connect(lambda _: self.try_again())
        jobs.partial.connect(self._land)
        jobs.finished.connect(self._finished)

    @property
    def pending(self) -> bool:
        """True while frames are being brought up to date, or soon will be."""
        return self._quiet.isActive() or self._job_id is not None

    def try_again(self) -> None:
        """Plan anew after a moment of quiet, also when the last job failed or was cancelled."""
        self._stopped = False
        self._quiet.start()

    def _changed(self, change: Change) -> None:
        if change.group not in INPUTS:
            self._stopped = False
        self._quiet.start()

    def _closing(self) -> None:
        self._quiet.stop()
        if self._job_id is not None:
            self._jobs.cancel(self._job_id)
            self._job_id = None

    def plan_now(self) -> None:
        """Send what is stale to the worker, without waiting for quiet."""
        document = self._document
        if not document.is_open or self._job_id is not None or self._stopped:
            return
        stale = np.flatnonzero(document.sequence.stamps.stale("points3d", document.person))
        if not len(stale):
            return
        nearest_first = stale[np.argsort(np.abs(stale - self._cursor.frame), kind="stable")]
        project = document.project
        if project is None or project.read_only:
            self._solve_here(nearest_first[:SLICE])
            return
        self._job_id = self._jobs.submit(
            TASK,
            f"Triangulate {len(stale)} frame{'s' if len(stale) > 1 else ''}",
            {
                "project": str(project.path),
                "track": document.person,
                "frames": nearest_first,
            },
            document.sequence.revision,
        )

    def _solve_here(self, frames: NDArray[np.intp]) -> None:
        """A few frames in this process, then the next ones as soon as the window is idle.

        The worker reads the file, and the file of a project opened for looking only may be edited
        elsewhere meanwhile: what is shown must come from what was read.
        """
        document, block = self._document, np.sort(frames)
        patches = solve_points3d(document.sequence, document.person, block)
        document.land(patches, block, document.sequence.revision)
        QTimer.singleShot(0, self.plan_now)

    def _land(self, job: Job, event: Partial) -> None:
        if job.id == self._job_id and self._document.is_open:
            self._document.land(event.patches, event.frames, job.base_revision)

    def _finished(self, state: JobState) -> None:
        if state.job.id != self._job_id:
            return
        self._job_id = None
        # What failed would fail again at once, and who cancelled does not want it at once: the
        # next edit, another person or reopening tries anew.
        self._stopped = not isinstance(state.ending, Done)
        self._quiet.start()
