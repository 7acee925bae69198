"""What it takes to hold a level of the column out and to tell it: by the chain, or by a cubic."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import BarycentricInterpolator

from pipeline.data.resources import resource_path
from pipeline.data.source import Source
from pipeline.kinematics.forward import marker_positions
from pipeline.kinematics.labels import fuse_labels
from pipeline.kinematics.measured import Measured, trust_of
from pipeline.kinematics.published import CHAIN
from pipeline.simulation.osim_model import extract_kinematics
from pipeline.simulation.simulate import Simulation, SimulationOptions, simulate_steps

FloatArray = NDArray[np.float64]

COLUMN = CHAIN  # from below


def without_level(
    measured: Measured, level: int, frames: NDArray[np.bool_] | None = None
) -> Measured:
    """The points without one level of the column, in some frames (T,) or in all."""
    place = measured.names.index(COLUMN[level])
    xyz, sigma, manual = measured.xyz.copy(), measured.sigma.copy(), measured.manual.copy()
    out = slice(None) if frames is None else frames
    xyz[out, place], sigma[out, place], manual[out, place] = np.nan, np.nan, Source.NONE
    return replace(measured, xyz=xyz, sigma=sigma, manual=manual)


def simulated(measured: Measured, subject: Path) -> Simulation:
    """The whole chain, with its defaults."""
    steps = simulate_steps(measured, subject, SimulationOptions())
    while True:
        try:
            next(steps)
        except StopIteration as finished:
            result: Simulation = finished.value
            return result


def label_of_the_model_alone(measured: Measured, found: Simulation) -> FloatArray:
    """(T, K, 3) labels in which unmeasured levels are the model's, whatever lies beside them."""
    sigma = np.broadcast_to(found.subject.model_sigma, measured.sigma.shape)
    chain = tuple(measured.names.index(name) for name in COLUMN)
    return fuse_labels(
        measured.xyz, trust_of(measured), found.virtual, sigma, measured.manual, measured.rate,
        found.subject.cutoff, chain,
    ).xyz  # fmt: skip


def neutral_places() -> FloatArray:
    """(9,) metres along the column of the unscaled model's points."""
    model = extract_kinematics(resource_path("models", "simspine_core.osim"))[0]
    points = marker_positions(model, model.default)
    column = points[[model.marker_names.index(name) for name in COLUMN]]
    steps = np.linalg.norm(np.diff(column, axis=0), axis=1)
    return np.concatenate([[0.0], np.cumsum(steps)])


def cubic_prediction(column: FloatArray, at: FloatArray, level: int) -> FloatArray:
    """(F, 3) a level from the cubic through its four nearest neighbours, two on each side.

    Next to an end of the column it is one and three. ``at`` (9,) says how far levels are apart.
    """
    first = min(max(level - 2, 0), len(at) - 5)
    used = [k for k in range(first, first + 5) if k != level]
    cubic = BarycentricInterpolator(at[used], np.moveaxis(column[:, used], 1, 0))
    return np.asarray(cubic(at[level]))
