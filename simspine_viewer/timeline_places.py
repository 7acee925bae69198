"""Where everything in the timeline is: lanes, ruler, overview, frames; and which lanes are seen.

A timeline that is lower than its lanes need shows whole lanes only, and a scroll bar beside them.
"""

from __future__ import annotations

import math

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QResizeEvent
from PySide6.QtWidgets import QScrollBar, QSizePolicy, QWidget

from simspine_viewer import lanes as lane_list
from simspine_viewer.lanes import Lane
from simspine_viewer.settings import Settings
from simspine_viewer.time_cursor import TimeCursor
from simspine_viewer.timeline_axis import Axis, TimeView
from simspine_viewer.timeline_ruler import (
    RULER,
    Label,
    frame_labels,
    ruler_font,
    second_labels,
)

GAP = 3
MARGIN = 10
STRIP = 10
LEAST_ROWS = 2  # lanes that a timeline shows however low the window is
_BELOW = 2 * GAP + STRIP


class TimelinePlaces(QWidget):
    """The geometry of the timeline; what is painted there and what the mouse does is not here."""

    def __init__(
        self,
        cursor: TimeCursor,
        settings: Settings,
        view: TimeView,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._cursor, self._settings, self.view = cursor, settings, view
        self._rows_bar = QScrollBar(Qt.Orientation.Vertical, self)
        self._rows_bar.setAccessibleName("Lanes that are seen")
        self._rows_bar.setCursor(Qt.CursorShape.ArrowCursor)
        self._rows_bar.valueChanged.connect(self.update)
        self._rows_bar.hide()
        # As high as all lanes need and no higher, but lower where the window is.
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Maximum)

    # Lanes

    def lanes(self) -> list[Lane]:
        """The lanes that are shown, from the top."""
        return lane_list.chosen(self._settings)

    @property
    def lane_height(self) -> int:
        return round(min(max(self._settings.lane_height, lane_list.LOWEST), lane_list.HIGHEST))

    @property
    def _pitch(self) -> int:
        return self.lane_height + GAP

    def rows_seen(self) -> range:
        """Rows of the lanes that are seen; all of them where there is room."""
        rows = len(self.lanes())
        # Less the gap below the overview: a dock may take a pixel of what it was asked for.
        seen = min(max((self.height() + GAP - self._height_of(0)) // self._pitch, 1), rows)
        first = min(self._rows_bar.value(), rows - seen)
        return range(first, first + seen)

    def see_row(self, row: int) -> None:
        """Scroll as little as it takes for the lane of a row to be seen."""
        seen = self.rows_seen()
        if row not in seen:
            self._rows_bar.setValue(row if row < seen.start else row - len(seen) + 1)

    def scroll_rows(self, rows: int) -> None:
        """Show the lanes that are further down, or further up."""
        self._rows_bar.setValue(self._rows_bar.value() + rows)

    def _place_bar(self) -> None:
        """A scroll bar in the right margin, where some lanes are not seen."""
        rows, seen = len(self.lanes()), len(self.rows_seen())
        bar = self._rows_bar
        bar.setPageStep(seen)
        bar.setRange(0, rows - seen)
        bar.setGeometry(self.width() - MARGIN + 1, RULER, MARGIN - 1, seen * self._pitch - GAP)
        bar.setVisible(seen < rows)

    def sizeHint(self) -> QSize:
        return QSize(600, self._height_of(len(self.lanes())))

    def minimumSizeHint(self) -> QSize:
        return QSize(320, self._height_of(min(len(self.lanes()), LEAST_ROWS)))

    def height_within(self, room: float) -> int:
        """The height of as many whole lanes as there is room for."""
        rows = int(room - self._height_of(0)) // self._pitch
        return self._height_of(min(max(rows, LEAST_ROWS), len(self.lanes())))

    def _height_of(self, rows: int) -> int:
        return RULER + rows * self._pitch + _BELOW

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._place_bar()
        super().resizeEvent(event)

    # Time

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

    # Parts

    def zone_at(self, at: QPointF) -> str:
        """Part of the timeline: ``label``, ``ruler``, ``lane`` or ``strip``."""
        if at.y() >= self.strip_rect().top() - 1:
            return "strip"
        if at.y() < RULER:
            return "ruler"
        return "label" if at.x() < self._sides()[0] - MARGIN / 2 else "lane"

    def row_at(self, y: float) -> int:
        """Row of the lane at a height, within the rows that are seen."""
        seen = self.rows_seen()
        row = seen.start + int((y - RULER) // self._pitch)
        return min(max(row, seen.start), seen.stop - 1)

    def _lane_rect(self, row: int) -> QRectF:
        left, width = self._sides()
        top = RULER + (row - self.rows_seen().start) * self._pitch
        return QRectF(left, top, width, self.lane_height)

    def strip_rect(self) -> QRectF:
        """Where the overview of the whole recording is."""
        left, width = self._sides()
        return QRectF(left, RULER + len(self.rows_seen()) * self._pitch + 1, width, STRIP)

    def label_rects(self) -> list[tuple[str, QRectF]]:
        """Names of the lanes that are seen and where they are written."""
        shown, rects = self.lanes(), []
        for row in self.rows_seen():
            rect = self._lane_rect(row)
            place = QRectF(MARGIN, rect.top(), rect.left() - 2 * MARGIN, rect.height())
            rects.append((shown[row].title, place))
        return rects

    # Ruler

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
