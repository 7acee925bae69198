"""The command ``simulate``: from a recording to a subject's model, labels and angles."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import numpy as np

from pipeline.cli.output import Step
from pipeline.data.errors import UserError
from pipeline.data.sequence import Sequence
from pipeline.io.export_request import ExportRequest, check_request, solve_steps
from pipeline.jobs.simulation_files import SUBJECT, write_simulation
from pipeline.kinematics.measured import read_measured
from pipeline.simulation.simulate import Simulation, SimulationOptions, simulate_steps

_OPENING = 0.3  # share of the work that solving the points takes


def simulation_steps(
    sequence: Sequence, track: int, folder: Path, options: SimulationOptions
) -> Generator[Step, None, tuple[Simulation, list[Path]]]:
    """Solve a person's points, simulate, and write all files into ``folder``, which is made.

    Raises
    ------
    UserError
        A person without points, or a folder that cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise UserError(f"The folder {folder} cannot be made: {reason}.") from error
    request = ExportRequest(sequence, track, "trc", folder / "labels.trc")
    check_request(request)
    for fraction, what in solve_steps(request):
        yield _OPENING * fraction, what
    frames = np.arange(*request.span, dtype=np.intp)
    measured = read_measured(sequence, track, frames)
    steps = simulate_steps(measured, folder / SUBJECT, options)
    while True:
        try:
            fraction, what = next(steps)
        except StopIteration as finished:
            found: Simulation = finished.value
            break
        yield _OPENING + (0.95 - _OPENING) * fraction, what
    yield 0.95, "Writing"
    title = f"{sequence.info.name}, person {track + 1}"
    return found, write_simulation(folder, measured, found, title)


def as_text(found: Simulation, files: list[Path]) -> str:
    """What was made and how well it fits, for people."""
    error = found.solved.marker_error
    lacking = [
        name
        for place, name in enumerate(found.model.marker_names)
        if not np.isfinite(error[:, place]).any()
    ]
    lines = [
        f"{len(found.labels.xyz)} frames; the model lies {_millimetres(found)} from the measured "
        "points (median)",
        *(f"  {path}" for path in files),
    ]
    if lacking:
        lines.insert(1, f"From the model and its priors alone: {', '.join(lacking)}")
    return "\n".join(lines)


def _millimetres(found: Simulation) -> str:
    return f"{1000 * np.nanmedian(found.solved.marker_error):.1f} mm"
