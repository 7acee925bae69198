"""A low-pass filter without phase for points over time, each sample by its weight."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solveh_banded

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

_DIFFERENCE = 3  # order of the difference that is penalised: 60 dB per decade twice
_HARD = 1e6  # weight of a sample that must stay where it is, against one


def penalty_of(cutoff: float, rate: float, order: int = _DIFFERENCE) -> float:
    """The weight of squared differences that makes the gain at ``cutoff`` one over root two.

    A penalised least-squares smoother has the gain 1 / (1 + penalty * (2 sin(pi f / rate))^(2
    order)) (Eilers, Anal Chem 75:3631, 2003).

    Parameters
    ----------
    cutoff, rate : float
        Hz, with 0 < cutoff < rate / 2.
    """
    if not 0.0 < cutoff < rate / 2.0:
        raise ValueError(f"a cutoff of {cutoff:g} Hz is impossible at {rate:g} frames per second")
    step = 2.0 * math.sin(math.pi * cutoff / rate)
    return (math.sqrt(2.0) - 1.0) / step ** (2 * order)


def lowpass(
    values: FloatArray,
    weights: FloatArray,
    rate: float,
    cutoff: float,
    hard: BoolArray | None = None,
    longest_gap: int | None = None,
) -> FloatArray:
    """Smooth series over time, each sample by its weight; no phase shift.

    Where samples are missing the curve goes on as smoothly as it can. In a series of equal weights
    the gain at ``cutoff`` is one over root two, see :func:`penalty_of`; weights below one are
    smoothed more, ``hard`` samples not at all.

    Parameters
    ----------
    values : (T, ..., D) array
        NaN where missing.
    weights : (T, ...) array
        Not negative; zero for missing. One for a sample of usual precision.
    rate, cutoff : float
        Hz.
    hard : (T, ...) array, optional
        Samples that stay where they are (within a thousandth of what filtering would move them).
    longest_gap : int, optional
        Gaps of more frames than this stay NaN; by default the rate, one second.

    Returns
    -------
    (T, ..., D) array
        NaN before the first and after the last sample, and in long gaps.
    """
    n_frames, n_dims = len(values), values.shape[-1]
    series = np.ascontiguousarray(values, np.float64).reshape(n_frames, -1, n_dims)
    weight = np.array(weights, np.float64).reshape(n_frames, -1)
    known = np.isfinite(series).all(axis=-1) & (weight > 0.0)
    if hard is not None:
        weight = np.where(hard.reshape(n_frames, -1), _HARD, weight)
    gap = round(rate) if longest_gap is None else longest_gap
    penalty = penalty_of(cutoff, rate)
    smooth = np.full_like(series, np.nan)
    for column in range(series.shape[1]):
        for start, stop in _runs(known[:, column], gap):
            part = known[start:stop, column]
            data = np.where(part[:, None], series[start:stop, column], 0.0)
            smooth[start:stop, column] = _smoothed(
                data, np.where(part, weight[start:stop, column], 0.0), penalty
            )
    return smooth.reshape(values.shape)


def _runs(known: BoolArray, longest_gap: int) -> list[tuple[int, int]]:
    """Stretches of samples with no gap longer than ``longest_gap``, as half-open ranges."""
    at = np.flatnonzero(known)
    if not len(at):
        return []
    breaks = np.flatnonzero(np.diff(at) > longest_gap + 1)
    starts = np.concatenate([at[:1], at[breaks + 1]])
    stops = np.concatenate([at[breaks], at[-1:]]) + 1
    return [(int(start), int(stop)) for start, stop in zip(starts, stops, strict=True)]


def _smoothed(data: FloatArray, weight: FloatArray, penalty: float) -> FloatArray:
    if np.count_nonzero(weight) <= _DIFFERENCE:  # a parabola goes through: nothing to smooth
        return _through(data, weight)
    bands = penalty * _squared_differences(len(data))
    bands[-1] += weight
    return np.asarray(solveh_banded(bands, weight[:, None] * data), np.float64)


def _through(data: FloatArray, weight: FloatArray) -> FloatArray:
    """Straight lines between at most three samples."""
    at = np.flatnonzero(weight)
    frames = np.arange(len(data))
    return np.stack([np.interp(frames, at, data[at, axis]) for axis in range(data.shape[1])], -1)


def _squared_differences(n: int) -> FloatArray:
    """Upper bands of D^T D, D the differences of order three of ``n`` samples."""
    stencil = np.array([1.0])
    for _ in range(_DIFFERENCE):
        stencil = np.convolve(stencil, [1.0, -1.0])
    bands = np.zeros((_DIFFERENCE + 1, n))
    for shift in range(_DIFFERENCE + 1):
        row = bands[_DIFFERENCE - shift]
        for first in range(_DIFFERENCE + 1 - shift):
            product = stencil[first] * stencil[first + shift]
            row[first + shift : n - _DIFFERENCE + first + shift] += product
    return bands
