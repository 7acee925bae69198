"""Runs a task so that it ends with exactly one ending, whatever happens in it."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator

from pipeline.data.errors import UserError
from pipeline.jobs.messages import Cancelled, Done, Event, Failed, Job
from pipeline.jobs.tasks import TASKS


def run_job(job: Job, is_cancelled: Callable[[], bool] = lambda: False) -> Iterator[Event]:
    """Events of a job: its task's own, then ``Done``, ``Failed`` or ``Cancelled``.

    The task is closed where it stands when ``is_cancelled()`` turns true, so that its ``finally``
    clauses run and half-written files go.
    """
    task = TASKS.get(job.task)
    if task is None:
        yield Failed(job.id, f"There is no task named {job.task}.")
        return
    if is_cancelled():
        yield Cancelled(job.id)
        return
    events = task(job)
    try:
        for event in events:
            yield event
            if isinstance(event, Done):
                return
            if is_cancelled():
                events.close()
                yield Cancelled(job.id)
                return
    except UserError as error:
        yield Failed(job.id, str(error))
    except Exception as error:  # the boundary: nothing a task does may take the worker down
        title = job.title or job.task
        yield Failed(job.id, f"{title} failed: {error}.", traceback.format_exc())
    else:
        yield Done(job.id)
