"""Pictures of lanes: one column per device pixel, the worst frame of each column."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtGui import QColor, QImage

from simspine_viewer.lanes import Lane
from simspine_viewer.theme import Theme

FloatArray = NDArray[np.float64]

LEAST = 3  # logical pixels: one point of 37 must be seen as well
NARROWEST = 2  # logical pixels: so must one edited frame of 30 000
HATCH = 7  # logical pixels from line to line


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """Which frames each of n columns stands for.

    ``starts`` (n,) first frame of each column within ``start`` to ``stop``; several frames to a
    column where ``crowded``, else several columns to a frame.
    """

    start: int
    stop: int
    starts: NDArray[np.intp]
    crowded: bool

    def worst(self, values: FloatArray, *, low: bool = False) -> FloatArray:
        """(n,) the largest (``low``: smallest) value in each column; NaN only without any."""
        part = values[self.start : self.stop]
        if not self.crowded:
            return part[self.starts]
        reduced: FloatArray = (np.fmin if low else np.fmax).reduceat(part, self.starts)
        return reduced

    def any(self, condition: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """(n,) True where the condition holds in some frame of the column."""
        part = condition[self.start : self.stop]
        if not self.crowded:
            return part[self.starts]
        return np.asarray(np.logical_or.reduceat(part, self.starts))


def columns(first: float, span: float, n_columns: int, n_frames: int) -> Columns:
    """Columns of ``span`` visible frames from ``first`` on, side by side over a lane."""
    crowded = span >= n_columns
    offset = 0.0 if crowded else 0.5
    place = first + span * (np.arange(n_columns) + offset) / n_columns
    frames = np.clip(np.floor(place + 1e-9), 0, max(n_frames - 1, 0)).astype(np.intp)
    start = int(frames[0])
    stop = min(int(np.ceil(first + span - 1e-9)), n_frames) if crowded else int(frames[-1]) + 1
    return Columns(start, max(stop, start + 1), frames - start, crowded)


def lane_picture(
    lane: Lane,
    values: FloatArray,
    unknown: NDArray[np.bool_],
    limits: tuple[float | None, float],
    size: tuple[int, int],
    ratio: float,
    theme: Theme,
    frame_width: float = 0.0,
) -> QImage:
    """One lane as it is painted.

    Parameters
    ----------
    lane : Lane
    values : (n,) array
        The worst value of each column; NaN where there is none.
    unknown : (n,) bool array
        Columns with frames that have not been computed; hatched.
    limits : tuple
        Threshold (None: none) and the value that fills the lane.
    size : (int, int)
        Columns n and height in device pixels.
    ratio : float
        Device pixels per logical pixel.
    theme : Theme
    frame_width : float
        Device pixels of one frame; narrower ones of solid lanes are widened to be seen.
    """
    width, height = size
    threshold, full = limits
    top = height - 2.0 * ratio
    shown = np.nan_to_num(values, nan=0.0, posinf=np.inf)
    heights = np.clip(shown / full, 0.0, 1.0) * top if full > 0 else np.zeros(width)
    some = np.isfinite(values) & (values > 0)
    if lane.counts:
        heights = np.where(some, np.maximum(heights, LEAST * ratio), 0.0)
    if lane.solid:
        heights = np.where(some, top, 0.0)
        for _ in range(round(NARROWEST * ratio - max(frame_width, 1.0))):
            heights[1:] = np.maximum(heights[1:], heights[:-1])
    colours = np.full(width, _rgb(getattr(theme, lane.colour)), np.uint32)
    if threshold is not None:
        with np.errstate(invalid="ignore"):
            bad = values < threshold if lane.low_is_bad else values > threshold
        colours[bad] = _rgb(theme.bad)
        heights[bad] = np.maximum(heights[bad], LEAST * ratio)
    pixels = np.full((height, width), _rgb(theme.field), np.uint32)
    rows = np.arange(height)[:, None]
    if unknown.any():
        across = (rows + np.arange(width)) % max(round(HATCH * ratio), 2)
        pixels[(across < round(ratio)) & unknown] = _rgb(theme.muted)
    filled = rows >= height - np.rint(heights)
    pixels = np.where(filled, colours, pixels)
    image = QImage(pixels.data, width, height, 4 * width, QImage.Format.Format_RGB32)
    return image.copy()  # the array is gone when this returns


def _rgb(colour: str) -> np.uint32:
    return np.uint32(QColor(colour).rgb())
