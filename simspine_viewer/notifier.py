"""Tells somebody who is elsewhere that long work has ended, and how far it is."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject

from pipeline.jobs.messages import Cancelled, Failed
from simspine_viewer import desktop
from simspine_viewer.job_manager import WRITING, JobState
from simspine_viewer.toasts import Act

if TYPE_CHECKING:
    from simspine_viewer.main_window import MainWindow

LONG_S = 10.0  # work that takes longer is not waited for
AGAIN = WRITING  # tasks whose arguments still mean the same later
# What the program does by itself, in many small jobs; nobody waits for one of them.
UNASKED = ("make_proxy", "triangulate", "fuse", "list_models")


class Notifier(QObject):
    """Watches the jobs of a window; ``long_s`` is how long one takes that is told of."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._began: dict[int, float] = {}
        self.long_s = LONG_S
        window.jobs.changed.connect(self._changed)
        window.jobs.finished.connect(self._finished)
        window.installEventFilter(self)

    def _changed(self) -> None:
        now = time.monotonic()
        for state in self._window.jobs.running:
            self._began.setdefault(state.job.id, now)
        if self._window.isMinimized():
            self._window.refresh_title()

    def progress(self) -> str:
        """How far the work under way is, for the title of a minimised window."""
        running = self._window.jobs.running
        if not running or not self._window.isMinimized():
            return ""
        return f"{100 * running[0].fraction:.0f} % {running[0].job.title or running[0].job.task}"

    def _finished(self, state: JobState) -> None:
        window = self._window
        took = time.monotonic() - self._began.pop(state.job.id, time.monotonic())
        window.refresh_title()
        failed = isinstance(state.ending, Failed)
        if took < self.long_s or isinstance(state.ending, Cancelled) or window.isActiveWindow():
            return
        if state.job.task in UNASKED and not failed:
            return
        name = state.job.title or state.job.task
        text = f"{name}: {state.text}" if failed else f"{name}: done."
        acts = []
        if state.files:
            shown = Path(state.files[-1])
            acts.append(Act("Show File", lambda: desktop.show_file(shown)))
        if failed and state.job.task in AGAIN:
            acts.append(Act("Retry", lambda: self._retry(state)))
        window.toasts.show(text, *acts, sticky=True, bad=failed)
        if window.settings.notify:
            desktop.tell(window, "SIMSPINE Viewer", text)

    def _retry(self, state: JobState) -> None:
        job, document = state.job, self._window.document
        revision = document.sequence.revision if document.is_open else 0
        self._window.jobs.submit(job.task, job.title, job.args, revision)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.WindowStateChange:
            self._window.refresh_title()
        return False
