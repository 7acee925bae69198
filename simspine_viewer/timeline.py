"""The timeline: a ruler, lanes to choose from, the selected range, markers and an overview."""

from __future__ import annotations

import math

import numpy as np
from PySide6.QtCore import QEvent, QObject, QPoint, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QFont,
    QFontMetricsF,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPixmap,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from pipeline.quality.signals import FrameSignals
from simspine_viewer import lanes as lane_list
from simspine_viewer import timeline_painting as paint
from simspine_viewer.document import Document
from simspine_viewer.lanes import Lane
from simspine_viewer.settings import Settings
from simspine_viewer.theme import DARK, Theme
from simspine_viewer.time_aids import TimeAids
from simspine_viewer.time_cursor import TimeCursor
from simspine_viewer.timeline_axis import Axis
from simspine_viewer.timeline_gesture import TimelineGestures
from simspine_viewer.timeline_ruler import (
    RULER,
    Label,
    frame_labels,
    paint_ruler,
    ruler_font,
    second_labels,
)

GAP = 3
MARGIN = 10
STRIP = 10
NEAR = 6.0  # pixels around a marker's flag in which it speaks


class Timeline(QWidget):
    """Shows signals of the annotated person over time; press or drag moves the cursor.

    Signals
    -------
    menu_requested(QPoint) : the right button was pressed there (global position).
    lanes_changed : the lanes were put into another order with the mouse.
    height_changed : the timeline needs another height.
    """

    menu_requested = Signal(object)
    lanes_changed = Signal()
    height_changed = Signal()

    def __init__(
        self,
        document: Document,
        cursor: TimeCursor,
        settings: Settings,
        aids: TimeAids,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._document, self._cursor, self._settings = document, cursor, settings
        self.view, self.range = aids.view, aids.range
        self.store, self.markers = aids.lanes, aids.markers
        self._theme: Theme = DARK
        self._lanes = QPixmap()  # what does not move with the cursor
        self._lanes_key: tuple[object, ...] = ()
        self._gestures = TimelineGestures(self)
        self.active = "residual"
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.setAccessibleName("Timeline")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        cursor.moved.connect(lambda _: self.update())
        for signal in (
            cursor.range_changed,
            self.view.changed,
            self.range.changed,
            self.store.changed,
            self.markers.changed,
        ):
            signal.connect(self.update)
        self.set_lanes([lane.id for lane in self.lanes()])

    # Lanes

    @property
    def signals(self) -> FrameSignals | None:
        """Signals that commands go by; None while nothing is open."""
        return self.store.signals

    def lanes(self) -> list[Lane]:
        """The lanes that are shown, from the top."""
        return lane_list.chosen(self._settings)

    def set_lanes(self, names: list[str]) -> None:
        """Show other lanes, from the top; unknown names are passed over."""
        self._settings.lanes = names
        shown = self.lanes()
        if self.active not in [lane.id for lane in shown]:
            self.active = shown[0].id
        self.store.want(shown)
        self._laid_out()

    def set_lane_height(self, height: float) -> None:
        """Make all lanes higher or lower, in pixels."""
        self._settings.lane_height = min(max(height, lane_list.LOWEST), lane_list.HIGHEST)
        self._laid_out()

    def _laid_out(self) -> None:
        self.updateGeometry()
        self.update()
        self.height_changed.emit()

    def active_lane(self) -> Lane:
        """The lane that commands act on."""
        return lane_list.BY_ID[self.active]

    def choose_lane(self, row: int) -> None:
        """Let commands act on the lane of a row."""
        shown = self.lanes()
        self.active = shown[min(max(row, 0), len(shown) - 1)].id
        self.update()

    def move_lane(self, row: int, to: int) -> None:
        """Put the lane of one row into another."""
        shown = self.lanes()
        self.set_lanes(lane_list.moved(shown, shown[row], to))

    def explain_lane(self, row: int) -> None:
        """Say what a lane shows, beside its name."""
        at = self.mapToGlobal(QPoint(MARGIN, round(self._lane_rect(row).bottom())))
        QToolTip.showText(at, self._help(self.lanes()[row]), self)

    def _help(self, lane: Lane) -> str:
        threshold, _ = lane_list.limits(lane, self._settings)
        bad = ""
        if threshold is not None:
            side = "below" if lane.low_is_bad else "above"
            bad = f"<br>Red {side} {lane_list.value_text(lane, threshold)}."
        return f"<p><b>{lane.title}</b><br>{lane.help}{bad}</p>"

    # Geometry

    @property
    def lane_height(self) -> int:
        return round(min(max(self._settings.lane_height, lane_list.LOWEST), lane_list.HIGHEST))

    def sizeHint(self) -> QSize:
        rows = len(self.lanes())
        return QSize(600, RULER + rows * (self.lane_height + GAP) + GAP + STRIP + GAP)

    def minimumSizeHint(self) -> QSize:
        return QSize(320, self.sizeHint().height())

    def axis(self) -> Axis:
        """Where the visible frames lie, in logical pixels."""
        return Axis(*self._sides(), self.view.first, self.view.span)

    def whole_axis(self) -> Axis:
        """Where all frames lie in the overview."""
        return Axis(*self._sides(), 0.0, float(max(self.view.n_frames, 1)))

    def _sides(self) -> tuple[float, float]:
        metrics = QFontMetricsF(self.font())
        names = [lane.title for lane in self.lanes()]
        left = 2.0 * MARGIN + max(math.ceil(metrics.horizontalAdvance(name)) for name in names)
        return left, max(self.width() - left - MARGIN, 1.0)

    def frame_at(self, x: float) -> int:
        """Frame under a horizontal position; the first and last go on to both sides."""
        place = math.floor(self.axis().position_at(x) + 1e-9)
        return int(min(max(place, 0), max(self._cursor.n_frames - 1, 0)))

    def x_of(self, frame: int) -> float:
        """Horizontal centre of a frame."""
        return self.axis().centre(frame)

    def zone_at(self, at: QPointF) -> str:
        """Part of the timeline: ``label``, ``ruler``, ``lane`` or ``strip``."""
        if at.y() >= self.strip_rect().top() - 1:
            return "strip"
        if at.y() < RULER:
            return "ruler"
        return "label" if at.x() < self._sides()[0] - MARGIN / 2 else "lane"

    def row_at(self, y: float) -> int:
        """Row of the lane at a height, within the rows there are."""
        return min(max(int((y - RULER) // (self.lane_height + GAP)), 0), len(self.lanes()) - 1)

    def _lane_rect(self, row: int) -> QRectF:
        left, width = self._sides()
        return QRectF(left, RULER + row * (self.lane_height + GAP), width, self.lane_height)

    def strip_rect(self) -> QRectF:
        """Where the overview of the whole recording is."""
        left, width = self._sides()
        top = RULER + len(self.lanes()) * (self.lane_height + GAP) + 1
        return QRectF(left, top, width, STRIP)

    def label_rects(self) -> list[tuple[str, QRectF]]:
        """Names of the lanes and where they are written."""
        rects = []
        for row, lane in enumerate(self.lanes()):
            rect = self._lane_rect(row)
            rects.append(
                (lane.title, QRectF(MARGIN, rect.top(), rect.left() - 2 * MARGIN, rect.height()))
            )
        return rects

    def ruler_font(self) -> QFont:
        """Font of the ruler."""
        return ruler_font(self.font())

    def ruler_labels(self) -> list[tuple[str, QRectF]]:
        """Texts of the ruler and where they are written; only whole ones are."""
        return [(label.text, label.rect) for label in self._labels()]

    def _labels(self) -> list[Label]:
        metrics, axis = QFontMetricsF(self.ruler_font()), self.axis()
        if self._settings.time_in_seconds:
            return second_labels(self.view, axis, metrics, self.width(), self._cursor.fps)
        return frame_labels(self.view, axis, metrics, self.width())

    # Mouse and keys

    def go_to(self, x: float) -> None:
        """Stop play and go to the frame at a horizontal position."""
        if self._cursor.n_frames:
            self._cursor.pause()
            self._cursor.set_frame(self.frame_at(x))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if self._cursor.n_frames or self.zone_at(event.position()) == "label":
            self._gestures.press(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._gestures.move(event)
        on_label = self.zone_at(event.position()) == "label"
        shape = Qt.CursorShape.PointingHandCursor if on_label else Qt.CursorShape.ArrowCursor
        if self.cursor().shape() != shape:
            self.setCursor(shape)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        moving = self._gestures.kind == "label"
        self._gestures.release(event)
        if moving:
            self.lanes_changed.emit()

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self._cursor.n_frames:
            self._gestures.wheel(event)
        event.accept()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        if self.zone_at(QPointF(event.pos())) == "label":
            self.choose_lane(self.row_at(event.pos().y()))
        self.menu_requested.emit(event.globalPos())

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Escape, where nothing else in the window wants it, selects no range any more."""
        if (
            isinstance(event, QKeyEvent)
            and event.type() == QEvent.Type.KeyPress
            and event.key() == Qt.Key.Key_Escape
            and self.range
        ):
            self.range.clear()
            return True
        return super().eventFilter(watched, event)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            QToolTip.showText(event.globalPos(), self.words_at(QPointF(event.pos())), self)
            return True
        return super().event(event)

    # What is said

    def words_at(self, at: QPointF) -> str:
        """What there is to say about a position: a lane, a marker or a frame."""
        zone = self.zone_at(at)
        if zone == "label":
            how = "<p>Drag to move it; right button for other lanes.</p>"
            return self._help(self.lanes()[self.row_at(at.y())]) + how
        if zone == "strip":
            return "The whole recording. The bright part is what the lanes show; drag it."
        axis = self.axis()
        close = [m for f, m in self.markers.all.items() if abs(axis.centre(f) - at.x()) <= NEAR]
        if zone == "ruler" and close:
            marker = min(close, key=lambda m: abs(axis.centre(m.frame) - at.x()))
            return f"Frame {marker.frame}: {marker.text or 'marker without a note'}"
        return self.describe(self.frame_at(at.x()))

    def describe(self, frame: int) -> str:
        """Some lines on a frame: number, time and what the lanes say."""
        if self.signals is None or not 0 <= frame < self.store.n_frames:
            return ""
        lines = [f"Frame {frame}, {frame / self._cursor.fps:.3f} s"]
        for lane in self.lanes():
            if lane.id == "markers":
                marker = self.markers.all.get(frame)
                lines += [f"Marker: {marker.text}"] if marker and marker.text else []
                continue
            value = self.value_at(lane, frame)
            said = lane_list.value_text(lane, value) if np.isfinite(value) else "none"
            if not self.store.known(lane)[frame]:
                said = "not computed yet"
            lines.append(f"{lane.title}: {said}")
        return "\n".join(lines)

    def value_at(self, lane: Lane, frame: int) -> float:
        """What a lane shows at a frame; NaN where there is nothing."""
        return float(self.store.values[lane.id][frame])

    # Painting

    def set_theme(self, theme: Theme) -> None:
        """Paint in the colours of another theme."""
        self._theme = theme
        self.update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        self.window().removeEventFilter(self)
        self.window().installEventFilter(self)
        super().resizeEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        ratio = self.devicePixelRatioF()
        settings = self._settings
        key = (
            self.size(), ratio, self.font().key(), self._theme.name, self._cursor.n_frames,
            settings.error_threshold, tuple(settings.lanes), self.lane_height, self.active,
            settings.time_in_seconds, self.view.first, self.view.span, self.store.revision,
            self.markers.revision,
        )  # fmt: skip
        if key != self._lanes_key:
            self._lanes = QPixmap(self.size() * ratio)
            self._lanes.setDevicePixelRatio(ratio)
            self._paint_lanes()
            self._lanes_key = key
        painter = QPainter(self)
        painter.drawPixmap(0, 0, self._lanes)
        if self.signals is not None and self._cursor.n_frames:
            axis, bottom = self.axis(), self.strip_rect().top() - 2
            if self.range:
                paint.selected_range(painter, axis, self.range, bottom, self._theme)
            paint.cursor(painter, axis, self._cursor.frame, bottom, self._theme)
            paint.strip_window(
                painter, self.strip_rect(), self.whole_axis(), self.view, self._cursor.frame,
                self._theme,
            )  # fmt: skip
        painter.end()

    def _paint_lanes(self) -> None:
        theme = self._theme
        self._lanes.fill(theme.panel)
        painter = QPainter(self._lanes)
        painter.setFont(self.font())
        rects = [self._lane_rect(row) for row in range(len(self.lanes()))]
        row = [lane.id for lane in self.lanes()].index(self.active)
        paint.labels(painter, self.label_rects(), row, rects, theme)
        if self.signals is not None and self._cursor.n_frames:
            axis, ratio = self.axis(), self.devicePixelRatioF()
            rows = list(zip(self.lanes(), rects, strict=True))
            for lane, rect in rows:
                limits = lane_list.limits(lane, self._settings)
                if lane.id != "markers":
                    paint.lane(painter, lane, rect, axis, self.store, limits, ratio, theme)
            paint.overview(painter, self.strip_rect(), self.store, self._settings, ratio, theme)
            painter.setFont(self.ruler_font())
            paint_ruler(painter, self._labels(), self.view, axis, rects[-1].bottom(), theme)
            paint.flags(painter, axis, self.markers, theme)
            for rect in (rect for lane, rect in rows if lane.id == "markers"):
                paint.marker_lane(painter, rect, axis, self.markers, theme)
        painter.end()
