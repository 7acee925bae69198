"""The video panes of all views, arranged so that the pictures are as large as possible."""

from __future__ import annotations

from collections.abc import Sequence as Items
from dataclasses import replace

import numpy as np
from PySide6.QtCore import QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QWidget

from simspine_viewer.document import Document
from simspine_viewer.editor import Editor
from simspine_viewer.overlay import OverlayOptions
from simspine_viewer.picture import Picture
from simspine_viewer.selection import Selection
from simspine_viewer.theme import DARK, Theme
from simspine_viewer.time_cursor import TimeCursor
from simspine_viewer.video_pane import VideoPane

GAP = 2
# Another arrangement is taken only where it shows the pictures this much larger, so that panes do
# not jump to and fro while the window is being resized.
_BETTER = 1.05


def picture_scale(
    columns: int, sizes: Items[tuple[int, int]], area: tuple[int, int], strip: float
) -> float:
    """Scale at which the largest picture fits its pane, with a number of columns.

    Parameters
    ----------
    columns : int
    sizes : sequence of (width, height)
        Of the pictures, px.
    area : (width, height)
        Of the grid, widget points.
    strip : float
        Height of a pane that shows no picture.
    """
    rows = -(-len(sizes) // columns)
    width = (area[0] - (columns - 1) * GAP) / columns
    height = (area[1] - (rows - 1) * GAP) / rows - strip
    largest = np.max(sizes, axis=0)
    return float(max(min(width / largest[0], height / largest[1]), 0.0))


def best_columns(
    sizes: Items[tuple[int, int]],
    area: tuple[int, int],
    strip: float,
    current: int = 0,
    narrowest: float = 0.0,
) -> int:
    """Number of columns that shows the pictures largest; ``current`` unless another is better.

    No pane becomes narrower than ``narrowest`` widget points as long as that can be had.
    """
    count = len(sizes)
    wide = [n for n in range(1, count + 1) if (area[0] + GAP) / n - GAP >= narrowest]
    scales = {n: picture_scale(n, sizes, area, strip) for n in wide or [1]}
    # Of equals the one with fewer empty places, then the wider one.
    best = max(scales, key=lambda n: (round(scales[n], 6), -(-count % n), n))
    if current in scales and scales[best] <= scales[current] * _BETTER:
        return current
    return best


def cells(count: int, columns: int, area: QRect) -> list[QRect]:
    """Rectangles of ``count`` panes row by row, together covering ``area`` but for the gaps.

    The panes of a last row that is not full are as wide as the others and stand in its middle.
    """
    rows = -(-count // columns)
    rects = []
    for index in range(count):
        row, column = divmod(index, columns)
        missing = columns - (count - row * columns) if row == rows - 1 else 0
        left, right = (
            area.left() + round((column + add + missing / 2) * (area.width() + GAP) / columns)
            for add in (0, 1)
        )
        top, bottom = (
            area.top() + round((row + add) * (area.height() + GAP) / rows) for add in (0, 1)
        )
        rects.append(QRect(left, top, right - left - GAP, bottom - top - GAP))
    return rects


class PaneGrid(QWidget):
    """Panes for all views of the open recording, or one of them enlarged.

    Signals
    -------
    person_clicked(track), menu_requested(position, keypoint) : see :class:`VideoPane`.
    enlarged_changed(view) : one pane is shown alone, or (-1) all are shown.
    """

    person_clicked = Signal(int)
    menu_requested = Signal(QPoint, int)
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
        self._options = OverlayOptions()
        self._line = QColor(DARK.line)
        self.setAccessibleName("Video panes")
        selection.changed.connect(self._follow_selection)

    def set_views(self, n: int) -> None:
        """Show ``n`` new panes for the views of the document that is now open."""
        for pane in self.panes:
            pane.hide()
            pane.setParent(None)
            pane.deleteLater()
        self.enlarged, self.columns = -1, 0
        self.panes = tuple(self._new_pane(view) for view in range(n))
        self._arrange()

    def _new_pane(self, view: int) -> VideoPane:
        pane = VideoPane(
            view, self.document, self.time_cursor, self.selection, self.editor, parent=self
        )
        pane.set_options(self._options)
        pane.enlarge_requested.connect(self.enlarge)
        pane.person_clicked.connect(self.person_clicked)
        pane.menu_requested.connect(self.menu_requested)
        return pane

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

    def fit_all(self) -> None:
        """Show the whole picture in every pane."""
        for pane in self.panes:
            pane.fit()

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
        return QSize(240, 160)

    def _arrange(self) -> None:
        if not self.panes:
            self.update()
            return
        if self.enlarged >= 0:
            places = {self.enlarged: self.rect()}
        else:
            sizes = [pane.picture_size for pane in self.panes]
            strip = self.panes[0].strip_height()
            area = (self.width(), self.height())
            narrowest = max(pane.minimumSizeHint().width() for pane in self.panes)
            self.columns = best_columns(sizes, area, strip, self.columns, narrowest)
            places = dict(enumerate(cells(len(self.panes), self.columns, self.rect())))
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
