"""Inverse kinematics: the joint coordinates that bring a model's markers to measured ones.

The objective is OpenSim's, normalisation included; the method is described in
:mod:`pipeline.kinematics.ik_kernels` and :mod:`pipeline.kinematics.ik_minimise`.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from pipeline.kinematics.forward import marker_positions
from pipeline.kinematics.functions import evaluate
from pipeline.kinematics.ik_options import IkOptions, IkResult
from pipeline.kinematics.ik_problem import Problem, linear_couplers, unwrapped
from pipeline.kinematics.model import FloatArray, IntArray, KinematicModel

# Frames that a thread solves before it reports; some tens of milliseconds.
_REPORT_EVERY = 100
# While a marker is dragged: median 0.05 mm, 99th percentile 1 mm from the exact minimum.
_LIVE_TOLERANCE = 1e-4
# Share of the prior's variance that the markers must take away for a coordinate to count as seen.
_SEEN_SHARE = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class IkPart:
    """Frames ``first`` to before ``stop`` are solved; later probes may still improve them.

    ``coordinates`` is (stop - first, Q), ``done`` the number of frames solved so far.
    """

    first: int
    stop: int
    coordinates: FloatArray
    done: int


def solve(
    model: KinematicModel,
    markers: FloatArray,
    options: IkOptions | None = None,
    start: FloatArray | None = None,
) -> IkResult:
    """Solve all frames.

    Parameters
    ----------
    markers
        (T, M, 3) positions of the model's markers in the model's axes, metres; NaN where
        missing.
    start
        (Q,) coordinates near those of the first frame that has markers; without it, several
        poses are tried.

    Raises
    ------
    KeyError
        For a marker or coordinate named in the options that the model does not have.
    ValueError
        For markers or weights of another shape, no usable marker, or a negative weight or SD.
    """
    steps = solve_steps(model, markers, options, start)
    while True:
        try:
            next(steps)
        except StopIteration as finished:
            result: IkResult = finished.value
            return result


def solve_steps(
    model: KinematicModel,
    markers: FloatArray,
    options: IkOptions | None = None,
    start: FloatArray | None = None,
) -> Generator[IkPart, None, IkResult]:
    """As :func:`solve`, reporting parts as they are solved; closing it ends the work."""
    options = options or IkOptions()
    problem = Problem(model, np.asarray(markers, dtype=np.float64), options)
    frames = len(problem.markers)
    threads = max(1, min(options.threads, frames // _REPORT_EVERY))
    edges = np.linspace(0, frames, threads + 1).astype(int)
    parts = [_part(problem, int(a), int(b), start if a == 0 else None) for a, b in pairwise(edges)]
    done = 0
    with ThreadPoolExecutor(threads) as pool:
        while True:
            rounds = [piece for piece in pool.map(lambda part: next(part, None), parts) if piece]
            if not rounds:
                break
            for first, stop in rounds:
                done += stop - first
                yield IkPart(first, stop, problem.coordinates(problem.unknowns[first:stop]), done)
        _join(problem, [int(edge) for edge in edges[1:-1]])
        sd = options.marker_sd
        pieces = pool.map(lambda ends: problem.variances(sd, *ends), pairwise(edges.tolist()))
        return _result(problem, markers, np.concatenate(list(pieces)))


def judged(
    model: KinematicModel, markers: FloatArray, options: IkOptions, coordinates: FloatArray
) -> IkResult:
    """What coordinates from elsewhere come to: their cost, marker errors and SDs.

    Parameters
    ----------
    markers : (T, M, 3) array
        As for :func:`solve`.
    coordinates : (T, Q) array
        Metres and radians; NaN where there are none.
    """
    problem = Problem(model, np.asarray(markers, dtype=np.float64), options)
    work = problem.workspace()
    own = coordinates[:, problem.tables.coordinates]
    problem.missing |= ~np.isfinite(own).all(axis=1)
    for frame in np.flatnonzero(~problem.missing):
        problem.weigh(int(frame), own[frame], work)
    return _result(problem, markers, problem.variances(options.marker_sd))


def _part(
    problem: Problem, first: int, stop: int, start: FloatArray | None
) -> Iterator[tuple[int, int]]:
    """Solve the frames from ``first`` to before ``stop``, in pieces."""
    work = problem.workspace()
    rng = np.random.default_rng([problem.options.seed, first])
    last = None if start is None else np.asarray(start, np.float64)[problem.tables.coordinates]
    every = problem.options.probe_every
    piece = every if every > 0 else _REPORT_EVERY
    reported = first
    for begin in range(first, stop, piece):
        order = np.arange(begin, min(begin + piece, stop))
        there = order[~problem.missing[order]]
        if there.size:
            if last is None:
                problem.cold(int(there[0]), work, rng)
                last = problem.unknowns[there[0]].copy()
            end = int(there[-1])
            if every > 0:
                problem.follow(there, last, first, work)
                if problem.probe(end, work, rng):
                    problem.carry(end, first, int(order[-1]) + 1, work)
            else:
                problem.track(there, last, work)
            last = problem.unknowns[end].copy()
        if order[-1] + 1 - reported >= _REPORT_EVERY or order[-1] + 1 == stop:
            yield reported, int(order[-1]) + 1
            reported = int(order[-1]) + 1


def _join(problem: Problem, seams: list[int]) -> None:
    """Carry the better of two minima over each seam between parts."""
    work = problem.workspace()
    there = np.flatnonzero(~problem.missing)
    for seam in seams:
        before, after = there[there < seam], there[there >= seam]
        if before.size and after.size:
            problem.improve(after, problem.unknowns[before[-1]].copy(), work)
            problem.improve(before[::-1].copy(), problem.unknowns[after[0]].copy(), work)


def _result(problem: Problem, markers: FloatArray, variances: FloatArray) -> IkResult:
    model = problem.model
    coordinates = unwrapped(model, problem.coordinates(problem.unknowns))
    reached = marker_positions(model, coordinates)
    sigma, seen = deviations(problem, coordinates, variances, problem.prior_sd)
    return IkResult(
        coordinates=coordinates,
        cost=problem.cost,
        marker_error=np.linalg.norm(reached - markers, axis=-1),
        sigma=sigma,
        seen=seen,
        iterations=problem.iterations,
    )


def deviations(
    problem: Problem, coordinates: FloatArray, variances: FloatArray, prior_sd: FloatArray
) -> tuple[FloatArray, NDArray[np.bool_]]:
    """(T, Q) SD of every coordinate from the variances (T, U) of the unknowns, and what is seen.

    Driven coordinates have their drivers'. ``prior_sd`` is (Q,), infinite without a prior.
    """
    model = problem.model
    sigma = np.tile(np.where(model.locked, 0.0, np.inf), (len(coordinates), 1))
    own = problem.tables.coordinates
    sigma[:, own] = np.sqrt(variances)
    reference = np.minimum(prior_sd, 1.0)
    seen = np.zeros(sigma.shape, dtype=np.bool_)
    seen[:, own] = variances < _SEEN_SHARE * reference[own] ** 2
    for c in np.flatnonzero(model.coupled_to >= 0):
        driver = int(model.coupled_to[c])
        _, rate = evaluate(model, int(model.coupler_function[c]), coordinates[:, driver])
        sigma[:, c] = np.where(np.isinf(sigma[:, driver]), np.inf, np.abs(rate)) * np.where(
            np.isinf(sigma[:, driver]), 1.0, sigma[:, driver]
        )
        seen[:, c] = seen[:, driver]
    sigma[problem.missing] = np.nan
    return sigma, seen


class LiveSolver:
    """One frame, again and again, as while a marker is dragged.

    Holds tables and buffers, so that a call from Python costs little beside the solution. Not
    for several threads at once. Without options it stops a little earlier than a full run,
    which halves the slowest calls.
    """

    def __init__(self, model: KinematicModel, options: IkOptions | None = None) -> None:
        options = options or IkOptions(tolerance=_LIVE_TOLERANCE)
        self._problem = Problem(model, np.full((1, model.n_markers, 3), np.nan), options)
        self._work = self._problem.workspace()
        self._order: IntArray = np.zeros(1, dtype=np.int64)
        self._rng = np.random.default_rng(options.seed)
        self._couplers = linear_couplers(model)
        self._weights = self._problem.weights[0].copy()

    @property
    def cost(self) -> float:
        """Cost of the last solution."""
        return float(self._problem.cost[0])

    def solve(
        self,
        markers: FloatArray,
        start: FloatArray | None = None,
        factors: FloatArray | None = None,
    ) -> FloatArray:
        """(Q,) coordinates for (M, 3) markers, from ``start`` (Q,) or from several poses.

        ``factors`` (M,) go on the markers' weights, for this call. All NaN where no marker of
        any weight is given.
        """
        problem = self._problem
        problem.markers[0] = markers[problem.tables.markers]
        problem.weights[0] = self._weights
        if factors is not None:
            problem.weights[0] *= factors[problem.tables.markers]
        if start is None:
            there = np.isfinite(problem.markers[0].sum(axis=1)) & (problem.weights[0] > 0.0)
            problem.missing[0] = not there.any()
            if problem.missing[0]:
                return np.full(problem.model.n_coordinates, np.nan)
            problem.cold(0, self._work, self._rng)
        else:
            problem.track(self._order, start[problem.tables.coordinates], self._work)
            if math.isnan(problem.cost[0]):  # no marker was there
                return np.full(problem.model.n_coordinates, np.nan)
        if self._couplers is None:
            return problem.coordinates(problem.unknowns[0])
        full = problem.model.default.copy()
        full[problem.tables.coordinates] = problem.unknowns[0]
        driven, drivers, slopes, offsets = self._couplers
        full[driven] = slopes * full[drivers] + offsets
        return full
