"""Painting of one person's points and bones over a picture."""

from __future__ import annotations

import math
from collections import defaultdict, deque
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QLineF, QPointF, QRectF
from PySide6.QtGui import QPainter

from pipeline.data.skeleton import Side, Skeleton
from simspine_viewer.overlay_scene import OverlayScene
from simspine_viewer.overlay_shapes import (
    EDGE,
    HALO,
    REACH,
    SOFT_HALO,
    Mark,
    Point,
    colour,
    draw_label,
    draw_mark,
    draw_ring,
    line,
    pen,
    rgba,
)
from simspine_viewer.palette import (
    BAD,
    LOW_SCORE,
    MANUAL,
    OTHER_PERSON,
    PREVIEW,
    RGB,
    SELECTED,
    SIDE_SHAPE,
    Palette,
    Shape,
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
class Placed:
    """Where the keypoints of a scene lie in the widget; None where nothing is to be drawn."""

    observed: Points
    reprojected: Points
    handles: Points
    occluded: list[bool]


def placed(scene: OverlayScene, transform: PaneTransform, area: QRectF) -> Placed:
    """Place the keypoints of a scene."""
    everything = on_screen(np.concatenate([scene.xy, scene.reprojected]), transform, area)
    observed, reprojected = everything[: len(scene.xy)], everything[len(scene.xy) :]
    for absent in np.flatnonzero(scene.absent):
        reprojected[absent] = None
    handles: Points = [seen or solved for seen, solved in zip(observed, reprojected, strict=True)]
    return Placed(observed, reprojected, handles, scene.occluded.tolist())


def point_radius(scale: float) -> float:
    """Radius of a point of full confidence, in widget points, at a scale of the picture."""
    return POINT_RADIUS * float(np.interp(scale, SMALL_SCALES, (SMALL_SHARE, 1.0)))


def on_screen(xy: FloatArray, transform: PaneTransform, area: QRectF) -> Points:
    """Widget points; None where there is no point, or one too far away to be seen."""
    placed = transform.to_widget(xy)
    away = np.abs(placed - (area.center().x(), area.center().y())).max(axis=-1)
    near = (away <= REACH).tolist()  # False for NaN
    return [(x, y) if keep else None for (x, y), keep in zip(placed.tolist(), near, strict=True)]


@dataclass(frozen=True, slots=True, eq=False)
class _Looks:
    """Colours of a skeleton's bones, and shapes and colours of its keypoints."""

    skeleton: Skeleton
    palette: Palette
    links: dict[tuple[int, int], RGB]
    shapes: list[Shape]
    colours: list[RGB]


# Of those met last; by identity, as to hash a skeleton takes as long as what is saved.
_known_looks: deque[_Looks] = deque(maxlen=4)


def _looks_of(skeleton: Skeleton, palette: Palette) -> _Looks:
    for known in _known_looks:
        if known.skeleton is skeleton and known.palette is palette:
            return known
    sides = [keypoint.side for keypoint in skeleton.keypoints]
    looks = _Looks(
        skeleton,
        palette,
        {link: palette.of(link_side(skeleton, link)) for link in skeleton.links},
        [SIDE_SHAPE[side] for side in sides],
        [palette.of(side) for side in sides],
    )
    _known_looks.append(looks)
    return looks


def link_side(skeleton: Skeleton, link: tuple[int, int]) -> Side:
    """The side whose colour a bone has: that of its limb, or midline between left and right."""
    sides = {skeleton.keypoints[k].side for k in link} - {"mid"}
    return sides.pop() if len(sides) == 1 else "mid"


def paint_links(
    painter: QPainter,
    scene: OverlayScene,
    placed: Placed,
    palette: Palette,
    links: Iterable[tuple[int, int]],
) -> None:
    """Bones between observed points; thinner where an end is known only from the other views."""
    observed, handles = placed.observed, placed.handles
    colours = _looks_of(scene.skeleton, palette).links
    groups: dict[tuple[RGB, bool], list[QLineF]] = defaultdict(list)
    for link in links:
        start, end = handles[link[0]], handles[link[1]]
        if start is not None and end is not None:
            firm = observed[link[0]] is not None and observed[link[1]] is not None
            groups[colours[link], firm].append(QLineF(*start, *end))
    painter.setPen(pen(EDGE, LINK_WIDTH + 1.4))
    painter.drawLines([one for (_, firm), lines in groups.items() if firm for one in lines])
    for (own, firm), lines in groups.items():
        painter.setPen(pen(rgba(own), LINK_WIDTH if firm else 1.0))
        painter.drawLines(lines)


def paint_person(painter: QPainter, skeleton: Skeleton, points: Points) -> None:
    """Somebody else, in grey."""
    ends = [(points[a], points[b]) for a, b in skeleton.links]
    lines = [line(a, b) for a, b in ends if a is not None and b is not None]
    dots = [QPointF(*point) for point in points if point is not None]
    grey = rgba(OTHER_PERSON)
    for own, line_width, dot_width in ((EDGE, 2.4, 5.4), (grey, 1.2, 4.0)):
        painter.setPen(pen(own, line_width))
        painter.drawLines(lines)
        painter.setPen(pen(own, dot_width))
        painter.drawPoints(dots)


def paint_residuals(
    painter: QPainter,
    scene: OverlayScene,
    placed: Placed,
    palette: Palette,
    keypoints: Iterable[int],
) -> None:
    """A thin line from each observed point to where its 3D point appears, and a small cross."""
    thin: dict[RGB, list[QLineF]] = defaultdict(list)
    crosses: dict[RGB, list[QLineF]] = defaultdict(list)
    colours = _looks_of(scene.skeleton, palette).colours
    for keypoint in keypoints:
        seen, solved = placed.observed[keypoint], placed.reprojected[keypoint]
        if solved is None or (placed.occluded[keypoint] and seen is None):
            continue
        (x, y), is_moving = solved, keypoint == scene.moving
        own = PREVIEW if is_moving else colours[keypoint]
        if seen is not None:
            if not is_moving and math.hypot(seen[0] - x, seen[1] - y) < SHORTEST_RESIDUAL:
                continue
            thin[own].append(line(seen, solved))
        crosses[own].append(QLineF(x - CROSS_ARM, y, x + CROSS_ARM, y))
        crosses[own].append(QLineF(x, y - CROSS_ARM, x, y + CROSS_ARM))
    if not crosses:
        return
    painter.setPen(pen(EDGE, 2.6))
    for groups in (thin, crosses):
        painter.drawLines([one for lines in groups.values() for one in lines])
    for groups, width in ((thin, 1.0), (crosses, 1.5)):
        for own, lines in groups.items():
            painter.setPen(pen(rgba(own), width))
            painter.drawLines(lines)


def paint_moving(painter: QPainter, scene: OverlayScene, placed: Placed) -> None:
    """Where the dragged point now falls in this view, and how far from what was seen here."""
    seen, solved = placed.observed[scene.moving], placed.reprojected[scene.moving]
    if solved is None:
        return
    if seen is not None:
        for own, width in ((EDGE, 4.0), (rgba(PREVIEW), 2.0)):
            painter.setPen(pen(own, width))
            painter.drawLine(line(seen, solved))
    draw_ring(painter, solved, POINT_RADIUS + 2.5, PREVIEW, 2.0)


def paint_keypoints(
    painter: QPainter,
    scene: OverlayScene,
    placed: Placed,
    palette: Palette,
    scale: float,
    keypoints: Iterable[int],
) -> None:
    """Points where they were seen, the unsure ones first and the selected one on top."""
    radius, wanted = point_radius(scale), set(keypoints)
    order: list[int] = np.argsort(scene.score + scene.manual, kind="stable").tolist()
    if scene.selected >= 0:
        order.remove(scene.selected)
        order.append(scene.selected)
    # Steps of a twentieth are finer than can be seen, and few enough marks to be kept.
    steps = np.rint(20 * np.clip(scene.score, 0.0, 1.0)).astype(int).tolist()
    low, manual = (scene.score < LOW_SCORE).tolist(), scene.manual.tolist()
    looks, ratio = _looks_of(scene.skeleton, palette), painter.device().devicePixelRatioF()
    for keypoint in order:
        occluded = placed.occluded[keypoint]
        at = placed.handles[keypoint] if occluded else placed.observed[keypoint]
        if at is None or keypoint not in wanted:
            continue
        is_moving = keypoint == scene.moving
        own = PREVIEW if is_moving else looks.colours[keypoint]
        is_low = low[keypoint] and not is_moving
        shape = looks.shapes[keypoint]
        mark = _mark_of(shape, own, radius, steps[keypoint], occluded, is_low)
        draw_mark(painter, mark, at, ratio)
        if manual[keypoint]:
            draw_ring(painter, at, radius + 3.0, MANUAL, 1.4)


# Shapes, colours of a palette and twenty steps; a few sizes of panes.
@lru_cache(maxsize=4096)
def _mark_of(
    shape: Shape, own: RGB, full_radius: float, step: int, occluded: bool, low: bool
) -> Mark:
    if occluded:
        strokes = ((SOFT_HALO, 4.0), (rgba(own), 2.0))
        return Mark(shape, full_radius + 0.5, None, strokes, dashed=True)
    rim = ((HALO, 3.6), (rgba(BAD), 1.5)) if low else ((HALO, 1.5),)
    fill = rgba(own, 0.35 + 0.65 * step / 20)
    return Mark(shape, full_radius * (0.7 + 0.3 * step / 20), fill, rim)


def paint_selected(
    painter: QPainter,
    scene: OverlayScene,
    handles: Points,
    area: QRectF,
    taken: list[QRectF],
) -> None:
    """A ring and a label, whose place is added to ``taken``."""
    at = handles[scene.selected]
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


def paint_names(
    painter: QPainter,
    scene: OverlayScene,
    handles: Points,
    area: QRectF,
    keypoints: Iterable[int],
) -> None:
    """The names of all but the selected keypoint."""
    for keypoint in keypoints:
        at = handles[keypoint]
        if at is not None and keypoint != scene.selected and area.contains(*at):
            name = scene.skeleton.keypoints[keypoint].marker
            draw_label(painter, name, at, area, POINT_RADIUS + 3, colour(OTHER_PERSON))
