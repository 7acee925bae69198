"""What the residuals of a steady movement say of its markers: noise, and what stays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.kinematics.model import FloatArray
from pipeline.kinematics.steady_solve import Expected, covariances

# Fewer frames cannot tell noise from what is constant.
_LEAST_FRAMES = 50
# What is found is believed between these parts of what was told.
_LEAST_NOISE, _MOST_NOISE = 0.1, 3.0
_LEAST_OFFSET = 1e-4  # m
# The fit must leave at least this share of the residuals, or they tell nothing.
_LEAST_SHARE = 0.1
# Seconds within which errors may last, and over which they are offsets.
_SHORT, _LONG = 0.2, 1.0


@dataclass(frozen=True, slots=True)
class Sizes:
    """SD of a marker of weight one per axis, metres: from frame to frame, and what stays."""

    noise: float
    offset: float


def sizes_of(
    left: FloatArray,
    hessians: FloatArray,
    expected: Expected,
    before: Sizes,
    told: float,
    rate: float,
) -> Sizes:
    """Noise and offsets from residuals, with what the fit has taken up of them.

    Parameters
    ----------
    left
        (T, M, 3) weighted residuals in the axes of the bodies, metres; NaN where missing.
    hessians
        (W, U, U) of some of the frames, for a variance of one.
    expected, before
        What the fit was made with.
    told
        SD that was assumed, metres: what is found lies near it, or is not believed.
    rate
        Frames per second.
    """
    if len(left) < _LEAST_FRAMES:
        return before
    rows = np.isfinite(left)
    # What stays for a second or longer is no noise: it changes with the pose.
    long, short = max(1, round(_LONG * rate)), max(1, round(_SHORT * rate))
    constant = _means(left, long)
    moving = np.where(rows, left - np.repeat(constant, long, axis=0)[: len(left)], 0.0)
    noise = offset = told
    believed = hessians / before.noise**2
    taken = np.einsum("tij,tji->t", covariances(believed, expected), believed).mean()
    share = 1.0 - taken * len(left) / rows.sum()
    if share > _LEAST_SHARE:
        frames = len(moving) // short * short
        sums = moving[:frames].reshape(-1, short, *moving.shape[1:]).sum(axis=1)
        lasting = np.clip((sums**2).sum() / (moving[:frames] ** 2).sum(), 1.0, short)
        noise = np.sqrt((moving**2).sum() / rows.sum() / share * lasting)
    alone = np.linalg.inv(believed + np.diag(expected.stiffness))
    taken = np.einsum("tij,tji->t", alone, believed).mean()
    share = 1.0 - taken * len(left) / rows.sum()
    if share > _LEAST_SHARE:
        offset = np.sqrt(max(np.nanmean(constant**2) / share - noise**2 / long, 0.0))
    return Sizes(
        float(np.clip(noise, _LEAST_NOISE * told, _MOST_NOISE * told)),
        float(np.clip(offset, _LEAST_OFFSET, _MOST_NOISE * told)),
    )


def _means(values: FloatArray, per: int) -> FloatArray:
    """(T / per, ...) means of ``per`` frames each, the last of fewer; NaN where all are missing."""
    starts = np.arange(0, len(values), per)
    count = np.add.reduceat(np.isfinite(values), starts, axis=0, dtype=np.float64)
    total = np.add.reduceat(np.nan_to_num(values), starts, axis=0)
    with np.errstate(invalid="ignore"):
        return np.asarray(total / count)
