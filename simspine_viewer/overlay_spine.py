"""The simulated spine painted over a picture: a curve with a tick at each level."""

from __future__ import annotations

import math
from itertools import pairwise
from statistics import median

import numpy as np
from PySide6.QtCore import QLineF, QRectF
from PySide6.QtGui import QPainter

from simspine_viewer.overlay_points import Points, on_screen
from simspine_viewer.overlay_scene import SpineCurve
from simspine_viewer.overlay_shapes import EDGE, pen, rgba
from simspine_viewer.palette import BONE
from simspine_viewer.pane_transform import PaneTransform

# Half the length of a tick in widget points: at each level, and at the lowest of a region. No
# longer than half the way to the next level, and left out where that is shorter than SHORTEST.
TICK, REGION_TICK, SHORTEST = 4.0, 6.5, 2.0
_THIN, _STRONG = 1.2, 2.2
LEVEL_RADIUS = 7.0  # widget points from a level, within which its name is told


def paint_spine(
    painter: QPainter, spine: SpineCurve, transform: PaneTransform, area: QRectF
) -> None:
    """The curve through the levels, and a tick across it at each of them."""
    points = on_screen(spine.xy, transform, area)
    pieces = [QLineF(*a, *b) for a, b in pairwise(points) if a is not None and b is not None]
    if not pieces:
        return
    lines = pieces + _ticks(points, spine.first.tolist(), median(p.length() for p in pieces))
    width = _STRONG if spine.strong else _THIN
    for own, extra in ((EDGE, 1.6), (rgba(BONE), 0.0)):
        painter.setPen(pen(own, width + extra))
        painter.drawLines(lines)


def _ticks(points: Points, first: list[bool], spacing: float) -> list[QLineF]:
    """A line across the curve at every level that there is room for."""
    own = min(0.5 * spacing, TICK)
    ticks = []
    for i, at in enumerate(points):
        before, after = points[max(i - 1, 0)], points[min(i + 1, len(points) - 1)]
        half = max(REGION_TICK * own / TICK, SHORTEST) if first[i] else own
        if at is None or before is None or after is None or half < SHORTEST:
            continue
        dx, dy = after[0] - before[0], after[1] - before[1]
        share = half / max(math.hypot(dx, dy), 1e-9)
        x, y = -dy * share, dx * share
        ticks.append(QLineF(at[0] - x, at[1] - y, at[0] + x, at[1] + y))
    return ticks


def level_at(spine: SpineCurve, transform: PaneTransform, position: tuple[float, float]) -> str:
    """Name of the level under a widget position; empty where there is none."""
    gap = np.linalg.norm(transform.to_widget(spine.xy) - position, axis=1)
    gap = np.where(np.isfinite(gap), gap, np.inf)
    nearest = int(gap.argmin())
    return spine.names[nearest] if gap[nearest] <= LEVEL_RADIUS else ""
