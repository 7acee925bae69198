"""A worker process seen from the outside: start, submit, cancel, poll, close.

Import-light on purpose: the window imports this module and must not load what workers run.
"""

from __future__ import annotations

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
    """

    def __init__(self, kind: str, hung_after: float = HUNG_AFTER) -> None:
        self.kind = kind
        self._hung_after = hung_after
        self._context = multiprocessing.get_context("spawn")
        self._process: BaseProcess | None = None
        self._pipe: Connection | None = None
        self._jobs: deque[Job] = deque()
        self._beat = 0.0
        self._started = False

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.is_alive()

    @property
    def pid(self) -> int | None:
        return None if self._process is None else self._process.pid

    def start(self) -> None:
        """Start the process unless it runs."""
        if self.alive:
            return
        ours, theirs = self._context.Pipe()
        process = self._context.Process(
            target=_main, args=(theirs, self.kind), name=f"simspine-{self.kind}", daemon=True
        )
        process.start()
        theirs.close()
        self._process, self._pipe = process, ours
        self._beat, self._started = time.monotonic(), False
        for job in self._jobs:
            ours.send(job)

    def submit(self, job: Job) -> None:
        """Queue a job; its events come out of :meth:`poll`."""
        self._jobs.append(job)
        if not self.alive or self._pipe is None:
            self.start()  # which sends every queued job
            return
        try:
            self._pipe.send(job)
        except (BrokenPipeError, OSError):
            return  # the process has just died: poll() notices, restarts, and sends the job again

    def cancel(self, job_id: int) -> None:
        """Ask for a job to be stopped between two of its events."""
        if self._pipe is not None:
            try:
                self._pipe.send((CANCEL, job_id))
            except (BrokenPipeError, OSError):
                return  # the job ends with the process, which poll() reports

    def poll(self) -> list[Event]:
        """Events since the last call, without waiting."""
        events: list[Event] = []
        pipe = self._pipe
        if pipe is None:
            return events
        try:
            while pipe.poll():
                message = pipe.recv()
                self._beat, self._started = time.monotonic(), True
                if message != HEARTBEAT:
                    self._note_ending(message)
                    events.append(message)
        except (EOFError, OSError):
            events += self._lost("stopped unexpectedly")
            return events
        if self._process is not None and not self._process.is_alive() and not pipe.poll():
            events += self._lost("stopped unexpectedly")
        elif time.monotonic() - self._beat > (self._hung_after if self._started else START_LIMIT):
            events += self._lost("did not answer any more and was stopped")
        return events

    def _note_ending(self, event: Event) -> None:
        if isinstance(event, (Done, Failed, Cancelled)):
            self._jobs = deque(job for job in self._jobs if job.id != event.job_id)

    def _lost(self, what: str) -> list[Event]:
        """The process is gone: fail the job it was at, go on with the others in a new one."""
        self._kill()
        if not self._jobs:
            return []
        job = self._jobs.popleft()
        if self._jobs:
            self.start()
        title = job.title or job.task
        return [Failed(job.id, f"{title}: the worker process {what}; the job can be run again.")]

    def _kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.join(5.0)
            self._process.close()
            self._process = None
        if self._pipe is not None:
            self._pipe.close()
            self._pipe = None

    def close(self, timeout: float = 2.0) -> None:
        """Stop the process, gently for ``timeout`` seconds; queued jobs are dropped."""
        self._jobs.clear()
        if self._pipe is not None and self.alive:
            try:
                self._pipe.send((CLOSE, 0))
            except (BrokenPipeError, OSError):
                timeout = 0.0  # it is already going
            if self._process is not None:
                self._process.join(timeout)
        self._kill()


def _main(pipe: Connection, kind: str) -> None:
    from pipeline.jobs.worker import serve

    serve(pipe, kind)
