"""A 2D training set from a recording: pictures of all views with the person's labels in them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.data.errors import UserError
from pipeline.data.source import Source
from pipeline.io.atomic import atomic_folder
from pipeline.io.export_coco import coco_info, image_of
from pipeline.io.export_request import (
    STAGES,
    ExportRequest,
    check_request,
    pictures,
    solve_steps,
)
from pipeline.io.picture_set import (
    ANNOTATIONS,
    NOT_LABELLED,
    TAKEN,
    VISIBLE,
    annotation,
    coded,
    write_annotations,
)
from pipeline.io.project import Project
from pipeline.io.stored_subject import from_state, key_of
from pipeline.jobs.detection_pictures import Pictures, Place, chosen_views
from pipeline.jobs.messages import Done, Event, File, Job, Progress
from pipeline.jobs.steps import Step
from pipeline.jobs.training_labels import Labels, LeftOut, body_for, labels_of
from pipeline.quality.signals import frame_signals
from pipeline.simulation.simulate import READYING
from pipeline.synthesis.stand_in import StandIn

# Frames whose labels are made at once.
_BLOCK = 32
# Shares of the work that are done when points are up to date, and when pictures begin.
_SOLVED, _READY = 0.3, 0.35


@dataclass(frozen=True, slots=True, eq=False)
class SetRequest:
    """One person's training set.

    Parameters
    ----------
    points : ExportRequest
        Of whom, of which frames and of which stage; ``path`` is the set's ``annotations.json``.
    views : tuple of str, optional
        Names; all with a video by default.
    every : int
        Every so many-th frame is used, from the first.
    corrected_only : bool
        Only frames in which a person placed or flagged something.
    """

    points: ExportRequest
    views: tuple[str, ...] | None = None
    every: int = 1
    corrected_only: bool = False


@dataclass(slots=True)
class SetTally:
    """What a set came to: numbers of pictures, of their points, and of pictures left out."""

    pictures: int = 0
    hidden: int = 0
    visible: int = 0
    placed: int = 0
    left_out: Counter[LeftOut] = field(default_factory=Counter)

    def as_data(self) -> dict[str, Any]:
        """Small values by name; ``left_out`` has numbers by their reasons."""
        return {
            "pictures": self.pictures,
            "visible": self.visible,
            "hidden": self.hidden,
            "placed": self.placed,
            "left_out": {reason.words: n for reason, n in sorted(self.left_out.items()) if n},
        }


def set_request(folder: Path, views: tuple[str, ...] | None, every: int, corrected_only: bool,
                **points: Any) -> SetRequest:  # fmt: skip
    """A request for a set in ``folder``; ``points`` are of :class:`ExportRequest`.

    Labels are of the final stage: points put together with the person's body model if they have
    one, else points solved over time.
    """
    stage = STAGES[-1] if points.get("subject") is not None else "final"
    request = ExportRequest(format="coco", path=folder / ANNOTATIONS, stage=stage, **points)
    return SetRequest(request, views, every, corrected_only)


def write_training_set(job: Job) -> Generator[Event, None, None]:
    """Write a set: args ``project``, ``track`` and ``out`` (a folder to make).

    Also, where given: ``frames`` (first and the one after the last; all), ``views`` (names; all
    with a video), ``every`` (1) and ``corrected_only`` (False). ``Done`` has the numbers of
    :meth:`SetTally.as_data`.
    """
    args, out, track = job.args, Path(job.args["out"]), int(job.args["track"])
    path, views = Path(job.args["project"]), job.args.get("views")
    with Project.open(path, read_only=True) as project:
        request = set_request(
            out,
            None if views is None else tuple(views),
            int(args.get("every", 1)),
            bool(args.get("corrected_only", False)),
            sequence=project.sequence,
            track=track,
            frames=args.get("frames"),
            authorship=project.authorship(),
            subject=from_state(project.state(key_of(track)), track, path),
        )
        with closing(training_set_steps(request)) as steps:
            while True:
                try:
                    step = next(steps)
                except StopIteration as end:
                    tally: SetTally = end.value
                    break
                yield Progress(job.id, *step)
    yield File(job.id, out)
    yield Done(job.id, tally.as_data())


def training_set_steps(request: SetRequest) -> Generator[Step, None, SetTally]:
    """Write a training set; the folder appears when it is whole.

    Raises
    ------
    UserError
        The person, frames or views do not exist, no picture can be used, or the folder holds
        other things or cannot be written.
    """
    points = request.points
    folder = points.path.parent
    check_request(points)
    if request.every < 1:
        raise UserError(f"{folder} was not written: every {request.every}th frame is no choice.")
    views = chosen_views(points.sequence, request.views)
    frames = np.arange(points.span[0], points.span[1], request.every, dtype=np.intp)
    if request.corrected_only:
        frames = frames[frame_signals(points.sequence, points.track, frames).edited > 0]
        if not len(frames):
            raise UserError(
                f"{folder} was not written: nobody has corrected a point of person "
                f"{points.track + 1} in the chosen frames of “{points.name}”."
            )
    with atomic_folder(folder, is_training_set) as work:
        for share, what in solve_steps(points):
            yield _SOLVED * share, what
        yield _SOLVED, "Fitting a body to the points"
        body = body_for(points)
        tally = SetTally()
        entries = yield from _written(request, work, views, frames, body, tally)
        if not tally.pictures:
            raise UserError(f"{folder} was not written: {_nothing(tally)}.")
        images, annotations = entries
        info = {**coco_info(points), TAKEN: _about(request, tally)}
        write_annotations(work, points.sequence.info.skeleton, images, annotations, info)
    return tally


def is_training_set(folder: Path) -> bool:
    """Whether a folder is a set of this module's and holds nothing else."""
    try:
        content = json.loads((folder / ANNOTATIONS).read_text("utf-8"))
        if TAKEN not in content["info"]:
            return False
        known = {folder / str(entry["file_name"]) for entry in content["images"]}
    except (OSError, ValueError, KeyError, TypeError):
        return False
    known.add(folder / ANNOTATIONS)
    return all(path in known for path in folder.rglob("*") if not path.is_dir())


