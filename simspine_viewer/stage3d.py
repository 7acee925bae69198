"""What stands around the person in the 3D scene as actors: floor, world axes, cameras."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from vtkmodules.vtkRenderingCore import vtkRenderer

from pipeline.data.camera import Camera
from simspine_viewer import stage_mesh
from simspine_viewer.offscreen import Shape
from simspine_viewer.stage_mesh import DARK, SceneTheme

FloatArray = NDArray[np.float64]

_N = stage_mesh.FRUSTUM_POINTS


def _segments(segments: stage_mesh.Segments) -> Shape:
    colours = np.zeros((len(segments.points), 4), np.uint8)
    colours[:, 3] = np.round(255 * segments.alpha)
    shape = Shape(segments.points.astype(np.float32), lines=segments.lines, colours=colours)
    shape.look.SetLighting(False)
    return shape


class Stage:
    """Floor grid, axes at the world's origin, and the frusta of the calibrated cameras."""

    def __init__(self, renderer: vtkRenderer, cameras: list[Camera]) -> None:
        self._renderer = renderer
        self._floor_at = np.zeros(2)
        self._hidden = self._active = -1
        self._theme = DARK
        reach = max((float(np.hypot(c.centre[0], c.centre[2])) for c in cameras), default=5.0)
        # Beyond the cameras, but never more lines than can be told apart.
        radius = float(np.clip(1.25 * reach, 4.0, 14.0))
        fine = stage_mesh.floor_grid(stage_mesh.FINE, radius, skip=stage_mesh.COARSE)
        self._fine = _segments(fine)
        self._fine.look.SetOpacity(0.16)
        self._coarse = _segments(stage_mesh.floor_grid(stage_mesh.COARSE, radius))
        self._coarse.look.SetOpacity(0.5)
        self._axes = _segments(stage_mesh.world_axes())
        self._axes.colours[:, :3] = np.repeat(stage_mesh.AXIS_COLOUR, 2, axis=0)
        self._frustum_points = np.zeros((len(cameras), _N, 3))
        for points, camera in zip(self._frustum_points, cameras, strict=True):
            points[:] = stage_mesh.frustum(camera)
        first = _N * np.arange(len(cameras))[:, None, None]
        vertices = np.zeros((_N * len(cameras), 3), np.float32)
        colours = np.full((_N * len(cameras), 4), 255, np.uint8)
        lines = (stage_mesh.FRUSTUM_LINES + first).reshape(-1, 2)
        faces = (stage_mesh.FRUSTUM_FACES + first).reshape(-1, 3)
        # Both share their arrays.
        self._edges = Shape(vertices, lines=lines, colours=colours)
        self._glass = Shape(vertices, triangles=faces, colours=colours)
        self._glass.look.SetOpacity(0.16)
        self._edges.look.SetLighting(False)
        self._glass.look.SetLighting(False)
        for shape in self._shapes():
            renderer.AddActor(shape.actor)

    def _shapes(self) -> tuple[Shape, ...]:
        return self._fine, self._coarse, self._axes, self._edges, self._glass

    def remove(self) -> None:
        """Take all actors out of the renderer."""
        for shape in self._shapes():
            self._renderer.RemoveActor(shape.actor)

    def follow(self, xyz: FloatArray) -> None:
        """Keep the fading floor under the (K, 3) points, by whole metres so that no line moves."""
        there = np.isfinite(xyz).all(axis=1)
        if not there.any():
            return
        ground = np.median(xyz[there], axis=0)[[0, 2]]
        if np.abs(ground - self._floor_at).max() > 2.0:
            self._floor_at = np.round(ground)
            for shape in (self._fine, self._coarse):
                shape.actor.SetPosition(self._floor_at[0], 0.0, self._floor_at[1])

    def mark(self, *, hidden: int, active: int) -> None:
        """Hide the frustum looked through, mark that of the active view; -1 for none."""
        if (hidden, active) != (self._hidden, self._active):
            self._hidden, self._active = hidden, active
            self._paint_frusta()

    def paint(self, theme: SceneTheme) -> None:
        """Give everything the colours of an appearance."""
        self._theme = theme
        for shape in (self._fine, self._coarse):
            shape.colours[:, :3] = theme.grid
            shape.changed()
        self._paint_frusta()

    def _paint_frusta(self) -> None:
        points = self._frustum_points.copy()
        if self._hidden >= 0:
            points[self._hidden] = points[self._hidden, 0]
        self._edges.points[:] = points.reshape(-1, 3)
        self._edges.colours[:, :3] = self._theme.camera
        if self._active >= 0:
            self._edges.colours[_N * self._active : _N * (self._active + 1), :3] = (
                self._theme.active_camera
            )
        self._edges.changed()
        self._glass.changed()

    def set_line_width(self, scale: float) -> None:
        """Widths in pixels for a picture ``scale`` times as tall as 640 px."""
        self._fine.look.SetLineWidth(max(1.0, 0.7 * scale))
        self._coarse.look.SetLineWidth(max(1.0, scale))
        self._axes.look.SetLineWidth(max(1.5, 2.2 * scale))
        self._edges.look.SetLineWidth(max(1.0, 1.4 * scale))
