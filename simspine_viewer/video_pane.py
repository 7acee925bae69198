"""One view: its picture, what is known of the points in it, and editing them with the mouse."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QContextMenuEvent,
    QEnterEvent,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPalette,
    QPen,
)
from PySide6.QtWidgets import QToolTip, QWidget

from simspine_viewer import pane_header, pane_text
from simspine_viewer.document import Document, FramePoints
from simspine_viewer.editor import Editor
from simspine_viewer.overlay import OverlayOptions, paint_overlay
from simspine_viewer.overlay_scene import (
    EpipolarCurve,
    OverlayScene,
    epipolar_curves,
    keypoint_at,
    person_at,
    scene_of,
)
from simspine_viewer.pane_canvas import PaneCanvas, Point, point_of
from simspine_viewer.pane_gesture import DRAG_DISTANCE, EDITING, Gesture, Press
from simspine_viewer.picture import Picture
from simspine_viewer.selection import Selection
from simspine_viewer.time_cursor import TimeCursor

_LATE_MS = 200  # a picture that takes longer is announced


class VideoPane(PaneCanvas):
    """Shows one view of the open recording.

    The overlay always belongs to the picture that is shown; while another frame is being decoded
    points can be selected, but not moved.

    Signals
    -------
    enlarge_requested(view) : the pane was double-clicked.
    person_clicked(track) : somebody else's skeleton was clicked.
    menu_requested(position, keypoint) : a context menu is wanted at a global position; keypoint -1
        where none is under the pointer.
    """

    enlarge_requested = Signal(int)
    person_clicked = Signal(int)
    menu_requested = Signal(QPoint, int)

    def __init__(
        self,
        view: int,
        document: Document,
        cursor: TimeCursor,
        selection: Selection,
        editor: Editor,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.view = view
        self.document, self.time_cursor = document, cursor
        self.selection, self.editor = selection, editor
        self.options = OverlayOptions()
        self._points: FramePoints | None = None
        self._curves: tuple[bytes, tuple[EpipolarCurve, ...]] = (b"", ())
        self._press = Press()
        self._is_late = False
        self._late = self._single_shot(_LATE_MS, self._show_late)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.setAccessibleName(f"Video of {self.camera_name}")
        document.changed.connect(self._forget_points)
        document.person_changed.connect(self._forget_points)
        document.closed.connect(self._forget_points)
        document.preview_changed.connect(self._on_preview_changed)
        selection.changed.connect(self.update)
        editor.placing_changed.connect(self._on_placing_changed)
        cursor.moved.connect(self._on_cursor_moved)
        self._show_pointer(None)

    @property
    def camera_name(self) -> str:
        if not self.document.is_open:
            return f"view {self.view + 1}"
        return self.document.sequence.info.cameras[self.view].name

    # What is shown

    @property
    def frame(self) -> int:
        """Frame of the picture shown, or the cursor's before there is one."""
        return self.time_cursor.frame if self._picture is None else self._picture.frame

    @property
    def is_current(self) -> bool:
        """Whether the picture shown is of the cursor's frame."""
        return self.frame == self.time_cursor.frame

    def expected_size(self) -> tuple[int, int]:
        if not self.document.is_open:
            return (1, 1)
        info = self.document.sequence.info
        video = info.videos[self.view].size
        return video if min(video) > 0 else info.cameras[self.view].size

    def set_picture(self, picture: Picture) -> None:
        super().set_picture(picture)
        self._is_late = False
        self._late.stop()
        if not self.is_current:
            self._late.start()

    def set_options(self, options: OverlayOptions) -> None:
        """Choose what is drawn over the picture."""
        self.options = options
        self.update()

    def points(self) -> FramePoints | None:
        """Points of the frame shown, None while nothing is open."""
        if not self.document.is_open or not 0 <= self.frame < self.document.sequence.n_frames:
            return None
        if self._points is None or self._points.frame != self.frame:
            self._points = self.document.points_at(self.frame)
        return self._points

    def scene(self) -> OverlayScene | None:
        """What is drawn over the picture, a drag under way included."""
        points = self.points()
        if points is None:
            return None
        selected = self.selection.keypoint
        return scene_of(
            points,
            self.view,
            self.document.sequence.info.skeleton,
            selected=selected,
            preview=self.document.preview,
            curves=self._epipolar(points, selected),
        )

    def _epipolar(self, points: FramePoints, selected: int) -> tuple[EpipolarCurve, ...]:
        if selected < 0 or not self.options.epipolar:
            return ()
        observed, preview = points.xy[:, selected], self.document.preview
        if preview is not None and (preview.frame, preview.keypoint) == (points.frame, selected):
            observed = preview.xy
        key = observed.tobytes()
        if key != self._curves[0]:
            cameras = self.document.sequence.info.cameras
            self._curves = (key, epipolar_curves(cameras, self.view, observed))
        return self._curves[1]

    def _forget_points(self) -> None:
        self._points = None
        self.update()

    def _on_cursor_moved(self) -> None:
        if self._press.gesture in EDITING:
            self._press.gesture = Gesture.DEAD
        if self.is_current:
            self._late.stop()
        elif not self._late.isActive():
            self._late.start()
        self.update()

    def _on_preview_changed(self) -> None:
        if self.document.preview is None and self._press.gesture in (Gesture.DRAG, Gesture.PLACE):
            self._press.gesture = Gesture.DEAD  # dropped by somebody else
        self.update()

    def _show_late(self) -> None:
        self._is_late = not self.is_current
        self.update()

    # Painting

    def strip_height(self) -> float:
        template = pane_text.template_items(self.camera_name, self.document)
        rects = pane_header.place_items(template, self.font(), self.width())
        return pane_header.header_height(rects, self.font())

    def minimumSizeHint(self) -> QSize:
        widest = pane_header.widest(pane_text.widest_items(self.camera_name), self.font())
        return QSize(max(round(widest), 120), 120)

    def header_items(self) -> list[pane_header.HeaderItem]:
        """Texts of the strip at the top."""
        return pane_text.items(
            self.camera_name,
            self.view,
            self.document,
            self.frame,
            self._picture,
            self._painter.size,
            self.points(),
            self._is_late and not self.is_current,
        )

    def _placed_header(self) -> tuple[list[pane_header.HeaderItem], list[QRectF]]:
        items = self.header_items()
        return items, pane_header.place_items(items, self.font(), self.width())

    def paint_over(self, painter: QPainter, area: QRectF) -> None:
        _, rects = self._placed_header()
        clear = QRectF(area)  # badges may take rows over the picture
        clear.setTop(min(pane_header.header_height(rects, self.font()), area.bottom()))
        scene = self.scene()
        if scene is not None:
            paint_overlay(painter, scene, self.transform, clear, self.options)
        if self._picture is not None and self._picture.reason:
            pane_header.paint_notice(painter, pane_text.sentence(self._picture.reason), clear)

    def paint_frame(self, painter: QPainter) -> None:
        items, rects = self._placed_header()
        pane_header.paint_header(painter, items, rects, self.font(), self.width())
        if self.selection.view == self.view:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
            pen = QPen(QColor(self.palette().color(QPalette.ColorRole.Highlight)), 2)
            pen.setJoinStyle(Qt.PenJoinStyle.MiterJoin)
            painter.setPen(pen)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(QRectF(self.rect()).adjusted(1, 1, -1, -1))

    # Mouse

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if self._press.gesture in EDITING:
            return  # another button during a gesture
        at = point_of(event.position())
        alt = bool(event.modifiers() & Qt.KeyboardModifier.AltModifier)
        left = event.button() == Qt.MouseButton.LeftButton
        if event.button() == Qt.MouseButton.MiddleButton or (left and alt):
            self._press = Press(Gesture.PAN, event.button(), at, at)
            self.setCursor(Qt.CursorShape.ClosedHandCursor)
        elif left:
            self._left_press(at)

    def _left_press(self, at: Point) -> None:
        left, scene = Qt.MouseButton.LeftButton, self.scene()
        self._press = Press(Gesture.NONE, left, at, at)
        keypoint, selected = self._keypoint_at(at), self.selection.keypoint
        inside = scene is not None and self.picture_area().contains(*at)
        if scene is None or not inside:
            self.selection.set(view=self.view)
        elif self.editor.placing and selected >= 0:
            self.selection.set(view=self.view)
            if self.is_current:
                self._press = Press(Gesture.PLACE, left, at, at, selected)
                self._drag_to(at)
        elif keypoint >= 0:
            self.selection.set(keypoint, self.view)
            if self.is_current:
                handle = self.transform.to_widget(scene.handles[keypoint])
                grab = (float(handle[0]) - at[0], float(handle[1]) - at[1])
                self._press = Press(Gesture.ARMED, left, at, at, keypoint, grab)
        else:
            self.selection.set(view=self.view)
            shown = self.options.visible and self.options.others
            track = person_at(scene, self.transform, at) if shown else -1
            if track >= 0:
                self.person_clicked.emit(track)

    def _keypoint_at(self, at: Point) -> int:
        scene = self.scene()
        shown = self.options.visible and self.options.points
        if scene is None or not shown or not self.picture_area().contains(*at):
            return -1
        return keypoint_at(scene, self.transform, at)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        at, press = point_of(event.position()), self._press
        if press.gesture is Gesture.PAN:
            dx, dy = at[0] - press.last[0], at[1] - press.last[1]
            self.set_transform(self.transform.moved(dx, dy))
        elif press.gesture is Gesture.ARMED:
            if np.hypot(at[0] - press.start[0], at[1] - press.start[1]) > DRAG_DISTANCE:
                press.gesture = Gesture.DRAG
                self._drag_to(at)
        elif press.gesture in EDITING:
            self._drag_to(at)
        elif press.gesture is Gesture.NONE:
            self._show_pointer(at)
        press.last = at

    def _drag_to(self, at: Point) -> None:
        press = self._press
        xy = self.transform.to_picture((at[0] + press.grab[0], at[1] + press.grab[1]))
        self.editor.drag_in_view(self.view, press.keypoint, xy)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        press = self._press
        if event.button() != press.button:
            return
        self._press = Press()
        self._show_pointer(point_of(event.position()))
        if press.gesture in (Gesture.DRAG, Gesture.PLACE):
            self.editor.release()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        placing = self.editor.placing and self.selection.keypoint >= 0
        if event.button() != Qt.MouseButton.LeftButton or placing:
            self.mousePressEvent(event)
        else:
            self.enlarge_requested.emit(self.view)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        if self._press.gesture in EDITING or not self.document.is_open:
            return
        position, scene = event.globalPos(), self.scene()
        if event.reason() == QContextMenuEvent.Reason.Keyboard:
            keypoint = self.selection.keypoint
            if scene is not None and keypoint >= 0:
                at = self.transform.to_widget(scene.handles[keypoint])
                if np.isfinite(at).all() and self.picture_area().contains(*at.tolist()):
                    position = self.mapToGlobal(QPointF(*at.tolist())).toPoint()
        else:
            keypoint = self._keypoint_at(point_of(QPointF(event.pos())))
        self.selection.set(keypoint if keypoint >= 0 else None, self.view)
        self.menu_requested.emit(position, keypoint)

    # Keys and the pointer

    def keyPressEvent(self, event: QKeyEvent) -> None:
        editing = self.editor.dragging or self._press.gesture in EDITING
        if event.key() == Qt.Key.Key_F and not event.modifiers():
            self.fit()
        elif event.key() == Qt.Key.Key_Escape and editing:
            self.cancel_gesture()
        elif event.key() == Qt.Key.Key_Escape and self.editor.placing:
            self.editor.set_placing(False)
        else:
            super().keyPressEvent(event)

    def cancel_gesture(self) -> None:
        """Drop what the mouse is doing; the button does nothing until it is pressed again."""
        if self._press.gesture in EDITING:
            self._press.gesture = Gesture.DEAD
        self.editor.cancel()

    def enterEvent(self, event: QEnterEvent) -> None:
        self._show_pointer(point_of(event.position()))

    def _on_placing_changed(self) -> None:
        self._show_pointer(None)

    def _show_pointer(self, at: Point | None) -> None:
        """The shape of the pointer says what a press would do."""
        shape = Qt.CursorShape.ArrowCursor
        if self.editor.placing:
            shape = Qt.CursorShape.CrossCursor
        elif at is not None and self._keypoint_at(at) >= 0:
            shape = Qt.CursorShape.PointingHandCursor
        if self.cursor().shape() != shape:
            self.setCursor(shape)

    def event(self, event: QEvent) -> bool:
        if event.type() != QEvent.Type.ToolTip or not isinstance(event, QHelpEvent):
            return super().event(event)
        text = self.tooltip_at(point_of(QPointF(event.pos())))
        if text:
            QToolTip.showText(event.globalPos(), text, self)
        else:
            QToolTip.hideText()
            event.ignore()
        return True

    def tooltip_at(self, at: Point) -> str:
        """What the pane has to say about a widget position; empty for nothing."""
        items, rects = self._placed_header()
        for item, rect in zip(items, rects, strict=True):
            if rect.contains(*at):
                return item.tooltip
        scene, keypoint = self.scene(), self._keypoint_at(at)
        if scene is None or keypoint < 0:
            return ""
        return pane_text.keypoint_tooltip(scene, keypoint)
