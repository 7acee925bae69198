"""Painting of points, bones, residuals, trails and epipolar curves over a picture.

All sizes are in the widget's logical points, so lines keep their width at any zoom and are sharp at
any device pixel ratio; only positions go through the pane's transform.

What a drag moves can be painted apart from what stands still: bottom to top :func:`paint_ground`,
:func:`paint_below`, :func:`paint_still`, :func:`paint_above`.
"""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QRectF
from PySide6.QtGui import QPainter

from simspine_viewer.overlay_curves import (
    Ends,
    curve_ends,
    paint_curve_names,
    paint_curves,
    paint_ellipse,
    paint_spreads,
    paint_trail,
)
from simspine_viewer.overlay_points import (
    Placed,
    link_side,
    on_screen,
    paint_keypoints,
    paint_links,
    paint_moving,
    paint_names,
    paint_person,
    paint_residuals,
    paint_selected,
    placed,
)
from simspine_viewer.overlay_scene import EpipolarCurve, OverlayScene
from simspine_viewer.overlay_shapes import (
    Point,
    colour,
    draw_label,
    label_rect,
    label_size,
)
from simspine_viewer.overlay_spine import paint_spine
from simspine_viewer.palette import OTHER_PERSON, STANDARD, Palette
from simspine_viewer.pane_transform import PaneTransform
from simspine_viewer.stages import Stage

__all__ = ["OverlayOptions", "link_side", "paint_overlay"]

Links = list[tuple[int, int]]
Keypoints = tuple[list[int], list[int]]

_MARGIN = 6.0  # around the legend
_LEAST_FOR_LEGEND = 100.0  # widget points that a picture must have in height
_CLEAR = 12.0  # around the selected point, where no name of a curve is written


@dataclass(frozen=True, slots=True)
class OverlayOptions:
    """What the user wants to see over the pictures; nothing at all unless ``visible``.

    ``trail`` is its length in frames on either side, 0 for none. ``bones`` are those of the
    simulated body in 3D, ``spine`` is its curve in the pictures.
    """

    visible: bool = True
    points: bool = True
    names: bool = False
    others: bool = True
    residuals: bool = True
    epipolar: bool = True
    ellipse: bool = False
    trail: int = 0
    loupe: bool = False
    bones: bool = True
    spine: bool = True
    stage: Stage = Stage.WORK
    palette: Palette = STANDARD


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """What every step of the painting is given; labels stay inside ``area`` (widget points)."""

    painter: QPainter
    scene: OverlayScene
    transform: PaneTransform
    area: QRectF
    options: OverlayOptions
    placed: Placed

    @property
    def keypoints(self) -> Keypoints:
        """Those that stand still and those that a drag moves."""
        moving = self.scene.moving
        return [k for k in range(len(self.scene.xy)) if k != moving], [moving] * (moving >= 0)

    @property
    def links(self) -> tuple[Links, Links]:
        """Those that stand still and those that a drag moves."""
        links, moving = self.scene.skeleton.links, self.scene.moving
        if moving < 0:
            return list(links), []
        return [link for link in links if moving not in link], [
            link for link in links if moving in link
        ]

    @property
    def curves(self) -> tuple[list[EpipolarCurve], list[EpipolarCurve]]:
        """Those that stand still, and those that change with a drag."""
        return still_curves(self.scene), [
            curve for curve in self.scene.curves if not _is_still(curve, self.scene)
        ]


def still_curves(scene: OverlayScene) -> list[EpipolarCurve]:
    """The curves that no drag changes; all of them where there is none."""
    return [curve for curve in scene.curves if _is_still(curve, scene)]


def _is_still(curve: EpipolarCurve, scene: OverlayScene) -> bool:
    return scene.moving < 0 or scene.dragged_in not in ("", curve.camera)


