"""A pose model goes on to learn from the frames that a person corrected."""

from __future__ import annotations

import shutil
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.data.errors import UserError
from pipeline.data.resources import resource_path
from pipeline.jobs.messages import Done, Event, File, Job, Progress
from pipeline.jobs.steps import told

if TYPE_CHECKING:
    from pipeline.models.cards import ModelCard
    from pipeline.models.store import ModelStore
    from pipeline.models.training import TrainingStep

Events = Generator[Event, None, None]

#: Fewest corrected frames to learn from.
LEAST_FRAMES = 10
#: Part of the corrected frames, the last ones, that is kept for judging.
KEPT = 0.2
# Shares of the progress: until the pictures are written, and the training's end.
_PICTURES = 0.15


def fine_tune(job: Job) -> Events:
    """Teach a pose model with corrected frames: args ``project``, ``track``, ``model``, ``folder``.

    ``folder`` is made: it gets the pictures, the training's state, and weights with their card
    under a name of their own. Also, where given: ``views``, ``frames``, ``config`` (settings as
    TOML), ``steps``, ``device``, ``threads`` and ``store`` (the folder of models). The model itself
    stays as it is, and nothing is added to the store.

    ``Done`` has ``before`` and ``after`` (``error_px``, ``auc`` on the frames kept for judging),
    ``taught`` and ``judged`` (pictures), ``better``, ``weights`` (None if nothing got better),
    ``name`` and ``title``.

    Raises
    ------
    UserError
        As the writing of the set and the training; also where too few frames are corrected, the
        model cannot be trained here, or the folder holds a training already.
    """
    from pipeline.io.picture_set import in_skeleton, read_picture_set, split_in_time
    from pipeline.models.detector_config import read_detector_training
    from pipeline.models.devices import use_threads
    from pipeline.models.loading import Weights, find_weights
    from pipeline.models.store import ModelStore
    from pipeline.models.train_detector import WEIGHTS, begun, train_detector
    from pipeline.models.training import STATE

    args, folder = job.args, Path(job.args["folder"])
    if (folder / STATE).exists():
        raise UserError(f"{folder} holds a training already; choose another folder.")
    store = ModelStore(Path(args["store"]) if args.get("store") else None)
    steps = find_weights(store, str(args["model"]))
    weights: Weights = yield from told(job, steps, 0.0)
    config = Path(args.get("config") or resource_path("training", "fine_tuning.toml"))
    training = replace(read_detector_training(config), begin=str(weights.file))
    if args.get("steps") is not None:
        training = replace(training, steps=int(args["steps"]))
    begun(training, len(weights.skeleton))  # says at once if it cannot be trained
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"{folder} cannot be made: {error.strerror or error}.") from error
    yield from _pictures(job, folder / "pictures")
    pictures = in_skeleton(read_picture_set(folder / "pictures"), weights.skeleton)
    frames = len(set(pictures.frames.tolist()))
    if frames < LEAST_FRAMES:
        raise UserError(
            f"Only {frames} frames with corrections can be used, and at least {LEAST_FRAMES} are "
            "needed: some to learn from, some to see whether it helped."
        )
    taught, judged = split_in_time(pictures, KEPT)
    use_threads(args.get("threads"))
    card = _card(store, str(args["model"]), weights, Path(args["project"]).stem, frames)
    facts = {"name": card.name, "trained_on": card.trained_on, "config": config.name}
    run = train_detector(training, taught, judged, folder, facts, str(args.get("device", "auto")))
    before, after = yield from _learnt(job, run)
    better = after["error_px"] < before["error_px"]
    place = _named(folder, card, folder / WEIGHTS) if better else None
    if place is not None:
        yield File(job.id, place)
    yield Done(
        job.id,
        {
            "before": before,
            "after": after,
            "better": better,
            "taught": len(taught),
            "judged": len(judged),
            "frames": frames,
            "weights": None if place is None else str(place),
            "name": card.name,
            "title": card.title,
        },
    )


def _learnt(
    job: Job, run: Generator[TrainingStep, None, Path]
) -> Generator[Event, None, tuple[dict[str, float], dict[str, float]]]:
    """Follow a training; how it was judged at the start, and at its best."""
    before: dict[str, float] = {}
    best: dict[str, float] = {}
    try:
        for state in run:
            before = before or state.validated
            if state.best:
                best = state.validated
            share = _PICTURES + (1.0 - _PICTURES) * state.step / state.steps
            text = f"Step {state.step} of {state.steps}, error {best['error_px']:.2f} px"
            yield Progress(job.id, share, text)
    finally:
        run.close()
    return before, best


def _pictures(job: Job, folder: Path) -> Events:
    """Write the corrected frames of all views; progress as a share of the whole."""
    from pipeline.jobs.training_set import write_training_set  # loads what draws bodies

    wanted = ("project", "track", "views", "frames")
    args = {name: job.args[name] for name in wanted if name in job.args}
    part = replace(job, args={**args, "out": str(folder), "corrected_only": True})
    for event in write_training_set(part):
        if isinstance(event, Progress):
            yield Progress(job.id, _PICTURES * event.fraction, event.text)


def _card(store: ModelStore, model: str, weights: Any, project: str, frames: int) -> ModelCard:
    """A card for what is learnt, under a name that is free; its licence is that of the model."""
    from pipeline.models.adding import name_of
    from pipeline.models.cards import ModelCard
    from pipeline.models.loading import read_spec

    cards = {card.name: card for card in store.cards()}
    base = cards.get(model)
    start = name_of(Path(f"{base.name if base else weights.file.stem}-{project}.pt"))
    name, number = start, 2
    while name in cards:
        name, number = f"{start}-{number}", number + 1
    learnt = f"{frames} corrected frames of {project}"
    known = base.trained_on if base else ""
    return ModelCard(
        name=name,
        title=f"{weights.title}, tuned on {project}" + (f" ({number - 1})" if number > 2 else ""),
        skeleton=weights.skeleton.name,
        licence=base.licence if base else "",
        non_commercial=base.non_commercial if base else False,
        family=base.family if base else "",
        publisher="",
        trained_on=f"{known}, then {learnt}" if known else learnt,
        input_size=read_spec(weights.file).input_size,
        file=Path(f"{name}.pt"),
    )


def _named(folder: Path, card: ModelCard, weights: Path) -> Path:
    """Weights under the card's name, and the card beside them."""
    from pipeline.models.store import card_text

    place = folder / card.file_name
    try:
        shutil.move(weights, place)
        place.with_suffix(".toml").write_text(card_text(card, place.name), "utf-8")
    except OSError as error:
        raise UserError(f"{place} could not be written: {error.strerror or error}.") from error
    return place
