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
    LEAP,
    LOWER,
    N_UNKNOWNS,
    RIVAL,
    START_FROM,
    START_TO,
    TRYING,
    TURNS,
    UNKNOWN_SIZE,
    UNKNOWNS,
    UPPER,
    X,
)
from pipeline.kinematics.ik_minimise import factorise, inverse_diagonal, minimise

# What `run` does with the frames: solve them; solve them and look beyond bounds that they come to;
# solve them while that lowers their cost; solve with nothing but the root moving; or put the
# variances of the unknowns in the unknowns' place.
TRACK, FOLLOW, IMPROVE, PLACE_ROOT, DEVIATIONS = 0, 1, 2, 3, 4
# A cost lower by this part is another, better minimum and not the last step of the same one.
BETTER = 1e-3
# An unknown so near to its bound is at it. All that are there are asked, in every frame: asked in
# every fifth only, one frame in a hundred stays in a minimum that OpenSim's tool finds its way out
# of, with a cost up to 39 % higher (benchmarks/ik.py).
_AT_BOUND = 1e-9


@entry
def run(  # noqa: PLR0912, PLR0915
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
    lowest: int,
) -> int:
    """Work on the frames ``order``, each from the one before it; how many were written.

    Parameters
    ----------
    task
        ``TRACK``, ``FOLLOW``, ``IMPROVE``, ``PLACE_ROOT`` or ``DEVIATIONS``.
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
        Second derivatives from the first step on: right for a start near the minimum. For
        ``DEVIATIONS`` whether they go into the Hessian.
    lowest
        A better minimum that ``FOLLOW`` finds beyond a bound is carried back, as long as it is
        better, to this frame at most; the frames between are solved already. A limb that is
        turned the wrong way mostly shows so.
    """
    n, x, best, trying = ints[N_UNKNOWNS], ints[X], ints[BEST], ints[TRYING]
    if task == DEVIATIONS:
        for t in order:
            total = set_frame(ints, floats, work, markers, weights, omegas, targets, t)
            _variances(ints, floats, work, xs, t, total, costs[t], newton)
        return 0
    for u in range(n):
        rooted = floats[ints[UNKNOWNS] + UNKNOWN_SIZE * u + IS_ROOT] > 0.0
        work[ints[HELD] + u] = 1.0 if task == PLACE_ROOT and not rooted else 0.0
        work[trying + u] = 0.0
    place, start, written, last, before, least, taken = 0, 0, 0, -1, -1, math.inf, 0
    # Which unknown is asked beyond its bound, or -1; the frame it is carried to, and from where.
    turned, back, came = -1, -1, -1
    # The frame after one that was left for the better is tried from what it left, too.
    rival, left = ints[RIVAL], -1
    # One loop with one call of each part: numba compiles a copy of it into every call.
    while place < order.shape[0]:
        forward, leap = turned < 0, False
        t = back if back >= 0 else order[place]
        if set_frame(ints, floats, work, markers, weights, omegas, targets, t) <= 0.0:
            costs[t], counts[t], place = math.nan, 0, place + 1
            for u in range(n):
                xs[t, u] = math.nan
            continue
        source = last if forward else (came if back >= 0 else t)
        for u in range(n):
            work[x + u] = starts[start, u] if source < 0 else xs[source, u]
        again = forward and last >= 0 and start > 0
        if again:
            for u in range(n):
                work[x + u] = work[rival + u]
        elif not forward and back < 0:
            row = ints[UNKNOWNS] + UNKNOWN_SIZE * turned
            low = xs[t, turned] <= floats[row + LOWER] + _AT_BOUND
            work[x + turned] = floats[row + (START_TO if low else START_FROM)]
        elif task != IMPROVE and forward and before >= 0 and before + t == 2 * last:
            leap = True
            for u in range(n):
                work[ints[LEAP] + u] = xs[last, u] - xs[before, u]
        target = math.inf if forward and task != IMPROVE else (1.0 - BETTER) * costs[t]
        cost, steps = minimise(
            ints, floats, work, x, tolerance, iterations, newton and (forward or back >= 0), leap,
            target,
        )  # fmt: skip
        if forward:
            taken += steps
            if cost < least:
                least = cost
                for u in range(n):
                    work[best + u] = work[x + u]
            start += 1
            if start < (starts.shape[0] if source < 0 else (2 if left == source else 1)):
                continue
            start = 0
            counts[t] += taken
            if task == IMPROVE and not least < target:
                break
            costs[t] = least
            for u in range(n):
                xs[t, u] = work[best + u]
            written, before, last, least, taken = written + 1, last, t, math.inf, 0
            if task == FOLLOW:
                _mark_bounds(ints, floats, work, xs, t)
        else:
            counts[t] += steps
            if cost < target:
                costs[t] = cost
                if back < 0:
                    left = t
                for u in range(n):
                    if back < 0:
                        work[rival + u] = xs[t, u]
                    xs[t, u] = work[x + u]
                came, back = t, t - 1
            else:
                back = -1
            while back >= lowest and not math.isfinite(costs[back]):
                back -= 1
            if back >= lowest:
                continue
        back = -1
        turned = _next_marked(ints, floats, work, xs, order[place], turned)
        if turned < 0:
            place += 1
    return written


@inner
def _mark_bounds(ints: Any, floats: Any, work: Any, xs: Any, t: int) -> None:
    """Mark the unknowns to be asked beyond their bounds."""
    trying = ints[TRYING]
    for u in range(ints[N_UNKNOWNS]):
        row, here = ints[UNKNOWNS] + UNKNOWN_SIZE * u, xs[t, u]
        at = here <= floats[row + LOWER] + _AT_BOUND or here >= floats[row + UPPER] - _AT_BOUND
        work[trying + u] = 1.0 if at else 0.0


@inner
def _next_marked(ints: Any, floats: Any, work: Any, xs: Any, t: int, after: int) -> int:
    """The next unknown behind ``after`` that is marked and still at a bound, or -1."""
    for u in range(after + 1, ints[N_UNKNOWNS]):
        if work[ints[TRYING] + u] > 0.0:
            row, here = ints[UNKNOWNS] + UNKNOWN_SIZE * u, xs[t, u]
            if here <= floats[row + LOWER] + _AT_BOUND or here >= floats[row + UPPER] - _AT_BOUND:
                return u
    return -1


@inner
def _variances(
    ints: Any,
    floats: Any,
    work: Any,
    xs: Any,
    t: int,
    total: float,
    variance: float,
    exact: bool,
) -> None:
    """Diagonal of the inverse Hessian, for a marker ``variance`` at weight one."""
    n, x = ints[N_UNKNOWNS], ints[X]
    finite = total > 0.0
    for u in range(n):
        work[x + u] = xs[t, u]
        work[ints[FIXED] + u] = 0.0
        finite = finite and math.isfinite(xs[t, u])
        xs[t, u] = math.nan
    if not finite:
        return
    # Buffers 0: a constant instead would have numba compile both kernels for it once more.
    side = min(t, 0)
    cost_at(ints, floats, work, x, side)
    assemble(ints, floats, work, x, side, exact)
    for u in range(n):
        # Far weaker than any prior: a turn, ten metres. Without it flat directions are singular.
        spread = math.pi if floats[ints[UNKNOWNS] + UNKNOWN_SIZE * u + TURNS] > 0.0 else 10.0
        work[ints[HESSIAN] + n * u + u] += variance / (total * spread * spread)
    if not factorise(ints, work, 0.0):
        return
    for u in range(n):
        xs[t, u] = inverse_diagonal(ints, work, u) * variance / total
