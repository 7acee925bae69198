"""A widget that shows a picture below a strip, with zoom at the pointer, pan and fit."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRect, QRectF, Qt, QTimer
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QWidget

from simspine_viewer.pane_picture import PicturePainter
from simspine_viewer.pane_transform import PaneTransform, fitted
from simspine_viewer.picture import Picture

ZOOM_RANGE = (0.1, 64.0)  # widget points per picture pixel
ZOOM_STEP = 1.25  # per notch of the wheel
REST_MS = 120  # after that long without a change the picture is drawn smoothly
SURROUND = QColor("#0b0c0f")
_FIT_MARGIN = 2.0  # room for the border of the active pane

Point = tuple[float, float]


class PaneCanvas(QWidget):
    """The picture of one view and where it lies in the widget.

    ``transform`` is kept when the picture changes. Until the user zooms or pans, the whole picture
    is shown, whatever the widget's size; after that a change of size keeps the same part in view.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.transform = PaneTransform()
        self._picture: Picture | None = None
        self._pixels: NDArray[np.uint8] | None = None
        self._painter = PicturePainter()
        self._user_view = False
        self._last_fit: tuple[float, Point] | None = None
        self._rest = self._single_shot(REST_MS, self._rested)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)

    def _single_shot(self, milliseconds: int, then: Callable[[], None]) -> QTimer:
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.setInterval(milliseconds)
        timer.timeout.connect(then)
        return timer

    @property
    def picture(self) -> Picture | None:
        """What was last set."""
        return self._picture

    @property
    def picture_size(self) -> tuple[int, int]:
        """Width and height in pixels of the picture, or what is known of it before it is there."""
        return self._painter.size or self.expected_size()

    def expected_size(self) -> tuple[int, int]:
        """Size of the pictures to come."""
        return (1, 1)

    def drawn_size(self) -> tuple[int, int] | None:
        """Width and height of the picture in device pixels, None where it is enlarged."""
        scale = self.transform.scale * self.devicePixelRatioF()
        if scale >= 1.0:
            return None
        width, height = self.picture_size
        return max(round(width * scale), 1), max(round(height * scale), 1)

    def strip_height(self) -> float:
        """What is kept free above the picture, in widget points."""
        return 0.0

    def refresh(self) -> None:
        """Paint again, as anything may have changed."""
        self.update()

    def _rested(self) -> None:
        self.refresh()

    def as_shown(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The pixels of a picture as they are to be seen."""
        return pixels

    def set_picture(self, picture: Picture) -> None:
        """Show another picture, or the reason why there is none; zoom and position stay."""
        self._picture = picture
        old_size = self.picture_size
        self._take_pixels()
        if self.picture_size != old_size:
            self._refit()
        self._rest.start()
        self.refresh()

    def _take_pixels(self) -> None:
        picture = self._picture
        if picture is not None:
            pixels = picture.pixels
            self._pixels = None if pixels is None else self.as_shown(pixels)
            self._painter.set_pixels(self._pixels, picture.source_size)

    def picture_area(self) -> QRectF:
        """Part of the widget below the strip, in widget points."""
        top = self.strip_height()
        return QRectF(0, top, self.width(), max(self.height() - top, 1.0))

    @property
    def is_fitted(self) -> bool:
        """Whether the whole picture is shown, whatever the widget's size."""
        return not self._user_view

    def fit(self) -> None:
        """Show the whole picture, and again whenever the widget's size changes."""
        self._user_view = False
        self._refit()
        self._rest.start()
        self.refresh()

    def zoom(self, factor: float, anchor: Point | None = None) -> None:
        """Enlarge about a widget position (the middle by default)."""
        scale = self._within_range(self.transform.scale * factor)
        self.set_transform(self.transform.scaled_at(scale, anchor or self._centre()))

    def _within_range(self, scale: float) -> float:
        # A picture so large that it fits only below the range may be shown whole nevertheless.
        return min(max(scale, min(ZOOM_RANGE[0], self._fitted().scale)), ZOOM_RANGE[1])

    def set_transform(self, transform: PaneTransform) -> None:
        """Show another part of the picture; it stays until :meth:`fit`."""
        self.transform = transform
        self._user_view = True
        self._rest.start()
        self.refresh()

    def _fitted(self) -> PaneTransform:
        area = self.picture_area()
        rect = (area.x(), area.y(), area.width(), area.height())
        return fitted(self.picture_size, rect, _FIT_MARGIN)

    def _refit(self) -> None:
        if not self._user_view:
            self.transform = self._fitted()

    def _centre(self) -> Point:
        return point_of(self.picture_area().center())

    def resizeEvent(self, event: QResizeEvent) -> None:
        new_scale, new_centre = self._fitted().scale, self._centre()
        if self._user_view and self._last_fit is not None:
            old_scale, old_centre = self._last_fit
            scale = self._within_range(self.transform.scale * new_scale / old_scale)
            shifted = self.transform.moved(
                new_centre[0] - old_centre[0], new_centre[1] - old_centre[1]
            )
            self.transform = shifted.scaled_at(scale, new_centre)
        self._last_fit = (new_scale, new_centre)
        self._refit()
        self._rest.start()

    def wheelEvent(self, event: QWheelEvent) -> None:
        delta = event.angleDelta().y()
        if delta:
            self.zoom(ZOOM_STEP ** (delta / 120), point_of(event.position()))
        event.accept()

    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            self.paint(painter, self.devicePixelRatioF())

    def paint(self, painter: QPainter, device_pixel_ratio: float) -> None:
        """Draw everything with any painter in widget points."""
        area = self.picture_area()
        self.paint_picture(painter, area, device_pixel_ratio)
        self.paint_over(painter, area)

    def paint_picture(self, painter: QPainter, area: QRectF, device_pixel_ratio: float) -> None:
        """Draw the picture and what surrounds it."""
        painter.setFont(self.font())
        size = self._painter.size
        if size is None:
            painter.fillRect(self.rect(), SURROUND)
        else:
            scale, (left, top) = self.transform.scale, self.transform.offset
            paint_around(painter, self.rect(), QRectF(left, top, size[0] * scale, size[1] * scale))
        painter.save()
        painter.setClipRect(area)
        at_rest = not self._rest.isActive()
        self._painter.paint(painter, self.transform, area, device_pixel_ratio, at_rest)
        painter.restore()

    def paint_over(self, painter: QPainter, area: QRectF) -> None:
        """Draw over the picture, which has ``area`` to itself, and around it; unclipped."""


def paint_around(painter: QPainter, whole: QRect, picture: QRectF) -> None:
    """Fill what a picture leaves of ``whole``; to fill all of it takes as long as the picture."""
    left, top = math.ceil(picture.left()), math.ceil(picture.top())
    right, bottom = math.floor(picture.right()), math.floor(picture.bottom())
    covered = QRect(left, top, right - left, bottom - top).adjusted(1, 1, -1, -1) & whole
    if covered.isEmpty():
        painter.fillRect(whole, SURROUND)
        return
    x, y, width = covered.x(), covered.y(), whole.width()
    below, beside = y + covered.height(), x + covered.width()
    painter.fillRect(0, 0, width, y, SURROUND)
    painter.fillRect(0, below, width, whole.height() - below, SURROUND)
    painter.fillRect(0, y, x, covered.height(), SURROUND)
    painter.fillRect(beside, y, width - beside, covered.height(), SURROUND)


def paint_border(painter: QPainter, rect: QRectF, colour: QColor) -> None:
    """A border of two widget points just inside ``rect``."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    pen = QPen(colour, 2)
    pen.setJoinStyle(Qt.PenJoinStyle.MiterJoin)
    painter.setPen(pen)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRect(rect.adjusted(1, 1, -1, -1))


def point_of(position: QPointF) -> Point:
    """A Qt position as numbers."""
    return position.x(), position.y()
