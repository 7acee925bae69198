"""Stacked plots with one time axis (pyqtgraph); imported when curves are first looked at."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass

os.environ["PYQTGRAPH_QT_LIB"] = "PySide6"  # pyqtgraph takes the first Qt it finds otherwise

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF
from PySide6.QtWidgets import QWidget

from simspine_viewer.theme import Theme
from simspine_viewer.timeline_axis import TimeView, frame_spacing

FloatArray = NDArray[np.float64]

NOTCH = 120.0
ZOOM = 1.25
MANY = 4000  # visible frames beyond which the extremes of each column are drawn
LEAST_HEIGHT = 56  # of all plots together
LEAST_ROW = 34  # of one plot: its title must fit; the last has the frames below it
RIGHT = 10  # pixels right of the plots, as in the timeline


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """One line: values (n,) of frames from ``start`` on, with what is drawn around it."""

    colour: str
    start: int
    values: FloatArray
    dashed: bool = False
    band: FloatArray | None = None
    edited: NDArray[np.bool_] | None = None
    hidden: bool = False  # only its band is drawn


class _Box(pg.ViewBox):
    """The mouse in a plot: drag moves the frame, the wheel zooms time, with Shift it pans."""

    def __init__(self, view: TimeView, go_to: Callable[[int], None]) -> None:
        super().__init__(enableMenu=False)
        self._time, self._go_to = view, go_to
        self.setMouseEnabled(x=False, y=False)

    def _frame(self, position: QPointF) -> int:
        return int(np.floor(self.mapSceneToView(position).x()))

    def mouseClickEvent(self, event) -> None:  # type: ignore[no-untyped-def]
        if event.button() == Qt.MouseButton.LeftButton:
            event.accept()
            self._go_to(self._frame(event.scenePos()))

    def mouseDragEvent(self, event, axis=None) -> None:  # type: ignore[no-untyped-def]
        event.accept()
        if event.button() == Qt.MouseButton.LeftButton:
            self._go_to(self._frame(event.scenePos()))
        else:
            apart = self.mapSceneToView(event.scenePos()) - self.mapSceneToView(
                event.lastScenePos()
            )
            self._time.pan(-apart.x())

    def wheelEvent(self, event, axis=None) -> None:  # type: ignore[no-untyped-def]
        event.accept()
        notches = event.delta() / NOTCH
        held = event.modifiers() & Qt.KeyboardModifier.ShiftModifier
        if held or event.orientation() == Qt.Orientation.Horizontal:
            self._time.pan(-notches * 0.1 * self._time.span)
        else:
            anchor = self.mapSceneToView(event.scenePos()).x()
            self._time.zoom(ZOOM**notches, min(max(anchor, 0.0), self._time.n_frames))


class _Frames(pg.AxisItem):
    """Whole frames, written where the middle of each frame is."""

    def tickValues(self, low: float, high: float, size: float) -> list[tuple[float, list[float]]]:
        if high <= low or size <= 0:
            return []
        spacing = frame_spacing(size / (high - low), 64.0)
        first = -(-int(np.ceil(low - 0.5)) // spacing) * spacing
        frames = range(max(first, 0), int(high), spacing)
        return [(float(spacing), [frame + 0.5 for frame in frames])]

    def tickStrings(self, values: list[float], scale: float, spacing: float) -> list[str]:
        return [str(int(value)) for value in values]


class CurvesPlot(pg.GraphicsLayoutWidget):
    """Plots under each other, one per quantity; frame i lies between i and i + 1."""

    def __init__(
        self, view: TimeView, go_to: Callable[[int], None], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._view, self._go_to = view, go_to
        self._plots: list[pg.PlotItem] = []
        self._lines: list[pg.InfiniteLine] = []
        self._names: list[pg.TextItem] = []
        self._titles: list[str] = []
        self._theme: Theme | None = None
        self._left = 80.0
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # keys belong to the window
        self.setAccessibleName("Curves")
        self.setMinimumHeight(LEAST_HEIGHT)
        self.ci.layout.setContentsMargins(0, 2, RIGHT, 2)
        self.ci.layout.setSpacing(2)

    @property
    def plots(self) -> list[pg.PlotItem]:
        """The plots from the top."""
        return self._plots

    def set_theme(self, theme: Theme) -> None:
        """Colours of background, axes and cursor."""
        self._theme = theme
        self.setBackground(theme.panel)
        for plot, line in zip(self._plots, self._lines, strict=True):
            self._dress(plot, line)
        for name in self._names:
            name.setColor(theme.text)
            name.fill = pg.mkBrush(theme.field)

    def set_left(self, width: float) -> None:
        """Width of the scales, so that frames stand above those of the timeline."""
        self._left = width
        for plot in self._plots:
            plot.getAxis("left").setWidth(width)

    def set_right(self, taken: int) -> None:
        """Leave less of the margin, where something beside the plots takes some of it."""
        self.ci.layout.setContentsMargins(0, 2, RIGHT - taken, 2)

    def set_rows(self, titles: list[str]) -> None:
        """Have one empty plot for each title."""
        self.clear()
        self._plots, self._lines, self._names, self._titles = [], [], [], titles
        self.setMinimumHeight(max(LEAST_HEIGHT, LEAST_ROW * len(titles) + LEAST_ROW // 2))
        for row, title in enumerate(titles):
            axes = {"bottom": _Frames("bottom")}
            plot = self.addPlot(
                row=row, col=0, viewBox=_Box(self._view, self._go_to), axisItems=axes
            )
            plot.hideButtons()
            plot.setMenuEnabled(False)
            name = pg.TextItem(title, anchor=(0, 0))  # beside a low plot there is no room for it
            name.setParentItem(plot.getViewBox())
            name.setPos(4, 0)
            self._names.append(name)
            plot.getAxis("left").enableAutoSIPrefix(False)
            plot.getAxis("left").setWidth(self._left)
            last = row == len(titles) - 1
            plot.getAxis("bottom").setStyle(showValues=last)
            line = pg.InfiniteLine(angle=90, movable=False)
            line.setZValue(10)
            plot.addItem(line, ignoreBounds=True)
            self._plots.append(plot)
            self._lines.append(line)
        if self._theme is not None:
            self.set_theme(self._theme)
        self.show_view()

    def _dress(self, plot: pg.PlotItem, line: pg.InfiniteLine) -> None:
        assert self._theme is not None
        font = QFont(self.font())
        font.setPointSizeF(max(font.pointSizeF() * 0.88, 7.0))
        plot.getViewBox().setBackgroundColor(self._theme.field)
        for name in ("left", "bottom"):
            axis = plot.getAxis(name)
            axis.setPen(pg.mkPen(self._theme.line))
            axis.setTextPen(pg.mkPen(self._theme.muted))
            axis.setTickFont(font)
        height = QFontMetricsF(font).height()
        plot.getAxis("bottom").setHeight(height + 6 if plot is self._plots[-1] else 4)
        plot.showGrid(x=False, y=True, alpha=0.25)
        line.setPen(pg.mkPen(self._theme.accent, width=1.5))

    def show_view(self) -> None:
        """Show the same stretch of time as the timeline."""
        for plot in self._plots:
            plot.setXRange(self._view.first, self._view.first + self._view.span, padding=0)

    def show_cursor(self, frame: int) -> None:
        """Put the line on a frame."""
        for line in self._lines:
            line.setValue(frame + 0.5)

    def say(self, row: int, text: str) -> None:
        """Write something behind the title of a plot."""
        self._names[row].setText(f"{self._titles[row]}   {text}" if text else self._titles[row])

    def draw(
        self, row: int, curves: list[Curve], limits: tuple[float, float] | None = None
    ) -> None:
        """Replace the curves of one plot; ``limits`` are lines across it."""
        plot, line = self._plots[row], self._lines[row]
        plot.clear()
        plot.addItem(line, ignoreBounds=True)
        for limit in limits or ():
            colour = self._theme.muted if self._theme else "w"
            pen = pg.mkPen(colour, width=1.0, style=Qt.PenStyle.DotLine)
            plot.addItem(pg.InfiniteLine(limit, angle=0, pen=pen), ignoreBounds=True)
        lows, highs = [], []
        for curve in curves:
            x = np.asarray(curve.start + 0.5 + np.arange(len(curve.values)), float)
            if curve.band is not None and len(x) <= MANY:
                self._band(plot, x, curve.values, curve.band, curve.colour)
            if curve.hidden:
                continue
            style = Qt.PenStyle.DashLine if curve.dashed else Qt.PenStyle.SolidLine
            pen = pg.mkPen(curve.colour, width=1.6, style=style)
            item = pg.PlotDataItem(x, curve.values, pen=pen, connect="finite")
            plot.addItem(item)
            if len(x) > MANY:
                item.setDownsampling(auto=True, method="peak")
                # Not before it is in the plot: on its way there it would ask the widget, and fail.
                item.setClipToView(True)
            alone = _alone(curve.values)
            if alone.any():  # a point between two gaps has no line to be seen by
                plot.plot(
                    x[alone], curve.values[alone], pen=None, symbol="o", symbolSize=3,
                    symbolBrush=curve.colour, symbolPen=None,
                )  # fmt: skip
            if curve.edited is not None and (curve.edited & np.isfinite(curve.values)).any():
                marked = curve.edited & np.isfinite(curve.values)
                ring = pg.mkPen(self._theme.text if self._theme else "w", width=1.2)
                plot.plot(
                    x[marked], curve.values[marked], pen=None, symbol="d", symbolSize=9,
                    symbolBrush=curve.colour, symbolPen=ring,
                )  # fmt: skip
            finite = curve.values[np.isfinite(curve.values)]
            if len(finite):
                lows.append(float(finite.min()))
                highs.append(float(finite.max()))
        if lows:
            low, high = min(lows), max(highs)
            room = 0.06 * (high - low) or 1.0
            plot.setYRange(low - room, high + room, padding=0)

    def _band(
        self, plot: pg.PlotItem, x: FloatArray, middle: FloatArray, half: FloatArray, colour: str
    ) -> None:
        fill = QColor(colour)
        fill.setAlpha(50)
        edges = [
            pg.PlotCurveItem(x, middle + sign * half, pen=None, connect="finite")
            for sign in (-1.0, 1.0)
        ]
        for edge in edges:
            plot.addItem(edge, ignoreBounds=True)
        plot.addItem(pg.FillBetweenItem(*edges, brush=fill), ignoreBounds=True)


def _alone(values: FloatArray) -> NDArray[np.bool_]:
    """Where a value has a gap on both sides."""
    there = np.pad(np.isfinite(values), 1)
    return np.asarray(there[1:-1] & ~there[:-2] & ~there[2:])
