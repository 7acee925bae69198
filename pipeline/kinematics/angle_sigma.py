"""Angles of the body by name, how well each is known, and whether the points or the priors say so.

The coordinates of a chain of joints hang together: a trunk that leans by a known angle can bend in
one joint or in the next. The SD of an angle therefore comes from all of them: their SDs as they
were solved, and their correlations in each frame's own normal equations.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from pipeline.kinematics.angles import (
    PELVIS,
    SACRUM,
    Intervertebral,
    Posture,
    intervertebral_angles,
    posture,
)
from pipeline.kinematics.forward import body_transforms
from pipeline.kinematics.functions import consistent
from pipeline.kinematics.ik_problem import Problem
from pipeline.kinematics.measured import Measured, trust_of
from pipeline.kinematics.model import TRANSLATIONAL, FloatArray, IntArray, KinematicModel
from pipeline.kinematics.steady_solve import normal_equations
from pipeline.kinematics.subject import MARKER_SD, Subject, weight_factors
from pipeline.kinematics.vertebrae import levels

#: Motions of a joint of the column, in the order of :class:`Intervertebral`.
MOTIONS = ("flexion", "bending", "twist")
#: Prefix of the names of joint coordinates.
COORDINATE = "q."
_REGIONS = frozenset(one.name for one in fields(Posture))
_STEP = 1e-4  # radians
# Share of the priors' variance that the points must take away, as for a coordinate.
_SEEN_SHARE = 0.5
# Without a prior: a radian, or a metre.
_UNKNOWN = 1.0
# Far weaker than any prior; without it directions that nothing says are singular.
_WEAKEST = 10.0


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """How well N angles are known in T frames.

    Attributes
    ----------
    sigma : (T, N) array
        SD in radians, of distances in metres; NaN in frames without a pose.
    seen : (T, N) array
        True where the points, not the priors, decide: they take away at least half of the
        variance that the priors leave.
    """

    sigma: FloatArray
    seen: NDArray[np.bool_]


def level_angle(level: str, motion: str) -> str:
    """Name of one angle of a joint of the column."""
    return f"{level}.{motion}"


def angle_values(
    model: KinematicModel, coordinates: FloatArray, names: tuple[str, ...]
) -> FloatArray:
    """(T, N) angles in radians and distances in metres of (T, Q) coordinates.

    Parameters
    ----------
    names
        Of regions, as in :class:`pipeline.kinematics.angles.Posture`; of joints of the column, as
        :func:`level_angle` makes them; or of joint coordinates, after :data:`COORDINATE`. What the
        model lacks is NaN.
    """
    found = np.full((len(coordinates), len(names)), np.nan)
    poses = body_transforms(model, coordinates)
    regions = posture(model, poses) if _REGIONS & set(names) else None
    of_level = [name for name in names if "." in name and not name.startswith(COORDINATE)]
    between = intervertebral_angles(model, poses) if of_level else None
    places = {} if between is None else _places(between)
    for n, name in enumerate(names):
        if name.startswith(COORDINATE):
            coordinate = name.removeprefix(COORDINATE)
            if coordinate in model.coordinate_names:
                found[:, n] = coordinates[:, model.coordinate_names.index(coordinate)]
        elif name in places and between is not None:
            found[:, n] = between.angles[(slice(None), *places[name])]
        elif regions is not None and name in _REGIONS:
            found[:, n] = getattr(regions, name)
    return found


def angle_limits(name: str) -> tuple[float, float] | None:
    """How far a joint of the column goes in people, radians; None for what is no such angle."""
    for level in levels():
        ranges = {
            "flexion": (-level.extension, level.flexion),
            "bending": (-level.bending, level.bending),
            "twist": (-level.twist, level.twist),
        }
        for motion, limits in ranges.items():
            if name == level_angle(level.name, motion):
                return limits
    return None


def angles_known(
    subject: Subject,
    measured: Measured,
    coordinates: FloatArray,
    sigma: FloatArray,
    names: tuple[str, ...],
    every: int = 1,
) -> Known:
    """SDs of angles, and which are seen.

    Parameters
    ----------
    subject, measured
        Whom, and the T frames' points that the coordinates were solved for.
    coordinates, sigma
        (T, Q) as solved, with their SDs; NaN in frames without a pose.
    names
        As for :func:`angle_values`.
    every
        How angles hang on coordinates, and these on each other, is worked out once for so many
        frames; their SDs are those of each frame.
    """
    model = subject.model
    result = Known(
        np.full((len(coordinates), len(names)), np.nan),
        np.zeros((len(coordinates), len(names)), np.bool_),
    )
    there = np.isfinite(coordinates).all(axis=1) & np.isfinite(measured.xyz).any(axis=(1, 2))
    if not there.any() or not names:
        return result
    frames = np.flatnonzero(there)
    looked = frames[::every]
    factors = weight_factors(subject, trust_of(measured))[looked]
    problem = Problem(model, measured.xyz[looked], subject.ik_options(marker_weights_at=factors))
    own = problem.tables.coordinates
    used = np.flatnonzero(np.isin(own, _column_drivers(model, names)))
    rates = _rates(model, coordinates[looked], own[used], names)
    shared = _correlations(problem, coordinates[looked][:, own])[:, used][:, :, used]
    nearest = np.arange(len(frames)) // every
    moved = rates[nearest] * sigma[frames][:, None, own[used]]
    variance = np.einsum("tnu,tuv,tnv->tn", moved, shared[nearest], moved)
    prior = np.minimum(problem.prior_sd[own[used]], _UNKNOWN)
    before = np.einsum("tnu,u->tn", rates[nearest] ** 2, prior**2)
    result.sigma[frames] = np.sqrt(np.maximum(variance, 0.0))
    result.seen[frames] = variance < _SEEN_SHARE * before
    return result


def _places(between: Intervertebral) -> dict[str, tuple[int, int]]:
    return {
        level_angle(level.name, motion): (place, axis)
        for place, level in enumerate(between.levels)
        for axis, motion in enumerate(MOTIONS)
    }


def _driver(model: KinematicModel, coordinate: int) -> int:
    coupled = int(model.coupled_to[coordinate])
    return coupled if coupled >= 0 else coordinate


def _column_drivers(model: KinematicModel, names: tuple[str, ...]) -> IntArray:
    """Coordinates that turn the pelvis or a joint of the column, and those asked for."""
    bodies = {PELVIS, SACRUM} | {body for one in levels() for body in (one.child, one.parent)}
    turning: set[int] = set()
    for place, body in enumerate(model.body_names):
        if body in bodies:
            moving = model.axis_coordinate[place]
            turning |= {_driver(model, int(c)) for c in moving[moving >= 0]}
    asked = {
        _driver(model, model.coordinate_names.index(name.removeprefix(COORDINATE)))
        for name in names
        if name.removeprefix(COORDINATE) in model.coordinate_names
    }
    turning = {c for c in turning if model.motion[c] != TRANSLATIONAL}
    return np.array(sorted(turning | asked), np.int64)


def _rates(
    model: KinematicModel, coordinates: FloatArray, drivers: IntArray, names: tuple[str, ...]
) -> FloatArray:
    """(T, N, U) how fast angles change with each driver, by differences."""
    frames = len(coordinates)
    moved = np.tile(coordinates, (1 + len(drivers), 1, 1))
    for u, driver in enumerate(drivers):
        moved[1 + u, :, driver] += _STEP
    moved = consistent(model, moved.reshape(-1, coordinates.shape[1]))
    values = angle_values(model, moved, names).reshape(1 + len(drivers), frames, len(names))
    rates = np.moveaxis(values[1:] - values[0], 0, -1) / _STEP
    return np.asarray(np.nan_to_num(rates), np.float64)


def _correlations(problem: Problem, unknowns: FloatArray) -> FloatArray:
    """(T, U, U) of the unknowns, from the points and priors of each frame."""
    hessians, _ = normal_equations(problem, unknowns)
    hessians += np.eye(unknowns.shape[1]) * (MARKER_SD / _WEAKEST) ** 2
    covariance = np.asarray(np.linalg.inv(hessians), np.float64)
    spread = np.sqrt(np.einsum("tuu->tu", covariance))
    correlations: FloatArray = covariance / (spread[:, :, None] * spread[:, None, :])
    return correlations
