"""The ruler above the lanes: numbers or times, and the edges of single frames when close."""

from __future__ import annotations

import math
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen

from simspine_viewer.theme import Theme
from simspine_viewer.timeline_axis import (
    Axis,
    TimeView,
    frame_spacing,
    second_spacing,
    time_text,
)

RULER = 22
COLUMN = 14.0  # pixels a frame must be wide to be drawn as a column of its own
APART = 64.0


@dataclass(frozen=True, slots=True)
class Label:
    """A text on the ruler, where it is written, and the pixel it stands for."""

    text: str
    rect: QRectF
    x: float


def ruler_font(font: QFont) -> QFont:
    """Font of the ruler, a little smaller than the widget's."""
    small = QFont(font)
    small.setPointSizeF(max(font.pointSizeF() * 0.88, 7.0))
    return small


def frame_labels(view: TimeView, axis: Axis, metrics: QFontMetricsF, right: float) -> list[Label]:
    """Frame numbers; only whole ones are written. In the middle of its column when close."""
    widest = metrics.horizontalAdvance(str(max(view.n_frames - 1, 0)))
    close = axis.step >= max(widest + 6.0, COLUMN)
    spacing = 1 if close else frame_spacing(axis.step, max(APART, widest + 12.0))
    labels = []
    for frame in range(-(-view.start // spacing) * spacing, view.stop, spacing):
        text, x = str(frame), axis.centre(frame)
        width = metrics.horizontalAdvance(text)
        rect = QRectF(x - width / 2 if close else x + 3, 0, width, RULER - 4)
        if axis.left - 1 <= x and rect.left() >= axis.left - 1 and rect.right() <= right:
            labels.append(Label(text, rect, x))
    return labels


def second_labels(
    view: TimeView, axis: Axis, metrics: QFontMetricsF, right: float, fps: float
) -> list[Label]:
    """Times since the first frame, as fine as there is room for."""
    apart = max(APART, metrics.horizontalAdvance(time_text(view.n_frames / fps, 0.001)) + 12.0)
    spacing = second_spacing(axis.step, fps, apart)
    labels = []
    number = max(math.ceil((view.first - 0.5) / fps / spacing - 1e-6), 0)
    while (place := number * spacing * fps) <= min(view.first + view.span, view.n_frames - 1):
        text, x = time_text(number * spacing, spacing), axis.edge(place + 0.5)
        rect = QRectF(x + 3, 0, metrics.horizontalAdvance(text), RULER - 4)
        if axis.left - 1 <= x and rect.right() <= right:
            labels.append(Label(text, rect, x))
        number += 1
    return labels


def paint_ruler(
    painter: QPainter, labels: list[Label], view: TimeView, axis: Axis, bottom: float, theme: Theme
) -> None:
    """Draw labels with their ticks, and the edges of frames where these are columns."""
    line = QColor(theme.line)
    close = axis.step >= COLUMN
    if close:
        painter.setPen(QPen(line, 1))
        for frame in range(view.start, view.stop + 1):
            x = axis.edge(frame)
            if axis.left <= x <= axis.left + axis.width:
                painter.drawLine(QPointF(x, RULER - 7), QPointF(x, bottom))
    for label in labels:
        if label.rect.left() > label.x:
            painter.setPen(QPen(line, 1))
            painter.drawLine(QPointF(label.x, 4), QPointF(label.x, RULER - 1))
        painter.setPen(QColor(theme.muted))
        flags = Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextDontClip
        painter.drawText(label.rect, flags, label.text)
