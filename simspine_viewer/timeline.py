"""The timeline: a ruler and lanes for residual, confidence, edits and missing points."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import fields

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontMetricsF,
    QHelpEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QPolygonF,
)
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from pipeline.data.patch import Change
from pipeline.quality.signals import FrameSignals, frame_signals
from simspine_viewer.document import Document
from simspine_viewer.settings import Settings
from simspine_viewer.theme import DARK, Theme
from simspine_viewer.time_cursor import TimeCursor

RULER = 22
LANE = 21
GAP = 3
MARGIN = 10
LANES = ("Residual", "Confidence", "Edited", "Missing")
LEAST = 3
# A residual this many times the threshold fills the lane.
FULL_SCALE = 2.0


class Timeline(QWidget):
    """Shows signals of the annotated person over time; press or drag moves the cursor."""

    def __init__(
        self,
        document: Document,
        cursor: TimeCursor,
        settings: Settings,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._document, self._cursor, self._settings = document, cursor, settings
        self._theme: Theme = DARK
        self.signals: FrameSignals | None = None
        self._lanes = QPixmap()  # what does not move with the cursor
        self._lanes_key: tuple[object, ...] = ()
        self._revision = 0
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.setAccessibleName("Timeline")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        document.opened.connect(self.reload)
        document.closed.connect(self._clear)
        document.person_changed.connect(lambda _: self.reload())
        document.changed.connect(self._update_frames)
        cursor.moved.connect(lambda _: self.update())
        cursor.range_changed.connect(self.update)

    def sizeHint(self) -> QSize:
        return QSize(600, RULER + len(LANES) * (LANE + GAP) + GAP)

    def minimumSizeHint(self) -> QSize:
        return QSize(320, self.sizeHint().height())

    def set_theme(self, theme: Theme) -> None:
        """Paint in the colours of another theme."""
        self._theme = theme
        self.update()

    def reload(self) -> None:
        """Compute all lanes anew."""
        self.signals = frame_signals(self._document.sequence, self._document.person)
        self._revision += 1
        self.update()

    def _clear(self) -> None:
        self.signals = None
        self._revision += 1
        self.update()

    def _update_frames(self, change: Change) -> None:
        if self.signals is None or change.group in ("tracks",):
            return
        sequence, person = self._document.sequence, self._document.person
        part = frame_signals(sequence, person, change.frames)
        for entry in fields(FrameSignals):
            getattr(self.signals, entry.name)[change.frames] = getattr(part, entry.name)
        self._revision += 1
        self.update()

    def _axis(self) -> tuple[float, float]:
        """Left edge and width of one frame, in logical pixels."""
        metrics = QFontMetricsF(self.font())
        left = 2.0 * MARGIN + max(math.ceil(metrics.horizontalAdvance(name)) for name in LANES)
        width = max(self.width() - left - MARGIN, 1)
        return left, width / max(self._cursor.n_frames, 1)

    def frame_at(self, x: float) -> int:
        """Frame under a horizontal position."""
        left, step = self._axis()
        return int(min(max((x - left) / step, 0), max(self._cursor.n_frames - 1, 0)))

    def x_of(self, frame: int) -> float:
        """Horizontal centre of a frame."""
        left, step = self._axis()
        return left + (frame + 0.5) * step

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self._cursor.n_frames:
            self._cursor.pause()
            self._cursor.set_frame(self.frame_at(event.position().x()))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if event.buttons() & Qt.MouseButton.LeftButton and self._cursor.n_frames:
            self._cursor.set_frame(self.frame_at(event.position().x()))

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            text = self.describe(self.frame_at(event.pos().x()))
            QToolTip.showText(event.globalPos(), text, self)
            return True
        return super().event(event)

    def describe(self, frame: int) -> str:
        """One line on a frame: number, time and what its lanes say."""
        if self.signals is None or frame >= len(self.signals.residual):
            return ""
        residual = self.signals.residual[frame]
        worst = f"{residual:.1f} px" if np.isfinite(residual) else "none"
        return (
            f"Frame {frame}, {frame / self._cursor.fps:.3f} s: largest residual {worst}, "
            f"confidence {self.signals.confidence[frame]:.2f}, "
            f"{self.signals.edited[frame]} edited, {self.signals.missing[frame]} missing"
        )

    def paintEvent(self, event: QPaintEvent) -> None:
        ratio = self.devicePixelRatioF()
        key = (
            self.size(), ratio, self.font().key(), self._theme.name, self._cursor.n_frames,
            self._settings.error_threshold, self._revision,
        )  # fmt: skip
        if key != self._lanes_key:
            self._lanes = QPixmap(self.size() * ratio)
            self._lanes.setDevicePixelRatio(ratio)
            self._paint_lanes()
            self._lanes_key = key
        painter = QPainter(self)
        painter.drawPixmap(0, 0, self._lanes)
        if self.signals is not None and self._cursor.n_frames:
            self._paint_cursor(painter)
        painter.end()

    def _paint_lanes(self) -> None:
        self._lanes.fill(QColor(self._theme.panel))
        painter = QPainter(self._lanes)
        painter.setFont(self.font())
        self._paint_labels(painter)
        if self.signals is not None and self._cursor.n_frames:
            self._paint_ruler(painter)
            for row in range(len(LANES)):
                self._paint_lane(painter, row)
        painter.end()

    def _lane_rect(self, row: int) -> QRectF:
        left, _ = self._axis()
        top = RULER + row * (LANE + GAP)
        return QRectF(left, top, max(self.width() - left - MARGIN, 1), LANE)

    def label_rects(self) -> list[tuple[str, QRectF]]:
        """Names of the lanes and where they are written."""
        rects = []
        for row, name in enumerate(LANES):
            lane = self._lane_rect(row)
            width = lane.left() - 2 * MARGIN
            rects.append((name, QRectF(MARGIN, lane.top(), width, lane.height())))
        return rects

    def _paint_labels(self, painter: QPainter) -> None:
        painter.setPen(QColor(self._theme.muted))
        for row, (name, rect) in enumerate(self.label_rects()):
            painter.fillRect(self._lane_rect(row), QColor(self._theme.field))
            painter.drawText(rect, Qt.AlignmentFlag.AlignVCenter, name)

    def ruler_font(self) -> QFont:
        """Font of the frame numbers, a little smaller than the widget's."""
        font = QFont(self.font())
        font.setPointSizeF(max(font.pointSizeF() * 0.88, 7.0))
        return font

    def ruler_labels(self) -> list[tuple[int, QRectF]]:
        """Frames that carry a number and where it is written; only whole numbers are."""
        left, step = self._axis()
        metrics = QFontMetricsF(self.ruler_font())
        widest = metrics.horizontalAdvance(str(max(self._cursor.n_frames - 1, 0)))
        spacing = next(s for s in _tick_spacings() if s * step >= max(64.0, widest + 12))
        labels = []
        for frame in range(0, self._cursor.n_frames, spacing):
            width = metrics.horizontalAdvance(str(frame))
            rect = QRectF(left + (frame + 0.5) * step + 3, 0, width, RULER - 4)
            if rect.right() <= self.width():
                labels.append((frame, rect))
        return labels

    def _paint_ruler(self, painter: QPainter) -> None:
        painter.setFont(self.ruler_font())
        for frame, rect in self.ruler_labels():
            x = self.x_of(frame)
            painter.setPen(QPen(QColor(self._theme.line), 1))
            painter.drawLine(QPointF(x, 4), QPointF(x, RULER - 1))
            painter.setPen(QColor(self._theme.muted))
            flags = Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextDontClip
            painter.drawText(rect, flags, str(frame))
        painter.setFont(self.font())

    def _paint_lane(self, painter: QPainter, row: int) -> None:
        """One column per pixel, the worst frame of each column, so that nothing hides."""
        assert self.signals is not None
        rect = self._lane_rect(row)
        threshold = self._settings.error_threshold
        values, high, low_is_bad = {
            0: (self.signals.residual / (threshold * FULL_SCALE), QColor(self._theme.bad), False),
            1: (self.signals.confidence, QColor(self._theme.good), True),
            2: (self.signals.edited.astype(float), QColor(self._theme.accent), False),
            3: (self.signals.missing / max(self._document.sequence.n_keypoints, 1),
                QColor(self._theme.warning), False),
        }[row]  # fmt: skip
        columns = max(int(rect.width() * self.devicePixelRatioF()), 1)
        n = len(values)
        if n > columns:
            edges = np.linspace(0, n, columns + 1).astype(int)[:-1]
            worst = np.fmin if low_is_bad else np.fmax
            values = worst.reduceat(values, edges)
        heights = np.clip(np.nan_to_num(values, nan=0.0), 0, 1) * (rect.height() - 2)
        narrowest = 0.0
        if row == 2:
            heights = np.where(values > 0, rect.height() - 2, 0)
            narrowest = 2.0
        if row == 3:  # one point of 37 must be seen as well
            heights = np.where(values > 0, np.maximum(heights, LEAST), 0)
        painter.setPen(Qt.PenStyle.NoPen)
        if row == 0:
            over = heights > (rect.height() - 2) / FULL_SCALE
            self._bars(painter, rect, np.where(over, 0, heights), 0.0, QColor(self._theme.muted))
            self._bars(painter, rect, np.where(over, heights, 0), 0.0, high)
            y = rect.bottom() - (rect.height() - 2) / FULL_SCALE
            painter.setPen(QPen(QColor(self._theme.bad), 1, Qt.PenStyle.DotLine))
            painter.drawLine(QPointF(rect.left(), y), QPointF(rect.right(), y))
        else:
            self._bars(painter, rect, heights, narrowest, high)

    def _bars(
        self, painter: QPainter, rect: QRectF, heights: np.ndarray, narrowest: float, colour: QColor
    ) -> None:
        painter.setBrush(colour)
        edges = rect.left() + rect.width() / len(heights) * np.arange(len(heights) + 1)
        bars = [
            # From edge to edge: a bar that reached into the next column would hide a low one.
            QRectF(
                QPointF(edges[i], rect.bottom() - heights[i]),
                QPointF(max(edges[i + 1], edges[i] + narrowest), rect.bottom()),
            )
            for i in np.flatnonzero(heights > 0)
        ]
        if bars:
            painter.drawRects(bars)

    def _paint_cursor(self, painter: QPainter) -> None:
        x = self.x_of(self._cursor.frame)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        colour = QColor(self._theme.accent)
        painter.setPen(QPen(colour, 1.5))
        painter.drawLine(QPointF(x, RULER - 4), QPointF(x, self.height() - GAP))
        painter.setBrush(colour)
        painter.setPen(Qt.PenStyle.NoPen)
        y = RULER - 3
        painter.drawPolygon(
            QPolygonF([QPointF(x - 6, y - 8), QPointF(x + 6, y - 8), QPointF(x, y)])
        )


def _tick_spacings() -> Iterator[int]:
    size = 1
    while True:
        yield from (size, 2 * size, 5 * size)
        size *= 10
