"""Training networks of our own: the simulator makes the data while the network learns."""

from __future__ import annotations

import time
from collections.abc import Generator
from pathlib import Path

from pipeline.jobs.messages import Done, Event, File, Job, Progress

#: Added to the seed for validations.
VALIDATION_SEED = 1_000_003
# Words for people at least this often.
_SAY_SECONDS = 2.0


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
    last: dict[str, float] = {}
    done, said, most = 0, 0.0, job.args.get("steps")
    run = steps_of(training, batches, folder, card)
    step = 0
    try:
        for state in run:
            step, done = state.step, done + 1
            last = state.validated or last
            if state.validated or time.monotonic() - said > _SAY_SECONDS:
                said = time.monotonic()
                yield Progress(job.id, step / training.steps, _words(step, state.loss, last))
            if done == most:
                break
    finally:
        run.close()
    finished = step >= training.steps or (done == 0 and (folder / WEIGHTS).exists())
    if finished:
        yield File(job.id, folder / WEIGHTS)
    yield Done(
        job.id,
        {
            "weights": str(folder / WEIGHTS) if finished else None,
            "step": step if done else training.steps,
            "steps": training.steps,
            **last,
        },
    )


def _words(step: int, loss: float, validated: dict[str, float]) -> str:
    words = f"Step {step}, loss {loss:.4f}"
    if validated:
        words += f", spine {validated['spine_mm']:.1f} mm, all {validated['all_mm']:.1f} mm"
    return words
