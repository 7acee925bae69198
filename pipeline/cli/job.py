"""A task of the workers, run by a command."""

from __future__ import annotations

from typing import Any

from pipeline.cli.output import CommandError, Exit, ProgressBar
from pipeline.jobs.messages import Done, Event, Failed, Job, Progress
from pipeline.jobs.runner import Task, run_job


def result_of(job: Job, task: Task, bar: ProgressBar) -> dict[str, Any]:
    """Run a job, its progress shown; what its ``Done`` says.

    Raises
    ------
    CommandError
        ``FAILED`` with the job's sentence.
    """
    ending: Event | None = None
    for event in run_job(job, {job.task: task}):
        if isinstance(event, Progress):
            bar.show(event.fraction, event.text)
        ending = event
    if isinstance(ending, Failed):
        raise CommandError(Exit.FAILED, ending.message)
    return ending.result if isinstance(ending, Done) else {}
