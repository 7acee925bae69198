"""The mouse in one pane: what a press has begun, what a move means for it, and how it ends.

Of the buttons a gesture is held with, only its own ends it. A gesture that was dropped (Escape, a
change of frame, a preview ended by somebody else) stays dead until the next press. Positions are
widget points.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum, auto
from typing import Protocol

from PySide6.QtCore import QObject, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import QCursor
from PySide6.QtWidgets import QWidget

from simspine_viewer.editor import Editor
from simspine_viewer.overlay_scene import OverlayScene
from simspine_viewer.pane_canvas import Point
from simspine_viewer.pane_transform import PaneTransform

UNPAINTED_MS = 50  # after which a drag goes on in a pane that is not painted
DRAG_DISTANCE = 3.0  # widget points; a hand that only clicks moves less


class Gesture(Enum):
    """What the pressed button is doing."""

    NONE = auto()
    ARMED = auto()  # pressed on a keypoint, not moved far enough to be a drag
    DRAG = auto()
    PLACE = auto()
    PAN = auto()
    DEAD = auto()  # dropped; nothing happens until the next press


_MOVING = frozenset({Gesture.DRAG, Gesture.PLACE})
_EDITING = _MOVING | {Gesture.ARMED}


@dataclass(slots=True)
class Press:
    """Where a gesture began, in widget points, and what it holds.

    ``grab`` is from the pointer to the point that was taken hold of, so that a point does not jump
    to the pointer when the drag begins.
    """

    gesture: Gesture = Gesture.NONE
    button: Qt.MouseButton = Qt.MouseButton.NoButton
    start: Point = (0.0, 0.0)
    last: Point = (0.0, 0.0)
    keypoint: int = -1
    grab: Point = (0.0, 0.0)


class GesturePane(Protocol):
    """What gestures ask of the pane they act in."""

    view: int
    transform: PaneTransform

    @property
    def is_current(self) -> bool:
        """Whether the picture shown is of the cursor's frame, so that points may be moved."""

    def scene(self) -> OverlayScene | None: ...
    def picture_area(self) -> QRectF: ...
    def keypoint_at(self, at: Point) -> int: ...
    def person_at(self, at: Point) -> int: ...
    def set_transform(self, transform: PaneTransform) -> None: ...
    def cursor(self) -> QCursor: ...
    def setCursor(self, shape: Qt.CursorShape, /) -> None: ...


