"""A subject's model that follows markers: on arrays, or by OpenSim where they cannot express it."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.kinematics.forward import marker_positions
from pipeline.kinematics.ik import solve_steps
from pipeline.kinematics.ik_options import IkOptions, Prior
from pipeline.kinematics.model import (
    GROUND,
    ROTATIONAL,
    KinematicModel,
    free_coordinates,
    rotational_coordinates,
)
from pipeline.simulation.attach_markers import marker_names_of
from pipeline.simulation.opensim_ik import opensim_ik_steps
from pipeline.simulation.osim_model import NotInArraysError, extract_kinematics, load_model

FloatArray = NDArray[np.float64]
Step = tuple[float, str]

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
    reason : str
        Why there is no ``model``.
    """

    file: Path
    model: KinematicModel | None
    names: tuple[str, ...]
    notes: tuple[str, ...]
    reason: str = ""


def follower_of(subject: Path, keypoints: tuple[str, ...]) -> Follower:
    """The subject's model on arrays, with markers of keypoints only, or for OpenSim's engine."""
    try:
        model, notes = extract_kinematics(subject)
    except NotInArraysError as error:
        told = f"OpenSim's own engine was used, which is slower: {error}"
        own = marker_names_of(load_model(subject))
        names = tuple(name for name in keypoints if name in own)
        return Follower(subject, None, names, (told,), str(error))
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
) -> Generator[Step, None, Followed]:
    """Follow markers; ``tasks`` are weights of coordinates that are pulled to their defaults."""
    if follower.model is None:
        return (yield from _followed_by_opensim(follower, times, xyz, weights, tasks, begin, end))
    model = follower.model
    options = IkOptions(
        marker_weights={name: weights[name] for name in follower.names if name in weights},
        coordinate_weights=tasks,
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


def loose_priors(model: KinematicModel) -> dict[str, Prior]:
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
