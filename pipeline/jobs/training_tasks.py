"""Training networks of our own: on what the simulator makes, or on pictures that somebody has."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.jobs.messages import Done, Event, File, Job, Progress

if TYPE_CHECKING:
    from pipeline.models.training import TrainingStep  # loads PyTorch

#: Added to the seed for validations.
VALIDATION_SEED = 1_000_003
# Words for people at least this often.
_SAY_SECONDS = 2.0
# Part of the progress that drawing pictures takes.
_DRAWING = 0.25


def train_lifter(job: Job) -> Generator[Event, None, None]:
    """Train a lifter: args ``config`` (a TOML file) and ``folder`` (to train in).

    ``steps``, if given, ends this run after so many steps; the next one goes on. ``threads`` is
    how many the network may use. ``Done`` has ``weights``, or nothing where it is not at its end,
    ``step``, ``steps``, and the last validation: ``spine_mm``, ``all_mm``, ``angles_deg``.
    """
    from pipeline.models.devices import use_threads
    from pipeline.models.lifter_config import read_lifter_training
    from pipeline.models.train_lifter import WEIGHTS
    from pipeline.models.train_lifter import train_lifter as steps_of
    from pipeline.synthesis.lifting_samples import LiftingBatch, draw_batch

    config, folder = Path(job.args["config"]), Path(job.args["folder"])
    training = read_lifter_training(config)
    use_threads(job.args.get("threads"))

    def batches(number: int) -> LiftingBatch:
        # Validations, with numbers below 0, are clips that no training of this seed meets.
        seed = training.seed if number >= 0 else training.seed + VALIDATION_SEED
        return draw_batch(seed, abs(number), training.clips, training.frames)

    card = {"name": "Lifter", "trained_on": "simulated movements only", "config": config.name}
    run = steps_of(training, batches, folder, card)
    yield from _trained(job, run, training.steps, folder / WEIGHTS, _lifter_words)


def train_detector(job: Job) -> Generator[Event, None, None]:
    """Train a detector: args ``config`` (a TOML file) and ``folder`` (to train in).

    ``pictures`` and ``validation``, folders of pictures with keypoints (see
    :mod:`pipeline.io.picture_set`), are used in place of drawn ones; without a ``validation``, a
    tenth of the pictures is kept for it. ``device``, ``steps`` and ``threads`` as for the lifter.
    ``Done`` has ``weights``, ``step``, ``steps``, and the last validation: ``error_px``, ``auc``.
    """
    from pipeline.io.picture_set import read_picture_set, split_picture_set
    from pipeline.models.detector_config import read_detector_training
    from pipeline.models.devices import use_threads
    from pipeline.models.train_detector import WEIGHTS
    from pipeline.models.train_detector import train_detector as steps_of
    from pipeline.synthesis.picture_sets import draw_set

    config, folder = Path(job.args["config"]), Path(job.args["folder"])
    training = read_detector_training(config)
    threads = job.args.get("threads")
    use_threads(threads)
    given, kept = job.args.get("pictures"), job.args.get("validation")
    start = 0.0
    if given is None:
        places = {"teach": training.pictures, "validate": training.validation_pictures}
        for i, (name, count) in enumerate(places.items()):
            seed = training.seed + i * VALIDATION_SEED
            for part in draw_set(folder / name, seed, count, processes=threads or 2):
                share = part if i == 0 else 1.0  # the second set is small
                yield Progress(job.id, _DRAWING * share, f"Drawing pictures to {name}")
        start = _DRAWING
        pictures, validation = (read_picture_set(folder / name) for name in places)
    else:
        pictures = read_picture_set(Path(given))
        if kept is not None:
            validation = read_picture_set(Path(kept))
        else:
            pictures, validation = split_picture_set(pictures, training.seed)
    shown = "simulated people only, no recording" if given is None else Path(given).name
    card = {"name": "Detector", "trained_on": shown, "config": config.name}
    device = job.args.get("device", "auto")
    run = steps_of(training, pictures, validation, folder, card, device)
    yield from _trained(job, run, training.steps, folder / WEIGHTS, _detector_words, start)


def _trained(
    job: Job,
    run: Generator[TrainingStep, None, Path],
    steps: int,
    weights: Path,
    words: Callable[[dict[str, float]], str],
    start: float = 0.0,
) -> Iterator[Event]:
    """A training's events, from ``start`` of the progress on; its state is written at the end."""
    last: dict[str, float] = {}
    step, done, said, most = 0, 0, 0.0, job.args.get("steps")
    try:
        for state in run:
            last = state.validated or last
            if state.step == 0:  # what the training begins with was judged
                continue
            step, done = state.step, done + 1
            if state.validated or time.monotonic() - said > _SAY_SECONDS:
                said = time.monotonic()
                text = f"Step {step}, loss {state.loss:.4f}{words(last) if last else ''}"
                yield Progress(job.id, start + (1.0 - start) * step / steps, text)
            if done == most:
                break
    finally:
        run.close()
    finished = step >= steps or (done == 0 and weights.exists())
    if finished:
        yield File(job.id, weights)
    result = {
        "weights": str(weights) if finished else None,
        "step": step if done else steps,
        "steps": steps,
        **last,
    }
    yield Done(job.id, result)


def _lifter_words(validated: dict[str, float]) -> str:
    return f", spine {validated['spine_mm']:.1f} mm, all {validated['all_mm']:.1f} mm"


def _detector_words(validated: dict[str, float]) -> str:
    return f", error {validated['error_px']:.2f} px, AUC {validated['auc']:.3f}"
