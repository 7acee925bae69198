"""The strokes an overlay is made of: points, rings, lines with a dark halo, labels.

Lines are flat-capped and separate: Qt's rasteriser takes three to six times as long for round caps
and up to fifteen times as long for a polyline as for its separate lines. Closed shapes are painted
once and then copied.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontMetricsF,
    QImage,
    QPainter,
    QPainterPath,
    QPen,
    QPolygonF,
)

from pipeline.data.skeleton import Side
from simspine_viewer.palette import RGB, SIDE_SHAPE, Palette, Shape

FloatArray = NDArray[np.float64]
Point = tuple[float, float]
RGBA = tuple[int, int, int, int]

# Points this far outside the pane are not drawn: nothing of them could be seen, and Qt's rasteriser
# slows down with far coordinates.
REACH = 4000.0
_SEE_THROUGH = QImage.Format.Format_ARGB32_Premultiplied
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


@dataclass(frozen=True, slots=True, eq=False)
class Mark:
    """A shape at a point: an area, and lines around it one over the other.

    Its copies are known by the mark itself, not by what it says: keep the marks you draw with.
    """

    shape: Shape | Literal["ring"]
    radius: float
    fill: RGBA | None
    strokes: tuple[tuple[RGBA, float], ...]
    dashed: bool = False  # the last of the strokes


def draw_mark(painter: QPainter, mark: Mark, at: Point, ratio: float = 0.0) -> None:
    """Draw a mark at a widget point, to a quarter of a device pixel.

    Marks are painted once and then copied: a stroke around a path takes 0.1 ms, a copy a tenth.
    ``ratio``: of the painter's device pixels to a point, asked of it where not given.
    """
    ratio = ratio or painter.device().devicePixelRatioF()
    x, y = at[0] * ratio, at[1] * ratio
    left, top = math.floor(x), math.floor(y)
    image, reach = _stamp(mark, ratio, int(4 * (x - left)), int(4 * (y - top)))
    painter.drawImage(QPointF((left - reach) / ratio, (top - reach) / ratio), image)


# A pane at rest has some forty marks of a dozen kinds, each at up to sixteen parts of a pixel.
@functools.lru_cache(maxsize=4096)
def _stamp(mark: Mark, ratio: float, quarter_x: int, quarter_y: int) -> tuple[QImage, int]:
    """A picture of a mark, and how far its middle is from its corner in whole device pixels."""
    widest = max((width for _, width in mark.strokes), default=0.0)
    # Corners of a triangle reach out to 1.5 radii, and their mitres further.
    reach = math.ceil((1.5 * mark.radius + widest + 1.0) * ratio)
    image = QImage(2 * reach + 1, 2 * reach + 1, _SEE_THROUGH)
    image.setDevicePixelRatio(ratio)
    image.fill(Qt.GlobalColor.transparent)
    corners = _RING if mark.shape == "ring" else _UNIT_SHAPE[mark.shape]
    middle = ((reach + quarter_x / 4) / ratio, (reach + quarter_y / 4) / ratio)
    path = _closed(corners, mark.radius).translated(*middle)
    with QPainter(image) as painter:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if mark.fill is not None and not mark.strokes:
            painter.fillPath(path, QColor(*mark.fill))
        for number, (own, width) in enumerate(mark.strokes):
            is_last = number == len(mark.strokes) - 1
            painter.setBrush(Qt.BrushStyle.NoBrush)
            if mark.fill is not None and (is_last or number == 0):
                painter.setBrush(QColor(*mark.fill))
            painter.setPen(dashed_pen(own, width) if mark.dashed and is_last else pen(own, width))
            painter.drawPath(path)
    return image, reach


@functools.lru_cache(maxsize=512)
def _closed(corners: tuple[Point, ...], radius: float) -> QPainterPath:
    path = QPainterPath()
    path.addPolygon(QPolygonF([QPointF(radius * u, radius * v) for u, v in corners]))
    path.closeSubpath()
    return path


def draw_ring(painter: QPainter, at: Point, radius: float, rgb: RGB, width: float) -> None:
    """A ring with a dark halo on both sides."""
    draw_mark(painter, outline("ring", radius, rgb, width), at)


@functools.lru_cache(maxsize=256)
def outline(shape: Shape | Literal["ring"], radius: float, rgb: RGB, width: float) -> Mark:
    """A coloured line around a shape, with a dark halo on both sides."""
    return Mark(shape, radius, None, ((HALO, width + 2.0), (rgba(rgb), width)))


@functools.lru_cache(maxsize=16)
def _swatch(shape: Shape, rgb: RGB) -> Mark:
    return Mark(shape, 5.0, rgba(rgb), ((EDGE, 1.2),))


def side_swatch(side: Side, palette: Palette, ratio: float) -> QImage:
    """The shape and colour of a side, for lists."""
    size, middle = 16, 8.0
    image = QImage(round(size * ratio), round(size * ratio), _SEE_THROUGH)
    image.setDevicePixelRatio(ratio)
    image.fill(Qt.GlobalColor.transparent)
    with QPainter(image) as painter:
        draw_mark(painter, _swatch(SIDE_SHAPE[side], palette.of(side)), (middle,) * 2)
    return image


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


@functools.lru_cache(maxsize=256)
def label_size(text: str, font_text: str) -> tuple[float, float]:
    """Width and height of a label in widget points; the font as ``QFont.toString`` has it."""
    font = QFont()
    font.fromString(font_text)
    metrics = QFontMetricsF(font)
    width = metrics.horizontalAdvance(text) + 2 * LABEL_PADDING[0]
    return width, metrics.height() + 2 * LABEL_PADDING[1]


def label_rect(size: tuple[float, float], at: Point, area: QRectF, gap: float) -> QRectF:
    """Where a label goes: right of a point, else left, else above or below it.

    Always inside ``area``, as far as it is large enough.
    """
    width, height = size
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
    font, ratio = painter.font(), painter.device().devicePixelRatioF()
    plate = _plate(text, font.toString(), text_colour.rgba(), ratio)
    box = label_rect((plate.width() / ratio, plate.height() / ratio), at, area, gap)
    if taken is not None:
        for other in sorted(taken, key=QRectF.top, reverse=True):
            if box.intersects(other):
                box.moveBottom(other.top() - 1)
        box.moveTop(max(box.top(), area.top()))
        taken.append(box)
    corner = QPointF(round(box.left() * ratio) / ratio, round(box.top() * ratio) / ratio)
    painter.drawImage(corner, plate)


@functools.lru_cache(maxsize=256)
def _plate(text: str, font_text: str, rgba32: int, ratio: float) -> QImage:
    """A label by itself; in a drag the same few are drawn over and over."""
    font = QFont()
    font.fromString(font_text)
    width, height = (math.ceil(side * ratio) for side in label_size(text, font_text))
    image = QImage(width, height, _SEE_THROUGH)
    image.setDevicePixelRatio(ratio)
    image.fill(Qt.GlobalColor.transparent)
    box = QRectF(0, 0, width / ratio, height / ratio)
    with QPainter(image) as painter:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(font)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(LABEL_BACKGROUND)
        painter.drawRoundedRect(box, 3, 3)
        painter.setPen(QColor.fromRgba(rgba32))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)
    return image
