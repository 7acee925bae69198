"""Choosing the frames of a recording in which segments can be measured: slow ones, and straight."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

_COLUMN = ("Hip", "Spine_03", "Neck", "RHip", "LHip")


class Trial(Protocol):
    """Markers over time; :class:`pipeline.io.trc.Trc` is one."""

    @property
    def names(self) -> tuple[str, ...]:
        """M markers."""
        ...

    @property
    def times(self) -> FloatArray:
        """(T,) seconds, increasing."""
        ...

    @property
    def xyz(self) -> FloatArray:
        """(T, M, 3) metres; NaN where a marker is missing."""
        ...


@dataclass(frozen=True, slots=True)
class FrameRule:
    """Which frames are measured.

    Parameters
    ----------
    fast_fraction : float
        Part of all frames, the fastest, that is left out.
    max_bend : float
        Radians. Frames are left out whose mean flexion of hips and knees is larger...
    max_column : float
        ...or whose trunk is bent forwards or backwards by more than so much, in radians, from
        the model's neutral posture: 15° between lumbar vertebrae and pelvis shorten or lengthen
        the chain of lumbar markers by 6 %...
    min_frames : int
        ...unless fewer than so many remain; then the least bent so many are kept.
    mad_limit : float
        Lengths further from the median than so many standard deviations are left out.
    """

    fast_fraction: float = 0.2
    max_bend: float = np.pi / 4
    max_column: float = np.pi / 36
    min_frames: int = 50
    mad_limit: float = 3.5


def select_frames(
    trials: Sequence[Trial],
    rule: FrameRule | None = None,
    neutral: Mapping[str, FloatArray] | None = None,
) -> list[BoolArray]:
    """Which frames of each trial are slow and straight enough to be measured.

    A frame's speed is the median over its markers, each between the frame before and the one
    after, never across two trials. Bending is judged where the markers for it are there, by
    the names of ours; frames without them pass.

    Parameters
    ----------
    trials : sequence of Trial
        Recordings of one subject.
    rule : FrameRule, optional
        What is left out.
    neutral : mapping, optional
        Markers (3,) of the model in its neutral pose, in metres: what the column's bending is
        judged from. Without it, it is not judged.

    Returns
    -------
    list of (T,) arrays
        One per trial.
    """
    rule = rule or FrameRule()
    speeds = np.concatenate([_speeds(trial) for trial in trials])
    bends = np.concatenate([_bends(trial) for trial in trials]) / rule.max_bend
    if neutral is not None:
        columns = np.concatenate([_column_bends(trial, neutral) for trial in trials])
        bends = np.fmax(bends, columns / rule.max_column)
    chosen = np.isfinite(speeds)
    if chosen.any():
        # Equal speeds must not be told apart by their rounding.
        chosen &= speeds <= np.quantile(speeds[chosen], 1 - rule.fast_fraction) + 1e-9
    else:  # single frames: nothing is known about their speed
        chosen[:] = True
    straight = chosen & ~(bends > 1)
    if straight.sum() < rule.min_frames:
        order = np.argsort(np.where(np.isnan(bends), 0.0, bends)[chosen], kind="stable")
        straight = np.zeros(len(chosen), dtype=bool)
        straight[np.flatnonzero(chosen)[order[: rule.min_frames]]] = True
    cuts = np.cumsum([len(trial.times) for trial in trials])[:-1]
    return list(np.split(straight, cuts))


def _speeds(trial: Trial) -> FloatArray:
    """(T,) metres per second; NaN where no marker has a neighbour in time."""
    if len(trial.times) < 2:
        return np.full(len(trial.times), np.nan)
    before = np.maximum(np.arange(len(trial.times)) - 1, 0)
    after = np.minimum(before + 2, len(trial.times) - 1)
    after[0] = 1
    way = np.linalg.norm(trial.xyz[after] - trial.xyz[before], axis=-1)
    return nanmedian(way / (trial.times[after] - trial.times[before])[:, None], axis=1)


def _bends(trial: Trial) -> FloatArray:
    """(T,) mean flexion of hips and knees in radians; NaN where none can be told."""
    at = {name: trial.xyz[:, k] for k, name in enumerate(trial.names)}
    angles = []
    for side in "RL":
        hip, knee, ankle = (at.get(f"{side}{joint}") for joint in ("Hip", "Knee", "Ankle"))
        if hip is not None and knee is not None and ankle is not None:
            angles.append(_angle(hip - knee, knee - ankle))
        if {"RHip", "LHip", "Neck"} <= at.keys() and hip is not None and knee is not None:
            angles.append(_angle(at["Neck"] - (at["RHip"] + at["LHip"]) / 2, hip - knee))
    if not angles:
        return np.full(len(trial.times), np.nan)
    known = np.isfinite(angles)
    total = np.where(known, angles, 0.0).sum(axis=0)
    return np.where(known.any(axis=0), total / np.maximum(known.sum(axis=0), 1), np.nan)


def _column_bends(trial: Trial, neutral: Mapping[str, FloatArray]) -> FloatArray:
    """(T,) forward or backward bend away from the neutral one, radians; NaN where not known."""
    at = {name: trial.xyz[:, k] for k, name in enumerate(trial.names)}
    if not set(_COLUMN) <= at.keys() & neutral.keys():
        return np.full(len(trial.times), np.nan)
    return np.abs(_column_angle(at) - _column_angle(neutral))


def _column_angle(at: Mapping[str, FloatArray]) -> FloatArray:
    """Signed angle from the lumbar to the thoracic chord, about the axis from hip to hip."""
    low, high = at["Spine_03"] - at["Hip"], at["Neck"] - at["Spine_03"]
    right = at["RHip"] - at["LHip"]
    right = right / np.linalg.norm(right, axis=-1, keepdims=True)
    across = (np.cross(low, high) * right).sum(axis=-1)
    return np.asarray(np.arctan2(across, (low * high).sum(axis=-1)))


def _angle(a: FloatArray, b: FloatArray) -> FloatArray:
    across = np.linalg.norm(np.cross(a, b), axis=-1)
    return np.asarray(np.arctan2(across, (a * b).sum(axis=-1)))


def nanmedian(values: FloatArray, axis: int) -> FloatArray:
    """Median along ``axis`` of what is not NaN; NaN, without a warning, where all is."""
    ordered = np.sort(values, axis=axis)  # NaN last
    count = np.isfinite(values).sum(axis=axis, keepdims=True)
    high = np.take_along_axis(ordered, np.minimum(count // 2, values.shape[axis] - 1), axis)
    low = np.take_along_axis(ordered, np.maximum((count - 1) // 2, 0), axis)
    return np.asarray(np.where(count > 0, (low + high) / 2, np.nan).squeeze(axis))
