"""Keeps the 3D scene in step with the document and asks it for pictures."""

from __future__ import annotations

import logging
from collections.abc import Callable
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtGui import QImage

from simspine_viewer import orbit_camera as orbit
from simspine_viewer.document import Document, FramePoints, Preview
from simspine_viewer.editor import Editor
from simspine_viewer.overlay import OverlayOptions
from simspine_viewer.pose import Pose
from simspine_viewer.selection import Selection
from simspine_viewer.spine_levels import SpineLevels, keypoint_column, spine_levels
from simspine_viewer.stages import Stage, stage_sigma, stage_xyz
from simspine_viewer.time_cursor import TimeCursor
from simspine_viewer.trails import Trail
from simspine_viewer.viewpoints import Size, Viewpoints

if TYPE_CHECKING:
    from simspine_viewer.bone_groups import BoneStore
    from simspine_viewer.scene3d import Scene3D

FloatArray = NDArray[np.float64]
SceneFactory = Callable[[bool], "Scene3D"]

LOAD_MS = 8.0  # for bones, between two events


class Detail(IntEnum):
    """How much work a picture is worth: what follows soon may be rougher.

    HASTE halves the pixels in either direction where the processor draws bones.
    """

    HASTE = 0
    MOVING = 1
    STILL = 2


_log = logging.getLogger(__name__)


def make_scene(dark: bool) -> Scene3D:
    """The real scene; loads VTK."""
    from simspine_viewer.scene3d import Scene3D

    return Scene3D(dark=dark)


