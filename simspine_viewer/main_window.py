"""The main window: builds the widgets, connects them, and says things to the user."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import (
    QApplication,
    QDockWidget,
    QMainWindow,
    QMenu,
    QMessageBox,
    QSplitter,
    QStackedWidget,
    QWidget,
)

from pipeline.data.errors import UserError
from pipeline.data.history import Place
from pipeline.io.opening import project_findings
from pipeline.jobs.messages import Failed
from simspine_viewer import dialogs
from simspine_viewer import settings as store
from simspine_viewer.actions import ActionTable
from simspine_viewer.commands import file
from simspine_viewer.document import Document
from simspine_viewer.editor import Editor
from simspine_viewer.frame_loader import FrameLoader
from simspine_viewer.inspector import Inspector
from simspine_viewer.job_manager import JobManager, JobState
from simspine_viewer.job_planner import JobPlanner
from simspine_viewer.menus import add_commands, build_menus, build_toolbar
from simspine_viewer.opener import Opener
from simspine_viewer.pane_grid import PaneGrid
from simspine_viewer.panels import FindingsPanel, HistoryPanel, JobPanel
from simspine_viewer.people_panel import PeoplePanel
from simspine_viewer.quality_monitor import QualityMonitor
from simspine_viewer.selection import Selection
from simspine_viewer.settings import Settings
from simspine_viewer.status_bar import StatusBar
from simspine_viewer.theme import Theme, theme_for
from simspine_viewer.time_cursor import TimeCursor
from simspine_viewer.timeline import Timeline
from simspine_viewer.view3d import View3D
from simspine_viewer.welcome import Welcome

STATUS_MS = 6000
TITLE_BAR = 40  # what a window manager adds above

log = logging.getLogger(__name__)


class MainWindow(QMainWindow):
    """Everything on the screen. Panes know the document, cursor and selection, never each other."""

    settings: Settings
    document: Document
    time: TimeCursor
    selection: Selection
    editor: Editor
    jobs: JobManager
    planner: JobPlanner
    opener: Opener
    table: ActionTable
    grid: PaneGrid
    view3d: View3D
    timeline: Timeline
    inspector: Inspector

    error_said = Signal(str)

    def __init__(
        self,
        app: QApplication,
        settings: Settings,
        jobs: JobManager | None = None,
        theme: Theme | None = None,
    ) -> None:
        super().__init__()
        self.app, self.settings = app, settings
        self.setObjectName("main")
        self.setWindowTitle("SIMSPINE Viewer")
        self.setAcceptDrops(True)
        room = app.primaryScreen().availableGeometry()
        self.resize(min(1500, room.width()), min(900, room.height() - TITLE_BAR))
        self.document = Document(self)
        self.time = TimeCursor(self)
        self.selection = Selection(self)
        self.editor = Editor(self.document, self.time, self.selection, self)
        self.jobs = jobs or JobManager(parent=self)
        self.planner = JobPlanner(self.document, self.time, self.jobs, self)
        self.monitor = QualityMonitor(self.document, self)
        self.loader = FrameLoader(self)
        self.time.is_ready = lambda: not self.loader.busy
        self._build_centre()
        self._build_docks()
        self.opener = Opener(self)
        self.table = ActionTable(self)
        build_menus(self, self.table, self.docks.values(), self.settings, self.open_path)
        self.addToolBar(build_toolbar(self.table))
        self.status = StatusBar(self.document, self.time, self.selection, self.editor, self.monitor)
        self.setStatusBar(self.status)
        self._connect()
        self.theme = theme or theme_for(settings.theme, app)
        self.set_theme(self.theme)
        self.grid.set_epipolar(settings.show_epipolar)
        self.grid.set_names(settings.show_names)
        geometry, state = store.load_layout()
        if geometry is not None:
            self.restoreGeometry(geometry)
        if state is not None:
            self.restoreState(state)
        self.table.refresh()

    def _build_centre(self) -> None:
        self.grid = PaneGrid(self.document, self.time, self.selection, self.editor)
        self.view3d = View3D(self.document, self.time, self.selection, self.editor)
        self.splitter = QSplitter(Qt.Orientation.Horizontal)
        self.splitter.addWidget(self.grid)
        self.splitter.addWidget(self.view3d)
        self.splitter.setStretchFactor(0, 5)
        self.splitter.setStretchFactor(1, 3)
        self.splitter.setChildrenCollapsible(False)
        self.welcome = Welcome(
            self.settings,
            lambda: self.guarded(lambda: file.ask_open_folder(self)),
            lambda: self.guarded(self.opener.open_demo),
        )
        self.stack = QStackedWidget()
        self.stack.addWidget(self.welcome)
        self.stack.addWidget(self.splitter)
        self.setCentralWidget(self.stack)

    def _build_docks(self) -> None:
        self.timeline = Timeline(self.document, self.time, self.settings)
        self.inspector = Inspector(self.document, self.time, self.selection, self.settings)
        self.history_panel = HistoryPanel(self.document)
        self.job_panel = JobPanel(self.jobs)
        self.people_panel = PeoplePanel(self.document, self.time)
        self.findings_panel = FindingsPanel()
        right, bottom = (
            Qt.DockWidgetArea.RightDockWidgetArea,
            Qt.DockWidgetArea.BottomDockWidgetArea,
        )
        self.docks: dict[str, QDockWidget] = {}
        for name, title, widget in (
            ("inspector", "Inspector", self.inspector),
            ("people", "People", self.people_panel),
            ("findings", "Notes", self.findings_panel),
            ("history", "History", self.history_panel),
            ("jobs", "Jobs", self.job_panel),
        ):
            self._add_dock(name, title, widget, right)
        for name in ("people", "findings", "history", "jobs"):
            self.tabifyDockWidget(self.docks["inspector"], self.docks[name])
        self.docks["inspector"].raise_()
        dock = self._add_dock("timeline", "Timeline", self.timeline, bottom)
        dock.setTitleBarWidget(QWidget())  # the lanes name themselves; no space for a title
        self.resizeDocks([self.docks["inspector"]], [330], Qt.Orientation.Horizontal)

    def _add_dock(
        self, name: str, title: str, widget: QWidget, area: Qt.DockWidgetArea
    ) -> QDockWidget:
        dock = QDockWidget(title, self)
        dock.setObjectName(name)
        dock.setWidget(widget)
        self.addDockWidget(area, dock)
        self.docks[name] = dock
        return dock

    def _connect(self) -> None:
        document, refresh = self.document, self.table.refresh
        document.opened.connect(self._opened)
        document.closed.connect(self._closed)
        document.history_changed.connect(refresh)
        document.person_changed.connect(lambda _: refresh())
        document.place_visited.connect(self._visit)
        self.selection.changed.connect(refresh)
        self.editor.placing_changed.connect(lambda _: refresh())
        document.failed.connect(self.say_error)
        self.time.moved.connect(self._moved)
        self.time.playing_changed.connect(lambda _: refresh())
        self.loader.frames_ready.connect(self.grid.set_pictures)
        self.loader.failed.connect(lambda _, sentence: self.say(sentence))
        self.jobs.changed.connect(self._jobs_changed)
        self.jobs.finished.connect(self._job_finished)
        self.grid.person_clicked.connect(document.set_person)
        self.grid.menu_requested.connect(self._context_menu)
        self.welcome.chosen.connect(self.open_path)

    # What happens

    def open_path(self, path: Path) -> None:
        """Open a project or a recording folder."""
        self.guarded(lambda: self.opener.open(path))

    def _opened(self) -> None:
        sequence, project = self.document.sequence, self.document.project
        assert project is not None
        info = sequence.info
        self.time.set_range(info.n_frames, info.fps)
        view = min(int(project.state("view", 0)), len(info.cameras) - 1)
        self.selection.set(keypoint=int(project.state("keypoint", -1)), view=view)
        self.grid.set_views(len(info.cameras))
        self.loader.set_recording(info.videos, sequence.syncs)
        findings = project_findings(project)
        self.findings_panel.set_findings(findings)
        self.docks["findings"].setWindowTitle(f"Notes ({len(findings)})" if findings else "Notes")
        self.welcome.set_busy("")
        self.stack.setCurrentWidget(self.splitter)
        self.time.set_frame(int(project.state("frame", 0)))
        self.loader.request(self.time.frame)
        self.refresh_title()
        self.table.refresh()
        where = " for looking only" if project.read_only else ""
        self.say(f"Opened {project.path.name}{where}.")

    def _closed(self) -> None:
        self.editor.set_placing(False)
        self.loader.set_recording((), ())
        self.time.set_range(0, 30.0)
        self.grid.set_views(0)
        self.findings_panel.set_findings(())
        self.docks["findings"].setWindowTitle("Notes")
        self.stack.setCurrentWidget(self.welcome)
        self.welcome.reload()
        self.setWindowTitle("SIMSPINE Viewer")
        QTimer.singleShot(0, self.table.refresh)

    def _moved(self, frame: int) -> None:
        if self.document.is_open:
            self.loader.request(frame)

    def _visit(self, place: Place) -> None:
        """Go where an undone or redone step was made."""
        if place.frame >= 0:
            self.time.pause()
            self.time.set_frame(place.frame)
        if place.keypoint >= 0:
            self.selection.set(place.keypoint, place.view if place.view >= 0 else None)

    def remember_position(self) -> None:
        """Keep where the user is in the project, for the next time it is opened."""
        project = self.document.project
        if project is not None and not project.read_only:
            try:
                project.set_state("frame", self.time.frame)
                project.set_state("keypoint", self.selection.keypoint)
                project.set_state("view", self.selection.view)
            except UserError as error:  # a lost position is no reason to keep anybody from leaving
                log.warning("%s", error)

    def _jobs_changed(self) -> None:
        running = self.jobs.running
        if running and self.opener.busy:
            self.welcome.set_progress(running[0].fraction)

    def _job_finished(self, state: JobState) -> None:
        if state.job.task == "export" and isinstance(state.ending, Failed):
            self.say_error(state.ending.message)
        elif state.job.task == "export":
            self.say(f"{state.job.title}: {state.text}.")
        self.table.refresh()

    def _context_menu(self, position: QPoint) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        add_commands(menu, self.table, "Points")
        self.table.refresh()
        menu.popup(position)

    # What is said

    def guarded(self, action: Callable[[], None]) -> None:
        """Do something; what the user can understand of its failing is said in one sentence."""
        try:
            action()
        except UserError as error:
            log.warning("%s", error)
            self.say_error(str(error))

    def say(self, text: str) -> None:
        """A remark that goes by itself."""
        self.status.showMessage(text, STATUS_MS)

    def say_error(self, text: str) -> None:
        """Something went wrong; stays until it was read. Shown without blocking."""
        box = QMessageBox(QMessageBox.Icon.Warning, "SIMSPINE Viewer", text, parent=self)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.open()
        self.error_said.emit(text)

    def show_busy(self, text: str) -> None:
        """Say on the empty page what is being read; an empty text ends it."""
        self.welcome.set_busy(text)
        if text:
            self.say(text)

    def settled(self) -> bool:
        """True once the pictures and points of the current frame are on the screen."""
        return not (self.loader.busy or self.planner.pending or self.opener.busy)

    def show_panel(self, name: str) -> None:
        """Bring a dock to the front."""
        self.docks[name].show()
        self.docks[name].raise_()

    def refresh_title(self) -> None:
        project = self.document.project
        if project is not None:
            name = project.sequence.info.name
            only = " (looking only)" if project.read_only else ""
            self.setWindowTitle(f"{name} — {project.path.name}{only} — SIMSPINE Viewer")

    def set_theme(self, theme: Theme) -> None:
        """Hand a theme to everything that paints itself."""
        self.theme = theme
        for widget in (self.timeline, self.inspector, self.findings_panel, self.grid):
            widget.set_theme(theme)
        self.table.refresh()

    # Events

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        paths = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
        if paths:
            event.acceptProposedAction()
            QTimer.singleShot(0, lambda: self.open_path(paths[0]))

    def closeEvent(self, event: QCloseEvent) -> None:
        """Shut down in order: clock, jobs, decoders, 3D, document."""
        exports = [state.job.title for state in self.jobs.running if state.job.task == "export"]
        if exports and self.opener.attended and not dialogs.confirm_quit(self, exports):
            event.ignore()
            return
        store.save_layout(self.saveGeometry(), self.saveState())
        self.remember_position()
        self.time.pause()
        self.jobs.close()
        self.loader.close()
        self.view3d.close()
        self.document.close()
        super().closeEvent(event)
