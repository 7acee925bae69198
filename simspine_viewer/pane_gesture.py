"""The state of the mouse in one pane: what a press has begun and what a move means for it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from PySide6.QtCore import Qt

DRAG_DISTANCE = 3.0  # widget points; a hand that only clicks moves less


class Gesture(Enum):
    """What the pressed button is doing."""

    NONE = auto()
    ARMED = auto()  # pressed on a keypoint, not moved far enough to be a drag
    DRAG = auto()
    PLACE = auto()
    PAN = auto()
    DEAD = auto()  # dropped by Escape or a change of frame; nothing happens until the next press


EDITING = frozenset({Gesture.ARMED, Gesture.DRAG, Gesture.PLACE})


@dataclass(slots=True)
class Press:
    """Where a gesture began, in widget points, and what it holds.

    ``grab`` is from the pointer to the point that was taken hold of, so that a point does not jump
    to the pointer when the drag begins.
    """

    gesture: Gesture = Gesture.NONE
    button: Qt.MouseButton = Qt.MouseButton.NoButton
    start: tuple[float, float] = (0.0, 0.0)
    last: tuple[float, float] = (0.0, 0.0)
    keypoint: int = -1
    grab: tuple[float, float] = (0.0, 0.0)
