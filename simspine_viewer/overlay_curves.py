"""Epipolar curves painted over a picture."""

from __future__ import annotations

import itertools
from functools import lru_cache

import numpy as np
from PySide6.QtCore import QLineF, QRectF
from PySide6.QtGui import QPainter

from simspine_viewer.overlay_scene import EpipolarCurve, OverlayScene
from simspine_viewer.overlay_shapes import EDGE, REACH, FloatArray, Point, pen, rgba, thinned
from simspine_viewer.palette import EPIPOLAR
from simspine_viewer.pane_transform import PaneTransform


def paint_curves(
    painter: QPainter, scene: OverlayScene, transform: PaneTransform, area: QRectF
) -> list[tuple[str, Point]]:
    """The curves; returns each camera's name with the curve's last visible point."""
    ends: list[tuple[str, Point]] = []
    for curve in scene.curves:
        lines, end = _placed(curve, transform, area.getRect())
        for own, width in ((EDGE, 2.4), (rgba(EPIPOLAR), 1.2)):
            painter.setPen(pen(own, width))
            painter.drawLines(lines)
        if end is not None:
            ends.append((curve.camera, end))
    return ends


# While a point is dragged, only the curves from the view that it is dragged in change.
@lru_cache(maxsize=256)
def _placed(
    curve: EpipolarCurve, transform: PaneTransform, rect: tuple[float, float, float, float]
) -> tuple[list[QLineF], Point | None]:
    """A curve's lines in the widget and its last visible point."""
    area = QRectF(*rect)
    placed = _near_part(transform.to_widget(curve.xy), area)
    if len(placed) < 2:
        return [], None
    vertices = thinned(placed).tolist()
    lines = [QLineF(*start, *end) for start, end in itertools.pairwise(vertices)]
    return lines, _last_inside(placed, area)


def _near_part(placed: FloatArray, area: QRectF) -> FloatArray:
    """The part of a curve within :data:`REACH`, with one vertex more on either side."""
    away = np.abs(placed - (area.center().x(), area.center().y())).max(axis=-1, initial=0.0)
    near = np.flatnonzero(away <= REACH)
    if len(near) == 0:
        return placed[:0]
    return placed[max(near[0] - 1, 0) : near[-1] + 2]


def _last_inside(placed: FloatArray, area: QRectF) -> Point | None:
    """The last point of a curve that can be seen."""
    # Between the vertices too: at high zoom they lie far apart.
    steps = np.linspace(len(placed) - 1, 0, 400)
    x, y = (np.interp(steps, np.arange(len(placed)), placed[:, axis]) for axis in (0, 1))
    seen = (x >= area.left()) & (x <= area.right()) & (y >= area.top()) & (y <= area.bottom())
    if not seen.any():
        return None
    last = int(seen.argmax())
    return float(x[last]), float(y[last])
