"""The inside of a worker process: reads jobs from the pipe, runs them, beats once a second."""

from __future__ import annotations

import logging
import os
import signal
import threading
from multiprocessing.connection import Connection
from queue import Empty, SimpleQueue

from pipeline.jobs.messages import CANCEL, CLOSE, HEARTBEAT, Event, Job
from pipeline.jobs.runner import run_job

log = logging.getLogger(__name__)

BEAT_SECONDS = 1.0


def serve(pipe: Connection, kind: str) -> None:
    """Run jobs until the other end closes or asks to stop."""
    # Ctrl+C in the terminal is for the window, which then closes its workers in order.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    log.info("worker %s started as process %d", kind, os.getpid())
    _Server(pipe).run()


class _Server:
    """A reader thread takes messages in, so that a cancel is heard while a job runs."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe
        self._sending = threading.Lock()
        self._jobs: SimpleQueue[Job] = SimpleQueue()
        self._cancelled: set[int] = set()
        self._stop = threading.Event()

    def run(self) -> None:
        threading.Thread(target=self._read, daemon=True).start()
        threading.Thread(target=self._beat, daemon=True).start()
        while not self._stop.is_set():
            try:
                job = self._jobs.get(timeout=0.2)
            except Empty:
                continue
            for event in run_job(job, lambda job=job: self._is_cancelled(job)):  # type: ignore[misc]
                self._send(event)

    def _is_cancelled(self, job: Job) -> bool:
        return self._stop.is_set() or job.id in self._cancelled

    def _read(self) -> None:
        while True:
            try:
                message = self._pipe.recv()
            except (EOFError, OSError):
                # The window is gone, perhaps killed: nobody is left to work for.
                os._exit(0)
            if isinstance(message, Job):
                self._jobs.put(message)
            elif message[0] == CANCEL:
                self._cancelled.add(message[1])
            elif message[0] == CLOSE:
                self._stop.set()
                return

    def _beat(self) -> None:
        while not self._stop.wait(BEAT_SECONDS):
            self._send(HEARTBEAT)

    def _send(self, message: Event | str) -> None:
        try:
            with self._sending:
                self._pipe.send(message)
        except (BrokenPipeError, OSError):
            os._exit(0)
