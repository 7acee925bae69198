"""Looking for left and right mixed up by the detector, as a job."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

from pipeline.data.observations import observations
from pipeline.geometry.swaps import detect_swaps, swap_ranges
from pipeline.io.project import Project
from pipeline.jobs.messages import Done, Event, Job, Progress

# A chain that fits either way for a frame or two does not end a range of swapped ones.
MOST_GAP = 2


def find_swaps(job: Job) -> Generator[Event, None, None]:
    """Suggest left/right exchanges: args ``project`` and ``track``; nothing is written.

    ``Done`` carries ``ranges``, each with ``start``, ``stop`` (exclusive), ``view``, ``chain`` and
    ``gain_px``, by which the points come closer on average.
    """
    with Project.open(Path(job.args["project"]), read_only=True) as project:
        sequence = project.sequence
        yield Progress(job.id, 0.05, "Comparing each view with all others")
        seen = observations(sequence, int(job.args["track"]))
        found = detect_swaps(
            sequence.cameras,
            seen.xy,
            seen.score,
            skeleton=sequence.info.skeleton,
            fps=sequence.info.fps,
            manual=seen.manual,
        )
        ranges = [
            {
                "start": one.start,
                "stop": one.stop,
                "view": one.view,
                "chain": one.chain,
                "gain_px": float(one.gain_px),
            }
            for one in swap_ranges(found, MOST_GAP)
        ]
        yield Done(job.id, {"ranges": ranges})
