"""The panel of curves: which keypoints and quantities, on the timeline's stretch of time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication, QResizeEvent, QShowEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QHBoxLayout,
    QPushButton,
    QScrollArea,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from pipeline.data.errors import UserError
from simspine_viewer import curves_data as data
from simspine_viewer.angle_store import AngleStore
from simspine_viewer.curve_store import CurveStore
from simspine_viewer.curves_menu import CurvesMenu
from simspine_viewer.curves_names import CurveNames
from simspine_viewer.selection import Selection
from simspine_viewer.settings import Settings
from simspine_viewer.theme import DARK, Theme
from simspine_viewer.time_aids import TimeAids

if TYPE_CHECKING:
    from pipeline.kinematics.subject import Subject
    from simspine_viewer.curves_plot import CurvesPlot

BAR = 8  # of the scroll bar, pixels; less than the margin right of the plots
DRAW_MS = 30  # changes that come together are drawn once
_HOW_ANGLES = "Band: one SD; dashed: the prior decides; dotted: usual limits"
COLOURS = {
    True: ("#4a9eff", "#f2b84b", "#5fd08a", "#ff7a7a", "#d9a3f0", "#7fd6d6"),
    False: ("#0b63c5", "#8a5200", "#0d6b35", "#b3201c", "#7b3f94", "#00666b"),
}


class Curves(QWidget):
    """Curves of the selected keypoint, or of pinned ones.

    Signals
    -------
    save_requested : the curves are to be written to a file.
    """

    save_requested = Signal()

    def __init__(
        self,
        aids: TimeAids,
        selection: Selection,
        settings: Settings,
        left: Callable[[], float],
        subject: Callable[[], Subject | None],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._aids, self._selection, self._settings, self._left = aids, selection, settings, left
        self._document, self._cursor, self._subject = aids.document, aids.cursor, subject
        self.store = CurveStore(aids.document, aids.view, self)
        self.angles = AngleStore(aids.document, aids.view, subject, self)
        self.plot: CurvesPlot | None = None
        self.pinned: list[int] = []
        self._theme: Theme = DARK
        self._rows: list[str] = []
        self._box = QVBoxLayout(self)
        self._box.setContentsMargins(0, 0, 0, 0)
        self._box.setSpacing(0)
        self._box.addLayout(self._tools())
        self._draw_timer = QTimer(self)
        self._draw_timer.setSingleShot(True)
        self._draw_timer.timeout.connect(self.draw)
        aids.document.opened.connect(self._opened)
        aids.document.closed.connect(self.pinned.clear)
        selection.changed.connect(self._follow)
        aids.view.changed.connect(self._view_changed)
        aids.cursor.moved.connect(self._cursor_moved)
        self.store.changed.connect(self._soon)
        self.angles.changed.connect(self._soon)
        aids.document.pose_changed.connect(self._soon)

    def _tools(self) -> QHBoxLayout:
        self.quantities = QToolButton()
        self.quantities.setText("Curves")
        self.quantities.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.quantities.setToolTip("What is drawn, one plot each")
        self.menu = CurvesMenu(self.shown, self.toggle, self._subject, self.quantities)
        self.quantities.setMenu(self.menu)
        self.pin = QPushButton("Pin")
        self.pin.setCheckable(True)
        self.pin.setToolTip("Keep the curves of the selected keypoint when another is selected")
        self.pin.clicked.connect(self.toggle_pin)
        self.band = QCheckBox("Sigma band")
        self.band.setChecked(True)
        self.band.setToolTip("Standard deviation around positions and angles")
        self.band.toggled.connect(lambda _: self.draw())
        self.names = CurveNames()
        self.save = QPushButton("Save as CSV…")
        self.save.setToolTip("The curves of the selected range, or of what is visible")
        self.save.clicked.connect(self.save_requested.emit)
        self.copy = QPushButton("Copy picture")
        self.copy.clicked.connect(self.copy_picture)
        line = QHBoxLayout()
        line.setContentsMargins(6, 4, 6, 4)
        for widget in (self.quantities, self.pin, self.band, self.names, self.save, self.copy):
            line.addWidget(widget, int(widget is self.names))
            if widget is not self.names:
                widget.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        return line

    # What is shown

    def shown(self) -> list[str]:
        """Ids of the quantities drawn: those of the menu in its order, then further ones."""
        wanted = self._settings.curves
        chosen = [q.id for q in data.QUANTITIES if q.id in wanted]
        chosen += [q for q in wanted if q not in data.FIXED and data.quantity_of(q) is not None]
        return chosen or list(data.DEFAULT)

    def _of_body(self) -> list[str]:
        return [q.id for q in self._quantities() if q.of_body]

    def _quantities(self) -> list[data.Quantity]:
        return [q for q in map(data.quantity_of, self.shown()) if q is not None]

    def keypoints(self) -> list[int]:
        """The pinned keypoints and the selected one."""
        selected = self._selection.keypoint
        return list(dict.fromkeys([*self.pinned, *([selected] if selected >= 0 else [])]))

    def toggle(self, quantity: str) -> None:
        """Draw a quantity, or draw it no more; the last one stays."""
        shown = self.shown()
        new = [q for q in shown if q != quantity] if quantity in shown else [*shown, quantity]
        self._settings.curves = new or shown
        self._settings.save()
        self.draw()

    def toggle_pin(self) -> None:
        """Keep the selected keypoint, or let it go."""
        keypoint = self._selection.keypoint
        if keypoint in self.pinned:
            self.pinned.remove(keypoint)
        elif keypoint >= 0:
            self.pinned.append(keypoint)
        self._follow()

    def set_theme(self, theme: Theme) -> None:
        """Draw in the colours of another theme."""
        self._theme = theme
        if self.plot is not None:
            self.plot.set_theme(theme)
            self.draw()

    def sizeHint(self) -> QSize:
        return QSize(600, 90 + 60 * len(self.shown()))

    def showEvent(self, event: QShowEvent) -> None:
        if self.plot is None:
            from simspine_viewer.curves_plot import CurvesPlot

            self.plot = CurvesPlot(self._aids.view, self._go_to)
            self.plot.set_theme(self._theme)
            scroll = QScrollArea()  # many curves in a low panel
            scroll.setFrameShape(QScrollArea.Shape.NoFrame)
            scroll.setWidgetResizable(True)
            scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
            scroll.setMinimumHeight(self.plot.minimumHeight())
            scroll.setWidget(self.plot)
            scroll.verticalScrollBar().setFixedWidth(BAR)
            scroll.verticalScrollBar().rangeChanged.connect(self._make_room)
            self._box.addWidget(scroll, 1)
        self._follow()
        super().showEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        if self.plot is not None:
            self.plot.set_left(self._left())
        super().resizeEvent(event)

    def _make_room(self, _low: int, high: int) -> None:
        """A scroll bar takes of the margin, so that frames stand above those of the timeline."""
        if self.plot is not None:
            self.plot.set_right(BAR if high > 0 else 0)

    # What happens

    def _go_to(self, frame: int) -> None:
        self._cursor.pause()
        self._cursor.set_frame(frame)

    def _opened(self) -> None:
        self.pinned.clear()
        self._follow()

    def _follow(self) -> None:
        self.pin.setChecked(self._selection.keypoint in self.pinned)
        self.pin.setEnabled(self._selection.keypoint >= 0)
        if self.isVisible():
            self.store.want(self.keypoints(), self._selection.view)
            self.draw()

    def _view_changed(self) -> None:
        if self.plot is not None and self.isVisible():
            self.plot.show_view()
            self._soon()

    def _cursor_moved(self, frame: int) -> None:
        if self.plot is not None and self.isVisible():
            self.plot.show_cursor(frame)
            self._read_out(frame)

    def _soon(self) -> None:
        if not self._draw_timer.isActive():
            self._draw_timer.start(DRAW_MS)

    # Drawing

    def draw(self) -> None:
        """Draw what is visible of the shown keypoints."""
        if self.plot is None or not self.isVisible():
            return
        from simspine_viewer.curves_made import angle_curves, angle_limits, keypoint_curves

        shown = self._quantities()
        if self._rows != [q.id for q in shown]:
            self._rows = [q.id for q in shown]
            self.plot.set_rows([f"{q.title}, {q.unit}" for q in shown])
        self.plot.set_left(self._left())
        self.plot.show_view()
        self.plot.show_cursor(self._cursor.frame)
        keypoints = self.keypoints() if self._document.is_open else []
        colours = COLOURS[self._theme.dark]
        paint = {k: colours[i % len(colours)] for i, k in enumerate(keypoints)}
        self._write_names(paint)
        self.angles.want(self._of_body())
        view, band = self._aids.view, self.band.isChecked()
        for row, quantity in enumerate(shown):
            if not quantity.of_body:
                of_each = [
                    keypoint_curves(
                        self.store.values(k), quantity, paint[k], view, self._cursor.fps, band=band
                    )
                    for k in keypoints
                ]
                self.plot.draw(row, [curve for made in of_each for curve in made])
            elif quantity.id in self.angles.values:
                angle = self.angles.values[quantity.id]
                curves = angle_curves(angle, self._theme, view, band=band)
                self.plot.draw(row, curves, angle_limits(quantity.id))
            else:
                self.plot.draw(row, [])
        self._read_out(self._cursor.frame)

    def _read_out(self, frame: int) -> None:
        """Write what the angles of a frame are behind their titles."""
        from simspine_viewer.curves_made import angle_limits

        assert self.plot is not None
        for row, quantity in enumerate(self._rows):
            angle = self.angles.values.get(quantity)
            if angle is not None and 0 <= frame < len(angle.values):
                self.plot.say(row, data.readout(angle, frame, angle_limits(quantity)))

    def _write_names(self, paint: dict[int, str]) -> None:
        of_body = [q.of_body for q in self._quantities()]
        if self._document.is_open and any(of_body) and not self.angles.has_model:
            self.names.say("Angles need a body model: simulate first (Tools ▸ Simulate).")
            return
        if not paint:
            hint = _HOW_ANGLES if all(of_body) else "Select a keypoint to see its curves."
            self.names.say(hint * self._document.is_open)
            return
        markers = self._document.sequence.info.skeleton.markers
        n_frames = self._aids.view.n_frames
        final = any(data.has_final(self.store.values(k), 0, n_frames) for k in paint)
        told = "solid: final, dashed: triangulated" if final else ""
        colours = {markers[k]: colour for k, colour in paint.items()}
        self.names.name(colours, told, self._theme.muted)

    # Out of the program

    def frames(self) -> tuple[int, int]:
        """The frames that are saved: the selected range, else what is visible."""
        chosen, view = self._aids.range, self._aids.view
        return (chosen.start, chosen.stop) if chosen else (view.start, view.stop)

    def save_csv(self, path: Path) -> None:
        """Write the curves; UserError where there are none or the file cannot be written."""
        keypoints = self.keypoints()
        of_body = self._of_body() if self.angles.has_model else []
        if not (keypoints or of_body) or not self._document.is_open:
            raise UserError("No keypoint is selected, so there are no curves to save.")
        start, stop = self.frames()
        self.angles.want(of_body)
        if of_body:
            self.angles.read_now(start, stop)
        self.store.want(keypoints, self._selection.view)
        self.store.read_now(max(start - 1, 0), min(stop + 1, self._aids.view.n_frames))
        markers = self._document.sequence.info.skeleton.markers
        values = {k: self.store.values(k) for k in keypoints}
        names = {k: markers[k] for k in keypoints}
        text = data.csv_text(
            names, values, self.shown(), (start, stop), self._cursor.fps, self.angles.values
        )
        try:
            path.write_text(text, encoding="utf-8", newline="\n")
        except OSError as error:
            reason = error.strerror or error
            raise UserError(f"{path.name} could not be written: {reason}.") from error

    def copy_picture(self) -> None:
        """Put a picture of the plots on the clipboard."""
        if self.plot is not None:
            QGuiApplication.clipboard().setPixmap(self.plot.grab())
