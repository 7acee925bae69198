"""The video panes of all views, arranged so that the pictures are as large as possible."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Sequence as Items
from dataclasses import replace

from PySide6.QtCore import QEvent, QObject, QPoint, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QWidget

from simspine_viewer.adjustments import Adjustments
from simspine_viewer.close_up import close_ups
from simspine_viewer.document import Document, FramePoints
from simspine_viewer.editor import Editor
from simspine_viewer.follow import Follow
from simspine_viewer.overlay import OverlayOptions
from simspine_viewer.pane_layout import Arrangement, PaneNeeds, arranged
from simspine_viewer.pane_transform import PaneTransform
from simspine_viewer.picture import Picture
from simspine_viewer.selection import Selection
from simspine_viewer.theme import DARK, Theme
from simspine_viewer.time_cursor import TimeCursor
from simspine_viewer.video_pane import VideoPane


class PaneGrid(QWidget):
    """Panes for all views of the open recording, in one of several arrangements.

    Signals
    -------
    person_clicked(track), menu_requested(position, keypoint), adjust_requested(view) : see
        :class:`VideoPane`.
    enlarged_changed(view) : one pane is shown alone, or (-1) all are shown.
    """

    person_clicked = Signal(int)
    menu_requested = Signal(QPoint, int)
    adjust_requested = Signal(int)
    enlarged_changed = Signal(int)

    def __init__(
        self,
        document: Document,
        cursor: TimeCursor,
        selection: Selection,
        editor: Editor,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.document, self.time_cursor = document, cursor
        self.selection, self.editor = selection, editor
        self.panes: tuple[VideoPane, ...] = ()
        self.enlarged = -1
        self.columns = 0
        self.arrangement = Arrangement.GRID
        self._options = OverlayOptions()
        self.follow = Follow.NOTHING
        self.adjustments = Adjustments(document, self)
        #: What is to lie over every pane: each is called with a new pane, its parent.
        self.layers: list[Callable[[VideoPane], QWidget]] = []
        self._before: list[PaneTransform | None] = []
        self._line = QColor(DARK.line)
        self.setAccessibleName("Video panes")
        selection.changed.connect(self._follow_selection)

    def set_views(self, n: int) -> None:
        """Show ``n`` new panes for the views of the document that is now open."""
        for pane in self.panes:
            pane.hide()
            pane.setParent(None)
            pane.deleteLater()
        self.enlarged, self.columns, self._before = -1, 0, []
        self.panes = tuple(self._new_pane(view) for view in range(n))
        self._arrange()

    def _new_pane(self, view: int) -> VideoPane:
        pane = VideoPane(
            view,
            self.document,
            self.time_cursor,
            self.selection,
            self.editor,
            parent=self,
            adjustments=self.adjustments,
        )
        pane.set_follow(self.follow)
        pane.set_options(self._options)
        pane.enlarge_requested.connect(self.enlarge)
        pane.person_clicked.connect(self.person_clicked)
        pane.menu_requested.connect(self.menu_requested)
        pane.adjust_requested.connect(self.adjust_requested)
        pane.installEventFilter(self)
        for layer in self.layers:
            layer(pane)
        return pane

    def set_arrangement(self, arrangement: Arrangement) -> None:
        """Arrange the panes in another way; an enlarged one goes back to the others."""
        self.arrangement, self.columns = arrangement, 0
        if self.enlarged >= 0:
            self._show_alone(-1)
        else:
            self._arrange()

    @property
    def big(self) -> int:
        """The view that stands big beside the strip of the others, -1 where there is no strip."""
        has_strip = self.arrangement is Arrangement.STRIP and self.enlarged < 0
        return self.selection.view if has_strip and len(self.panes) > 1 else -1

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """A click on a small pane of the strip makes it the big one, and does nothing else."""
        if (
            isinstance(event, QMouseEvent)
            and event.button() == Qt.MouseButton.LeftButton
            and event.type() in (QEvent.Type.MouseButtonPress, QEvent.Type.MouseButtonDblClick)
            and isinstance(watched, VideoPane)
            and self.big not in (-1, watched.view)
        ):
            if event.type() == QEvent.Type.MouseButtonPress:
                self.selection.set(view=watched.view)
            return True
        return super().eventFilter(watched, event)

    def set_pictures(self, frame: int, pictures: Items[Picture]) -> None:
        """Switch all panes to a frame at once; pictures of a recording no longer shown go by."""
        if len(pictures) != len(self.panes):
            return
        old = [pane.picture_size for pane in self.panes]
        for pane, picture in zip(self.panes, pictures, strict=True):
            pane.set_picture(picture)
        if [pane.picture_size for pane in self.panes] != old:
            self._arrange()

    def enlarge(self, view: int) -> None:
        """Show one pane alone; all of them again if it is alone already."""
        if not 0 <= view < len(self.panes):
            return
        self._show_alone(-1 if self.enlarged >= 0 or len(self.panes) == 1 else view)

    def _show_alone(self, view: int) -> None:
        if view == self.enlarged:
            return
        self.enlarged = view
        if view >= 0:
            self.selection.set(view=view)
        self._arrange()
        if view >= 0:
            self.panes[view].setFocus()
        self.enlarged_changed.emit(view)

    def _follow_selection(self) -> None:
        """An enlarged pane gives way to the one that is now worked in."""
        if self.enlarged >= 0 and self.selection.view != self.enlarged:
            self._show_alone(self.selection.view)
        elif self.big >= 0:
            self._arrange()

    def fit_all(self) -> None:
        """Show the whole picture in every pane."""
        self._before = []
        for pane in self.panes:
            pane.fit()

    @property
    def is_close_up(self) -> bool:
        """Whether all panes show one keypoint, and can go back to what they showed."""
        return bool(self._before)

    def close_up(self, points: FramePoints, keypoint: int) -> bool:
        """Show a keypoint in every pane, or go back; False where no view can show it."""
        if self._before:
            for pane, transform in zip(self.panes, self._before, strict=True):
                if transform is None:
                    pane.fit()
                else:
                    pane.set_transform(transform)
            self._before = []
            return True
        wanted = close_ups(self.panes, self.document.sequence.cameras, points, keypoint)
        if not any(wanted):
            return False
        self._before = [None if pane.is_fitted else pane.transform for pane in self.panes]
        for pane, transform in zip(self.panes, wanted, strict=True):
            if transform is not None:
                pane.set_transform(transform)
        return True

    def set_follow(self, follow: Follow) -> None:
        """Choose what keeps its place in the panes while the frame changes."""
        self.follow = follow
        for pane in self.panes:
            pane.set_follow(follow)

    def set_options(self, options: OverlayOptions) -> None:
        """Choose what is drawn over the pictures."""
        self._options = options
        for pane in self.panes:
            pane.set_options(options)

    @property
    def options(self) -> OverlayOptions:
        return self._options

    def set_epipolar(self, shown: bool) -> None:
        """Show or hide the epipolar curves of the selected keypoint."""
        self.set_options(replace(self._options, epipolar=shown))

    def set_names(self, shown: bool) -> None:
        """Show or hide the names of all keypoints."""
        self.set_options(replace(self._options, names=shown))

    def set_overlay_visible(self, shown: bool) -> None:
        """Show or hide everything drawn over the pictures."""
        self.set_options(replace(self._options, visible=shown))

    def set_theme(self, theme: Theme) -> None:
        """Colour of the gaps; the panes themselves are dark in every theme."""
        self._line = QColor(theme.line)
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(800, 600)

    def minimumSizeHint(self) -> QSize:
        return QSize(180, 90)

    def _arrange(self) -> None:
        if not self.panes:
            self.update()
            return
        if self.enlarged >= 0:
            places = {self.enlarged: self.rect()}
        else:
            needs = PaneNeeds(
                tuple(pane.picture_size for pane in self.panes),
                self.panes[0].strip_height(),
                max(pane.minimumSizeHint().width() for pane in self.panes),
            )
            rects, self.columns = arranged(
                self.arrangement, needs, self.rect(), self.selection.view, self.columns
            )
            places = dict(enumerate(rects))
        for view, pane in enumerate(self.panes):
            pane.setVisible(view in places)
            if view in places:
                pane.setGeometry(places[view])
        self.update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._arrange()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and self.enlarged >= 0:
            self._show_alone(-1)
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            painter.fillRect(self.rect(), self._line)
