"""What the window says about a crash: one that just did not happen, and one before this start."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from simspine_viewer.crash_guard import Crash, CrashGuard
from simspine_viewer.toasts import Act

if TYPE_CHECKING:
    from simspine_viewer.main_window import MainWindow


def _show(window: MainWindow, report: str) -> None:
    from simspine_viewer.diagnostics_dialog import show_diagnostics  # not at start

    show_diagnostics(window, report)


class Recovery(QObject):
    """Joins a window and the crash guard of its program."""

    _happened = Signal(str)  # errors come from any thread; words are said in the window's
    _sentence = Signal(str)

    def __init__(self, window: MainWindow, guard: CrashGuard) -> None:
        super().__init__(window)
        self._window, self._guard = window, guard
        self._happened.connect(self._say)
        guard.on_error = self._happened.emit
        self._sentence.connect(window.document.tell)
        guard.on_sentence = self._sentence.emit
        window.document.opened.connect(self._note_project)
        window.document.closed.connect(lambda: guard.set_project(None))

    def _note_project(self) -> None:
        project = self._window.document.project
        self._guard.set_project(project.path if project else None)

    def _say(self, report: str) -> None:
        """Something went wrong inside; the same is not said again while it is still there."""
        text = "Something went wrong in the program. Your edits are safe: each is on disk."
        if any(toast.label.text() == text for toast in self._window.toasts.shown):
            return
        self._window.toasts.show(
            text, Act("Show Report", lambda: _show(self._window, report)),
            sticky=True, bad=True,
        )  # fmt: skip

    def offer(self) -> None:
        """Tell of the last session that ended by itself, if there was one."""
        crashes = self._guard.crashes()
        if crashes:
            self._offer(crashes[0])

    def _offer(self, crash: Crash) -> None:
        window, acts = self._window, []
        text = "SIMSPINE Viewer ended unexpectedly the last time."
        if crash.project is not None and crash.project.exists():
            project = crash.project
            until = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(crash.saved_until))
            text += f" Everything up to {until} is saved in {project.name}."
            acts.append(Act("Reopen Project", lambda: window.open_path(project)))
        acts.append(Act("Show Report", lambda: _show(window, crash.report)))
        window.toasts.show(text, *acts, sticky=True)
