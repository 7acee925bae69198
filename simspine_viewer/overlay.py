"""Painting of points, bones, residuals and epipolar curves over a picture.

All sizes are in the widget's logical points, so lines keep their width at any zoom and are sharp at
any device pixel ratio; only positions go through the pane's transform.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QPainter

from pipeline.data.skeleton import Side, Skeleton
from simspine_viewer.overlay_curves import paint_curves
from simspine_viewer.overlay_scene import OverlayScene
from simspine_viewer.overlay_shapes import (
    EDGE,
    HALO,
    REACH,
    SOFT_HALO,
    Point,
    colour,
    dashed_pen,
    draw_label,
    draw_ring,
    draw_shape,
    line,
    pen,
    rgba,
)
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
)
from simspine_viewer.pane_transform import PaneTransform

FloatArray = NDArray[np.float64]
Points = list[Point | None]

# Points grow a little with the picture, so that those of hands, feet and face stay apart in a small
# pane; the radius is reached at the second of these scales and shrinks to a share at the first.
POINT_RADIUS = 4.5
SMALL_SHARE = 0.7
SMALL_SCALES = (0.15, 0.5)
CROSS_ARM = 3.5
LINK_WIDTH = 2.0
# A residual shorter than this on screen is hidden by the point itself.
SHORTEST_RESIDUAL = 3.0


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
    ends = paint_curves(painter, scene, transform, area) if options.epipolar else []
    taken: list[QRectF] = []
    if options.points:
        _paint_points(painter, scene, transform, area, options, taken)
    for camera, end in ends:
        draw_label(painter, camera, end, area, 4, colour(EPIPOLAR), taken)


def _paint_points(
    painter: QPainter,
    scene: OverlayScene,
    transform: PaneTransform,
    area: QRectF,
    options: OverlayOptions,
    taken: list[QRectF],
) -> None:
    """Links, residuals, points and names; the selected point's label is added to ``taken``."""
    observed = _on_screen(scene.xy, transform, area)
    reprojected = _on_screen(scene.reprojected, transform, area)
    for absent in np.flatnonzero(scene.absent):
        reprojected[absent] = None
    occluded = scene.occluded.tolist()
    handles: Points = [seen or solved for seen, solved in zip(observed, reprojected, strict=True)]
    _paint_links(painter, scene.skeleton, observed, handles)
    if options.residuals:
        _paint_residuals(painter, scene, observed, reprojected, occluded)
    if scene.moving >= 0:
        _paint_moving(painter, observed[scene.moving], reprojected[scene.moving])
    radius = point_radius(transform.scale)
    for keypoint in _drawing_order(scene):
        at = handles[keypoint] if occluded[keypoint] else observed[keypoint]
        if at is not None:
            _paint_keypoint(painter, scene, keypoint, at, occluded[keypoint], radius)
    if options.names:
        _paint_names(painter, scene, handles, area)
    if scene.selected >= 0:
        _paint_selected(painter, scene, handles[scene.selected], area, taken)


def point_radius(scale: float) -> float:
    """Radius of a point of full confidence, in widget points, at a scale of the picture."""
    return POINT_RADIUS * float(np.interp(scale, SMALL_SCALES, (SMALL_SHARE, 1.0)))


def _on_screen(xy: FloatArray, transform: PaneTransform, area: QRectF) -> Points:
    """Widget points; None where there is no point, or one too far away to be seen."""
    placed = transform.to_widget(xy)
    away = np.abs(placed - (area.center().x(), area.center().y())).max(axis=-1)
    near = (away <= REACH).tolist()  # False for NaN
    return [(x, y) if keep else None for (x, y), keep in zip(placed.tolist(), near, strict=True)]


def link_side(skeleton: Skeleton, link: tuple[int, int]) -> Side:
    """The side whose colour a bone has: that of its limb, or midline between left and right."""
    sides = {skeleton.keypoints[k].side for k in link} - {"mid"}
    return sides.pop() if len(sides) == 1 else "mid"


def _paint_links(painter: QPainter, skeleton: Skeleton, observed: Points, handles: Points) -> None:
    """Bones between observed points; thinner where an end is known only from the other views."""
    groups: dict[tuple[Side, bool], list[QLineF]] = defaultdict(list)
    for link in skeleton.links:
        start, end = handles[link[0]], handles[link[1]]
        if start is not None and end is not None:
            firm = observed[link[0]] is not None and observed[link[1]] is not None
            groups[link_side(skeleton, link), firm].append(line(start, end))
    painter.setPen(pen(EDGE, LINK_WIDTH + 1.4))
    painter.drawLines([one for (_, firm), lines in groups.items() if firm for one in lines])
    for (side, firm), lines in groups.items():
        painter.setPen(pen(rgba(SIDE_COLOUR[side]), LINK_WIDTH if firm else 1.0))
        painter.drawLines(lines)


def _paint_person(painter: QPainter, skeleton: Skeleton, points: Points) -> None:
    ends = [(points[a], points[b]) for a, b in skeleton.links]
    lines = [line(a, b) for a, b in ends if a is not None and b is not None]
    dots = [QPointF(*point) for point in points if point is not None]
    grey = rgba(OTHER_PERSON)
    for own, line_width, dot_width in ((EDGE, 2.4, 5.4), (grey, 1.2, 4.0)):
        painter.setPen(pen(own, line_width))
        painter.drawLines(lines)
        painter.setPen(pen(own, dot_width))
        painter.drawPoints(dots)


