"""The strip at the top of a video pane: camera, frame, residual, and badges that warn.

Text is never shortened: what does not fit in one row flows into the next.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QTextOption

Kind = Literal["name", "plain", "busy", "warning", "error"]

# Pictures are judged best against a dark surround, so the strip is dark in both appearances. Each
# pair has a contrast of at least 4.5:1 (tested).
BACKGROUND = "#1b1e24"
COLOURS: dict[Kind, tuple[str, str]] = {
    "name": ("#ffffff", BACKGROUND),
    "plain": ("#c3cad6", BACKGROUND),
    "busy": ("#10151c", "#8fc1ff"),
    "warning": ("#1c1400", "#f2b84b"),
    "error": ("#240303", "#ff8f8f"),
}

_PADDING = 6.0  # inside a badge, left and right
_GAP = 10.0
_MARGIN = 6.0
_ROW_EXTRA = 6.0
# Of the one font that panes have, plain and bold; to make them takes longer than to use them.
_known_metrics: dict[tuple[str, bool], QFontMetricsF] = {}


@dataclass(frozen=True, slots=True)
class HeaderItem:
    """One text of the strip, what to say when the pointer rests on it, and what a click does."""

    text: str
    kind: Kind = "plain"
    tooltip: str = ""
    action: str = ""


def is_badge(item: HeaderItem) -> bool:
    """Whether the item has a coloured background of its own."""
    return COLOURS[item.kind][1] != BACKGROUND


def item_font(item: HeaderItem, font: QFont) -> QFont:
    """The font of an item: the widget's, bold for the camera's name."""
    own = QFont(font)
    own.setBold(item.kind == "name")
    return own


def _metrics(font: QFont, *, bold: bool) -> QFontMetricsF:
    key = font.key(), bold
    if key not in _known_metrics:
        own = QFont(font)
        own.setBold(bold)
        if len(_known_metrics) >= 8:
            _known_metrics.clear()
        _known_metrics[key] = QFontMetricsF(own)
    return _known_metrics[key]


def item_width(item: HeaderItem, font: QFont) -> float:
    """Width that an item takes in widget points."""
    width = _metrics(font, bold=item.kind == "name").horizontalAdvance(item.text)
    return width + (2 * _PADDING if is_badge(item) else 0.0)


def row_height(font: QFont) -> float:
    """Height of one row in widget points, whole so that the picture below starts sharp."""
    return float(round(QFontMetricsF(font).height() + _ROW_EXTRA))


def place_items(items: list[HeaderItem], font: QFont, width: float) -> list[QRectF]:
    """A rectangle for each item, in rows from the top left of a strip of the given width."""
    height = row_height(font)
    x, row = _MARGIN, 0
    rects = []
    for item in items:
        own = item_width(item, font)
        if x > _MARGIN and x + own + _MARGIN > width:
            x, row = _MARGIN, row + 1
        rects.append(QRectF(x, row * height, own, height))
        x += own + _GAP
    return rects


def header_height(rects: list[QRectF], font: QFont) -> float:
    """Height of the whole strip."""
    return max((rect.bottom() for rect in rects), default=row_height(font))


def widest(items: list[HeaderItem], font: QFont) -> float:
    """Width below which an item would not fit."""
    return max((item_width(item, font) for item in items), default=0.0) + 2 * _MARGIN


def paint_header(
    painter: QPainter, items: list[HeaderItem], rects: list[QRectF], font: QFont, width: float
) -> None:
    """Draw the strip over the full ``width``."""
    painter.fillRect(QRectF(0, 0, width, header_height(rects, font)), QColor(BACKGROUND))
    for item, rect in zip(items, rects, strict=True):
        text, background = COLOURS[item.kind]
        if is_badge(item):
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(background))
            painter.drawRoundedRect(rect.adjusted(0, 2, 0, -2), 3, 3)
        painter.setFont(item_font(item, font))
        painter.setPen(QColor(text))
        painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, item.text)
    painter.setFont(font)


def paint_notice(painter: QPainter, text: str, area: QRectF) -> None:
    """Say at the top of ``area`` why there is no picture, in as many lines as it takes."""
    option = QTextOption(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop)
    # A path has no spaces to break at.
    option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
    box = area.adjusted(16, 14, -16, -14)
    bounds = painter.boundingRect(box, text, option).adjusted(-8, -6, 8, 6)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(BACKGROUND))
    painter.drawRoundedRect(bounds, 4, 4)
    painter.setPen(QColor(COLOURS["plain"][0]))
    painter.drawText(box, text, option)
