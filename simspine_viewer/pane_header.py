"""The strip at the top of a video pane: camera, frame, residual, and badges that warn.

What does not fit in one row flows into the next; what would take too much of a small pane is left
to the tooltips.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from PySide6.QtCore import QPointF, QRectF, Qt
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

_COLOUR = {name: QColor(name) for pair in COLOURS.values() for name in pair}
_PADDING = 6.0  # inside a badge, left and right
_GAP = 10.0
_MARGIN = 6.0
_ROW_EXTRA = 6.0
_STRIP_SHARE = 0.3  # of a pane's height that the strip may take
# Of the one font that panes have: to measure takes longer than to paint.
_known_fonts: dict[str, _Measures] = {}
_MOST_WIDTHS = 512


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


class _Measures:
    """The widget's font, bold for the camera's name, and what texts take in it."""

    def __init__(self, font: QFont) -> None:
        self.plain, self.bold = QFont(font), QFont(font)
        self.bold.setBold(True)
        self.plain_metrics, self.bold_metrics = QFontMetricsF(self.plain), QFontMetricsF(self.bold)
        # Whole, so that the picture below starts sharp.
        self.row_height = float(round(self.plain_metrics.height() + _ROW_EXTRA))
        self._widths: dict[tuple[str, bool], float] = {}

    def font(self, item: HeaderItem) -> tuple[QFont, QFontMetricsF]:
        if item.kind == "name":
            return self.bold, self.bold_metrics
        return self.plain, self.plain_metrics

    def width(self, item: HeaderItem) -> float:
        key = item.text, item.kind == "name"
        width = self._widths.get(key)
        if width is None:
            if len(self._widths) >= _MOST_WIDTHS:
                self._widths.clear()
            width = self._widths[key] = self.font(item)[1].horizontalAdvance(item.text)
        return width + (2 * _PADDING if is_badge(item) else 0.0)


def _measures_of(font: QFont) -> _Measures:
    key = font.key()
    if key not in _known_fonts:
        if len(_known_fonts) >= 8:
            _known_fonts.clear()
        _known_fonts[key] = _Measures(font)
    return _known_fonts[key]


def item_width(item: HeaderItem, font: QFont) -> float:
    """Width that an item takes in widget points."""
    return _measures_of(font).width(item)


def row_height(font: QFont) -> float:
    """Height of one row in widget points."""
    return _measures_of(font).row_height


def place_items(items: list[HeaderItem], font: QFont, width: float) -> list[QRectF]:
    """A rectangle for each item, in rows from the top left of a strip of the given width."""
    measures = _measures_of(font)
    height = measures.row_height
    x, row = _MARGIN, 0
    rects = []
    for item in items:
        own = measures.width(item)
        if x > _MARGIN and x + own + _MARGIN > width:
            x, row = _MARGIN, row + 1
        rects.append(QRectF(x, row * height, own, height))
        x += own + _GAP
    return rects


def fitting(items: list[HeaderItem], font: QFont, width: float, height: float) -> list[HeaderItem]:
    """The items that leave the picture its part of a pane of the given size.

    In a small pane the plain ones go first, from the left, then badges from the right; the name
    stays, and its tooltip has the texts of what went. Plain texts wider than the pane go as well;
    names and badges end in three dots there.
    """
    measures = _measures_of(font)
    most = max(_STRIP_SHARE * height, measures.row_height)
    shown = [_within(item, measures, width - 2 * _MARGIN) for item in items]
    kept = [i for i, item in enumerate(items) if item.kind != "plain" or item.text == shown[i].text]
    while len(kept) > 1:
        rects = place_items([shown[i] for i in kept], font, width)
        if header_height(rects, font) <= most:
            break
        plain = [i for i in kept[1:] if not is_badge(items[i]) and not items[i].action]
        kept.remove(plain[0] if plain else kept[-1])
    if len(kept) < len(items):
        texts = [item.text for i, item in enumerate(items) if i not in kept]
        words = "\n".join([items[0].tooltip or items[0].text, *texts])
        shown[0] = replace(shown[0], tooltip=words)
    return [shown[i] for i in kept]


def _within(item: HeaderItem, measures: _Measures, room: float) -> HeaderItem:
    """The item, its text shortened where it is wider than ``room``."""
    over = measures.width(item) - room
    if over <= 0:
        return item
    metrics = measures.font(item)[1]
    wide = metrics.horizontalAdvance(item.text) - over
    text = metrics.elidedText(item.text, Qt.TextElideMode.ElideRight, max(wide, 0.0))
    return replace(item, text=text, tooltip="\n".join(filter(None, [item.text, item.tooltip])))


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
    painter.fillRect(QRectF(0, 0, width, header_height(rects, font)), _COLOUR[BACKGROUND])
    measures = _measures_of(font)
    for item, rect in zip(items, rects, strict=True):
        text, background = COLOURS[item.kind]
        own, metrics = measures.font(item)
        left = rect.left()
        if is_badge(item):
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(_COLOUR[background])
            painter.drawRoundedRect(rect.adjusted(0, 2, 0, -2), 3, 3)
            left += _PADDING
        painter.setFont(own)
        painter.setPen(_COLOUR[text])
        # From its baseline: to have it centred takes twice as long.
        base = rect.top() + (rect.height() - metrics.height()) / 2 + metrics.ascent()
        painter.drawText(QPointF(left, round(base)), item.text)
    painter.setFont(font)


def paint_notice(painter: QPainter, text: str, area: QRectF) -> None:
    """Say at the top of ``area`` why there is no picture, in as many lines as it takes."""
    option = QTextOption(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop)
    # A path has no spaces to break at.
    option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
    box = area.adjusted(16, 14, -16, -14)
    bounds = painter.boundingRect(box, text, option).adjusted(-8, -6, 8, 6)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(_COLOUR[BACKGROUND])
    painter.drawRoundedRect(bounds, 4, 4)
    painter.setPen(_COLOUR[COLOURS["plain"][0]])
    painter.drawText(box, text, option)