def _paint_residuals(
    painter: QPainter,
    scene: OverlayScene,
    observed: Points,
    reprojected: Points,
    occluded: list[bool],
) -> None:
    """A thin line from each observed point to where its 3D point appears, and a small cross."""
    thin: dict[RGB, list[QLineF]] = defaultdict(list)
    crosses: dict[RGB, list[QLineF]] = defaultdict(list)
    for keypoint, (seen, solved) in enumerate(zip(observed, reprojected, strict=True)):
        if solved is None or (occluded[keypoint] and seen is None):
            continue
        own, (x, y) = _keypoint_colour(scene, keypoint), solved
        if seen is not None:
            short = math.hypot(seen[0] - x, seen[1] - y) < SHORTEST_RESIDUAL
            if short and keypoint != scene.moving:
                continue
            thin[own].append(line(seen, solved))
        crosses[own].append(QLineF(x - CROSS_ARM, y, x + CROSS_ARM, y))
        crosses[own].append(QLineF(x, y - CROSS_ARM, x, y + CROSS_ARM))
    painter.setPen(pen(EDGE, 2.6))
    for groups in (thin, crosses):
        painter.drawLines([one for lines in groups.values() for one in lines])
    for groups, width in ((thin, 1.0), (crosses, 1.5)):
        for own, lines in groups.items():
            painter.setPen(pen(rgba(own), width))
            painter.drawLines(lines)


def _paint_moving(painter: QPainter, seen: Point | None, solved: Point | None) -> None:
    """Where the dragged point now falls in this view, and how far from what was seen here."""
    if solved is None:
        return
    if seen is not None:
        for own, width in ((EDGE, 4.0), (rgba(PREVIEW), 2.0)):
            painter.setPen(pen(own, width))
            painter.drawLine(line(seen, solved))
    draw_ring(painter, solved, POINT_RADIUS + 2.5, PREVIEW, 2.0)


def _keypoint_colour(scene: OverlayScene, keypoint: int) -> RGB:
    if keypoint == scene.moving:
        return PREVIEW
    return SIDE_COLOUR[scene.skeleton.keypoints[keypoint].side]


def _drawing_order(scene: OverlayScene) -> list[int]:
    """All keypoints, the unsure ones first and the selected one on top."""
    order: list[int] = np.argsort(scene.score + scene.manual, kind="stable").tolist()
    if scene.selected >= 0:
        order.remove(scene.selected)
        order.append(scene.selected)
    return order


def _paint_keypoint(
    painter: QPainter,
    scene: OverlayScene,
    keypoint: int,
    at: Point,
    occluded: bool,
    full_radius: float,
) -> None:
    shape = SIDE_SHAPE[scene.skeleton.keypoints[keypoint].side]
    # Steps of a twentieth are finer than can be seen, and few enough colours to be kept.
    score = round(20 * min(max(float(scene.score[keypoint]), 0.0), 1.0)) / 20
    own = _keypoint_colour(scene, keypoint)
    if occluded:
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for stroke in (pen(SOFT_HALO, 4.0), dashed_pen(rgba(own), 2.0)):
            painter.setPen(stroke)
            draw_shape(painter, shape, at, full_radius + 0.5)
    else:
        radius = full_radius * (0.7 + 0.3 * score)
        low = scene.score[keypoint] < LOW_SCORE and keypoint != scene.moving
        painter.setBrush(colour(own, 0.35 + 0.65 * score))
        if low:
            painter.setPen(pen(HALO, 3.6))
            draw_shape(painter, shape, at, radius)
        painter.setPen(pen(rgba(BAD) if low else HALO, 1.5))
        draw_shape(painter, shape, at, radius)
    if scene.manual[keypoint]:
        draw_ring(painter, at, full_radius + 3.0, MANUAL, 1.4)


def _paint_selected(
    painter: QPainter,
    scene: OverlayScene,
    at: Point | None,
    area: QRectF,
    taken: list[QRectF],
) -> None:
    if at is None or not area.contains(*at):
        return
    ring = POINT_RADIUS + (6.5 if scene.manual[scene.selected] else 5.0)
    draw_ring(painter, at, ring, PREVIEW if scene.selected == scene.moving else SELECTED, 2.0)
    draw_label(painter, selected_label(scene), at, area, ring + 4, colour(SELECTED), taken)


def selected_label(scene: OverlayScene) -> str:
    """Name of the selected keypoint with its residual in this view, or why it has none."""
    keypoint = scene.selected
    name = scene.skeleton.keypoints[keypoint].marker
    if not scene.observed[keypoint]:
        return f"{name}  {'occluded' if scene.occluded[keypoint] else 'not seen here'}"
    residual = scene.residual[keypoint]
    return f"{name}  {residual:.1f} px" if np.isfinite(residual) else name


def _paint_names(painter: QPainter, scene: OverlayScene, handles: Points, area: QRectF) -> None:
    for keypoint, at in enumerate(handles):
        if at is not None and keypoint != scene.selected and area.contains(*at):
            name = scene.skeleton.keypoints[keypoint].marker
            draw_label(painter, name, at, area, POINT_RADIUS + 3, colour(OTHER_PERSON))
