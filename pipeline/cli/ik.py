"""``simspine ik``: markers followed by a model, joint angles written as a motion."""

from __future__ import annotations

import os
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.cli.output import CommandError, Exit, Step, counted
from pipeline.data.errors import UserError
from pipeline.io.motion_files import MotionTable, complete_rows, in_degrees, write_motion
from pipeline.io.opensim_setups import IkSetup, TaskSet, read_ik_setup
from pipeline.io.trc import Trc, read_trc
from pipeline.kinematics.ik import solve_steps
from pipeline.kinematics.ik_options import IkOptions
from pipeline.kinematics.model import KinematicModel, rotational_coordinates
from pipeline.simulation.opensim_ik import opensim_ik_steps
from pipeline.simulation.osim_model import NotInArraysError, extract_kinematics

FloatArray = NDArray[np.float64]

ENGINES = ("fast", "opensim")


@dataclass(frozen=True, slots=True, eq=False)
class _Solved:
    columns: tuple[str, ...]
    values: FloatArray
    rotational: frozenset[str]
    errors: FloatArray
    notes: tuple[str, ...]


def ik_steps(
    model: Path, markers: Path, out: Path, tasks: Path | None = None, engine: str = "fast"
) -> Generator[Step, None, str]:
    """Solve and write; returns what is to be told.

    Parameters
    ----------
    model : Path
        A ``.osim`` with markers.
    markers : Path
        TRC file.
    out : Path
        ``.mot`` to be written, angles in degrees; frames without any marker are left out.
    tasks : Path, optional
        Set-up of OpenSim's inverse kinematics: its weights and tasks, not its times and files.
        All markers have weight 1 without it.
    engine : str
        ``fast`` or ``opensim``. What arrays cannot express goes to OpenSim, and that is told.

    Raises
    ------
    CommandError
        ``UNUSABLE`` for files that cannot be used.
    """
    yield 0.0, "Reading"
    try:
        trc = read_trc(markers)
        setup = None if tasks is None else read_ik_setup(tasks)
    except UserError as error:
        raise CommandError(Exit.UNUSABLE, str(error)) from error
    if engine == "fast":
        try:
            arrays, notes = extract_kinematics(model)
        except NotInArraysError as error:
            solved = yield from _with_opensim(model, trc, setup, (str(error),))
        else:
            solved = yield from _with_arrays(model, arrays, trc, setup, tuple(notes))
    else:
        solved = yield from _with_opensim(model, trc, setup, ())
    there = np.asarray(np.isfinite(solved.values).all(axis=1))
    if not there.any():
        raise UserError(f"{markers} has no marker of {model} in any frame.")
    table = MotionTable("Coordinates", trc.times, solved.columns, solved.values, False)
    write_motion(out, complete_rows(in_degrees(table, solved.rotational)))
    return _as_text(out, solved, there)


def _with_arrays(
    model_file: Path,
    model: KinematicModel,
    trc: Trc,
    setup: IkSetup | None,
    notes: tuple[str, ...],
) -> Generator[Step, None, _Solved]:
    tasks = TaskSet() if setup is None else setup.tasks
    wanted = dict.fromkeys(trc.names, 1.0) if setup is None else tasks.marker_weights()
    weights = {
        name: wanted[name] for name in model.marker_names if name in wanted and name in trc.names
    }
    if not weights:
        raise UserError(f"{model_file} has none of the markers that are to be followed.")
    targets = tasks.coordinate_targets()
    unknown = [name for name in targets if name not in model.coordinate_names]
    if unknown:
        raise UserError(f"{model_file} has no coordinate {unknown[0]}, which has a task.")
    points = np.full((len(trc.times), model.n_markers, 3), np.nan)
    for name in weights:
        points[:, model.marker_names.index(name)] = trc.xyz[:, trc.names.index(name)]
    options = IkOptions(
        marker_weights=weights,
        default_weight=0.0,
        coordinate_weights={name: weight for name, (weight, _) in targets.items()},
        coordinate_targets={name: at for name, (_, at) in targets.items() if at is not None},
        threads=os.cpu_count() or 1,
    )
    steps = solve_steps(model, points, options)
    while True:
        try:
            part = next(steps)
        except StopIteration as end:
            result = end.value
            break
        yield part.done / len(points), "Solving"
    ignored = tuple(name for name in wanted if name not in weights)
    return _Solved(
        model.coordinate_names,
        result.coordinates,
        rotational_coordinates(model),
        result.marker_error[:, [model.marker_names.index(name) for name in weights]],
        (*notes, *_about(ignored)),
    )


def _with_opensim(
    model_file: Path, trc: Trc, setup: IkSetup | None, notes: tuple[str, ...]
) -> Generator[Step, None, _Solved]:
    chosen = setup or IkSetup(TaskSet())
    steps = opensim_ik_steps(
        model_file,
        trc.names,
        trc.times,
        trc.xyz,
        None if setup is None else chosen.tasks.marker_weights(),
        chosen.tasks.coordinate_targets(),
        accuracy=chosen.accuracy,
        constraint_weight=chosen.constraint_weight,
    )
    while True:
        try:
            fraction = next(steps)
        except StopIteration as end:
            result = end.value
            break
        yield fraction, "Solving with OpenSim"
    return _Solved(
        result.coordinate_names,
        result.coordinates,
        result.rotational,
        result.marker_errors,
        (*notes, *_about(result.ignored)),
    )


def _about(ignored: tuple[str, ...]) -> tuple[str, ...]:
    names = ", ".join(ignored)
    return (f"Not in the model or not in the recording: {names}",) if ignored else ()


def _as_text(out: Path, solved: _Solved, there: NDArray[np.bool_]) -> str:
    errors = 1000 * solved.errors[np.isfinite(solved.errors)]
    lines = [
        f"{out}: {counted(len(solved.columns), 'coordinate')} in "
        f"{counted(int(there.sum()), 'frame')}",
        f"Marker error: RMS {np.sqrt((errors**2).mean()):.1f} mm, largest {errors.max():.1f} mm",
    ]
    if not there.all():
        lines.append(f"Without any marker, left out: {counted(int((~there).sum()), 'frame')}")
    return "\n".join((*lines, *solved.notes))
