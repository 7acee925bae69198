"""The timeline: a ruler and lanes for residual, confidence, edits and missing points."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import (
    QColor,
    QFont,
    QHelpEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
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
LABELS = 92
MARGIN = 10
LANES = ("Residual", "Confidence", "Edited", "Missing")
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
        self.update()

    def _clear(self) -> None:
        self.signals = None
        self.update()

    def _update_frames(self, change: Change) -> None:
        if self.signals is None or change.group in ("tracks",):
            return
        sequence, person = self._document.sequence, self._document.person
        part = frame_signals(sequence, person, change.frames)
        for entry in fields(FrameSignals):
            getattr(self.signals, entry.name)[change.frames] = getattr(part, entry.name)
        self.update()

    def _axis(self) -> tuple[float, float]:
        """Left edge and width of one frame, in logical pixels."""
        width = max(self.width() - LABELS - MARGIN, 1)
        return float(LABELS), width / max(self._cursor.n_frames, 1)

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
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(self._theme.panel))
        self._paint_labels(painter)
        if self.signals is None or not self._cursor.n_frames:
            painter.end()
            return
        self._paint_ruler(painter)
        for row in range(len(LANES)):
            self._paint_lane(painter, row)
        self._paint_cursor(painter)
        painter.end()

    def _lane_rect(self, row: int) -> QRectF:
        left, _ = self._axis()
        top = RULER + row * (LANE + GAP)
        return QRectF(left, top, max(self.width() - LABELS - MARGIN, 1), LANE)

    def _paint_labels(self, painter: QPainter) -> None:
        painter.setPen(QColor(self._theme.muted))
        for row, name in enumerate(LANES):
            rect = self._lane_rect(row)
            painter.fillRect(rect, QColor(self._theme.field))
            label = QRectF(MARGIN, rect.top(), LABELS - MARGIN - 6, rect.height())
            painter.drawText(label, Qt.AlignmentFlag.AlignVCenter, name)

    def _paint_ruler(self, painter: QPainter) -> None:
        left, step = self._axis()
        font = QFont(painter.font())
        font.setPointSizeF(max(font.pointSizeF() * 0.88, 7.0))
        painter.setFont(font)
        spacing = next(s for s in _tick_spacings() if s * step >= 64)
        for frame in range(0, self._cursor.n_frames, spacing):
            x = left + (frame + 0.5) * step
            painter.setPen(QPen(QColor(self._theme.line), 1))
            painter.drawLine(QPointF(x, RULER - 5), QPointF(x, RULER - 1))
            painter.setPen(QColor(self._theme.muted))
            painter.drawText(QPointF(x + 3, RULER - 8), str(frame))
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
        width = rect.width() / len(values)
        if row == 2:
            heights = np.where(values > 0, rect.height() - 2, 0)
            width = max(width, 2.0)
        painter.setPen(Qt.PenStyle.NoPen)
        if row == 0:
            over = heights > (rect.height() - 2) / FULL_SCALE
            self._bars(painter, rect, np.where(over, 0, heights), width, QColor(self._theme.muted))
            self._bars(painter, rect, np.where(over, heights, 0), width, high)
            y = rect.bottom() - (rect.height() - 2) / FULL_SCALE
            painter.setPen(QPen(QColor(self._theme.bad), 1, Qt.PenStyle.DotLine))
            painter.drawLine(QPointF(rect.left(), y), QPointF(rect.right(), y))
        else:
            self._bars(painter, rect, heights, width, high)

    def _bars(
        self, painter: QPainter, rect: QRectF, heights: np.ndarray, width: float, colour: QColor
    ) -> None:
        painter.setBrush(colour)
        step = rect.width() / len(heights)
        bars = [
            QRectF(rect.left() + i * step, rect.bottom() - heights[i], width, heights[i])
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


def _tick_spacings():  # type: ignore[no-untyped-def]
    size = 1
    while True:
        yield from (size, 2 * size, 5 * size)
        size *= 10
