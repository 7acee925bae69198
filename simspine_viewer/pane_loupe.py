"""The loupe of a pane: single pixels of the picture, large, with the points among them."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath

from simspine_viewer.overlay_scene import OverlayScene
from simspine_viewer.overlay_shapes import EDGE, REACH, Point, draw_mark, outline, pen, rgba
from simspine_viewer.palette import PREVIEW, SELECTED, SIDE_SHAPE, Palette
from simspine_viewer.pane_picture import borrowed_image
from simspine_viewer.pane_transform import PaneTransform

RADIUS = 76.0  # widget points, in a pane that has room for it
_SHARE = 0.28  # of the smaller side of a pane that has not
MAGNIFICATION = 4.0  # over the pane
LEAST_SCALE = 6.0  # widget points per pixel of the picture, so that single pixels can be told
_GRID_SCALE = 4.0  # from here on the pixels are parted by lines
_BESIDE = 24.0  # widget points between a dragged point and the rim
_CROSS = (7.0, 18.0)  # the crosshair leaves the middle free

_GROUND = QColor("#0b0c0f")


def loupe_transform(transform: PaneTransform, focus: Point, centre: Point) -> PaneTransform:
    """Where the picture lies inside a loupe whose ``centre`` shows the picture point ``focus``."""
    scale = max(MAGNIFICATION * transform.scale, LEAST_SCALE)
    return PaneTransform(
        scale, (centre[0] - (focus[0] + 0.5) * scale, centre[1] - (focus[1] + 0.5) * scale)
    )


def loupe_radius(area: QRectF) -> float:
    """How large a loupe is in a pane."""
    return min(RADIUS, _SHARE * min(area.width(), area.height()))


def loupe_centre(at: Point, area: QRectF, radius: float, *, beside: bool) -> Point:
    """Where a loupe for the widget position ``at`` goes: over it, or ``beside`` it.

    Inside ``area`` as far as that is large enough; beside a point it never covers it.
    """
    if not beside:
        return _within(at, area, radius)
    away = radius + _BESIDE
    choices = [
        (at[0] + dx * away, at[1] + dy * away)
        for dx, dy in ((0.8, -0.8), (-0.8, -0.8), (0.8, 0.8), (-0.8, 0.8), (1, 0), (-1, 0))
    ]
    places = [_within(choice, area, radius) for choice in choices]
    free = [place for place in places if math.dist(place, at) >= radius + _BESIDE / 2]
    return free[0] if free else max(places, key=lambda place: math.dist(place, at))


def _within(centre: Point, area: QRectF, radius: float) -> Point:
    inside = area.adjusted(radius, radius, -radius, -radius)
    return (
        min(max(centre[0], inside.left()), inside.right()),
        min(max(centre[1], inside.top()), inside.bottom()),
    )


def paint_loupe(
    painter: QPainter,
    pixels: NDArray[np.uint8],
    size: tuple[int, int],
    scene: OverlayScene | None,
    palette: Palette,
    transform: PaneTransform,
    centre: Point,
    radius: float,
) -> None:
    """Draw a loupe.

    Parameters
    ----------
    pixels : (H, W, 4) array
        The picture, of ``size`` (width, height) in pixels of the video.
    scene : OverlayScene or None
        Its points are drawn as outlines, so that the pixels below can be seen.
    transform : PaneTransform
        From :func:`loupe_transform`.
    centre : (float, float)
        In widget points; ``radius`` too.
    """
    circle = QPainterPath()
    circle.addEllipse(QPointF(*centre), radius, radius)
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setClipPath(circle, Qt.ClipOperation.IntersectClip)
    painter.fillPath(circle, _GROUND)
    _paint_pixels(painter, pixels, size, transform, centre, radius)
    if transform.scale >= _GRID_SCALE:
        _paint_grid(painter, size, transform, centre, radius)
    if scene is not None:
        _paint_points(painter, scene, palette, transform)
    _paint_cross(painter, centre)
    painter.restore()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for stroke in (pen(EDGE, 4.0), pen(rgba((235, 238, 243)), 2.0)):
        painter.setPen(stroke)
        painter.drawEllipse(QPointF(*centre), radius, radius)


def _paint_pixels(
    painter: QPainter,
    pixels: NDArray[np.uint8],
    size: tuple[int, int],
    transform: PaneTransform,
    centre: Point,
    radius: float,
) -> None:
    low = np.floor(transform.to_picture((centre[0] - radius, centre[1] - radius)) + 0.5)
    high = np.ceil(transform.to_picture((centre[0] + radius, centre[1] + radius)) + 0.5)
    left, top = np.maximum(low, 0.0).tolist()
    right, bottom = np.minimum(high, size).tolist()
    if right <= left or bottom <= top:
        return
    x, y = transform.to_widget((left - 0.5, top - 0.5)).tolist()
    target = QRectF(x, y, (right - left) * transform.scale, (bottom - top) * transform.scale)
    across, down = pixels.shape[1] / size[0], pixels.shape[0] / size[1]
    part = QRectF(left * across, top * down, (right - left) * across, (bottom - top) * down)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, across < 1.0)
    painter.drawImage(target, borrowed_image(pixels), part)


def _paint_grid(
    painter: QPainter,
    size: tuple[int, int],
    transform: PaneTransform,
    centre: Point,
    radius: float,
) -> None:
    low = np.ceil(transform.to_picture((centre[0] - radius, centre[1] - radius)) + 0.5)
    high = np.floor(transform.to_picture((centre[0] + radius, centre[1] + radius)) + 0.5)
    low, high = np.maximum(low, 0.0), np.minimum(high, size)
    lines = []
    for axis in (0, 1):
        for edge in np.arange(low[axis], high[axis] + 1):
            at = float((edge * transform.scale) + transform.offset[axis])
            ends = (centre[1 - axis] - radius, centre[1 - axis] + radius)
            lines.append(
                QLineF(at, ends[0], at, ends[1]) if axis == 0 else QLineF(ends[0], at, ends[1], at)
            )
    painter.setPen(pen((0, 0, 0, 48), 1.0))
    painter.drawLines(lines)


def _paint_points(
    painter: QPainter, scene: OverlayScene, palette: Palette, transform: PaneTransform
) -> None:
    placed = transform.to_widget(scene.handles)
    for keypoint in np.flatnonzero((np.abs(placed) < REACH).all(axis=1)).tolist():
        side = scene.skeleton.keypoints[keypoint].side
        own = palette.of(side)
        if keypoint == scene.moving:
            own = PREVIEW
        elif keypoint == scene.selected:
            own = SELECTED
        x, y = placed[keypoint].tolist()
        draw_mark(painter, outline(SIDE_SHAPE[side], 5.0, own, 1.8), (x, y))


def _paint_cross(painter: QPainter, centre: Point) -> None:
    near, far = _CROSS
    x, y = centre
    lines = [
        QLineF(x - far, y, x - near, y), QLineF(x + near, y, x + far, y),
        QLineF(x, y - far, x, y - near), QLineF(x, y + near, x, y + far),
    ]  # fmt: skip
    for stroke in (pen(EDGE, 3.0), pen(rgba((255, 255, 255)), 1.2)):
        painter.setPen(stroke)
        painter.drawLines(lines)
