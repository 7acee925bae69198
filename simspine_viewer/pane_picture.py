"""Drawing a decoded picture at any zoom: fast while things move, smooth once they rest."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRect, QRectF
from PySide6.QtGui import QImage, QPainter

from simspine_viewer.pane_transform import PaneTransform

# From here on single pixels are to be seen and counted.
PIXEL_EXACT_SCALE = 3.0


def borrowed_image(pixels: NDArray[np.uint8]) -> QImage:
    """A QImage over the memory of a C-contiguous (H, W, 4) BGRA array, which must outlive it."""
    height, width, _ = pixels.shape
    # Read-only: a writable QImage would ask numpy for a writable buffer.
    return QImage(pixels.data, width, height, pixels.strides[0], QImage.Format.Format_RGB32)


class PicturePainter:
    """Keeps the picture of a pane and its smoothly reduced copy.

    Pixels may be fewer than those of the video: places are in pixels of the video (the source), and
    the picture is drawn over all of it.
    """

    def __init__(self) -> None:
        self._pixels: NDArray[np.uint8] | None = None
        self._size: tuple[int, int] | None = None
        self._image = QImage()
        self._reduced_pixels: NDArray[np.uint8] | None = None
        self._reduced = QImage()

    @property
    def size(self) -> tuple[int, int] | None:
        """Width and height of the source in pixels, None without a picture."""
        return self._size

    def set_pixels(
        self, pixels: NDArray[np.uint8] | None, size: tuple[int, int] | None = None
    ) -> None:
        """Another picture, or none; ``size`` of the source, where the pixels are fewer."""
        # The image first: it borrows the memory of the array.
        self._image = QImage() if pixels is None else borrowed_image(pixels)
        self._pixels = pixels
        self._size = None if pixels is None else size or (pixels.shape[1], pixels.shape[0])
        self._drop_reduced()

    def _drop_reduced(self) -> None:
        self._reduced = QImage()
        self._reduced_pixels = None

    def paint(
        self,
        painter: QPainter,
        transform: PaneTransform,
        area: QRectF,
        device_pixel_ratio: float,
        smooth: bool,
    ) -> None:
        """Draw what ``area`` shows of the picture; ``smooth`` where there is time for it."""
        size = self.size
        if size is None:
            return
        # Picture pixels per source pixel, across and down.
        across, down = self._image.width() / size[0], self._image.height() / size[1]
        device_scale = transform.scale * device_pixel_ratio
        if smooth and device_scale < min(across, down):
            width, height = (max(round(length * device_scale), 1) for length in size)
            image = self._reduced_to(width, height)
            painter.drawImage(_on_widget(QRect(0, 0, *size), transform), image)
            return
        # Only the visible pixels: Qt's fixed-point steps drift over a picture enlarged as a whole.
        scale, (x, y) = transform.scale, transform.offset
        left, top = math.floor((area.left() - x) / scale), math.floor((area.top() - y) / scale)
        right = math.ceil((area.right() - x) / scale)
        bottom = math.ceil((area.bottom() - y) / scale)
        shown = QRect(left, top, right - left, bottom - top) & QRect(0, 0, *size)
        if shown.isEmpty():
            return
        is_coarse = min(across, down) < 1.0
        painter.setRenderHint(
            QPainter.RenderHint.SmoothPixmapTransform,
            smooth and (is_coarse or 1.0 < transform.scale < PIXEL_EXACT_SCALE),
        )
        part = QRectF(
            shown.x() * across, shown.y() * down, shown.width() * across, shown.height() * down
        )
        painter.drawImage(_on_widget(shown, transform), self._image, part)

    def _reduced_to(self, width: int, height: int) -> QImage:
        """The picture averaged down to device pixels; Qt's own filter would alias below a half."""
        if (self._reduced.width(), self._reduced.height()) != (width, height):
            assert self._pixels is not None
            self._reduced_pixels = reduced(self._pixels, width, height)
            self._reduced = borrowed_image(self._reduced_pixels)
        return self._reduced


def _on_widget(pixels: QRect, transform: PaneTransform) -> QRectF:
    """Where a block of whole pixels lies in the widget."""
    scale, (x, y) = transform.scale, transform.offset
    left, top = pixels.x() * scale + x, pixels.y() * scale + y
    return QRectF(left, top, pixels.width() * scale, pixels.height() * scale)


def reduced(pixels: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """An (H, W, 4) picture averaged down to ``height`` by ``width``.

    Halved as often as it goes, then interpolated: a sixth of the time of one INTER_AREA step from
    1080 x 1920 to 200 x 355 (4 and 26 ms measured).
    """
    import cv2  # not at start

    out = pixels
    while out.shape[1] >= 2 * width and out.shape[0] >= 2 * height:
        out = cv2.resize(out, (out.shape[1] // 2, out.shape[0] // 2), interpolation=cv2.INTER_AREA)
    out = cv2.resize(out, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.ascontiguousarray(out, np.uint8)
