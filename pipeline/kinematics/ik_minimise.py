"""One minimisation of inverse kinematics, compiled: damped Newton steps within bounds."""

from __future__ import annotations

import math
from typing import Any

from pipeline.kinematics.compiled import inner
from pipeline.kinematics.ik_kernels import assemble, cost_at
from pipeline.kinematics.ik_layout import (
    FACTOR,
    FILL_ROWS,
    FILL_STARTS,
    FIXED,
    GRADIENT,
    HELD,
    HESSIAN,
    LOWER,
    N_UNKNOWNS,
    PRODUCT,
    RIGHT,
    STEP,
    TRIAL,
    TURNS,
    UNKNOWN_SIZE,
    UNKNOWNS,
    UPPER,
)

# Added to the diagonal before damping, so that flat directions are damped too (ik_solver.md §3).
_DAMPING_FLOOR = 0.01
_FIRST_DAMPING, _LEAST_DAMPING, _MOST_DAMPING = 1e-4, 1e-9, 1e6
# Largest turn of one step, radians: second-order models mislead beyond it (ik_solver.md §3).
_STEP_CAP = 0.7
# Steps without second derivatives: far from the minimum, and after they have misled.
_PLAIN_FIRST, _PLAIN_AFTER = 3, 2
# After so many steps, a cost that so many times the promise cannot bring to its target is left.
_HOPE_AFTER, _HOPE = 3, 4.0
# Frames without residual end here: a cost in m^2, well below a micrometre per marker.
_COST_FLOOR = 1e-15


@inner
def factorise(ints: Any, work: Any, damping: float) -> bool:
    """Cholesky factor of the damped Hessian without the fixed unknowns; False if indefinite."""
    factor, hessian, fixed = ints[FACTOR], ints[HESSIAN], ints[FIXED]
    starts, rows, n = ints[FILL_STARTS], ints[FILL_ROWS], ints[N_UNKNOWNS]
    for k in range(n):
        here = n * k + k
        still = work[fixed + k] > 0.0
        own = work[hessian + here]
        work[factor + here] = 1.0 if still else own + damping * (abs(own) + _DAMPING_FLOOR)
        for at in range(ints[starts + k], ints[starts + k + 1]):
            i = ints[rows + at]
            apart = still or work[fixed + i] > 0.0
            work[factor + n * i + k] = 0.0 if apart else work[hessian + n * i + k]
    for k in range(n):
        pivot = work[factor + n * k + k]
        if not pivot > 1e-14:
            return False
        root = 1.0 / math.sqrt(pivot)
        work[factor + n * k + k] = root  # the reciprocal: what is solved multiplies
        if work[fixed + k] > 0.0:
            continue
        first, stop = ints[starts + k], ints[starts + k + 1]
        for at in range(first, stop):
            row = factor + n * ints[rows + at]
            value = work[row + k] * root
            work[row + k] = value
            for to in range(first, at + 1):
                j = ints[rows + to]
                work[row + j] -= value * work[factor + n * j + k]
    return True


@inner
def substitute(ints: Any, work: Any, right: int, out: int) -> None:
    """Solve with the factor at hand for ``work[right:]``, into ``work[out:]``."""
    factor, starts, rows, n = ints[FACTOR], ints[FILL_STARTS], ints[FILL_ROWS], ints[N_UNKNOWNS]
    for k in range(n):
        work[out + k] = work[right + k]
    for k in range(n):
        value = work[out + k] * work[factor + n * k + k]
        work[out + k] = value
        for at in range(ints[starts + k], ints[starts + k + 1]):
            i = ints[rows + at]
            work[out + i] -= work[factor + n * i + k] * value
    for k in range(n - 1, -1, -1):
        value = work[out + k]
        for at in range(ints[starts + k], ints[starts + k + 1]):
            i = ints[rows + at]
            value -= work[factor + n * i + k] * work[out + i]
        work[out + k] = value * work[factor + n * k + k]


@inner
def inverse_diagonal(ints: Any, work: Any, u: int) -> float:
    """Element ``u`` of the diagonal of the inverse, with the factor at hand."""
    factor, starts, rows, n = ints[FACTOR], ints[FILL_STARTS], ints[FILL_ROWS], ints[N_UNKNOWNS]
    right, found = ints[RIGHT], 0.0
    for k in range(n):
        work[right + k] = 1.0 if k == u else 0.0
    for k in range(u, n):
        value = work[right + k] * work[factor + n * k + k]
        found += value * value
        if value != 0.0:
            for at in range(ints[starts + k], ints[starts + k + 1]):
                i = ints[rows + at]
                work[right + i] -= work[factor + n * i + k] * value
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
    the others are solved for again.
    """
    gradient, step, right = ints[GRADIENT], ints[STEP], ints[RIGHT]
    product, fixed, n = ints[PRODUCT], ints[FIXED], ints[N_UNKNOWNS]
    bound = ints[UNKNOWNS]
    for u in range(n):
        work[step + u] = work[product + u] = 0.0
        low, high = (
            floats[bound + UNKNOWN_SIZE * u + LOWER],
            floats[bound + UNKNOWN_SIZE * u + UPPER],
        )
        here, slope = work[x + u], work[gradient + u]
        still = (here <= low and slope > 0.0) or (here >= high and slope < 0.0)
        work[fixed + u] = 1.0 if still or work[ints[HELD] + u] > 0.0 else 0.0
    for _ in range(n + 1):
        if not factorise(ints, work, damping):
            return -1.0
        for u in range(n):
            still = work[fixed + u] > 0.0
            work[right + u] = work[step + u] if still else -work[gradient + u] - work[product + u]
        substitute(ints, work, right, step)
        crossed = False
        for u in range(n):
            if work[fixed + u] > 0.0:
                continue
            row = bound + UNKNOWN_SIZE * u
            low, high = floats[row + LOWER] - work[x + u], floats[row + UPPER] - work[x + u]
            if floats[row + TURNS] > 0.0:
                low, high = max(low, -_STEP_CAP), min(high, _STEP_CAP)
            if work[step + u] < low or work[step + u] > high:
                work[step + u] = low if work[step + u] < low else high
                work[fixed + u] = 1.0
                crossed = True
        if not crossed:
            break
        # Only what is fixed by now pulls on the rest of the next round.
        for u in range(n):
            if work[fixed + u] == 0.0:
                work[step + u] = 0.0
        _times_hessian(ints, work, step, product)
    _times_hessian(ints, work, step, product)
    promised = 0.0
    for u in range(n):
        promised -= work[step + u] * (work[gradient + u] + 0.5 * work[product + u])
    return promised


@inner
def minimise(  # noqa: PLR0912
    ints: Any,
    floats: Any,
    work: Any,
    x: int,
    tolerance: float,
    iterations: int,
    newton: bool,
    target: float,
) -> tuple[float, int]:
    """Lower the cost of ``work[x:]``, in place; the cost reached and the steps it took.

    Unknowns marked in ``HELD`` stay. Ends where the next step promises less than ``tolerance``
    of the cost, or where the ``target`` is out of reach. Starts with Gauss-Newton steps unless
    ``newton``.
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
            if iteration >= 0 and cost - reached > 0.7 * promised:
                damping = max(0.1 * damping, _LEAST_DAMPING)
            elif iteration >= 0 and cost - reached < 0.3 * promised:
                damping *= 4.0
            cost, side, iteration = reached, 1 - side, iteration + 1
            for u in range(n):
                work[x + u] = work[trial + u]
            exact, plain = plain <= 0, plain - 1
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
