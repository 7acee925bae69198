"""Measured points of a person over time, and how far each is to be trusted."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pipeline.data.sequence import Sequence
from pipeline.data.source import Source
from pipeline.kinematics.published import CHAIN

FloatArray = NDArray[np.float64]

# How far a keypoint lies from what it is defined as, metres (spine_model.md §0.3); 10 mm for
# those that are not named.
_DEFINED = 0.010
_DEFINED_WORSE = {
    "LShoulder": 0.012, "RShoulder": 0.012, "LClavicle": 0.012, "RClavicle": 0.012,
    "LLatissimus": 0.025, "RLatissimus": 0.025, "LEar": 0.015, "REar": 0.015,
}  # fmt: skip
_LEVELS = frozenset(CHAIN) - {"Hip", "Neck"}
_USUAL_SIGMA = 0.010  # m, of a point that comes without one
#: m: what a person places is what the keypoint is defined as, but for the hand.
MANUAL_SIGMA = 0.003


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """Points of one person over time.

    Parameters
    ----------
    names : tuple of str
        K markers, all keypoints of the skeleton.
    times : (T,) array
        Seconds.
    xyz : (T, K, 3) array
        Metres, Y up; NaN where missing.
    sigma : (T, K) array
        Standard deviation, metres; NaN where it is not known.
    manual : (T, K) u8 array
        ``Source.MANUAL_2D`` or ``MANUAL_3D`` where a person placed the point, else ``NONE``.
    rate : float
        Frames per second.
    """

    names: tuple[str, ...]
    times: FloatArray
    xyz: FloatArray
    sigma: FloatArray
    manual: NDArray[np.uint8]
    rate: float


def read_measured(sequence: Sequence, track: int, frames: NDArray[np.intp]) -> Measured:
    """The final points of some frames, which must be up to date."""
    xyz, sigma, source = (
        sequence.read(f"fused.{name}", frames, track) for name in ("xyz", "sigma", "source")
    )
    by_hand = np.isin(source, (Source.MANUAL_2D, Source.MANUAL_3D))
    return Measured(
        names=sequence.info.skeleton.markers,
        times=frames / sequence.info.fps,
        xyz=xyz.astype(np.float64),
        sigma=sigma.astype(np.float64) / 1000.0,
        manual=np.where(by_hand, source, Source.NONE).astype(np.uint8),
        rate=sequence.info.fps,
    )


def without_judged_levels(measured: Measured) -> Measured:
    """The points without the levels of the column that a person placed.

    How high such a level lies along the back is judged, so that it tells where the column is, but
    no length: of one placed by eye, the lumbar factor came out at 1.11 instead of 0.98
    (docs/real-backs.md). C7 and the sacrum can be seen, and stay.
    """
    judged = np.array([name in _LEVELS for name in measured.names])
    placed = judged & (measured.manual != Source.NONE)
    return replace(measured, xyz=np.where(placed[..., None], np.nan, measured.xyz))


def was_measured(measured: Measured) -> NDArray[np.bool_]:
    """(K,) keypoints that were measured or placed in at least one frame."""
    return np.asarray(np.isfinite(measured.xyz).all(axis=-1).any(axis=0))


def definition_sigma(names: tuple[str, ...]) -> FloatArray:
    """(K,) metres: how far keypoints lie from the places that they are defined as, one SD."""
    return np.array([_DEFINED_WORSE.get(name, _DEFINED) for name in names])


def trust_of(measured: Measured) -> FloatArray:
    """(T, K) SD of a point as the place that its keypoint is defined as, metres; NaN: missing."""
    there = np.isfinite(measured.xyz).all(axis=-1)
    by_hand = measured.manual != Source.NONE
    defined = np.where(by_hand, MANUAL_SIGMA, definition_sigma(measured.names))
    # What is placed in 3D comes without one, and is as good as the hand.
    unknown = np.where(by_hand, MANUAL_SIGMA, _USUAL_SIGMA)
    sigma = np.where(np.isfinite(measured.sigma), measured.sigma, unknown)
    return np.where(there, np.hypot(sigma, defined), np.nan)


def usual_trust(measured: Measured) -> FloatArray:
    """(K,) the middle of :func:`trust_of` over the frames, and what is usual where there is none.

    A keypoint that nobody has seen yet may be placed by hand later.
    """
    trust = trust_of(measured)
    usual = np.hypot(_USUAL_SIGMA, definition_sigma(measured.names))
    for place in np.flatnonzero(np.isfinite(trust).any(axis=0)):
        usual[place] = np.nanmedian(trust[:, place])
    return usual
