"""Looking for left and right mixed up by the detector, as a job."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import numpy as np

from pipeline.data.layers import reach_of
from pipeline.data.observations import observations
from pipeline.data.sequence import Sequence
from pipeline.geometry.fuse import track_lengths
from pipeline.geometry.swaps import SwapSuggestion, detect_swaps, swap_ranges
from pipeline.io.project import Project
from pipeline.jobs.messages import Done, Event, Job, Progress

# A chain that fits either way for a frame or two does not end a range of swapped ones.
MOST_GAP = 2
# Frames searched between two events: a second or two of work, some tens of megabytes.
BLOCK = 600


def find_swaps(job: Job) -> Generator[Event, None, None]:
    """Suggest left/right exchanges: args ``project`` and ``track``; nothing is written.

    ``Done`` carries ``ranges``, each with ``start``, ``stop`` (exclusive), ``view``, ``chain`` and
    ``gain_px``, by which the points come closer on average.
    """
    track = int(job.args["track"])
    with Project.open(Path(job.args["project"]), read_only=True) as project:
        sequence, found = project.sequence, list[SwapSuggestion]()
        for start in range(0, sequence.n_frames, BLOCK):
            yield Progress(job.id, start / sequence.n_frames, "Comparing each view with all others")
            found += _found_in(sequence, track, start, min(start + BLOCK, sequence.n_frames))
        ranges = [
            {
                "start": one.start,
                "stop": one.stop,
                "view": one.view,
                "chain": one.chain,
                "gain_px": float(one.gain_px),
            }
            for one in swap_ranges(tuple(found), MOST_GAP)
        ]
        yield Done(job.id, {"ranges": ranges})


def _found_in(sequence: Sequence, track: int, start: int, stop: int) -> list[SwapSuggestion]:
    """Suggestions in some frames, with those around them as context."""
    context = 2 * reach_of("fused", sequence.info.fps)
    first = max(0, start - context)
    frames = np.arange(first, min(stop + context, sequence.n_frames))
    seen = observations(sequence, track, frames)
    found = detect_swaps(
        sequence.cameras,
        seen.xy,
        seen.score,
        skeleton=sequence.info.skeleton,
        fps=sequence.info.fps,
        manual=seen.manual,
        lengths=track_lengths(sequence, track),
    )
    return [
        SwapSuggestion(one.frame + first, one.view, one.chain, one.gain_px)
        for one in found
        if start <= one.frame + first < stop
    ]
