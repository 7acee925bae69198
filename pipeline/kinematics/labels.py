"""Final labels: measured points and simulated markers put together, smoothed, the column in order.

Nothing here takes a share by decree. Each frame's point is the mean of measurement and simulation
weighted by their variances; points placed by hand stand as they are; the low-pass goes by the same
weights; and the levels of the column keep the distances that the subject's own model gives them.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from pipeline.data.source import Source
from pipeline.kinematics.smoothing import lowpass

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

#: Above what people do with their trunk, and as published (SIMSPINE filters at 5 Hz, badly).
CUTOFF = 6.0

_HARD_SIGMA = 1e-5  # m; of a point placed by hand where spacing is restored
_LINK_SIGMA = 1e-3  # m; how closely the model's distance between two levels is kept
_ROUNDS = 15
_FIRST_DAMPING = 1e3  # 1/m2; a tenth of the weight of a point with a sigma of 10 mm


@dataclass(frozen=True, slots=True, eq=False)
class Labels:
    """Labels of K keypoints over T frames.

    Attributes
    ----------
    xyz : (T, K, 3) array
        Metres; NaN where there is neither a measurement nor a simulation near in time.
    sigma : (T, K) array
        Metres, of one frame's combination, before smoothing; NaN where only time filled a gap.
    source : (T, K) u8 array
        :class:`pipeline.data.source.Source`: ``BLENDED`` where both went in.
    """

    xyz: FloatArray
    sigma: FloatArray
    source: NDArray[np.uint8]


def fuse_labels(
    measured: FloatArray,
    measured_sigma: FloatArray,
    simulated: FloatArray,
    simulated_sigma: FloatArray,
    manual: NDArray[np.uint8],
    rate: float,
    cutoff: float = CUTOFF,
    chain: tuple[int, ...] = (),
    lengths: FloatArray | None = None,
    firm: BoolArray | None = None,
) -> Labels:
    """Put measured points and simulated markers together and smooth them.

    Parameters
    ----------
    measured, simulated : (T, K, 3) arrays
        Metres; NaN where missing.
    measured_sigma, simulated_sigma : (T, K) arrays
        Standard deviation of a coordinate, metres.
    manual : (T, K) u8 array
        ``Source.MANUAL_2D`` or ``Source.MANUAL_3D`` where the measured point was placed by hand,
        else ``Source.NONE``.
    rate, cutoff : float
        Hz.
    chain : tuple of int
        Keypoints of the column, bottom to top, whose distances are kept.
    lengths : (T, L - 1) array, optional
        These distances, metres; without it, the simulated ones.
    firm : (T, K) bool array, optional
        Points that the low-pass leaves where they are, as it does those placed by hand.
    """
    by_hand = (manual != Source.NONE) & np.isfinite(measured).all(axis=-1)
    both, sigma, source = _combined(measured, measured_sigma, simulated, simulated_sigma)
    both = np.where(by_hand[..., None], measured, both)
    sigma = np.where(by_hand, measured_sigma, sigma)
    source = np.where(by_hand, manual, source).astype(np.uint8)
    hard = by_hand if firm is None else by_hand | firm
    smooth = lowpass(both, _relative(sigma), rate, cutoff, hard=hard)
    filled = np.isfinite(smooth).all(axis=-1) & (source == Source.NONE)
    source[filled] = Source.INTERPOLATED
    lost = ~np.isfinite(smooth).all(axis=-1)
    source[lost], sigma[lost] = Source.NONE, np.nan
    smooth = np.where(by_hand[..., None], measured, smooth)
    if len(chain) > 1:
        column = list(chain)
        trust = np.where(by_hand, _HARD_SIGMA, np.where(np.isfinite(sigma), sigma, np.inf))
        if lengths is None:
            lengths = link_lengths(simulated[:, column])
        smooth[:, column] = keep_spacing(smooth[:, column], trust[:, column], lengths)
    return Labels(smooth, sigma, source)


def _combined(
    measured: FloatArray,
    measured_sigma: FloatArray,
    simulated: FloatArray,
    simulated_sigma: FloatArray,
) -> tuple[FloatArray, FloatArray, NDArray[np.uint8]]:
    seen = np.isfinite(measured).all(axis=-1) & np.isfinite(measured_sigma)
    made = np.isfinite(simulated).all(axis=-1) & np.isfinite(simulated_sigma)
    with np.errstate(divide="ignore", invalid="ignore"):
        of_seen = np.where(seen, measured_sigma**-2.0, 0.0)
        of_made = np.where(made, simulated_sigma**-2.0, 0.0)
        total = of_seen + of_made
        share = (of_made / total)[..., None]
        sigma = total**-0.5
    sigma[total == 0.0] = np.nan
    xyz = np.where(seen[..., None], measured, 0.0) * (1.0 - share)
    xyz += np.where(made[..., None], simulated, 0.0) * share
    source = np.select(
        [seen & made, seen, made], [Source.BLENDED, Source.TRIANGULATED, Source.SIMULATED], 0
    )
    return xyz, sigma, source.astype(np.uint8)


def _relative(sigma: FloatArray) -> FloatArray:
    """Weights against each keypoint's usual frame, so that the cutoff is that of usual frames."""
    known = np.isfinite(sigma)
    usual = np.ones(sigma.shape[1])
    for keypoint in np.flatnonzero(known.any(axis=0)):
        usual[keypoint] = np.median(sigma[known[:, keypoint], keypoint])
    weights = np.zeros(sigma.shape)
    np.divide(usual, sigma, out=weights, where=known)
    return np.minimum(weights, 10.0) ** 2


