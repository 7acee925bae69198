"""The 3D view: a plain widget that shows pictures of the scene and takes mouse and keys.

Drawing happens on a timer of its own at no more than 30 pictures a second, so that video never
waits, and only while something changed and the widget is visible.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QElapsedTimer, QEvent, QPointF, QSize, Qt, QTimer
from PySide6.QtGui import (
    QCloseEvent,
    QColor,
    QHideEvent,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPalette,
    QResizeEvent,
    QWheelEvent,
)  # fmt: skip
from PySide6.QtWidgets import QWidget

from pipeline.data.patch import Change
from simspine_viewer import orbit_camera as orbit
from simspine_viewer import stage_mesh, theme
from simspine_viewer.document import Document
from simspine_viewer.editor import Editor
from simspine_viewer.follow import Follow, followed_xyz
from simspine_viewer.orbit_camera import Pinhole
from simspine_viewer.overlay import OverlayOptions
from simspine_viewer.scene_feed import Detail, SceneFactory, SceneFeed, make_scene
from simspine_viewer.selection import Selection
from simspine_viewer.time_cursor import TimeCursor
from simspine_viewer.view3d_gesture import View3DGestures
from simspine_viewer.view3d_overlay import OverlayPainter
from simspine_viewer.viewpoints import Viewpoints

FloatArray = NDArray[np.float64]

FRAME_MS = 33  # between pictures
# In play and while scrubbing the videos go first: 25 pictures a second at most, and at most a
# quarter of the time.
PLAY_FRAME_MS, PLAY_FIRST = 40, 4.0
SCRUB_MS = 100  # after a change of frame
# A point is dragged in a pane: the hand goes by the panes, so 3D takes an eighth of the time.
PANES_FIRST = 8.0
STILL_MS = 180  # of rest, after which the picture is drawn again without jagged edges
EMPTY_HINT = "Open a recording to see the person in 3D."


class View3D(QWidget):
    """Shows the annotated person, the floor and the cameras at the cursor's frame.

    Left drag orbits, Shift or middle drag pans, the wheel zooms at the pointer, a double-click or
    F frames the person; a press on a keypoint selects it and a drag moves it in the plane parallel
    to the picture. ``factory`` makes the scene; it is given whether the appearance is dark.
    """

    def __init__(
        self,
        document: Document,
        cursor: TimeCursor,
        selection: Selection,
        editor: Editor,
        parent: QWidget | None = None,
        *,
        factory: SceneFactory = make_scene,
    ) -> None:
        super().__init__(parent)
        self._document, self._cursor, self._selection = document, cursor, selection
        self._viewpoints = Viewpoints(document, cursor)
        self._feed = SceneFeed(document, cursor, selection, editor, self._viewpoints, factory)
        self.follow, self._held = Follow.NOTHING, np.full(3, np.nan)
        self._image: QImage | None = None
        self._painted = False
        self._new_picture = True
        self._gestures = View3DGestures(self, self._feed, self._viewpoints, editor)
        self._gestures.moved.connect(self._request)
        self._gestures.hover_changed.connect(self.update)
        self._clock = QElapsedTimer()
        self._took = 0  # ms for the last picture of those that move
        self._moved_at = QElapsedTimer()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._draw)
        self._bones = QTimer(self)  # reads bones while nothing else is to be done
        self._bones.setSingleShot(True)
        self._bones.timeout.connect(self._load_bones)
        self._still = QTimer(self)
        self._still.setSingleShot(True)
        self._still.setInterval(STILL_MS)
        self._still.timeout.connect(self._draw_smooth)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setMinimumSize(160, 90)
        self.setAccessibleName("3D view")
        self.setAccessibleDescription(
            "The annotated person in 3D. Drag to orbit, Shift-drag to pan, wheel to zoom,"
            " drag a keypoint to move it."
        )
        document.opened.connect(self._on_opened)
        document.closed.connect(self._on_closed)
        document.changed.connect(self._on_changed)
        document.person_changed.connect(self._on_person_changed)
        document.preview_changed.connect(self._on_points_changed)
        document.pose_changed.connect(self._on_points_changed)
        cursor.moved.connect(self._on_frame_changed)
        editor.parts.changed.connect(self._on_points_changed)
        selection.changed.connect(self._on_selection_changed)

    def sizeHint(self) -> QSize:
        return QSize(480, 480)

    def close(self) -> bool:
        """Free the scene; when the widget is shown again it is made anew."""
        self._release()
        return super().close()

    def closeEvent(self, event: QCloseEvent) -> None:
        self._release()
        super().closeEvent(event)

    def _release(self) -> None:
        for timer in (self._timer, self._still, self._bones):
            timer.stop()
        self._image = None
        self._feed.close()

    @property
    def has_picture(self) -> bool:
        """Whether the scene is shown: something is open and this computer can draw it."""
        return self._image is not None

    @property
    def viewpoints(self) -> Viewpoints:
        """From where the person is seen; look at it, but change it by the methods below."""
        return self._viewpoints

    def set_options(self, options: OverlayOptions) -> None:
        """Show the same stage, trail and colours as the panes."""
        self._feed.set_options(options)
        self._request()

    def set_follow(self, follow: Follow) -> None:
        """Choose what keeps its place while the frame changes."""
        self.follow = follow
        self._viewpoints.brings_back = follow is Follow.NOTHING
        self._held = self._followed()

    def _followed(self) -> FloatArray:
        points = self._feed.points()
        if points is None:
            return np.full(3, np.nan)
        return followed_xyz(points.xyz, self._selection.keypoint, self.follow)

    def _on_frame_changed(self) -> None:
        if self.follow is not Follow.NOTHING:
            now = self._followed()
            moved = now - self._held
            if np.isfinite(moved).all():
                self._viewpoints.shift(moved)
            self._held = np.where(np.isfinite(now), now, self._held)
        self._moved_at.start()
        self._on_points_changed()

    def _on_selection_changed(self) -> None:
        self._held = self._followed()
        self._on_points_changed()

    def frame_person(self) -> None:
        """Bring the whole person into the view, seen from the same side."""
        self._viewpoints.frame(self._size())
        self._request()

    def view_front(self) -> None:
        """See the person from the front."""
        self._viewpoints.front(self._size())
        self._request()

    def view_side(self) -> None:
        """See the person from their right."""
        self._viewpoints.side(self._size())
        self._request()

    def view_top(self) -> None:
        """See the person from above, facing up in the picture."""
        self._viewpoints.top(self._size())
        self._request()

    def view_camera(self, view: int) -> None:
        """See what a calibrated camera sees, without its distortion."""
        self._viewpoints.camera(view)
        self._request()

    def project(self, xyz: FloatArray) -> FloatArray:
        """Widget pixels (..., 2), origin top left, of world points (..., 3) m."""
        return orbit.project(self._hole(), xyz)

    def _size(self) -> tuple[int, int]:
        return self.width(), self.height()

    def _hole(self) -> Pinhole:
        return self._viewpoints.hole(self._size())

    # What the document says

    def _on_opened(self) -> None:
        self._feed.recording_changed()
        self._viewpoints.reset()
        self._on_points_changed()

    def _on_closed(self) -> None:
        self._gestures.end()
        self._image = None
        self._on_opened()

    def _on_changed(self, change: Change) -> None:
        if self._cursor.frame in change.frames:
            self._on_points_changed()

    def _on_person_changed(self) -> None:
        self._viewpoints.reset()
        self._on_points_changed()

    def _on_points_changed(self) -> None:
        self._feed.points_changed()
        self._request()

    # Drawing

    def _request(self) -> None:
        """Draw soon, if anybody can see it."""
        self._new_picture = True
        self._still.stop()
        if not self._painted or self._timer.isActive() or not self._is_seen():
            return
        wait = FRAME_MS
        if self._is_dragged_in_a_pane():
            wait = max(FRAME_MS, round(PANES_FIRST * self._took))
        elif self._cursor.playing or (
            self._moved_at.isValid() and self._moved_at.elapsed() < SCRUB_MS
        ):
            wait = max(PLAY_FRAME_MS, round(PLAY_FIRST * self._took))
        since = self._clock.elapsed() if self._clock.isValid() else wait
        self._timer.start(max(0, wait - since))

    def _is_dragged_in_a_pane(self) -> bool:
        preview = self._document.preview
        return preview is not None and preview.view >= 0

    def _draw(self) -> None:
        self._draw_with(Detail.HASTE if self._is_dragged_in_a_pane() else Detail.MOVING)

    def _draw_smooth(self) -> None:
        self._draw_with(Detail.STILL)

    def _draw_with(self, detail: Detail) -> None:
        if not self._is_seen():
            return
        self._clock.start()
        self._new_picture = False
        ratio = self.devicePixelRatioF()
        self._image = self._feed.picture(self._size(), ratio, self._is_dark(), detail)
        if detail is not Detail.STILL:
            self._took = self._clock.elapsed()
            if self._image is not None and (ratio < 2 or detail is Detail.HASTE):
                self._still.start()
        if self._feed.bones_are_loading:
            self._bones.start(0)
        self.update()

    def _load_bones(self) -> None:
        self._feed.load_bones()
        if self._feed.bones_are_loading:
            self._bones.start(0)
        else:
            self._request()

    def _is_seen(self) -> bool:
        return self.isVisible() and not self.window().isMinimized() and not self.size().isEmpty()

    def _is_dark(self) -> bool:
        return self.palette().color(QPalette.ColorRole.Window).lightness() < 128

    def paintEvent(self, _event: QPaintEvent) -> None:
        appearance = stage_mesh.DARK if self._is_dark() else stage_mesh.LIGHT
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(*appearance.ground))
        if self._image is not None:
            painter.drawImage(QPointF(0, 0), self._image)
        words = theme.DARK if self._is_dark() else theme.LIGHT
        overlay = OverlayPainter(painter, self._size(), words, appearance)
        if self._feed.failure:
            overlay.message(self._feed.failure)
        elif not self._document.is_open:
            overlay.message(EMPTY_HINT)
        else:
            hover = self._gestures.hover, self._gestures.hover_level
            overlay.scene(self._feed, self._viewpoints, self._document, self._selection, hover)
        painter.end()
        if not self._painted or (self._new_picture and not self._timer.isActive()):
            # Not before the window's first paint: making the scene takes a third of a second.
            self._painted = True
            self._request()

    # Mouse and keys

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if self.has_picture:
            shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
            self._gestures.press(event.position(), event.button(), shift=shift)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._gestures.move(event.position())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._gestures.release(event.button())

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self.frame_person()

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.has_picture:
            self._gestures.zoom(event.position(), event.angleDelta().y())
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and self._gestures.dragging:
            self._gestures.cancel()
        elif event.key() == Qt.Key.Key_F and not event.modifiers():
            self.frame_person()
        else:
            event.ignore()

    def event(self, event: QEvent) -> bool:
        kind = event.type()
        if kind == QEvent.Type.ShortcutOverride and self._gestures.dragging:
            assert isinstance(event, QKeyEvent)
            if event.key() == Qt.Key.Key_Escape:  # ours while dragging, whatever the menus say
                event.accept()
        elif kind in (QEvent.Type.PaletteChange, QEvent.Type.DevicePixelRatioChange):
            self._request()
        return super().event(event)

    def leaveEvent(self, _event: QEvent) -> None:
        self._gestures.leave()

    def hideEvent(self, event: QHideEvent) -> None:
        self._gestures.cancel()
        for timer in (self._timer, self._still, self._bones):
            timer.stop()
        super().hideEvent(event)

    def resizeEvent(self, _event: QResizeEvent) -> None:
        self._request()
