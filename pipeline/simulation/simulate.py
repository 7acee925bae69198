"""From measured points to labels and angles: scale our model, solve it, fuse, and solve it again.

Points that nobody measured, such as the spine of body-only detections, come from the model and its
priors alone, and are marked so.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from pipeline.data.errors import UserError
from pipeline.data.resources import resource_path
from pipeline.kinematics.follow import (
    Followed,
    finish_steps,
    markers_of,
    solved_steps,
)
from pipeline.kinematics.ik_options import IkResult, Prior
from pipeline.kinematics.labels import CUTOFF
from pipeline.kinematics.measured import Measured, without_judged_levels
from pipeline.kinematics.model import KinematicModel
from pipeline.kinematics.part_weights import with_part_weights
from pipeline.kinematics.subject import Subject, subject_of, with_model_sigma
from pipeline.simulation.model_tables import Variant, read_tables
from pipeline.simulation.osim_model import extract_kinematics
from pipeline.simulation.refining import refine, scale_again
from pipeline.simulation.scaling import ScaleOptions, ScaleReport, scale_model

FloatArray = NDArray[np.float64]
Step = tuple[float, str]
Result = TypeVar("Result")

READYING = "Getting the solver ready (half a minute on a new computer)"

# Regions measured between joints that detectors find well and that lie far apart.
_LONG = frozenset({"thigh", "shank", "arm", "forearm", "lumbar", "thorax"})


@dataclass(frozen=True, slots=True)
class SimulationOptions:
    """How a person is simulated.

    Parameters
    ----------
    variant : str
        ``core`` (11 free coordinates of the spine) or ``extended`` (13).
    cutoff : float
        Of the final low-pass, Hz.
    scale : ScaleOptions
        Height and mass, if they are known.
    weights : mapping
        Factors on the weights of parts of the body (``pipeline.kinematics.part_weights``).
    refine : bool
        Whether sizes are estimated anew from movements (``pipeline.simulation.refining``).
    threads : int
        Parts of the sequence solved side by side.
    """

    variant: Variant = "core"
    cutoff: float = CUTOFF
    scale: ScaleOptions = field(default_factory=ScaleOptions)
    weights: Mapping[str, float] = field(default_factory=dict)
    refine: bool = True
    threads: int = field(default_factory=lambda: os.cpu_count() or 1)


@dataclass(frozen=True, slots=True, eq=False)
class Learnt:
    """A person's model.

    Attributes
    ----------
    scaling
        Every factor with its data.
    subject
        The model on arrays, and how far its markers are believed.
    solved, virtual
        Joint coordinates for the points that it was learnt from, and (T, K, 3) its markers there.
    """

    scaling: ScaleReport
    subject: Subject
    solved: IkResult
    virtual: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Simulation(Followed):
    """What a simulation came to: the subject beside coordinates and labels of all frames."""

    scaling: ScaleReport
    subject: Subject

    @property
    def model(self) -> KinematicModel:
        """The subject's model; its markers in the order of the points."""
        return self.subject.model


def simulate_steps(
    measured: Measured, subject_file: Path, options: SimulationOptions | None = None
) -> Generator[Step, None, Simulation]:
    """Simulate one person.

    Parameters
    ----------
    measured : Measured
    subject_file : Path
        The subject's ``.osim`` to be written.
    options : SimulationOptions, optional

    Yields
    ------
    (float, str)
        Share of the work done and what is being done.

    Raises
    ------
    UserError
        Points that no person can be made of, or a file that cannot be written.
    """
    options = options or SimulationOptions()
    one = yield from between(learn_steps(measured, subject_file, options), 0.0, 0.6)
    rest = finish_steps(one.subject, measured, one.solved, options.threads, 0.0)
    found = yield from between(rest, 0.6, 1.0)
    return Simulation(
        found.solved, found.virtual, found.labels, found.fitted, one.scaling, one.subject
    )


def learn_steps(
    measured: Measured, subject_file: Path, options: SimulationOptions
) -> Generator[Step, None, Learnt]:
    """Scale the model to a person and learn how far its markers stand for the points.

    Parameters, steps and errors are those of :func:`simulate_steps`.
    """
    if not np.isfinite(measured.xyz).any():
        raise UserError(f"{subject_file} was not written: there are no points to simulate.")
    yield 0.0, "Scaling the model"
    generic = resource_path("models", f"simspine_{options.variant}.osim")
    lengths = without_judged_levels(measured)
    scale = options.scale
    scaling = scale_model(generic, [lengths], subject_file, scale)
    if scale.height is None:
        yield 0.15, "Scaling the model"
        scale = replace(scale, height=_stature(scaling), model_height=1.0)
        scaling = scale_model(generic, [lengths], subject_file, scale)
    yield 0.3, "Reading the scaled model"
    subject = _subject(measured, subject_file, options)
    yield 0.35, READYING
    end = 0.6 if options.refine else 1.0
    steps = solved_steps(subject, measured, 1.0, options.threads)
    solved = yield from between(steps, 0.35, end)
    yield end, "Refining the sizes"
    refined = refine(subject, lengths, solved, scaling) if options.refine else None
    if refined is not None:
        yield 0.75, "Scaling the model"
        scaling = scale_again(generic, lengths, subject_file, scale, scaling, refined)
        subject = _subject(measured, subject_file, options)
        steps = solved_steps(subject, measured, 1.0, options.threads)
        solved = yield from between(steps, 0.8, 1.0)
    virtual = markers_of(subject, solved.coordinates)
    return Learnt(scaling, with_model_sigma(subject, measured, virtual), solved, virtual)


def _subject(measured: Measured, subject_file: Path, options: SimulationOptions) -> Subject:
    model, _ = extract_kinematics(subject_file)
    subject = subject_of(model, measured, _priors(options.variant), options.cutoff)
    return with_part_weights(subject, options.weights)


def _stature(scaling: ScaleReport) -> float:
    """Size of the person against the model, from long bones, to bound what is measured worse."""
    long = [one.measured for one in scaling.factors if one.name in _LONG and one.n_frames]
    return float(np.median(long)) if long else scaling.unmeasured


def between(
    steps: Generator[Step, None, Result], begin: float, end: float
) -> Generator[Step, None, Result]:
    """The same steps as a part of longer work, from ``begin`` to ``end`` of it."""
    while True:
        try:
            share, what = next(steps)
        except StopIteration as finished:
            result: Result = finished.value
            return result
        yield begin + (end - begin) * share, what


def _priors(variant: Variant) -> dict[str, Prior]:
    return {
        row.name: Prior(0.0, float(np.radians(row.prior_sd_deg)))
        for row in read_tables().regional(variant)
    }
