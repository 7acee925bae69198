"""Levels of the column that nobody measured, told by the levels beside them and by other frames.

What measured levels lie off the model's markers is mostly the same along a piece of the column and
from frame to frame: a back that is longer or rounder than the model's, or lies at another depth.
So these residuals, in the axes of each level's own bone, are interpolated along the column as a
Gaussian process whose mean is the model. Between measured levels an unmeasured one comes along with
them; far from any it stays where the model has it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import fftconvolve

from pipeline.data.source import Source
from pipeline.kinematics.forward import body_transforms, marker_positions
from pipeline.kinematics.measured import Measured, trust_of
from pipeline.kinematics.model import KinematicModel
from pipeline.kinematics.published import CHAIN

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

# The process, in metres: SD of what neighbours share and how far along the column they share it,
# and SD of what each level has for itself, across the column and along it, where it is hardest to
# tell which vertebra is which. From people made with columns that are not the model's
# (benchmarks/unmeasured_levels.py): their error is flat around these values.
_SHARED, _REACH = 0.012, 0.12
_OWN = np.array([0.005, 0.009, 0.005])  # forward, along, to the right
# Where nothing is measured near, the model's SD also holds that nobody sees how the column bends.
# That is told by levels of the same region.
_BENDING, _REGION = 0.025, 0.2
# SD of what changes of a level's residual over some seconds: skin over the spinous processes moves
# against them by 5 to 10 mm in bending.
_CHANGE = 0.008
_UNKNOWN = 1e3  # m; noise of what is not there
_BLOCK = 4096  # frames whose matrices are in memory at once


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """The simulated column, moved to where its measured levels say that it is.

    Attributes
    ----------
    places : tuple of int
        The L keypoints of the column that the model has, from below.
    xyz : (T, L, 3) array
        Metres: levels that were measured in a frame where the model has them, others moved.
    sigma : (T, L) array
        SD of these, metres; that of the model where nothing was measured near.
    lengths : (T, L - 1) array
        Metres between neighbours: the model's, or of the moved column where one of the two was not
        measured.
    between : (T, L) bool array
        Unmeasured levels with levels placed by hand below and above them in the same frame.
    """

    places: tuple[int, ...]
    xyz: FloatArray
    sigma: FloatArray
    lengths: FloatArray
    between: BoolArray


def column_of(
    model: KinematicModel,
    measured: Measured,
    coordinates: FloatArray,
    virtual: FloatArray,
    model_sigma: FloatArray,
    reach: float,
) -> Column:
    """Move the simulated levels that were not measured as the measured ones lie off the model.

    Parameters
    ----------
    model : KinematicModel
        Its markers are those of ``measured``.
    measured : Measured
    coordinates : (T, Q) array
        Of the model; NaN where there are none.
    virtual : (T, K, 3) array
        The model's markers there, metres; NaN for keypoints that it does not have.
    model_sigma : (K,) array
        Metres: how well each marker stands for its keypoint.
    reach : float
        Seconds before and after a frame in which a level still tells of itself; 0 where the poses
        of frames near each other do not agree.
    """
    chain = [measured.names.index(name) for name in CHAIN if name in measured.names]
    places = [place for place in chain if np.isfinite(model_sigma[place])]
    made = virtual[:, places]
    if len(places) < 2:  # a model without a column
        sigma = np.broadcast_to(model_sigma[places], made.shape[:2])
        still = np.zeros(made.shape[:2], np.bool_)
        return Column(tuple(places), made, sigma, np.zeros((len(made), 0)), still)
    seen = np.asarray(np.isfinite(measured.xyz[:, places] - made).all(axis=-1), np.bool_)
    turned = _turns(model, coordinates, model.marker_bodies[places])
    own = np.einsum("tlij,tli->tlj", turned, measured.xyz[:, places] - made)
    own = np.where(seen[..., None], own, 0.0)
    by_hand = seen & (measured.manual[:, places] != Source.NONE)
    # A point placed by hand is the label, so that its neighbours go where it is.
    noise = np.where(seen & ~by_hand, trust_of(measured)[:, places], 0.0)
    told, variance, share = _over_time(own, noise**2, seen, round(reach * measured.rate))
    at = _along(model, places)
    shifts, variances, blind = _along_column(at, told, variance)
    # A level alone cannot tell whether the column is off or only itself.
    enough = np.clip(share.sum(axis=1, keepdims=True) - 1.0, 0.0, 1.0)
    shifts *= enough[..., None]
    whole = model_sigma[places] ** 2
    left = variances + blind * np.maximum(whole - variances, 0.0)
    sigma = np.sqrt(np.minimum(enough * left + (1.0 - enough) * whole, whole))
    moved = made + np.einsum("tlij,tlj->tli", turned, shifts)
    lengths = np.linalg.norm(np.diff(made, axis=1), axis=-1)
    guessed = ~(seen[:, 1:] & seen[:, :-1])
    lengths[guessed] = np.linalg.norm(np.diff(moved, axis=1), axis=-1)[guessed]
    return Column(
        tuple(places),
        np.where(seen[..., None], made, moved),
        np.where(seen, model_sigma[places], sigma),
        lengths,
        _between(by_hand) & ~seen,
    )


def _between(by_hand: BoolArray) -> BoolArray:
    below = np.logical_or.accumulate(by_hand, axis=1)
    above = np.logical_or.accumulate(by_hand[:, ::-1], axis=1)[:, ::-1]
    return np.asarray(below & above, np.bool_)


def _blocks(frames: int) -> list[tuple[int, int]]:
    return [(low, min(low + _BLOCK, frames)) for low in range(0, max(frames, 1), _BLOCK)]


def _turns(model: KinematicModel, coordinates: FloatArray, bodies: NDArray[np.intp]) -> FloatArray:
    """(T, L, 3, 3) ground_from_body, turns only."""
    parts = [
        body_transforms(model, coordinates[low:high])[:, bodies, :, :3]
        for low, high in _blocks(len(coordinates))
    ]
    return np.concatenate(parts)


def _along(model: KinematicModel, places: list[int]) -> FloatArray:
    """(L,) metres along the column, in the model's usual pose."""
    column = marker_positions(model, model.default)[places]
    steps = np.linalg.norm(np.diff(column, axis=0), axis=-1)
    return np.concatenate([[0.0], np.cumsum(steps)])[: len(places)]


