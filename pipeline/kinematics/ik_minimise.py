"""One minimisation of inverse kinematics, compiled: damped Newton steps within bounds."""

from __future__ import annotations

import math
from typing import Any

from pipeline.kinematics.compiled import inner
from pipeline.kinematics.ik_kernels import PLACE, assemble, cost_at
from pipeline.kinematics.ik_layout import (
    FACTOR,
    FILL_ROWS,
    FILL_STARTS,
    FIXED,
    GRADIENT,
    HELD,
    HESSIAN,
    LEAP,
    LOWER,
    N_UNKNOWNS,
    PRODUCT,
    RIGHT,
    STEP,
    STOPPED,
    TRIAL,
    TURNS,
    UNKNOWN_SIZE,
    UNKNOWNS,
    UPPER,
)

# Added to the diagonal before damping, so that flat directions are damped too (ik_solver.md §3).
_DAMPING_FLOOR = 0.001
_FIRST_DAMPING, _LEAST_DAMPING, _MOST_DAMPING = 1e-4, 1e-9, 1e6
# Largest turn of one step, radians: second-order models mislead beyond it (ik_solver.md §3).
_STEP_CAP = 0.7
# Steps without second derivatives: far from the minimum, and after they have misled.
_PLAIN_FIRST, _PLAIN_AFTER = 3, 2
# After so many steps, a cost that so many times the promise cannot bring to its target is left.
_HOPE_AFTER, _HOPE = 2, 2.5
# Frames without residual end here: a cost in m^2, well below a micrometre per marker.
_COST_FLOOR = 1e-15


@inner
def factorise(ints: Any, work: Any, damping: float) -> bool:
    """Cholesky factor of the damped Hessian without the fixed unknowns; False if indefinite.

    The diagonal's reciprocals come first, then the columns below it, packed. The rows of a column
    are those of its first row's column with that row before them, so that what one column takes
    from another lies side by side in both.
    """
    hessian, fixed, n = ints[HESSIAN] & PLACE, ints[FIXED] & PLACE, ints[N_UNKNOWNS] & PLACE
    starts, rows = ints[FILL_STARTS] & PLACE, ints[FILL_ROWS] & PLACE
    diagonal, packed = ints[FACTOR] & PLACE, (ints[FACTOR] + ints[N_UNKNOWNS]) & PLACE
    for k in range(n):
        still, own = work[fixed + k] > 0.0, work[hessian + n * k + k]
        work[diagonal + k] = 1.0 if still else own + damping * (abs(own) + _DAMPING_FLOOR)
        for at in range(ints[starts + k] & PLACE, ints[starts + k + 1]):
            i = ints[rows + at] & PLACE
            apart = still or work[fixed + i] > 0.0
            work[packed + at] = 0.0 if apart else work[hessian + n * i + k]
    for k in range(n):
        pivot = work[diagonal + k]
        if not pivot > 1e-14:
            return False
        root = 1.0 / math.sqrt(pivot)
        work[diagonal + k] = root
        first, stop = ints[starts + k] & PLACE, ints[starts + k + 1] & PLACE
        for at in range(first, stop):
            work[packed + at] *= root
        for at in range(first, stop):
            value, j = work[packed + at], ints[rows + at] & PLACE
            work[diagonal + j] -= value * value
            to, source = packed + (ints[starts + j] & PLACE), packed + at + 1
            for i in range(stop - at - 1):
                work[to + i] -= value * work[source + i]
    return True


@inner
def substitute(ints: Any, work: Any, right: int, out: int) -> None:
    """Solve with the factor at hand for ``work[right:]``, into ``work[out:]``."""
    starts, rows, n = ints[FILL_STARTS] & PLACE, ints[FILL_ROWS] & PLACE, ints[N_UNKNOWNS] & PLACE
    diagonal, packed = ints[FACTOR] & PLACE, (ints[FACTOR] + ints[N_UNKNOWNS]) & PLACE
    right, out = right & PLACE, out & PLACE
    for k in range(n):
        work[out + k] = work[right + k]
    for k in range(n):
        value = work[out + k] * work[diagonal + k]
        work[out + k] = value
        for at in range(ints[starts + k] & PLACE, ints[starts + k + 1]):
            work[out + (ints[rows + at] & PLACE)] -= work[packed + at] * value
    for k in range(n - 1, -1, -1):
        value = work[out + k]
        for at in range(ints[starts + k] & PLACE, ints[starts + k + 1]):
            value -= work[packed + at] * work[out + (ints[rows + at] & PLACE)]
        work[out + k] = value * work[diagonal + k]


