"""Where a network's output says each keypoint is, how sure that is, and its score.

A network trained on Gaussian labels gives, where it is unsure, the mean of the labels at all places
that it thinks possible: a wider and lower peak. Its width beyond the label's own is therefore the
standard deviation of the place.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.models.variants import Codec

FloatArray = NDArray[np.floating]
Refinement = Literal["mmpose", "subbin"]

# Labels of RTMPose: σ² = side/8 bins² gives 4.9, 5.66 (256×192) and 6.0, 6.93 (384×288).
_SIMCC_SIGMA_DIVISOR = 8
_SIMCC_BINS_PER_PIXEL = 2
# The loss compares softmax(10·label) with softmax(10·logits) (KLDiscretLoss, beta = label_beta).
_SIMCC_BETA = 10.0
_HEAT_SIGMA = 2.0  # cells, all of mmpose's 256×192 heatmap configurations
_HEAT_STEP = 4  # pixels
_DARK_KERNEL = 11  # cells, blur_kernel_size of mmpose's heatmap codecs
_WINDOW = 4.0  # label σ on each side that count for the width
# Labels stand on whole bins, so nothing is known better than within one.
_LEAST_SD = 1 / np.sqrt(12)


@dataclass(frozen=True, slots=True, eq=False)
class Decoded:
    """Keypoints in pixels of the network's input.

    ``points`` (N, K, 2), not a number where there is no peak; ``scores`` (N, K), the height of
    the peak, for SimCC the lower one of x and y as in mmpose; ``sd`` (N, K, 2), standard deviation
    of x and y.
    """

    points: FloatArray
    scores: FloatArray
    sd: FloatArray


def decode_simcc(x: FloatArray, y: FloatArray, refine: Refinement = "subbin") -> Decoded:
    """Keypoints from logits over bins, (N, K, 2w) and (N, K, 2h).

    ``mmpose`` takes the highest bin, ``subbin`` the vertex of a parabola through the bins around
    it.
    """
    axes = [_decode_rows(np.asarray(rows), refine) for rows in (x, y)]
    places, heights, sd = (np.stack(part, axis=-1) for part in zip(*axes, strict=True))
    scores = heights.min(axis=-1)
    points = np.where(scores[..., None] > 0, places / _SIMCC_BINS_PER_PIXEL, np.nan)
    return Decoded(points, scores, sd / _SIMCC_BINS_PER_PIXEL)


def decode_heatmaps(
    heat: FloatArray, codec: Codec, size: tuple[int, int], refine: Refinement = "subbin"
) -> Decoded:
    """Keypoints from heatmaps (N, K, h, w).

    ``mmpose`` does what the codec does by itself: a quarter of a cell towards the higher
    neighbour (``msra``), or DARK (``udp``). ``subbin`` is DARK (Zhang et al. 2020) for both: the
    vertex of the blurred heatmap's logarithm.

    Parameters
    ----------
    heat : array (N, K, h, w)
    codec : str
        ``msra`` or ``udp``.
    size : (w, h)
        The network's input, pixels.
    refine : str
    """
    maps = np.asarray(heat, np.float32).reshape(-1, *heat.shape[-2:])
    height, width = maps.shape[1:]
    best = maps.reshape(len(maps), -1).argmax(axis=1)
    cells = np.stack((best % width, best // width), axis=-1)
    scores = maps[np.arange(len(maps)), cells[:, 1], cells[:, 0]]
    quarter = refine == "mmpose" and codec == "msra"
    places = cells + (_quarter(maps, cells) if quarter else _dark(maps, cells))
    places = np.where(scores[:, None] > 0, places, np.nan)
    if codec == "udp":
        pixels = (np.array(size) - 1) / (np.array((width, height)) - 1)
    else:
        pixels = np.array((_HEAT_STEP, _HEAT_STEP))
    shape = heat.shape[:2]
    sd = np.stack([_heat_sd(maps, cells, places, axis) for axis in (0, 1)], axis=-1)
    return Decoded(
        (places * pixels).reshape(*shape, 2),
        scores.reshape(shape),
        (sd * pixels).reshape(*shape, 2),
    )


def _decode_rows(rows: FloatArray, refine: Refinement) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Place, height and standard deviation of each row's peak (N, K), bins."""
    n_bins = rows.shape[-1]
    sigma = np.sqrt(n_bins / _SIMCC_BINS_PER_PIXEL / _SIMCC_SIGMA_DIVISOR)
    peak = rows.argmax(axis=-1)
    height = np.take_along_axis(rows, peak[..., None], axis=-1)[..., 0]
    place = peak.astype(np.float64)
    fine = (place + _vertex(rows, peak, round(sigma / 2))).clip(0, n_bins - 1)
    if refine == "subbin":
        place = fine
    reach = round(_WINDOW * sigma)
    bins = peak[..., None] + np.arange(-reach, reach + 1)
    inside = (bins >= 0) & (bins < n_bins)
    near = np.take_along_axis(rows, bins.clip(0, n_bins - 1), axis=-1)
    # Relative to the peak, so that nothing overflows; what all bins share is no place.
    base = np.exp(_SIMCC_BETA * (np.median(rows, axis=-1) - height))[..., None]
    weights = np.exp(_SIMCC_BETA * (near - height[..., None])) - base
    weights = np.where(inside, weights.clip(0), 0)
    label = np.exp(-((np.arange(-reach, reach + 1) / sigma) ** 2) / 2)
    own = np.exp(_SIMCC_BETA * label) - 1
    return place, height, _excess(weights, bins - fine[..., None], own, reach)


