"""Courses in time: slow swings, and gestures that go from rest to rest."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
Course = Literal["rests", "waves"]
Knots = Sequence[tuple[float, float]]

# How often a level stays, and how often it is rest.
_STAYS, _RESTS = 0.2, 0.25


def minimum_jerk(time: FloatArray, knots: Knots) -> FloatArray:
    """Values at ``time`` (T,) of a path that rests at each (time, value) knot.

    Between knots it is the minimum-jerk profile of Flash and Hogan (1985).
    """
    value = np.full(len(time), knots[0][1], np.float64)
    for (t0, a), (t1, b) in pairwise(knots):
        u = np.clip((time - t0) / (t1 - t0), 0.0, 1.0)
        value += (b - a) * u**3 * (10.0 - 15.0 * u + 6.0 * u**2)
    return value


def waves(
    rng: np.random.Generator, times: FloatArray, count: int, hertz: tuple[float, float]
) -> FloatArray:
    """(T, count) sums of three sines of drawn frequencies, SD 0.5 over all times, within ±1.3."""
    pace = 2.0 * np.pi * rng.uniform(*hertz, (3, count))
    phase = rng.uniform(0.0, 2.0 * np.pi, (3, count))
    share = np.array([0.6, 0.45, 0.25])[:, None, None]
    return np.asarray((share * np.sin(pace[:, None] * times[:, None] + phase[:, None])).sum(axis=0))


def activation(
    rng: np.random.Generator,
    times: FloatArray,
    course: Course,
    seconds: tuple[float, float],
    signed: bool,
) -> FloatArray:
    """(T,) how far a gesture is carried out, 0 to 1, or -1 to 1 where it is ``signed``.

    ``seconds`` are the shortest and longest time between two rests, or quarter of a swing.
    """
    if course == "waves":
        pace = 0.5 * np.pi / rng.uniform(*seconds)
        swing = np.sin(pace * times + rng.uniform(0.0, 2.0 * np.pi))
        slow = np.sin(0.37 * pace * times + rng.uniform(0.0, 2.0 * np.pi))
        wave = 0.75 * swing + 0.25 * slow
        return wave if signed else 0.5 + 0.5 * wave
    begin = -rng.uniform(0.0, 2.0)
    knots = [(begin, _level(rng, signed))]
    while knots[-1][0] < times[-1]:
        value = knots[-1][1] if rng.random() < _STAYS else _level(rng, signed)
        knots.append((knots[-1][0] + rng.uniform(*seconds), value))
    return minimum_jerk(times, knots)


def _level(rng: np.random.Generator, signed: bool) -> float:
    level = 0.0 if rng.random() < _RESTS else rng.uniform(0.1, 1.0)
    return float(-level if signed and rng.random() < 0.5 else level)
