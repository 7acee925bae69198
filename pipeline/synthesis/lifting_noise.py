"""What a detector would say of points of which only pixels and depths are known: no flesh is cast.

Sizes of errors are those of :mod:`pipeline.synthesis.detector`, taken per height of the person.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from pipeline.data.skeleton import load_skeleton, project_skeleton
from pipeline.synthesis.detector import (
    CORRELATION_SECONDS,
    HIDDEN_BIAS,
    HIDDEN_NOISE,
    WHITE_SHARE,
    keypoint_sigma,
)

FloatArray = NDArray[np.float64]
Bools = NDArray[np.bool_]

# Height in pixels of a person of 1.75 m in the demo's pictures of 640 x 640.
_DEMO_PERSON = 506.0
#: Skeletons of detectors that know nothing of the spine.
POORER = ("body_25b", "halpe_26", "coco_17", "body_25")
# A trunk hides what is this far behind its middle and this near to it in the picture, metres.
_BEHIND, _BESIDE = 0.09, 0.13
_TRUNK_WIDTH = ("left_shoulder", "right_shoulder")
_TRUNK_FOOT = ("left_hip", "right_hip")


@dataclass(frozen=True, slots=True)
class DetectorNoise:
    """How detections differ from the truth.

    Parameters
    ----------
    level : (float, float)
        Least and greatest size of errors, in those of the demo's detector; drawn evenly in the
        logarithm.
    clean : float
        How often there is no error at all and nothing is missing.
    bias : float
        Standard deviation of what lasts through a clip, in each point's sigma.
    lost : (float, float)
        How often a point of a frame is missing, seen and hidden.
    wild, wild_size : float
        How often a point is somewhere else for some frames, and how far, in heights.
    blank : float
        How often a clip has frames without anybody.
    poorer : float
        How often the detector has no points of the spine.
    occluder : float
        How often something stands before a part of the person.
    """

    level: tuple[float, float] = (0.5, 2.2)
    clean: float = 0.35
    bias: float = 0.5
    lost: tuple[float, float] = (0.01, 0.10)
    wild: float = 0.004
    wild_size: float = 0.15
    blank: float = 0.1
    poorer: float = 0.2
    occluder: float = 0.15


#: Errors of the demo's detector, without anything missing but what it loses.
DEMO_NOISE = DetectorNoise(
    level=(1.0, 1.0), clean=0.0, bias=0.0, wild=0.002, blank=0.0, poorer=0.0, occluder=0.0
)
#: The truth.
NO_NOISE = DetectorNoise(clean=1.0, poorer=0.0, blank=0.0)


@cache
def poorer_sets() -> tuple[Bools, ...]:
    """(37,) for each detector without a spine: which of our points it has."""
    target = project_skeleton()
    return tuple(load_skeleton(name).mapping_onto(target) >= 0 for name in POORER)


def hidden_by_trunk(local: FloatArray) -> Bools:
    """(T, K) points (T, K, 3) in camera axes that lie behind the trunk, roughly."""
    skeleton = project_skeleton()

    def middle(names: tuple[str, str]) -> FloatArray:
        return np.asarray(local[:, [skeleton.index(name) for name in names]].mean(axis=1))

    low, high = middle(_TRUNK_FOOT)[:, None], middle(_TRUNK_WIDTH)[:, None]
    axis, offset = (high - low)[..., :2], (local - low)[..., :2]
    length = np.maximum((axis**2).sum(axis=-1), 1e-4)
    along = np.clip((axis * offset).sum(axis=-1) / length, 0.0, 1.0)
    beside = np.linalg.norm(offset - along[..., None] * axis, axis=-1)
    depth = low[..., 2] + along * (high - low)[..., 2]
    return np.asarray((local[..., 2] - depth > _BEHIND) & (beside < _BESIDE))


def disturbed(
    rng: np.random.Generator,
    xy: FloatArray,
    hidden: Bools,
    rate: float,
    noise: DetectorNoise | None = None,
) -> tuple[FloatArray, FloatArray]:
    """Detections of true places.

    Parameters
    ----------
    xy : (T, K, 2) array
        Pixels of the project's skeleton.
    hidden : (T, K) array
        What :func:`hidden_by_trunk` says.
    rate : float
        Frames per second.

    Returns
    -------
    xy : (T, K, 2) array
        Pixels; NaN where missing.
    score : (T, K) array
        0 where missing.
    """
    noise = noise or DetectorNoise()
    n, count, _ = xy.shape
    if rng.random() < noise.clean:
        missing = np.zeros((n, count), bool)
        score = np.full((n, count), rng.uniform(0.7, 1.0))
        placed = xy.copy()
    else:
        height = float(np.median(np.ptp(xy, axis=1).max(axis=-1)))
        level = np.exp(rng.uniform(*np.log(noise.level))) * height / _DEMO_PERSON
        sigma = level * keypoint_sigma(project_skeleton())
        placed, score = _erring(rng, xy, hidden, rate, sigma, noise)
        score, missing = _gaps(rng, placed, hidden, rate, noise, height, score)
    if rng.random() < noise.blank:
        missing |= _nobody(rng, n)[:, None]
    if rng.random() < noise.poorer:
        sets = poorer_sets()
        missing |= ~sets[rng.integers(len(sets))]
    placed[missing], score[missing] = np.nan, 0.0
    return placed, score


def _erring(
    rng: np.random.Generator,
    xy: FloatArray,
    hidden: Bools,
    rate: float,
    sigma: FloatArray,
    noise: DetectorNoise,
) -> tuple[FloatArray, FloatArray]:
    n, count, _ = xy.shape
    kept = np.exp(-1.0 / (CORRELATION_SECONDS * rate))
    drive = rng.standard_normal((n, count, 2))
    drive[1:] *= np.sqrt(1.0 - kept**2)
    slow = lfilter([1.0], [1.0, -kept], drive, axis=0)
    errors = np.sqrt(1.0 - WHITE_SHARE**2) * slow + WHITE_SHARE * rng.standard_normal(slow.shape)
    heading = rng.uniform(0.0, 2.0 * np.pi, count)
    guess = HIDDEN_BIAS * np.stack([np.cos(heading), np.sin(heading)], axis=-1)
    away = hidden[..., None].astype(float)
    errors = errors * (1.0 + (HIDDEN_NOISE - 1.0) * away) + away * guess
    errors += noise.bias * rng.standard_normal((count, 2))
    score = 0.9 - 0.35 * hidden - 0.04 * np.linalg.norm(errors, axis=-1)
    score += rng.normal(0.0, 0.06) + rng.normal(0.0, 0.04, score.shape)
    return xy + sigma[:, None] * errors, np.clip(score, 0.05, 1.0)


def _gaps(
    rng: np.random.Generator,
    placed: FloatArray,
    hidden: Bools,
    rate: float,
    noise: DetectorNoise,
    height: float,
    score: FloatArray,
) -> tuple[FloatArray, Bools]:
    n, count, _ = placed.shape
    often = np.where(hidden, noise.lost[1], noise.lost[0])
    # Gaps last about a fifth of a second: a slow course below a threshold of the right share.
    block = max(1, round(CORRELATION_SECONDS * rate))
    coarse = rng.random((n // block + 2, count)).repeat(block, axis=0)
    first = rng.integers(block)
    missing = coarse[first : first + n] < often
    wild = rng.random((n // block + 2, count)).repeat(block, axis=0)[first : first + n]
    elsewhere = wild < noise.wild
    if elsewhere.any():
        placed += elsewhere[..., None] * rng.normal(0.0, noise.wild_size * height, (count, 2))
    if rng.random() < noise.occluder:
        missing |= _covered(rng, placed, height)
    return score, missing


def _nobody(rng: np.random.Generator, frames: int) -> Bools:
    """(T,) frames without anybody: a stretch, or all but a stretch."""
    begin, length = rng.integers(frames), 1 + rng.integers(max(1, frames // 2))
    away = np.zeros(frames, bool)
    away[begin : begin + length] = True
    return away if rng.random() < 0.5 or away.all() else ~away


def _covered(rng: np.random.Generator, placed: FloatArray, height: float) -> Bools:
    corner = placed[len(placed) // 2, rng.integers(placed.shape[1])]
    reach = height * rng.uniform(0.05, 0.25, 2)
    return np.asarray((np.abs(placed - corner) < reach).all(axis=-1))
