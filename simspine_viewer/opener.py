"""Opening recordings, projects and the demo: what exists is opened, what is new is imported."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs

from pipeline.data.errors import NotEditableError, UserError
from pipeline.io.opening import SUFFIX, existing_project
from pipeline.io.project import Project, project_path_for
from pipeline.io.recording import RecordingPlan, recognise
from pipeline.jobs.messages import Done, Failed
from simspine_viewer import dialogs
from simspine_viewer.job_manager import JobState
from simspine_viewer.plan_dialog import ask_plan

if TYPE_CHECKING:
    from simspine_viewer.main_window import MainWindow


def demo_folder() -> Path:
    """Where the built-in demo is kept once it was made."""
    return Path(platformdirs.user_data_dir("simspine-viewer", appauthor=False)) / "demo"


class Opener:
    """Takes a path to an open document, by way of a background job where files must be read."""

    def __init__(self, window: MainWindow) -> None:
        self._window = window
        self._waiting: dict[int, Path] = {}
        self.ask = True
        window.jobs.finished.connect(self._finished)

    @property
    def busy(self) -> bool:
        """True while a recording is being imported or the demo made."""
        return bool(self._waiting)

    def open(self, path: Path) -> None:
        """Open a project file, or a recording folder (importing it the first time)."""
        path = path.expanduser().absolute()
        project = existing_project(path)
        if project is not None:
            self.open_project(project)
            return
        plan = recognise(path)
        if self.ask:
            mended = ask_plan(self._window, plan, self._window.theme)
            if mended is None:
                return
            plan = mended
        self.import_plan(plan)

    def import_plan(self, plan: RecordingPlan) -> None:
        """Read a recording in the background into a new project, then open that."""
        if plan.calibration is None:
            raise UserError(
                f"{plan.name} has no calibration; add a calibration file (.toml or .qca.txt) "
                "to its folder."
            )
        target = project_path_for(plan.root, plan.name)
        if target in self._waiting.values():
            return
        args = {"plan": plan, "project": str(target), "author": self._window.settings.author}
        job = self._window.jobs.submit("import_recording", f"Read {plan.name}", args)
        self._waiting[job] = target
        self._window.show_busy(f"Reading {plan.name}…")

    def open_demo(self) -> None:
        """Open the demo, making it first if it is not there."""
        folder = demo_folder()
        if folder.is_dir():
            asked, self.ask = self.ask, False
            try:
                self.open(folder)
            finally:
                self.ask = asked
            return
        if folder in self._waiting.values():
            return
        job = self._window.jobs.submit("demo", "Make the demo recording", {"folder": str(folder)})
        self._waiting[job] = folder
        self._window.show_busy("Making the demo recording. This happens once.")

    def open_project(self, path: Path) -> None:
        """Open a project file; a locked one is offered for looking only."""
        now = self._window.document.project
        if now is not None and not now.read_only and now.path == path.resolve():
            self._window.say(f"{path.name} is open already.")
            return
        try:
            project = Project.open(path, author=self._window.settings.author)
        except NotEditableError as error:
            if not dialogs.offer_read_only(self._window, error):
                return
            project = Project.open(path, read_only=True)
        self._window.remember_position()
        self._window.document.open(project)
        self._window.settings.remember(path)

    def _finished(self, state: JobState) -> None:
        target = self._waiting.pop(state.job.id, None)
        if target is None:
            return
        if isinstance(state.ending, Failed):
            self._window.show_busy("")
            self._window.say_error(state.ending.message)
        elif not isinstance(state.ending, Done):
            self._window.show_busy("")
        elif target.suffix == SUFFIX:
            self._window.commands.guarded(lambda _: self.open_project(target))
        else:
            self._window.commands.guarded(lambda c: c.open_demo())