class SceneFeed:
    """Owns the scene, which is made at the first picture of an open recording.

    ``failure`` is a sentence for the user where this computer cannot draw, else empty; ``options``
    say what of the person is shown.
    """

    def __init__(
        self,
        document: Document,
        cursor: TimeCursor,
        selection: Selection,
        editor: Editor,
        viewpoints: Viewpoints,
        factory: SceneFactory,
    ) -> None:
        self._document, self._cursor, self._selection = document, cursor, selection
        self._editor, self._viewpoints, self._factory = editor, viewpoints, factory
        self.options = OverlayOptions()
        self._scene: Scene3D | None = None
        self._pixels: NDArray[np.uint8] | None = None
        self._dark = True
        self._new_recording = self._new_points = True
        self._store: BoneStore | None = None
        self._shows_bones = False
        self.failure = ""

    def recording_changed(self) -> None:
        """Another recording was opened, or none is open."""
        self._new_recording = True

    def points_changed(self) -> None:
        """The person of the cursor's frame looks different now."""
        self._new_points = True

    def points(self) -> FramePoints | None:
        """What is to be seen at the cursor, None where nothing is open."""
        frame = self._cursor.frame
        if not self._document.is_open or frame >= self._document.sequence.n_frames:
            return None
        return self._document.points_at(frame)

    def pose(self) -> Pose | None:
        """The simulated body at the cursor, None where there is none."""
        return None if self.points() is None else self._document.pose_at(self._cursor.frame)

    def levels(self) -> SpineLevels | None:
        """The levels of the spine whose bones are shown, None where none are."""
        pose = self.pose() if self._shows_bones else None
        if pose is None or self._editor.parts.is_hidden("spine"):
            return None
        return spine_levels(pose, keypoint_column(self._document.sequence.info.skeleton))

    @property
    def shows_bones(self) -> bool:
        """Whether the last picture had bones."""
        return self._shows_bones

    @property
    def bones_are_loading(self) -> bool:
        """Whether :meth:`load_bones` has something left to do."""
        return self._store is not None and self._store.loading

    def load_bones(self) -> None:
        """Read bones for some milliseconds; they show once all are there."""
        if self._store is not None:
            self._store.go_on(LOAD_MS)
            self._new_points |= not self._store.loading

    def _bones_of(self, scene: Scene3D) -> Pose | None:
        """The pose whose bones the scene now has, None where none are to be seen yet."""
        options, pose = self.options, self.pose()
        if pose is None or not options.bones or options.stage is Stage.DETECTED:
            return None
        if self._store is None:
            from simspine_viewer.bone_groups import BoneStore  # VTK's readers

            self._store = BoneStore()
        self._store.folders = (*pose.folders, *self._beside_project())
        if not self._store.want(pose.model):
            return None
        scene.set_bones(self._store.groups)
        return pose if self._store.groups else None

    def _beside_project(self) -> tuple[Path, ...]:
        project = self._document.project
        return () if project is None else (project.path.parent,)

    def set_options(self, options: OverlayOptions) -> None:
        """Show the same stage, parts and colours as the panes."""
        if options.palette != self.options.palette:
            self._new_recording = True
        self.options = options
        self._new_points = True

    def xyz(self) -> FloatArray:
        """(K, 3) m: the points that are shown and can be hit; NaN where there is none."""
        points = self.points()
        if points is None:
            return np.full((0, 3), np.nan)
        xyz = stage_xyz(points, self.options.stage, self.pose()).copy()
        if self.options.stage is Stage.DETECTED:
            xyz[:] = np.nan
        xyz[list(self._editor.parts.hidden)] = np.nan
        return xyz

    def sigma(self, keypoint: int) -> float:
        """Uncertainty of a shown point in mm; NaN where it is not known."""
        points = self.points()
        if points is None or keypoint < 0:
            return float("nan")
        return float(stage_sigma(points, self.options.stage)[keypoint])

    def trail(self) -> Trail | None:
        """Path of the selected keypoint, None where none is wanted."""
        keypoint, options = self._selection.keypoint, self.options
        hidden = keypoint < 0 or keypoint in self._editor.parts.hidden
        if not options.trail or hidden or options.stage is Stage.DETECTED or self.points() is None:
            return None
        frame = self._cursor.frame
        return self._editor.trails.in_3d(keypoint, frame, options.trail, options.stage)

    def preview(self) -> Preview | None:
        """The drag under way, if it is in the frame shown."""
        preview = self._document.preview
        return preview if preview is not None and preview.frame == self._cursor.frame else None

    def picture(self, size: Size, ratio: float, dark: bool, detail: Detail) -> QImage | None:
        """Draw for a widget of ``size``, ``ratio`` device pixels to each of its pixels.

        None where nothing is open or nothing can be drawn. The image is valid until the next one.
        """
        if not self._document.is_open:
            return None
        scene = self._ready_scene(dark)
        if scene is None:
            return None
        if dark != self._dark:
            scene.set_theme(dark)
            self._dark = dark
        self._update(scene, size)
        if detail is Detail.HASTE and self._shows_bones and scene.is_software:
            ratio /= 2
        samples = 2 if detail is Detail.STILL and ratio < 2 else 1
        width, height = (int(np.ceil(n * ratio)) for n in size)
        hole = orbit.scaled(self._viewpoints.hole(size), ratio)
        self._pixels = scene.render(hole, width, height, samples)  # borrowed by the image
        image = QImage(self._pixels.data, width, height, 4 * width, QImage.Format.Format_RGB32)
        image.setDevicePixelRatio(ratio)
        return image

    def _ready_scene(self, dark: bool) -> Scene3D | None:
        if self._scene is None and not self.failure:
            try:
                self._scene = self._factory(dark)
            except (ImportError, OSError, RuntimeError) as error:
                _log.exception("the 3D view cannot draw")
                self.failure = f"3D is not available on this computer: {error}."
            self._dark = dark
            self._new_recording = True
        return self._scene

    def _update(self, scene: Scene3D, size: Size) -> None:
        """Tell the scene what changed since the last picture."""
        if self._new_recording:
            sequence = self._document.sequence
            scene.set_recording(sequence.cameras, sequence.info.skeleton, self.options.palette)
            self._new_recording, self._new_points = False, True
        points = self.points()
        if self._new_points and points is not None:
            preview, selected = self.preview(), self._selection.keypoint
            parts = self._editor.parts
            if not self._viewpoints.is_placed:
                self._viewpoints.start(size)
            self._viewpoints.keep(size)
            posed = self._bones_of(scene)
            self._shows_bones = posed is not None
            hidden = {part.id for part in parts.all if parts.is_hidden(part.id)}
            scene.pose_bones(None if posed is None else posed.ground_from_body, hidden)
            scene.set_points(
                self.xyz(),
                selected=selected,
                sigma=self.sigma(selected),
                preview=None if preview is None else (preview.keypoint, preview.xyz),
                bridged=posed is None and not parts.hidden,  # bones show what belongs together
                slim=posed is not None,
            )
            self._new_points = False
        scene.set_cameras(hidden=self._viewpoints.through, active=self._selection.view)

    def close(self) -> None:
        """Free the scene; the next picture makes a new one."""
        self._pixels = None
        if self._scene is not None:
            self._scene.close()
            self._scene = None
