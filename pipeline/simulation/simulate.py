"""From measured points to labels and angles: scale our model, solve it, fuse, and solve it again.

Points that nobody measured, such as the spine of body-only detections, come from the model and its
priors alone, and are marked so.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.data.errors import UserError
from pipeline.data.resources import resource_path
from pipeline.data.source import Source
from pipeline.kinematics.forward import marker_positions
from pipeline.kinematics.ik import solve_steps
from pipeline.kinematics.ik_options import IkOptions, IkResult, Prior
from pipeline.kinematics.labels import CUTOFF, Labels, fuse_labels
from pipeline.kinematics.model import KinematicModel
from pipeline.kinematics.published import CHAIN
from pipeline.simulation.model_tables import Variant, read_tables
from pipeline.simulation.osim_model import extract_kinematics
from pipeline.simulation.scaling import ScaleOptions, ScaleReport, scale_model

FloatArray = NDArray[np.float64]
Step = tuple[float, str]

# How far a keypoint lies from what it is defined as, metres (spine_model.md §0.3); 10 mm for
# those that are not named.
_DEFINED = 0.010
_DEFINED_WORSE = {
    "LShoulder": 0.012, "RShoulder": 0.012, "LClavicle": 0.012, "RClavicle": 0.012,
    "LLatissimus": 0.025, "RLatissimus": 0.025, "LEar": 0.015, "REar": 0.015,
}  # fmt: skip
# Regions measured between joints that detectors find well and that lie far apart.
_LONG = frozenset({"thigh", "shank", "arm", "forearm", "lumbar", "thorax"})
# A model's marker is not better known than this, nor worse where nothing measured it.
_MODEL_SIGMA = (0.005, 0.030)
_USUAL_SIGMA = 0.010  # m, of a point that comes without one


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """Points of one person over time.

    Parameters
    ----------
    names : tuple of str
        K markers, all keypoints of the skeleton.
    times : (T,) array
        Seconds.
    xyz : (T, K, 3) array
        Metres, Y up; NaN where missing.
    sigma : (T, K) array
        Standard deviation, metres; NaN where it is not known.
    manual : (T, K) u8 array
        ``Source.MANUAL_2D`` or ``MANUAL_3D`` where a person placed the point, else ``NONE``.
    rate : float
        Frames per second.
    """

    names: tuple[str, ...]
    times: FloatArray
    xyz: FloatArray
    sigma: FloatArray
    manual: NDArray[np.uint8]
    rate: float


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
    threads : int
        Parts of the sequence solved side by side.
    """

    variant: Variant = "core"
    cutoff: float = CUTOFF
    scale: ScaleOptions = field(default_factory=ScaleOptions)
    threads: int = field(default_factory=lambda: os.cpu_count() or 1)


@dataclass(frozen=True, slots=True, eq=False)
class Simulation:
    """What a simulation came to.

    Attributes
    ----------
    scaling
        Every factor with its data.
    model
        The subject's model on arrays; its markers in the order of the points.
    solved
        Joint coordinates for the measured points.
    virtual
        (T, K, 3) the model's markers there, metres.
    labels
        Measured and simulated points put together.
    fitted
        Joint coordinates for the labels: angles and labels agree.
    """

    scaling: ScaleReport
    model: KinematicModel
    solved: IkResult
    virtual: FloatArray
    labels: Labels
    fitted: IkResult


