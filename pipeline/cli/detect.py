"""``simspine detect``: a person's keypoints by a pose model, into files or into the project."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.cli.arguments import (
    add_command,
    add_frames,
    add_path,
    add_person,
    add_views,
    frames_within,
    opened_with,
    point_to_project,
)
from pipeline.cli.output import CommandError, Exit, ProgressBar, Step, counted

if TYPE_CHECKING:
    from pipeline.cli.recording import Opened
    from pipeline.data.sequence import Sequence
    from pipeline.io.project import Project
    from pipeline.jobs.messages import Detected, Job

# Pictures of one undo step: what is found is safe on disk after so many.
STEP_PICTURES = 2000


def add_detect_command(commands: Any) -> None:
    """Add ``detect`` to argparse's subparsers."""
    detect = add_command(commands, _detect, "detect", "find a person's keypoints with a pose model")
    add_path(detect)
    detect.add_argument(
        "--model",
        required=True,
        metavar="NAME|FILE",
        help="as “simspine models list” has it, or a .pth or .onnx file",
    )
    add_person(detect)
    detect.add_argument(
        "--device",
        default="auto",
        metavar="NAME",
        help="cuda, mps or cpu (default: the best there is)",
    )
    add_views(detect)
    add_frames(detect)
    detect.add_argument("--skeleton", metavar="NAME", help="order of a file's keypoints")
    detect.add_argument(
        "-o",
        "--out",
        type=Path,
        metavar="DIR",
        help="folder to write, OpenPose JSON per camera; without it a project takes the points",
    )
    detect.add_argument("--json", action="store_true", help="what was done as JSON, for programs")


def _detect(arguments: argparse.Namespace) -> int:
    from pipeline.io.project import Project
    from pipeline.io.project_lock import user_name
    from pipeline.io.project_path import SUFFIX

    path = arguments.path.expanduser().absolute()
    if arguments.out is not None:
        with ProgressBar() as bar:
            opened = opened_with(bar, arguments.path)
            done = _into_folder(bar, opened, arguments)
        point_to_project(opened)
        _say(arguments, done, f"written to {arguments.out}")
        return Exit.OK
    if path.suffix != SUFFIX:
        raise CommandError(
            Exit.USAGE, f"“{path.name}” is a folder: say with -o where points are to be written."
        )
    with ProgressBar() as bar, Project.open(path, author=user_name()) as project:
        done = _into_project(bar, project, arguments)
    _say(arguments, done, f"in {path.name}, to be undone there")
    return Exit.OK


def _job(arguments: argparse.Namespace, opened: Opened) -> Job:
    """The task with its arguments; whom it is about is a new person where nobody was detected."""
    from pipeline.cli.recording import chosen_person, people
    from pipeline.data.detection_edits import new_track
    from pipeline.jobs.messages import Job

    sequence = opened.sequence
    if arguments.person is None and not people(sequence):
        track = new_track(sequence)
    else:
        track = chosen_person(opened, arguments.person).track
    frames = frames_within(arguments.frames, sequence.n_frames, sequence.info.name)
    args = {
        "track": track,
        "model": arguments.model,
        "device": arguments.device,
        "views": arguments.views,
        "frames": frames,
        "skeleton": arguments.skeleton,
    }
    return Job(0, "detect", args)


def _steps(
    job: Job, sequence: Sequence, take: Callable[[Detected], None]
) -> Generator[Step, None, dict[str, Any]]:
    """Run the task; what it came to."""
    from contextlib import closing

    from pipeline.jobs.detection_tasks import detect_in
    from pipeline.jobs.messages import Detected, Done, Progress, Remark

    done: dict[str, Any] = {}
    with closing(detect_in(job, sequence)) as events:
        for event in events:
            if isinstance(event, Detected):
                take(event)
            elif isinstance(event, Progress):
                yield event.fraction, event.text
            elif isinstance(event, Remark):
                print(event.text, file=sys.stderr)
            elif isinstance(event, Done):
                done = event.result
    return {**done, "person": int(job.args["track"]) + 1}


def _into_folder(bar: ProgressBar, opened: Opened, arguments: argparse.Namespace) -> dict[str, Any]:
    from pipeline.io.detection_writing import detection_steps
    from pipeline.jobs.detection_pictures import chosen_views

    sequence = opened.sequence
    job = _job(arguments, opened)
    views = chosen_views(sequence, arguments.views and tuple(arguments.views))
    first, stop = job.args["frames"]
    syncs = sequence.syncs
    found: dict[int, dict[int, Any]] = {
        view: {
            number: None
            for frame in range(first, stop)
            if (number := syncs[view].video_frame(frame)) is not None
        }
        for view in views
    }

    def take(event: Detected) -> None:
        for frame, view, row in zip(event.frames, event.views, event.points, strict=True):
            number = syncs[int(view)].video_frame(int(frame))
            if number is not None:
                found[int(view)][number] = row

    done = bar.follow(_steps(job, sequence, take))
    for step in detection_steps(arguments.out, sequence.cameras.names, found):
        bar.show(*step)
    return done


def _into_project(
    bar: ProgressBar, project: Project, arguments: argparse.Namespace
) -> dict[str, Any]:
    from pipeline.cli.recording import Opened
    from pipeline.data.detection_landing import Landing

    sequence = project.sequence
    opened = Opened(project.path, sequence, (), picked=project.state("person"))
    job = _job(arguments, opened)
    landing = Landing(STEP_PICTURES)

    def commit() -> None:
        patches, place = landing.patches(sequence)
        project.commit(f"Detect with {Path(arguments.model).stem}", patches, place)

    def take(event: Detected) -> None:
        if landing.add(event.track, event.frames, event.views, event.points):
            commit()

    done = bar.follow(_steps(job, sequence, take))
    commit()
    return done


def _say(arguments: argparse.Namespace, done: dict[str, Any], where: str) -> None:
    if arguments.json:
        print(json.dumps(done, indent=1, ensure_ascii=False))
        return
    asked = counted(done["asked"], "picture")
    print(
        f"Person {done['person']} found in {done['found']} of {asked}, {where}\n"
        f"{done['model']} on {done['device']}, {done['per_second']:.1f} pictures per second"
    )
