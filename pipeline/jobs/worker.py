"""The inside of a worker process: reads jobs from the pipe, runs them, beats once a second."""

from __future__ import annotations

import gc
import importlib
import logging
import os
import signal
import threading
from collections import deque
from collections.abc import Mapping
from multiprocessing.connection import Connection
from queue import Empty, SimpleQueue

from pipeline.data.system_memory import give_back
from pipeline.jobs.messages import CANCEL, CLOSE, HEARTBEAT, Cancelled, Event, Job, Progress
from pipeline.jobs.runner import Task, run_job

log = logging.getLogger(__name__)

BEAT_SECONDS = 1.0


def serve(pipe: Connection, tasks: str) -> None:
    """Run jobs until the other end closes or asks to stop.

    ``tasks`` is the module whose ``TASKS`` are known here.
    """
    # Ctrl+C in the terminal is for the window, which then closes its workers in order.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    server = _Server(pipe)
    # Before the import, which is slow: a sender waits once the pipe is full.
    server.listen()
    known: Mapping[str, Task] = importlib.import_module(tasks).TASKS
    log.info("worker for %s started as process %d", tasks, os.getpid())
    server.work(known)


class _Server:
    """Reads in one thread, works in the main one, and says what is not of the work in a third.

    The reader never sends: were it to wait for a window that is itself waiting to be read, both
    would stand still.
    """

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe
        self._sending = threading.Lock()
        self._aside: SimpleQueue[Event] = SimpleQueue()
        # Guards what follows, and wakes the main thread when there is something to do.
        self._news = threading.Condition()
        self._waiting: deque[Job] = deque()
        self._running: Job | None = None
        self._cancelled = False
        self._closing = False

    def listen(self) -> None:
        """Start taking messages in."""
        threading.Thread(target=self._read, daemon=True).start()

    def work(self, tasks: Mapping[str, Task]) -> None:
        """Run jobs as they come, until the worker is to stop."""
        threading.Thread(target=self._beat, daemon=True).start()
        while (job := self._next()) is not None:
            self._send(Progress(job.id, 0.0, "Started"))
            for event in run_job(job, tasks, self._is_cancelled):
                self._send(event)
            # A project read for a job has cycles; left to themselves, several would be held.
            gc.collect()
            give_back()

    def _next(self) -> Job | None:
        with self._news:
            self._running = None
            self._news.wait_for(lambda: self._waiting or self._closing)
            if self._closing:
                return None
            self._running, self._cancelled = self._waiting.popleft(), False
            return self._running

    def _is_cancelled(self) -> bool:
        return self._cancelled or self._closing

    def _read(self) -> None:
        while not self._closing:
            try:
                message = self._pipe.recv()
            except (EOFError, OSError):
                # The window is gone, perhaps killed: nobody is left to work for.
                os._exit(0)
            except Exception:
                # A job that cannot be unpickled: without its reader the worker is of no use.
                log.exception("a message could not be read")
                os._exit(1)
            with self._news:
                if isinstance(message, Job):
                    self._waiting.append(message)
                elif message[0] == CANCEL:
                    self._cancel(message[1])
                elif message[0] == CLOSE:
                    self._closing = True
                self._news.notify_all()

    def _cancel(self, job_id: int) -> None:
        """Tell the running job, or take a waiting one out of the queue."""
        if self._running is not None and self._running.id == job_id:
            self._cancelled = True
        for job in [job for job in self._waiting if job.id == job_id]:
            self._waiting.remove(job)
            self._aside.put(Cancelled(job_id))

    def _beat(self) -> None:
        while True:
            self._send(HEARTBEAT)
            try:
                self._send(self._aside.get(timeout=BEAT_SECONDS))
            except Empty:
                continue

    def _send(self, message: Event | str) -> None:
        try:
            with self._sending:
                self._pipe.send(message)
        except OSError:
            os._exit(0)
