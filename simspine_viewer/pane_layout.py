"""Where the panes of a grid go: rectangles in, rectangles out; no widgets."""

from __future__ import annotations

from collections.abc import Sequence as Items
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from PySide6.QtCore import QRect

GAP = 2
# Another arrangement is taken only where it shows the pictures this much larger, so that panes do
# not jump to and fro while the window is being resized.
_BETTER = 1.05
# Texts above the pictures are cut only where the pictures become this much larger by it.
_WORTH_NARROW = 1.5
_STRIP_SHARE = 0.24  # of the width or height goes to the small panes beside a big one

Size = tuple[int, int]


class Arrangement(StrEnum):
    """How the panes share their place."""

    GRID = "grid"  # in as many columns as show the pictures largest
    ROW = "row"  # side by side
    STRIP = "strip"  # the active one big, the others small in a strip


@dataclass(frozen=True, slots=True)
class PaneNeeds:
    """What panes need, in widget points: ``sizes`` of the pictures (px), the ``strip`` of texts
    above a picture, and the width below which the ``narrowest`` texts do not fit."""

    sizes: tuple[Size, ...]
    strip: float
    narrowest: float = 0.0


def arranged(
    arrangement: Arrangement, needs: PaneNeeds, area: QRect, active: int, columns: int = 0
) -> tuple[list[QRect], int]:
    """Rectangles of all panes, and the number of columns to hand in the next time.

    Parameters
    ----------
    active : int
        The pane that a strip shows big.
    columns : int
        What the last call returned, 0 at first.
    """
    count = len(needs.sizes)
    if arrangement is Arrangement.STRIP and count > 1:
        return _with_strip(needs, area, min(max(active, 0), count - 1)), 0
    if arrangement is Arrangement.ROW:
        fit = int((area.width() + GAP) / (needs.narrowest + GAP)) if needs.narrowest else count
        columns = min(max(fit, 1), count)  # a second row where texts would not fit in one
        return cells(count, columns, area), columns
    size = (area.width(), area.height())
    best = best_columns(needs.sizes, size, needs.strip, columns, needs.narrowest)
    return cells(count, best, area), best


def _with_strip(needs: PaneNeeds, area: QRect, active: int) -> list[QRect]:
    """The big pane beside or above the strip, whichever shows its picture larger."""
    others = len(needs.sizes) - 1
    beside = max(round(_STRIP_SHARE * area.width()), round(needs.narrowest))
    below = max(round(_STRIP_SHARE * area.height()), round(needs.strip) + 60)
    choices = {
        True: QRect(area.left(), area.top(), area.width() - beside - GAP, area.height()),
        False: QRect(area.left(), area.top(), area.width(), area.height() - below - GAP),
    }
    size = (needs.sizes[active],)
    scales = {
        side: picture_scale(1, size, (rect.width(), rect.height()), needs.strip)
        for side, rect in choices.items()
    }
    if area.width() / others < needs.narrowest or scales[True] > scales[False]:
        big = choices[True]
        strip = QRect(big.right() + 1 + GAP, area.top(), beside, area.height())
        small = cells(others, 1, strip)
    else:
        big = choices[False]
        strip = QRect(area.left(), big.bottom() + 1 + GAP, area.width(), below)
        small = cells(others, others, strip)
    return [*small[:active], big, *small[active:]]


def picture_scale(
    columns: int, sizes: Items[tuple[int, int]], area: tuple[int, int], strip: float
) -> float:
    """Scale at which the largest picture fits its pane, with a number of columns.

    Parameters
    ----------
    columns : int
    sizes : sequence of (width, height)
        Of the pictures, px.
    area : (width, height)
        Of the grid, widget points.
    strip : float
        Height of a pane that shows no picture.
    """
    rows = -(-len(sizes) // columns)
    width = (area[0] - (columns - 1) * GAP) / columns
    height = (area[1] - (rows - 1) * GAP) / rows - strip
    largest = np.max(sizes, axis=0)
    return float(max(min(width / largest[0], height / largest[1]), 0.0))


def best_columns(
    sizes: Items[tuple[int, int]],
    area: tuple[int, int],
    strip: float,
    current: int = 0,
    narrowest: float = 0.0,
) -> int:
    """Number of columns that shows the pictures largest; ``current`` unless another is better.

    No pane becomes narrower than ``narrowest`` widget points as long as that can be had without
    making the pictures tiny.
    """
    count = len(sizes)
    widths = {n: (area[0] + GAP) / n - GAP for n in range(1, count + 1)}
    scales = {n: picture_scale(n, sizes, area, strip) for n in widths}
    wide = [n for n in widths if widths[n] >= narrowest] or [1]
    if max(scales.values()) <= max(scales[n] for n in wide) * _WORTH_NARROW:
        scales = {n: scales[n] for n in wide}
    # Of equals the one with fewer empty places, then the wider one.
    best = max(scales, key=lambda n: (round(scales[n], 6), -(-count % n), n))
    if current in scales and scales[best] <= scales[current] * _BETTER:
        return current
    return best


def cells(count: int, columns: int, area: QRect) -> list[QRect]:
    """Rectangles of ``count`` panes row by row, together covering ``area`` but for the gaps.

    The panes of a last row that is not full are as wide as the others and stand in its middle.
    """
    rows = -(-count // columns)
    rects = []
    for index in range(count):
        row, column = divmod(index, columns)
        missing = columns - (count - row * columns) if row == rows - 1 else 0
        left, right = (
            area.left() + round((column + add + missing / 2) * (area.width() + GAP) / columns)
            for add in (0, 1)
        )
        top, bottom = (
            area.top() + round((row + add) * (area.height() + GAP) / rows) for add in (0, 1)
        )
        rects.append(QRect(left, top, right - left - GAP, bottom - top - GAP))
    return rects
