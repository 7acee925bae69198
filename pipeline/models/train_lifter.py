"""Trains a lifter on clips that somebody else makes."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pipeline.data.errors import UserError
from pipeline.data.skeleton import project_skeleton
from pipeline.models.lifter_batches import Clips, LifterBatch, batch_of
from pipeline.models.lifter_config import LifterTraining
from pipeline.models.lifter_files import read_lifter, save_lifter
from pipeline.models.lifter_loss import lifter_loss, point_weights
from pipeline.models.lifter_network import LifterNetwork, LifterSpec
from pipeline.models.training import Lesson, TrainingStep, train
from pipeline.models.training_config import as_table
from pipeline.quality.procrustes import aligned_errors

WEIGHTS = "lifter.pt"
# Frames that go through the network at once in a validation.
_TOGETHER = 4000


#: Clips of a batch by its number; those of a validation have numbers below 0.
Batches = Callable[[int], Clips]


def train_lifter(
    training: LifterTraining, batches: Batches, folder: Path, card: dict[str, Any] | None = None
) -> Generator[TrainingStep, None, Path]:
    """Train a lifter in ``folder``; see :func:`pipeline.models.training.train`.

    ``card`` is written into the weights. A validation says ``spine_mm`` and ``all_mm``, mean
    distances once laid over the truth, and ``angles_deg``.
    """
    return (yield from train(_LifterLesson(training, batches, card or {}), folder))


class _LifterLesson(Lesson[LifterBatch]):
    def __init__(self, training: LifterTraining, batches: Batches, card: dict[str, Any]) -> None:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(training.seed)
            network = LifterNetwork(spec_of(training))
        if training.begin:
            _begin(network, Path(training.begin))
        average = LifterNetwork(spec_of(training))
        average.load_state_dict(network.state_dict())
        inner = [p for p in network.blocks.parameters() if p.ndim == 2]
        super().__init__(network, average, inner, training, as_table(training), WEIGHTS, "spine_mm")
        self.training, self.batches, self.card = training, batches, card
        self.network: LifterNetwork = network
        self.average: LifterNetwork = average
        self.point_weights = point_weights()
        self._validation: list[LifterBatch] = []
        self._last: tuple[int, Clips] | None = None

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

    def loss(self, batch: LifterBatch) -> Tensor:
        out = self.network(batch.features, batch.size)
        return lifter_loss(out, batch.xyz, batch.angles, self.point_weights)

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

    def write(self, path: Path, facts: dict[str, Any]) -> None:
        save_lifter(self.average, path, {**self.card, **facts})


def _begin(network: LifterNetwork, path: Path) -> None:
    begun = read_lifter(path)
    if begun.spec != network.spec:
        raise UserError(f"{path} holds a lifter of another shape than the one to be trained.")
    network.load_state_dict(begun.state_dict())


def spec_of(training: LifterTraining) -> LifterSpec:
    """The shape of the network that a training makes."""
    return LifterSpec(
        frames=training.frames if training.temporal else 1,
        width=training.width,
        blocks=training.blocks,
        widening=training.widening,
        temporal=training.temporal,
    )
