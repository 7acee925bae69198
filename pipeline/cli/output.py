"""What every command of ``simspine`` shares: exit codes, its own error, the progress bar."""

from __future__ import annotations

import sys
import time
from collections.abc import Generator
from enum import IntEnum
from types import TracebackType
from typing import TextIO, TypeVar

T = TypeVar("T")
Step = tuple[float, str]

BAR_WIDTH = 28
REDRAW_SECONDS = 0.1
WIDEST = 79  # of a terminal of 80 columns; the last one may wrap


class Exit(IntEnum):
    """Exit codes, for scripts."""

    OK = 0
    FAILED = 1
    USAGE = 2
    UNUSABLE = 3
    NO_PERSON = 4
    INTERRUPTED = 130  # 128 + SIGINT, as shells have it


class CommandError(Exception):
    """Ends a command with an exit code and one sentence for the user."""

    def __init__(self, code: Exit, message: str) -> None:
        super().__init__(message)
        self.code = code


class ProgressBar:
    """One line on stderr that shows how far work has come; nothing where that is no terminal."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = sys.stderr if stream is None else stream
        self._shows = self._stream.isatty()
        self._drawn = float("-inf")

    def show(self, fraction: float, text: str = "") -> None:
        """Draw the bar, unless it was drawn a moment ago."""
        now = time.monotonic()
        if not self._shows or now - self._drawn < REDRAW_SECONDS:
            return
        self._drawn = now
        done = round(min(max(fraction, 0.0), 1.0) * BAR_WIDTH)
        line = f"[{'#' * done}{' ' * (BAR_WIDTH - done)}] {fraction:4.0%} {text}"
        self._stream.write(f"\r{line[:WIDEST]:<{WIDEST}}")
        self._stream.flush()

    def follow(self, steps: Generator[Step, None, T]) -> T:
        """Do the work of ``steps`` to its end, showing each; returns what they return."""
        try:
            while True:
                self.show(*next(steps))
        except StopIteration as end:
            result: T = end.value
            return result
        finally:
            steps.close()  # now, so that an interrupted command has tidied up when it ends

    def __enter__(self) -> ProgressBar:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._drawn > 0:
            self._stream.write(f"\r{'':{WIDEST}}\r")
            self._stream.flush()


def counted(n: int, word: str) -> str:
    """A number and its noun: ``1 frame``, ``2 frames``."""
    return f"{n} {word}" if n == 1 else f"{n} {word}s"
