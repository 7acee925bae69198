"""Keeps derived layers up to date: waits for quiet, then sends stale frames to the worker."""

from __future__ import annotations

from collections.abc import Callable, Generator, Hashable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, QTimer

from pipeline.data.frame_ranges import FrameRanges, n_frames_in, nearest_first
from pipeline.data.layers import INPUTS
from pipeline.data.patch import Change, Patch
from pipeline.data.sequence import Sequence
from pipeline.geometry.fuse import (
    known_lengths,
    lengths_state,
    measuring_lengths,
    solve_fused,
)
from pipeline.geometry.reconstruct import solve_points3d
from pipeline.geometry.track_limbs import LimbLengths
from pipeline.io.stored_subject import StoredSubject
from pipeline.jobs.messages import Done, Job, Partial
from simspine_viewer.document import Document
from simspine_viewer.job_manager import JobManager, JobState
from simspine_viewer.simulations import WORKER, Simulations
from simspine_viewer.time_cursor import TimeCursor

QUIET_MS = 300


@dataclass(frozen=True, slots=True)
class Kind:
    """A group of derived layers, and how it is brought up to date.

    ``length`` is the number of frames solved together by the worker, ``slice`` the one between two
    looks at the event queue where there is no worker (20 to 60 ms); without ``solve``, it is then
    left alone. ``most`` is the number of frames of one job: what it holds is solved before anything
    nearer to the cursor has its turn.
    """

    group: str
    task: str
    title: str
    solve: Callable[[Sequence, int, NDArray[np.intp]], tuple[Patch, ...]] | None
    length: int
    slice: int
    worker: str = "geometry"
    most: int = 6000


#: In the order in which they are wanted where both are stale.
KINDS = (
    Kind("points3d", "triangulate", "Triangulate {}", solve_points3d, 200, 20),
    Kind("fused", "fuse", "Solve {} over time", solve_fused, 400, 60),
    Kind("kinematics", "follow", "Follow {} with the body model", None, 200, 0, WORKER, 2000),
)


