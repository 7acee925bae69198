"""Calls into OpenSim's tools that print and change the working directory, kept to themselves."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quiet_process() -> Iterator[None]:
    """Standard output and error of the whole process go nowhere; its folder stays what it was.

    OpenSim's tools print summaries past every log level (opensim-core#3121) and change into the
    folder of their set-up (ik_solver.md §2.2). Not for a process with other threads that print.
    """
    folder = os.getcwd()
    sys.stdout.flush()
    sys.stderr.flush()
    kept = [(fd, os.dup(fd)) for fd in (1, 2)]
    with tempfile.TemporaryFile() as sink:
        try:
            for fd, _ in kept:
                os.dup2(sink.fileno(), fd)
            yield
        finally:
            for fd, copy in kept:
                os.dup2(copy, fd)
                os.close(copy)
            os.chdir(folder)
