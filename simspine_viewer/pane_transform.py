"""Between the pixels of a picture and the points of the widget that shows it.

Picture coordinates have pixel *centres* at integers, so pixel (0, 0) covers the square from -0.5 to
0.5. Widget coordinates are Qt's logical points; the device pixel ratio does not enter here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class PaneTransform:
    """``widget = (picture + 0.5) * scale + offset``.

    ``scale`` is in widget points per picture pixel; ``offset`` (x, y) is where the picture's outer
    top left corner lies in the widget.
    """

    scale: float = 1.0
    offset: tuple[float, float] = (0.0, 0.0)

    def to_widget(self, picture: ArrayLike) -> FloatArray:
        """Widget coordinates of (..., 2) picture coordinates; NaN stays NaN."""
        return (np.asarray(picture, np.float64) + 0.5) * self.scale + self.offset

    def to_picture(self, widget: ArrayLike) -> FloatArray:
        """Picture coordinates of (..., 2) widget coordinates."""
        return (np.asarray(widget, np.float64) - self.offset) / self.scale - 0.5

    def scaled_at(self, scale: float, anchor: tuple[float, float]) -> PaneTransform:
        """Another scale, with the picture under the widget position ``anchor`` staying there."""
        ratio = scale / self.scale
        x, y = (a + (o - a) * ratio for a, o in zip(anchor, self.offset, strict=True))
        return PaneTransform(scale, (x, y))

    def moved(self, dx: float, dy: float) -> PaneTransform:
        """Shifted by (dx, dy) widget points."""
        return PaneTransform(self.scale, (self.offset[0] + dx, self.offset[1] + dy))


def fitted(
    size: tuple[int, int], area: tuple[float, float, float, float], margin: float = 0.0
) -> PaneTransform:
    """The transform that shows a whole picture as large as possible, centred.

    Parameters
    ----------
    size : (int, int)
        Width and height of the picture in pixels.
    area : (x, y, width, height)
        Where to show it, in widget points.
    margin : float
        Kept free on every side, in widget points.
    """
    x, y, width, height = area
    inner_width, inner_height = max(width - 2 * margin, 1.0), max(height - 2 * margin, 1.0)
    scale = min(inner_width / max(size[0], 1), inner_height / max(size[1], 1))
    left = x + (width - size[0] * scale) / 2
    top = y + (height - size[1] * scale) / 2
    return PaneTransform(scale, (left, top))
