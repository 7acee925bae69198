"""The simulated spine painted over a picture: a curve with a tick at each level."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QLineF, QRectF
from PySide6.QtGui import QPainter

from simspine_viewer.overlay_scene import SpineCurve
from simspine_viewer.overlay_shapes import EDGE, REACH, pen, rgba
from simspine_viewer.palette import BONE
from simspine_viewer.pane_transform import PaneTransform

FloatArray = NDArray[np.float64]

# Half the length of a tick in widget points: at each level, and at the lowest of a region. No
# longer than half the way to the next level, and left out where that is shorter than SHORTEST.
TICK, REGION_TICK, SHORTEST = 4.0, 6.5, 2.0
_THIN, _STRONG = 1.2, 2.2
LEVEL_RADIUS = 7.0  # widget points from a level, within which its name is told


def paint_spine(
    painter: QPainter, spine: SpineCurve, transform: PaneTransform, area: QRectF
) -> None:
    """The curve through the levels, and a tick across it at each of them."""
    lines = _lines(transform.to_widget(spine.xy), spine.first, area)
    width = _STRONG if spine.strong else _THIN
    for own, extra in ((EDGE, 1.6), (rgba(BONE), 0.0)):
        painter.setPen(pen(own, width + extra))
        painter.drawLines(lines)


def _lines(at: FloatArray, first: NDArray[np.bool_], area: QRectF) -> list[QLineF]:
    """Pieces of the curve and ticks, as far as they can be seen (see ``overlay_shapes.REACH``)."""
    away = np.abs(at - (area.center().x(), area.center().y())).max(axis=-1)
    known = np.asarray(away <= REACH)  # False for NaN
    along = np.zeros_like(at)
    along[1:-1], along[0], along[-1] = at[2:] - at[:-2], at[1] - at[0], at[-1] - at[-2]
    with np.errstate(invalid="ignore"):
        length = np.maximum(np.hypot(along[:, 0], along[:, 1]), 1e-9)
    own = min(0.5 * _spacing(at), TICK)
    half = np.where(first, max(REGION_TICK * own / TICK, SHORTEST), own)
    across = np.stack([-along[:, 1], along[:, 0]], axis=-1) * (half / length)[:, None]
    ticks = np.concatenate([at - across, at + across], axis=-1)
    ticks = ticks[known & np.isfinite(across[:, 0]) & (half >= SHORTEST)]
    pieces = np.concatenate([at[:-1], at[1:]], axis=-1)[known[:-1] & known[1:]]
    return [QLineF(*ends) for ends in np.concatenate([pieces, ticks]).tolist()]


def _spacing(at: FloatArray) -> float:
    """The usual way from level to level; 0 where that is not known."""
    gaps = np.hypot(*np.diff(at, axis=0).T)
    gaps = gaps[np.isfinite(gaps)]
    return float(np.median(gaps)) if len(gaps) else 0.0


def level_at(spine: SpineCurve, transform: PaneTransform, position: tuple[float, float]) -> str:
    """Name of the level under a widget position; empty where there is none."""
    gap = np.linalg.norm(transform.to_widget(spine.xy) - position, axis=1)
    gap = np.where(np.isfinite(gap), gap, np.inf)
    nearest = int(gap.argmin())
    return spine.names[nearest] if gap[nearest] <= LEVEL_RADIUS else ""
