"""A plain function that reports its progress, turned into a generator of ``(fraction, text)``."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from typing import TypeVar

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