@inner
def inverse_diagonal(ints: Any, work: Any, u: int) -> float:
    """Element ``u`` of the diagonal of the inverse, with the factor at hand."""
    starts, rows, n = ints[FILL_STARTS], ints[FILL_ROWS], ints[N_UNKNOWNS]
    diagonal, packed = ints[FACTOR], ints[FACTOR] + n
    right, found = ints[RIGHT], 0.0
    for k in range(n):
        work[right + k] = 1.0 if k == u else 0.0
    for k in range(u, n):
        value = work[right + k] * work[diagonal + k]
        found += value * value
        if value != 0.0:
            for at in range(ints[starts + k], ints[starts + k + 1]):
                work[right + ints[rows + at]] -= work[packed + at] * value
    return found


@inner
def _times_hessian(ints: Any, work: Any, x: int, out: int) -> None:
    hessian, starts, rows, n = ints[HESSIAN], ints[FILL_STARTS], ints[FILL_ROWS], ints[N_UNKNOWNS]
    for k in range(n):
        work[out + k] = work[hessian + n * k + k] * work[x + k]
    for k in range(n):
        for at in range(ints[starts + k], ints[starts + k + 1]):
            i = ints[rows + at]
            h = work[hessian + n * i + k]
            work[out + i] += h * work[x + k]
            work[out + k] += h * work[x + i]


@inner
def _bounded_step(ints: Any, floats: Any, work: Any, x: int, damping: float) -> float:
    """Put the step into the workspace; the decrease it promises, below 0 where there is none.

    Unknowns at a bound that the gradient presses on stay there. Where the step would cross a
    bound, or a turn is larger than second-order models are good for, the unknown goes so far and
    the others follow: moved along the column of the inverse that leaves earlier ones where they
    stopped.
    """
    gradient, step, right, n = ints[GRADIENT], ints[STEP], ints[RIGHT], ints[N_UNKNOWNS]
    fixed, product, stopped = ints[FIXED], ints[PRODUCT], ints[STOPPED]
    for u in range(n):
        row = ints[UNKNOWNS] + UNKNOWN_SIZE * u
        here, slope = work[x + u], work[gradient + u]
        still = (here <= floats[row + LOWER] and slope > 0.0) or (
            here >= floats[row + UPPER] and slope < 0.0
        )
        still = still or work[ints[HELD] + u] > 0.0
        work[fixed + u] = 1.0 if still else 0.0
        work[right + u] = 0.0 if still else -slope
    if not factorise(ints, work, damping):
        return -1.0
    to, stops, at, limit = step, 0, -1, 0.0
    while True:
        substitute(ints, work, right, to)
        if stops > 0:
            for s in range(stops - 1):
                before = stopped + (n + 1) * s
                u = int(work[before + n])
                share = work[to + u] / work[before + u]
                for k in range(n):
                    work[to + k] -= share * work[before + k]
            share = (limit - work[step + at]) / work[to + at]
            for k in range(n):
                work[step + k] += share * work[to + k]
            work[step + at] = limit
            work[fixed + at] = 1.0
            work[to + n] = at
        at, limit = _beyond(ints, floats, work, x)
        if at < 0:
            break
        for k in range(n):
            work[right + k] = 1.0 if k == at else 0.0
        to, stops = stopped + (n + 1) * stops, stops + 1
    promised = 0.0
    if stops == 0:  # what was solved tells what the Hessian takes off
        for u in range(n):
            own, moved = abs(work[ints[HESSIAN] + n * u + u]) + _DAMPING_FLOOR, work[step + u]
            promised += 0.5 * moved * (damping * own * moved - work[gradient + u])
        return promised
    _times_hessian(ints, work, step, product)
    for u in range(n):
        promised -= work[step + u] * (work[gradient + u] + 0.5 * work[product + u])
    return promised


