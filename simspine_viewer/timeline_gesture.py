"""The mouse on the timeline: scrub, select a range, pan, zoom, choose and move lanes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QMouseEvent, QWheelEvent

if TYPE_CHECKING:
    from simspine_viewer.timeline import Timeline

Kind = Literal["none", "scrub", "range", "ruler", "pan", "strip", "label"]

DRAG = 4.0  # pixels a press may tremble before it is a drag
NOTCH = 120.0  # of a wheel, in Qt's eighths of a degree
ZOOM = 1.25  # per notch
PAN = 0.1  # of the visible part, per notch
EDGE = 5.0  # pixels around an end of the range in which it can be taken


class TimelineGestures:
    """What the button that is held means; one gesture at a time."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self.kind: Kind = "none"
        self._button = Qt.MouseButton.NoButton
        self._from = QPointF()
        self._moved = False
        self._anchor = 0  # frame at which a range starts
        self._first = 0.0  # of the view when panning began
        self.row = -1  # lane that is being moved

    def press(self, event: QMouseEvent) -> None:
        """A button goes down; further buttons change nothing while one is held."""
        if self.kind != "none":
            return
        at, timeline = event.position(), self._timeline
        self._from, self._moved, self._button = at, False, event.button()
        self._first = timeline.view.first
        zone = timeline.zone_at(at)
        shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        if event.button() == Qt.MouseButton.MiddleButton and zone != "label":
            self.kind = "pan"
        elif event.button() != Qt.MouseButton.LeftButton:
            return
        elif zone == "label":
            self.kind, self.row = "label", timeline.row_at(at.y())
            timeline.choose_lane(self.row)
        elif zone == "strip":
            self.kind = "strip"
            self._move_window(at)
        elif shift or self._takes_end(at):
            self.kind = "range"
            if shift:
                self._anchor = timeline.frame_at(at.x())
                timeline.range.between(self._anchor, self._anchor)
        elif zone == "ruler" and not timeline.view.whole:
            self.kind = "ruler"
        else:
            self.kind = "scrub"
            timeline.go_to(at.x())

    def _takes_end(self, at: QPointF) -> bool:
        """An end of the selected range can be moved with the mouse, on the ruler."""
        timeline, chosen = self._timeline, self._timeline.range
        if not chosen or timeline.zone_at(at) != "ruler":
            return False
        for frame, other in ((chosen.start, chosen.stop - 1), (chosen.stop, chosen.start)):
            if abs(timeline.axis().edge(frame) - at.x()) <= EDGE:
                self._anchor = other
                return True
        return False

    def move(self, event: QMouseEvent) -> None:
        """The mouse moves with the button held."""
        at, timeline = event.position(), self._timeline
        if self.kind == "none" or not event.buttons() & self._button:
            return
        apart = at - self._from
        self._moved = self._moved or max(abs(apart.x()), abs(apart.y())) >= DRAG
        if self.kind == "scrub":
            timeline.go_to(at.x())
        elif self.kind == "range":
            timeline.range.between(self._anchor, timeline.frame_at(at.x()))
        elif self.kind == "pan" or (self.kind == "ruler" and self._moved):
            timeline.view.show(self._first - apart.x() / timeline.axis().step, timeline.view.span)
        elif self.kind == "strip":
            self._move_window(at)
        elif self.kind == "label" and self._moved:
            row = timeline.row_at(at.y())
            if row != self.row:
                timeline.move_lane(self.row, row)
                self.row = row

    def release(self, event: QMouseEvent) -> None:
        """The button goes up."""
        if event.button() != self._button or self.kind == "none":
            return
        at, kind, timeline = event.position(), self.kind, self._timeline
        self.kind, self.row = "none", -1
        if self._moved:
            return
        if kind == "ruler":
            timeline.go_to(at.x())
        elif kind == "label":
            timeline.explain_lane(timeline.row_at(at.y()))
        elif kind == "range" and len(timeline.range) == 1:
            timeline.range.clear()  # a click with Shift selects nothing

    def _move_window(self, at: QPointF) -> None:
        """Bring what lies under the mouse in the overview into the middle."""
        timeline, view = self._timeline, self._timeline.view
        whole = timeline.whole_axis()
        view.show(whole.position_at(at.x()) - view.span / 2, view.span)

    def wheel(self, event: QWheelEvent) -> None:
        """Zoom at the pointer, with Ctrl as well; with Shift, or sideways, pan."""
        timeline, delta = self._timeline, event.angleDelta()
        held = event.modifiers() & Qt.KeyboardModifier.ShiftModifier
        view = timeline.view
        sideways = abs(delta.x()) > abs(delta.y())
        if held or sideways:
            # Some platforms turn the wheel sideways themselves while Alt or Shift is held.
            notches = (delta.x() if sideways else delta.y()) / NOTCH
            view.pan(-notches * PAN * view.span)
        else:
            anchor = timeline.axis().position_at(event.position().x())
            view.zoom(ZOOM ** (delta.y() / NOTCH), min(max(anchor, 0.0), view.n_frames))
