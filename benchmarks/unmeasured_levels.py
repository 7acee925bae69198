"""Levels of the column that nobody placed, against people whose columns are not the model's.

Run from the repository: ``python -m benchmarks.unmeasured_levels [--people N] [--first N]``. Each
person has other proportions, standing curvature and rhythms than the model, and points that lie off
what they stand for (``tests/truth/other_spines.py``); OpenSim says where they are. The nine levels
are placed by hand, 3 mm off, in every frame but for one interior level, which is told by the chain
with and without its neighbours' residuals and by a cubic through its four neighbours. Then one
level is placed in every tenth frame only, and told in the frames between. Exit code 0 if the labels
are nearer with the residuals than without, and than the cubic, at every level.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.held_out_levels import (
    COLUMN,
    cubic_prediction,
    label_of_the_model_alone,
    neutral_places,
    simulated,
    without_level,
)
from benchmarks.machine import name_machine
from pipeline.data.source import Source
from pipeline.kinematics.measured import Measured
from tests.truth.other_spines import somebody
from tests.truth.spine_motion import full_range

FloatArray = NDArray[np.float64]

RATE, FRAMES, STANDING, USED = 25.0, 100, 1.0, 0.6
SIZES = (0.93, 1.0, 1.07)
BODY_NOISE, HAND_NOISE = 0.005, 0.003
SPARSE, EVERY = 3, 10  # a level, placed in one of so many frames


@dataclass(frozen=True, slots=True, eq=False)
class Person:
    """What was measured, and (T, 9, 3) metres: the levels without noise and as placed."""

    measured: Measured
    true: FloatArray
    placed: FloatArray


def person(number: int) -> Person:
    """One person whose nine levels were placed by hand in all frames."""
    motion = full_range(
        FRAMES, RATE, number, standing=STANDING, size=SIZES[number % len(SIZES)], used=USED,
        other=somebody(1000 + number),
    )  # fmt: skip
    column = [motion.names.index(name) for name in COLUMN]
    sigma = np.full(motion.markers.shape[:2], BODY_NOISE)
    sigma[:, column] = HAND_NOISE
    manual = np.zeros(sigma.shape, np.uint8)
    manual[:, column] = Source.MANUAL_2D
    noise = np.random.default_rng(number).normal(size=motion.markers.shape)
    xyz = motion.markers + sigma[..., None] * noise
    measured = Measured(motion.names, motion.times, xyz, sigma, manual, RATE)
    return Person(measured, motion.markers[:, column], xyz[:, column])


def held_out(one: Person, level: int, at: FloatArray, folder: Path) -> FloatArray:
    """(5,) metres: RMS error of one level told by the model, by the label without and with
    residuals, and by the cubic; and what the label says of its error.
    """
    measured = without_level(one.measured, level)
    found = simulated(measured, folder / "subject.osim")
    place = measured.names.index(COLUMN[level])
    told = (
        found.virtual[:, place],
        label_of_the_model_alone(measured, found)[:, place],
        found.labels.xyz[:, place],
        cubic_prediction(one.placed, at, level),
    )
    said = float(np.sqrt(3.0 * np.mean(found.labels.sigma[:, place] ** 2)))
    return np.array([*(_rms(points - one.true[:, level]) for points in told), said])


def between_placed(one: Person, folder: Path) -> FloatArray:
    """(2,) RMS error in metres between frames in which a level was placed: without and with."""
    left_out = np.arange(FRAMES) % EVERY != 0
    measured = without_level(one.measured, SPARSE, left_out)
    found = simulated(measured, folder / "subject.osim")
    place = measured.names.index(COLUMN[SPARSE])
    told = (label_of_the_model_alone(measured, found)[:, place], found.labels.xyz[:, place])
    return np.array([_rms((points - one.true[:, SPARSE])[left_out]) for points in told])


def _rms(gap: FloatArray) -> float:
    return float(np.sqrt(np.mean(np.sum(gap**2, axis=-1))))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--people", type=int, default=6)
    parser.add_argument("--first", type=int, default=0, help="0 to 11 were used for the constants")
    told = parser.parse_args()
    count = told.people
    name_machine()
    at = neutral_places()
    levels = range(1, len(COLUMN) - 1)
    errors, sparse = np.empty((count, len(levels), 5)), np.empty((count, 2))
    with tempfile.TemporaryDirectory() as scratch:
        for number in range(count):
            one = person(told.first + number)
            for row, level in enumerate(levels):
                errors[number, row] = held_out(one, level, at, Path(scratch))
            sparse[number] = between_placed(one, Path(scratch))
            print(f"person {number}: model, label of the model alone, label, cubic: RMS mm "
                  f"{1e3 * _over(errors[number])[:4]}", flush=True)  # fmt: skip
    mean = 1e3 * np.sqrt(np.mean(errors**2, axis=0))
    print(f"\nRMS error, mm      {''.join(f'{COLUMN[level]:>10}' for level in levels)}       all")
    titles = ("model's marker", "label, model alone", "label", "cubic", "what the label says")
    for title, column, total in zip(titles, mean.T, 1e3 * _over(errors), strict=True):
        print(f"{title:19s}" + "".join(f"{value:10.1f}" for value in column) + f"{total:10.1f}")
    before, now = 1e3 * np.sqrt(np.mean(sparse**2, axis=0))
    print(f"\n{COLUMN[SPARSE]} placed in one of {EVERY} frames, RMS error in the others, mm: "
          f"{now:.1f}; label of the model alone {before:.1f}")  # fmt: skip
    good = bool((mean[:, 2] < mean[:, 1]).all() and (mean[:, 2] < mean[:, 3]).all())
    print("nearer than without residuals and than the cubic at every level:",
          "yes" if good and now < before else "no")  # fmt: skip
    return 0 if good and now < before else 1


def _over(errors: FloatArray) -> FloatArray:
    """RMS over all but the last axis, rounded to a tenth of a millimetre."""
    return np.asarray(np.round(np.sqrt(np.mean(errors.reshape(-1, 5) ** 2, axis=0)), 4))


if __name__ == "__main__":
    sys.exit(main())
