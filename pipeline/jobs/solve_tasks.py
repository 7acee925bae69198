"""Tasks that bring derived points up to date: triangulated frame by frame, or fused over time."""

from __future__ import annotations

from collections.abc import Callable, Generator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.data.frame_ranges import n_frames_in
from pipeline.data.patch import Patch
from pipeline.data.sequence import Sequence
from pipeline.geometry.fuse import solve_fused, track_lengths
from pipeline.geometry.reconstruct import solve_points3d
from pipeline.io.project import Project
from pipeline.jobs.messages import Done, Event, Job, Partial, Progress

Events = Generator[Event, None, None]
Solve = Callable[[Sequence, int, NDArray[np.intp]], tuple[Patch, ...]]

# Frames solved between two events: long enough to be efficient, short enough to be cancelled. The
# fused solve reads half a second more on either side, which short blocks would do over and over.
BLOCK, FUSED_BLOCK = 200, 400


def triangulate(job: Job) -> Events:
    """Bring ``points3d`` up to date: args ``project``, ``track``, ``ranges`` (R, 2) in this order.

    A range is its first frame and the one after its last.
    """
    yield from _solved(job, solve_points3d, BLOCK)


def fuse(job: Job) -> Events:
    """Bring ``fused`` up to date: args as :func:`triangulate`."""

    def solve(sequence: Sequence, track: int, frames: NDArray[np.intp]) -> tuple[Patch, ...]:
        return solve_fused(sequence, track, frames, track_lengths(sequence, track))

    yield from _solved(job, solve, FUSED_BLOCK)


def _solved(job: Job, solve: Solve, length: int) -> Events:
    ranges = np.asarray(job.args["ranges"], np.intp).reshape(-1, 2)
    track, total, done = int(job.args["track"]), n_frames_in(ranges), 0
    with Project.open(Path(job.args["project"]), read_only=True) as project:
        for start, stop in ranges.tolist():
            for first in range(start, stop, length):
                block = np.arange(first, min(first + length, stop), dtype=np.intp)
                yield Partial(job.id, solve(project.sequence, track, block), block)
                done += len(block)
                yield Progress(job.id, done / total, f"{done} of {total} frames")
    yield Done(job.id, {"frames": total})
