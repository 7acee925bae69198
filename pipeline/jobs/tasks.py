"""What workers and the command line can do: each task is a generator of events.

Arguments are paths, indices and small values. A task reads the project file itself, read only, so
that it sees what the window has committed.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from pathlib import Path

from pipeline.io.export import ExportRequest, export_steps
from pipeline.io.opening import create_project
from pipeline.io.project import Project
from pipeline.jobs.camera_tasks import refine_cameras
from pipeline.jobs.comparison_tasks import compare_models
from pipeline.jobs.detection_tasks import detect
from pipeline.jobs.fine_tuning import fine_tune
from pipeline.jobs.media_tasks import make_proxy
from pipeline.jobs.messages import Done, Event, File, Job, Progress
from pipeline.jobs.model_tasks import (
    add_model,
    check_model,
    get_model,
    list_models,
    remove_model,
)
from pipeline.jobs.runner import Task
from pipeline.jobs.simulation_tasks import follow, learn_subject
from pipeline.jobs.solve_tasks import fuse, triangulate
from pipeline.jobs.steps import Report, Step, reported
from pipeline.jobs.swap_tasks import find_swaps
from pipeline.jobs.tracking_tasks import track_keypoint
from pipeline.jobs.training_tasks import train_detector, train_lifter

Events = Generator[Event, None, None]


def import_recording(job: Job) -> Events:
    """Make a project of a recording: args ``plan``, ``project`` (path to make), ``author``."""
    path = Path(job.args["project"])
    made = False

    def make(report: Report) -> None:
        nonlocal made
        create_project(job.args["plan"], path, job.args["author"], report).close()
        made = True

    try:
        yield from _progress(job, reported(make))
    except GeneratorExit:
        if made:  # the request to stop came when it was nearly done
            path.unlink()
        raise
    yield File(job.id, path)
    yield Done(job.id)


def demo(job: Job) -> Events:
    """Make the demo recording: args ``folder`` (to make)."""
    from pipeline.synthesis.demo import make_demo

    folder = Path(job.args["folder"])
    yield from _progress(job, reported(lambda report: make_demo(folder, progress=report)))
    yield File(job.id, folder)
    yield Done(job.id)


def render(job: Job) -> Events:
    """Render somebody who moves: args ``folder`` (to make), ``motion``, ``options``.

    ``options`` are those of :func:`pipeline.synthesis.rendered.render_recording`.
    """
    from pipeline.synthesis.rendered import render_recording

    folder, motion = Path(job.args["folder"]), str(job.args["motion"])
    options = dict(job.args.get("options", {}))

    def make(report: Report) -> object:
        return render_recording(folder, motion, **options, progress=report)

    yield from _progress(job, reported(make))
    yield File(job.id, folder)
    yield Done(job.id)


def export(job: Job) -> Events:
    """Write a file: args ``project``, ``track``, ``format``, ``out``; ``frames`` if not all.

    ``frames`` is the first frame and the one after the last; ``stage`` is "final" if not given.
    ``subject`` is the person's body model, needed for labels.
    """
    out = Path(job.args["out"])
    with Project.open(Path(job.args["project"]), read_only=True) as project:
        request = ExportRequest(
            project.sequence,
            int(job.args["track"]),
            job.args["format"],
            out,
            frames=job.args.get("frames"),
            authorship=project.authorship(),
            stage=job.args.get("stage", "final"),
            subject=job.args.get("subject"),
        )
        yield from _progress(job, export_steps(request))
    yield File(job.id, out)
    yield Done(job.id)


def training_set(job: Job) -> Events:
    """Write a training set: see :func:`pipeline.jobs.training_set.write_training_set`."""
    from pipeline.jobs.training_set import write_training_set

    yield from write_training_set(job)


def _progress(job: Job, steps: Iterator[Step]) -> Generator[Progress, None, None]:
    try:
        for step in steps:
            yield Progress(job.id, *step)
    finally:
        if isinstance(steps, Generator):
            steps.close()  # now, not when it happens to be collected


TASKS: dict[str, Task] = {
    "triangulate": triangulate,
    "fuse": fuse,
    "import_recording": import_recording,
    "demo": demo,
    "render": render,
    "export": export,
    "make_proxy": make_proxy,
    "refine_cameras": refine_cameras,
    "find_swaps": find_swaps,
    "learn_subject": learn_subject,
    "follow": follow,
    "track_keypoint": track_keypoint,
    "fine_tune": fine_tune,
    "train_detector": train_detector,
    "training_set": training_set,
    "train_lifter": train_lifter,
    "detect": detect,
    "compare_models": compare_models,
    "list_models": list_models,
    "get_model": get_model,
    "add_model": add_model,
    "check_model": check_model,
    "remove_model": remove_model,
}
