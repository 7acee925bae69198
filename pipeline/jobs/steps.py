"""Steps ``(fraction, text)``: from a plain function that reports, and on to a job's events."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from typing import TypeVar

from pipeline.jobs.messages import Event, Job, Progress

T = TypeVar("T")
Step = tuple[float, str]
Report = Callable[[float, str], None]


class _StoppedError(Exception):
    """Raised by ``report`` once nobody listens any more."""


def reported(call: Callable[[Report], T]) -> Generator[Step, None, T]:
    """Steps of a function that is given a ``report(fraction, text)`` to call.

    The function runs in a thread of its own; its result is the generator's, its exceptions are
    raised here. Closing the generator makes the next ``report`` raise inside the function, which
    so comes to clean up after itself, and waits for its end.
    """
    steps: SimpleQueue[Step | None] = SimpleQueue()
    stop = threading.Event()

    def report(fraction: float, text: str) -> None:
        if stop.is_set():
            raise _StoppedError
        steps.put((fraction, text))

    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(call, report)
        future.add_done_callback(lambda _: steps.put(None))
        try:
            while (step := steps.get()) is not None:
                yield step
        finally:
            stop.set()
        return future.result()


def told(
    job: Job, steps: Generator[Step, None, T], share: float = 1.0
) -> Generator[Event, None, T]:
    """A job's progress from steps that are ``share`` of it from the start; their result."""
    try:
        while True:
            try:
                fraction, text = next(steps)
            except StopIteration as end:
                result: T = end.value
                return result
            yield Progress(job.id, share * fraction, text)
    finally:
        steps.close()  # now, not when it happens to be collected
