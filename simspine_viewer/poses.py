"""Poses of the annotated person's body model: those that were solved, and live ones in a drag."""

from __future__ import annotations

import queue
import threading
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, QTimer

from pipeline.data.errors import UserError
from pipeline.data.patch import Change
from pipeline.data.source import Source
from pipeline.io.stored_subject import StoredSubject
from pipeline.jobs.messages import Job
from simspine_viewer.document import Document
from simspine_viewer.job_manager import JobManager
from simspine_viewer.pose import Pose
from simspine_viewer.simulations import Simulations

if TYPE_CHECKING:
    from pipeline.kinematics.ik import LiveSolver
    from pipeline.kinematics.subject import Subject

FloatArray = NDArray[np.float64]

# While a marker is dragged: median 0.05 mm, 99th percentile 1 mm from the exact minimum.
_TOLERANCE = 1e-4
_POLL_MS = 20

_Made: TypeAlias = "tuple[StoredSubject, Subject | None, LiveSolver | None, str]"


class Poses(QObject):
    """What ``Document.pose_at`` asks.

    A subject and its solver are made ready in a thread, since loading the compiled solver takes
    half a second. That waits until the worker has compiled it, which takes much longer, once, on a
    new computer.
    """

    def __init__(
        self,
        document: Document,
        simulations: Simulations,
        jobs: JobManager,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._document, self._simulations = document, simulations
        self._loading: StoredSubject | None = None
        self._ready_for: StoredSubject | None = None
        self._refused: StoredSubject | None = None
        self._subject: Subject | None = None
        self._solver: LiveSolver | None = None
        self._last: FloatArray | None = None
        self._folders: tuple[Path, ...] = ()
        self._cached: tuple[object, Pose | None] = (None, None)
        document.pose_source = self.at
        document.changed.connect(self._changed)
        document.preview_changed.connect(self._preview_changed)
        simulations.changed.connect(self._subject_changed)
        jobs.partial.connect(self._worker_is_ready)
        # The thread may outlive the window, so it is asked: it must not speak to a QObject itself.
        self._made: queue.SimpleQueue[_Made] = queue.SimpleQueue()
        self._poll = QTimer(self)
        self._poll.setInterval(_POLL_MS)
        self._poll.timeout.connect(self._ask)

    @property
    def ready(self) -> bool:
        """Whether poses can be solved in this process."""
        return self._subject is not None and self._simulations.subject is self._ready_for

    @property
    def subject(self) -> Subject | None:
        """The annotated person's subject; None until it is ready."""
        return self._subject if self.ready else None

    def at(self, frame: int) -> Pose | None:
        """The pose of a frame: in a drag, or as solved, or solved now where that is stale."""
        if not self.ready or not self._document.is_open:
            return None
        document, sequence = self._document, self._document.sequence
        preview = document.preview
        if preview is not None and preview.frame != frame:
            preview = None
        state = (
            frame,
            document.person,
            preview,
            sequence.revision,
            sequence.layer("kinematics.coordinates", document.person).n_writes,
            sequence.layer("fused.xyz", document.person).n_writes,
        )
        if self._cached[0] != state:
            with document.telling():
                self._cached = state, self._solved(frame) if preview is None else self._live(frame)
        return self._cached[1]

    def _solved(self, frame: int) -> Pose | None:
        document, rows = self._document, np.array([frame])
        stamps = document.sequence.stamps
        if not stamps.stale_at("kinematics", document.person, rows)[0]:
            stored = self._stored(frame)
            if stored is not None:
                return self._pose(stored, live=False)
        return self._now(frame, live=False)

    def _live(self, frame: int) -> Pose | None:
        return self._now(frame, live=True)

    def _now(self, frame: int, *, live: bool) -> Pose | None:
        """Solved from the points as they are, from a pose near by."""
        assert self._solver is not None
        document = self._document
        points = document.points_at(frame)
        known = np.isfinite(points.fused[:, :1])
        markers = np.where(known, points.fused, points.xyz)
        sigma = np.where(known[:, 0], points.fused_sigma, points.sigma) / 1000.0
        by_hand = np.isin(points.source, (Source.MANUAL_2D, Source.MANUAL_3D))
        preview = document.preview
        if live and preview is not None:
            dragged = preview.keypoint
            markers, by_hand = markers.copy(), by_hand.copy()
            markers[dragged], by_hand[dragged] = preview.xyz, True
            sigma[dragged] = preview.sigma / 1000.0 if preview.sigma > 0.0 else np.nan
        start = self._last if live and self._last is not None else self._stored(frame)
        solved = self._solver.solve(
            markers,
            start if start is not None else self._last,
            self._factors(markers, sigma, by_hand),
        )
        return self._pose(solved, live=live) if np.isfinite(solved).all() else None

    def _factors(
        self, markers: FloatArray, sigma: FloatArray, by_hand: NDArray[np.bool_]
    ) -> FloatArray:
        """(K,) what the points of one frame weigh more or less than usual, as the worker has it."""
        from pipeline.kinematics.measured import Measured, trust_of
        from pipeline.kinematics.subject import weight_factors

        assert self._subject is not None
        manual = np.where(by_hand, Source.MANUAL_3D, Source.NONE).astype(np.uint8)
        names = self._subject.model.marker_names
        one = Measured(names, np.zeros(1), markers[None], sigma[None], manual[None], 1.0)
        factors: FloatArray = weight_factors(self._subject, trust_of(one))[0]
        return factors

    def _stored(self, frame: int) -> FloatArray | None:
        """Coordinates as last solved in the worker, even if something changed since."""
        assert self._subject is not None
        document = self._document
        row = document.sequence.read("kinematics.coordinates", np.array([frame]), document.person)
        values = np.asarray(row[0, : self._subject.model.n_coordinates], np.float64)
        return values if np.isfinite(values).all() else None

    def _pose(self, coordinates: FloatArray, *, live: bool) -> Pose:
        from pipeline.kinematics.follow import markers_of
        from pipeline.kinematics.forward import body_transforms

        assert self._subject is not None
        self._last = coordinates
        poses = body_transforms(self._subject.model, coordinates[None])[0]
        markers = markers_of(self._subject, coordinates[None])[0]
        return Pose(self._subject.model, poses, coordinates, markers, live, self._folders)

    def _changed(self, change: Change) -> None:
        if change.group == "kinematics" and change.track == self._document.person and self.ready:
            self._document.pose_changed.emit()

    def _preview_changed(self) -> None:
        if self.ready:
            self._document.pose_changed.emit()

    def _subject_changed(self) -> None:
        """Poses go with their subject; of another one, they come when its solver is ready."""
        subject = self._simulations.subject
        if subject is self._ready_for:
            return
        if self._ready_for is not None:
            self._ready_for = self._subject = self._solver = self._last = None
            self._cached = None, None
            self._document.pose_changed.emit()
        project = self._document.project
        if subject is not None and project is not None and project.read_only:
            self._load(subject)  # there no worker follows

    def _worker_is_ready(self, job: Job, _event: object) -> None:
        subject = self._simulations.subject
        if job.task == "follow" and subject is not None:
            self._load(subject)

    def _load(self, subject: StoredSubject) -> None:
        """Make ready in a thread, once for each subject."""
        if subject in (self._loading, self._ready_for, self._refused):
            return
        self._loading = subject
        project = self._document.project
        where = Path() if project is None else project.path
        names, made = self._document.sequence.info.skeleton.markers, self._made

        def work() -> None:
            try:
                made.put((subject, *_made_ready(subject, names, where), ""))
            except UserError as error:
                made.put((subject, None, None, str(error)))

        threading.Thread(target=work, name="live-solver", daemon=True).start()
        self._poll.start()

    def _ask(self) -> None:
        while not self._made.empty():
            self._take(*self._made.get())
        if self._loading is None:
            self._poll.stop()

    def _take(
        self, stored: StoredSubject, subject: Subject | None, solver: LiveSolver | None, why: str
    ) -> None:
        if self._loading is stored:
            self._loading = None
        if why:
            self._refused = stored
            self._document.tell(why)
            return
        if self._document.is_open and self._simulations.subject is stored:
            self._ready_for, self._subject, self._solver = stored, subject, solver
            self._last = None
            model = str(stored.choice.get("model", ""))
            self._folders = (Path(model).parent,) if model else ()
            self._document.pose_changed.emit()


def _made_ready(
    stored: StoredSubject, names: tuple[str, ...], where: Path
) -> tuple[Subject, LiveSolver]:
    from pipeline.kinematics.forward import marker_positions
    from pipeline.kinematics.ik import LiveSolver
    from pipeline.kinematics.subject import subject_from

    subject = subject_from(stored.content, where)
    if subject.model.marker_names != names:
        raise UserError(f"The body model in {where} was made for other keypoints; simulate anew.")
    solver = LiveSolver(subject.model, subject.ik_options(tolerance=_TOLERANCE))
    neutral = subject.model.default
    solver.solve(marker_positions(subject.model, neutral[None])[0], neutral)
    return subject, solver
