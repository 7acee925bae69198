"""A worker process seen from the outside: start, submit, cancel, poll, close.

Import-light on purpose: the window imports this module and must not load what workers run.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import time
from collections import deque
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

from pipeline.jobs.messages import (
    CANCEL,
    CLOSE,
    HEARTBEAT,
    Cancelled,
    Done,
    Event,
    Failed,
    Job,
)

# A worker beats once a second; Python that holds the interpreter for long (a C library that keeps
# the lock) is late, so a worker counts as hung only after this many seconds of silence.
HUNG_AFTER = 60.0
# Importing numpy, scipy and OpenCV takes a second or two, on a cold disk much longer.
START_LIMIT = 120.0


class WorkerProcess:
    """One spawned process that runs jobs one after the other.

    A worker that dies or hangs costs only the job it was at: that job gets ``Failed``, a new
    process is started, and the jobs that were waiting are sent to it.

    Parameters
    ----------
    kind : str
        What the process is called in a list of processes.
    tasks : str
        Name of the module whose ``TASKS`` it runs; only the worker imports it.
    hung_after : float
        Seconds of silence after which it is killed.
    """

    def __init__(
        self, kind: str, tasks: str = "pipeline.jobs.tasks", hung_after: float = HUNG_AFTER
    ) -> None:
        self.kind = kind
        self._tasks = tasks
        self._hung_after = hung_after
        self._context = multiprocessing.get_context("spawn")
        self._process: BaseProcess | None = None
        self._pipe: Connection | None = None
        self._jobs: deque[Job] = deque()
        self._cancelled: set[int] = set()
        self._begun: int | None = None
        self._beat = 0.0
        self._ready = False

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.is_alive()

    @property
    def pid(self) -> int | None:
        return None if self._process is None else self._process.pid

    def start(self) -> None:
        """Start the process unless there is one; :meth:`poll` replaces one that died."""
        if self._process is not None:
            return
        ours, theirs = self._context.Pipe()
        process = self._context.Process(
            target=_main, args=(theirs, self._tasks), name=f"simspine-{self.kind}", daemon=True
        )
        process.start()
        theirs.close()
        self._process, self._pipe = process, ours
        self._beat, self._ready, self._begun = time.monotonic(), False, None
        for job in self._jobs:
            self._tell(job)

    def submit(self, job: Job) -> None:
        """Queue a job; its events come out of :meth:`poll`."""
        self.start()
        self._tell(job)
        self._jobs.append(job)

    def cancel(self, job_id: int) -> None:
        """Ask for a job to be stopped: at once if it waits, else between two of its events."""
        if any(job.id == job_id for job in self._jobs):
            self._cancelled.add(job_id)
            self._tell((CANCEL, job_id))

    def _tell(self, message: Job | tuple[str, int]) -> None:
        if self._pipe is not None:
            # A process that has just died is noticed by poll(), which sends all jobs to a new one.
            with contextlib.suppress(OSError):
                self._pipe.send(message)

    def poll(self) -> list[Event]:
        """Events since the last call, without waiting."""
        events: list[Event] = []
        pipe, process = self._pipe, self._process
        if pipe is None or process is None:
            return events
        # Asked first: what a process said before it died is still in the pipe.
        dead = not process.is_alive()
        try:
            while pipe.poll():
                message = pipe.recv()
                self._beat, self._ready = time.monotonic(), True
                if message != HEARTBEAT:
                    self._note(message)
                    events.append(message)
        except (EOFError, OSError):
            dead = True
        if dead:
            events += self._lost("stopped unexpectedly")
        elif time.monotonic() - self._beat > (self._hung_after if self._ready else START_LIMIT):
            events += self._lost("did not answer any more and was stopped")
        return events

    def _note(self, event: Event) -> None:
        if not isinstance(event, (Done, Failed, Cancelled)):
            self._begun = event.job_id
            return
        self._jobs = deque(job for job in self._jobs if job.id != event.job_id)
        self._cancelled.discard(event.job_id)

    def _lost(self, what: str) -> list[Event]:
        """The process is gone: end the job it was at, go on with the others in a new one.

        A process that died at rest has spoilt no job; one that never got ready would do so again,
        so that its first job ends too.
        """
        at_work = bool(self._jobs) and (self._jobs[0].id == self._begun or not self._ready)
        self._kill()
        endings: list[Event] = []
        if at_work:
            job = self._jobs[0]
            text = f"{job.title or job.task}: the worker process {what}; the job can be run again."
            endings.append(Failed(job.id, text))
        endings += [
            Cancelled(job.id) for job in list(self._jobs)[at_work:] if job.id in self._cancelled
        ]
        for ending in endings:
            self._note(ending)
        if self._jobs:
            self.start()
        return endings

    def _kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.join(5.0)
            if self._process.exitcode is not None:  # else it waits for a disk, and cannot be closed
                self._process.close()
            self._process = None
        if self._pipe is not None:
            self._pipe.close()
            self._pipe = None

    def close(self, timeout: float = 2.0) -> None:
        """Stop the process, gently for ``timeout`` seconds; queued jobs are dropped."""
        self._jobs.clear()
        self._cancelled.clear()
        if self._process is not None:
            self._tell((CLOSE, 0))
            self._process.join(timeout)
        self._kill()


def _main(pipe: Connection, tasks: str) -> None:
    from pipeline.jobs.worker import serve

    serve(pipe, tasks)
