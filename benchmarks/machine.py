"""Names the machine in one line and says how fast it was, before and after a benchmark.

A benchmark calls :func:`name_machine` once, first thing in ``main``. Processor time that others
take shows up as a slower yardstick: compare figures only where the yardsticks agree.
"""

from __future__ import annotations

import atexit
import os
import platform
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

# Some 20 ms and 10 ms each on a processor of 2020.
LOOPS, COPIED_BYTES, RUNS = 200_000, 32_000_000, 9


def yardstick() -> str:
    """Best and median ms of a fixed loop in Python and of a fixed copy of 32 MB in memory."""
    source = np.ones(COPIED_BYTES // 8)
    target = np.empty_like(source)

    def loop() -> None:
        total = 0
        for number in range(LOOPS):
            total += number & 7

    def copy() -> None:
        np.copyto(target, source)

    copy()
    spent = {loop: _times(loop), copy: _times(copy)}
    (loop_best, loop_median), (copy_best, copy_median) = (
        (min(times), statistics.median(times)) for times in spent.values()
    )
    return (
        f"Python loop {loop_best:.1f} ms (median {loop_median:.1f}), "
        f"32 MB copy {copy_best:.1f} ms (median {copy_median:.1f})"
    )


def _times(call: Callable[[], None]) -> list[float]:
    times = []
    for _ in range(RUNS):
        began = time.perf_counter()
        call()
        times.append(1000.0 * (time.perf_counter() - began))
    return times


def machine() -> str:
    """Processor, cores, Python and platform."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return (
        f"{_processor()}, {cores} cores, Python {platform.python_version()}, {platform.platform()}"
    )


def _processor() -> str:
    described = Path("/proc/cpuinfo")
    if described.exists():
        for line in described.read_text().splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return value.strip()
    return platform.processor() or platform.machine()


def name_machine() -> None:
    """Print machine and yardstick now, and the yardstick again when the program ends."""
    print(f"machine: {machine()}; {yardstick()}", flush=True)
    atexit.register(lambda: print(f"machine at the end: {yardstick()}", flush=True))


if __name__ == "__main__":
    print(f"{machine()}; {yardstick()}")