@inner
def _beyond(ints: Any, floats: Any, work: Any, x: int) -> tuple[int, float]:
    """The first free unknown that the step takes too far, and how far it may go; -1 for none."""
    step, fixed = ints[STEP], ints[FIXED]
    for u in range(ints[N_UNKNOWNS]):
        row = ints[UNKNOWNS] + UNKNOWN_SIZE * u
        low, high = floats[row + LOWER] - work[x + u], floats[row + UPPER] - work[x + u]
        if floats[row + TURNS] > 0.0:
            low, high = max(low, -_STEP_CAP), min(high, _STEP_CAP)
        moved = work[step + u]
        if (moved < low or moved > high) and work[fixed + u] == 0.0:
            return u, low if moved < low else high
    return -1, 0.0


@inner
def minimise(  # noqa: PLR0912
    ints: Any,
    floats: Any,
    work: Any,
    x: int,
    tolerance: float,
    iterations: int,
    newton: bool,
    leap: bool,
    target: float,
) -> tuple[float, int]:
    """Lower the cost of ``work[x:]``, in place; the cost reached and the steps it took.

    Unknowns marked in ``HELD`` stay. Ends where the next step promises less than ``tolerance``
    of the cost, or where the ``target`` is out of reach. Starts with Gauss-Newton steps unless
    ``newton``; with ``leap`` it tries the step in ``LEAP`` first.
    """
    # One loop with one call of each part: numba compiles a copy of it into every call.
    n, trial, step, bounds = ints[N_UNKNOWNS], ints[TRIAL], ints[STEP], ints[UNKNOWNS]
    cost, damping, promised = math.inf, _FIRST_DAMPING, 0.0
    iteration, side, exact, plain = -1, 1, newton, 0 if newton else _PLAIN_FIRST
    for u in range(n):
        work[step + u] = 0.0
    while True:
        for u in range(n):
            row, moved = bounds + UNKNOWN_SIZE * u, work[x + u] + work[step + u]
            work[trial + u] = min(max(moved, floats[row + LOWER]), floats[row + UPPER])
        reached = cost_at(ints, floats, work, trial, 1 - side)
        fresh = True
        if reached < cost:
            if promised > 0.0 and cost - reached > 0.7 * promised:
                damping = max(0.1 * damping, _LEAST_DAMPING)
            elif promised > 0.0 and cost - reached < 0.3 * promised:
                damping *= 4.0
            cost, side, iteration = reached, 1 - side, iteration + 1
            for u in range(n):
                work[x + u] = work[trial + u]
            exact, plain = plain <= 0, plain - 1
            if leap:
                leap = False
                for u in range(n):
                    work[step + u] = work[ints[LEAP] + u]
                continue
        elif promised == 0.0:
            pass  # the leap led up
        elif exact:
            exact, plain = False, _PLAIN_AFTER
        else:
            damping, fresh = max(10.0 * damping, _FIRST_DAMPING), False
        while True:
            if fresh:
                assemble(ints, floats, work, x, side, exact)
            promised = _bounded_step(ints, floats, work, x, damping)
            if promised >= 0.0 or damping > _MOST_DAMPING:
                break
            if exact:
                exact, plain, fresh = False, _PLAIN_AFTER, True
            else:
                damping, fresh = max(10.0 * damping, _FIRST_DAMPING), False
        finished = promised <= tolerance * cost + _COST_FLOOR
        # Near the minimum a step promises nearly all that is left.
        if iteration >= _HOPE_AFTER and damping <= _FIRST_DAMPING:
            finished = finished or cost - _HOPE * promised > target
        if finished or damping > _MOST_DAMPING or iteration >= iterations:
            return cost, max(iteration, 0)