def simulate_steps(
    measured: Measured, subject: Path, options: SimulationOptions | None = None
) -> Generator[Step, None, Simulation]:
    """Simulate one person.

    Parameters
    ----------
    measured : Measured
    subject : Path
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
    if not np.isfinite(measured.xyz).any():
        raise UserError(f"{subject} was not written: there are no points to simulate.")
    yield 0.0, "Scaling the model"
    generic = resource_path("models", f"simspine_{options.variant}.osim")
    scaling = scale_model(generic, [measured], subject, options.scale)
    if options.scale.height is None:
        yield 0.12, "Scaling the model"
        told_height = replace(options.scale, height=_stature(scaling), model_height=1.0)
        scaling = scale_model(generic, [measured], subject, told_height)
    yield 0.25, "Reading the scaled model"
    model = _in_order(extract_kinematics(subject)[0], measured.names)
    trust = _with_definition(measured)
    told = _ik_options(measured.names, trust, options)
    solved = yield from _solved(model, measured.xyz, told, 0.3, 0.6)
    yield 0.6, "Fusing"
    virtual = marker_positions(model, solved.coordinates)
    labels = fuse_labels(
        measured.xyz,
        trust,
        virtual,
        _model_sigma(measured, virtual, trust),
        measured.manual,
        measured.rate,
        options.cutoff,
        tuple(measured.names.index(name) for name in CHAIN),
    )
    # The labels are smooth already: what is left to trust is what a keypoint is defined as.
    known = np.isfinite(labels.xyz).all(axis=-1)
    steady = np.where(known, _definition(measured.names), np.nan)
    told = _ik_options(measured.names, steady, options)
    start = solved.coordinates[np.isfinite(solved.cost)][0]
    fitted = yield from _solved(model, labels.xyz, told, 0.65, 1.0, start)
    return Simulation(scaling, model, solved, virtual, labels, fitted)


def _stature(scaling: ScaleReport) -> float:
    """Size of the person against the model, from long bones, to bound what is measured worse."""
    long = [one.measured for one in scaling.factors if one.name in _LONG and one.n_frames]
    return float(np.median(long)) if long else scaling.unmeasured


def _solved(
    model: KinematicModel,
    xyz: FloatArray,
    options: IkOptions,
    begin: float,
    end: float,
    start: FloatArray | None = None,
) -> Generator[Step, None, IkResult]:
    steps = solve_steps(model, xyz, options, start)
    while True:
        try:
            part = next(steps)
        except StopIteration as finished:
            result: IkResult = finished.value
            return result
        yield begin + (end - begin) * part.done / len(xyz), "Solving"


def _in_order(model: KinematicModel, names: tuple[str, ...]) -> KinematicModel:
    """The model with exactly these markers, in this order."""
    places = [model.marker_names.index(name) for name in names]
    return replace(
        model,
        marker_names=names,
        marker_bodies=model.marker_bodies[places],
        marker_locations=model.marker_locations[places],
    )


def _definition(names: tuple[str, ...]) -> FloatArray:
    return np.array([_DEFINED_WORSE.get(name, _DEFINED) for name in names])


def _with_definition(measured: Measured) -> FloatArray:
    """(T, K) SD of a measured point as the place that its keypoint is defined as, metres."""
    there = np.isfinite(measured.xyz).all(axis=-1)
    sigma = np.where(np.isfinite(measured.sigma), measured.sigma, _USUAL_SIGMA)
    return np.where(there, np.hypot(sigma, _definition(measured.names)), np.nan)


def _model_sigma(measured: Measured, virtual: FloatArray, trust: FloatArray) -> FloatArray:
    """(T, K) how well the model's markers stand for the keypoints, from what it leaves over."""
    error = np.linalg.norm(virtual - measured.xyz, axis=-1) / np.sqrt(3.0)
    sigma = np.full(len(measured.names), _MODEL_SIGMA[1])
    for keypoint in np.flatnonzero(np.isfinite(error).any(axis=0)):
        seen = np.isfinite(error[:, keypoint])
        left = np.mean(error[seen, keypoint] ** 2) - np.mean(trust[seen, keypoint] ** 2)
        sigma[keypoint] = np.sqrt(max(left, 0.0))
    return np.broadcast_to(np.clip(sigma, *_MODEL_SIGMA), error.shape).copy()


def _ik_options(names: tuple[str, ...], trust: FloatArray, options: SimulationOptions) -> IkOptions:
    return IkOptions(
        marker_weights=_weights(names, trust),
        priors=_priors(options.variant),
        marker_sd=_DEFINED,
        threads=options.threads,
    )


def _weights(names: tuple[str, ...], trust: FloatArray) -> Mapping[str, float]:
    """Weight by marker: the usual variance of one of ten millimetres against its own."""
    weights = {}
    for place, name in enumerate(names):
        seen = trust[np.isfinite(trust[:, place]), place]
        weights[name] = float((_DEFINED / np.median(seen)) ** 2) if len(seen) else 0.0
    return weights


def _priors(variant: Variant) -> dict[str, Prior]:
    return {
        row.name: Prior(0.0, float(np.radians(row.prior_sd_deg)))
        for row in read_tables().regional(variant)
    }


def was_measured(measured: Measured) -> NDArray[np.bool_]:
    """(K,) keypoints that were measured or placed in at least one frame."""
    return np.asarray(np.isfinite(measured.xyz).all(axis=-1).any(axis=0))


def share_simulated(labels: Labels, keypoints: NDArray[np.intp]) -> float:
    """Share of some keypoints' labels that rest on the model alone."""
    source = labels.source[:, keypoints]
    return float(np.mean(np.isin(source, (Source.SIMULATED, Source.INTERPOLATED))))
