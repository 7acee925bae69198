"""All sequences of a dataset: what is to be done, how long it takes, done, and summed up."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TextIO

from pipeline.data.errors import UserError
from pipeline.io.opening import SUFFIX
from pipeline.io.project import Project
from pipeline.io.recording import recognise
from pipeline.jobs.dataset_clock import Clock, Estimate, pace, room_for_workers
from pipeline.jobs.dataset_find import Found
from pipeline.jobs.dataset_pool import (
    Events,
    Finished,
    cluster_events,
    local_events,
    remove_leftovers,
)
from pipeline.jobs.dataset_state import SequenceJob, input_stamp, options_stamp, read_state
from pipeline.jobs.dataset_summary import Row, write_summary
from pipeline.jobs.simulation_plan import SimulationPlan, make_folder

SUMMARY_FILE, LOG_FILE = "dataset.csv", "dataset.log"


@dataclass(frozen=True, slots=True)
class Looked:
    """Sequences that were looked at so far, of ``total``."""

    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Begun:
    """What is found, before anything is done; ``rows`` are all, ``workers`` is 0 for a cluster."""

    rows: tuple[Row, ...]
    estimate: Estimate
    workers: int


@dataclass(frozen=True, slots=True)
class Advanced:
    """How far the whole is, in 0..1, and the seconds left; ``row`` is one that has just ended."""

    fraction: float
    left: float
    ended: int
    total: int
    row: Row | None = None


@dataclass(frozen=True, slots=True)
class DatasetPlan:
    """What is to be done.

    Parameters
    ----------
    root, out : Path
        Where the recordings are, and where the results go: another folder.
    simulation : SimulationPlan
    jobs : int, optional
        Processes; by default as many as cores and memory have room for.
    cluster : str, optional
        Address of a Dask scheduler instead.
    """

    root: Path
    out: Path
    simulation: SimulationPlan
    jobs: int | None = None
    cluster: str | None = None


def dataset_steps(
    plan: DatasetPlan, sequences: Sequence[Found]
) -> Generator[Looked | Begun | Advanced, None, tuple[Row, ...]]:
    """Do what is not done yet of some sequences; returns each with what came of it.

    ``dataset.csv`` in the output folder is up to date after each sequence; ``dataset.log`` is
    appended to.

    Raises
    ------
    UserError
        The output folder cannot be written, or there is no cluster.
    """
    root, out = plan.root.expanduser().absolute(), plan.out.expanduser().absolute()
    make_folder(out)
    options = options_stamp(plan.simulation)
    rows: list[Row] = []
    for found in sequences:
        yield Looked(len(rows), len(sequences))
        rows.append(_looked_at(found, out, options))
    pending = [place for place, row in enumerate(rows) if row.status == "waiting"]
    work = [
        SequenceJob(rows[p].found.path, out / rows[p].found.key, plan.simulation, options)
        for p in pending
    ]
    earlier = (row.state for row in rows if row.state is not None)
    clock = Clock([rows[place].frames for place in pending], pace(earlier))
    workers = 0 if plan.cluster else min(plan.jobs or room_for_workers(), max(len(work), 1))
    if workers != 1:
        work = [replace(job, plan=replace(job.plan, threads=1)) for job in work]
    for job in work:
        remove_leftovers(job.folder)
    # A cluster is asked for first: there is nothing to announce where none answers.
    events = cluster_events(work, plan.cluster) if plan.cluster else local_events(work, workers)
    yield Begun(tuple(rows), clock.estimate(out), workers)
    with _opened_log(out / LOG_FILE) as log:
        _note(log, f"{len(work)} of {len(rows)} sequences of {root} are to be done")

        def write() -> None:
            write_summary(out / SUMMARY_FILE, rows, root.name)

        write()
        yield from _worked(events, rows, pending, clock, max(workers, 1), log, write)
    return tuple(rows)


def _worked(
    events: Events,
    rows: list[Row],
    pending: list[int],
    clock: Clock,
    workers: int,
    log: TextIO,
    write: Callable[[], None],
) -> Generator[Advanced, None, None]:
    ended, total = 0, len(pending)
    try:
        for event in events:
            if not isinstance(event, Finished):
                clock.moved(event.number, event.fraction)
                yield Advanced(clock.fraction(), clock.left(workers), ended, total)
                continue
            place, result = pending[event.number], event.result
            row = rows[place]
            if result.state is not None:
                row = replace(row, status="done", state=result.state, frames=result.state.frames)
                _note(log, f"{row.found.key}: done in {result.state.seconds:.1f} s")
            else:
                row = replace(row, status="failed", reason=result.reason)
                _note(log, f"{row.found.key}: {result.reason}\n{result.detail}".rstrip())
            rows[place] = row
            clock.finished(event.number, result.state)
            ended += 1
            write()
            yield Advanced(clock.fraction(), clock.left(workers), ended, total, row)
    except (GeneratorExit, KeyboardInterrupt):
        _note(log, "stopped")
        raise
    finally:
        events.close()


def _opened_log(path: Path) -> TextIO:
    try:
        return path.open("a", encoding="utf-8")
    except OSError as error:
        raise UserError(f"{path} could not be written: {error.strerror or error}.") from error


def _note(log: TextIO, text: str) -> None:
    log.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {text}\n")
    log.flush()


def _looked_at(found: Found, out: Path, options: str) -> Row:
    state = read_state(out / found.key)
    try:
        wanted = state is not None and state.options == options
        if state is not None and wanted and state.inputs == input_stamp(found.path):
            return Row(found, "kept", state.frames, state)
        return Row(found, frames=_count_frames(found.path))
    except (UserError, OSError):
        # Told once, with its cause, when it is opened to be worked on.
        return Row(found)


def _count_frames(path: Path) -> int:
    """Frames of a project, or files of detections of a recording's view that has most."""
    if path.suffix == SUFFIX:
        with Project.open(path, read_only=True) as project:
            return project.sequence.n_frames
    folders = [view.detections for view in recognise(path).views if view.detections is not None]
    return max(
        (sum(name.endswith(".json") for name in os.listdir(folder)) for folder in folders),
        default=0,
    )
