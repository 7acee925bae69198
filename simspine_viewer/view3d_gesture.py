"""The mouse in the 3D view: orbit, pan and zoom, and dragging a keypoint.

One gesture at a time, ended by the button that began it. A drag previews through the editor; its
release commits one step, everything else that ends it commits nothing. Positions are widget points.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, QPointF, Qt, Signal
from PySide6.QtWidgets import QWidget

from simspine_viewer import orbit_camera as orbit
from simspine_viewer.editor import Editor
from simspine_viewer.scene_feed import SceneFeed
from simspine_viewer.viewpoints import Viewpoints

FloatArray = NDArray[np.float64]

PICK_RADIUS = 10.0  # px
DRAG_THRESHOLD = 3.0  # px; a press that moves less only selects
ZOOM_PER_NOTCH = 1.15


@dataclass(slots=True)
class Gesture:
    """A mouse button being held: what it does, since where, and on which keypoint."""

    kind: Literal["orbit", "pan", "point"]
    button: Qt.MouseButton
    start: QPointF
    last: QPointF
    keypoint: int = -1
    xyz: FloatArray = field(default_factory=lambda: np.full(3, np.nan))
    moving: bool = False


class View3DGestures(QObject):
    """Turns presses, moves and releases into another viewpoint or an edit.

    ``widget`` is the view it belongs to: its size says where points are seen, its pointer what a
    press would do.

    Signals
    -------
    moved : what is seen changed; a new picture is wanted.
    hover_changed : :attr:`hover` or :attr:`hover_level` is another one.
    """

    moved = Signal()
    hover_changed = Signal()

    def __init__(
        self, widget: QWidget, feed: SceneFeed, viewpoints: Viewpoints, editor: Editor
    ) -> None:
        super().__init__(widget)
        self._widget, self._feed, self._viewpoints = widget, feed, viewpoints
        self._editor = editor
        self._gesture: Gesture | None = None
        self._hover, self._hover_level = -1, -1
        editor.document.preview_changed.connect(self._on_preview_changed)

    @property
    def hover(self) -> int:
        """Keypoint under the pointer while no button is held, -1 for none."""
        return self._hover

    @property
    def hover_level(self) -> int:
        """Level of the simulated spine under the pointer where no keypoint is, -1 for none."""
        return self._hover_level

    @property
    def dragging(self) -> bool:
        """Whether a keypoint is being moved."""
        return self._gesture is not None and self._gesture.moving

    def press(self, at: QPointF, button: Qt.MouseButton, *, shift: bool = False) -> None:
        """Begin a gesture unless there is one; on a keypoint it selects that."""
        middle = button == Qt.MouseButton.MiddleButton
        if self._gesture is not None or not (middle or button == Qt.MouseButton.LeftButton):
            return
        if middle or shift:
            self._gesture = Gesture("pan", button, at, at)
            return
        keypoint = self._keypoint_at(at)
        if keypoint < 0:
            self._gesture = Gesture("orbit", button, at, at)
            return
        self._gesture = Gesture("point", button, at, at, keypoint, self._feed.xyz()[keypoint])
        self._editor.selection.set(keypoint=keypoint)

    def move(self, at: QPointF) -> None:
        """Go on with the gesture, or show what a press would do where there is none."""
        gesture = self._gesture
        if gesture is None:
            keypoint = self._keypoint_at(at)
            self._set_hover(keypoint, self._level_at(at) if keypoint < 0 else -1)
            return
        step = at - gesture.last
        gesture.last = at
        if gesture.kind == "pan":
            self._viewpoints.pan(step.x(), step.y(), self._size())
        elif gesture.kind == "orbit":
            self._viewpoints.turn(step.x(), step.y(), self._size())
        else:
            self._drag_point(gesture, at)
        self.moved.emit()

    def _drag_point(self, gesture: Gesture, at: QPointF) -> None:
        by = at - gesture.start
        if not gesture.moving and np.hypot(by.x(), by.y()) <= DRAG_THRESHOLD:
            return
        if not gesture.moving and not self._editor.may_change(gesture.keypoint):
            self.end()
            return
        if not gesture.moving:
            self._editor.cursor.pause()
            gesture.moving = True
            self._widget.setCursor(Qt.CursorShape.ClosedHandCursor)
        hole = self._viewpoints.hole(self._size())
        target = orbit.project(hole, gesture.xyz) + np.array([by.x(), by.y()])
        self._editor.drag_in_3d(gesture.keypoint, orbit.on_plane(hole, target, gesture.xyz))

    def release(self, button: Qt.MouseButton) -> None:
        """End the gesture that this button began; a drag is committed."""
        gesture = self._gesture
        if gesture is None or button != gesture.button:
            return
        self.end()
        if gesture.moving:
            self._editor.release()

    def zoom(self, at: QPointF, eighths: int) -> None:
        """Come closer to what is seen at ``at``, by eighths of a degree of the wheel."""
        if self.dragging:
            return
        factor = ZOOM_PER_NOTCH ** (eighths / 120)
        self._viewpoints.zoom(factor, np.array([at.x(), at.y()]), self._size())
        self.moved.emit()

    def leave(self) -> None:
        """The pointer left the view."""
        self._set_hover(-1)

    def cancel(self) -> None:
        """Drop what the mouse is doing; nothing is committed."""
        dragging = self.dragging
        self.end()
        if dragging:
            self._editor.cancel()

    def end(self) -> None:
        """Forget the gesture; a preview is left to whoever ends it."""
        self._gesture = None
        self._widget.unsetCursor()
        self._hover = self._hover_level = -1

    def _on_preview_changed(self) -> None:
        if self._editor.document.preview is None and self.dragging:
            self.end()  # ended from elsewhere: Escape, another frame, a commit

    def _keypoint_at(self, at: QPointF) -> int:
        """The keypoint within reach of the pointer, -1 for none."""
        xyz = self._feed.xyz()
        if not len(xyz):
            return -1
        return self._nearest(xyz, at)

    def _level_at(self, at: QPointF) -> int:
        levels = self._feed.levels()
        return -1 if levels is None else self._nearest(levels.xyz, at)

    def _nearest(self, xyz: FloatArray, at: QPointF) -> int:
        """The point within reach of the pointer, -1 for none."""
        placed = orbit.project(self._viewpoints.hole(self._size()), xyz)
        gap = np.linalg.norm(placed - (at.x(), at.y()), axis=1)
        gap = np.where(np.isfinite(gap), gap, np.inf)
        nearest = int(np.argmin(gap))
        return nearest if gap[nearest] <= PICK_RADIUS else -1

    def _size(self) -> tuple[int, int]:
        return self._widget.width(), self._widget.height()

    def _set_hover(self, keypoint: int, level: int = -1) -> None:
        if (keypoint, level) == (self._hover, self._hover_level):
            return
        self._hover, self._hover_level = keypoint, level
        if keypoint >= 0:
            self._widget.setCursor(Qt.CursorShape.PointingHandCursor)
        else:
            self._widget.unsetCursor()
        self.hover_changed.emit()
