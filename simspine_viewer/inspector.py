"""The inspector: all keypoints of the frame, and everything known about the selected one."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QElapsedTimer, QSignalBlocker, Qt, QTimer
from PySide6.QtGui import QBrush, QColor
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QLabel,
    QSplitter,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from pipeline.data.source import Flag, Source
from simspine_viewer.document import Document, FramePoints
from simspine_viewer.overlay_shapes import side_swatch
from simspine_viewer.palette import STANDARD, Palette
from simspine_viewer.selection import Selection
from simspine_viewer.settings import Settings
from simspine_viewer.theme import DARK, Theme
from simspine_viewer.time_cursor import TimeCursor

# Each column with the widest text that can stand in it. The widths are set once: letting a table
# fit itself to its contents costs a millisecond at every change of every cell.
KEYPOINT_COLUMNS = {
    "Keypoint": "", "Views": "8", "Residual": "100.0 px", "Source": "triangulated",
}  # fmt: skip
VIEW_COLUMNS = {
    "View": "", "State": "placed, occluded", "Score": "0.00", "Residual": "100.0 px",
}  # fmt: skip
KEYPOINTS, VIEWS = "Keypoints", "Views of the selected keypoint"
STRETCHED = {KEYPOINTS: 3, VIEWS: 1}
CELL_PADDING = 16  # the style sheet's own, the item's and the header's margins
PREVIEW_MS = 80  # while a point is dragged
MOVING_MS = 200  # while frames fly by, nobody reads numbers faster than this


class Inspector(QWidget):
    """Lists the keypoints of the frame and describes the selected one view by view."""

    def __init__(
        self,
        document: Document,
        cursor: TimeCursor,
        selection: Selection,
        settings: Settings,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._document, self._cursor, self._selection = document, cursor, selection
        self._settings = settings
        self._theme: Theme = DARK
        self._palette = STANDARD
        self._shown = QElapsedTimer()
        self.keypoints = _table(KEYPOINT_COLUMNS, KEYPOINTS)
        self.views = _table(VIEW_COLUMNS, VIEWS)
        self.title = QLabel()
        self.title.setProperty("role", "heading")
        self.detail = QLabel()
        self.detail.setProperty("role", "muted")
        for label in (self.title, self.detail):
            label.setWordWrap(True)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.keypoints.itemSelectionChanged.connect(self._picked_keypoint)
        self.views.itemSelectionChanged.connect(self._picked_view)

        below = QWidget()
        box = QVBoxLayout(below)
        box.setContentsMargins(6, 6, 6, 6)
        for widget in (self.title, self.detail, self.views):
            box.addWidget(widget)
        splitter = QSplitter(Qt.Orientation.Vertical)
        splitter.addWidget(self.keypoints)
        splitter.addWidget(below)
        splitter.setStretchFactor(0, 3)
        splitter.setStretchFactor(1, 2)
        splitter.setChildrenCollapsible(False)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(splitter)

        document.opened.connect(self._fill_names)
        document.closed.connect(self._clear)
        document.changed.connect(self.refresh)
        document.person_changed.connect(self.refresh)
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(PREVIEW_MS)
        self._soon.timeout.connect(self._show_selected)
        document.preview_changed.connect(self._on_preview_changed)
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.timeout.connect(self.refresh)
        cursor.moved.connect(self._on_moved)
        cursor.playing_changed.connect(self.refresh)
        selection.changed.connect(self._select)
        self._clear()

    def set_palette(self, palette: Palette) -> None:
        """Mark left, right and midline with other colours."""
        self._palette = palette
        self._paint_swatches()

    def _paint_swatches(self) -> None:
        if not self._document.is_open:
            return
        for row, keypoint in enumerate(self._document.sequence.info.skeleton.keypoints):
            item = self.keypoints.item(row, 0)
            if item is not None:
                swatch = side_swatch(keypoint.side, self._palette, self.devicePixelRatioF())
                item.setData(Qt.ItemDataRole.DecorationRole, swatch)

    def set_theme(self, theme: Theme) -> None:
        """Colour words that carry a judgement for another theme."""
        self._theme = theme
        self.refresh()

    def _clear(self) -> None:
        self.keypoints.setRowCount(0)
        self.views.setRowCount(0)
        self._show_nothing(is_open=False)

    def _fill_names(self) -> None:
        info = self._document.sequence.info
        self.keypoints.setRowCount(len(info.skeleton))
        for row, keypoint in enumerate(info.skeleton.keypoints):
            item = QTableWidgetItem(keypoint.marker)
            item.setToolTip(keypoint.definition)
            self.keypoints.setItem(row, 0, item)
            for column in range(1, len(KEYPOINT_COLUMNS)):
                self.keypoints.setItem(row, column, QTableWidgetItem())
        self.views.setRowCount(len(info.cameras))
        for row, camera in enumerate(info.cameras):
            self.views.setItem(row, 0, QTableWidgetItem(camera.name))
            for column in range(1, len(VIEW_COLUMNS)):
                self.views.setItem(row, column, QTableWidgetItem())
        self._paint_swatches()
        for table in (self.keypoints, self.views):
            table.resizeColumnToContents(0)
        self.refresh()
        self._select()

    def refresh(self) -> None:
        """Show the current frame."""
        if not self._document.is_open or not self.keypoints.rowCount():
            return
        if not self.isVisible():
            return
        self._later.stop()
        self._shown.start()
        points = self._document.points_at(self._cursor.frame)
        seen, residual = np.isfinite(points.xy[..., 0]), points.rms
        for row in range(self.keypoints.rowCount()):
            solved = bool(np.isfinite(points.xyz[row, 0]))
            self._write(self.keypoints, row, 1, str(int(seen[:, row].sum())))
            self._write(
                self.keypoints, row, 2, f"{residual[row]:.1f} px" if solved else "missing",
                bad=not solved or residual[row] > self._settings.error_threshold,
            )  # fmt: skip
            self._write(self.keypoints, row, 3, Source(int(points.source[row])).label)
        self._show_selected()

    def _on_moved(self) -> None:
        """One step is shown at once; of many in a row some, and the last."""
        since = self._shown.elapsed() if self._shown.isValid() else MOVING_MS
        if since >= MOVING_MS:
            self.refresh()
        elif not self._later.isActive():
            self._later.start(MOVING_MS - since)

    def _on_preview_changed(self) -> None:
        """The numbers follow a drag after the pictures, which are what the hand goes by."""
        if self._document.preview is None:
            self._show_selected()
        elif not self._soon.isActive():
            self._soon.start()

    def showEvent(self, event) -> None:  # type: ignore[no-untyped-def]
        super().showEvent(event)
        self.refresh()

    def _show_nothing(self, is_open: bool) -> None:
        """Nothing is selected: say how to select something."""
        self.title.setText("No keypoint selected")
        self.detail.setText(
            "Click a point in a picture, in 3D or in the list."
            if is_open
            else "Open a recording, then click a point in a picture or in 3D."
        )
        for view in range(self.views.rowCount()):
            for column in range(1, len(VIEW_COLUMNS)):
                self._write(self.views, view, column, "")

    def _show_selected(self) -> None:
        keypoint = self._selection.keypoint
        if keypoint < 0 or not self._document.is_open:
            self._show_nothing(self._document.is_open)
            return
        points = self._document.points_at(self._cursor.frame)
        definition = self._document.sequence.info.skeleton.keypoints[keypoint]
        self.title.setText(f"{definition.marker}: {definition.definition}")
        preview = self._document.preview
        dragged = preview is not None and preview.keypoint == keypoint
        xyz = preview.xyz if preview and dragged else points.xyz[keypoint]
        sigma = preview.sigma if preview and dragged else points.sigma[keypoint]
        self.detail.setText(_position_text(xyz, sigma))
        for view in range(self.views.rowCount()):
            residual = points.residual[view, keypoint]
            if preview and dragged:
                residual = preview.residual[view]
            state, bad = _state(points, view, keypoint)
            score = points.score[view, keypoint]
            self._write(self.views, view, 1, state, bad=bad)
            self._write(self.views, view, 2, f"{score:.2f}" if score else "–")
            self._write(
                self.views, view, 3, f"{residual:.1f} px" if np.isfinite(residual) else "–",
                bad=bool(residual > self._settings.error_threshold),
            )  # fmt: skip

    def _write(
        self, table: QTableWidget, row: int, column: int, text: str, *, bad: bool = False
    ) -> None:
        item = table.item(row, column)
        if item is None:
            return
        if item.text() != text:
            item.setText(text)
        item.setForeground(QBrush(QColor(self._theme.bad if bad else self._theme.text)))

    def _select(self) -> None:
        with QSignalBlocker(self.keypoints), QSignalBlocker(self.views):
            if 0 <= self._selection.keypoint < self.keypoints.rowCount():
                self.keypoints.selectRow(self._selection.keypoint)
                self.keypoints.scrollTo(self.keypoints.model().index(self._selection.keypoint, 0))
            else:
                self.keypoints.clearSelection()
            if 0 <= self._selection.view < self.views.rowCount():
                self.views.selectRow(self._selection.view)
        self._show_selected()

    def _picked_keypoint(self) -> None:
        rows = self.keypoints.selectionModel().selectedRows()
        if rows:
            self._selection.set(keypoint=rows[0].row())

    def _picked_view(self) -> None:
        rows = self.views.selectionModel().selectedRows()
        if rows:
            self._selection.set(view=rows[0].row())


def _position_text(xyz: np.ndarray, sigma: float) -> str:
    if not np.isfinite(xyz[0]):
        return "No 3D position: it needs to be seen in two views."
    x, y, z = (1000 * value for value in xyz)
    known = f", ±{sigma:.0f} mm" if np.isfinite(sigma) and sigma > 0 else ""
    return f"x {x:.0f}  y {y:.0f}  z {z:.0f} mm{known}"


def _state(points: FramePoints, view: int, keypoint: int) -> tuple[str, bool]:
    """What stands at a keypoint in one view, and whether that is a lack."""
    flags = int(points.flags[view, keypoint])
    if flags & Flag.ABSENT:
        return "absent", False
    placed = bool(points.manual[view, keypoint])
    if flags & Flag.OCCLUDED:
        return ("placed, occluded" if placed else "occluded"), False
    if placed:
        return "placed", False
    if flags & Flag.REJECTED:
        return "deleted", True
    seen = bool(np.isfinite(points.xy[view, keypoint, 0]))
    return ("detected", False) if seen else ("missing", True)


def _table(columns: dict[str, str], name: str) -> QTableWidget:
    table = QTableWidget(0, len(columns))
    table.setAccessibleName(name)
    table.setHorizontalHeaderLabels(list(columns))
    table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
    table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    table.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
    table.verticalHeader().hide()
    table.verticalHeader().setDefaultSectionSize(22)
    table.setShowGrid(False)
    table.setAlternatingRowColors(True)
    header = table.horizontalHeader()
    header.setHighlightSections(False)
    header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
    header.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
    header.setSectionResizeMode(STRETCHED[name], QHeaderView.ResizeMode.Stretch)
    for column, (title, widest) in enumerate(columns.items()):
        text = max(table.fontMetrics().horizontalAdvance(t) for t in (title, widest))
        header.resizeSection(column, text + CELL_PADDING)
    return table
