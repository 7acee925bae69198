"""Angles of the spine against people made by OpenSim: what of a true movement is found.

Run from the repository: ``python benchmarks/spine_angles.py [DATA] [--people N]``. Each person is
our model in another size, stands for four seconds and then uses nearly all of every range at once;
OpenSim says where the markers are, and 5 mm of noise are put on them. They go through the whole
chain, scaling included. With real data beside the repository the published set-up is asked as
well. Exit code 0 if every figure reaches its goal.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.machine import name_machine
from pipeline.data.source import Source
from pipeline.kinematics.ik_options import IkResult
from pipeline.kinematics.measured import Measured
from pipeline.kinematics.model import coordinate_index
from pipeline.kinematics.published import PULL, blend_simulation, filter_published
from pipeline.simulation.simulate import Simulation, simulate_steps
from tests.truth.lumbar_flexion import flexion_found, published_model
from tests.truth.spine_motion import SpineMotion, full_range

REPOSITORY = Path(__file__).resolve().parents[1]
RATE, FRAMES, STANDING, NOISE = 50.0, 700, 4.0, 0.005
SIZES = (1.0, 0.93, 1.06)
LUMBAR = ("lumbar_lower_flex", "lumbar_upper_flex")
TRUNK_AND_NECK = (
    "thoracic_lower_flex", "thoracic_upper_flex", "thoracic_bend", "trunk_twist",
    "neck_lower_flex", "neck_upper_flex", "neck_bend", "neck_twist",
)  # fmt: skip
LUMBAR_GOAL, SLOPE_GOAL, ERROR_GOAL, SD_GOAL = (0.95, 1.05), (0.8, 1.2), 0.5, 1.5
CORRECTED, CORRECTION, KEPT_GOAL = "Spine_03", 0.030, 0.95


@dataclass(frozen=True, slots=True, eq=False)
class Person:
    """A movement, what was measured of it and what the chain made of that."""

    motion: SpineMotion
    measured: Measured
    found: Simulation


@dataclass(frozen=True, slots=True)
class Agreement:
    """An angle against the truth: slope, error as part of the true SD, reported SD by real."""

    slope: float
    true_sd: float
    error: float
    reported: float


def measure(motion: SpineMotion, seed: int) -> Measured:
    """Points as triangulated, each coordinate off by 5 mm."""
    noise = np.random.default_rng(seed).normal(0.0, NOISE, motion.markers.shape)
    shape = motion.markers.shape[:2]
    return Measured(
        motion.names, motion.times, motion.markers + noise, np.full(shape, NOISE),
        np.zeros(shape, np.uint8), RATE,
    )  # fmt: skip


def simulated(measured: Measured) -> Simulation:
    """The whole chain on some points."""
    with tempfile.TemporaryDirectory() as folder:
        steps = simulate_steps(measured, Path(folder) / "subject.osim")
        while True:
            try:
                next(steps)
            except StopIteration as finished:
                found: Simulation = finished.value
                return found


def person(number: int, frames: int = FRAMES) -> Person:
    """One person, simulated."""
    motion = full_range(frames, RATE, number, standing=STANDING, size=SIZES[number % len(SIZES)])
    measured = measure(motion, 100 + number)
    return Person(motion, measured, simulated(measured))


def agreement(people: list[Person], names: tuple[str, ...], stage: str = "fitted") -> Agreement:
    """The sum of some coordinates against the truth, over all people, once they move."""
    truth, found, reported = [], [], []
    for one in people:
        moving = one.motion.times > STANDING
        fitted: IkResult = getattr(one.found, stage)
        columns = [coordinate_index(one.found.model, name) for name in names]
        truth.append(np.sum([one.motion.regional[name][moving] for name in names], axis=0))
        found.append(fitted.coordinates[moving][:, columns].sum(axis=1))
        reported.append(fitted.sigma[moving][:, columns[0]])
    true, reached = np.concatenate(truth), np.concatenate(found)
    error = float(np.sqrt(np.mean((reached - true) ** 2)))
    return Agreement(
        slope=float(np.polyfit(true, reached, 1)[0]),
        true_sd=float(np.degrees(true.std())),
        error=error / float(true.std()),
        reported=float(np.sqrt(np.mean(np.concatenate(reported) ** 2))) / error,
    )


def kept_of_a_correction(one: Person) -> tuple[float, float]:
    """Share of a correction of one frame in the final label: ours, and as published."""
    level, frame = one.measured.names.index(CORRECTED), len(one.measured.times) // 2
    moved = np.array([0.0, 0.0, CORRECTION])
    xyz, manual = one.measured.xyz.copy(), one.measured.manual.copy()
    xyz[frame, level] = one.found.labels.xyz[frame, level] + moved
    manual[frame, level] = Source.MANUAL_3D
    again = simulated(replace(one.measured, xyz=xyz, manual=manual))
    ours = (again.labels.xyz - one.found.labels.xyz)[frame, level, 2] / CORRECTION
    published = []
    for shift in (0.0, 1.0):
        points = one.measured.xyz.copy()
        points[frame, level] += shift * moved
        blended = blend_simulation(one.measured.names, points, one.found.virtual)
        published.append(filter_published(blended, RATE)[frame, level, 2])
    return float(ours), float(published[1] - published[0]) / CORRECTION


def print_lumbar(people: list[Person], data: Path) -> bool:
    found = agreement(people, LUMBAR)
    good = LUMBAR_GOAL[0] <= found.slope <= LUMBAR_GOAL[1]
    low, high = LUMBAR_GOAL
    print(
        f"lumbar flexion found, slope: {found.slope:.3f} (goal {low} to {high}) {_said(good)}; "
        f"frame by frame {agreement(people, LUMBAR, 'solved').slope:.3f}"
    )
    folder = data / "pose2sim_model"
    if folder.is_dir():
        crushed = flexion_found(published_model(folder), PULL)
        print(f"  the published set-up, on its own model: {crushed:.3f}")
    return good


def print_regions(people: list[Person]) -> bool:
    print(
        "\nangle                 slope  true SD  error / true SD  reported / real SD"
        "   (each frame by itself: slope, error)"
    )
    good = True
    for name in (*LUMBAR, "lumbar_bend", *TRUNK_AND_NECK):
        found, chain = agreement(people, (name,)), agreement(people, (name,), "solved")
        met = SLOPE_GOAL[0] <= found.slope <= SLOPE_GOAL[1] and found.error <= ERROR_GOAL
        met = met and 1.0 / SD_GOAL <= found.reported <= SD_GOAL
        good &= met or name not in TRUNK_AND_NECK
        print(
            f"{name:20s} {found.slope:6.3f} {found.true_sd:7.1f}  {found.error:14.2f}  "
            f"{found.reported:17.2f}   {_said(met)} ({chain.slope:.3f}, {chain.error:.2f})"
        )
    return good


def _said(good: bool) -> str:
    return "pass" if good else "FAIL"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, nargs="?", default=REPOSITORY.parent / "shared" / "data")
    parser.add_argument("--people", type=int, default=len(SIZES))
    arguments = parser.parse_args()
    name_machine()
    people = [person(number) for number in range(arguments.people)]
    good = print_lumbar(people, arguments.data)
    good &= print_regions(people)
    ours, published = kept_of_a_correction(people[0])
    kept = ours >= KEPT_GOAL
    print(
        f"\none frame corrected by 30 mm, kept in the label: {ours:.1%} (goal 95 %) {_said(kept)}; "
        f"as published {published:.1%}"
    )
    return 0 if good and kept else 1


if __name__ == "__main__":
    sys.exit(main())
