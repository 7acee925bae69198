"""How long a dataset takes and how much room it needs, corrected by what was seen of it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.jobs.dataset_state import SequenceState

# Of one worker on one core of a small server, measured with 60 and with 1000 frames; corrected by
# what this computer needs.
_START_SECONDS, _FRAME_SECONDS = 6.0, 0.018
# The scaled model, and all files of one frame.
_START_BYTES, _FRAME_BYTES = 650_000, 10_000
# What a worker holds: 384 MB with 1000 frames, and room for longer ones.
_WORKER_BYTES = 700 << 20
_MEMORY = Path("/proc/meminfo")


@dataclass(frozen=True, slots=True)
class Estimate:
    """What is still to be done: sequences, frames, seconds in all workers together, bytes."""

    sequences: int
    frames: int
    seconds: float
    n_bytes: int
    free_bytes: int


class Clock:
    """What is left, from frames and from how long the finished ones took."""

    def __init__(self, frames: Sequence[int], pace: float) -> None:
        self._frames = list(frames)
        self._expected = [_expected(n) for n in frames]
        self._part = [0.0] * len(frames)
        self._took, self._of = 0.0, 0.0
        self._pace = pace

    def estimate(self, out: Path) -> Estimate:
        n_bytes = sum(_START_BYTES + _FRAME_BYTES * n for n in self._frames)
        seconds = self._pace * sum(self._expected)
        free = shutil.disk_usage(out).free
        return Estimate(len(self._frames), sum(self._frames), seconds, n_bytes, free)

    def moved(self, number: int, fraction: float) -> None:
        self._part[number] = fraction

    def finished(self, number: int, state: SequenceState | None) -> None:
        self._part[number] = 1.0
        if state is not None:
            self._took += state.seconds
            self._of += _expected(state.frames)
            self._pace = self._took / self._of

    def fraction(self) -> float:
        """Of the whole, in 0..1."""
        total = sum(self._expected)
        done = sum(part * each for part, each in zip(self._part, self._expected, strict=True))
        return done / total if total else 1.0

    def left(self, workers: int) -> float:
        """Seconds until the last sequence has ended."""
        each = [(1 - part) * whole for part, whole in zip(self._part, self._expected, strict=True)]
        return self._pace * max(sum(each) / workers, max(each, default=0.0))


def pace(earlier: Iterable[SequenceState]) -> float:
    """How much longer than expected earlier sequences took here; 1 where there are none."""
    kept = list(earlier)
    expected = sum(_expected(state.frames) for state in kept)
    return sum(state.seconds for state in kept) / expected if expected else 1.0


def _expected(frames: int) -> float:
    return _START_SECONDS + _FRAME_SECONDS * frames


def room_for_workers() -> int:
    """Workers that cores and memory have room for, at least one."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    memory = _free_memory()
    room = cores or 1
    return max(room if memory is None else min(room, memory // _WORKER_BYTES), 1)


def _free_memory() -> int | None:
    """Bytes that programs can still have; None where the system does not tell."""
    try:
        lines = _MEMORY.read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    told = (line.split() for line in lines if line.startswith("MemAvailable:"))
    return next((1024 * int(words[1]) for words in told), None)
