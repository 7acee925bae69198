"""Inverse kinematics of one model, one set of weights and some frames, ready for the kernels."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from pipeline.kinematics import ik_layout as layout
from pipeline.kinematics.functions import consistent
from pipeline.kinematics.ik_options import IkOptions
from pipeline.kinematics.ik_sequence import (
    BETTER,
    DEVIATIONS,
    FOLLOW,
    IMPROVE,
    PLACE_ROOT,
    TRACK,
    run,
)
from pipeline.kinematics.ik_tables import build_tables, turning
from pipeline.kinematics.model import (
    LINEAR,
    FloatArray,
    IntArray,
    KinematicModel,
    coordinate_index,
    free_coordinates,
    marker_index,
)

# The root is placed coarsely, from quarter turns about each of its axes.
_ROOT_TOLERANCE, _ROOT_ITERATIONS, _QUARTERS = 1e-4, 30, 4
# Costs of the coarsely placed root that differ by less are the same, by part.
_SAME_ROOT = 0.02
# Costs (m^2) that differ by less are the same: a micrometre per marker.
_SAME_COST = 1e-12
# A larger change between frames is another way to say a pose, not a movement.
_BREAK = 1.0
# A probe that has not come down in so many steps is given up.
_PROBE_ITERATIONS = 40


class Problem:
    """Tables, markers and results of T frames; each thread brings its own workspace.

    Parameters
    ----------
    markers
        (T, M, 3) positions of the model's markers, metres, NaN where missing.

    Raises
    ------
    KeyError
        For a marker, task or prior that the model does not have.
    ValueError
        For markers or weights of another shape, no marker of any weight, or a negative weight
        or SD.
    """

    def __init__(self, model: KinematicModel, markers: FloatArray, options: IkOptions) -> None:
        if markers.ndim != 3 or markers.shape[1:] != (model.n_markers, 3):
            raise ValueError(f"markers of shape {markers.shape} for {model.n_markers} markers")
        self.model, self.options = model, options
        weights = _marker_weights(model, options, len(markers))
        used = (weights > 0.0).any(axis=0) & (model.marker_bodies >= 0)
        if not used.any():
            raise ValueError("the model has no marker of any weight")
        tasks, self.omegas, self.targets, self.prior_sd = _tasks(model, options, len(markers))
        self.tables = build_tables(model, used, tasks)
        self.weights = np.ascontiguousarray(weights[:, used])
        self.markers = np.ascontiguousarray(markers[:, used], dtype=np.float64)
        self.markers[~np.isfinite(self.markers)] = np.nan
        there = np.isfinite(self.markers.sum(axis=2)) & (self.weights > 0.0)
        self.missing = ~there.any(axis=1)
        frames, n = len(markers), len(self.tables.coordinates)
        self.unknowns = np.full((frames, n), np.nan)
        self.cost = np.full(frames, np.nan)
        self.iterations = np.zeros(frames, dtype=np.int64)
        rows = self.tables.floats[self.tables.ints[layout.UNKNOWNS] :]
        self.rows = rows[: n * layout.UNKNOWN_SIZE].reshape(n, layout.UNKNOWN_SIZE)
        self._limbs = _limbs(self.tables.ints, n)
        own = self.tables.coordinates
        self._turning = turning(model)[own]
        self._middle = 0.5 * (model.lower + model.upper)[own]
        self._reach = 0.5 * (model.upper - model.lower)[own]

    def workspace(self) -> FloatArray:
        return np.zeros(self.tables.work_size)

    def track(self, order: IntArray, start: FloatArray, work: FloatArray) -> None:
        """Solve the frames ``order``, the first from ``start`` (U,)."""
        self._run(TRACK, work, order, start[None], self.options.iterations, True)

    def follow(self, order: IntArray, start: FloatArray, lowest: int, work: FloatArray) -> None:
        """As :meth:`track`, looking beyond bounds; better minima are carried back to ``lowest``."""
        self._run(FOLLOW, work, order, start[None], self.options.iterations, True, lowest=lowest)

    def improve(self, order: IntArray, start: FloatArray, work: FloatArray) -> int:
        """Solve the frames ``order`` from ``start`` on as long as that is better; how many."""
        return self._run(IMPROVE, work, order, start[None], self.options.iterations, True)

    def weigh(self, frame: int, unknowns: FloatArray, work: FloatArray) -> None:
        """Take ``unknowns`` (U,) for the solution of ``frame``, and note its cost."""
        self._run(TRACK, work, np.array([frame]), unknowns[None], 0, True)
        self.unknowns[frame] = unknowns

    def cold(self, frame: int, work: FloatArray, rng: np.random.Generator) -> None:
        """Solve ``frame`` without a start: first where the body stands, then from many poses."""
        default = self.rows[:, layout.DEFAULT].copy()
        root = self.rows[:, layout.IS_ROOT] > 0.0
        if root.any():
            turned = [default]
            for u in np.flatnonzero(root & (self.rows[:, layout.TURNS] > 0.0)):
                for quarter in range(1, _QUARTERS):
                    turned.append(default.copy())
                    turned[-1][u] += 2.0 * math.pi * quarter / _QUARTERS
            self._best(frame, np.array(turned), work, root)
            default = self.unknowns[frame].copy()
        starts = self._random(rng, 1 + self.options.starts)
        starts[:, root] = default[root]
        starts[0] = default
        self._best(frame, starts, work, None)

    def _best(
        self, frame: int, starts: FloatArray, work: FloatArray, root: NDArray[np.bool_] | None
    ) -> None:
        """Keep the best of the minima from ``starts``; only the ``root`` moves, if given."""
        order = np.array([frame])
        found = []
        for start in starts:
            if root is None:
                self._run(TRACK, work, order, start[None], self.options.iterations, False)
            else:
                self._run(
                    PLACE_ROOT, work, order, start[None], _ROOT_ITERATIONS, False, _ROOT_TOLERANCE
                )
            x = self.unknowns[frame].copy()
            turns = np.round((x - self._middle) / (2.0 * math.pi)) * self._turning
            found.append((float(self.cost[frame]), x - 2.0 * math.pi * turns))
        # Angles about three axes say each pose in two ways: that within the ranges is meant.
        same = _SAME_ROOT if root is not None else BETTER
        least = min(cost for cost, _ in found) * (1.0 + same) + _SAME_COST
        rows = [(self._outside(x), cost, x) for cost, x in found if cost <= least]
        _, self.cost[frame], self.unknowns[frame] = min(rows, key=lambda row: row[:2])

    def probe(self, frame: int, work: FloatArray, rng: np.random.Generator) -> bool:
        """Look for a better minimum with one limb turned at random; True if there is one."""
        if self.options.starts <= 0 or self.missing[frame]:
            return False
        starts = np.repeat(self.unknowns[frame][None], self.options.starts, axis=0)
        movable = np.flatnonzero(self.rows[:, layout.IS_ROOT] == 0.0)
        if not movable.size:
            return False
        chosen = self._limbs[rng.choice(movable, len(starts))]
        chosen &= self.rows[:, layout.IS_ROOT] == 0.0
        starts[chosen] = self._random(rng, len(starts))[chosen]
        found = self._run(IMPROVE, work, np.array([frame]), starts, _PROBE_ITERATIONS, False)
        return found > 0

    def carry(self, frame: int, first: int, stop: int, work: FloatArray) -> None:
        """Start the neighbours of ``frame`` from it, both ways, as long as that is better."""
        for order in (np.arange(frame + 1, stop), np.arange(frame - 1, first - 1, -1)):
            there = order[~self.missing[order]]
            if there.size:
                self.improve(there, self.unknowns[frame].copy(), work)

    def variances(self, marker_sd: float, first: int = 0, stop: int | None = None) -> FloatArray:
        """(stop - first, U) variances of the unknowns at the solution."""
        found = self.unknowns.copy()
        order = np.arange(first, len(found) if stop is None else stop)
        run(
            DEVIATIONS, self.tables.ints, self.tables.floats, self.workspace(), self.markers,
            self.weights, self.omegas, self.targets, order, found[:1].copy(), found,
            np.full(len(found), marker_sd**2), np.zeros(len(found), dtype=np.int64), 0.0, 0, False,
            0,
        )  # fmt: skip
        return found[order]

    def coordinates(self, unknowns: FloatArray) -> FloatArray:
        """(..., Q) all coordinates from (..., U) unknowns; NaN where these are."""
        full = np.empty((*unknowns.shape[:-1], self.model.n_coordinates))
        full[...] = self.model.default
        full[..., self.tables.coordinates] = unknowns
        full = consistent(self.model, full)
        full[np.isnan(unknowns).any(axis=-1)] = np.nan
        return full

    def _outside(self, unknowns: FloatArray) -> float:
        """How far the unknowns leave their ranges, all together."""
        return float(np.maximum(np.abs(unknowns - self._middle) - self._reach, 0.0).sum())

    def _random(self, rng: np.random.Generator, count: int) -> FloatArray:
        low, high = self.rows[:, layout.START_FROM], self.rows[:, layout.START_TO]
        return low + rng.random((count, len(low))) * (high - low)

    def _run(
        self,
        task: int,
        work: FloatArray,
        order: IntArray,
        starts: FloatArray,
        iterations: int,
        newton: bool,
        tolerance: float | None = None,
        lowest: int = 0,
    ) -> int:
        return int(
            run(
                task, self.tables.ints, self.tables.floats, work, self.markers, self.weights,
                self.omegas, self.targets, order, starts, self.unknowns, self.cost,
                self.iterations, self.options.tolerance if tolerance is None else tolerance,
                iterations, newton, lowest,
            )
        )  # fmt: skip


def _marker_weights(model: KinematicModel, options: IkOptions, frames: int) -> FloatArray:
    """(T or 1, M) weights."""
    weights = np.full((1, model.n_markers), float(options.default_weight))
    for name, weight in options.marker_weights.items():
        weights[0, marker_index(model, name)] = weight
    if options.marker_weights_at is not None:
        factors = np.asarray(options.marker_weights_at, dtype=np.float64)
        if factors.shape != (frames, model.n_markers):
            raise ValueError(
                f"marker weights of shape {factors.shape} for {frames} frames and "
                f"{model.n_markers} markers"
            )
        weights = weights * factors
    if np.any(weights < 0.0) or not np.all(np.isfinite(weights)):
        raise ValueError("a marker weight is negative or no number")
    return weights


def _tasks(
    model: KinematicModel, options: IkOptions, frames: int
) -> tuple[list[tuple[int, bool]], FloatArray, FloatArray, FloatArray]:
    """(coordinate, is a prior) of each task, weights, (T or 1, C) targets, (Q,) SDs of priors."""
    free = free_coordinates(model)
    prior_sd = np.full(model.n_coordinates, np.inf)
    tasks: list[tuple[int, bool]] = []
    omegas: list[float] = []
    targets: list[FloatArray] = []
    for name, weight in options.coordinate_weights.items():
        c = coordinate_index(model, name)
        if weight > 0.0 and free[model.coupled_to[c] if model.coupled_to[c] >= 0 else c]:
            tasks.append((c, False))
            omegas.append(float(weight))
            target = options.coordinate_targets.get(name, float(model.default[c]))
            targets.append(np.asarray(target, dtype=np.float64))
    for name, prior in options.priors.items():
        c = coordinate_index(model, name)
        if not prior.sd > 0.0:
            raise ValueError(f"the prior of {name} has an SD of {prior.sd}")
        if free[model.coupled_to[c] if model.coupled_to[c] >= 0 else c]:
            tasks.append((c, True))
            omegas.append((options.marker_sd / prior.sd) ** 2)
            targets.append(np.asarray(prior.mean, dtype=np.float64))
            prior_sd[c] = prior.sd
    rows = 1 if all(target.ndim == 0 for target in targets) else frames
    table = np.empty((rows, len(targets)))
    for column, target in enumerate(targets):
        table[:, column] = target
    return tasks, np.array(omegas, dtype=np.float64), table, prior_sd


def _limbs(ints: IntArray, n: int) -> NDArray[np.bool_]:
    """(U, U) unknowns (columns) that each unknown (row) carries, itself included."""
    carried = np.eye(n, dtype=np.bool_)
    starts, rows = ints[layout.FILL_STARTS], ints[layout.FILL_ROWS]
    for u in range(n):
        # An unknown has those that carry it among the rows of its column of the factor.
        carried[ints[rows + ints[starts + u] : rows + ints[starts + u + 1]], u] = True
    return carried


def unwrapped(model: KinematicModel, coordinates: FloatArray) -> FloatArray:
    """Coordinates (T, Q) without jumps of full turns, gaps bridged.

    The middle of each stretch without a jump lies within half a turn of that of the range.
    """
    result = coordinates.copy()
    there = np.flatnonzero(np.isfinite(result).all(axis=1))
    if there.size:
        turns = np.flatnonzero(turning(model))
        part = np.unwrap(result[np.ix_(there, turns)], axis=0)
        middle = 0.5 * (model.lower + model.upper)[turns]
        for column in range(len(turns)):
            breaks = np.flatnonzero(np.abs(np.diff(part[:, column])) > _BREAK) + 1
            for piece in np.split(np.arange(len(part)), breaks):
                off = np.median(part[piece, column]) - middle[column]
                part[piece, column] -= 2.0 * math.pi * np.round(off / (2.0 * math.pi))
        result[np.ix_(there, turns)] = part
    return result


def linear_couplers(
    model: KinematicModel,
) -> tuple[IntArray, IntArray, FloatArray, FloatArray] | None:
    """Driven coordinates, their drivers, slopes and offsets; None where one is no line."""
    driven = np.flatnonzero(model.coupled_to >= 0)
    functions = model.coupler_function[driven]
    if np.any(model.function_kind[functions] != LINEAR):
        return None
    slopes, offsets = np.ascontiguousarray(model.function_terms[functions].T)
    return driven, model.coupled_to[driven], slopes, offsets