def link_lengths(chain: FloatArray) -> FloatArray:
    """(T, L - 1) distances between neighbours of a (T, L, 3) chain; NaN where one is missing."""
    return np.asarray(np.linalg.norm(np.diff(chain, axis=1), axis=-1))


def keep_spacing(chain: FloatArray, sigma: FloatArray, lengths: FloatArray) -> FloatArray:
    """Move a chain's points as little as possible so that neighbours have given distances.

    Parameters
    ----------
    chain : (T, L, 3) array
        Metres; frames in which a point is missing stay as they are.
    sigma : (T, L) array
        How far each point may be moved, metres; infinite for one that may go anywhere.
    lengths : (T, L - 1) array
        Metres; NaN leaves the distance as it is.
    """
    out = chain.copy()
    whole = np.flatnonzero(np.isfinite(chain).all(axis=(1, 2)))
    if not len(whole):
        return out
    start = chain[whole]
    weight = np.maximum(sigma[whole], _HARD_SIGMA) ** -2.0
    wanted = _between_hard(start, sigma[whole] <= _HARD_SIGMA, lengths[whole])
    stiff = np.where(np.isfinite(wanted), _LINK_SIGMA**-2.0, 0.0)
    wanted = np.nan_to_num(wanted)
    out[whole] = _relaxed(_Springs(start, weight, wanted, stiff))
    return out


def _between_hard(chain: FloatArray, hard: BoolArray, lengths: FloatArray) -> FloatArray:
    """Lengths that fit between points that stay where they are, in the proportions given.

    Else links that are longer than the way between two of them would buckle the levels in between.
    """
    fitting = lengths.copy()
    for frame in np.flatnonzero(hard.sum(axis=1) > 1):
        way = link_lengths(chain[frame : frame + 1])[0]
        for low, high in pairwise(np.flatnonzero(hard[frame]).tolist()):
            given = lengths[frame, low:high]
            if high > low + 1 and np.isfinite(given).all():
                fitting[frame, low:high] = given * (way[low:high].sum() / given.sum())
    return fitting


@dataclass(frozen=True, slots=True, eq=False)
class _Springs:
    """Chains of N frames: where points want to be and how much, link lengths and how much."""

    start: FloatArray
    weight: FloatArray
    wanted: FloatArray
    stiff: FloatArray

    def cost(self, at: FloatArray) -> FloatArray:
        """(N,) twice the energy of each frame."""
        moved = self.weight * ((at - self.start) ** 2).sum(axis=-1)
        strained = self.stiff * (link_lengths(at) - self.wanted) ** 2
        return np.asarray(moved.sum(axis=1) + strained.sum(axis=1))


def _relaxed(springs: _Springs) -> FloatArray:
    """Levenberg-Marquardt in all frames at once, each with a damping of its own."""
    at = springs.start.copy()
    damping = np.full(len(at), _FIRST_DAMPING)
    cost = springs.cost(at)
    for _ in range(_ROUNDS):
        tried = at + _step(at, springs, damping)
        new = springs.cost(tried)
        better = new < cost
        at[better], cost[better] = tried[better], new[better]
        damping *= np.where(better, 0.2, 8.0)
    return at


def _step(at: FloatArray, springs: _Springs, damping: FloatArray) -> FloatArray:
    n_frames, n_points, _ = at.shape
    between = np.diff(at, axis=1)
    length = np.linalg.norm(between, axis=-1)
    along = between / np.maximum(length, 1e-9)[..., None]
    pulls = (springs.stiff * (length - springs.wanted))[..., None] * along
    gradient = springs.weight[..., None] * (at - springs.start)
    gradient[:, :-1] -= pulls
    gradient[:, 1:] += pulls
    blocks = springs.stiff[..., None, None] * along[..., :, None] * along[..., None, :]
    normal = np.zeros((n_frames, n_points, 3, n_points, 3))
    points, links = np.arange(n_points), np.arange(n_points - 1)
    for axis in range(3):
        normal[:, points, axis, points, axis] = springs.weight + damping[:, None]
    for here, there, sign in ((0, 0, 1), (1, 1, 1), (0, 1, -1), (1, 0, -1)):
        normal[:, links + here, :, links + there] += sign * blocks.swapaxes(0, 1)
    size = 3 * n_points
    step = np.linalg.solve(
        normal.reshape(n_frames, size, size), -gradient.reshape(n_frames, size, 1)
    )
    return np.asarray(step.reshape(at.shape), np.float64)
