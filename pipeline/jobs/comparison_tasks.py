"""The task that runs two pose models on the same pictures, and says where they differ."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pipeline.data.observations import detections, observations
from pipeline.io.project import Project
from pipeline.jobs.detection_run import DetectionPlan
from pipeline.jobs.detection_tasks import loaded_run, planned
from pipeline.jobs.messages import Detected, Done, Event, Job, Progress
from pipeline.quality.comparison import compare_detectors, furthest_apart

if TYPE_CHECKING:
    from pipeline.data.sequence import Sequence

Events = Generator[Event, None, None]

#: In place of a model: the detections that the recording has now.
PRESENT = ""
# Frames that are looked at unless more are asked for, spread over those given.
_FRAMES = 20
# Pictures that are named as those in which the two differ most.
_NAMED = 30


def compare_models(job: Job) -> Events:
    """Compare two pose models on the same pictures: args as of ``detect``, and ``models``.

    ``models`` are two names or files, "" for the detections that are there now. Of ``frames`` at
    most ``most`` (20 if not given), spread evenly, are looked at. Nothing is written. ``Done`` has
    ``figures`` (two, each a ``DetectorFigures`` as a dict with ``title`` and ``per_second``, NaN
    for what is there now), ``asked`` (pictures), ``frames`` (n,), ``views`` (V',), ``points`` (two
    of (n, V', K, 3): x, y in px and score) and ``furthest`` ((frame, view, keypoint, px) each).
    """
    with Project.open(Path(job.args["project"]), read_only=True) as project:
        yield from compare_in(job, project.sequence)


def compare_in(job: Job, sequence: Sequence) -> Events:
    """As :func:`compare_models`, of a sequence at hand."""
    plan = planned(job, sequence)
    most = int(job.args.get("most") or _FRAMES)
    chosen = np.unique(np.linspace(0, len(plan.frames) - 1, most).round().astype(np.intp))
    given = sorted({frame for frame, _ in plan.boxes})
    frames = np.union1d(plan.frames[chosen], np.array(given, np.intp))
    plan = replace(plan, frames=frames)
    models = [str(name) for name in job.args["models"]]
    found, titles, paces = [], [], []
    for place, model in enumerate(models):
        if model == PRESENT:
            points, title, pace = _present(sequence, plan), "present detections", float("nan")
        else:
            points, title, pace = yield from _run(job, sequence, plan, model, place / len(models))
        found.append(points)
        titles.append(title)
        paces.append(pace)
    seen = observations(sequence, plan.track, frames)
    placed = np.where(seen.manual[..., None], seen.xy, np.nan)[:, plan.views]
    cameras = [sequence.cameras[view] for view in plan.views]
    column = sequence.info.skeleton.column
    told = compare_detectors(cameras, found[0], found[1], placed, tuple(column))
    furthest = [
        (int(frames[at]), plan.views[view], keypoint, float(told.apart[at, view, keypoint]))
        for at, view, keypoint in furthest_apart(told.apart, _NAMED)
    ]
    figures: list[dict[str, Any]] = [
        {"title": title, "per_second": pace, **asdict(one)}
        for title, pace, one in zip(titles, paces, (told.one, told.other), strict=True)
    ]
    result = {
        "figures": figures,
        "asked": len(frames) * len(plan.views),
        "frames": frames,
        "views": plan.views,
        "points": tuple(np.asarray(points, np.float32) for points in found),
        "furthest": furthest,
    }
    yield Done(job.id, result)


def _present(sequence: Sequence, plan: DetectionPlan) -> NDArray[np.float64]:
    xy, score = detections(sequence, plan.track, plan.frames)
    return np.concatenate([xy, score[..., None]], axis=-1)[:, plan.views]


def _run(
    job: Job, sequence: Sequence, plan: DetectionPlan, model: str, begin: float
) -> Generator[Event, None, tuple[NDArray[np.float64], str, float]]:
    """What a model finds, its title and pace; half of the job's progress."""
    yield Progress(job.id, begin, "Loading a model")
    run, _, title = yield from loaded_run(job, sequence, plan, model)
    points = np.full((len(plan.frames), len(plan.views), sequence.n_keypoints, 3), np.nan)
    columns = {view: column for column, view in enumerate(plan.views)}
    for event in run.events():
        if isinstance(event, Detected):
            rows = np.searchsorted(plan.frames, event.frames)
            points[rows, [columns[view] for view in event.views.tolist()]] = event.points[..., :3]
        elif isinstance(event, Progress):
            yield Progress(job.id, begin + 0.5 * event.fraction, f"{title}: {event.text}")
        else:
            yield event
    return points, title, run.tally.per_second
