"""Curves painted over a picture: epipolar curves, trails, error ellipses."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QFont, QPainter, QPolygonF

from simspine_viewer.overlay_scene import EpipolarCurve
from simspine_viewer.overlay_shapes import (
    EDGE,
    HALO,
    REACH,
    FloatArray,
    Point,
    colour,
    dashed_pen,
    draw_label,
    label_rect,
    label_size,
    pen,
    rgba,
    thinned,
)
from simspine_viewer.palette import EPIPOLAR, SELECTED
from simspine_viewer.pane_transform import PaneTransform
from simspine_viewer.trails import FUTURE, PAST, Trail

Ends = list[tuple[str, list[Point]]]

_GAP = 4.0  # between a curve and its name
_PLACES = 9  # along a curve that are tried for its name
_NAMES_SHARE = 0.2  # of the picture's place that names of curves may cover


def paint_curves(
    painter: QPainter,
    curves: Iterable[EpipolarCurve],
    transform: PaneTransform,
    area: QRectF,
) -> None:
    """Where points seen by other cameras can lie here."""
    rect = area.getRect()
    lines = [line for curve in curves for line in _placed(curve, transform, rect)[0]]
    if not lines:
        return
    for own, width in ((EDGE, 2.4), (rgba(EPIPOLAR), 1.2)):
        painter.setPen(pen(own, width))
        painter.drawLines(lines)


def curve_ends(curves: Iterable[EpipolarCurve], transform: PaneTransform, area: QRectF) -> Ends:
    """Each camera's name with places along its curve for it, the visible end first."""
    rect = area.getRect()
    ends = [(curve.camera, _placed(curve, transform, rect)[1]) for curve in curves]
    return [(camera, places) for camera, places in ends if places]


def paint_curve_names(painter: QPainter, ends: Ends, area: QRectF, taken: Iterable[QRectF]) -> None:
    """Name the curves where there is room."""
    font = painter.font()
    for camera, at, _ in curve_names(ends, area, taken, font):
        draw_label(painter, camera, at, area, _GAP, colour(EPIPOLAR))


def curve_names(
    ends: Ends, area: QRectF, taken: Iterable[QRectF], font: QFont
) -> list[tuple[str, Point, QRectF]]:
    """Names of curves, the points they stand beside, and the rectangles they cover.

    A name goes to the first of its places where it overlaps neither another one nor anything in
    ``taken``; without such a place, or where names cover too much of the picture, it is left out.
    """
    used, names = list(taken), []
    room = _NAMES_SHARE * area.width() * area.height()
    font_text = font.toString() if ends else ""
    for camera, places in ends:
        size = label_size(camera, font_text)
        for at in places:
            box = label_rect(size, at, area, _GAP)
            wider = box.adjusted(-1, -1, 1, 1)
            if not any(wider.intersects(other) for other in used):
                room -= box.width() * box.height()
                if room >= 0:
                    used.append(box)
                    names.append((camera, at, box))
                break
    return names


# While a point is dragged, only the curves from the view that it is dragged in change.
@lru_cache(maxsize=256)
def _placed(
    curve: EpipolarCurve, transform: PaneTransform, rect: tuple[float, float, float, float]
) -> tuple[list[QLineF], list[Point]]:
    """A curve's lines in the widget and the visible places for its name."""
    area = QRectF(*rect)
    placed = _near_part(transform.to_widget(curve.xy), area)
    if len(placed) < 2:
        return [], []
    vertices = thinned(placed).tolist()
    lines = [QLineF(*start, *end) for start, end in itertools.pairwise(vertices)]
    return lines, _inside(placed, area)


def _near_part(placed: FloatArray, area: QRectF) -> FloatArray:
    """The part of a curve within :data:`REACH`, with one vertex more on either side."""
    away = np.abs(placed - (area.center().x(), area.center().y())).max(axis=-1, initial=0.0)
    near = np.flatnonzero(away <= REACH)
    if len(near) == 0:
        return placed[:0]
    return placed[max(near[0] - 1, 0) : near[-1] + 2]


def _inside(placed: FloatArray, area: QRectF) -> list[Point]:
    """Points of a curve that can be seen, evenly spaced, the last one first."""
    # Between the vertices too: at high zoom they lie far apart.
    steps = np.linspace(len(placed) - 1, 0, 400)
    x, y = (np.interp(steps, np.arange(len(placed)), placed[:, axis]) for axis in (0, 1))
    seen = (x >= area.left()) & (x <= area.right()) & (y >= area.top()) & (y <= area.bottom())
    some = np.flatnonzero(seen)
    if not len(some):
        return []
    some = some[np.linspace(0, len(some) - 1, _PLACES).astype(int)]
    return list(zip(x[some].tolist(), y[some].tolist(), strict=True))


def paint_trail(painter: QPainter, trail: Trail, transform: PaneTransform, area: QRectF) -> None:
    """A path that fades with the distance in time: past and future in colours of their own."""
    where = transform.to_widget(trail.places)
    near = _is_near(where, area)
    points, fading, offset = where.tolist(), trail.fading.tolist(), trail.offset.tolist()
    for i, opacity in enumerate(fading):
        if near[i] and near[i + 1]:
            own = PAST if offset[i] < 0 else FUTURE
            shade = round(20 * opacity) / 20  # few enough pens to be kept
            piece = QLineF(*points[i], *points[i + 1])
            for stroke in (pen(rgba((0, 0, 0), 0.5 * shade), 3.6), pen(rgba(own, shade), 2.0)):
                painter.setPen(stroke)
                painter.drawLine(piece)


def paint_ellipse(
    painter: QPainter, outline: FloatArray, transform: PaneTransform, area: QRectF
) -> None:
    """The outline of an error ellipse, dashed so that it is not taken for a point."""
    where = transform.to_widget(outline)
    if not _is_near(where, area).all():
        return
    path = QPolygonF([QPointF(x, y) for x, y in where.tolist()])
    painter.setBrush(colour(SELECTED, 0.12))
    for stroke in (pen(HALO, 3.2), dashed_pen(rgba(SELECTED), 1.6)):
        painter.setPen(stroke)
        painter.drawPolygon(path)
        painter.setBrush(Qt.BrushStyle.NoBrush)


def paint_spreads(
    painter: QPainter,
    xy: FloatArray,
    spread: FloatArray,
    transform: PaneTransform,
    area: QRectF,
) -> None:
    """One standard deviation around every point of which the detector gave one, drawn through."""
    where = transform.to_widget(xy)
    shown = np.isfinite(spread).all(axis=1) & _is_near(where, area)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for (x, y), (across, down) in zip(
        where[shown].tolist(), (spread[shown] * transform.scale).tolist(), strict=True
    ):
        for stroke in (pen(HALO, 2.6), pen(rgba(SELECTED, 0.8), 1.1)):
            painter.setPen(stroke)
            painter.drawEllipse(QPointF(x, y), across, down)


def _is_near(where: FloatArray, area: QRectF) -> NDArray[np.bool_]:
    """(n,) whether widget points are within :data:`REACH`; False for NaN."""
    away = np.abs(where - (area.center().x(), area.center().y())).max(axis=-1, initial=0.0)
    return np.asarray(away <= REACH)
