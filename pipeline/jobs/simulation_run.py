"""A person of a recording simulated from points to files: what the command line and jobs run."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.data.sequence import Sequence
from pipeline.io.export_request import ExportRequest, check_request, solve_steps
from pipeline.jobs.known_markers import with_known
from pipeline.jobs.simulation_files import SUBJECT, write_outcome
from pipeline.jobs.simulation_plan import SimulationPlan, make_folder
from pipeline.kinematics.measured import Measured, read_measured
from pipeline.simulation.compatible import compatible_steps
from pipeline.simulation.other_model import other_model_steps
from pipeline.simulation.outcome import Outcome, outcome_of
from pipeline.simulation.scaling import ScaleOptions
from pipeline.simulation.simulate import SimulationOptions, simulate_steps

Step = tuple[float, str]

_OPENING = 0.3  # share of the work that solving the points takes


@dataclass(frozen=True, slots=True, eq=False)
class Simulated:
    """What was measured, what came of it, and the files."""

    measured: Measured
    outcome: Outcome
    files: list[Path]


def simulation_steps(
    sequence: Sequence, track: int, folder: Path, plan: SimulationPlan
) -> Generator[Step, None, Simulated]:
    """Solve a person's points, simulate, and write all files into ``folder``, which is made.

    Raises
    ------
    UserError
        A person without points, a model that cannot be used, or a folder that cannot be written.
    """
    make_folder(folder)
    request = ExportRequest(sequence, track, "trc", folder / "labels.trc")
    check_request(request)
    for fraction, what in solve_steps(request):
        yield _OPENING * fraction, what
    measured = read_measured(sequence, track, np.arange(*request.span, dtype=np.intp))
    if plan.known is not None:
        measured = with_known(measured, plan.known, published=plan.compatible)
    steps = _outcome_steps(measured, folder / SUBJECT, plan)
    while True:
        try:
            fraction, what = next(steps)
        except StopIteration as finished:
            outcome: Outcome = finished.value
            break
        yield _OPENING + (0.95 - _OPENING) * fraction, what
    yield 0.95, "Writing"
    title = f"{sequence.info.name}, person {track + 1}"
    return Simulated(measured, outcome, write_outcome(folder, measured, outcome, title))


def _outcome_steps(
    measured: Measured, subject: Path, plan: SimulationPlan
) -> Generator[Step, None, Outcome]:
    model, markers, threads = plan.model, plan.marker_set, plan.threads
    if plan.compatible:
        return (yield from compatible_steps(measured, subject, model, markers, threads))
    scale = ScaleOptions(height=plan.height, mass=plan.mass)
    options = SimulationOptions(plan.spine, scale=scale, threads=threads)
    if model is not None:
        return (yield from other_model_steps(measured, subject, model, markers, options))
    found = yield from simulate_steps(measured, subject, options)
    return outcome_of(found)
