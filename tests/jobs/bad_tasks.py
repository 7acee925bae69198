"""Tasks that behave in every way a task can, run by workers that tests start.

``log``, where a task takes it, is a file that gets one line per start: a count of its runs.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Generator
from pathlib import Path

import numpy as np

from pipeline.data.errors import UserError
from pipeline.data.patch import Patch
from pipeline.jobs.messages import Cancelled, Done, Event, Failed, File, Job, Partial, Progress
from pipeline.jobs.runner import Task
from pipeline.jobs.steps import Report, reported

Events = Generator[Event, None, None]


def count(job: Job) -> Events:
    """As many progress events as ``n``, then the number as result."""
    if "log" in job.args:
        with Path(job.args["log"]).open("a") as log:
            log.write(f"{job.id}\n")
    n = job.args.get("n", 3)
    for i in range(n):
        yield Progress(job.id, (i + 1) / n, f"{i + 1}")
    yield Done(job.id, {"n": n})


def silent(job: Job) -> Events:
    """No ending of its own."""
    yield Progress(job.id, 1.0)


def partial(job: Job) -> Events:
    """A patch, as results come."""
    index = np.array([[2, 0], [2, 1]])
    values = np.arange(6.0).reshape(2, 3)
    patch = Patch("points3d.xyz", index, np.full((2, 3), np.nan), values, 0)
    yield Partial(job.id, (patch,), np.array([2]))


def file(job: Job) -> Events:
    """Writes ``path`` slowly, under another name until it is whole."""
    path = Path(job.args["path"])
    part = path.with_suffix(".part")
    try:
        part.write_text("half")
        for _ in range(10_000):
            yield Progress(job.id, 0.5)
            time.sleep(0.01)
        part.rename(path)
    finally:
        part.unlink(missing_ok=True)
    yield File(job.id, path)


def thread(job: Job) -> Events:
    """The same as ``file`` by a plain function that reports."""
    path = Path(job.args["path"])

    def write(report: Report) -> None:
        path.write_text("half")
        try:
            for _ in range(10_000):
                report(0.5, "writing")
                time.sleep(0.01)
        except BaseException:
            path.unlink()
            raise

    for fraction, text in reported(write):
        yield Progress(job.id, fraction, text)


def user_error(job: Job) -> Events:
    """Something the user can act on."""
    yield Progress(job.id, 0.1)
    raise UserError("walk.mp4 cannot be read.")


def bug(job: Job) -> Events:
    """Something nobody foresaw."""
    yield Progress(job.id, 0.1)
    raise KeyError("frames")


def bug_while_closing(job: Job) -> Events:
    """Fails once more when it is asked to let go."""
    try:
        while True:
            yield Progress(job.id, 0.1)
    finally:
        raise OSError("disk full")


def two_endings(job: Job) -> Events:
    """Says Failed and would go on."""
    yield Failed(job.id, "This is the only ending.")
    yield Cancelled(job.id)
    yield Done(job.id)


def leave(job: Job) -> Events:
    """Tries to end the process the polite way."""
    yield Progress(job.id, 0.1)
    sys.exit(3)


def crash(job: Job) -> Events:
    """Is killed, as by the system when memory runs out."""
    yield Progress(job.id, 0.1)
    os.kill(os.getpid(), signal.SIGKILL)


def hang(job: Job) -> Events:
    """Stops the whole process, heartbeat included, as a C library does that keeps the lock."""
    yield Progress(job.id, 0.1)
    os.kill(os.getpid(), signal.SIGSTOP)


TASKS: dict[str, Task] = {
    task.__name__: task
    for task in (
        count, silent, partial, file, thread, user_error, bug, bug_while_closing, two_endings,
        leave, crash, hang,
    )
}  # fmt: skip
