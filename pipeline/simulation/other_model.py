"""A person simulated with any OpenSim model: scaled, solved, fused and solved again.

As with our own model, but without its priors: a model that has no vertebrae of ours gives joint
coordinates and labels, and no angles of the spine. Coordinates that no marker moves stay where the
model has them.
"""

from __future__ import annotations

import tempfile
from collections.abc import Generator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.data.errors import UserError
from pipeline.kinematics.forward import marker_positions
from pipeline.kinematics.ik import solve_steps
from pipeline.kinematics.ik_options import IkOptions, Prior
from pipeline.kinematics.labels import CUTOFF, fuse_labels
from pipeline.kinematics.measured import Measured
from pipeline.kinematics.model import (
    GROUND,
    ROTATIONAL,
    KinematicModel,
    free_coordinates,
    rotational_coordinates,
)
from pipeline.kinematics.published import CHAIN
from pipeline.simulation.attach_markers import marker_names_of, model_with_keypoints
from pipeline.simulation.opensim_ik import opensim_ik_steps
from pipeline.simulation.osim_model import NotInArraysError, extract_kinematics, load_model
from pipeline.simulation.outcome import Outcome
from pipeline.simulation.scaling import ScaleOptions, scale_model

FloatArray = NDArray[np.float64]
Step = tuple[float, str]

_DEFINED = 0.010  # m: how far a keypoint lies from what it is defined as (spine_model.md §0.3)
_USUAL_SIGMA = 0.010  # m, of a point that comes without one
_MODEL_SIGMA = 0.015  # m, of a marker that somebody else put on a model
# The SD that holds what no marker sees: this part of a coordinate's range, and never more than so
# much. It moves little that markers see; without it a pelvis without markers of its back tilts, and
# a lumbar spine makes up for it.
_OF_RANGE, _LOOSE = 0.25, 1.0  # rad


@dataclass(frozen=True, slots=True, eq=False)
class Followed:
    """A model that has followed markers over T frames.

    Attributes
    ----------
    coordinate_names, rotational, coordinates
        Q names, those that are angles, (T, Q) radians and metres.
    markers : (T, M, 3) array
        The model's markers there, metres, in the order of :attr:`Follower.names`.
    """

    coordinate_names: tuple[str, ...]
    rotational: frozenset[str]
    coordinates: FloatArray
    markers: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Follower:
    """A subject's model and what follows markers with it.

    Attributes
    ----------
    file : Path
    model : KinematicModel or None
        With the markers ``names`` only; None where OpenSim has to do it.
    names : tuple of str
        M markers that model and recording both have.
    notes : tuple of str
        What the user is to be told.
    """

    file: Path
    model: KinematicModel | None
    names: tuple[str, ...]
    notes: tuple[str, ...]


def other_model_steps(
    measured: Measured,
    subject: Path,
    model_file: Path,
    marker_set: Path | None = None,
    scale: ScaleOptions | None = None,
    threads: int = 1,
) -> Generator[Step, None, Outcome]:
    """Simulate one person with a model of the user's.

    Parameters
    ----------
    measured : Measured
    subject : Path
        The subject's ``.osim`` to be written.
    model_file, marker_set : Path
        The generic model, and markers to be added to its own.
    scale : ScaleOptions, optional
        Height and mass, if they are known.
    threads : int
        Parts of the sequence solved side by side.

    Raises
    ------
    UserError
        A model without markers for what was measured, points that no person can be made of, or
        files that cannot be read or written.
    """
    if not np.isfinite(measured.xyz).any():
        raise UserError(f"{subject} was not written: there are no points to simulate.")
    yield 0.0, "Preparing the model"
    seen = [n for k, n in enumerate(measured.names) if np.isfinite(measured.xyz[:, k]).any()]
    with tempfile.TemporaryDirectory() as folder:
        generic = Path(folder) / model_file.name
        notes = model_with_keypoints(model_file, marker_set, measured.names, generic)
        yield 0.1, "Scaling the model"
        scaling = scale_model(generic, [measured], subject, scale or ScaleOptions())
    yield 0.25, "Reading the scaled model"
    follower = follower_of(subject, measured.names)
    if not set(follower.names) & set(seen):
        raise UserError(f"{model_file} has none of the keypoints that were measured.")
    places = [measured.names.index(name) for name in follower.names]
    trust = _trust(measured)
    weights = _weights(measured.names, trust)
    first = yield from followed(follower, measured.times, measured.xyz[:, places], weights, {},
                                threads, 0.3, 0.6)  # fmt: skip
    yield 0.6, "Fusing"
    virtual = np.full(measured.xyz.shape, np.nan)
    virtual[:, places] = first.markers
    whole = np.isfinite(virtual).all(axis=-1)
    labels = fuse_labels(
        measured.xyz, trust, virtual, np.where(whole, _MODEL_SIGMA, np.nan), measured.manual,
        measured.rate, CUTOFF,
        tuple(measured.names.index(n) for n in CHAIN) if set(CHAIN) <= set(follower.names) else (),
    )  # fmt: skip
    last = yield from followed(
        follower, measured.times, labels.xyz[:, places], {}, {}, threads, 0.65, 1.0
    )
    lacking = [name for name in seen if name not in follower.names]
    if lacking:
        notes += (f"Not on this model, and left as measured: {', '.join(lacking)}.",)
    return Outcome(
        made_by=f"the model {model_file.name} and fusion by variances",
        scaling=scaling,
        model=follower.model,
        coordinate_names=last.coordinate_names,
        rotational=last.rotational,
        coordinates=last.coordinates,
        marker_names=follower.names,
        markers=last.markers,
        marker_error=np.linalg.norm(virtual - measured.xyz, axis=-1),
        labels=labels,
        notes=(*notes, *follower.notes),
    )


