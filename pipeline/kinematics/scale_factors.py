"""Scale factors of body segments from the distances of markers over time, on plain arrays.

The rule. (1) Frames are chosen once for all measurements, as :mod:`pipeline.kinematics.
scale_frames` does: the fastest are left out, then those in which hips and knees are bent.
(2) Per chain of markers, frames that lack one of them are left out, then lengths far from the
median (by the median absolute deviation). (3) The length is the median of what is left, less
what white noise adds to a distance. (4) A factor is the mean over the measurement's chains of
length / length in the model, kept within bounds where the subject's height is known.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.kinematics.scale_frames import BoolArray, FloatArray, FrameRule, Trial, nanmedian

# Standard deviations in one median absolute deviation of normally distributed values.
_SD_PER_MAD = 1.4826
# Sum of the squares of the weights (1, -3, 3, -1) of a third difference.
_THIRD_DIFFERENCE = 20.0
_AXES = "XYZ"
# Relative change of all factors below which another round is not worth its time.
_SETTLED = 1e-4


@dataclass(frozen=True, slots=True)
class ScaleMeasurement:
    """Which bodies are scaled by the length of which markers.

    Parameters
    ----------
    name : str
        For the report.
    chains : tuple of tuple of str
        Two markers or more each, whose distances are summed from one to the next.
    bodies : tuple of (str, str)
        Body and the axes along which it is scaled, such as ``("torso", "XY")``.
    apply : bool
        Whether the measurement is used.
    """

    name: str
    chains: tuple[tuple[str, ...], ...]
    bodies: tuple[tuple[str, str], ...]
    apply: bool = True


@dataclass(frozen=True, slots=True)
class ChainLength:
    """Length of one chain of markers: ``length`` and ``spread`` (SD over frames) in metres.

    NaN, with ``n_frames`` 0, where no chosen frame has all of its markers.
    """

    markers: tuple[str, ...]
    length: float
    spread: float
    n_frames: int


@dataclass(frozen=True, slots=True)
class SegmentFactor:
    """What one measurement came to.

    Attributes
    ----------
    name, bodies
        Of the measurement.
    factor
        To be applied; NaN where nothing was measured.
    measured
        Before it was bounded.
    chains, model_lengths
        The lengths found, and those of the unscaled model, metres.
    residuals
        Length found minus length in the scaled model, metres, per chain.
    """

    name: str
    bodies: tuple[tuple[str, str], ...]
    factor: float
    measured: float
    chains: tuple[ChainLength, ...]
    model_lengths: tuple[float, ...]
    residuals: tuple[float, ...]

    @property
    def bounded(self) -> bool:
        """Whether the height given by the user overruled the markers."""
        return bool(np.isfinite(self.measured)) and self.factor != self.measured

    @property
    def n_frames(self) -> int:
        """Frames that were measured: of the chain that had most."""
        return max((chain.n_frames for chain in self.chains), default=0)

    @property
    def spread(self) -> float:
        """Standard deviation of the factor over frames; NaN where nothing was measured."""
        known = [
            chain.spread / length
            for chain, length in zip(self.chains, self.model_lengths, strict=True)
            if chain.n_frames
        ]
        return float(np.mean(known)) if known else float("nan")


def measure_chain(
    chain: Sequence[str],
    trials: Sequence[Trial],
    frames: Sequence[BoolArray],
    rule: FrameRule | None = None,
) -> ChainLength:
    """Length of a chain of markers over the chosen frames of all trials.

    Parameters
    ----------
    chain : sequence of str
        Two markers or more; trials that lack one of them are passed over.
    trials, frames : sequences
        As given to and returned by :func:`select_frames`.
    rule : FrameRule, optional
        Only its ``mad_limit`` is used.
    """
    rule = rule or FrameRule()
    found = [
        _chain_lengths(chain, trial)[here]
        for trial, here in zip(trials, frames, strict=True)
        if set(chain) <= set(trial.names)
    ]
    lengths = np.concatenate(found) if found else np.empty(0)
    lengths = lengths[np.isfinite(lengths)]
    if not len(lengths):
        return ChainLength(tuple(chain), float("nan"), float("nan"), 0)
    off = np.abs(lengths - np.median(lengths))
    lengths = lengths[off <= rule.mad_limit * _SD_PER_MAD * np.median(off) + 1e-9]
    middle = float(np.median(lengths))
    spread = _SD_PER_MAD * float(np.median(np.abs(lengths - middle)))
    return ChainLength(tuple(chain), middle, spread, len(lengths))


def _chain_lengths(chain: Sequence[str], trial: Trial) -> FloatArray:
    """(T,) metres, without what noise adds: distances of noisy points are too long on average.

    Independent noise of variance v per axis in the difference of two points lengthens d by
    about v / d, so the square by 2 v (the two axes across).
    """
    points = trial.xyz[:, [trial.names.index(name) for name in chain]]
    squared = (np.diff(points, axis=1) ** 2).sum(axis=-1)
    noise = _noise_variances(points)
    extra = 2 * (noise[:-1] + noise[1:])
    # Never more than half the square: what is lost in noise cannot be had back.
    return np.asarray(np.sqrt(np.maximum(squared - extra, squared / 2)).sum(axis=1))


def _noise_variances(points: FloatArray) -> FloatArray:
    """(M,) variance per axis of the noise that is new in every frame, from third differences."""
    if len(points) < 8:
        return np.zeros(points.shape[1])
    middle = nanmedian(np.abs(np.diff(points, n=3, axis=0)), axis=0)
    variances = (_SD_PER_MAD * middle) ** 2 / _THIRD_DIFFERENCE
    return np.asarray(np.nan_to_num(variances).mean(axis=-1))


def solve_factors(
    measurements: Sequence[ScaleMeasurement],
    lengths: Mapping[tuple[str, ...], ChainLength],
    model_lengths: Callable[[Mapping[str, FloatArray]], Mapping[tuple[str, ...], float]],
    bounds: tuple[float, float] | None = None,
    rounds: int = 1,
) -> tuple[SegmentFactor, ...]:
    """The factor of every measurement that is on.

    Parameters
    ----------
    measurements : sequence of ScaleMeasurement
        A later one overrides an earlier one where both scale an axis of a body.
    lengths : mapping
        What was measured, by chain; chains that are missing here are passed over.
    model_lengths : callable
        Lengths in metres of the chains in the model, in its default pose, scaled by the factors
        (3,) of each body that it is given; NaN among them leaves an axis as it is.
    bounds : (float, float), optional
        Smallest and largest factor.
    rounds : int
        1 compares with the unscaled model, as OpenSim's ScaleTool does. More, at most so many,
        compare again with the model as scaled so far: right also for chains that run over bodies
        of several factors.
    """
    used = [measurement for measurement in measurements if measurement.apply]
    chains = [
        tuple(lengths[c] for c in one.chains if c in lengths and lengths[c].n_frames)
        for one in used
    ]
    unscaled = current = model_lengths({})
    factors = np.array([1.0 if found else np.nan for found in chains])
    measured = factors
    for _ in range(rounds):
        ratios = np.array([_mean_ratio(found, current) for found in chains])
        measured = factors * ratios
        factors = measured if bounds is None else np.clip(measured, *bounds)
        current = model_lengths(axis_factors(used, factors))
        if np.nanmax(np.abs(ratios - 1)) < _SETTLED:
            break
    return tuple(
        SegmentFactor(
            one.name,
            one.bodies,
            float(factors[i]),
            float(measured[i]),
            chains[i],
            tuple(unscaled[chain.markers] for chain in chains[i]),
            tuple(chain.length - current[chain.markers] for chain in chains[i]),
        )
        for i, one in enumerate(used)
    )


def _mean_ratio(
    chains: Sequence[ChainLength], model_lengths: Mapping[tuple[str, ...], float]
) -> float:
    ratios = [chain.length / model_lengths[chain.markers] for chain in chains]
    return float(np.mean(ratios)) if ratios else float("nan")


def axis_factors(
    measurements: Sequence[ScaleMeasurement | SegmentFactor], factors: Sequence[float] | FloatArray
) -> dict[str, FloatArray]:
    """Factors (3,) along X, Y and Z by body; NaN where an axis has none."""
    by_body: dict[str, FloatArray] = {}
    for one, factor in zip(measurements, factors, strict=True):
        for body, axes in one.bodies:
            along = by_body.setdefault(body, np.full(3, np.nan))
            if np.isfinite(factor):
                along[[_AXES.index(axis) for axis in axes]] = factor
    return by_body
