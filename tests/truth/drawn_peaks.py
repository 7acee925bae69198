"""Peaks drawn at places that are known, as a perfect pose network would give them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]
INPUT = (192, 256)
SIMCC_SIGMA = (4.9, 5.66)  # bins, RTMPose's configurations
HEAT_SIGMA = 2.0  # cells
CELLS = (48, 64)


def sample_places(n: int = 60, seed: int = 3, margin: float = 30.0) -> NDArray[np.float64]:
    """(n, 2) places in pixels of the input, away from its border."""
    rng = np.random.default_rng(seed)
    return rng.uniform(margin, np.array(INPUT) - margin, (n, 2))


def bump_rows(places: NDArray[np.float64], noise: float = 0.0) -> tuple[FloatArray, FloatArray]:
    """Rows of bins, two to a pixel, (n, 384) and (n, 512), each with a Gaussian of height 0.9."""
    rng = np.random.default_rng(1)
    rows = []
    for axis in (0, 1):
        bins = np.arange(2 * INPUT[axis])
        away = (bins - 2 * places[:, axis : axis + 1]) / SIMCC_SIGMA[axis]
        rows.append(0.9 * np.exp(-(away**2) / 2) + noise * rng.standard_normal(away.shape))
    return rows[0].astype(np.float32), rows[1].astype(np.float32)


def cells_of(places: NDArray[np.float64], codec: str) -> NDArray[np.float64]:
    """Places in cells: four pixels to a cell, or corner on corner (``udp``)."""
    if codec == "msra":
        return places / 4
    return places * (np.array(CELLS) - 1) / (np.array(INPUT) - 1)


def heat_pictures(places: NDArray[np.float64], codec: str) -> FloatArray:
    """(n, 64, 48) heatmaps with a Gaussian of height 0.8 at each place."""
    x, y = cells_of(places, codec).T[:, :, None, None]
    rows, columns = np.mgrid[: CELLS[1], : CELLS[0]]
    away = (columns - x) ** 2 + (rows - y) ** 2
    heat: FloatArray = (0.8 * np.exp(-away / (2 * HEAT_SIGMA**2))).astype(np.float32)
    return heat