def _over_time(
    own: FloatArray, variance: FloatArray, seen: BoolArray, frames: int
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Residuals, those of frames near in time where a level is missing, and what these count.

    (T, L, 3) metres, (T, L) their variance, and (T, L) 1 where a level was measured in the frame
    itself, less the longer ago that was, 0 beyond the reach.
    """
    n_frames = len(own)
    weight = _fading(np.arange(-frames, frames + 1) / (frames + 1))
    values = np.concatenate([own, variance[..., None], np.ones((*own.shape[:2], 1))], axis=-1)
    values = np.where(seen[..., None], values, 0.0)
    around = fftconvolve(values, weight[:, None, None], axes=0)[frames : frames + n_frames]
    order = np.arange(float(n_frames))[:, None]
    before = np.maximum.accumulate(np.where(seen, order, -np.inf), axis=0)
    after = np.minimum.accumulate(np.where(seen, order, np.inf)[::-1], axis=0)[::-1]
    share = _fading(np.minimum(order - before, after - order) / (frames + 1))
    mean = around[..., :4] / np.where(share > 0.0, around[..., 4], np.inf)[..., None]
    with np.errstate(divide="ignore"):
        changed = np.minimum(_CHANGE**2 * (1.0 / share - 1.0), _UNKNOWN**2)
    told = np.where(seen[..., None], own, mean[..., :3])
    return told, np.where(seen, variance, np.maximum(mean[..., 3], 0.0) + changed), share


def _fading(apart: FloatArray) -> FloatArray:
    """From 1 at 0 to 0 at 1, without a step there."""
    return np.asarray(np.clip(1.0 - apart**2, 0.0, None) ** 2)


def _along_column(
    at: FloatArray, told: FloatArray, variance: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Shifts of all levels, their variance, and the part of the bending that nobody sees.

    (T, L, 3) metres, (T, L) square metres, the mean over the axes, and (T, L) from 0 to 1.
    """
    near = ((at[:, None] - at) / _REACH) ** 2
    shared, each = _SHARED**2 * np.exp(-0.5 * near), np.eye(len(at))
    bending = _BENDING**2 * np.exp(-0.5 * near * (_REACH / _REGION) ** 2)
    shifts, left, blind = np.empty(told.shape), np.zeros(variance.shape), np.empty(variance.shape)
    for low, high in _blocks(len(told)):
        noise = variance[low:high, :, None] * each
        for axis, own in enumerate(_OWN):
            # What a level has for itself it keeps from frame to frame, but its neighbours do not.
            prior = shared + own**2 * each
            gain, part = _regression(prior, noise)
            shifts[low:high, :, axis] = np.einsum("tij,tj->ti", gain, told[low:high, :, axis])
            left[low:high] += part * np.diag(prior) / len(_OWN)
        blind[low:high] = _regression(bending, noise + np.mean(_OWN**2) * each)[1]
    return shifts, left, blind


def _regression(prior: FloatArray, noise: FloatArray) -> tuple[FloatArray, FloatArray]:
    """(T, L, L) gains on data and (T, L) the parts of the prior's variances that are left."""
    data = prior + noise
    gain = np.linalg.solve(data, np.broadcast_to(prior, data.shape)).swapaxes(1, 2)
    known = np.einsum("tij,ji->ti", gain, prior) / np.diag(prior)
    return np.asarray(gain, np.float64), np.clip(1.0 - known, 0.0, 1.0)