class PaneGestures(QObject):
    """Turns presses, moves and releases in a pane into selecting, dragging, placing and panning.

    Of the recording it changes nothing but through the editor: a drag previews, its release
    commits one step, everything else that ends it commits nothing. The shape of the pointer says
    what a press would do.

    Signals
    -------
    person_clicked(track) : somebody else's skeleton was clicked.
    """

    person_clicked = Signal(int)

    def __init__(self, pane: GesturePane, editor: Editor, parent: QWidget) -> None:
        super().__init__(parent)
        self._pane, self._editor, self._selection = pane, editor, editor.selection
        self._press = Press()
        self._unshown = False
        self._newest: Point | None = None
        self._turn = QTimer(self)
        self._turn.setSingleShot(True)
        self._turn.timeout.connect(self._next_turn)
        editor.placing_changed.connect(self._on_placing_changed)
        editor.document.preview_changed.connect(self._on_preview_changed)
        editor.cursor.moved.connect(self.drop)
        self.hover(None)

    @property
    def editing(self) -> bool:
        """Whether a button is held on a keypoint, moved or not."""
        return self._press.gesture in _EDITING

    @property
    def placing(self) -> bool:
        """Whether a press would put the selected keypoint where the pointer is."""
        return self._editor.placing and self._selection.keypoint >= 0

    def press(self, at: Point, button: Qt.MouseButton, *, alt: bool = False) -> None:
        """Begin a gesture; another button while a keypoint is held does nothing."""
        if self.editing:
            return
        left = button == Qt.MouseButton.LeftButton
        if button == Qt.MouseButton.MiddleButton or (left and alt):
            self._press = Press(Gesture.PAN, button, at, at)
            self._pane.setCursor(Qt.CursorShape.ClosedHandCursor)
        elif left:
            self._left_press(at)

    def _left_press(self, at: Point) -> None:
        pane, left = self._pane, Qt.MouseButton.LeftButton
        self._press = Press(Gesture.NONE, left, at, at)
        keypoint, scene = pane.keypoint_at(at), pane.scene()
        if scene is None or not pane.picture_area().contains(*at):
            self._selection.set(view=pane.view)
        elif self.placing:
            self._selection.set(view=pane.view)
            if pane.is_current and self._editor.may_change(self._selection.keypoint):
                self._press = Press(Gesture.PLACE, left, at, at, self._selection.keypoint)
                self._drag_to(at)
        elif keypoint >= 0:
            self._selection.set(keypoint, pane.view)
            if pane.is_current:
                x, y = pane.transform.to_widget(scene.handles[keypoint]).tolist()
                self._press = Press(Gesture.ARMED, left, at, at, keypoint, (x - at[0], y - at[1]))
        else:
            self._selection.set(view=pane.view)
            track = pane.person_at(at)
            if track >= 0:
                self.person_clicked.emit(track)

    def move(self, at: Point) -> None:
        """Go on with the gesture, or show what a press would do where there is none."""
        press, pane = self._press, self._pane
        if press.gesture is Gesture.PAN:
            pane.set_transform(pane.transform.moved(at[0] - press.last[0], at[1] - press.last[1]))
        elif press.gesture is Gesture.ARMED:
            if math.dist(at, press.start) > DRAG_DISTANCE:
                may = self._editor.may_change(press.keypoint)
                press.gesture = Gesture.DRAG if may else Gesture.DEAD
                if may:
                    self._drag_to(at)
        elif press.gesture in _MOVING:
            self._drag_soon(at)
        elif press.gesture is Gesture.NONE:
            self.hover(at)
        press.last = at

    def _drag_soon(self, at: Point) -> None:
        """The first move since the pane was painted counts at once, of the others the newest."""
        self._newest = at
        if not self._unshown:
            self._drag_newest()
            self._unshown = True
            self._turn.start(UNPAINTED_MS)

    def painted(self) -> None:
        """What the last move did can be seen now."""
        self._unshown = False
        if self._newest is None:
            self._turn.stop()
        else:
            self._turn.start(0)

    def _next_turn(self) -> None:
        self._unshown = False
        if self._newest is not None and self._press.gesture in _MOVING:
            self._drag_soon(self._newest)

    def _drag_newest(self) -> None:
        newest, self._newest = self._newest, None
        if newest is not None:
            self._drag_to(newest)

    def _drag_to(self, at: Point) -> None:
        press, pane = self._press, self._pane
        xy = pane.transform.to_picture((at[0] + press.grab[0], at[1] + press.grab[1]))
        self._editor.drag_in_view(pane.view, press.keypoint, xy)

    def release(self, at: Point, button: Qt.MouseButton) -> None:
        """End the gesture that this button began; a drag is committed."""
        press = self._press
        if button != press.button:
            return
        if press.gesture in _MOVING:
            self._drag_newest()
        self._newest = None
        self._press = Press()
        self.hover(at)
        if press.gesture in _MOVING:
            self._editor.release()

    def drop(self) -> None:
        """Forget the keypoint that is held; the button does nothing until it is pressed again."""
        if self.editing:
            self._press.gesture = Gesture.DEAD

    def escape(self) -> bool:
        """Drop a drag, else leave placing; False where there was neither."""
        if self._editor.dragging or self.editing:
            self.drop()
            self._editor.cancel()
        elif self._editor.placing:
            self._editor.set_placing(False)
        else:
            return False
        return True

    def hover(self, at: Point | None) -> None:
        """Shape the pointer for a position, None where that is not known."""
        shape = Qt.CursorShape.ArrowCursor
        if self._editor.placing:
            shape = Qt.CursorShape.CrossCursor
        elif at is not None and self._pane.keypoint_at(at) >= 0:
            shape = Qt.CursorShape.PointingHandCursor
        if self._pane.cursor().shape() != shape:
            self._pane.setCursor(shape)

    def _on_placing_changed(self) -> None:
        self.hover(None)

    def _on_preview_changed(self) -> None:
        if self._editor.document.preview is None and self._press.gesture in _MOVING:
            self._press.gesture = Gesture.DEAD  # ended by somebody else
