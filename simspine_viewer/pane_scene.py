"""Puts together what one pane draws over its picture, and remembers it until something changes."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from pipeline.data.camera import CameraGroup
from pipeline.geometry.projection import project, project_views
from simspine_viewer.document import FramePoints
from simspine_viewer.editor import Editor
from simspine_viewer.error_ellipse import ellipse_in_view, point_covariance
from simspine_viewer.overlay import OverlayOptions
from simspine_viewer.overlay_scene import (
    EpipolarCurve,
    OverlayScene,
    SpineCurve,
    epipolar_curves,
    scene_of,
)
from simspine_viewer.pose import Pose
from simspine_viewer.spine_levels import SpineLevels, keypoint_column, spine_levels
from simspine_viewer.stages import Stage, legend, stage_xyz

FloatArray = NDArray[np.float64]


class PaneScenes:
    """The scene of one view at any frame; the editor knows document, selection and parts."""

    def __init__(self, view: int, editor: Editor) -> None:
        self._view, self._editor = view, editor
        self._document, self._selection = editor.document, editor.selection
        self._points: FramePoints | None = None
        self._scene: OverlayScene | None = None
        self._key: tuple[object, ...] = ()

    def forget(self) -> None:
        """The points read differently now."""
        self._points, self._key = None, ()

    def points(self, frame: int) -> FramePoints | None:
        """Points of a frame, None while nothing is open."""
        if not self._document.is_open or not 0 <= frame < self._document.sequence.n_frames:
            return None
        if self._points is None or self._points.frame != frame:
            self._points = self._document.points_at(frame)
        return self._points

    def scene(self, frame: int, options: OverlayOptions) -> OverlayScene | None:
        """What is drawn over the picture of a frame, a drag under way included."""
        points = self.points(frame)
        if points is None:
            return None
        document, selected = self._document, self._selection.keypoint
        hidden = self._editor.parts.hidden
        pose = self.pose(frame, options)
        key = (points, document.preview, selected, options, hidden, pose)
        if len(key) != len(self._key) or any(
            a is not b and a != b for a, b in zip(key, self._key, strict=True)
        ):
            self._key, self._scene = key, self._made(points, options, pose)
        return self._scene

    def pose(self, frame: int, options: OverlayOptions) -> Pose | None:
        """The simulated body of a frame, None where it is not there or not to be seen."""
        wanted = options.stage is Stage.MODEL or (options.stage is Stage.WORK and options.spine)
        return self._document.pose_at(frame) if wanted else None

    def _made(
        self, points: FramePoints, options: OverlayOptions, pose: Pose | None
    ) -> OverlayScene:
        document, selected = self._document, self._selection.keypoint
        hidden, sequence = self._editor.parts.hidden, document.sequence
        if selected in hidden:
            selected = -1
        # Those triangulated are projected already.
        solved = None
        if options.stage in (Stage.MODEL, Stage.FINAL, Stage.LABELS):
            xyz = stage_xyz(points, options.stage, pose)
            solved = project(sequence.cameras[self._view], xyz)
        scene = scene_of(
            points,
            self._view,
            sequence.info.skeleton,
            selected=selected,
            preview=document.preview,
            curves=self._curves(points, selected) if options.epipolar else (),
            stage=options.stage,
            solved=solved,
            hidden=hidden,
        )
        preview = document.preview
        in_a_view = scene.moving >= 0 and preview is not None and preview.view >= 0
        camera = sequence.cameras[preview.view].name if preview and in_a_view else ""
        scene = replace(
            scene,
            legend=legend(points, options.stage, pose),
            dragged_in=camera,
            spine=self._spine(pose, options),
            pose=pose if options.stage is Stage.MODEL else None,
        )
        if options.ellipse and options.stage in (Stage.WORK, Stage.DETECTED):
            spread = points.detector_sd[self._view].copy()
            spread[[*hidden, *([scene.moving] if scene.moving >= 0 else [])]] = np.nan
            scene = replace(scene, spread=spread if np.isfinite(spread).any() else None)
        if selected < 0:
            return scene
        if options.trail:
            trail = self._editor.trails.in_view(
                self._view, selected, points.frame, options.trail, options.stage
            )
            scene = replace(scene, trail=trail)
        if options.ellipse and scene.moving < 0:
            xyz, covariance = point_covariance(sequence.cameras, points, selected, options.stage)
            outline = ellipse_in_view(sequence.cameras[self._view], xyz, covariance)
            scene = replace(scene, ellipse=outline)
        return scene

    def _spine(self, pose: Pose | None, options: OverlayOptions) -> SpineCurve | None:
        sequence, parts = self._document.sequence, self._editor.parts
        if pose is None or not options.spine or parts.is_hidden("spine"):
            return None
        levels, xy = _projected(pose, keypoint_column(sequence.info.skeleton), sequence.cameras)
        if levels is None:
            return None
        strong = options.stage is Stage.MODEL
        return SpineCurve(levels.names, xy[:, self._view], levels.first, strong)

    def _curves(self, points: FramePoints, selected: int) -> tuple[EpipolarCurve, ...]:
        if selected < 0:
            return ()
        observed, preview = points.xy[:, selected], self._document.preview
        if preview is not None and (preview.frame, preview.keypoint) == (points.frame, selected):
            observed = preview.xy
        return epipolar_curves(self._document.sequence.cameras, self._view, observed)


@lru_cache(maxsize=2)  # every pane asks for the pose of the frame shown
def _projected(
    pose: Pose, keypoints: tuple[tuple[int, str], ...], cameras: CameraGroup
) -> tuple[SpineLevels | None, FloatArray]:
    """The levels of a pose's spine, and (N, V, 2) px where they fall."""
    levels = spine_levels(pose, keypoints)
    if levels is None:
        return None, np.zeros((0, len(cameras), 2))
    return levels, project_views(cameras, levels.xyz)
