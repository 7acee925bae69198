"""Tasks with pose models: find a person's keypoints, and bring weights to this machine."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pipeline.data.errors import UserError
from pipeline.io.project import Project
from pipeline.jobs.detection_pictures import chosen_views
from pipeline.jobs.detection_run import DetectionPlan, DetectionRun
from pipeline.jobs.messages import Done, Event, Job, Pace, Progress
from pipeline.jobs.steps import told

if TYPE_CHECKING:
    from pipeline.data.sequence import Sequence

Events = Generator[Event, None, None]


def detect(job: Job) -> Events:
    """Find a person's keypoints: args ``project``, ``track``, ``model`` (a name or a file).

    Also, where given: ``views`` (names; all with a video), ``frames`` (first and the one after the
    last; all), ``boxes`` ((frame, view index, x, y, x, y) each, as a person drew them; carried on
    through time in that view), ``device`` ("auto"), ``batch``, ``skeleton`` (of a file) and
    ``store`` (the folder of models).

    Nothing is written. Found points come as ``Detected``, to be committed by the receiver with
    ``pipeline.data.detection_edits.set_detections``; ``Pace`` says where it runs and how fast,
    ``Remark`` what the user should know. ``Done`` has ``found``, ``looked`` and ``asked``
    (pictures), ``per_second``, ``device`` and ``model`` (its title).
    """
    with Project.open(Path(job.args["project"]), read_only=True) as project:
        yield from detect_in(job, project.sequence)


def detect_in(job: Job, sequence: Sequence) -> Events:
    """As :func:`detect`, of a sequence at hand."""
    plan = planned(job, sequence)
    yield Progress(job.id, 0.0, "Loading the model")
    run, device, title = yield from loaded_run(job, sequence, plan, str(job.args["model"]))
    yield from run.events()
    tally = run.tally
    yield Done(
        job.id,
        {
            "found": tally.found,
            "looked": tally.looked,
            "asked": tally.total,
            "per_second": tally.per_second,
            "device": device,
            "model": title,
        },
    )


def planned(job: Job, sequence: Sequence) -> DetectionPlan:
    """What the arguments of a job ask to be looked at; UserError where that is not there."""
    args = job.args
    first, stop = (int(end) for end in args.get("frames") or (0, sequence.n_frames))
    if not 0 <= first < stop <= sequence.n_frames:
        raise UserError(
            f"The frames {first}:{stop} are not within 0:{sequence.n_frames}, those of "
            f"“{sequence.info.name}”."
        )
    names = args.get("views")
    views = chosen_views(sequence, None if names is None else tuple(names))
    boxes = {
        (int(frame), int(view)): np.asarray(corners, np.float64)
        for frame, view, *corners in args.get("boxes", ())
    }
    for frame, view in boxes:
        if not first <= frame < stop or view not in views:
            raise UserError(
                f"The box in {sequence.cameras[view].name} at frame {frame} is not among the "
                "pictures that are to be looked at."
            )
    frames = np.arange(first, stop, dtype=np.intp)
    return DetectionPlan(int(args["track"]), frames, views, boxes)


def loaded_run(
    job: Job, sequence: Sequence, plan: DetectionPlan, model: str
) -> Generator[Event, None, tuple[DetectionRun, str, str]]:
    """A run of a model that is loaded, the title of its device, and its own."""
    from pipeline.models.loading import find_weights, load_detector
    from pipeline.models.store import ModelStore

    args = job.args
    store = ModelStore(Path(args["store"]) if args.get("store") else None)
    weights = yield from told(job, find_weights(store, model, args.get("skeleton")), 0.0)
    detector = load_detector(weights, args.get("device", "auto"), batch=args.get("batch"))
    yield Pace(job.id, detector.device_title, detector.batch, 0.0)
    run = DetectionRun(job.id, sequence, detector, plan)
    return run, detector.device_title, weights.title