Entries = tuple[list[dict[str, Any]], list[dict[str, Any]]]


def _written(
    request: SetRequest,
    work: Path,
    views: tuple[int, ...],
    frames: NDArray[np.intp],
    body: StandIn,
    tally: SetTally,
) -> Generator[Step, None, Entries]:
    """Write the pictures; COCO's entries of them and of their annotations."""
    points = request.points
    shown = {view: _numbers(points, view, frames) for view in views}
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    with Pictures(points.sequence) as pictures_of:
        for first in range(0, len(frames), _BLOCK):
            block = frames[first : first + _BLOCK]
            what = f"Labelling frames {block[0]} to {block[-1]}" if first else READYING
            yield _done(first, frames), what
            labels = labels_of(points, body, block)
            for row, view in _usable(labels, views, shown, block, tally, pictures_of):
                frame = int(block[row])
                yield _done(first + row, frames), f"Writing frame {frame}"
                picture = pictures_of.get(frame, view)
                if picture is None:
                    tally.left_out[LeftOut.UNREADABLE] += 1
                    continue
                entry = image_of(points, view, shown[view][frame], frame, len(images) + 1)
                path = work / entry["file_name"]
                path.parent.mkdir(exist_ok=True)
                path.write_bytes(coded(picture))
                images.append(entry)
                annotations.append(_annotation(points, labels, row, view, len(images)))
                _count(tally, labels, row, view)
    return images, annotations


def _done(n: int, frames: NDArray[np.intp]) -> float:
    return _READY + (1.0 - _READY) * n / len(frames)


def _numbers(points: ExportRequest, view: int, frames: NDArray[np.intp]) -> dict[int, int]:
    """Video frames of a view by the frames that speak for them."""
    numbers, shown = pictures(points, view, frames)
    return dict(zip(shown.tolist(), numbers.tolist(), strict=True))


def _usable(
    labels: Labels,
    views: tuple[int, ...],
    shown: dict[int, dict[int, int]],
    block: NDArray[np.intp],
    tally: SetTally,
    pictures_of: Pictures,
) -> Iterator[tuple[int, int]]:
    """Rows of a block and views whose pictures are wanted; others are counted as left out."""
    wanted: list[tuple[int, int]] = []
    for row, frame in enumerate(block.tolist()):
        for view in (view for view in views if frame in shown[view]):
            reason = LeftOut(labels.left_out[row, view])
            if reason is LeftOut.NOT:
                wanted.append((row, view))
            else:
                tally.left_out[reason] += 1
    places: list[Place] = [(int(block[row]), view) for row, view in wanted]
    pictures_of.expect(places)
    yield from wanted


def _annotation(
    points: ExportRequest, labels: Labels, row: int, view: int, number: int
) -> dict[str, Any]:
    """COCO's annotation, with where each point comes from."""
    visibility, placed = labels.visibility[row, view], labels.placed[row, view]
    source = np.where(placed, int(Source.MANUAL_2D), labels.source[row])
    source = np.where(visibility > NOT_LABELLED, source, int(Source.NONE))
    return {
        **annotation(number, labels.xy[row, view], visibility),
        "simspine": {
            "person": points.track + 1,
            "source": [Source(value).label for value in source.tolist()],
        },
    }


def _count(tally: SetTally, labels: Labels, row: int, view: int) -> None:
    visibility = labels.visibility[row, view]
    labelled = visibility > NOT_LABELLED
    visible = int((visibility == VISIBLE).sum())
    tally.pictures += 1
    tally.visible += visible
    tally.hidden += int(labelled.sum()) - visible
    tally.placed += int((labels.placed[row, view] & labelled).sum())


def _about(request: SetRequest, tally: SetTally) -> dict[str, Any]:
    start, stop = request.points.span
    return {
        "person": request.points.track + 1,
        "points": request.points.stage,
        "frames": [start, stop],
        "every": request.every,
        "corrected_only": request.corrected_only,
        **tally.as_data(),
    }


def _nothing(tally: SetTally) -> str:
    reasons = "; ".join(f"{n} {reason.words}" for reason, n in sorted(tally.left_out.items()))
    if not reasons:
        return "no view has a picture of the chosen frames"
    return f"no picture can be used ({reasons})"
