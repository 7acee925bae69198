"""Trains a lifter on clips that somebody else makes, so that it can stop and go on at any step."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from pipeline.data.errors import UserError
from pipeline.data.skeleton import project_skeleton
from pipeline.models.lifter_batches import Clips, LifterBatch, batch_of
from pipeline.models.lifter_config import LifterTraining, as_table
from pipeline.models.lifter_files import read_lifter, read_state, save_lifter, write_state
from pipeline.models.lifter_loss import lifter_loss, point_weights
from pipeline.models.lifter_network import LifterNetwork, LifterSpec
from pipeline.models.muon import Muon
from pipeline.quality.procrustes import aligned_errors

WEIGHTS, STATE, HISTORY = "lifter.pt", "training.pt", "history.jsonl"
# Frames that go through the network at once in a validation.
_TOGETHER = 4000


#: Clips of a batch by its number; those of a validation have numbers below 0.
Batches = Callable[[int], Clips]


@dataclass(frozen=True, slots=True)
class TrainingStep:
    """How far a training is.

    Attributes
    ----------
    step, steps : int
    loss : float
        Of this step.
    validated : dict
        Millimetres by name where a validation has just been made, else empty.
    best : bool
        Whether that was the best so far, and the weights were written.
    """

    step: int
    steps: int
    loss: float
    validated: dict[str, float]
    best: bool


def train_lifter(
    training: LifterTraining, batches: Batches, folder: Path, card: dict[str, Any] | None = None
) -> Generator[TrainingStep, None, Path]:
    """Train in ``folder``, going on from what is there; returns the best weights' path.

    ``folder`` gets the weights that validated best (with ``card`` in them), the state of the
    training, and its history, a line of JSON for each validation. Closing the generator writes
    the state, so that the next call goes on where this one stopped.

    Raises
    ------
    UserError
        If the folder holds a training with other settings, or cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"{folder} cannot be made: {error.strerror or error}.") from error
    run = _Run(training, batches, folder, card or {})
    if (folder / STATE).exists():
        run.restore()
    with ThreadPoolExecutor(1) as pool:
        coming: Future[LifterBatch] | None = None
        try:
            while run.step < training.steps:
                coming = coming or pool.submit(run.batch, run.step)
                batch = coming.result()
                coming = None
                if run.step + 1 < training.steps:
                    coming = pool.submit(run.batch, run.step + 1)
                yield run.advance(batch)
        finally:
            run.save()
    return folder / WEIGHTS


