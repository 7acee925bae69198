"""What workers and the command line can do: each task is a generator of events.

Arguments are paths, indices and small values. A task reads the project file itself, read only, so
that it sees what the window has committed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from pipeline.geometry.reconstruct import solve_points3d
from pipeline.io.opening import create_project
from pipeline.io.project import Project
from pipeline.jobs.messages import Done, Event, File, Job, Partial, Progress

# Frames solved between two events: long enough to be efficient, short enough to be cancelled.
BLOCK = 200


def triangulate(job: Job) -> Iterator[Event]:
    """Bring ``points3d`` up to date: args ``project``, ``track``, ``frames`` (in this order)."""
    frames = np.asarray(job.args["frames"], np.intp)
    track = int(job.args["track"])
    with Project.open(Path(job.args["project"]), read_only=True) as project:
        for start in range(0, len(frames), BLOCK):
            block = np.sort(frames[start : start + BLOCK])
            yield Partial(job.id, solve_points3d(project.sequence, track, block), block)
            done = min(start + BLOCK, len(frames))
            yield Progress(job.id, done / len(frames), f"{done} of {len(frames)} frames")
    yield Done(job.id, {"frames": len(frames)})


def import_recording(job: Job) -> Iterator[Event]:
    """Make a project of a recording: args ``plan``, ``project`` (path to make), ``author``."""
    path = Path(job.args["project"])
    yield Progress(job.id, 0.0, "Reading videos and detections")
    with create_project(job.args["plan"], path, job.args["author"]) as project:
        findings = len(project.findings)
    yield File(job.id, path)
    yield Done(job.id, {"findings": findings})


TASKS: dict[str, Callable[[Job], Iterator[Event]]] = {
    "triangulate": triangulate,
    "import_recording": import_recording,
}
