"""Scale factors, constant marker offsets and poses of some frames, estimated as one problem.

What the frames cannot tell stays at its prior and is reported as not seen. A factor and a common
offset of all markers of its segment along its length look alike: only their priors part them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pipeline.kinematics.forward import body_transforms, marker_positions
from pipeline.kinematics.ik_options import Prior
from pipeline.kinematics.model import (
    GROUND,
    TRANSLATIONAL,
    FloatArray,
    KinematicModel,
    body_index,
    free_coordinates,
)

# Degrees of freedom of Student's distribution: far points count little, near ones fully.
_STUDENT = 4.0
# SD of coordinates without a prior, metres and radians: wide enough to say nothing.
_SHIFT, _TURN = 10.0, 3.0
# Steps at most; change of a factor, and of an offset in metres, that is not worth another.
_ROUNDS, _SETTLED = 12, 2e-4
_SHORTENINGS, _SHORTER = 6, 0.3
# Share of the prior's variance that the frames must take away for a value to count as seen.
_SEEN_SHARE = 0.5
# Of central differences, radians and metres: their error is far below that of the markers.
_DIFFERENCE = 1e-5
_AXES = "XYZ"


@dataclass(frozen=True, slots=True)
class ScaleGroup:
    """Bodies with one common factor, and what is known of it beforehand.

    Parameters
    ----------
    name : str
        For the report.
    bodies : tuple of (str, str)
        Body and the axes along which it is scaled, such as ``("T1", "XY")``.
    mean, sd : float
        Of the logarithm of the factor on the model that is refined.
    """

    name: str
    bodies: tuple[tuple[str, str], ...]
    mean: float
    sd: float


@dataclass(frozen=True, slots=True, eq=False)
class Refinement:
    """What G factors and the offsets of M markers came to.

    Attributes
    ----------
    groups
        The segments, as they were given.
    model
        Joints, mass centres and markers scaled, markers moved; meshes as they were.
    factors, factor_sigma, factor_seen
        (G,) on the model that was refined; SD of the logarithm; whether the frames decide.
    offsets, offset_sigma, offset_seen
        (M, 3) metres in the axes of the marker's body, SD and whether the frames decide.
    coordinates
        (N, Q) of the frames.
    before, after
        (M,) root mean square distances of model and measured markers, metres; NaN where a
        marker was not measured.
    rounds
        Steps taken.
    """

    groups: tuple[ScaleGroup, ...]
    model: KinematicModel
    factors: FloatArray
    factor_sigma: FloatArray
    factor_seen: NDArray[np.bool_]
    offsets: FloatArray
    offset_sigma: FloatArray
    offset_seen: NDArray[np.bool_]
    coordinates: FloatArray
    before: FloatArray
    after: FloatArray
    rounds: int


def scaled_kinematics(model: KinematicModel, factors: FloatArray) -> KinematicModel:
    """``model`` with joints, mass centres and markers of each body scaled.

    Parameters
    ----------
    model : KinematicModel
        Without translations that a coordinate drives, but for those against ground.
    factors : (B, 3) array
        Along the axes of each body.

    Raises
    ------
    ValueError
        For a joint between bodies that also moves them along an axis.
    """
    inner = model.parents >= 0
    along = model.axis_function[inner, 3:]
    still = (model.function_kind[along] == 0) & (model.function_terms[along] == 0.0).all(axis=-1)
    if not still.all():
        raise ValueError("a joint between two bodies moves along an axis")
    before, after = model.parent_from_joint.copy(), model.joint_from_body.copy()
    before[inner, :, 3] *= factors[model.parents[inner]]
    turned = after[:, :, :3]
    centre = np.einsum("bij,bi->bj", turned, after[:, :, 3])  # minus the joint, in the body
    after[:, :, 3] = np.einsum("bij,bj->bi", turned, centre * factors)
    carried = (model.marker_bodies != GROUND)[:, None]
    return replace(
        model,
        parent_from_joint=before,
        joint_from_body=after,
        mass_centres=model.mass_centres * factors,
        marker_locations=model.marker_locations
        * np.where(carried, factors[model.marker_bodies], 1.0),
    )


def group_parts(model: KinematicModel, groups: Sequence[ScaleGroup]) -> NDArray[np.bool_]:
    """(G, B, 3) which axes of which bodies a group scales.

    Raises
    ------
    KeyError
        For a body that the model lacks.
    """
    parts = np.zeros((len(groups), model.n_bodies, 3), np.bool_)
    for g, group in enumerate(groups):
        for body, axes in group.bodies:
            for axis in axes:
                parts[g, body_index(model, body), _AXES.index(axis)] = True
    return parts


def refine_scale(
    model: KinematicModel,
    markers: FloatArray,
    sigma: FloatArray,
    start: FloatArray,
    groups: Sequence[ScaleGroup],
    offset_sd: FloatArray,
    priors: dict[str, Prior],
) -> Refinement:
    """Most probable factors, offsets and poses, by Gauss-Newton with the poses eliminated.

    Parameters
    ----------
    model : KinematicModel
    markers : (N, M, 3) array
        Of frames far enough apart for their noise to be independent, metres; NaN where missing.
    sigma : (N, M) array
        SD per axis of what changes from frame to frame, metres.
    start : (N, Q) array
        Coordinates of these frames on ``model``.
    groups : sequence of ScaleGroup
        No axis of a body in two of them.
    offset_sd : (M,) array
        SD per axis of what stays, metres; 0 for a marker that is where the model has it.
    priors : dict
        Of coordinates, by name, in each frame.

    Raises
    ------
    KeyError
        For a body that the model lacks.
    ValueError
        Where no frame has a marker, or as :func:`scaled_kinematics`.
    """
    problem = _Problem(model, markers, sigma, groups, offset_sd, priors)
    if not problem.there.any():
        raise ValueError("no frame has a marker")
    shared, poses = np.zeros(problem.n_shared), start[:, problem.free].copy()
    before = problem.distances(shared, poses)
    rounds, moved = 0, np.inf
    while rounds < _ROUNDS and moved >= _SETTLED:
        rounds += 1
        weights = problem.weights(shared, poses)
        step, turns, _ = problem.step(shared, poses, weights)
        shared, poses, moved = problem.moved(shared, poses, step, turns)
    _, _, covariance = problem.step(shared, poses, problem.weights(shared, poses))
    n = len(groups)
    sd = np.sqrt(np.diag(covariance))
    prior = problem.shared_sd
    seen = sd**2 <= (1.0 - _SEEN_SHARE) * prior**2
    shape = (model.n_markers, 3)
    offsets, offset_sigma = np.zeros(shape), np.zeros(shape)
    offset_seen = np.zeros(shape, np.bool_)
    offsets[problem.loose] = shared[n:].reshape(-1, 3)
    offset_sigma[problem.loose] = sd[n:].reshape(-1, 3)
    offset_seen[problem.loose] = seen[n:].reshape(-1, 3)
    return Refinement(
        groups=tuple(groups),
        model=problem.model_at(shared),
        factors=np.exp(shared[:n]),
        factor_sigma=sd[:n],
        factor_seen=seen[:n],
        offsets=offsets,
        offset_sigma=offset_sigma,
        offset_seen=offset_seen,
        coordinates=problem.coordinates(poses),
        before=before,
        after=problem.distances(shared, poses),
        rounds=rounds,
    )


class _Problem:
    """The frames, the priors, and the normal equations at some values."""

    def __init__(
        self,
        model: KinematicModel,
        markers: FloatArray,
        sigma: FloatArray,
        groups: Sequence[ScaleGroup],
        offset_sd: FloatArray,
        priors: dict[str, Prior],
    ) -> None:
        self.model, self.markers = model, markers
        self.there = np.isfinite(markers).all(axis=-1) & (model.marker_bodies != GROUND)
        self.precision = np.where(self.there, sigma, np.inf) ** -2.0
        self.parts = group_parts(model, groups)
        self.loose = np.flatnonzero((offset_sd > 0.0) & (model.marker_bodies != GROUND))
        self.n_groups = len(groups)
        self.n_shared = len(groups) + 3 * len(self.loose)
        self.shared_mean = np.zeros(self.n_shared)
        self.shared_mean[: len(groups)] = [group.mean for group in groups]
        self.shared_sd = np.concatenate(
            [[group.sd for group in groups], np.repeat(offset_sd[self.loose], 3)]
        )
        self.free = np.flatnonzero(free_coordinates(model))
        moves = model.motion[self.free] == TRANSLATIONAL
        own = [priors.get(model.coordinate_names[c]) for c in self.free]
        wide = np.where(moves, _SHIFT, _TURN)
        self.pose_sd = np.array([p.sd if p else w for p, w in zip(own, wide, strict=True)])
        self.pose_mean = np.array([p.mean if p else 0.0 for p in own])
        clamped = model.clamped[self.free]
        self.low = np.where(clamped, model.lower[self.free], -np.inf)
        self.high = np.where(clamped, model.upper[self.free], np.inf)

    def body_factors(self, shared: FloatArray) -> FloatArray:
        logarithms = np.einsum("g,gbi->bi", shared[: self.n_groups], self.parts)
        return np.asarray(np.exp(logarithms))

    def model_at(self, shared: FloatArray) -> KinematicModel:
        scaled = scaled_kinematics(self.model, self.body_factors(shared))
        moved = scaled.marker_locations.copy()
        moved[self.loose] += shared[self.n_groups :].reshape(-1, 3)
        return replace(scaled, marker_locations=moved)

    def coordinates(self, poses: FloatArray) -> FloatArray:
        full = np.tile(self.model.default, (len(poses), 1))
        full[:, self.free] = poses
        return full

    def residuals(self, shared: FloatArray, poses: FloatArray) -> FloatArray:
        """(N, M, 3) model less measured, metres; 0 where missing."""
        reached = marker_positions(self.model_at(shared), self.coordinates(poses))
        return np.where(self.there[..., None], reached - self.markers, 0.0)

    def distances(self, shared: FloatArray, poses: FloatArray) -> FloatArray:
        squared = (self.residuals(shared, poses) ** 2).sum(axis=-1)
        count = self.there.sum(axis=0)
        mean = squared.sum(axis=0) / np.maximum(count, 1)
        return np.where(count > 0, np.sqrt(mean), np.nan)

    def weights(self, shared: FloatArray, poses: FloatArray) -> FloatArray:
        squared = (self.residuals(shared, poses) ** 2).sum(axis=-1) * self.precision
        return np.asarray(self.precision * (_STUDENT + 3.0) / (_STUDENT + squared))

    def cost(self, shared: FloatArray, poses: FloatArray) -> float:
        squared = (self.residuals(shared, poses) ** 2).sum(axis=-1) * self.precision
        far = 0.5 * (_STUDENT + 3.0) * np.log1p(squared / _STUDENT).sum()
        told = (((shared - self.shared_mean) / self.shared_sd) ** 2).sum()
        posed = (((poses - self.pose_mean) / self.pose_sd) ** 2).sum()
        return float(far + 0.5 * (told + posed))

    def step(
        self, shared: FloatArray, poses: FloatArray, weights: FloatArray
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Steps of the shared values and of the poses, and the covariance of the former."""
        residuals = self.residuals(shared, poses)
        by_shared = self._by_shared(shared, poses)
        by_pose = self._by_pose(shared, poses)
        schur = np.diag(self.shared_sd**-2.0)
        slope = (shared - self.shared_mean) * self.shared_sd**-2.0
        kept = []
        for t in range(len(poses)):
            here = np.flatnonzero(self.there[t])
            root = np.sqrt(np.repeat(weights[t, here], 3))
            a = by_shared[t, here].reshape(-1, self.n_shared) * root[:, None]
            j = by_pose[t, here].reshape(-1, len(self.free)) * root[:, None]
            r = residuals[t, here].ravel() * root
            hessian = j.T @ j + np.diag(self.pose_sd**-2.0)
            down = j.T @ r + (poses[t] - self.pose_mean) * self.pose_sd**-2.0
            cross = j.T @ a
            solved = np.linalg.solve(hessian, np.column_stack([cross, down]))
            schur += a.T @ a - cross.T @ solved[:, :-1]
            slope = slope + a.T @ r - cross.T @ solved[:, -1]
            kept.append(solved)
        covariance = np.asarray(np.linalg.inv(schur), np.float64)
        step = -covariance @ slope
        turns = np.stack([-solved[:, -1] - solved[:, :-1] @ step for solved in kept])
        return np.asarray(step, np.float64), np.asarray(turns, np.float64), covariance

    def moved(
        self, shared: FloatArray, poses: FloatArray, step: FloatArray, turns: FloatArray
    ) -> tuple[FloatArray, FloatArray, float]:
        """The step within the ranges, shortened until it leads down, and its largest part."""
        now, part = self.cost(shared, poses), 1.0
        for _ in range(_SHORTENINGS):
            tried = np.clip(poses + part * turns, self.low, self.high)
            if self.cost(shared + part * step, tried) <= now:
                return shared + part * step, tried, float(np.abs(part * step).max())
            part *= _SHORTER
        return shared, poses, 0.0

    def _by_pose(self, shared: FloatArray, poses: FloatArray) -> FloatArray:
        """(N, M, 3, F) derivatives of the markers, all frames in one call of compiled code."""
        f = len(self.free)
        changes = _DIFFERENCE * np.concatenate([np.eye(f), -np.eye(f)])
        tried = (poses[:, None] + changes).reshape(-1, f)
        at = marker_positions(self.model_at(shared), self.coordinates(tried))
        pairs = at.reshape(len(poses), 2, f, *self.markers.shape[1:])
        slopes = (pairs[:, 0] - pairs[:, 1]) / (2.0 * _DIFFERENCE)
        return np.asarray(np.moveaxis(slopes, 1, -1))

    def _by_shared(self, shared: FloatArray, poses: FloatArray) -> FloatArray:
        """(N, M, 3, S) derivatives of the markers: they are linear in the factors of bodies."""
        frames, model = self.coordinates(poses), self.model_at(shared)
        transforms = body_transforms(model, frames)
        result = np.zeros((*self.markers.shape, self.n_shared))
        factors = self.body_factors(shared)
        fixed = scaled_kinematics(self.model, factors)
        at = marker_positions(fixed, frames)
        for g in range(self.n_groups):
            grown = scaled_kinematics(self.model, np.where(self.parts[g], 2.0, 1.0) * factors)
            result[..., g] = marker_positions(grown, frames) - at
        for place, marker in enumerate(self.loose):
            first = self.n_groups + 3 * place
            turned = transforms[:, model.marker_bodies[marker], :, :3]
            result[:, marker, :, first : first + 3] = turned
        return result
