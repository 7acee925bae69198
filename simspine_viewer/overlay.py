"""Painting of points, bones, residuals and epipolar curves over a picture.

All sizes are in the widget's logical points, so lines keep their width at any zoom and are sharp at
any device pixel ratio; only positions go through the pane's transform.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen, QPolygonF

from pipeline.data.skeleton import Side, Skeleton
from simspine_viewer.overlay_scene import OverlayScene
from simspine_viewer.palette import (
    BAD,
    EPIPOLAR,
    LOW_SCORE,
    MANUAL,
    OTHER_PERSON,
    PREVIEW,
    RGB,
    SELECTED,
    SIDE_COLOUR,
    SIDE_SHAPE,
    Shape,
)
from simspine_viewer.pane_transform import PaneTransform

FloatArray = NDArray[np.float64]

# Points grow a little with the picture, so that those of hands, feet and face stay apart in a small
# pane; the radius is reached at the second of these scales and shrinks to a share at the first.
POINT_RADIUS = 4.5
SMALL_SHARE = 0.7
SMALL_SCALES = (0.15, 0.5)
CROSS_ARM = 3.5
LINK_WIDTH = 2.0
# A residual shorter than this on screen is hidden by the point itself.
SHORTEST_RESIDUAL = 3.0
# Points this far outside the pane are not drawn: nothing of them could be seen, and Qt's rasteriser
# slows down with far coordinates.
REACH = 4000.0

_HALO = QColor(0, 0, 0, 170)
_HALO_SOFT = QColor(0, 0, 0, 110)
_LABEL_BACK = QColor(16, 18, 22, 215)

_UNIT_SHAPE: dict[Shape, tuple[tuple[float, float], ...]] = {
    # Areas close to that of the unit circle, so that no side looks heavier.
    "triangle": ((0.0, -1.35), (1.2, 0.85), (-1.2, 0.85)),
    "diamond": ((0.0, -1.35), (1.35, 0.0), (0.0, 1.35), (-1.35, 0.0)),
}


@dataclass(frozen=True, slots=True)
class OverlayOptions:
    """What the user wants to see over the pictures; nothing at all unless ``visible``."""

    visible: bool = True
    points: bool = True
    names: bool = False
    others: bool = True
    residuals: bool = True
    epipolar: bool = True


def paint_overlay(
    painter: QPainter,
    scene: OverlayScene,
    transform: PaneTransform,
    area: QRectF,
    options: OverlayOptions | None = None,
) -> None:
    """Draw a scene; labels stay inside ``area`` (widget points)."""
    options = options or OverlayOptions()
    if not options.visible:
        return
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    if options.others:
        for xy in scene.others.values():
            _paint_person(painter, scene.skeleton, _on_screen(xy, transform, area))
    if options.epipolar:
        _paint_curves(painter, scene, transform, area)
    if not options.points:
        return
    observed = _on_screen(scene.xy, transform, area)
    reprojected = _on_screen(scene.reprojected, transform, area)
    reprojected[scene.absent] = np.nan
    _paint_links(painter, scene.skeleton, observed, reprojected)
    if options.residuals:
        _paint_residuals(painter, scene, observed, reprojected)
    radius = point_radius(transform.scale)
    for keypoint in _drawing_order(scene):
        seen, solved = observed[keypoint], reprojected[keypoint]
        _paint_keypoint(painter, scene, keypoint, seen, solved, radius)
    if options.names:
        _paint_names(painter, scene, np.where(np.isnan(observed), reprojected, observed), area)
    _paint_selected(painter, scene, observed, reprojected, area)


def point_radius(scale: float) -> float:
    """Radius of a point of full confidence, in widget points, at a scale of the picture."""
    return POINT_RADIUS * float(np.interp(scale, SMALL_SCALES, (SMALL_SHARE, 1.0)))


def _on_screen(xy: FloatArray, transform: PaneTransform, area: QRectF) -> FloatArray:
    placed = transform.to_widget(xy)
    with np.errstate(invalid="ignore"):
        far = np.abs(placed - (area.center().x(), area.center().y())).max(axis=-1) > REACH
    placed[far] = np.nan
    return placed


def _colour(rgb: RGB, alpha: float = 1.0) -> QColor:
    return QColor(*rgb, round(255 * alpha))


def _pen(colour: QColor, width: float, style: Qt.PenStyle = Qt.PenStyle.SolidLine) -> QPen:
    # Flat caps: Qt draws lines with round ones three to six times slower, and a point hides the end.
    return QPen(colour, width, style, Qt.PenCapStyle.FlatCap, Qt.PenJoinStyle.MiterJoin)


def _is_there(point: FloatArray) -> bool:
    return not np.isnan(point[0])


def _line(start: FloatArray, end: FloatArray) -> QLineF:
    return QLineF(float(start[0]), float(start[1]), float(end[0]), float(end[1]))


def link_side(skeleton: Skeleton, link: tuple[int, int]) -> Side:
    """The side whose colour a bone has: that of its limb, or midline between left and right."""
    sides = {skeleton.keypoints[k].side for k in link} - {"mid"}
    return sides.pop() if len(sides) == 1 else "mid"


def _paint_links(
    painter: QPainter, skeleton: Skeleton, observed: FloatArray, reprojected: FloatArray
) -> None:
    """Bones between observed points; thinner where an end is known only from the other views."""
    seen = ~np.isnan(observed[:, 0])
    ends = np.where(seen[:, None], observed, reprojected)
    groups: dict[tuple[Side, bool], list[QLineF]] = defaultdict(list)
    for link in skeleton.links:
        start, end = ends[link[0]], ends[link[1]]
        if _is_there(start) and _is_there(end):
            firm = bool(seen[link[0]] and seen[link[1]])
            groups[link_side(skeleton, link), firm].append(_line(start, end))
    firm_lines = [line for (_, firm), lines in groups.items() if firm for line in lines]
    painter.setPen(_pen(_HALO_SOFT, LINK_WIDTH + 2))
    painter.drawLines(firm_lines)
    for (side, firm), lines in groups.items():
        colour = _colour(SIDE_COLOUR[side], 0.85 if firm else 0.6)
        painter.setPen(_pen(colour, LINK_WIDTH if firm else 1.2))
        painter.drawLines(lines)


def _paint_person(painter: QPainter, skeleton: Skeleton, xy: FloatArray) -> None:
    lines = [
        _line(xy[a], xy[b])
        for a, b in skeleton.links
        if _is_there(xy[a]) and _is_there(xy[b])
    ]  # fmt: skip
    dots = [QPointF(float(x), float(y)) for x, y in xy[~np.isnan(xy[:, 0])]]
    for colour, line_width, dot_width in (
        (_HALO_SOFT, 3.0, 6.0),
        (_colour(OTHER_PERSON), 1.2, 4.0),
    ):
        painter.setPen(_pen(colour, line_width))
        painter.drawLines(lines)
        painter.setPen(_pen(colour, dot_width))
        painter.drawPoints(dots)


def _paint_residuals(
    painter: QPainter, scene: OverlayScene, observed: FloatArray, reprojected: FloatArray
) -> None:
    """A thin line from each observed point to where its 3D point appears, and a small cross."""
    groups: dict[RGB, tuple[list[QLineF], list[QLineF]]] = defaultdict(lambda: ([], []))
    occluded = scene.occluded
    for keypoint, (seen, solved) in enumerate(zip(observed, reprojected, strict=True)):
        if not _is_there(solved) or (occluded[keypoint] and not _is_there(seen)):
            continue
        colour = _keypoint_colour(scene, keypoint)
        if _is_there(seen):
            if np.hypot(*(seen - solved)) < SHORTEST_RESIDUAL and keypoint != scene.moving:
                continue
            groups[colour][0].append(_line(seen, solved))
        x, y = float(solved[0]), float(solved[1])
        groups[colour][1].append(QLineF(x - CROSS_ARM, y, x + CROSS_ARM, y))
        groups[colour][1].append(QLineF(x, y - CROSS_ARM, x, y + CROSS_ARM))
    painter.setPen(_pen(_HALO, 3.0))
    painter.drawLines([line for thin, cross in groups.values() for line in thin + cross])
    for colour, (thin, cross) in groups.items():
        painter.setPen(_pen(_colour(colour, 0.9), 1.0))
        painter.drawLines(thin)
        painter.setPen(_pen(_colour(colour), 1.5))
        painter.drawLines(cross)


def _keypoint_colour(scene: OverlayScene, keypoint: int) -> RGB:
    if keypoint == scene.moving:
        return PREVIEW
    return SIDE_COLOUR[scene.skeleton.keypoints[keypoint].side]


def _drawing_order(scene: OverlayScene) -> list[int]:
    """All keypoints, the unsure ones first and the selected one on top."""
    order = [int(k) for k in np.argsort(scene.score + scene.manual, kind="stable")]
    if scene.selected >= 0:
        order.remove(scene.selected)
        order.append(scene.selected)
    return order


def _paint_keypoint(
    painter: QPainter,
    scene: OverlayScene,
    keypoint: int,
    seen: FloatArray,
    solved: FloatArray,
    full_radius: float,
) -> None:
    occluded = bool(scene.occluded[keypoint])
    at = seen if _is_there(seen) else solved
    if not _is_there(at) or not (_is_there(seen) or occluded):
        return
    shape = SIDE_SHAPE[scene.skeleton.keypoints[keypoint].side]
    score = float(min(max(scene.score[keypoint], 0.0), 1.0))
    radius = full_radius * (0.7 + 0.3 * score)
    colour = _keypoint_colour(scene, keypoint)
    if occluded:
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(_pen(_HALO_SOFT, 4.0))
        _draw_shape(painter, shape, at, full_radius + 0.5)
        dashes = _pen(_colour(colour), 2.0, Qt.PenStyle.CustomDashLine)
        dashes.setDashPattern([1.5, 1.0])  # in widths of the pen
        painter.setPen(dashes)
        _draw_shape(painter, shape, at, full_radius + 0.5)
    else:
        low = score < LOW_SCORE and keypoint != scene.moving
        painter.setBrush(_colour(colour, 0.35 + 0.65 * score))
        if low:
            painter.setPen(_pen(_HALO, 3.6))
            _draw_shape(painter, shape, at, radius)
        painter.setPen(_pen(_colour(BAD) if low else _HALO, 1.5))
        _draw_shape(painter, shape, at, radius)
    if scene.manual[keypoint]:
        _draw_ring(painter, at, full_radius + 3.0, MANUAL, 1.4)


def _draw_shape(painter: QPainter, shape: Shape, at: FloatArray, radius: float) -> None:
    x, y = float(at[0]), float(at[1])
    if shape == "circle":
        painter.drawEllipse(QPointF(x, y), radius, radius)
        return
    corners = _UNIT_SHAPE[shape]
    painter.drawPolygon(QPolygonF([QPointF(x + radius * u, y + radius * v) for u, v in corners]))


def _draw_ring(painter: QPainter, at: FloatArray, radius: float, rgb: RGB, width: float) -> None:
    centre = QPointF(float(at[0]), float(at[1]))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for colour, line_width in ((_HALO, width + 2.0), (_colour(rgb), width)):
        painter.setPen(_pen(colour, line_width))
        painter.drawEllipse(centre, radius, radius)


def _paint_selected(
    painter: QPainter,
    scene: OverlayScene,
    observed: FloatArray,
    reprojected: FloatArray,
    area: QRectF,
) -> None:
    keypoint = scene.selected
    if keypoint < 0:
        return
    at = observed[keypoint] if _is_there(observed[keypoint]) else reprojected[keypoint]
    if not _is_there(at):
        return
    colour = PREVIEW if keypoint == scene.moving else SELECTED
    ring = POINT_RADIUS + (6.5 if scene.manual[keypoint] else 5.0)
    _draw_ring(painter, at, ring, colour, 2.0)
    centre = QPointF(float(at[0]), float(at[1]))
    if area.contains(centre):
        paint_label(painter, selected_label(scene), centre, area, ring + 4)


def selected_label(scene: OverlayScene) -> str:
    """Name of the selected keypoint with its residual in this view, or why it has none."""
    keypoint = scene.selected
    name = scene.skeleton.keypoints[keypoint].marker
    if not scene.observed[keypoint]:
        return f"{name}  {'occluded' if scene.occluded[keypoint] else 'not seen here'}"
    residual = scene.residual[keypoint]
    return f"{name}  {residual:.1f} px" if np.isfinite(residual) else name


def _paint_names(painter: QPainter, scene: OverlayScene, at: FloatArray, area: QRectF) -> None:
    for keypoint, point in enumerate(at):
        if _is_there(point) and keypoint != scene.selected:
            name = scene.skeleton.keypoints[keypoint].marker
            where = QPointF(float(point[0]), float(point[1]))
            if area.contains(where):
                paint_label(painter, name, where, area, POINT_RADIUS + 3, _colour(OTHER_PERSON))


def label_rect(text: str, at: QPointF, area: QRectF, gap: float, font: QFontMetricsF) -> QRectF:
    """Where a label goes: right of a point, left where that is outside, always inside ``area``."""
    width, height = font.horizontalAdvance(text) + 10, font.height() + 4
    left = at.x() + gap
    if left + width > area.right():
        left = at.x() - gap - width
    top = at.y() - height / 2
    left = max(area.left(), min(left, area.right() - width))
    top = max(area.top(), min(top, area.bottom() - height))
    return QRectF(left, top, width, height)


def paint_label(
    painter: QPainter,
    text: str,
    at: QPointF,
    area: QRectF,
    gap: float,
    colour: QColor | None = None,
) -> QRectF:
    """Draw a label beside a point, inside ``area``; returns the rectangle it takes."""
    box = label_rect(text, at, area, gap, QFontMetricsF(painter.font(), painter.device()))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(_LABEL_BACK)
    painter.drawRoundedRect(box, 3, 3)
    painter.setPen(colour or QColor(Qt.GlobalColor.white))
    painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)
    return box


def _paint_curves(
    painter: QPainter, scene: OverlayScene, transform: PaneTransform, area: QRectF
) -> None:
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for curve in scene.curves:
        placed = _on_screen(curve.xy, transform, area)
        line = QPolygonF([QPointF(x, y) for x, y in placed[~np.isnan(placed[:, 0])].tolist()])
        for colour, width in ((_HALO_SOFT, 3.0), (_colour(EPIPOLAR, 0.9), 1.2)):
            painter.setPen(_pen(colour, width))
            painter.drawPolyline(line)
        end = _visible_end(placed, area)
        if end is not None:
            paint_label(painter, curve.camera, end, area, 4, _colour(EPIPOLAR))


def _visible_end(placed: FloatArray, area: QRectF) -> QPointF | None:
    inside = (
        (placed[:, 0] >= area.left())
        & (placed[:, 0] <= area.right())
        & (placed[:, 1] >= area.top())
        & (placed[:, 1] <= area.bottom())
    )
    if not inside.any():
        return None
    x, y = placed[np.flatnonzero(inside)[-1]]
    return QPointF(float(x), float(y))
