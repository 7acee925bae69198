"""The docks around the pictures: which panels there are, what they are called, where they start."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QAbstractScrollArea, QDockWidget, QFrame, QScrollArea, QWidget

from simspine_viewer.curves import Curves
from simspine_viewer.inspector import Inspector
from simspine_viewer.notes_panel import MarkersPanel
from simspine_viewer.panels import FindingsPanel, HistoryPanel, JobPanel
from simspine_viewer.people_panel import PeoplePanel
from simspine_viewer.simulation_panel import SimulationPanel
from simspine_viewer.time_aids import TimeAids
from simspine_viewer.timeline import Timeline

if TYPE_CHECKING:
    from simspine_viewer.main_window import MainWindow

# Docks that are not tabs on the right, and those that a new window does not show.
ELSEWHERE = {
    "timeline": Qt.DockWidgetArea.BottomDockWidgetArea,
    "curves": Qt.DockWidgetArea.BottomDockWidgetArea,
    "markers": Qt.DockWidgetArea.LeftDockWidgetArea,
}
HIDDEN = ("curves", "markers")
BELOW = ("curves", "timeline")  # the pictures, from the top
LEAST_PANEL = (60, 24)  # widget points; less than its scroll bars ask for
RIGHT_WIDTH = 336  # widget points; the inspector's columns and the tabs of all panels fit
# Of the window's height: what lanes may take, curves take at first, and curves may take.
LANES_SHARE, CURVES_SHARE, MOST_CURVES = 0.25, 0.2, 0.5


def build_docks(window: MainWindow) -> None:
    """Give a window its panels (as attributes) and their docks (``window.docks``)."""
    document, cursor, settings = window.document, window.time, window.settings
    window.aids = TimeAids(document, cursor, window.selection, window.monitor, window)
    window.frame_range = window.aids.range
    window.timeline = Timeline(document, cursor, settings, window.aids)
    window.inspector = Inspector(document, cursor, window.selection, settings)
    window.history_panel = HistoryPanel(document)
    window.job_panel = JobPanel(window.jobs)
    window.people_panel = PeoplePanel(document, cursor)
    window.findings_panel = FindingsPanel()
    window.simulation_panel = SimulationPanel(
        document, cursor, window.selection, window.simulations, window.poses
    )
    window.markers_panel = MarkersPanel(window.aids.markers, cursor)
    window.docks = {}
    for name, title, widget in (
        ("inspector", "Inspector", window.inspector),
        ("simulation", "Body", window.simulation_panel),
        ("people", "People", window.people_panel),
        ("findings", "Findings", window.findings_panel),
        ("history", "History", window.history_panel),
        ("jobs", "Jobs", window.job_panel),
    ):
        _add_dock(window, name, title, widget, Qt.DockWidgetArea.RightDockWidgetArea)
    dock = _add_dock(
        window, "timeline", "Timeline", window.timeline, Qt.DockWidgetArea.BottomDockWidgetArea
    )
    timeline = window.timeline
    window.curves = Curves(
        window.aids,
        window.selection,
        settings,
        lambda: timeline.axis().left,
        lambda: window.poses.subject,
    )
    _add_dock(window, "curves", "Curves", window.curves, Qt.DockWidgetArea.BottomDockWidgetArea)
    _add_dock(
        window, "markers", "Markers", window.markers_panel, Qt.DockWidgetArea.LeftDockWidgetArea
    )
    dock.setTitleBarWidget(QWidget())  # the lanes name themselves; no space for a title
    _CurvesHeight(window)
    place_docks(window)


def place_docks(window: MainWindow) -> None:
    """Put every dock where it is in a new window: panels as tabs on the right, lanes below."""
    areas, first = Qt.DockWidgetArea, window.docks["inspector"]
    for dock in window.docks.values():
        dock.hide()  # one above the other for a moment, they would make the window higher
    for name, dock in window.docks.items():
        dock.setFloating(False)
        window.addDockWidget(ELSEWHERE.get(name, areas.RightDockWidgetArea), dock)
        if name not in ELSEWHERE and dock is not first:
            window.tabifyDockWidget(first, dock)
    curves, lanes = window.docks["curves"], window.docks["timeline"]
    window.splitDockWidget(curves, lanes, Qt.Orientation.Vertical)
    for name, dock in window.docks.items():
        dock.setVisible(name not in HIDDEN)
    first.setMinimumWidth(RIGHT_WIDTH)  # a dock on the left would squeeze it, and leave it so
    first.raise_()
    window.resizeDocks([first], [RIGHT_WIDTH], Qt.Orientation.Horizontal)


def _add_dock(
    window: MainWindow, name: str, title: str, widget: QWidget, area: Qt.DockWidgetArea
) -> QDockWidget:
    dock = QDockWidget(title, window)
    dock.setObjectName(name)
    if name not in BELOW:
        widget = _scrolling(widget)
        widget.setMinimumSize(*LEAST_PANEL)
    dock.setWidget(widget)
    window.addDockWidget(area, dock)
    window.docks[name] = dock
    return dock


def _scrolling(widget: QWidget) -> QWidget:
    """A panel that may be made smaller than it needs; else it would widen a small window."""
    if isinstance(widget, QAbstractScrollArea):
        return widget
    area = QScrollArea()
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setWidgetResizable(True)
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    area.setWidget(widget)
    return area


def fit_below(window: MainWindow) -> None:
    """Give the docks below the pictures their height: all lanes and a share for the curves.

    Lanes that have no room are scrolled to; curves have the height that the user gave them.
    """
    wanted, height = {}, window.height()
    if window.docks["curves"].isVisible():
        chosen = window.settings.curves_height
        share = min(window.curves.sizeHint().height(), CURVES_SHARE * height)
        wanted["curves"] = min(chosen or share, MOST_CURVES * height)
    if window.docks["timeline"].isVisible():
        wanted["timeline"] = window.timeline.height_within(LANES_SHARE * height)
    docks = [window.docks[name] for name in wanted]
    window.resizeDocks(docks, [round(h) for h in wanted.values()], Qt.Orientation.Vertical)


class _CurvesHeight(QObject):
    """Remembers the height that the user gives the curves by dragging their edge."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        window.docks["curves"].installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        dock = self._window.docks["curves"]
        if event.type() == QEvent.Type.Resize and not dock.isFloating() and left_button_held():
            self._window.settings.curves_height = float(dock.height())
        return super().eventFilter(watched, event)


def left_button_held() -> bool:
    """Whether somebody is dragging something."""
    return bool(QGuiApplication.mouseButtons() & Qt.MouseButton.LeftButton)
