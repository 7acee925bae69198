"""The main window: builds the widgets, connects them, and says things to the user."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QMimeData, Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDragLeaveEvent, QDropEvent
from PySide6.QtWidgets import (
    QApplication,
    QDockWidget,
    QMainWindow,
    QMessageBox,
    QSplitter,
    QStackedWidget,
    QToolBar,
)

from pipeline.data.errors import UserError
from simspine_viewer import dialogs, remembered_place
from simspine_viewer import settings as store
from simspine_viewer.actions import ActionTable
from simspine_viewer.calibration_notes import CalibrationNotes
from simspine_viewer.command_palette import CommandPalette
from simspine_viewer.commands import aids, file
from simspine_viewer.comparing import Comparing, ComparisonLayer
from simspine_viewer.curves import Curves
from simspine_viewer.detecting import Detecting, Models
from simspine_viewer.document import Document
from simspine_viewer.dropping import DropHint
from simspine_viewer.editor import Editor
from simspine_viewer.frame_loader import FrameLoader
from simspine_viewer.frame_range import FrameRange
from simspine_viewer.inspector import Inspector
from simspine_viewer.job_manager import WRITING, JobManager
from simspine_viewer.job_planner import JobPlanner
from simspine_viewer.layout_manager import LayoutManager
from simspine_viewer.menus import build_menus, build_toolbar
from simspine_viewer.notes_panel import MarkersPanel
from simspine_viewer.notifier import Notifier
from simspine_viewer.opener import Opener
from simspine_viewer.pane_grid import PaneGrid
from simspine_viewer.panels import FindingsPanel, HistoryPanel, JobPanel
from simspine_viewer.people_panel import PeoplePanel
from simspine_viewer.person_box import BoxLayer, PersonBoxes
from simspine_viewer.playback import Playback
from simspine_viewer.poses import Poses
from simspine_viewer.quality_monitor import QualityMonitor
from simspine_viewer.selection import Selection
from simspine_viewer.settings import Settings
from simspine_viewer.simulation_panel import SimulationPanel
from simspine_viewer.simulations import Simulations
from simspine_viewer.status_bar import StatusBar
from simspine_viewer.theme import Theme, theme_for
from simspine_viewer.time_aids import TimeAids
from simspine_viewer.time_cursor import TimeCursor
from simspine_viewer.timeline import Timeline
from simspine_viewer.toasts import Toasts
from simspine_viewer.tuning import Tuning
from simspine_viewer.view3d import View3D
from simspine_viewer.welcome import Welcome
from simspine_viewer.window_docks import build_docks
from simspine_viewer.window_events import WindowEvents

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
    simulations: Simulations
    models: Models
    detecting: Detecting
    poses: Poses
    planner: JobPlanner
    opener: Opener
    layouts: LayoutManager
    table: ActionTable
    toolbar: QToolBar
    grid: PaneGrid
    view3d: View3D
    aids: TimeAids
    frame_range: FrameRange
    timeline: Timeline
    markers_panel: MarkersPanel
    curves: Curves
    inspector: Inspector
    history_panel: HistoryPanel
    job_panel: JobPanel
    people_panel: PeoplePanel
    findings_panel: FindingsPanel
    simulation_panel: SimulationPanel
    docks: dict[str, QDockWidget]

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
        self.simulations = Simulations(self.document, self.jobs, self)
        self._build_models()
        self.poses = Poses(self.document, self.simulations, self.jobs, self)
        self.planner = JobPlanner(self.document, self.time, self.jobs, self.simulations, self)
        self.monitor = QualityMonitor(self.document, self)
        self.loader = FrameLoader(self)
        self.playback = Playback(self)
        self._build_centre()
        build_docks(self)
        self.layouts = LayoutManager(self)
        self.opener = Opener(self)
        self.table = ActionTable(self)
        build_menus(self, self.table, self.docks.values(), self.settings, self.open_path)
        self.toolbar = build_toolbar(self.table)
        self.addToolBar(self.toolbar)
        self.status = StatusBar(
            self.document, self.time, self.selection, self.editor, self.monitor,
            self.table.with_keys,
        )  # fmt: skip
        self.table.keys_changed.connect(self._show_keys)
        self._show_keys()
        self.setStatusBar(self.status)
        self.events = WindowEvents(self)
        self.toasts = Toasts(self)
        self.notifier = Notifier(self)
        self.command_palette = CommandPalette(self)
        self._drop_hint = DropHint(self)
        self.calibration_notes = CalibrationNotes(self)
        self.place_keeper = remembered_place.PlaceKeeper(self)
        self.theme = theme or theme_for(settings.theme, app)
        self.set_theme(self.theme)
        aids.apply_settings(self)
        geometry, state = store.load_layout()
        if geometry is not None:
            self.restoreGeometry(geometry)
        if state is not None:
            self.restoreState(state)
        self.layouts.restore()
        self.table.refresh()

    def _build_models(self) -> None:
        self.models = Models(self.jobs, self)
        self.detecting = Detecting(self.document, self.jobs, self)
        self.comparing = Comparing(self.document, self.jobs, self)
        self.tuning = Tuning(self.document, self.jobs, self)

    def _build_centre(self) -> None:
        self.grid = PaneGrid(self.document, self.time, self.selection, self.editor)
        self.boxes = PersonBoxes(self.document, self)
        self.grid.layers += [
            lambda pane: ComparisonLayer(pane, self.comparing),
            lambda pane: BoxLayer(pane, self.boxes),
        ]
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

    # What happens

    def _show_keys(self) -> None:
        """Name the keys that hold now wherever a text of the window names some."""
        self.markers_panel.show_keys(self.table.with_keys)
        self.status.show_mode()

    def open_path(self, path: Path) -> None:
        """Open a project or a recording folder."""
        self.guarded(lambda: self.opener.open(path))

    def remember_position(self) -> None:
        """Keep where the user is in the project, for the next time it is opened."""
        remembered_place.remember(self)

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
        is_busy = self.planner.pending or self.opener.busy
        return self.loader.settled and not is_busy

    def show_panel(self, name: str) -> None:
        """Bring a dock to the front."""
        self.docks[name].show()
        self.docks[name].raise_()

    def refresh_title(self) -> None:
        """Name what is open; while minimised, how far the work under way is as well."""
        project, parts = self.document.project, [self.notifier.progress()]
        if project is not None:
            only = " (looking only)" if project.read_only else ""
            parts += [project.sequence.info.name, f"{project.path.name}{only}"]
        self.setWindowTitle(" — ".join(filter(None, [*parts, "SIMSPINE Viewer"])))

    def set_theme(self, theme: Theme) -> None:
        """Hand a theme to everything that paints itself."""
        self.theme = theme
        for widget in (self.timeline, self.inspector, self.findings_panel, self.grid, self.curves):
            widget.set_theme(theme)
        self.table.refresh()

    # Events

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        paths = _local_files(event.mimeData())
        if paths:
            self._drop_hint.offer(paths)
            event.acceptProposedAction()

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self._drop_hint.hide()

    def dropEvent(self, event: QDropEvent) -> None:
        self._drop_hint.hide()
        paths = _local_files(event.mimeData())
        if paths:
            event.acceptProposedAction()
            QTimer.singleShot(0, lambda: self.guarded(lambda: self.opener.open_dropped(paths)))

    def closeEvent(self, event: QCloseEvent) -> None:
        """Shut down in order: clock, jobs, decoders, 3D, document."""
        exports = [state.job.title for state in self.jobs.running if state.job.task in WRITING]
        if exports and self.opener.attended and not dialogs.confirm_quit(self, exports):
            event.ignore()
            return
        store.save_layout(self.saveGeometry(), self.saveState())
        self.layouts.remember()
        self.remember_position()
        self.time.pause()
        self.jobs.close()
        self.loader.close()
        self.layouts.bring_back()
        self.view3d.close()
        self.document.close()
        super().closeEvent(event)


def _local_files(data: QMimeData) -> list[Path]:
    return [Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile()]