def layer_of(
    painter: QPainter,
    scene: OverlayScene,
    transform: PaneTransform,
    area: QRectF,
    options: OverlayOptions,
    where: Placed | None = None,
) -> Layer:
    """Everything that is needed to paint a scene; ``where`` from another layer of it."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    where = where or placed(scene, transform, area)
    return Layer(painter, scene, transform, area, options, where)


def paint_overlay(
    painter: QPainter,
    scene: OverlayScene,
    transform: PaneTransform,
    area: QRectF,
    options: OverlayOptions | None = None,
) -> None:
    """Draw a scene; labels stay inside ``area`` (widget points)."""
    layer = layer_of(painter, scene, transform, area, options or OverlayOptions())
    paint_ground(layer)
    ends = paint_below(layer)
    paint_still(layer)
    paint_above(layer, ends)


def paint_ground(layer: Layer) -> None:
    """Other people, the path of the selected keypoint, and which stage of the points is shown."""
    painter, scene, options = layer.painter, layer.scene, layer.options
    if not options.visible:
        return
    if options.others:
        for xy in scene.others.values():
            paint_person(painter, scene.skeleton, on_screen(xy, layer.transform, layer.area))
    if scene.trail is not None:
        paint_trail(painter, scene.trail, layer.transform, layer.area)
    if _has_legend(layer):
        _paint_legend(layer)
    if options.epipolar:
        paint_curves(painter, layer.curves[0], layer.transform, layer.area)


def paint_below(layer: Layer) -> Ends:
    """What a drag changes below the points; returns where all curves are to be named."""
    scene, options = layer.scene, layer.options
    ends: Ends = []
    if options.visible and options.epipolar:
        paint_curves(layer.painter, layer.curves[1], layer.transform, layer.area)
        ends = curve_ends(scene.curves, layer.transform, layer.area)
    if options.visible and scene.spine is not None:
        paint_spine(layer.painter, scene.spine, layer.transform, layer.area)
    if options.visible and options.points and scene.moving >= 0:
        paint_links(layer.painter, scene, layer.placed, options.palette, layer.links[1])
    return ends


def paint_still(layer: Layer) -> None:
    """The points and bones that no drag moves."""
    painter, scene, options = layer.painter, layer.scene, layer.options
    if not options.visible:
        return
    if options.points:
        still = layer.keypoints[0]
        paint_links(painter, scene, layer.placed, options.palette, layer.links[0])
        if options.residuals:
            paint_residuals(painter, scene, layer.placed, options.palette, still)
        if scene.spread is not None:
            paint_spreads(painter, scene.xy, scene.spread, layer.transform, layer.area)
        if scene.ellipse is not None and scene.moving < 0:
            paint_ellipse(painter, scene.ellipse, layer.transform, layer.area)
        scale = layer.transform.scale
        paint_keypoints(painter, scene, layer.placed, options.palette, scale, still)
        if options.names:
            paint_names(painter, scene, layer.placed.handles, layer.area, still)


def paint_above(layer: Layer, ends: Ends) -> None:
    """The moving point, the selection, and the labels on top of everything."""
    painter, scene, options = layer.painter, layer.scene, layer.options
    if not options.visible:
        return
    taken = [_legend_rect(layer)] if _has_legend(layer) else []
    if options.points and scene.moving >= 0:
        moving, scale = layer.keypoints[1], layer.transform.scale
        if options.residuals:
            paint_residuals(painter, scene, layer.placed, options.palette, moving)
        paint_moving(painter, scene, layer.placed)
        paint_keypoints(painter, scene, layer.placed, options.palette, scale, moving)
    if options.points and scene.selected >= 0:
        paint_selected(painter, scene, layer.placed.handles, layer.area, taken)
    if ends:
        at = layer.placed.handles[scene.selected] if scene.selected >= 0 else None
        if at is not None:
            taken.append(QRectF(at[0] - _CLEAR, at[1] - _CLEAR, 2 * _CLEAR, 2 * _CLEAR))
        paint_curve_names(painter, ends, layer.area, taken)


def _paint_legend(layer: Layer) -> None:
    """A chip in the bottom left corner that says which stage of the points is shown."""
    corner, inner = _legend_place(layer)
    draw_label(layer.painter, layer.scene.legend, corner, inner, _MARGIN, colour(OTHER_PERSON))


def _has_legend(layer: Layer) -> bool:
    """Not where it would hide the picture: the other panes say the same."""
    return bool(layer.scene.legend) and layer.area.height() >= _LEAST_FOR_LEGEND


def _legend_rect(layer: Layer) -> QRectF:
    corner, inner = _legend_place(layer)
    size = label_size(layer.scene.legend, layer.painter.font().toString())
    return label_rect(size, corner, inner, _MARGIN)


def _legend_place(layer: Layer) -> tuple[Point, QRectF]:
    area = layer.area
    inner = area.adjusted(_MARGIN, _MARGIN, -_MARGIN, -_MARGIN)
    return (area.left(), area.bottom() - _MARGIN), inner
