"""Tasks that bring derived points up to date: triangulated frame by frame, or fused over time."""

from __future__ import annotations

from collections.abc import Callable, Generator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.data.errors import UserError
from pipeline.data.frame_ranges import n_frames_in
from pipeline.data.patch import Patch
from pipeline.data.sequence import Sequence
from pipeline.geometry.fuse import solve_fused, track_lengths
from pipeline.geometry.reconstruct import solve_points3d
from pipeline.geometry.track_limbs import LimbLengths
from pipeline.io.project import Project
from pipeline.jobs.messages import Done, Event, Job, Partial, Progress

Events = Generator[Event, None, None]
Solved = tuple[tuple[Patch, ...], LimbLengths | None]
Solve = Callable[[Sequence, int, NDArray[np.intp]], Solved]

# Frames solved between two events: long enough to be efficient, short enough to be cancelled. The
# fused solve reads half a second more on either side, which short blocks would do over and over.
BLOCK, FUSED_BLOCK = 200, 400


def triangulate(job: Job) -> Events:
    """Bring ``points3d`` up to date: args ``project``, ``track``, ``ranges`` (R, 2) in this order.

    A range is its first frame and the one after its last.
    """

    def solve(sequence: Sequence, track: int, frames: NDArray[np.intp]) -> Solved:
        return solve_points3d(sequence, track, frames), None

    yield from _solved(job, solve, BLOCK)


def fuse(job: Job) -> Events:
    """Bring ``fused`` up to date: args as :func:`triangulate`.

    The limb lengths come up with the values: measuring them takes longer than a window can wait.
    """

    def solve(sequence: Sequence, track: int, frames: NDArray[np.intp]) -> Solved:
        lengths = track_lengths(sequence, track)
        return solve_fused(sequence, track, frames, lengths), lengths

    yield from _solved(job, solve, FUSED_BLOCK)


def _solved(job: Job, solve: Solve, length: int) -> Events:
    ranges = np.asarray(job.args["ranges"], np.intp).reshape(-1, 2)
    track, total, done = int(job.args["track"]), n_frames_in(ranges), 0
    unreadable: UserError | None = None
    with Project.open(Path(job.args["project"]), read_only=True) as project:
        for start, stop in ranges.tolist():
            for first in range(start, stop, length):
                block = np.arange(first, min(first + length, stop), dtype=np.intp)
                try:
                    patches, lengths = solve(project.sequence, track, block)
                    yield Partial(job.id, patches, block, lengths)
                except UserError as error:
                    unreadable = unreadable or error  # what can be read is solved nevertheless
                done += len(block)
                yield Progress(job.id, done / total, f"{done} of {total} frames")
    if unreadable is not None:
        raise unreadable
    yield Done(job.id, {"frames": total})
