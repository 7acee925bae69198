"""One view: its picture, what is known of the points in it, and editing them with the mouse."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QEnterEvent,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPalette,
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
from simspine_viewer.pane_canvas import PaneCanvas, Point, paint_border, point_of
from simspine_viewer.pane_gesture import PaneGestures
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
        self._is_late = False
        self._late = self._single_shot(_LATE_MS, self._show_late)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.setAccessibleName(f"Video of {self.camera_name}")
        document.changed.connect(self._forget_points)
        document.person_changed.connect(self._forget_points)
        document.closed.connect(self._forget_points)
        document.preview_changed.connect(self.update)
        selection.changed.connect(self.update)
        cursor.moved.connect(self._on_cursor_moved)
        self._gestures = PaneGestures(self, editor, self)
        self._gestures.person_clicked.connect(self.person_clicked)

    @property
    def camera_name(self) -> str:
        if not self.document.is_open:
            return f"view {self.view + 1}"
        return self.document.sequence.cameras[self.view].name

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
            cameras = self.document.sequence.cameras
            self._curves = (key, epipolar_curves(cameras, self.view, observed))
        return self._curves[1]

    def _forget_points(self) -> None:
        self._points = None
        self.update()

    def _on_cursor_moved(self) -> None:
        if self.is_current:
            self._late.stop()
        elif not self._late.isActive():
            self._late.start()
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
        items, rects = self._placed_header()
        clear = QRectF(area)  # badges may take rows over the picture
        clear.setTop(min(pane_header.header_height(rects, self.font()), area.bottom()))
        painter.save()
        painter.setClipRect(area)
        scene = self.scene()
        if scene is not None:
            paint_overlay(painter, scene, self.transform, clear, self.options)
        if self._picture is not None and self._picture.reason:
            pane_header.paint_notice(painter, pane_text.sentence(self._picture.reason), clear)
        painter.restore()
        pane_header.paint_header(painter, items, rects, self.font(), self.width())
        if self.selection.view == self.view:
            highlight = self.palette().color(QPalette.ColorRole.Highlight)
            paint_border(painter, QRectF(self.rect()), highlight)

    # Mouse and keys

    def keypoint_at(self, at: Point) -> int:
        """Keypoint that can be taken hold of at a widget position, -1 for none."""
        scene = self.scene()
        shown = self.options.visible and self.options.points
        if scene is None or not shown or not self.picture_area().contains(*at):
            return -1
        return keypoint_at(scene, self.transform, at)

    def person_at(self, at: Point) -> int:
        """Track of another person seen at a widget position, -1 for none."""
        scene = self.scene()
        if scene is None or not (self.options.visible and self.options.others):
            return -1
        return person_at(scene, self.transform, at)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        alt = bool(event.modifiers() & Qt.KeyboardModifier.AltModifier)
        self._gestures.press(point_of(event.position()), event.button(), alt=alt)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._gestures.move(point_of(event.position()))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._gestures.release(point_of(event.position()), event.button())

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if event.button() != Qt.MouseButton.LeftButton or self._gestures.placing:
            self.mousePressEvent(event)
        else:
            self.enlarge_requested.emit(self.view)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        if self._gestures.editing or not self.document.is_open:
            return
        position, scene = event.globalPos(), self.scene()
        if event.reason() == QContextMenuEvent.Reason.Keyboard:
            keypoint = self.selection.keypoint
            if scene is not None and keypoint >= 0:
                at = self.transform.to_widget(scene.handles[keypoint])
                if np.isfinite(at).all() and self.picture_area().contains(*at.tolist()):
                    position = self.mapToGlobal(QPointF(*at.tolist())).toPoint()
        else:
            keypoint = self.keypoint_at(point_of(QPointF(event.pos())))
        self.selection.set(keypoint if keypoint >= 0 else None, self.view)
        self.menu_requested.emit(position, keypoint)

    def enterEvent(self, event: QEnterEvent) -> None:
        self._gestures.hover(point_of(event.position()))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_F and not event.modifiers():
            self.fit()
        elif event.key() != Qt.Key.Key_Escape or not self._gestures.escape():
            super().keyPressEvent(event)

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
        scene, keypoint = self.scene(), self.keypoint_at(at)
        if scene is None or keypoint < 0:
            return ""
        return pane_text.keypoint_tooltip(scene, keypoint)
