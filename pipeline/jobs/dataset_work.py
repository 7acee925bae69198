"""One sequence of a dataset, opened, simulated and put in its place: what workers run."""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Generator
from pathlib import Path

import numpy as np

from pipeline.data.errors import UserError
from pipeline.data.observations import track_ids
from pipeline.data.sequence import Sequence
from pipeline.io.atomic import atomic_folder
from pipeline.io.opening import SUFFIX, open_in_memory
from pipeline.io.project import Project
from pipeline.jobs.dataset_state import (
    SequenceJob,
    SequenceResult,
    SequenceState,
    input_stamp,
    is_result,
    write_state,
)
from pipeline.jobs.messages import Done, Event, Job, Progress
from pipeline.jobs.simulation_files import angles_of
from pipeline.jobs.simulation_plan import make_folder
from pipeline.jobs.simulation_run import Simulated, simulation_steps
from pipeline.jobs.steps import reported
from pipeline.kinematics.follow import share_simulated
from pipeline.kinematics.published import CHAIN

_READING = 0.15  # share of the work
# Above this the model does not stand where the points are, whatever the cause.
_POOR_FIT = 0.040  # m, median
_MOSTLY = 0.5

# OpenSim's models are not for several threads, and its output is caught for the whole process.
_one_at_a_time = threading.Lock()


def run_sequence(job: SequenceJob) -> SequenceResult:
    """The whole job at once, for workers of a cluster; never raises but when it is stopped."""
    with _one_at_a_time:
        steps = sequence_steps(job)
        while True:
            try:
                next(steps)
            except StopIteration as finished:
                return SequenceResult(finished.value)
            except UserError as error:
                return SequenceResult(None, str(error))
            except Exception as error:  # the boundary: one sequence never stops the others
                cause = f"{type(error).__name__}: {error}".rstrip(" .:")
                reason = f"{job.path.name} failed ({cause})."
                return SequenceResult(None, reason, traceback.format_exc())


def _task(job: Job) -> Generator[Event, None, None]:
    work: SequenceJob = job.args["work"]
    steps = sequence_steps(work)
    try:
        while True:
            try:
                fraction, what = next(steps)
            except StopIteration as finished:
                yield Done(job.id, {"state": finished.value})
                return
            yield Progress(job.id, fraction, what)
    finally:
        steps.close()


TASKS = {"sequence": _task}


def sequence_steps(job: SequenceJob) -> Generator[tuple[float, str], None, SequenceState]:
    """Do one sequence; its folder appears when all of it is there.

    Raises
    ------
    UserError
        A recording that cannot be used, or files that cannot be written.
    """
    begun = time.monotonic()
    make_folder(job.folder.parent)
    inputs = input_stamp(job.path)  # first: a change from now on makes the result out of date
    sequence, track = yield from _opened(job.path)
    with atomic_folder(job.folder, is_result) as folder:
        done = yield from _later(simulation_steps(sequence, track, folder, job.plan))
        state = _state(done, inputs, job.options, time.monotonic() - begun)
        write_state(folder, state)
    return state


def _later(
    steps: Generator[tuple[float, str], None, Simulated],
) -> Generator[tuple[float, str], None, Simulated]:
    while True:
        try:
            fraction, what = next(steps)
        except StopIteration as finished:
            done: Simulated = finished.value
            return done
        yield _READING + (1 - _READING) * fraction, what


def _opened(path: Path) -> Generator[tuple[float, str], None, tuple[Sequence, int]]:
    """The recording or project, and the person that ``simspine simulate`` would take."""
    yield 0.0, "Reading"
    picked: int | None = None
    if path.suffix == SUFFIX:
        with Project.open(path, read_only=True) as project:
            sequence, picked = project.sequence, project.state("person")
    else:
        steps = reported(lambda report: open_in_memory(path, report=report))
        while True:
            try:
                fraction, what = next(steps)
            except StopIteration as finished:
                sequence = finished.value[0]
                break
            yield _READING * fraction, what
    tracks = track_ids(sequence)
    if not len(tracks):
        raise UserError(f"Nobody was detected in “{sequence.info.name}”.")
    ignored = sequence.read("tracks.ignored", tracks).astype(bool)
    offered = [int(track) for track, hidden in zip(tracks, ignored, strict=True) if not hidden]
    if not offered:
        raise UserError(f"Everybody in “{sequence.info.name}” is ignored.")
    return sequence, picked if picked in offered else offered[0]


def _state(done: Simulated, inputs: str, options: str, seconds: float) -> SequenceState:
    error = done.outcome.marker_error
    known = np.isfinite(error).any()
    return SequenceState(
        inputs=inputs,
        options=options,
        frames=len(done.measured.times),
        seconds=round(seconds, 2),
        marker_error=round(float(1000 * np.nanmedian(error)), 2) if known else None,
        flags=_flags(done),
        files={file.name: file.stat().st_size for file in done.files},
    )


def _flags(done: Simulated) -> tuple[str, ...]:
    """What a person should look at before the labels are used."""
    found, flags = done.outcome, []
    if np.isfinite(found.marker_error).any() and np.nanmedian(found.marker_error) > _POOR_FIT:
        flags.append("poor fit")
    names = done.measured.names
    column = np.array([names.index(name) for name in CHAIN if name in names], np.intp)
    if len(column) and share_simulated(found.labels, column) > _MOSTLY:
        flags.append("column from priors")
    if not np.isfinite(found.labels.xyz[:, column]).all():
        flags.append("labels missing")
    angles = angles_of(found)
    if angles is not None and (beyond := int((angles.beyond > 0).sum())):
        flags.append(f"beyond usual range in {beyond} frames")
    return tuple(flags)
