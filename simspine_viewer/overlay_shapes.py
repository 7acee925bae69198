"""The strokes an overlay is made of: points, rings, lines with a dark halo, labels.

Lines are flat-capped and separate: Qt's rasteriser takes three to six times as long for round caps
and up to fifteen times as long for a polyline as for its separate lines. Closed shapes are kept as
paths, which are only moved to be drawn: to hand the corners of a polygon over from Python takes
twice as long as to draw it (54 and 16 us measured for a point).
"""

from __future__ import annotations

import functools
import math

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPainterPath, QPen, QPolygonF

from simspine_viewer.palette import RGB, Shape

FloatArray = NDArray[np.float64]
Point = tuple[float, float]

# Points this far outside the pane are not drawn: nothing of them could be seen, and Qt's rasteriser
# slows down with far coordinates.
REACH = 4000.0
EDGE = (24, 26, 30, 255)  # beside lines: opaque strokes take a quarter of the time
HALO = (0, 0, 0, 170)
SOFT_HALO = (0, 0, 0, 110)
LABEL_BACKGROUND = QColor(16, 18, 22, 215)
LABEL_PADDING = (5.0, 2.0)


def _regular(corners: int) -> tuple[Point, ...]:
    angles = (2 * math.pi * k / corners for k in range(corners))
    return tuple((math.cos(angle), math.sin(angle)) for angle in angles)


# At most 0.1 widget points off a circle at the radii used here.
_RING = _regular(24)
_UNIT_SHAPE: dict[Shape, tuple[Point, ...]] = {
    "circle": _regular(16),
    # Areas close to that of the unit circle, so that no side looks heavier.
    "triangle": ((0.0, -1.35), (1.2, 0.85), (-1.2, 0.85)),
    "diamond": ((0.0, -1.35), (1.35, 0.0), (0.0, 1.35), (-1.35, 0.0)),
}


@functools.cache
def colour(rgb: RGB, alpha: float = 1.0) -> QColor:
    """A colour with an opacity of 0 to 1."""
    return QColor(*rgb, round(255 * alpha))


@functools.cache
def pen(rgba: tuple[int, int, int, int], width: float) -> QPen:
    """A pen of constant width in widget points."""
    style, cap = Qt.PenStyle.SolidLine, Qt.PenCapStyle.FlatCap
    return QPen(QColor(*rgba), width, style, cap, Qt.PenJoinStyle.MiterJoin)


@functools.cache
def dashed_pen(rgba: tuple[int, int, int, int], width: float) -> QPen:
    """A pen with dashes short enough to be seen around a point."""
    dashes = QPen(pen(rgba, width))
    dashes.setDashPattern([1.5, 1.0])  # in widths of the pen
    return dashes


def rgba(rgb: RGB, alpha: float = 1.0) -> tuple[int, int, int, int]:
    """A colour for :func:`pen`."""
    return (*rgb, round(255 * alpha))


def line(start: Point, end: Point) -> QLineF:
    """A line between two widget points."""
    return QLineF(start[0], start[1], end[0], end[1])


def draw_shape(painter: QPainter, shape: Shape, at: Point, radius: float) -> None:
    """A side's shape with the painter's pen and brush."""
    painter.drawPath(_closed(_UNIT_SHAPE[shape], radius).translated(*at))


# More radii than one zoom has: each pane has one for every twentieth of confidence.
@functools.lru_cache(maxsize=512)
def _closed(corners: tuple[Point, ...], radius: float) -> QPainterPath:
    path = QPainterPath()
    path.addPolygon(QPolygonF([QPointF(radius * u, radius * v) for u, v in corners]))
    path.closeSubpath()
    return path


def draw_ring(painter: QPainter, at: Point, radius: float, rgb: RGB, width: float) -> None:
    """A ring with a dark halo on both sides."""
    ring = _closed(_RING, radius).translated(*at)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for own, own_width in ((HALO, width + 2.0), (rgba(rgb), width)):
        painter.setPen(pen(own, own_width))
        painter.drawPath(ring)


def thinned(line_points: FloatArray, tolerance: float = 0.3) -> FloatArray:
    """The fewest evenly spaced vertices of a gentle (n, 2) curve that stay within ``tolerance``.

    A stroke costs as much per vertex as per length, and most epipolar curves are all but straight.
    """
    count = len(line_points)
    steps = np.arange(count)
    kept = 2
    while kept < count:
        vertices = np.round(np.linspace(0, count - 1, kept)).astype(int)
        corners: FloatArray = line_points[vertices]
        between = np.stack([np.interp(steps, vertices, corners[:, axis]) for axis in (0, 1)], -1)
        if np.abs(between - line_points).max() <= tolerance:
            return corners
        kept = 2 * kept - 1
    return line_points


def label_rect(text: str, at: Point, area: QRectF, gap: float, font: QFontMetricsF) -> QRectF:
    """Where a label goes: right of a point, else left, else above or below it.

    Always inside ``area``, as far as it is large enough.
    """
    width = font.horizontalAdvance(text) + 2 * LABEL_PADDING[0]
    height = font.height() + 2 * LABEL_PADDING[1]
    left, top = at[0] + gap, at[1] - height / 2
    if left + width > area.right():
        left = at[0] - gap - width
    if left < area.left():
        left = at[0] - width / 2
        top = at[1] - gap - height
        if top < area.top():
            top = at[1] + gap
    left = max(area.left(), min(left, area.right() - width))
    top = max(area.top(), min(top, area.bottom() - height))
    return QRectF(left, top, width, height)


def draw_label(
    painter: QPainter,
    text: str,
    at: Point,
    area: QRectF,
    gap: float,
    text_colour: QColor,
    taken: list[QRectF] | None = None,
) -> None:
    """A label beside a point, on a dark plate inside ``area``.

    Where that covers one of the rectangles in ``taken`` the label moves up; its own is added.
    """
    metrics = QFontMetricsF(painter.font(), painter.device())
    box = label_rect(text, at, area, gap, metrics)
    if taken is not None:
        for other in sorted(taken, key=QRectF.top, reverse=True):
            if box.intersects(other):
                box.moveBottom(other.top() - 1)
        box.moveTop(max(box.top(), area.top()))
        taken.append(box)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(LABEL_BACKGROUND)
    painter.drawRoundedRect(box, 3, 3)
    painter.setPen(text_colour)
    painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)
