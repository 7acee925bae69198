"""Cameras and their offsets in time refined from one person of a recording."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from pipeline.data.observations import observations
from pipeline.data.sequence import Sequence
from pipeline.geometry.offsets import OffsetEstimates, instants, offset_steps, windows
from pipeline.geometry.refine import (
    COUNTED_SCORE,
    DEFAULT_REFINE_OPTIONS,
    Refinement,
    RefineOptions,
    refine_steps,
)
from pipeline.geometry.refine_frames import spread_evenly, usable_frames

Step = tuple[float, str]
T = TypeVar("T")

# Frames of a long recording that are read at all, so that an hour takes no more than a minute.
READ_FRAMES = 1200
REFINE_SHARE = 0.25  # of the time


@dataclass(frozen=True, slots=True, eq=False)
class CameraReport:
    """The refinement with the time axes as they are, and what is known of those."""

    refinement: Refinement
    offsets: OffsetEstimates

    @property
    def out_of_step(self) -> tuple[int, ...]:
        """Views that are clearly late or early: cameras fitted to their pictures stand wrong."""
        found = zip(self.offsets.frames.tolist(), self.offsets.verdicts, strict=True)
        return tuple(view for view, (frames, verdict) in enumerate(found)
                     if frames and verdict == "clear")  # fmt: skip

    @property
    def accepted(self) -> bool:
        """True where the refined cameras are to be used."""
        return self.refinement.accepted and not self.out_of_step

    @property
    def reason(self) -> str:
        """Why they are not; empty where they are."""
        if not self.out_of_step or not self.refinement.accepted:
            return self.refinement.reason
        late = ", ".join(
            f"{self.refinement.cameras[view].name} by {int(self.offsets.frames[view]):+d} frames"
            for view in self.out_of_step
        )
        return f"Cameras are out of step ({late}); synchronise them first, then refine again."


def camera_report_steps(
    sequence: Sequence, track: int, options: RefineOptions = DEFAULT_REFINE_OPTIONS
) -> Generator[Step, None, CameraReport]:
    """Refine from a track of a sequence, with a ``(fraction, text)`` after each step."""
    n_frames = sequence.n_frames
    rows = spread_evenly(np.arange(n_frames), READ_FRAMES)
    yield 0.0, "Reading detections"
    seen = observations(sequence, track, rows)
    cameras = sequence.cameras
    refining = refine_steps(cameras, seen.xy, seen.score, manual=seen.manual, options=options)
    found = yield from _scaled(refining, 0.0, REFINE_SHARE)
    refinement = replace(found, frames=rows[found.frames], checked=rows[found.checked])

    used = (seen.score > COUNTED_SCORE) & np.isfinite(seen.xy[..., 0])
    at, reach = instants(rows[usable_frames(used)], n_frames)

    def read(frames: NDArray[np.intp]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        part = observations(sequence, track, frames)
        return part.xy, part.score

    timing = offset_steps(cameras, *windows(read, at, reach))
    return CameraReport(refinement, (yield from _scaled(timing, REFINE_SHARE, 1.0)))


def _scaled(steps: Generator[Step, None, T], start: float, end: float) -> Generator[Step, None, T]:
    try:
        while True:
            fraction, text = next(steps)
            yield start + fraction * (end - start), text
    except StopIteration as done:
        result: T = done.value
        return result
