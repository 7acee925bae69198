"""Tasks of the simulator: learn a person's model, and follow their points with it."""

from __future__ import annotations

import os
import tempfile
import zlib
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pipeline.data.errors import UserError
from pipeline.data.frame_ranges import n_frames_in
from pipeline.io.project import Project
from pipeline.jobs.messages import Done, Event, Job, Partial, Progress

if TYPE_CHECKING:
    from pipeline.kinematics.follow import Engine

Events = Generator[Event, None, None]

# Frames that a model is learnt from, in stretches of this many: more change no factor visibly.
_LEARNT_FROM, _STRETCH = 2000, 50
# Frames solved between two events: half a second more is read on either side. OpenSim takes half a
# minute for as many as the second.
_BLOCK, _SLOW_BLOCK = 200, 50


def learn_subject(job: Job) -> Events:
    """Scale a model to a person: args ``project``, ``track``, ``variant``, ``cutoff``.

    Also ``height`` (m) and ``mass`` (kg), None where they are not known, and
    perhaps ``weights`` of parts of the body by name, and ``model`` and ``marker_set``, files of a
    model that is not ours and of markers for it. ``Done`` has ``subject`` (bytes of
    ``pipeline.kinematics.subject``), ``osim`` (the model as OpenSim reads it, zlib) and ``report``
    (small values about the fit).
    """
    from pipeline.geometry.fuse import solve_fused, track_lengths
    from pipeline.kinematics.follow_sequence import check_subject
    from pipeline.kinematics.measured import read_measured
    from pipeline.kinematics.part_weights import check_part_weights
    from pipeline.kinematics.subject import subject_bytes
    from pipeline.simulation.other_model import LearntOther, learn_other_steps
    from pipeline.simulation.scaling import ScaleOptions
    from pipeline.simulation.simulate import Learnt, SimulationOptions, learn_steps

    args, track = job.args, int(job.args["track"])
    weights = args.get("weights", {})
    check_part_weights(weights)  # before the long work
    options = SimulationOptions(
        variant=args["variant"],
        cutoff=float(args["cutoff"]),
        scale=ScaleOptions(height=args["height"], mass=args["mass"]),
        weights=weights,
    )
    with (
        Project.open(Path(args["project"]), read_only=True) as project,
        tempfile.TemporaryDirectory(prefix="simspine-") as folder,
    ):
        sequence = project.sequence
        yield Progress(job.id, 0.0, "Measuring limbs")
        lengths = track_lengths(sequence, track)
        frames = spread_frames(sequence.n_frames)
        for first in range(0, len(frames), _BLOCK):
            block = frames[first : first + _BLOCK]
            for run in np.split(block, np.flatnonzero(np.diff(block) > 1) + 1):
                sequence.land(solve_fused(sequence, track, run, lengths), run, sequence.revision)
            yield Progress(job.id, 0.2 * (first + len(block)) / len(frames), "Solving over time")
        path = Path(folder) / "subject.osim"
        measured = read_measured(sequence, track, frames)
        other, markers = (args.get(name) or None for name in ("model", "marker_set"))
        notes: tuple[str, ...] = ()
        steps: Generator[tuple[float, str], None, Learnt]
        if other is None:
            steps = learn_steps(measured, path, options)
        else:
            marker_set = None if markers is None else Path(markers)
            steps = learn_other_steps(measured, path, Path(other), marker_set, options)
        while True:
            try:
                share, what = next(steps)
            except StopIteration as end:
                learnt: Learnt = end.value
                break
            yield Progress(job.id, 0.2 + 0.8 * share, what)
        if isinstance(learnt, LearntOther):
            notes = learnt.notes
        check_subject(learnt.subject, sequence)
        applied = {one.name: one.factor for one in learnt.scaling.refined}
        error = np.linalg.norm(learnt.virtual - measured.xyz, axis=-1)
        report: dict[str, Any] = {
            "frames": len(frames),
            "median_error": float(np.nanmedian(error)),
            "mass": learnt.scaling.mass,
            "unmeasured": learnt.scaling.unmeasured,
            "notes": list(notes),
            "factors": [
                {
                    "name": one.name,
                    "factor": applied.get(one.name, one.factor),
                    "frames": one.n_frames,
                }
                for one in learnt.scaling.factors
                if one.n_frames
            ],
        }
        osim = zlib.compress(path.read_bytes())
        yield Done(
            job.id,
            {"subject": subject_bytes(learnt.subject), "osim": osim, "report": report},
        )


def spread_frames(n_frames: int) -> NDArray[np.intp]:
    """All frames of a short recording, else stretches spread over it evenly."""
    if n_frames <= _LEARNT_FROM:
        return np.arange(n_frames, dtype=np.intp)
    starts = np.linspace(0, n_frames - _STRETCH, _LEARNT_FROM // _STRETCH).astype(np.intp)
    return np.unique((starts[:, None] + np.arange(_STRETCH)).ravel())


def follow(job: Job) -> Events:
    """Bring ``kinematics`` up to date: args ``project``, ``track``, ``ranges`` (R, 2), ``subject``.

    A range is its first frame and the one after its last; ranges are solved in this order. With
    ``engine`` ``opensim``, OpenSim solves them with the model ``osim`` (zlib).
    """
    from pipeline.kinematics.follow_sequence import check_subject, kinematics_steps
    from pipeline.kinematics.subject import subject_from

    ranges = np.asarray(job.args["ranges"], np.intp).reshape(-1, 2)
    track, total, done = int(job.args["track"]), n_frames_in(ranges), 0
    path = Path(job.args["project"])
    subject = subject_from(job.args["subject"], path)
    unreadable: UserError | None = None
    yield Progress(job.id, 0.0, "Getting the solver ready")
    with Project.open(path, read_only=True) as project, _engine(job) as engine:
        check_subject(subject, project.sequence)
        start: NDArray[np.float64] | None = None
        ended, length = -1, _BLOCK if engine is None else _SLOW_BLOCK
        for low, stop in ranges.tolist():
            for first in range(low, stop, length):
                block = np.arange(first, min(first + length, stop), dtype=np.intp)
                near = start if first == ended else None
                steps = kinematics_steps(
                    project.sequence, track, block, subject, near, os.cpu_count() or 1, engine
                )
                try:
                    while True:
                        share, _ = next(steps)
                        if engine is not None:
                            fraction = (done + share * len(block)) / total
                            yield Progress(job.id, fraction, f"{done} of {total} frames")
                except StopIteration as end:
                    yield Partial(job.id, end.value, block)
                    start = _last_pose(end.value[0].new, subject.model.n_coordinates)
                    ended = int(block[-1]) + 1
                except UserError as error:
                    unreadable = unreadable or error  # what can be read is solved nevertheless
                done += len(block)
                yield Progress(job.id, done / total, f"{done} of {total} frames")
    if unreadable is not None:
        raise unreadable
    yield Done(job.id, {"frames": total})


@contextmanager
def _engine(job: Job) -> Iterator[Engine | None]:
    """What solves the frames, if not our own solver."""
    if job.args.get("engine", "fast") != "opensim":
        yield None
        return
    from pipeline.simulation.opensim_engine import opensim_engine

    with tempfile.TemporaryDirectory(prefix="simspine-") as folder:
        file = Path(folder) / "subject.osim"
        file.write_bytes(zlib.decompress(job.args["osim"]))
        yield opensim_engine(file)


def _last_pose(rows: NDArray[np.generic], n_coordinates: int) -> NDArray[np.float64] | None:
    last = np.asarray(rows[-1, :n_coordinates], np.float64)
    return last if np.isfinite(last).all() else None
