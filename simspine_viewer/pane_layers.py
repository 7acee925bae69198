"""What of a pane stands still while a point is dragged, painted once and kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPoint, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPixmap

from simspine_viewer.overlay_scene import OverlayScene
from simspine_viewer.pane_transform import PaneTransform

Paint = Callable[[QPainter], None]
_MARK = 16.0  # widget points that a mark reaches out from its point


@dataclass(slots=True)
class _Kept:
    key: tuple[object, ...] = ()
    pixmap: QPixmap | None = None


class PaneLayers:
    """A picture of all that lies below the moving things, and one of the still points above.

    To copy them takes a tenth of the time of painting what is on them.
    """

    def __init__(self) -> None:
        self._ground, self._still = _Kept(), _Kept()

    def drop(self) -> None:
        """Something on them looks different now."""
        self._ground.pixmap = self._still.pixmap = None

    def paint(
        self,
        painter: QPainter,
        size: QSize,
        ratio: float,
        key: tuple[object, ...],
        steps: tuple[Paint, Paint, Paint],
        still_at: tuple[QRect, object],
    ) -> None:
        """Paint ground, what moves below the points, and what stands still.

        Parameters
        ----------
        size : QSize
            Of the pane in widget points; ``ratio`` device pixels to each.
        key : tuple
            What the kept layers depend on besides what :meth:`drop` is called for.
        steps : (ground, below, still)
        still_at : (QRect, object)
            Where in the pane the still things are, and what they depend on besides ``key``.
        """
        still_rect, still_key = still_at
        ground, below, still = steps
        whole, full = (*key, size.width(), size.height(), ratio), QRect(QPoint(0, 0), size)
        painter.drawPixmap(0, 0, self._kept(self._ground, whole, full, ratio, ground, True))
        below(painter)
        where = (*whole, still_rect.getRect(), still_key)
        kept = self._kept(self._still, where, still_rect, ratio, still, False)
        painter.drawPixmap(still_rect.topLeft(), kept)

    def _kept(
        self,
        kept: _Kept,
        key: tuple[object, ...],
        rect: QRect,
        ratio: float,
        paint: Paint,
        opaque: bool,
    ) -> QPixmap:
        if kept.pixmap is None or kept.key != key:
            pixmap = QPixmap(rect.size() * ratio)
            pixmap.setDevicePixelRatio(ratio)
            pixmap.fill(Qt.GlobalColor.black if opaque else Qt.GlobalColor.transparent)
            with QPainter(pixmap) as painter:
                painter.translate(-rect.topLeft())
                paint(painter)
            kept.key, kept.pixmap = key, pixmap
        return kept.pixmap


def still_rect(scene: OverlayScene, transform: PaneTransform, clear: QRectF, names: bool) -> QRect:
    """Where the still points are, with all that is drawn around them; whole pixels."""
    if names:
        return clear.toAlignedRect()
    still = np.arange(len(scene.xy)) != scene.moving
    both = np.concatenate([scene.xy[still], scene.reprojected[still]])
    handles = transform.to_widget(both)
    known = handles[np.isfinite(handles[:, 0])]
    if scene.ellipse is not None:
        known = np.concatenate([known, transform.to_widget(scene.ellipse)])
    if scene.spread is not None:
        around = np.concatenate([scene.xy - scene.spread, scene.xy + scene.spread])
        known = np.concatenate([known, transform.to_widget(around[np.isfinite(around[:, 0])])])
    if not len(known):
        return QRect(0, 0, 1, 1)
    reach = 1e6  # what a rectangle of whole numbers can hold
    left, top = np.clip(known.min(axis=0) - _MARK, -reach, reach).tolist()
    right, bottom = np.clip(known.max(axis=0) + _MARK, -reach, reach).tolist()
    rect = QRectF(left, top, right - left, bottom - top) & clear
    return rect.toAlignedRect() if rect.isValid() else QRect(0, 0, 1, 1)
