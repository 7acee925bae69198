"""The body models of the people in a project: how they are made, and the job that makes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from PySide6.QtCore import QObject, Signal

from pipeline.data.errors import UserError
from pipeline.io.stored_subject import StoredSubject, from_state, key_of, to_state
from pipeline.jobs.messages import Done
from simspine_viewer.document import Document
from simspine_viewer.job_manager import JobManager, JobState
from simspine_viewer.one_job import OneJob

#: The worker that runs OpenSim and the solver.
WORKER = "simulation"
_OPTIONS = "simulation.{}"


@dataclass(frozen=True, slots=True)
class SimulationChoice:
    """How a person is simulated: what the panel asks for, saved in the project.

    ``variant``: core (11 free coordinates of the spine) or extended (13). ``height`` m and
    ``mass`` kg are None where they are not known. ``cutoff``: of the labels' low-pass, Hz.
    ``weights``: factors of parts of the body, those that are not 1. ``model`` and ``marker_set``:
    files of a model that is not ours and of markers for it, empty for none. ``engine``: what solves
    frames in the background, ``fast`` or ``opensim``.
    """

    variant: str = "core"
    height: float | None = None
    mass: float | None = None
    cutoff: float = 6.0
    weights: Mapping[str, float] = field(default_factory=dict)
    model: str = ""
    marker_set: str = ""
    engine: str = "fast"


class Simulations(QObject):
    """Which people of the open project have a body model.

    A model is kept in the project beside the edits, not among them: it can be made anew at any
    time, and nothing that a person placed depends on it.

    Signals
    -------
    changed : a person got or lost a model, or one is being made, or what is asked for changed.
    """

    changed = Signal()

    def __init__(self, document: Document, jobs: JobManager, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self._known: dict[int, StoredSubject | None] = {}
        self._run = OneJob(jobs, self)
        self.failure = ""
        document.opened.connect(self._reopened)
        document.closed.connect(self._closing)
        document.person_changed.connect(lambda _: self._say_anew())
        self._run.ended.connect(self._finished)
        self._run.progressed.connect(self.changed)

    @property
    def job(self) -> JobState | None:
        """The job under way that makes a model."""
        return self._run.state

    @property
    def subject(self) -> StoredSubject | None:
        """The model of the annotated person."""
        if not self._document.is_open:
            return None
        track = self._document.person
        if track not in self._known:
            self._known[track] = self._stored(track)
        return self._known[track]

    @property
    def choice(self) -> SimulationChoice:
        """What is asked for, for the annotated person."""
        project = self._document.project
        stored = {} if project is None else project.state(_OPTIONS.format(self._document.person))
        return _choice_of(stored)

    @property
    def is_outdated(self) -> bool:
        """Whether something else is asked for than what the model was made with."""
        subject = self.subject
        return subject is not None and _choice_of(subject.choice) != self.choice

    def set_choice(self, choice: SimulationChoice) -> None:
        """Ask for something else, from the next simulation on."""
        if choice != self.choice and self._document.project is not None:
            self._write(_OPTIONS.format(self._document.person), asdict(choice))
            self.failure = ""
            self.changed.emit()

    def set_weights(self, weights: Mapping[str, float]) -> None:
        """Let parts of the body count more or less, at once: all frames are solved anew.

        A model that is there keeps its size. Nothing changes where the weights cannot be used.
        """
        from pipeline.kinematics.part_weights import check_part_weights, with_part_weights
        from pipeline.kinematics.subject import subject_bytes, subject_from

        kept = {part: weight for part, weight in weights.items() if weight != 1.0}
        document, project = self._document, self._document.project
        if project is None or self.job is not None or kept == self.choice.weights:
            return
        stored = self.subject
        try:
            check_part_weights(kept)
            if stored is not None:
                content = with_part_weights(subject_from(stored.content, project.path), kept)
                choice = {**stored.choice, "weights": kept}
                stored = replace(stored, content=subject_bytes(content), choice=choice)
        except UserError as error:
            self.failure = str(error)
            self.changed.emit()
            return
        self.set_choice(replace(self.choice, weights=kept))
        if stored is not None:
            self._keep(document.person, stored)

    def start(self) -> None:
        """Make a model of the annotated person, or make it anew; one at a time."""
        document, project = self._document, self._document.project
        if project is None or self.job is not None:
            return
        self.failure = ""
        args = {"project": str(project.path), "track": document.person, **asdict(self.choice)}
        title = f"Scale the body model to person {document.person + 1}"
        self._run.start("learn_subject", title, args, document.sequence.revision, WORKER)
        self.changed.emit()

    def cancel(self) -> None:
        """Stop making a model; the one that was there stays."""
        self._run.cancel()

    def forget(self) -> None:
        """Take the annotated person's model out of the project."""
        self._keep(self._document.person, None)

    def _finished(self, state: JobState) -> None:
        if isinstance(state.ending, Done) and self._document.is_open:
            args, result = state.job.args, state.ending.result
            choice = asdict(_choice_of(args))
            made = StoredSubject(result["subject"], result["osim"], choice, result["report"])
            self._keep(int(args["track"]), made)
        else:
            self.failure = state.text
            self.changed.emit()

    def _keep(self, track: int, subject: StoredSubject | None) -> None:
        self._write(key_of(track), to_state(subject))
        self._known[track] = subject
        self._document.forget_derived("kinematics", track)
        self.changed.emit()

    def _write(self, key: str, value: Any) -> None:
        project = self._document.project
        if project is None:
            return
        try:
            project.set_state(key, value)
        except UserError as error:
            self._document.failed.emit(str(error))

    def _stored(self, track: int) -> StoredSubject | None:
        project = self._document.project
        if project is not None:
            with self._document.telling():
                return from_state(project.state(key_of(track)), track, project.path)
        return None

    def _reopened(self) -> None:
        self._known.clear()
        self._say_anew()

    def _say_anew(self) -> None:
        self.failure = ""
        self.changed.emit()

    def _closing(self) -> None:
        self._run.drop()
        self._known.clear()
        self.changed.emit()


def _choice_of(stored: Any) -> SimulationChoice:
    known = {field.name for field in fields(SimulationChoice)}
    values = stored if isinstance(stored, dict) else {}
    told = {name: value for name, value in values.items() if name in known}
    if not isinstance(told.get("weights", {}), dict):
        del told["weights"]
    return SimulationChoice(**told)