def _vertex(rows: FloatArray, peak: NDArray[np.intp], reach: int) -> FloatArray:
    """Least-squares parabola's vertex beside each peak, bins; within one bin."""
    middle = peak.clip(reach, rows.shape[-1] - 1 - reach)
    steps = np.arange(-reach, reach + 1)
    values = np.take_along_axis(rows, middle[..., None] + steps, axis=-1)
    curve, slope, _ = np.moveaxis(values @ np.linalg.pinv(np.vander(steps, 3)).T, -1, 0)
    bent = curve < 0
    vertex = middle - peak - slope / (2 * np.where(bent, curve, -1))
    return np.asarray(np.where(bent, vertex, 0).clip(-1, 1))


def _excess(weights: FloatArray, away: FloatArray, own: FloatArray, reach: int) -> FloatArray:
    """Standard deviation of weights (..., n) at distances, beyond that of the label's own."""
    total = weights.sum(axis=-1)
    spread = (weights * away**2).sum(axis=-1) / np.where(total > 0, total, 1)
    of_label = (own * np.arange(-reach, reach + 1) ** 2).sum() / own.sum()
    sd = np.sqrt((spread - of_label).clip(_LEAST_SD**2))
    return np.where(total > 0, sd, np.nan)


def _heat_sd(
    maps: FloatArray, cells: NDArray[np.intp], places: FloatArray, axis: int
) -> FloatArray:
    """Standard deviation along one axis (0: x) of each heatmap's peak (n,), cells."""
    reach = round(_WINDOW * _HEAT_SIGMA)
    steps = np.arange(-reach, reach + 1)
    padded = np.pad(maps, ((0, 0), (reach, reach), (reach, reach)))
    rows = cells[:, 1, None, None] + reach + steps[:, None]
    columns = cells[:, 0, None, None] + reach + steps
    near = padded[np.arange(len(maps))[:, None, None], rows, columns].clip(0)
    weights = near.sum(axis=1 if axis == 0 else 2)
    away = cells[:, axis, None] + steps - places[:, axis, None]
    return _excess(weights, away, np.exp(-((steps / _HEAT_SIGMA) ** 2) / 2), reach)


def _quarter(maps: FloatArray, cells: NDArray[np.intp]) -> FloatArray:
    gradient, _ = _derivatives(maps, cells)
    return 0.25 * np.sign(gradient)


def _dark(maps: FloatArray, cells: NDArray[np.intp]) -> FloatArray:
    """Step from each cell to the vertex of the blurred heatmap's logarithm; within a cell."""
    blurred = np.stack([cv2.GaussianBlur(m, (_DARK_KERNEL, _DARK_KERNEL), 0) for m in maps])
    gradient, hessian = _derivatives(np.log(blurred.clip(1e-10)), cells)
    determinant = hessian[:, 0, 0] * hessian[:, 1, 1] - hessian[:, 0, 1] ** 2
    peaked = (determinant > 1e-12) & (hessian[:, 0, 0] < 0)
    safe = np.where(peaked[:, None, None], hessian, -np.eye(2))
    step = -np.linalg.solve(safe, gradient[..., None])[..., 0]
    return np.where(peaked[:, None], step, 0).clip(-1, 1)


def _derivatives(maps: FloatArray, cells: NDArray[np.intp]) -> tuple[FloatArray, FloatArray]:
    """Gradient (n, 2) and second derivatives (n, 2, 2) at cells, zero on the border."""
    height, width = maps.shape[1:]
    x, y = cells[:, 0].clip(1, width - 2), cells[:, 1].clip(1, height - 2)
    which = np.arange(len(maps))

    def at(dx: int, dy: int) -> FloatArray:
        return np.asarray(maps[which, y + dy, x + dx], dtype=np.float64)

    gradient = np.stack((at(1, 0) - at(-1, 0), at(0, 1) - at(0, -1)), axis=-1) / 2
    xx = at(1, 0) - 2 * at(0, 0) + at(-1, 0)
    yy = at(0, 1) - 2 * at(0, 0) + at(0, -1)
    xy = (at(1, 1) - at(1, -1) - at(-1, 1) + at(-1, -1)) / 4
    hessian = np.stack((np.stack((xx, xy), -1), np.stack((xy, yy), -1)), -2)
    on_border = ((x != cells[:, 0]) | (y != cells[:, 1]))[:, None]
    return np.where(on_border, 0, gradient), np.where(on_border[..., None], 0, hessian)
