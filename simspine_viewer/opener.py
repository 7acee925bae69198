"""Opening recordings, projects and the demo: what exists is opened, what is new is imported."""

from __future__ import annotations

from collections.abc import Sequence as Items
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs

from pipeline.data.errors import NotEditableError, UserError
from pipeline.io.project import Project, project_path_for
from pipeline.io.project_path import SUFFIX
from pipeline.jobs.messages import Done, Failed
from simspine_viewer import dialogs
from simspine_viewer.dropping import resolved
from simspine_viewer.job_manager import JobState

if TYPE_CHECKING:
    from pipeline.io.recording import RecordingPlan
    from simspine_viewer.main_window import MainWindow


def demo_folder() -> Path:
    """Where the built-in demo is kept once it was made."""
    # "demo" was of a painted figure; whoever corrected points of it keeps them there.
    return Path(platformdirs.user_data_dir("simspine-viewer", appauthor=False)) / "demo-2"


@dataclass(frozen=True, slots=True)
class _Waiting:
    """What a job is making, and what was open when it was asked for."""

    target: Path
    open_then: Project | None


class Opener:
    """Takes a path to an open document, by way of a background job where files must be read.

    ``attended`` False: nobody is there to answer, so nothing is asked and nothing is remembered.
    """

    def __init__(self, window: MainWindow) -> None:
        self._window = window
        self._waiting: dict[int, _Waiting] = {}
        self.attended = True
        window.jobs.finished.connect(self._finished)

    @property
    def busy(self) -> bool:
        """True while a recording is being imported or the demo made."""
        return bool(self._waiting)

    def open(self, path: Path) -> None:
        """Open a project file, or a recording folder (importing it the first time)."""
        path = path.expanduser().absolute()
        if path.suffix == SUFFIX:
            self.open_project(path)
            return
        # These load decoders: not at start.
        from pipeline.io.opening import existing_project
        from pipeline.io.recording import recognise
        from simspine_viewer.plan_dialog import ask_plan

        plan = recognise(path)
        project = existing_project(plan)
        if project is not None:
            self.open_project(project)
            return
        if self.attended:
            mended = ask_plan(self._window, plan, self._window.theme)
            if mended is None:
                return
            plan = mended
        self.import_plan(plan)

    def open_dropped(self, paths: Items[Path]) -> None:
        """Open the recording that dropped files belong to, and say what was made of the others."""
        dropped = resolved(paths)
        if self.attended:
            for other in reversed(dropped.others):
                self._window.settings.remember(other)
        self.open(dropped.path)
        if dropped.remark:
            self._window.toasts.show(dropped.remark)

    def open_last(self) -> None:
        """Open what was opened last and is still there."""
        for entry in self._window.settings.recent:
            if Path(entry).exists():
                self.open(Path(entry))
                return

    def import_plan(self, plan: RecordingPlan) -> None:
        """Read a recording in the background into a new project, then open that."""
        if plan.calibration is None:
            raise UserError(
                f"“{plan.name}” has no calibration; add a calibration file (.toml or .qca.txt) "
                "to its folder."
            )
        target = project_path_for(plan.root, plan.name)
        if self._is_making(target):
            return
        args = {"plan": plan, "project": str(target), "author": self._window.settings.author}
        job = self._window.jobs.submit("import_recording", f"Read “{plan.name}”", args)
        self._wait(job, target, f"Reading “{plan.name}”…")

    def open_demo(self) -> None:
        """Open the demo, making it first if it is not there."""
        from pipeline.io.opening import existing_project  # loads decoders: not at start
        from pipeline.io.recording import recognise

        folder = demo_folder()
        if folder.is_dir():
            project = existing_project(folder)
            if project is None:
                self.import_plan(recognise(folder))
            else:
                self.open_project(project)
            return
        if not self._is_making(folder):
            job = self._window.jobs.submit(
                "demo", "Make the demo recording", {"folder": str(folder)}
            )
            self._wait(job, folder, "Making the demo recording. This happens once.")

    def _is_making(self, target: Path) -> bool:
        return any(waiting.target == target for waiting in self._waiting.values())

    def _wait(self, job: int, target: Path, text: str) -> None:
        self._waiting[job] = _Waiting(target, self._window.document.project)
        self._window.show_busy(text)

    def open_project(self, path: Path) -> None:
        """Open a project file; a locked one is offered for looking only."""
        now = self._window.document.project
        if now is not None and not now.read_only and now.path == path.resolve():
            self._window.say(f"{path.name} is open already.")
            return
        self._window.remember_position()
        try:
            project = Project.open(path, author=self._window.settings.author)
        except NotEditableError as error:
            if not dialogs.offer_read_only(self._window, error):
                return
            project = Project.open(path, read_only=True)
        self._window.document.open(project)
        self._remember(path)

    def _remember(self, path: Path) -> None:
        if self.attended:
            self._window.settings.remember(path)

    def _finished(self, state: JobState) -> None:
        waiting = self._waiting.pop(state.job.id, None)
        if waiting is None:
            return
        window, target = self._window, waiting.target
        if not isinstance(state.ending, Done):
            window.show_busy("")
            if isinstance(state.ending, Failed):
                window.say_error(state.ending.message)
        elif window.document.project is not waiting.open_then:
            # The user has gone on to something else meanwhile and is not to be torn from it.
            window.show_busy("")
            self._remember(target)
            window.say(f"{target.name} is ready; it is in Open Recent.")
        elif target.suffix == SUFFIX:
            window.guarded(lambda: self.open_project(target))
        else:
            window.guarded(self.open_demo)
