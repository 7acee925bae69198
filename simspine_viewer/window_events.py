"""What the window does when the recording, the clock or a job says that something happened."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QPoint, Qt, QTimer
from PySide6.QtWidgets import QMenu

from pipeline.data.history import Place
from pipeline.jobs.messages import Done, Failed
from simspine_viewer import remembered_place
from simspine_viewer.commands import aids, timeline
from simspine_viewer.job_manager import WRITING, JobState
from simspine_viewer.menus import add_commands
from simspine_viewer.training_set_dialog import told
from simspine_viewer.window_docks import fit_below

if TYPE_CHECKING:
    from simspine_viewer.main_window import MainWindow


class WindowEvents(QObject):
    """Connects the parts of a window, which know nothing of each other."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        document, refresh = window.document, window.table.refresh
        document.opened.connect(self._opened)
        document.closed.connect(self._closed)
        document.history_changed.connect(refresh)
        document.person_changed.connect(lambda _: refresh())
        document.place_visited.connect(self._visit)
        document.failed.connect(window.say_error)
        document.unreadable.connect(lambda text: window.toasts.show(text, sticky=True, bad=True))
        window.selection.changed.connect(refresh)
        window.editor.placing_changed.connect(lambda _: refresh())
        window.time.moved.connect(self._moved)
        window.time.playing_changed.connect(lambda _: refresh())
        window.loader.frames_ready.connect(window.grid.set_pictures)
        window.loader.failed.connect(lambda _, sentence: window.say(sentence))
        window.jobs.changed.connect(self._jobs_changed)
        window.jobs.finished.connect(self._job_finished)
        window.detecting.said.connect(window.say)
        window.detecting.failed.connect(window.say_error)
        window.editor.refused.connect(window.say)
        window.grid.adjust_requested.connect(lambda view: aids.adjust(window, view))
        window.grid.person_clicked.connect(document.set_person)
        window.grid.menu_requested.connect(self._context_menu)
        window.welcome.chosen.connect(window.open_path)
        window.frame_range.changed.connect(refresh)
        window.aids.markers.changed.connect(refresh)
        window.timeline.menu_requested.connect(lambda at: timeline.context_menu(window, at))
        window.timeline.lanes_changed.connect(lambda *_: window.settings.save())
        window.timeline.height_changed.connect(self._fit_below)
        window.docks["curves"].visibilityChanged.connect(self._fit_below)
        window.curves.save_requested.connect(lambda: timeline.ask_save_curves(window))
        window.markers_panel.edit_requested.connect(lambda at: timeline.edit_note(window, at))

    def _opened(self) -> None:
        from pipeline.io.opening import project_findings  # loads decoders: not at start

        window = self._window
        sequence, project = window.document.sequence, window.document.project
        assert project is not None
        info = sequence.info
        window.time.set_range(info.n_frames, info.fps)
        window.grid.set_views(len(info.cameras))
        window.loader.set_recording(info.videos, sequence.syncs)
        findings = project_findings(project)
        window.findings_panel.set_findings(findings)
        title = f"Findings {len(findings)}" if findings else "Findings"
        window.docks["findings"].setWindowTitle(title)
        window.welcome.set_busy("")
        window.stack.setCurrentWidget(window.splitter)
        remembered_place.restore(window)
        window.loader.request(window.time.frame)
        window.refresh_title()
        window.table.refresh()
        where = " for looking only" if project.read_only else ""
        window.say(f"Opened {project.path.name}{where}.")

    def _closed(self) -> None:
        window = self._window
        window.editor.set_placing(False)
        window.loader.set_recording((), ())
        window.time.set_range(0, 30.0)
        window.grid.set_views(0)
        window.findings_panel.set_findings(())
        window.docks["findings"].setWindowTitle("Findings")
        window.stack.setCurrentWidget(window.welcome)
        window.welcome.reload()
        QTimer.singleShot(0, window.refresh_title)
        QTimer.singleShot(0, window.table.refresh)

    def _fit_below(self) -> None:
        fit_below(self._window)

    def _moved(self, frame: int) -> None:
        if self._window.document.is_open:
            self._window.loader.request(frame)

    def _visit(self, place: Place) -> None:
        """Go where an undone or redone step was made."""
        window = self._window
        if place.frame >= 0:
            window.time.pause()
            window.time.set_frame(place.frame)
        if place.keypoint >= 0:
            window.selection.set(place.keypoint, place.view if place.view >= 0 else None)

    def _jobs_changed(self) -> None:
        running = self._window.jobs.running
        if running and self._window.opener.busy:
            self._window.welcome.set_progress(running[0].fraction)

    def _job_finished(self, state: JobState) -> None:
        window = self._window
        if state.job.task in WRITING and isinstance(state.ending, Failed):
            window.say_error(state.ending.message)
        elif state.job.task == "training_set" and isinstance(state.ending, Done):
            window.say(f"{state.job.title}: {told(state.ending.result)}")
        elif state.job.task in WRITING:
            window.say(f"{state.job.title}: {state.text}.")
        window.table.refresh()

    def _context_menu(self, position: QPoint) -> None:
        window = self._window
        menu = QMenu(window)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        add_commands(menu, window.table, "Points")
        window.table.refresh()
        menu.popup(position)
