"""Runs a task so that it ends with exactly one ending, whatever happens in it."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing

from pipeline.data.errors import UserError
from pipeline.jobs.messages import Cancelled, Done, Ending, Event, Failed, Job

Task = Callable[[Job], Generator[Event, None, None]]


def run_job(
    job: Job, tasks: Mapping[str, Task], is_cancelled: Callable[[], bool] = lambda: False
) -> Iterator[Event]:
    """Events of a job: its task's own, then ``Done``, ``Failed`` or ``Cancelled``.

    The task is closed where it stands when ``is_cancelled()`` turns true, so that its ``finally``
    clauses run and half-written files go. The ending comes when the task has let go of everything.
    """
    task = tasks.get(job.task)
    if task is None:
        yield Failed(job.id, f"There is no task named {job.task}.")
        return
    if is_cancelled():
        yield Cancelled(job.id)
        return
    ending: Ending = Done(job.id)
    try:
        with closing(task(job)) as events:
            for event in events:
                if isinstance(event, (Done, Failed, Cancelled)):
                    ending = event
                    break
                yield event
                if is_cancelled():
                    ending = Cancelled(job.id)
                    break
    except UserError as error:
        ending = Failed(job.id, str(error))
    except Exception as error:  # the boundary: nothing a task does may take the worker down
        cause = f"{type(error).__name__}: {error}".rstrip(" .:")
        title = job.title or job.task
        ending = Failed(job.id, f"{title} failed ({cause}).", traceback.format_exc())
    yield ending
