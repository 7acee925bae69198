"""The timeline: a ruler, lanes to choose from, the selected range, markers and an overview."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QPoint, QPointF, Qt, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPixmap,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QToolTip, QWidget

from pipeline.quality.signals import FrameSignals
from simspine_viewer import lanes as lane_list
from simspine_viewer import timeline_painting as paint
from simspine_viewer import timeline_words
from simspine_viewer.document import Document
from simspine_viewer.lanes import Lane
from simspine_viewer.settings import Settings
from simspine_viewer.theme import DARK, Theme
from simspine_viewer.time_aids import TimeAids
from simspine_viewer.time_cursor import TimeCursor
from simspine_viewer.timeline_gesture import TimelineGestures
from simspine_viewer.timeline_places import MARGIN, TimelinePlaces
from simspine_viewer.timeline_ruler import paint_ruler
from simspine_viewer.timeline_words import lane_help


class Timeline(TimelinePlaces):
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
        super().__init__(cursor, settings, aids.view, parent)
        self._document, self.range = document, aids.range
        self.store, self.markers = aids.lanes, aids.markers
        self._theme: Theme = DARK
        self._lanes = QPixmap()  # what does not move with the cursor
        self._lanes_key: tuple[object, ...] = ()
        self._gestures = TimelineGestures(self)
        self.active = "residual"
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.setAccessibleName("Timeline")
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
        self._place_bar()
        self.see_row([lane.id for lane in self.lanes()].index(self.active))
        self.updateGeometry()
        self.update()
        self.height_changed.emit()

    def active_lane(self) -> Lane:
        """The lane that commands act on."""
        return lane_list.BY_ID[self.active]

    def choose_lane(self, row: int) -> None:
        """Let commands act on the lane of a row."""
        shown = self.lanes()
        row = min(max(row, 0), len(shown) - 1)
        self.active = shown[row].id
        self.see_row(row)
        self.update()

    def move_lane(self, row: int, to: int) -> None:
        """Put the lane of one row into another."""
        shown = self.lanes()
        self.set_lanes(lane_list.moved(shown, shown[row], to))

    def explain_lane(self, row: int) -> None:
        """Say what a lane shows, beside its name."""
        at = self.mapToGlobal(QPoint(MARGIN, round(self._lane_rect(row).bottom())))
        QToolTip.showText(at, lane_help(self.lanes()[row], self._settings), self)

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
        on_label = self.zone_at(event.position()) == "label"
        if on_label and len(self.rows_seen()) < len(self.lanes()):
            self.scroll_rows(-1 if event.angleDelta().y() > 0 else 1)
        elif self._cursor.n_frames:
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
        return timeline_words.words_at(self, at, self._settings)

    def describe(self, frame: int) -> str:
        """Some lines on a frame: number, time and what the lanes say."""
        return timeline_words.frame_words(self, frame, self._cursor.fps)

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
            self.markers.revision, self.rows_seen(),
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
        seen = self.rows_seen()
        shown = self.lanes()[seen.start : seen.stop]
        rects = [self._lane_rect(row) for row in seen]
        active = next((i for i, lane in enumerate(shown) if lane.id == self.active), -1)
        paint.labels(painter, self.label_rects(), active, rects, theme)
        if self.signals is not None and self._cursor.n_frames:
            axis, ratio = self.axis(), self.devicePixelRatioF()
            rows = list(zip(shown, rects, strict=True))
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
