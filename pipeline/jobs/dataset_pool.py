"""Sequences handed to processes of this computer, or to a Dask cluster, and what comes back."""

from __future__ import annotations

import contextlib
import importlib
import logging
import os
import shutil
import signal
import threading
import time
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.data.errors import UserError
from pipeline.jobs.dataset_state import SequenceJob, SequenceResult
from pipeline.jobs.messages import Cancelled, Done, Failed, Job, Progress
from pipeline.jobs.spawn import WorkerProcess

_TASKS = "pipeline.jobs.dataset_work"
_POLL_SECONDS = 0.1
# OpenSim holds Python's lock while it scales; on a busy computer that takes long.
_HUNG_AFTER = 600.0
# Between two steps of a sequence, after which a worker lets go of its files by itself.
_STOP_SECONDS = 5.0
_CONNECT_SECONDS = 10.0
#: Every worker has one thread, or they would get in each other's way.
_ONE_THREAD = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMBA_NUM_THREADS",
)


@dataclass(frozen=True, slots=True)
class Moved:
    """Sequence ``number`` has come so far, in 0..1."""

    number: int
    fraction: float


@dataclass(frozen=True, slots=True)
class Finished:
    """Sequence ``number`` is done, or has failed."""

    number: int
    result: SequenceResult


Events = Generator[Moved | Finished, None, None]


def local_events(work: Sequence[SequenceJob], n_workers: int) -> Events:
    """Do the work in processes of this computer; closing it stops them and leaves no half file.

    A process that dies costs only the sequence it was at.
    """
    waiting = deque(enumerate(work))
    running: dict[int, int] = {}
    workers = [WorkerProcess("dataset", _TASKS, _HUNG_AFTER) for _ in range(n_workers)]
    try:
        with _one_thread_each():
            while waiting or running:
                for place, worker in enumerate(workers):
                    if place not in running and waiting:
                        running[place], job = waiting.popleft()
                        told = Job(running[place], "sequence", {"work": job}, title=job.path.name)
                        with _interrupts_not_inherited():
                            worker.submit(told)
                    for event in worker.poll():
                        if isinstance(event, Progress):
                            yield Moved(event.job_id, event.fraction)
                        elif isinstance(event, (Done, Failed, Cancelled)):
                            running.pop(place, None)
                            yield Finished(event.job_id, _result(event))
                time.sleep(_POLL_SECONDS)
    finally:
        for place, number in running.items():
            workers[place].cancel(number)
        for worker in workers:
            worker.close(_STOP_SECONDS if running else 1.0)
        for number in running.values():
            remove_leftovers(work[number].folder)


def _result(event: Done | Failed | Cancelled) -> SequenceResult:
    if isinstance(event, Done):
        return SequenceResult(event.result["state"])
    if isinstance(event, Failed):
        return SequenceResult(None, event.message, event.detail)
    return SequenceResult(None, "It was stopped.")


def remove_leftovers(folder: Path) -> None:
    """Remove what a process that was killed has left of a sequence's folder."""
    for left in folder.parent.glob(f".{folder.name}.*.part"):
        shutil.rmtree(left, ignore_errors=True)


@contextlib.contextmanager
def _one_thread_each() -> Iterator[None]:
    """Processes that are started inside read this before they load numpy and numba."""
    before = {name: os.environ.get(name) for name in _ONE_THREAD}
    os.environ.update(dict.fromkeys(_ONE_THREAD, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextlib.contextmanager
def _interrupts_not_inherited() -> Iterator[None]:
    """Ctrl+C reaches every process of a terminal; one that is being started would complain."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def cluster_events(work: Sequence[SequenceJob], address: str) -> Events:
    """Do the work on a Dask cluster, whose workers see the same folders under the same names.

    Closing it takes back what has not begun; what runs there goes on to its end.

    Raises
    ------
    UserError
        Dask is not installed, or no scheduler answers; at once, not when the events are read.
    """
    distributed = _distributed()
    return _cluster_events(work, distributed, _client(distributed, address))


def _cluster_events(work: Sequence[SequenceJob], distributed: Any, client: Any) -> Events:
    from pipeline.jobs.dataset_work import run_sequence

    try:
        futures = {
            client.submit(run_sequence, job, pure=False): number for number, job in enumerate(work)
        }
        try:
            for future in distributed.as_completed(list(futures), loop=client.loop):
                yield Finished(futures[future], _fetched(future))
        finally:
            client.cancel([future for future in futures if not future.done()])
    finally:
        client.close()


def _fetched(future: Any) -> SequenceResult:
    if future.status == "finished":
        result: SequenceResult = future.result()
        return result
    if future.status == "error":
        error = future.exception()
        kind = type(error).__name__
        said = " ".join(str(error).split()).rstrip(" .:")
        if kind == "KilledWorker":
            said = "the worker process stopped again and again"
        return SequenceResult(None, f"The cluster could not do it: {said or kind}.", repr(error))
    return SequenceResult(None, "The cluster gave it up.")


def _distributed() -> Any:
    try:
        return importlib.import_module("distributed")
    except ImportError as error:
        raise UserError(
            "--cluster needs Dask, which is not installed; run: python -m pip install distributed."
        ) from error


def _client(distributed: Any, address: str) -> Any:
    if "://" not in address:
        raise UserError(f"--cluster {address} is no address such as tcp://host:8786.")
    # What it has to say about its connection is said in one sentence, below.
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    try:
        return distributed.Client(address, timeout=_CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as error:
        raise UserError(f"No Dask scheduler answers at {address}.") from error
