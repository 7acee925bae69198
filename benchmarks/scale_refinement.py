"""Sizes told by lengths alone, and by whole movements, against people of other proportions.

Run from the repository: ``python -m benchmarks.scale_refinement [--people N]``. Each person has
another stature, segments of other proportions, another curvature of the column, and keypoints that
are seen elsewhere than where they are defined (``tests/truth/other_sizes.py``). Their points, with
5 mm of noise, go through the whole chain, with and without the levels of the column, and with and
without refining. Exit code 0 if refining makes no size or place worse in the median, and no angle
either where the column was measured.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.machine import name_machine
from pipeline.data.resources import resource_path
from pipeline.kinematics.angles import posture
from pipeline.kinematics.forward import body_transforms
from pipeline.kinematics.published import CHAIN
from pipeline.kinematics.scale_measurements import keypoint_measurements
from pipeline.simulation.osim_model import extract_kinematics
from pipeline.simulation.simulate import Simulation, SimulationOptions, simulate_steps
from tests.truth.other_sizes import OtherPerson, other_person

FloatArray = NDArray[np.float64]

ANGLES = ("lumbar_lordosis", "thoracic_kyphosis", "cervical_lordosis", "trunk_inclination")
PLACES = 4  # columns of the table that are sizes and places
HEAD = ("sizes %", "labels mm", "column mm", "joints mm", "lordosis", "kyphosis", "neck", "trunk °")


def simulated(person: OtherPerson, refine: bool) -> tuple[Simulation, float]:
    """The chain's answer, and how long it took, seconds."""
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        options = SimulationOptions(refine=refine)
        steps = simulate_steps(person.measured, Path(folder) / "subject.osim", options)
        while True:
            try:
                next(steps)
            except StopIteration as end:
                found: Simulation = end.value
                return found, time.perf_counter() - began


def errors(person: OtherPerson, found: Simulation) -> FloatArray:
    """(8,) RMS errors, in the order of :data:`HEAD`."""
    model, names = found.model, person.measured.names
    sizes = []
    for one in keypoint_measurements(names, model.body_names):
        body, axes = one.bodies[0]
        if one.name != "thorax breadth":
            applied = found.scaling.body_factors[body]["XYZ".index(axes[0])]
            sizes.append(np.log(applied / person.sizes[one.name]))
    label = np.linalg.norm(found.labels.xyz - person.markers, axis=-1)
    ours = body_transforms(model, found.fitted.coordinates)
    true = body_transforms(person.model, person.coordinates)
    joints = np.linalg.norm(ours[..., 3] - true[..., 3], axis=-1)
    column = [names.index(name) for name in CHAIN]
    angles = [
        np.degrees(getattr(posture(model, ours), name) - getattr(posture(person.model, true), name))
        for name in ANGLES
    ]
    return np.array(
        [
            100.0 * _rms(np.array(sizes)),
            1e3 * _rms(label),
            1e3 * _rms(label[:, column]),
            1e3 * _rms(joints),
            *map(_rms, angles),
        ]
    )


def _rms(values: FloatArray) -> float:
    return float(np.sqrt(np.nanmean(values**2)))


def deviations(person: OtherPerson, found: Simulation) -> list[float]:
    """Errors of refined sizes in the SDs that are given for them."""
    return [
        float(np.log(one.factor / person.sizes[one.name]) / one.sigma)
        for one in found.scaling.refined
    ]


def main() -> int:
    """Print both ways, person by person and in the median."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--people", type=int, default=8)
    people = parser.parse_args().people
    print(name_machine())
    generic, _ = extract_kinematics(resource_path("models", "simspine_core.osim"))
    good = True
    for column in (True, False):
        print(f"\n{'with' if column else 'without'} the levels of the column, {people} people")
        print(f"{'':18}" + "".join(f"{title:>12}" for title in HEAD) + f"{'s':>8}")
        rows: dict[bool, list[FloatArray]] = {False: [], True: []}
        took: dict[bool, list[float]] = {False: [], True: []}
        away: list[float] = []
        for seed in range(people):
            person = other_person(generic, seed, column)
            for refine in (False, True):
                found, seconds = simulated(person, refine)
                rows[refine].append(errors(person, found))
                took[refine].append(seconds)
                if refine:
                    away += deviations(person, found)
                said = f"{seed}, {'movements' if refine else 'lengths'}"
                print(f"{said:18}" + "".join(f"{value:12.1f}" for value in rows[refine][-1]))
        before, after = (np.median(rows[refine], axis=0) for refine in (False, True))
        for said, values, seconds in (
            ("median, lengths", before, np.median(took[False])),
            ("median, movements", after, np.median(took[True])),
        ):
            print(f"{said:18}" + "".join(f"{value:12.1f}" for value in values) + f"{seconds:8.1f}")
        print(f"refined sizes are off by {_rms(np.array(away)):.2f} of their SDs")
        judged = slice(None) if column else slice(PLACES)
        good &= bool((after <= before)[judged].all())
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
