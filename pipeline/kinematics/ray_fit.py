"""The articulated body fitted to lines of sight of one view, from a network's guess of the depths.

Poses of all frames, sizes of segments and constant marker offsets are one problem, as in
:mod:`pipeline.kinematics.scale_refinement`. A point is held tightly across its line of sight. What
the guess says along it counts once for all that is wrong in the same way: its errors are taken for
correlated between points, and common to all of them where they move the whole body.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from pipeline.kinematics.forward import body_transforms, marker_positions
from pipeline.kinematics.ik_options import Prior
from pipeline.kinematics.model import (
    TRANSLATIONAL,
    FloatArray,
    KinematicModel,
    free_coordinates,
)
from pipeline.kinematics.scale_refinement import ScaleGroup, group_parts, scaled_kinematics
from pipeline.kinematics.steady_solve import (
    Expected,
    covariances,
    solve_frames,
    spread_weights,
)

# Degrees of freedom of Student's distribution: far points count little, near ones fully.
_STUDENT = 4.0
# Steps at most; part of the cost whose fall is not worth another.
_ROUNDS, _SETTLED = 20, 2e-4
_SHORTENINGS, _SHORTER = 6, 0.35
# Of differences, radians and metres: their error is far below that of the points.
_DIFFERENCE = 1e-6
# Coordinates that jump by more between frames are another way to say a pose, not a movement.
_BREAK = 1.0
# Hz up to which a coordinate uses its whole spread, and the spread of those without a prior.
_BAND, _TURN, _SHIFT = 0.6, 1.0, 0.5
# Weight of the mean where there is no prior: keeps what nothing is known of within some turns.
_NO_PRIOR = 1e-6
# Frames that share one covariance.
_TOGETHER = 4
# A point nearer to the camera than this has no line of sight, metres.
_NEAREST = 0.05


@dataclass(frozen=True, slots=True, eq=False)
class Sight:
    """What one view shows of M markers in T frames, and what is guessed of their depths.

    Attributes
    ----------
    directions : (T, M, 2) array
        x/z and y/z in the camera, without distortion; NaN where missing.
    direction_sd : (T, M) array
        Of either, without unit.
    guess : (T, M, 3) array
        Places in the camera's axes, metres from the camera; NaN in frames without any.
    guess_sd : (T, M) array
        Along each axis, metres.
    alike : (M, M) array
        Covariance of the guess's errors along the lines of sight, in units of their SDs.
    turn : (3, 3) array
        From the model's axes to the camera's.
    rate : float
        Frames per second.
    """

    directions: FloatArray
    direction_sd: FloatArray
    guess: FloatArray
    guess_sd: FloatArray
    alike: FloatArray
    turn: FloatArray
    rate: float


@dataclass(frozen=True, slots=True, eq=False)
class Offsets:
    """Ways in which markers may sit elsewhere than in the model, all through a recording.

    Attributes
    ----------
    ways : (W, M, 3) array
        Metres in the axes of the markers' bodies, per unit.
    sd : (W,) array
        Of each way.
    """

    ways: FloatArray
    sd: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class RayFit:
    """What the fit came to.

    Attributes
    ----------
    model
        With its sizes and markers.
    shared, shared_sd
        Logarithms of the groups' factors, then the offsets in their ways; and their SDs.
    coordinates, coordinate_sd
        (T, Q) metres and radians; SDs are 0 where locked or driven.
    points : (T, M, 3) array
        The markers in the camera's axes, metres from the camera.
    point_sd : (T, M) array
        Per axis, of places relative to the marker ``origin``.
    rounds
        Steps taken.
    """

    model: KinematicModel
    shared: FloatArray
    shared_sd: FloatArray
    coordinates: FloatArray
    coordinate_sd: FloatArray
    points: FloatArray
    point_sd: FloatArray
    rounds: int


def fit_rays(
    model: KinematicModel,
    sight: Sight,
    start: FloatArray,
    groups: tuple[ScaleGroup, ...],
    offsets: Offsets,
    priors: Mapping[str, Prior],
    origin: int = 0,
    tell: Callable[[float], None] | None = None,
) -> RayFit:
    """Most probable sizes, offsets and poses, by Gauss-Newton over all frames at once.

    Parameters
    ----------
    model : KinematicModel
        As large as the guess says.
    sight : Sight
        Of some hundred frames at most: all are one system of equations.
    start : (T, Q) array
        Coordinates of the guess.
    groups, offsets
        What stays the same in all frames; either may be empty.
    priors : mapping
        Mean and spread over time of coordinates, by name.
    origin : int
        Marker from which uncertainties of places are counted.
    tell : callable, optional
        Told after each step what share of the most steps was taken; what it raises ends the fit.

    Raises
    ------
    KeyError
        For a body that the model lacks.
    ValueError
        Where no frame has a guess, or ``start`` is not finite.
    """
    if not np.isfinite(start).all():
        raise ValueError("a frame has no start")
    problem = _Problem(model, sight, groups, offsets, priors, start)
    if not problem.there.any():
        raise ValueError("no frame has a guess")
    shared, poses = problem.mean.copy(), start[:, problem.free].copy()
    poses = np.clip(poses, problem.low, problem.high)
    now, rounds = problem.cost(shared, poses), 0
    while rounds < _ROUNDS:
        rounds += 1
        solved = problem.solved(shared, poses)
        part, before = 1.0, now
        for _ in range(_SHORTENINGS):
            tried = np.clip(poses + part * solved.turns, problem.low, problem.high)
            cost = problem.cost(shared + part * solved.step, tried)
            if cost < now:
                shared, poses, now = shared + part * solved.step, tried, cost
                break
            part *= _SHORTER
        if tell is not None:
            tell(rounds / _ROUNDS)
        if before - now < _SETTLED * before:
            break
    final = problem.model_at(shared)
    coordinate_sd, point_sd = problem.deviations(shared, poses, origin)
    return RayFit(
        model=final,
        shared=shared,
        shared_sd=np.sqrt(np.diag(solved.covariance)),
        coordinates=problem.coordinates(poses),
        coordinate_sd=coordinate_sd,
        points=problem.points(final, poses),
        point_sd=point_sd,
        rounds=rounds,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Solved:
    """A Gauss-Newton step: (S,), (T, U), covariance (S, S) of the shared values, what a shared
    value turns (T, U, S), and the frames' Hessians (T, U, U).
    """

    step: FloatArray
    turns: FloatArray
    covariance: FloatArray
    follows: FloatArray
    hessians: FloatArray


class _Problem:
    """The view, what is expected, and the normal equations at some values."""

    def __init__(
        self,
        model: KinematicModel,
        sight: Sight,
        groups: tuple[ScaleGroup, ...],
        offsets: Offsets,
        priors: Mapping[str, Prior],
        start: FloatArray,
    ) -> None:
        self.model, self.sight, self.offsets = model, sight, offsets
        self.parts = group_parts(model, groups)
        self.n_groups = len(groups)
        self.mean = np.array([g.mean for g in groups] + [0.0] * len(offsets.sd))
        self.sd = np.concatenate([[g.sd for g in groups], offsets.sd])
        self.seen = np.asarray(np.isfinite(sight.directions).all(axis=-1))
        self.there = np.asarray(np.isfinite(sight.guess).all(axis=(1, 2)))
        self.seen &= self.there[:, None]
        self.root = np.linalg.inv(np.linalg.cholesky(sight.alike))
        self.free = np.flatnonzero(free_coordinates(model))
        clamped = model.clamped[self.free]
        self.low = np.where(clamped, model.lower[self.free], -np.inf)
        self.high = np.where(clamped, model.upper[self.free], np.inf)
        names = [model.coordinate_names[c] for c in self.free]
        moves = model.motion[self.free] == TRANSLATIONAL
        usual = np.where(moves, _SHIFT, _TURN)
        told = np.array([name in priors for name in names])
        spread = np.array(
            [priors[n].sd if n in priors else u for n, u in zip(names, usual, strict=True)]
        )
        mean = np.array([priors[n].mean if n in priors else 0.0 for n in names])
        stiff, rough = spread_weights(spread, _BAND, sight.rate)
        frames = len(start)
        # A recording shorter than one movement counts a prior once.
        stiff = np.where(told, np.maximum(stiff, spread**-2.0 / frames), _NO_PRIOR)
        joined = np.zeros((max(frames - 3, 0), len(names)))
        if frames > 3:
            jumps = np.abs(np.diff(start[:, self.free], axis=0)) > _BREAK
            joined = np.asarray(~(jumps[:-2] | jumps[1:-1] | jumps[2:]), np.float64)
        self.expected = Expected(mean, stiff, rough, joined, np.zeros(len(names)))

    def model_at(self, shared: FloatArray) -> KinematicModel:
        logarithms = np.einsum("g,gbi->bi", shared[: self.n_groups], self.parts)
        scaled = scaled_kinematics(self.model, np.exp(logarithms))
        moved = np.einsum("w,wmi->mi", shared[self.n_groups :], self.offsets.ways)
        return replace(scaled, marker_locations=scaled.marker_locations + moved)

    def coordinates(self, poses: FloatArray) -> FloatArray:
        full = np.tile(self.model.default, (len(poses), 1))
        full[:, self.free] = poses
        return full

    def points(self, model: KinematicModel, poses: FloatArray) -> FloatArray:
        """(T, M, 3) in the camera's axes."""
        return np.asarray(
            marker_positions(model, self.coordinates(poses)) @ self.sight.turn.T, np.float64
        )

    def residuals(self, points: FloatArray) -> tuple[FloatArray, FloatArray]:
        """(T, M, 2) across and (T, M) along the lines of sight, in SDs; 0 where nothing is."""
        s = self.sight
        depth = np.maximum(points[..., 2:], _NEAREST)
        straight = (points[..., :2] / depth - s.directions) / s.direction_sd[..., None]
        guessed = (points[..., :2] - s.guess[..., :2]) / s.guess_sd[..., None]
        across = np.where(self.seen[..., None], straight, guessed)
        along = ((points[..., 2] - s.guess[..., 2]) / s.guess_sd) @ self.root.T
        there = self.there[:, None]
        return np.where(there[..., None], across, 0.0), np.where(there, along, 0.0)

    def slopes(self, points: FloatArray, moved: FloatArray) -> tuple[FloatArray, FloatArray]:
        """(T, M, 2, N) and (T, M, N) derivatives of the residuals for (T, M, 3, N) of points."""
        s = self.sight
        depth = np.maximum(points[..., 2], _NEAREST)
        seen = 1.0 / (depth * s.direction_sd)
        per = np.where(self.seen, seen, 1.0 / s.guess_sd)
        lean = np.where(self.seen[..., None], points[..., :2] / depth[..., None], 0.0)
        per = np.where(self.there[:, None], per, 0.0)
        across = (moved[..., :2, :] - lean[..., None] * moved[..., 2:, :]) * per[..., None, None]
        along = moved[..., 2, :] / np.where(self.there[:, None], s.guess_sd, np.inf)[..., None]
        return across, np.matmul(self.root, along)

    def cost(self, shared: FloatArray, poses: FloatArray) -> float:
        across, along = self.residuals(self.points(self.model_at(shared), poses))
        squared = (across**2).sum(axis=-1)
        far = 0.5 * (_STUDENT + 2.0) * np.log1p(squared / _STUDENT).sum()
        told = (((shared - self.mean) / self.sd) ** 2).sum()
        return float(far + 0.5 * ((along**2).sum() + told)) + self.expected.cost(poses)

    def moved_by_pose(self, model: KinematicModel, poses: FloatArray) -> FloatArray:
        f = len(self.free)
        tried = np.concatenate([poses[:, None] + _DIFFERENCE * np.eye(f), poses[:, None]], axis=1)
        at = self.points(model, tried.reshape(-1, f)).reshape(len(poses), f + 1, -1, 3)
        return np.asarray(np.moveaxis((at[:, :-1] - at[:, -1:]) / _DIFFERENCE, 1, -1))

    def moved_by_shared(self, shared: FloatArray, poses: FloatArray) -> FloatArray:
        frames, turn = self.coordinates(poses), self.sight.turn
        model = self.model_at(shared)
        logarithms = np.einsum("g,gbi->bi", shared[: self.n_groups], self.parts)
        factors = np.exp(logarithms)
        fixed = scaled_kinematics(self.model, factors)
        at = marker_positions(fixed, frames)
        found = np.zeros((*at.shape, len(shared)))
        for g in range(self.n_groups):
            grown = scaled_kinematics(self.model, np.where(self.parts[g], 2.0, 1.0) * factors)
            found[..., g] = (marker_positions(grown, frames) - at) @ turn.T
        transforms = turn @ body_transforms(model, frames)[:, model.marker_bodies, :, :3]
        ways = np.moveaxis(self.offsets.ways, 0, -1)
        found[..., self.n_groups :] = np.matmul(transforms, ways)
        return found

    def equations(
        self, shared: FloatArray, poses: FloatArray
    ) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray, FloatArray]:
        """Hessians (T, U, U), cross (T, U, S), (S, S), and slopes (T, U), (S,)."""
        model = self.model_at(shared)
        points = self.points(model, poses)
        across, along = self.residuals(points)
        weight = np.sqrt((_STUDENT + 2.0) / (_STUDENT + (across**2).sum(axis=-1)))
        t = len(poses)

        def flat(moved: FloatArray) -> FloatArray:
            a, b = self.slopes(points, moved)
            a = a * weight[..., None, None]
            return np.concatenate([a.reshape(t, 2 * points.shape[1], a.shape[-1]), b], axis=1)

        j, a = flat(self.moved_by_pose(model, poses)), flat(self.moved_by_shared(shared, poses))
        r = np.concatenate([(across * weight[..., None]).reshape(t, -1), along], axis=1)
        back = np.swapaxes(j, 1, 2)
        flat_a = a.reshape(t * a.shape[1], len(shared))
        return (
            back @ j,
            back @ a,
            flat_a.T @ flat_a + np.diag(self.sd**-2.0),
            np.matmul(back, r[..., None])[..., 0] + self.expected.slope(poses),
            flat_a.T @ r.ravel() + (shared - self.mean) / self.sd**2,
        )

    def solved(self, shared: FloatArray, poses: FloatArray) -> _Solved:
        hessians, cross, inner, slope, shared_slope = self.equations(shared, poses)
        right = np.concatenate([cross, slope[..., None]], axis=-1)
        found = solve_frames(hessians, right, self.expected)
        n = len(shared)
        both = np.tensordot(cross, found, axes=((0, 1), (0, 1)))
        covariance = np.asarray(np.linalg.inv(inner - both[:, :n]), np.float64)
        step = -covariance @ (shared_slope - both[:, n])
        turns = -found[..., n] - found[..., :n] @ step
        return _Solved(step, turns, covariance, -found[..., :n], hessians)

    def deviations(
        self, shared: FloatArray, poses: FloatArray, origin: int
    ) -> tuple[FloatArray, FloatArray]:
        """(T, Q) SDs of coordinates and (T, M) of places relative to ``origin``, per axis."""
        solved, model = self.solved(shared, poses), self.model_at(shared)
        root = np.linalg.cholesky(solved.covariance) if len(shared) else solved.covariance
        by_pose, by_shared = self.moved_by_pose(model, poses), self.moved_by_shared(shared, poses)
        sd = np.zeros((len(poses), self.model.n_coordinates))
        places = np.zeros(by_pose.shape[:2])
        for first in range(0, len(poses), _TOGETHER):
            part = slice(first, first + _TOGETHER)
            own = covariances(solved.hessians[part].mean(axis=0), self.expected)
            turned = solved.follows[part] @ root
            sd[part, self.free] = np.sqrt(np.diag(own) + (turned**2).sum(axis=-1))
            slope = by_pose[part] - by_pose[part, origin][:, None]
            size = by_shared[part] - by_shared[part, origin][:, None]
            held = slope @ np.linalg.cholesky(own)
            sized = size @ root + np.matmul(slope, turned[:, None])
            total = (held**2).sum(axis=(-2, -1)) + (sized**2).sum(axis=(-2, -1))
            places[part] = np.sqrt(total / 3.0)
        return sd, places
