"""Boxes that a person draws around somebody in a picture, for a pose model to look into.

They are no part of the recording: they are given to a run, and forgotten with the dialog that
asked for them.
"""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QEvent, QObject, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from simspine_viewer.document import Document
from simspine_viewer.pane_canvas import Point, point_of
from simspine_viewer.video_pane import VideoPane

Box = tuple[float, float, float, float]

#: A side below that many picture pixels is a slip of the hand.
LEAST_SIDE = 8.0
_LIGHT, _DARK = QColor(255, 255, 255), QColor(0, 0, 0, 150)
_SHADE = QColor(255, 255, 255, 28)


class PersonBoxes(QObject):
    """The boxes drawn so far, by frame and view, and whether one is being drawn.

    A box is (left, top, right, bottom) in picture pixels, within the picture.

    Signals
    -------
    changed : another set of boxes.
    drawing_changed(on) : a press in a picture now begins a box, or no longer.
    """

    changed = Signal()
    drawing_changed = Signal(bool)

    def __init__(self, document: Document, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.boxes: dict[tuple[int, int], Box] = {}
        self.drawing = False
        document.closed.connect(self.clear)
        document.person_changed.connect(self.clear)

    def set_drawing(self, drawing: bool) -> None:
        """Let the next press in a picture begin a box, or no longer."""
        if drawing != self.drawing:
            self.drawing = drawing
            self.drawing_changed.emit(drawing)

    def put(self, frame: int, view: int, box: Box) -> None:
        """Keep a box, in place of one in the same picture; drawing is over."""
        self.boxes[frame, view] = box
        self.set_drawing(False)
        self.changed.emit()

    def clear(self) -> None:
        """Forget all boxes, and stop drawing."""
        self.set_drawing(False)
        if self.boxes:
            self.boxes = {}
            self.changed.emit()


class BoxLayer(QWidget):
    """Lies over a pane: shows the box of its picture, takes the mouse while one is drawn.

    What it does not use (the wheel, other buttons, keys) goes to the pane.
    """

    def __init__(self, pane: VideoPane, boxes: PersonBoxes) -> None:
        super().__init__(pane)
        self._pane, self._boxes = pane, boxes
        self._start: Point | None = None
        self._box: Box | None = None
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.setCursor(Qt.CursorShape.CrossCursor)
        boxes.changed.connect(self.update)
        boxes.drawing_changed.connect(self._on_drawing)
        pane.time_cursor.moved.connect(self._drop)
        pane.installEventFilter(self)
        self._on_drawing(boxes.drawing)

    def _on_drawing(self, drawing: bool) -> None:
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents, not drawing)
        self._drop()

    def _drop(self) -> None:
        self._start = self._box = None
        self.update()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize:
            self.setGeometry(self._pane.rect())
        return super().eventFilter(watched, event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        pane, at = self._pane, point_of(event.position())
        alt = bool(event.modifiers() & Qt.KeyboardModifier.AltModifier)
        if event.button() != Qt.MouseButton.LeftButton or alt:
            event.ignore()
        elif pane.is_current and pane.picture_area().contains(*at):
            self._start = at

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._start is None:
            event.ignore()
            return
        self._box = self._between(self._start, point_of(event.position()))
        self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._start is None or event.button() != Qt.MouseButton.LeftButton:
            event.ignore()
            return
        left, top, right, bottom = box = self._between(self._start, point_of(event.position()))
        self._drop()
        if min(right - left, bottom - top) >= LEAST_SIDE:
            self._boxes.put(self._pane.frame, self._pane.view, box)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and self._start is not None:
            self._drop()
        elif event.key() == Qt.Key.Key_Escape and self._boxes.drawing:
            self._boxes.set_drawing(False)
        else:
            event.ignore()

    def _between(self, one: Point, other: Point) -> Box:
        """Corners of the picture's part between two places of the widget."""
        width, height = self._pane.picture_size
        corners = self._pane.transform.to_picture([one, other])
        edge = np.array([width - 1.0, height - 1.0])
        inside = np.clip(corners, 0.0, edge)
        left, top = inside.min(axis=0).tolist()
        right, bottom = inside.max(axis=0).tolist()
        return left, top, right, bottom

    def paintEvent(self, event: QPaintEvent) -> None:
        pane = self._pane
        box = self._box or self._boxes.boxes.get((pane.frame, pane.view))
        if box is None:
            return
        corners = pane.transform.to_widget(np.reshape(box, (2, 2)))
        rect = QRectF(QPointF(*corners[0].tolist()), QPointF(*corners[1].tolist()))
        painter = QPainter(self)
        painter.setClipRect(pane.picture_area())
        painter.fillRect(rect, _SHADE)
        for colour, width in ((_DARK, 4.0), (_LIGHT, 1.5)):
            pen = QPen(colour, width)
            pen.setJoinStyle(Qt.PenJoinStyle.MiterJoin)
            painter.setPen(pen)
            painter.drawRect(rect)
        painter.end()