class _Run:
    """The network, its running average, the optimiser, and how far they are."""

    def __init__(
        self, training: LifterTraining, batches: Batches, folder: Path, card: dict[str, Any]
    ) -> None:
        self.training, self.batches, self.folder, self.card = training, batches, folder, card
        self.step, self.best = 0, math.inf
        self.history: list[dict[str, float]] = []
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(training.seed)
            self.network = LifterNetwork(spec_of(training))
        if training.begin:
            self._begin(Path(training.begin))
        self.average = LifterNetwork(spec_of(training))
        self.average.load_state_dict(self.network.state_dict())
        self.average.requires_grad_(False)
        inner = [p for p in self.network.blocks.parameters() if p.ndim == 2]
        inside = {id(p) for p in inner}
        outer = [p for p in self.network.parameters() if id(p) not in inside]
        self.optimisers: tuple[torch.optim.Optimizer, ...] = (
            Muon(inner, training.inner_rate, weight_decay=training.weight_decay),
            torch.optim.AdamW(outer, training.learning_rate, weight_decay=training.weight_decay),
        )
        self.rates = (training.inner_rate, training.learning_rate)
        self.weights = point_weights()
        self._validation: list[LifterBatch] = []
        self._last: tuple[int, Clips] | None = None

    def _begin(self, path: Path) -> None:
        begun = read_lifter(path)
        if begun.spec != self.network.spec:
            raise UserError(f"{path} holds a lifter of another shape than the one to be trained.")
        self.network.load_state_dict(begun.state_dict())

    def batch(self, number: int) -> LifterBatch:
        """Batch ``number`` of the training, or of the validation where it is below 0."""
        return batch_of(self._clips(number), self.training, number)

    def _clips(self, number: int) -> Clips:
        if number < 0:  # asked for by the thread that trains, the others by the one that waits
            return self.batches(number)
        made = number // self.training.repeats
        if self._last is None or self._last[0] != made:
            self._last = made, self.batches(made)
        return self._last[1]

    def advance(self, batch: LifterBatch) -> TrainingStep:
        """One step of the optimiser, and a validation where one is due."""
        training = self.training
        for optimiser, rate in zip(self.optimisers, self.rates, strict=True):
            for group in optimiser.param_groups:
                group["lr"] = rate * _rate_factor(self.step, training)
        self.network.train()
        out = self.network(batch.features, batch.size)
        loss = lifter_loss(out, batch.xyz, batch.angles, self.weights)
        self.network.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        for optimiser in self.optimisers:
            optimiser.step()
        value = loss.item()
        kept = min(training.average, (1.0 + self.step) / (10.0 + self.step))
        with torch.no_grad():
            pairs = zip(self.average.parameters(), self.network.parameters(), strict=True)
            for mean, own in pairs:
                mean.lerp_(own, 1.0 - kept)
        self.step += 1
        found: dict[str, float] = {}
        best = False
        if self.step % training.validate_every == 0 or self.step == training.steps:
            found = self.validate()
            self.history.append({"step": self.step, "loss": round(value, 5), **found})
            best = found["spine_mm"] < self.best
            if best:
                self.best = found["spine_mm"]
                card = {**self.card, "settings": as_table(training), "step": self.step, **found}
                save_lifter(self.average, self.folder / WEIGHTS, card)
            self.save()
        return TrainingStep(self.step, training.steps, value, found, best)

    def validate(self) -> dict[str, float]:
        """Mean distances in mm once laid over the truth: of the column, and of all points."""
        if not self._validation:
            size = self.training.clips
            count = max(1, math.ceil(self.training.validation_clips / size))
            self._validation = [self.batch(-1 - number) for number in range(count)]
        errors, angles = [], []
        for batch in self._validation:
            together = max(1, _TOGETHER // batch.features.shape[1])
            for start in range(0, len(batch.features), together):
                here = slice(start, start + together)
                with torch.inference_mode():
                    out = self.average(batch.features[here], batch.size[here])
                errors.append(1000.0 * aligned_errors(out.xyz.numpy(), batch.xyz[here].numpy()))
                angles.append((out.angles - batch.angles[here]).abs().numpy())
        over = np.concatenate(errors)
        column = list(project_skeleton().column)
        return {
            "spine_mm": round(float(over[..., column].mean()), 3),
            "all_mm": round(float(over.mean()), 3),
            "angles_deg": round(float(np.degrees(np.concatenate(angles).mean())), 3),
        }

    def save(self) -> None:
        """Write state and history."""
        write_state(
            self.folder / STATE,
            {
                "settings": as_table(self.training),
                "step": self.step,
                "best": self.best,
                "network": self.network.state_dict(),
                "average": self.average.state_dict(),
                "optimisers": [optimiser.state_dict() for optimiser in self.optimisers],
                "history": self.history,
            },
        )
        lines = "".join(json.dumps(line) + "\n" for line in self.history)
        temporary = self.folder / f".{HISTORY}"
        try:
            temporary.write_text(lines, encoding="utf-8")
            os.replace(temporary, self.folder / HISTORY)
        except OSError as error:
            raise UserError(
                f"{self.folder / HISTORY} cannot be written: {error.strerror or error}."
            ) from error

    def restore(self) -> None:
        """Go on from the folder's state."""
        state = read_state(self.folder / STATE)
        try:
            settings = state["settings"]
            if settings != as_table(self.training):
                differing = sorted(
                    name
                    for name, value in as_table(self.training).items()
                    if settings.get(name) != value
                )
                raise UserError(
                    f"{self.folder} holds a training with another {differing[0]}; choose another "
                    "folder, or the settings it was begun with."
                )
            self.step, self.best = int(state["step"]), float(state["best"])
            self.history = list(state["history"])
            self.network.load_state_dict(state["network"])
            self.average.load_state_dict(state["average"])
            for optimiser, stored in zip(self.optimisers, state["optimisers"], strict=True):
                optimiser.load_state_dict(stored)
        except (KeyError, TypeError, ValueError, RuntimeError, AttributeError) as error:
            raise UserError(
                f"{self.folder / STATE} is not the state of a lifter's training."
            ) from error


def spec_of(training: LifterTraining) -> LifterSpec:
    """The shape of the network that a training makes."""
    return LifterSpec(
        frames=training.frames if training.temporal else 1,
        width=training.width,
        blocks=training.blocks,
        widening=training.widening,
        temporal=training.temporal,
    )


def _rate_factor(step: int, training: LifterTraining) -> float:
    rising = (step + 1) / max(1, training.warm_up)
    falling = 0.5 * (1.0 + math.cos(math.pi * step / training.steps))
    return min(1.0, rising) * max(falling, 0.01)
