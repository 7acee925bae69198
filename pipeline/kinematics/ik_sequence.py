"""Inverse kinematics over frames, compiled: one entry, so that the solver is compiled once."""

from __future__ import annotations

import math
from typing import Any

from pipeline.kinematics.compiled import entry, inner
from pipeline.kinematics.ik_kernels import assemble, cost_at, set_frame
from pipeline.kinematics.ik_layout import (
    BEST,
    FIXED,
    HELD,
    HESSIAN,
    IS_ROOT,
    N_UNKNOWNS,
    TRIAL,
    TURNS,
    UNKNOWN_SIZE,
    UNKNOWNS,
    X,
)
from pipeline.kinematics.ik_minimise import factorise, inverse_diagonal, minimise

# What `run` does with the frames: solve them, solve them while that lowers their cost, the same
# with nothing but the root moving, or put the variances of the unknowns in the unknowns' place.
TRACK, IMPROVE, PLACE_ROOT, DEVIATIONS = 0, 1, 2, 3
# A cost lower by this part is another, better minimum and not the last step of the same one.
BETTER = 1e-3


@entry
def run(
    task: int,
    ints: Any,
    floats: Any,
    work: Any,
    markers: Any,
    weights: Any,
    omegas: Any,
    targets: Any,
    order: Any,
    starts: Any,
    xs: Any,
    costs: Any,
    counts: Any,
    tolerance: float,
    iterations: int,
    newton: bool,
) -> int:
    """Work on the frames ``order``, each from the one before it; how many were written.

    Parameters
    ----------
    task
        ``TRACK``, ``IMPROVE``, ``PLACE_ROOT`` or ``DEVIATIONS``.
    ints, floats, work
        Tables and workspace.
    markers, weights
        (T, M, 3) metres, NaN where missing, and (T or 1, M).
    omegas, targets
        (C,) weights and (T or 1, C) targets of the coordinate tasks; of a prior the weight is
        in terms of the sum of marker weights.
    starts
        (P, U) starts of the first frame of ``order``, the best result counts.
    xs, costs, counts
        (T, U), (T,) and (T,) results; frames without any marker become NaN. For ``DEVIATIONS``
        ``costs`` holds the variance of a marker of weight one.
    newton
        Second derivatives from the first step on: right for a start near the minimum.
    """
    n, x, best, written = ints[N_UNKNOWNS], ints[X], ints[BEST], 0
    for u in range(n):
        rooted = floats[ints[UNKNOWNS] + UNKNOWN_SIZE * u + IS_ROOT] > 0.0
        work[ints[HELD] + u] = 1.0 if task == PLACE_ROOT and not rooted else 0.0
    last, before = -1, -1
    for t in order:
        total = set_frame(ints, floats, work, markers, weights, omegas, targets, t)
        if task == DEVIATIONS:
            _variances(ints, floats, work, xs, t, total, costs[t])
            continue
        if total <= 0.0:
            costs[t], counts[t] = math.nan, 0
            for u in range(n):
                xs[t, u] = math.nan
            continue
        least, taken = math.inf, 0
        target = (1.0 - BETTER) * costs[t] if task == IMPROVE else math.inf
        for start in range(starts.shape[0] if last < 0 else 1):
            for u in range(n):
                work[x + u] = starts[start, u] if last < 0 else xs[last, u]
            if before >= 0 and task == TRACK and before + t == 2 * last:
                _extrapolate(ints, floats, work, xs, last, before)
            cost, steps = minimise(ints, floats, work, x, tolerance, iterations, newton, target)
            taken += steps
            if cost < least:
                least = cost
                for u in range(n):
                    work[best + u] = work[x + u]
        counts[t] += taken
        if task == IMPROVE and not least < target:
            break
        costs[t] = least
        for u in range(n):
            xs[t, u] = work[best + u]
        written += 1
        before, last = last, t
    return written


@inner
def _extrapolate(ints: Any, floats: Any, work: Any, xs: Any, last: int, before: int) -> None:
    """Go on as between the last two frames, where that is the better start."""
    x, trial = ints[X], ints[TRIAL]
    cost = cost_at(ints, floats, work, x, 0)
    for u in range(ints[N_UNKNOWNS]):
        work[trial + u] = 2.0 * xs[last, u] - xs[before, u]
    if cost_at(ints, floats, work, trial, 0) < cost:
        for u in range(ints[N_UNKNOWNS]):
            work[x + u] = work[trial + u]


@inner
def _variances(
    ints: Any, floats: Any, work: Any, xs: Any, t: int, total: float, variance: float
) -> None:
    """Diagonal of the inverse Gauss-Newton Hessian, for a marker ``variance`` at weight one."""
    n, x = ints[N_UNKNOWNS], ints[X]
    finite = total > 0.0
    for u in range(n):
        work[x + u] = xs[t, u]
        work[ints[FIXED] + u] = 0.0
        finite = finite and math.isfinite(xs[t, u])
        xs[t, u] = math.nan
    if not finite:
        return
    cost_at(ints, floats, work, x, 0)
    assemble(ints, floats, work, x, 0, False)
    for u in range(n):
        # Far weaker than any prior: a turn, ten metres. Without it flat directions are singular.
        spread = math.pi if floats[ints[UNKNOWNS] + UNKNOWN_SIZE * u + TURNS] > 0.0 else 10.0
        work[ints[HESSIAN] + n * u + u] += variance / (total * spread * spread)
    if not factorise(ints, work, 0.0):
        return
    for u in range(n):
        xs[t, u] = inverse_diagonal(ints, work, u) * variance / total