class JobPlanner(QObject):
    """Plans the solving of stale frames of the annotated person, those near the cursor first."""

    def __init__(
        self,
        document: Document,
        cursor: TimeCursor,
        jobs: JobManager,
        simulations: Simulations,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._document, self._cursor, self._jobs = document, cursor, jobs
        self._simulations = simulations
        self._subject: StoredSubject | None = None  # that of the job under way
        self._known_subject: StoredSubject | None = None
        self._job_id: int | None = None
        self._stopped = self._outdated = False
        self._sent_with: Hashable = None  # what limb lengths depend on, when the job was sent
        self._measuring: tuple[Hashable, Generator[None, None, LimbLengths]] | None = None
        self._quiet = QTimer(self)
        self._quiet.setSingleShot(True)
        self._quiet.setInterval(QUIET_MS)
        self._quiet.timeout.connect(self.plan_now)
        document.opened.connect(self.try_again)
        document.closed.connect(self._closing)
        document.changed.connect(self._changed)
        document.person_changed.connect(lambda _: self.try_again())
        simulations.changed.connect(self._subject_changed)
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
        self._measuring = None
        self._outdated = False
        if self._job_id is not None:
            self._jobs.cancel(self._job_id)
            self._job_id = None

    def plan_now(self) -> None:
        """Send what is stale to the worker, without waiting for quiet."""
        if not self._document.is_open or self._job_id is not None or self._stopped:
            return
        nearest = self._nearest()
        if nearest is None:
            return
        kind, ranges = nearest
        document, project = self._document, self._document.project
        if project is None or project.read_only:
            self._solve_here(kind, np.arange(*ranges[0]))
            return
        n = n_frames_in(ranges)
        self._sent_with = lengths_state(document.sequence, document.person)
        self._subject = self._simulations.subject if kind.worker == WORKER else None
        more = {} if self._subject is None else _told(self._subject)
        self._job_id = self._jobs.submit(
            kind.task,
            kind.title.format(f"{n} frame{'s' if n > 1 else ''}"),
            {"project": str(project.path), "track": document.person, "ranges": ranges, **more},
            document.sequence.revision,
            kind.worker,
        )

    def _nearest(self) -> tuple[Kind, FrameRanges] | None:
        """The kind that is stale nearest to the cursor, and its frames."""
        stamps, person = self._document.sequence.stamps, self._document.person
        frame, best = self._cursor.frame, None
        for kind in self._kinds():
            stale = stamps.stale(kind.group, person)
            ranges = nearest_first(stale, frame, kind.length, kind.most)
            if len(ranges):
                start, stop = ranges[0].tolist()
                away = max(start - frame, frame - stop + 1, 0)
                if best is None or away < best[0]:
                    best = away, kind, ranges
        return None if best is None else best[1:]

    def _kinds(self) -> Iterator[Kind]:
        """What can be brought up to date: poses only of somebody who has a body model."""
        project = self._document.project
        here = project is None or project.read_only
        for kind in KINDS:
            if kind.worker != WORKER or (self._simulations.subject is not None and not here):
                yield kind

    def _subject_changed(self) -> None:
        """Another model: what is under way with the old one is of no use, and all is stale."""
        subject = self._simulations.subject
        if self._job_id is not None and self._subject not in (None, subject):
            self._outdated = True
            self._jobs.cancel(self._job_id)
        if subject is not self._known_subject:
            self._known_subject = subject
            self.try_again()

    def _solve_here(self, kind: Kind, frames: NDArray[np.intp]) -> None:
        """A few frames in this process, then the next ones as soon as the window is idle.

        The worker reads the file, and the file of a project opened for looking only may be edited
        elsewhere meanwhile: what is shown must come from what was read.
        """
        document, frame = self._document, self._cursor.frame
        assert kind.solve is not None
        self._stopped = True  # where reading fails, it would fail again at once
        with document.telling():
            if kind.group != "fused" or self._measure_here():
                near = np.argsort(np.abs(frames - frame), kind="stable")[: kind.slice]
                block = np.sort(frames[near])
                patches = kind.solve(document.sequence, document.person, block)
                document.land(patches, block, document.sequence.revision)
            self._stopped = False
            QTimer.singleShot(0, self.plan_now)

    def _measure_here(self) -> bool:
        """Whether limb lengths are known; else one more stretch of frames is measured for them."""
        sequence, person = self._document.sequence, self._document.person
        if known_lengths(sequence, person) is not None:
            return True
        state = lengths_state(sequence, person)
        known, self._measuring = self._measuring, None
        if known is None or known[0] != state:
            known = state, measuring_lengths(sequence, person)
        try:
            next(known[1])
            self._measuring = known
        except StopIteration as end:
            self._document.learn_lengths(person, end.value)
        return False

    def _land(self, job: Job, event: Partial) -> None:
        if job.id != self._job_id or not self._document.is_open or self._outdated:
            return
        if event.lengths is not None:
            track = int(job.args["track"])
            if lengths_state(self._document.sequence, track) != self._sent_with:
                # Solved with the limbs of somebody who has been merged or split since.
                self._outdated = True
                self._jobs.cancel(job.id)
                return
            self._document.learn_lengths(track, event.lengths)
        self._document.land(event.patches, event.frames, job.base_revision)

    def _finished(self, state: JobState) -> None:
        if state.job.id != self._job_id:
            return
        self._job_id = None
        # What failed would fail again at once, and who cancelled does not want it at once: the
        # next edit, another person or reopening tries anew.
        self._stopped = not (isinstance(state.ending, Done) or self._outdated)
        self._outdated = False
        self._quiet.start()


def _told(subject: StoredSubject) -> dict[str, Any]:
    """What the worker has to know of a body model to follow with it."""
    engine = subject.choice.get("engine", "fast")
    told: dict[str, Any] = {"subject": subject.content, "engine": engine}
    # A megabyte that only OpenSim reads.
    return told if engine == "fast" else {**told, "osim": subject.osim}
