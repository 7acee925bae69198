"""The loop in which every network of ours is taught, so that it can stop and go on at any step."""

from __future__ import annotations

import json
import math
import os
from abc import ABC, abstractmethod
from collections.abc import Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

import torch
from torch import Tensor, nn

from pipeline.data.errors import UserError
from pipeline.models.muon import Muon
from pipeline.models.state_files import read_state, write_state

STATE, HISTORY = "training.pt", "history.jsonl"

B = TypeVar("B")


class Course(Protocol):
    """What the loop wants to know of a training's settings."""

    @property
    def begin(self) -> str: ...
    @property
    def steps(self) -> int: ...
    @property
    def warm_up(self) -> int: ...
    @property
    def learning_rate(self) -> float: ...
    @property
    def inner_rate(self) -> float: ...
    @property
    def weight_decay(self) -> float: ...
    @property
    def average(self) -> float: ...
    @property
    def validate_every(self) -> int: ...


class Lesson(ABC, Generic[B]):
    """What is taught: a network and its running average, its data, its loss, its validation.

    Parameters
    ----------
    network, average : Module
        Of the same shape and weights; ``average`` is what is judged and kept.
    inner : iterable of Parameter
        Matrices and kernels that take orthogonal steps (Muon); all others take AdamW's.
    course
        The settings of the loop.
    settings : dict
        All settings by name: a training goes on only with the same ones.
    weights : str
        Name of the file of the best weights.
    judged_by : str
        Which of the validation's figures, lower being better, says what is best.
    """

    def __init__(
        self,
        network: nn.Module,
        average: nn.Module,
        inner: Iterable[nn.Parameter],
        course: Course,
        settings: dict[str, Any],
        weights: str,
        judged_by: str,
    ) -> None:
        self.network, self.average = network, average.requires_grad_(False)
        self.course, self.settings = course, settings
        self.weights, self.judged_by = weights, judged_by
        matrices = list(inner)
        inside = {id(p) for p in matrices}
        others = [p for p in network.parameters() if id(p) not in inside]
        self.optimisers: tuple[torch.optim.Optimizer, ...] = (
            Muon(matrices, course.inner_rate, weight_decay=course.weight_decay),
            torch.optim.AdamW(others, course.learning_rate, weight_decay=course.weight_decay),
        )

    @abstractmethod
    def batch(self, number: int) -> B:
        """Batch ``number``, made in another thread while the network learns from the one before."""

    @abstractmethod
    def loss(self, batch: B) -> Tensor:
        """Scalar."""

    @abstractmethod
    def validate(self) -> dict[str, float]:
        """Figures of the average by name."""

    @abstractmethod
    def write(self, path: Path, facts: dict[str, Any]) -> None:
        """Write the average's weights with ``facts`` about their making."""


@dataclass(frozen=True, slots=True)
class TrainingStep:
    """How far a training is.

    Attributes
    ----------
    step, steps : int
    loss : float
        Of this step; not a number before the first one.
    validated : dict
        Figures by name where a validation has just been made, else empty.
    best : bool
        Whether that was the best so far, and the weights were written.
    """

    step: int
    steps: int
    loss: float
    validated: dict[str, float]
    best: bool


