"""Finding a person's keypoints with a pose model: the models there are, and the run under way."""

from __future__ import annotations

from collections.abc import Sequence as Items
from typing import Any

from PySide6.QtCore import QObject, Signal

from pipeline.data.detection_landing import Landing
from pipeline.jobs.messages import Detected, Done, Event, Failed, Pace, Remark
from simspine_viewer.document import Document
from simspine_viewer.job_manager import JobManager, JobState
from simspine_viewer.one_job import OneJob

#: The worker that has the networks.
WORKER = "models"
TASK = "detect"


class Models(QObject):
    """The pose models there are, as the worker lists them, and what is done with their files.

    Signals
    -------
    changed : the list is another, or was asked for.
    progressed : there is more to say of what is being done.
    failed(sentence) : a file could not be brought, added, checked or removed.
    said(sentence) : one was.
    """

    changed = Signal()
    progressed = Signal()
    failed = Signal(str)
    said = Signal(str)

    def __init__(self, jobs: JobManager, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._jobs = jobs
        self.entries: tuple[dict[str, Any], ...] = ()
        self._listing: int | None = None
        self._known = False
        self._work: dict[int, str] = {}
        jobs.finished.connect(self._finished)
        jobs.changed.connect(self._progressed)

    @property
    def listing(self) -> bool:
        """Whether the list has been asked for and has not come yet."""
        return self._listing is not None

    @property
    def there(self) -> tuple[dict[str, Any], ...]:
        """Those that find keypoints and whose weights are on this machine."""
        return tuple(
            entry for entry in self.entries if entry["state"] == "there" and entry["kind"] == "pose"
        )

    def job(self) -> JobState | None:
        """What is being done with a model's file."""
        return next((s for s in self._jobs.running if s.job.id in self._work), None)

    def want(self) -> None:
        """List them, if that was not done yet."""
        if not self._known:
            self.list()

    def list(self) -> None:
        """Ask for the list."""
        if self._listing is None:
            self._listing = self._jobs.submit("list_models", "List models", {}, kind=WORKER)
            self._known = True
            self.changed.emit()

    def get(self, entry: dict[str, Any], *, accept_licence: bool) -> None:
        """Bring a model's weights to this machine; the job can be cancelled and gone on with."""
        args = {"name": entry["name"], "accept_licence": accept_licence}
        self._do("get_model", f"Get {entry['title']}", args, f"{entry['title']} is here now.")

    def add(self, file: str) -> None:
        """Take a copy of a file that a person has."""
        self._do("add_model", f"Add {file}", {"file": file}, f"{file} was added.")

    def check(self, entry: dict[str, Any]) -> None:
        """See whether a model's file is what it was."""
        args = {"name": entry["name"]}
        self._do("check_model", f"Check {entry['title']}", args, f"{entry['title']} is unchanged.")

    def remove(self, entry: dict[str, Any]) -> None:
        """Delete a model's file."""
        args = {"name": entry["name"]}
        self._do("remove_model", f"Remove {entry['title']}", args, f"{entry['title']} was removed.")

    def cancel(self) -> None:
        """Stop what is being done; a part that came is kept."""
        for job in tuple(self._work):
            self._jobs.cancel(job)

    def _do(self, task: str, title: str, args: dict[str, Any], done: str) -> None:
        self._work[self._jobs.submit(task, title, args, kind=WORKER)] = done
        self.changed.emit()

    def _progressed(self) -> None:
        if self._work:
            self.progressed.emit()

    def _finished(self, state: JobState) -> None:
        if state.job.id == self._listing:
            self._listing = None
            if isinstance(state.ending, Done):
                self.entries = tuple(state.ending.result["models"])
            self.changed.emit()
        elif state.job.id in self._work:
            done = self._work.pop(state.job.id)
            if isinstance(state.ending, Failed):
                self.failed.emit(state.ending.message)
            elif isinstance(state.ending, Done):
                self.said.emit(done)
            self.list()


class Detecting(QObject):
    """Runs a model over pictures of the annotated person; what it finds is one undo step.

    Signals
    -------
    changed : a run began, or is over.
    progressed : there is more to say of it.
    said(sentence) : what the user should know of it.
    failed(sentence) : why it ended early; what was found until then is kept.
    """

    changed = Signal()
    progressed = Signal()
    said = Signal(str)
    failed = Signal(str)

    def __init__(self, document: Document, jobs: JobManager, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self._run = OneJob(jobs, self)
        self._found = Landing()
        self._title = ""
        self.pace: Pace | None = None
        self._run.told.connect(self._told)
        self._run.ended.connect(self._finished)
        self._run.progressed.connect(self.progressed)
        document.closed.connect(self._closing)

    @property
    def job(self) -> JobState | None:
        """The run under way."""
        return self._run.state

    @property
    def text(self) -> str:
        """How far the run is, and where it runs."""
        if self.job is None:
            return ""
        return self.job.text if self.pace is None else f"{self.job.text} on {self.pace.device}"

    def start(
        self,
        model: str,
        title: str,
        views: Items[str] | None,
        frames: tuple[int, int],
        boxes: Items[tuple[float, ...]] = (),
    ) -> None:
        """Look for the annotated person; one run at a time.

        Parameters
        ----------
        model, title : str
            Its name or file, and what people call it.
        views : sequence of str or None
            Names; None for all that have a video.
        frames : (int, int)
            The first and the one after the last.
        boxes : sequence of (frame, view, left, top, right, bottom)
            Where a person says that the annotated person is, px.
        """
        document, project = self._document, self._document.project
        if project is None or self.job is not None:
            return
        args: dict[str, Any] = {
            "project": str(project.path),
            "track": document.person,
            "model": model,
            "views": None if views is None else list(views),
            "frames": frames,
            "boxes": list(boxes),
        }
        self._found, self._title, self.pace = Landing(), title, None
        self._run.start(TASK, f"Detect with {title}", args, document.sequence.revision, WORKER)
        self.changed.emit()

    def cancel(self) -> None:
        """Stop; what was found is kept."""
        self._run.cancel()

    def _told(self, event: Event) -> None:
        if isinstance(event, Detected):
            if self._found.add(event.track, event.frames, event.views, event.points):
                self._keep()
        elif isinstance(event, Pace):
            self.pace = event
        elif isinstance(event, Remark):
            self.said.emit(event.text)

    def _keep(self) -> None:
        """Make what was found so far an undo step."""
        if self._document.is_open:
            patches, place = self._found.patches(self._document.sequence)
            self._document.commit(f"Detect with {self._title}", patches, place)

    def _finished(self, state: JobState) -> None:
        self._keep()
        if isinstance(state.ending, Done):
            self.said.emit(_came_to(state.ending.result))
        elif isinstance(state.ending, Failed):
            self.failed.emit(state.ending.message)
        self.changed.emit()

    def _closing(self) -> None:
        self._run.drop()
        self._found = Landing()
        self.changed.emit()


def _came_to(result: dict[str, Any]) -> str:
    found, asked = result["found"], result["asked"]
    pictures = "picture" if asked == 1 else "pictures"
    where = f"{result['model']} on {result['device']}, {result['per_second']:.1f} per second"
    if not found:
        return f"Nobody was found in {asked} {pictures} ({where})."
    return f"The person was found in {found} of {asked} {pictures} ({where})."
