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
    QMenu,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from pipeline.data.errors import UserError
from simspine_viewer import curves_data as data
from simspine_viewer.angle_store import AngleStore
from simspine_viewer.curve_store import CurveStore
from simspine_viewer.curves_names import CurveNames
from simspine_viewer.selection import Selection
from simspine_viewer.settings import Settings
from simspine_viewer.theme import DARK, Theme
from simspine_viewer.time_aids import TimeAids

if TYPE_CHECKING:
    from pipeline.kinematics.subject import Subject
    from simspine_viewer.curves_plot import Curve, CurvesPlot

DRAW_MS = 30  # changes that come together are drawn once
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
        self._document, self._cursor = aids.document, aids.cursor
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
        menu = QMenu(self.quantities)
        for quantity in data.QUANTITIES:
            if quantity.of_body and not data.BY_ID[menu.actions()[-1].data()].of_body:
                menu.addSection("Body model")
            action = menu.addAction(f"{quantity.title} ({quantity.unit})")
            action.setCheckable(True)
            action.setData(quantity.id)
            action.setChecked(quantity.id in self.shown())
            action.triggered.connect(lambda _=False, q=quantity.id: self.toggle(q))
        self.quantities.setMenu(menu)
        self.pin = QPushButton("Pin")
        self.pin.setCheckable(True)
        self.pin.setToolTip("Keep the curves of the selected keypoint when another is selected")
        self.pin.clicked.connect(self.toggle_pin)
        self.band = QCheckBox("Sigma band")
        self.band.setChecked(True)
        self.band.setToolTip("Standard deviation around the positions")
        self.band.toggled.connect(lambda _: self.draw())
        self.names = CurveNames()
        self.save = QPushButton("Save as CSV…")
        self.save.setToolTip("The curves of the selected range, or of what is visible")
        self.save.clicked.connect(self.save_requested.emit)
        self.copy = QPushButton("Copy picture")
        self.copy.clicked.connect(self.copy_picture)
        line = QHBoxLayout()
        line.setContentsMargins(6, 4, 6, 4)
        for widget in (self.quantities, self.pin, self.band):
            line.addWidget(widget)
        line.addWidget(self.names, 1)
        for widget in (self.save, self.copy):
            line.addWidget(widget)
        for widget in (self.quantities, self.pin, self.band, self.save, self.copy):
            widget.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        return line

    # What is shown

    def shown(self) -> list[str]:
        """Ids of the quantities drawn, in the order of the menu."""
        chosen = [q.id for q in data.QUANTITIES if q.id in self._settings.curves]
        return chosen or list(data.DEFAULT)

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
        for action in self.quantities.menu().actions():
            action.setChecked(action.data() in self.shown())
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
            self._box.addWidget(self.plot, 1)
        self._follow()
        super().showEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        if self.plot is not None:
            self.plot.set_left(self._left())
        super().resizeEvent(event)

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

    def _soon(self) -> None:
        if not self._draw_timer.isActive():
            self._draw_timer.start(DRAW_MS)

    # Drawing

    def draw(self) -> None:
        """Draw what is visible of the shown keypoints."""
        if self.plot is None or not self.isVisible():
            return
        if self._rows != self.shown():
            self._rows = self.shown()
            self.plot.set_rows([f"{data.BY_ID[q].title}, {data.BY_ID[q].unit}" for q in self._rows])
        self.plot.set_left(self._left())
        self.plot.show_view()
        self.plot.show_cursor(self._cursor.frame)
        keypoints = self.keypoints() if self._document.is_open else []
        colours = COLOURS[self._theme.dark]
        paint = {k: colours[i % len(colours)] for i, k in enumerate(keypoints)}
        self._write_names(paint)
        self.angles.want(q for q in self._rows if data.BY_ID[q].of_body)
        for row, quantity in enumerate(self._rows):
            if data.BY_ID[quantity].of_body:
                self.plot.draw(row, self._angle(quantity))
            else:
                curves = [c for k in keypoints for c in self._curves(k, quantity, paint[k])]
                self.plot.draw(row, curves)

    def _curves(self, keypoint: int, quantity: str, colour: str) -> list[Curve]:
        from simspine_viewer.curves_plot import Curve

        view, fps = self._aids.view, self._cursor.fps
        start, stop = max(view.start - 1, 0), min(view.stop + 1, view.n_frames)
        values = self.store.values(keypoint)
        staged = data.BY_ID[quantity].staged
        final = staged and data.has_final(values, start, stop)
        edited = values["edited"][start:stop] > 0
        made = []
        if final:  # what it was triangulated to is drawn dashed under it
            under = data.curve(values, quantity, start, stop, fps, final=False)
            made.append(Curve(colour, start, under, dashed=True))
        line = data.curve(values, quantity, start, stop, fps, final=final)
        band = None
        if self.band.isChecked() and quantity in "xyz":
            band = values["final_sigma" if final else "sigma"][start:stop]
        return [*made, Curve(colour, start, line, band=band, edited=edited)]

    def _angle(self, quantity: str) -> list[Curve]:
        from simspine_viewer.curves_plot import Curve

        values = self.angles.values.get(quantity)
        if values is None:
            return []
        view = self._aids.view
        start, stop = max(view.start - 1, 0), min(view.stop + 1, view.n_frames)
        return [Curve(self._theme.text, start, values[start:stop])]

    def _write_names(self, paint: dict[int, str]) -> None:
        of_body = [data.BY_ID[q].of_body for q in self._rows]
        if self._document.is_open and any(of_body) and not self.angles.has_model:
            self.names.say("Angles need a body model: simulate first (Tools ▸ Simulate).")
            return
        if not paint:
            hint = "" if all(of_body) else "Select a keypoint to see its curves."
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
        of_body = [q for q in self.shown() if data.BY_ID[q].of_body and self.angles.has_model]
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