def train(lesson: Lesson[B], folder: Path) -> Generator[TrainingStep, None, Path]:
    """Train in ``folder``, going on from what is there; returns the best weights' path.

    A training that begins with weights judges these first, at step 0: what is kept is never worse
    than they were.

    ``folder`` gets the weights that validated best, the state of the training, and its history, a
    line of JSON for each validation. Closing the generator writes the state, so that the next call
    goes on where this one stopped.

    Raises
    ------
    UserError
        If the folder holds a training with other settings, or cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"{folder} cannot be made: {error.strerror or error}.") from error
    run = _Run(lesson, folder)
    if (folder / STATE).exists():
        run.restore()
    steps = lesson.course.steps
    with ThreadPoolExecutor(1) as pool:
        coming: Future[B] | None = None
        try:
            if run.step == 0 and lesson.course.begin:
                yield run.judged(math.nan)
            while run.step < steps:
                coming = coming or pool.submit(lesson.batch, run.step)
                batch = coming.result()
                coming = None
                if run.step + 1 < steps:
                    coming = pool.submit(lesson.batch, run.step + 1)
                yield run.advance(batch)
        finally:
            run.save()
    return folder / lesson.weights


class _Run(Generic[B]):
    """How far a lesson is in a folder."""

    def __init__(self, lesson: Lesson[B], folder: Path) -> None:
        self.lesson, self.folder = lesson, folder
        self.step, self.best = 0, math.inf
        self.history: list[dict[str, float]] = []

    def advance(self, batch: B) -> TrainingStep:
        """One step of the optimisers, and a validation where one is due."""
        lesson, course = self.lesson, self.lesson.course
        rates = (course.inner_rate, course.learning_rate)
        for optimiser, rate in zip(lesson.optimisers, rates, strict=True):
            for group in optimiser.param_groups:
                group["lr"] = rate * _rate_factor(self.step, course)
        lesson.network.train()
        loss = lesson.loss(batch)
        lesson.network.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(lesson.network.parameters(), 1.0)
        for optimiser in lesson.optimisers:
            optimiser.step()
        value = loss.item()
        self._keep_average()
        self.step += 1
        if self.step % course.validate_every == 0 or self.step == course.steps:
            return self.judged(value)
        return TrainingStep(self.step, course.steps, value, {}, False)

    def judged(self, loss: float) -> TrainingStep:
        """A validation after a step of this loss; the best weights so far are written."""
        lesson = self.lesson
        found = lesson.validate()
        line = {"step": self.step, **found}
        if math.isfinite(loss):
            line["loss"] = round(loss, 5)
        self.history.append(line)
        best = found[lesson.judged_by] < self.best
        if best:
            self.best = found[lesson.judged_by]
            facts = {"settings": lesson.settings, "step": self.step, **found}
            lesson.write(self.folder / lesson.weights, facts)
        self.save()
        return TrainingStep(self.step, lesson.course.steps, loss, found, best)

    def _keep_average(self) -> None:
        lesson = self.lesson
        kept = min(lesson.course.average, (1.0 + self.step) / (10.0 + self.step))
        with torch.no_grad():
            own = lesson.network.state_dict()
            for name, mean in lesson.average.state_dict().items():
                if mean.is_floating_point():
                    mean.lerp_(own[name], 1.0 - kept)
                else:
                    mean.copy_(own[name])

    def save(self) -> None:
        """Write state and history."""
        write_state(
            self.folder / STATE,
            {
                "settings": self.lesson.settings,
                "step": self.step,
                "best": self.best,
                "network": self.lesson.network.state_dict(),
                "average": self.lesson.average.state_dict(),
                "optimisers": [optimiser.state_dict() for optimiser in self.lesson.optimisers],
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
            if settings != self.lesson.settings:
                names = self.lesson.settings.keys() | settings.keys()
                differing = min(n for n in names if settings.get(n) != self.lesson.settings.get(n))
                raise UserError(
                    f"{self.folder} holds a training with another {differing}; choose another "
                    "folder, or the settings it was begun with."
                )
            self.step, self.best = int(state["step"]), float(state["best"])
            self.history = list(state["history"])
            self.lesson.network.load_state_dict(state["network"])
            self.lesson.average.load_state_dict(state["average"])
            for optimiser, stored in zip(self.lesson.optimisers, state["optimisers"], strict=True):
                optimiser.load_state_dict(stored)
        except (KeyError, TypeError, ValueError, RuntimeError, AttributeError) as error:
            raise UserError(
                f"{self.folder / STATE} is not the state of such a training."
            ) from error


def _rate_factor(step: int, course: Course) -> float:
    rising = (step + 1) / max(1, course.warm_up)
    falling = 0.5 * (1.0 + math.cos(math.pi * step / course.steps))
    return min(1.0, rising) * max(falling, 0.01)
