"""One view: its picture, what is known of the points in it, and editing them with the mouse."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QEnterEvent,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPalette,
)
from PySide6.QtWidgets import QToolTip, QWidget

from simspine_viewer import pane_header, pane_text
from simspine_viewer.adjustments import AS_IT_IS, Adjustments, adjusted
from simspine_viewer.document import Document, FramePoints
from simspine_viewer.editor import Editor
from simspine_viewer.follow import Follow, followed_xy
from simspine_viewer.overlay import (
    Layer,
    OverlayOptions,
    layer_of,
    paint_above,
    paint_below,
    paint_ground,
    paint_still,
    still_curves,
)
from simspine_viewer.overlay_curves import Ends
from simspine_viewer.overlay_points import placed
from simspine_viewer.overlay_scene import OverlayScene, keypoint_at, person_at
from simspine_viewer.pane_canvas import PaneCanvas, Point, paint_border, point_of
from simspine_viewer.pane_gesture import PaneGestures
from simspine_viewer.pane_layers import PaneLayers, still_rect
from simspine_viewer.pane_loupe import loupe_centre, loupe_radius, loupe_transform, paint_loupe
from simspine_viewer.pane_scene import PaneScenes
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
    adjust_requested(view) : brightness and contrast are to be changed.
    menu_requested(position, keypoint) : a context menu is wanted at a global position; keypoint -1
        where none is under the pointer.
    """

    enlarge_requested = Signal(int)
    person_clicked = Signal(int)
    adjust_requested = Signal(int)
    menu_requested = Signal(QPoint, int)

    def __init__(
        self,
        view: int,
        document: Document,
        cursor: TimeCursor,
        selection: Selection,
        editor: Editor,
        parent: QWidget | None = None,
        adjustments: Adjustments | None = None,
    ) -> None:
        self._strip: tuple[tuple[object, ...], float] = ((), 0.0)
        self._header: tuple[tuple[int, int, str], list[pane_header.HeaderItem], list[QRectF]] | None
        self._header = None
        self._layers = PaneLayers()
        super().__init__(parent)
        self.view = view
        self.document, self.time_cursor = document, cursor
        self.selection, self.editor = selection, editor
        self.options = OverlayOptions()
        self.follow = Follow.NOTHING
        self.adjustments = adjustments or Adjustments(document, self)
        self._scenes = PaneScenes(view, editor)
        self._pointer: Point | None = None
        self._held: Point | None = None
        self._is_late = False
        self._late = self._single_shot(_LATE_MS, self._show_late)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.setAccessibleName(f"Video of {self.camera_name}")
        document.changed.connect(self._forget_points)
        document.person_changed.connect(self._forget_points)
        document.closed.connect(self._forget_points)
        document.preview_changed.connect(self._on_preview_changed)
        document.pose_changed.connect(self._on_preview_changed)
        selection.changed.connect(self.refresh)
        editor.parts.changed.connect(self.refresh)
        self.adjustments.changed.connect(self._on_adjusted)
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
        """Whether the picture shown is of the cursor's frame, and no keyframe in its place."""
        is_own = self._picture is None or self._picture.is_own
        return is_own and self.frame == self.time_cursor.frame

    def expected_size(self) -> tuple[int, int]:
        if not self.document.is_open:
            return (1, 1)
        info = self.document.sequence.info
        video = info.videos[self.view].size
        return video if min(video) > 0 else info.cameras[self.view].size

    def set_picture(self, picture: Picture) -> None:
        moves_on = self._picture is not None and picture.frame != self._picture.frame
        if moves_on and self.follow is not Follow.NOTHING:
            self._held = self._followed_at() or self._held
        super().set_picture(picture)
        self._is_late = False
        self._late.stop()
        if not self.is_current:
            self._late.start()
        if moves_on and self.follow is not Follow.NOTHING:
            self._keep_in_place()

    def _followed_at(self) -> Point | None:
        """Where what is followed is in the widget, None where that is not known."""
        points = self.points()
        if points is None:
            return None
        xy = followed_xy(points, self.view, self.selection.keypoint, self.follow)
        x, y = self.transform.to_widget(xy).tolist()
        return (x, y) if np.isfinite(x) and np.isfinite(y) else None

    def _keep_in_place(self) -> None:
        """Move the picture so that what is followed stands where it stood."""
        now = self._followed_at()
        if self._held is not None and now is not None:
            dx, dy = self._held[0] - now[0], self._held[1] - now[1]
            if abs(dx) + abs(dy) > 1e-6:
                self.set_transform(self.transform.moved(dx, dy))

    def set_follow(self, follow: Follow) -> None:
        """Choose what keeps its place while the frame changes."""
        self.follow, self._held = follow, None

    def as_shown(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        return adjusted(pixels, self.adjustments.of(self.view))

    def _on_adjusted(self, view: int) -> None:
        if view in (-1, self.view):
            self._take_pixels()
            self.refresh()

    def set_options(self, options: OverlayOptions) -> None:
        """Choose what is drawn over the picture."""
        self.options = options
        self.refresh()

    def points(self) -> FramePoints | None:
        """Points of the frame shown, None while nothing is open."""
        return self._scenes.points(self.frame)

    def scene(self) -> OverlayScene | None:
        """What is drawn over the picture, a drag under way included."""
        return self._scenes.scene(self.frame, self.options)

    def _forget_points(self) -> None:
        self._scenes.forget()
        self.refresh()

    def refresh(self) -> None:
        self._layers.drop()
        self._header = None
        super().refresh()

    def _on_preview_changed(self) -> None:
        """A drag goes on: all but the dragged point (and the body) stays as it is painted."""
        if self.document.preview is None:
            self.refresh()
        else:
            self.update()

    def _on_cursor_moved(self) -> None:
        if self.is_current:
            self._late.stop()
        elif not self._late.isActive():
            self._late.start()
        # Otherwise the pane shows what it showed until the frame's own picture is there.
        if self._picture is None or self._is_late:
            self.refresh()

    def _rested(self) -> None:
        if self.time_cursor.playing:  # no time to draw the same picture once more
            self._rest.start()
        else:
            super()._rested()

    def _show_late(self) -> None:
        self._is_late = not self.is_current
        self.refresh()

    # Painting

    def strip_height(self) -> float:
        n_frames = self.document.sequence.n_frames if self.document.is_open else 0
        key = (self.camera_name, n_frames, self.size().toTuple(), self.font().key())
        if key != self._strip[0]:
            template = pane_text.template_items(self.camera_name, self.document)
            template = pane_header.fitting(template, self.font(), self.width(), self.height())
            rects = pane_header.place_items(template, self.font(), self.width())
            self._strip = key, pane_header.header_height(rects, self.font())
        return self._strip[1]

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
            is_adjusted=self.adjustments.of(self.view) != AS_IT_IS,
        )

    def _placed_header(self) -> tuple[list[pane_header.HeaderItem], list[QRectF]]:
        key = (self.width(), self.height(), self.font().key())
        if self._header is None or self._header[0] != key:
            items = pane_header.fitting(self.header_items(), self.font(), *key[:2])
            rects = pane_header.place_items(items, self.font(), self.width())
            self._header = key, items, rects
        return self._header[1], self._header[2]

    def paint(self, painter: QPainter, device_pixel_ratio: float) -> None:
        """Draw everything with any painter in widget points."""
        area, scene = self.picture_area(), self.scene()
        items, rects = self._placed_header()
        clear = QRectF(area)  # badges may take rows over the picture
        clear.setTop(min(pane_header.header_height(rects, self.font()), area.bottom()))
        ends: Ends = []
        where = None if scene is None else placed(scene, self.transform, clear)

        def layer(target: QPainter) -> Layer | None:
            target.setFont(self.font())
            target.setClipRect(clear)
            if scene is None:
                return None
            return layer_of(target, scene, self.transform, clear, self.options, where)

        def ground(target: QPainter) -> None:
            self.paint_picture(target, area, device_pixel_ratio)
            if (made := layer(target)) is not None:
                paint_ground(made)
            if self._picture is not None and self._picture.reason:
                pane_header.paint_notice(target, pane_text.sentence(self._picture.reason), clear)
            target.setClipping(False)
            pane_header.paint_header(target, items, rects, self.font(), self.width())

        def below(target: QPainter) -> None:
            if (made := layer(target)) is not None:
                ends.extend(paint_below(made))

        def still(target: QPainter) -> None:
            if (made := layer(target)) is not None:
                paint_still(made)

        painter.save()
        loupe_at = self._loupe_at(scene)
        if scene is not None and (scene.moving >= 0 or loupe_at is not None):
            curves = tuple(still_curves(scene)) if self.options.epipolar else ()
            key = (self.transform, id(self._pixels), self._rest.isActive(), scene.moving, curves)
            steps = (ground, below, still)
            rect = still_rect(scene, self.transform, clear, self.options.names)
            still_at = (rect, scene.pose)
            self._layers.paint(painter, self.size(), device_pixel_ratio, key, steps, still_at)
        else:
            ground(painter)
            if (made := layer(painter)) is not None:
                ends.extend(paint_below(made))
                paint_still(made)
        if (made := layer(painter)) is not None:
            paint_above(made, ends)
        if loupe_at is not None:
            self._paint_loupe(painter, clear, scene, loupe_at)
        painter.restore()
        if self.selection.view == self.view:
            highlight = self.palette().color(QPalette.ColorRole.Highlight)
            paint_border(painter, QRectF(self.rect()), highlight)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        self._gestures.painted()

    def _loupe_at(self, scene: OverlayScene | None) -> Point | None:
        """Widget position that the loupe is to show, None for no loupe in this pane."""
        if not self.options.loupe or scene is None or self._pixels is None:
            return None
        keypoint = scene.moving if self._gestures.editing and scene.moving >= 0 else -1
        if keypoint < 0 and self._pointer is not None:
            return self._pointer if self.picture_area().contains(*self._pointer) else None
        if keypoint < 0 and self.selection.view == self.view:
            keypoint = scene.selected
        if keypoint < 0:
            return None
        x, y = self.transform.to_widget(scene.handles[keypoint]).tolist()
        return (x, y) if np.isfinite(x) and self.picture_area().contains(x, y) else None

    def _paint_loupe(
        self, painter: QPainter, area: QRectF, scene: OverlayScene | None, at: Point
    ) -> None:
        pixels, size = self._pixels, self._painter.size
        if pixels is None or size is None:
            return
        is_hovering = at == self._pointer and not self._gestures.editing
        radius = loupe_radius(area)
        centre = loupe_centre(at, area, radius, beside=not is_hovering)
        x, y = self.transform.to_picture(at).tolist()
        inner = loupe_transform(self.transform, (x, y), centre)
        palette = self.options.palette
        paint_loupe(painter, pixels, size, scene, palette, inner, centre, radius)

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
        if event.button() == Qt.MouseButton.LeftButton and self._is_adjust(event.position()):
            self.adjust_requested.emit(self.view)
            return
        alt = bool(event.modifiers() & Qt.KeyboardModifier.AltModifier)
        self._gestures.press(point_of(event.position()), event.button(), alt=alt)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._gestures.move(point_of(event.position()))
        self._point_at(point_of(event.position()))

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
        self._point_at(point_of(event.position()))

    def leaveEvent(self, event: QEvent) -> None:
        self._point_at(None)
        super().leaveEvent(event)

    def _point_at(self, at: Point | None) -> None:
        self._pointer = at
        if self.options.loupe:
            self.update()

    def _is_adjust(self, at: QPointF) -> bool:
        """Whether a widget position is on the mark that opens the adjustment of the picture."""
        items, rects = self._placed_header()
        return any(
            item.action == "adjust" and rect.contains(at)
            for item, rect in zip(items, rects, strict=True)
        )

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
        return "" if scene is None else pane_text.tooltip(scene, keypoint, self.transform, at)