def follower_of(subject: Path, keypoints: tuple[str, ...]) -> Follower:
    """The subject's model on arrays, with markers of keypoints only, or for OpenSim's engine."""
    try:
        model, notes = extract_kinematics(subject)
    except NotInArraysError as error:
        told = f"OpenSim's own engine was used, which is slower: {error}"
        own = marker_names_of(load_model(subject))
        return Follower(subject, None, tuple(k for k in keypoints if k in own), (told,))
    places = [p for p, name in enumerate(model.marker_names) if name in keypoints]
    names = tuple(model.marker_names[place] for place in places)
    model = replace(
        model,
        marker_names=names,
        marker_bodies=model.marker_bodies[places],
        marker_locations=model.marker_locations[places],
    )
    return Follower(subject, model, names, tuple(notes))


def followed(
    follower: Follower,
    times: FloatArray,
    xyz: FloatArray,
    weights: Mapping[str, float],
    tasks: Mapping[str, float],
    threads: int,
    begin: float,
    end: float,
    priors: bool = True,
) -> Generator[Step, None, Followed]:
    """Follow markers; ``tasks`` are weights of coordinates that are pulled to their defaults."""
    if follower.model is None:
        return (yield from _followed_by_opensim(follower, times, xyz, weights, tasks, begin, end))
    model = follower.model
    options = IkOptions(
        marker_weights={name: weights[name] for name in follower.names if name in weights},
        coordinate_weights=tasks,
        priors=_priors(model) if priors else {},
        marker_sd=_DEFINED,
        threads=threads,
    )
    steps = solve_steps(model, xyz, options)
    while True:
        try:
            part = next(steps)
        except StopIteration as finished:
            found = finished.value.coordinates
            break
        yield begin + (end - begin) * part.done / len(xyz), "Solving"
    return Followed(
        model.coordinate_names,
        rotational_coordinates(model),
        found,
        marker_positions(model, found),
    )


def _followed_by_opensim(
    follower: Follower,
    times: FloatArray,
    xyz: FloatArray,
    weights: Mapping[str, float],
    tasks: Mapping[str, float],
    begin: float,
    end: float,
) -> Generator[Step, None, Followed]:
    counted = {name: weights.get(name, 1.0) for name in follower.names}
    pulls = {name: (weight, None) for name, weight in tasks.items()}
    steps = opensim_ik_steps(follower.file, follower.names, times, xyz, counted, pulls)
    while True:
        try:
            fraction = next(steps)
        except StopIteration as finished:
            found = finished.value
            break
        yield begin + (end - begin) * fraction, "Solving with OpenSim"
    markers = np.full(xyz.shape, np.nan)
    markers[:, [follower.names.index(name) for name in found.marker_names]] = found.marker_locations
    return Followed(found.coordinate_names, found.rotational, found.coordinates, markers)


def _priors(model: KinematicModel) -> dict[str, Prior]:
    """A loose hold on every free angle but those of the joint to ground."""
    roots = np.unique(model.axis_coordinate[model.parents == GROUND])
    angles = free_coordinates(model) & (model.motion == ROTATIONAL)
    angles[roots[roots >= 0]] = False
    widths = model.upper - model.lower
    sds = np.where(widths > 0.0, np.minimum(_OF_RANGE * widths, _LOOSE), _LOOSE)
    return {
        model.coordinate_names[place]: Prior(float(model.default[place]), float(sds[place]))
        for place in np.flatnonzero(angles)
    }


def _trust(measured: Measured) -> FloatArray:
    """(T, K) SD of a measured point as the place that its keypoint is defined as, metres."""
    there = np.isfinite(measured.xyz).all(axis=-1)
    sigma = np.where(np.isfinite(measured.sigma), measured.sigma, _USUAL_SIGMA)
    return np.where(there, np.hypot(sigma, _DEFINED), np.nan)


def _weights(names: tuple[str, ...], trust: FloatArray) -> dict[str, float]:
    weights = {}
    for place, name in enumerate(names):
        seen = trust[np.isfinite(trust[:, place]), place]
        weights[name] = float((_DEFINED / np.median(seen)) ** 2) if len(seen) else 0.0
    return weights
