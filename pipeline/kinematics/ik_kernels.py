"""Cost, gradient and Hessian of inverse kinematics, compiled.

The cost is OpenSim's: ``1/2 sum w |e|^2 / sum w`` over the markers that are there, plus
``1/2 sum omega (q - target)^2`` over coordinate tasks. Joint columns are spatial vectors at the
origin of ground, markers weighted points, so that sums over a branch replace the Jacobian: the
composite-rigid-body algorithm (Featherstone, Rigid Body Dynamics Algorithms, 2008, ch. 6). The
second derivatives of the marker positions enter through the same sums.

Every kernel takes ``ints`` and ``floats`` (the tables), ``work`` (the workspace) and places in it.
"""

from __future__ import annotations

import math
from typing import Any

from pipeline.kinematics.compiled import inner
from pipeline.kinematics.functions import function_value
from pipeline.kinematics.ik_layout import (
    ACTIVE,
    AXES,
    AXIS_SIZE,
    BODIES,
    BODY_FIRST,
    BODY_PARENT,
    BODY_SIZE,
    BODY_STOP,
    COLUMN_SIZE,
    COLUMNS,
    CONSTANT_SIZE,
    CONSTANTS,
    FUNCTION_FIRST,
    FUNCTION_KIND,
    FUNCTION_SIZE,
    FUNCTION_STOP,
    FUNCTIONS,
    GRADIENT,
    HESSIAN,
    LANE_SIZE,
    LANE_UNKNOWN,
    LANES,
    LOCATIONS,
    MARKERS,
    MOMENT_SIZE,
    MOMENTS,
    N_BODIES,
    N_LANES,
    N_MARKERS,
    N_STEPS,
    N_TASKS,
    N_UNKNOWNS,
    OBSERVED,
    OMEGAS,
    POINT_SIZE,
    POINTS,
    POSE_SIZE,
    POSES,
    STEP_ACTIVE,
    STEP_ACTIVE_STOP,
    STEP_COUPLER,
    STEP_FUNCTION,
    STEP_LANE,
    STEP_ROTATES,
    STEP_SIZE,
    STEP_UNKNOWN,
    STEPS,
    SUM_E,
    SUM_P,
    SUM_PE,
    SUM_PP,
    SUM_W,
    TARGETS,
    TASK_COUPLER,
    TASK_IS_PRIOR,
    TASK_SIZE,
    TASK_UNKNOWN,
    TASKS,
    TERMS,
    WEIGHTS,
)

# Half of pi in two parts, the first exact in its last bits, and 2 / pi.
_HALF_PI = (1.5707963267341256, 6.077100506506192e-11)
_PER_HALF_PI = 0.6366197723675814

# Keeps what numba need not be told of each index: that it is not negative.
PLACE = 0x7FFFFFFF


@inner
def set_frame(
    ints: Any, floats: Any, work: Any, markers: Any, weights: Any, omegas: Any, targets: Any, t: int
) -> float:
    """Put frame ``t`` into the workspace; the sum of the weights of the markers that are there."""
    at, to, k = ints[OBSERVED], ints[WEIGHTS], ints[OMEGAS]
    total, own = 0.0, t if weights.shape[0] > 1 else 0
    for m in range(ints[N_MARKERS]):
        seen = True
        for i in range(3):
            work[at + 3 * m + i] = markers[t, m, i]
            seen = seen and math.isfinite(markers[t, m, i])
        work[to + m] = weights[own, m] if seen else 0.0
        total += work[to + m]
    share = 1.0 / total if total > 0.0 else 0.0
    for m in range(ints[N_MARKERS]):
        work[to + m] *= share
    row = t if targets.shape[0] > 1 else 0
    for c in range(ints[N_TASKS]):
        prior = ints[ints[TASKS] + TASK_SIZE * c + TASK_IS_PRIOR] == 1
        work[k + c] = omegas[c] * share if prior else omegas[c]
        work[ints[TARGETS] + c] = targets[row, c]
    return total


@inner
def table_function(ints: Any, floats: Any, f: int, x: float) -> tuple[float, float, float]:
    """Value and two derivatives at ``x`` of row ``f`` of the functions; -1 is the identity."""
    if f < 0:
        return x, 1.0, 0.0
    row, terms = ints[FUNCTIONS] + FUNCTION_SIZE * f, ints[TERMS] + 2 * f
    return function_value(
        ints[row + FUNCTION_KIND],
        floats[terms],
        floats[terms + 1],
        floats,
        ints[row + FUNCTION_FIRST],
        ints[row + FUNCTION_STOP],
        x,
    )


@inner
def sine_cosine(angle: float) -> tuple[float, float]:
    """Sine and cosine by their series within an eighth of a turn, without calls into libm.

    To 3e-16 for angles of up to some hundred turns.
    """
    quarters = math.floor(angle * _PER_HALF_PI + 0.5)
    x = (angle - quarters * _HALF_PI[0]) - quarters * _HALF_PI[1]
    xx = x * x
    sine = x + x * xx * (
        -1.0 / 6 + xx * (1.0 / 120 + xx * (-1.0 / 5040 + xx * (1.0 / 362880 + xx * (
            -1.0 / 39916800 + xx * (1.0 / 6227020800 - xx / 1307674368000.0)))))
    )  # fmt: skip
    cosine = 1.0 + xx * (
        -0.5 + xx * (1.0 / 24 + xx * (-1.0 / 720 + xx * (1.0 / 40320 + xx * (
            -1.0 / 3628800 + xx * (1.0 / 479001600 + xx * (
                -1.0 / 87178291200 + xx / 20922789888000.0))))))
    )  # fmt: skip
    turned = int(quarters) & 3
    if turned & 1:
        sine, cosine = cosine, -sine
    if turned & 2:
        sine, cosine = -sine, -cosine
    return sine, cosine


@inner
def cost_at(  # noqa: PLR0915
    ints: Any, floats: Any, work: Any, x: int, side: int
) -> float:
    """Cost of the unknowns at ``work[x:]``; pose, columns and residuals go to buffers ``side``."""
    poses = (ints[POSES] + side * POSE_SIZE * ints[N_BODIES]) & PLACE
    columns = (ints[COLUMNS] + side * COLUMN_SIZE * ints[N_STEPS]) & PLACE
    bodies, steps, axes = ints[BODIES] & PLACE, ints[STEPS] & PLACE, ints[AXES] & PLACE
    constants, x = ints[CONSTANTS] & PLACE, x & PLACE
    for b in range(ints[N_BODIES]):
        body, k = bodies + BODY_SIZE * b, constants + CONSTANT_SIZE * b
        parent, pose = ints[body + BODY_PARENT], poses + POSE_SIZE * b
        r00, r01, r02, r03 = floats[k], floats[k + 1], floats[k + 2], floats[k + 3]
        r10, r11, r12, r13 = floats[k + 4], floats[k + 5], floats[k + 6], floats[k + 7]
        r20, r21, r22, r23 = floats[k + 8], floats[k + 9], floats[k + 10], floats[k + 11]
        if parent >= 0:
            o = poses + POSE_SIZE * (parent & PLACE)
            p0, p1, p2, p3 = work[o], work[o + 1], work[o + 2], work[o + 3]
            q0, q1, q2, q3 = work[o + 4], work[o + 5], work[o + 6], work[o + 7]
            s0, s1, s2, s3 = work[o + 8], work[o + 9], work[o + 10], work[o + 11]
            r00, r10, r20 = (
                p0 * r00 + p1 * r10 + p2 * r20,
                q0 * r00 + q1 * r10 + q2 * r20,
                s0 * r00 + s1 * r10 + s2 * r20,
            )
            r01, r11, r21 = (
                p0 * r01 + p1 * r11 + p2 * r21,
                q0 * r01 + q1 * r11 + q2 * r21,
                s0 * r01 + s1 * r11 + s2 * r21,
            )
            r02, r12, r22 = (
                p0 * r02 + p1 * r12 + p2 * r22,
                q0 * r02 + q1 * r12 + q2 * r22,
                s0 * r02 + s1 * r12 + s2 * r22,
            )
            r03, r13, r23 = (
                p0 * r03 + p1 * r13 + p2 * r23 + p3,
                q0 * r03 + q1 * r13 + q2 * r23 + q3,
                s0 * r03 + s1 * r13 + s2 * r23 + s3,
            )
        for s in range(ints[body + BODY_FIRST] & PLACE, ints[body + BODY_STOP]):
            step, axis, c = steps + STEP_SIZE * s, axes + AXIS_SIZE * s, columns + COLUMN_SIZE * s
            n0, n1, n2, value = floats[axis], floats[axis + 1], floats[axis + 2], floats[axis + 3]
            w0 = r00 * n0 + r01 * n1 + r02 * n2
            w1 = r10 * n0 + r11 * n1 + r12 * n2
            w2 = r20 * n0 + r21 * n1 + r22 * n2
            unknown = ints[step + STEP_UNKNOWN]
            if unknown >= 0:
                value = work[x + (unknown & PLACE)]
                coupler, function = ints[step + STEP_COUPLER], ints[step + STEP_FUNCTION]
                if coupler < 0 and function < 0:
                    work[c + 6], work[c + 7] = 1.0, 0.0
                else:
                    inner, g1, g2 = table_function(ints, floats, coupler, value)
                    value, d1, d2 = table_function(ints, floats, function, inner)
                    work[c + 6] = d1 * g1
                    work[c + 7] = d2 * g1 * g1 + d1 * g2
            if ints[step + STEP_ROTATES] == 0:
                work[c] = work[c + 1] = work[c + 2] = 0.0
                work[c + 3], work[c + 4], work[c + 5] = w0, w1, w2
                r03, r13, r23 = r03 + value * w0, r13 + value * w1, r23 + value * w2
                continue
            work[c], work[c + 1], work[c + 2] = w0, w1, w2
            work[c + 3] = r13 * w2 - r23 * w1
            work[c + 4] = r23 * w0 - r03 * w2
            work[c + 5] = r03 * w1 - r13 * w0
            sine, cosine = sine_cosine(value)
            a0, a1, a2 = (1.0 - cosine) * n0, (1.0 - cosine) * n1, (1.0 - cosine) * n2
            b0, b1, b2 = sine * n0, sine * n1, sine * n2
            # Rodrigues' formula, applied to rows: c r + s (r x n) + (1 - c) (r . n) n.
            r00, r01, r02 = (
                cosine * r00 + r01 * b2 - r02 * b1 + w0 * a0,
                cosine * r01 + r02 * b0 - r00 * b2 + w0 * a1,
                cosine * r02 + r00 * b1 - r01 * b0 + w0 * a2,
            )
            r10, r11, r12 = (
                cosine * r10 + r11 * b2 - r12 * b1 + w1 * a0,
                cosine * r11 + r12 * b0 - r10 * b2 + w1 * a1,
                cosine * r12 + r10 * b1 - r11 * b0 + w1 * a2,
            )
            r20, r21, r22 = (
                cosine * r20 + r21 * b2 - r22 * b1 + w2 * a0,
                cosine * r21 + r22 * b0 - r20 * b2 + w2 * a1,
                cosine * r22 + r20 * b1 - r21 * b0 + w2 * a2,
            )
        work[pose], work[pose + 1], work[pose + 2], work[pose + 3] = r00, r01, r02, r03
        work[pose + 4], work[pose + 5], work[pose + 6], work[pose + 7] = r10, r11, r12, r13
        work[pose + 8], work[pose + 9], work[pose + 10], work[pose + 11] = r20, r21, r22, r23
    return 0.5 * (_marker_cost(ints, floats, work, side) + _task_cost(ints, floats, work, x))


@inner
def _marker_cost(ints: Any, floats: Any, work: Any, side: int) -> float:
    poses = (ints[POSES] + side * POSE_SIZE * ints[N_BODIES]) & PLACE
    points = (ints[POINTS] + side * POINT_SIZE * ints[N_MARKERS]) & PLACE
    weights, observed = ints[WEIGHTS] & PLACE, ints[OBSERVED] & PLACE
    markers, locations = ints[MARKERS] & PLACE, ints[LOCATIONS] & PLACE
    cost = 0.0
    for m in range(ints[N_MARKERS]):
        weight = work[weights + m]
        if weight == 0.0:
            continue
        pose = poses + POSE_SIZE * (ints[markers + m] & PLACE)
        at, point, o = locations + 3 * m, points + POINT_SIZE * m, observed + 3 * m
        l0, l1, l2 = floats[at], floats[at + 1], floats[at + 2]
        for i in range(3):
            row = pose + 4 * i
            p = work[row] * l0 + work[row + 1] * l1 + work[row + 2] * l2 + work[row + 3]
            e = p - work[o + i]
            work[point + i], work[point + 3 + i] = p, e
            cost += weight * e * e
    return cost


@inner
def _task_cost(ints: Any, floats: Any, work: Any, x: int) -> float:
    cost = 0.0
    for c in range(ints[N_TASKS]):
        task = ints[TASKS] + TASK_SIZE * c
        value, _, _ = table_function(
            ints, floats, ints[task + TASK_COUPLER], work[x + ints[task + TASK_UNKNOWN]]
        )
        off = value - work[ints[TARGETS] + c]
        cost += work[ints[OMEGAS] + c] * off * off
    return cost


@inner
def assemble(ints: Any, floats: Any, work: Any, x: int, side: int, exact: bool) -> None:
    """Gradient and Hessian (lower triangle) of the pose in buffers ``side``.

    The Hessian is Gauss-Newton's unless ``exact``.
    """
    n, hessian, gradient, lanes = ints[N_UNKNOWNS], ints[HESSIAN], ints[GRADIENT], ints[LANES]
    for k in range(n * n):
        work[hessian + k] = 0.0
    for k in range(n):
        work[gradient + k] = 0.0
    for k in range(LANE_SIZE * ints[N_LANES]):
        work[lanes + k] = 0.0
    _gather(ints, work, side)
    for b in range(ints[N_BODIES] - 1, -1, -1):
        _body_columns(ints, work, side, b, exact)
    for c in range(ints[N_TASKS]):
        task, omega = ints[TASKS] + TASK_SIZE * c, work[ints[OMEGAS] + c]
        u = ints[task + TASK_UNKNOWN]
        value, d1, d2 = table_function(ints, floats, ints[task + TASK_COUPLER], work[x + u])
        off = value - work[ints[TARGETS] + c]
        work[gradient + u] += omega * off * d1
        work[hessian + n * u + u] += omega * (d1 * d1 + (off * d2 if exact else 0.0))


@inner
def _body_columns(  # noqa: PLR0915
    ints: Any, work: Any, side: int, b: int, exact: bool
) -> None:
    """What the steps of one joint, last first, put into gradient, Hessian and lanes."""
    body = (ints[BODIES] & PLACE) + BODY_SIZE * (b & PLACE)
    o = (ints[MOMENTS] & PLACE) + MOMENT_SIZE * (b & PLACE)
    n, hessian, lanes = ints[N_UNKNOWNS] & PLACE, ints[HESSIAN] & PLACE, ints[LANES] & PLACE
    steps, active, lane_unknown = (
        ints[STEPS] & PLACE,
        ints[ACTIVE] & PLACE,
        ints[LANE_UNKNOWN] & PLACE,
    )
    columns = (ints[COLUMNS] + side * COLUMN_SIZE * ints[N_STEPS]) & PLACE
    weight, k = work[o + SUM_W], o + SUM_PE
    p0, p1, p2 = work[o + SUM_P], work[o + SUM_P + 1], work[o + SUM_P + 2]
    xx, xy, xz = work[o + SUM_PP], work[o + SUM_PP + 1], work[o + SUM_PP + 2]
    yy, yz, zz = work[o + SUM_PP + 3], work[o + SUM_PP + 4], work[o + SUM_PP + 5]
    f0, f1, f2 = work[o + SUM_E], work[o + SUM_E + 1], work[o + SUM_E + 2]
    t0, t1, t2 = (
        work[k + 5] - work[k + 7],
        work[k + 6] - work[k + 2],
        work[k + 1] - work[k + 3],
    )
    trace = work[k] + work[k + 4] + work[k + 8]
    for s in range(ints[body + BODY_STOP] - 1, ints[body + BODY_FIRST] - 1, -1):
        step, c = steps + STEP_SIZE * (s & PLACE), columns + COLUMN_SIZE * (s & PLACE)
        u = ints[step + STEP_UNKNOWN]
        if u < 0:
            continue
        u = u & PLACE
        w0, w1, w2 = work[c], work[c + 1], work[c + 2]
        v0, v1, v2 = work[c + 3], work[c + 4], work[c + 5]
        d1, d2 = work[c + 6], work[c + 7]
        slope = w0 * t0 + w1 * t1 + w2 * t2 + v0 * f0 + v1 * f1 + v2 * f2
        work[ints[GRADIENT] + u] += d1 * slope
        y0 = p1 * v2 - p2 * v1 + (yy + zz) * w0 - xy * w1 - xz * w2
        y1 = p2 * v0 - p0 * v2 + (xx + zz) * w1 - xy * w0 - yz * w2
        y2 = p0 * v1 - p1 * v0 + (xx + yy) * w2 - xz * w0 - yz * w1
        y3 = weight * v0 + w1 * p2 - w2 * p1
        y4 = weight * v1 + w2 * p0 - w0 * p2
        y5 = weight * v2 + w0 * p1 - w1 * p0
        if exact:
            y0 += v1 * f2 - v2 * f1 - trace * w0
            y1 += v2 * f0 - v0 * f2 - trace * w1
            y2 += v0 * f1 - v1 * f0 - trace * w2
            y0 += work[k] * w0 + work[k + 1] * w1 + work[k + 2] * w2
            y1 += work[k + 3] * w0 + work[k + 4] * w1 + work[k + 5] * w2
            y2 += work[k + 6] * w0 + work[k + 7] * w1 + work[k + 8] * w2
        w0, w1, w2, v0, v1, v2 = d1 * w0, d1 * w1, d1 * w2, d1 * v0, d1 * v1, d1 * v2
        diagonal = d1 * (w0 * y0 + w1 * y1 + w2 * y2 + v0 * y3 + v1 * y4 + v2 * y5)
        if exact:
            diagonal += d2 * slope
        for a in range(ints[step + STEP_ACTIVE], ints[step + STEP_ACTIVE_STOP]):
            lane = ints[active + (a & PLACE)] & PLACE
            other, y = ints[lane_unknown + lane] & PLACE, lanes + LANE_SIZE * lane
            h = (
                w0 * work[y]
                + w1 * work[y + 1]
                + w2 * work[y + 2]
                + v0 * work[y + 3]
                + v1 * work[y + 4]
                + v2 * work[y + 5]
            )
            if other == u:
                diagonal += 2.0 * h
            else:
                work[hessian + n * max(u, other) + min(u, other)] += h
        work[hessian + n * u + u] += diagonal
        y = lanes + LANE_SIZE * (ints[step + STEP_LANE] & PLACE)
        work[y] += d1 * y0
        work[y + 1] += d1 * y1
        work[y + 2] += d1 * y2
        work[y + 3] += d1 * y3
        work[y + 4] += d1 * y4
        work[y + 5] += d1 * y5


@inner
def _gather(ints: Any, work: Any, side: int) -> None:
    """Sum the markers' moments over each body's whole branch."""
    moments, bodies = ints[MOMENTS] & PLACE, ints[BODIES] & PLACE
    points = (ints[POINTS] + side * POINT_SIZE * ints[N_MARKERS]) & PLACE
    markers, weights = ints[MARKERS] & PLACE, ints[WEIGHTS] & PLACE
    for k in range(MOMENT_SIZE * ints[N_BODIES]):
        work[moments + k] = 0.0
    for m in range(ints[N_MARKERS]):
        w = work[weights + m]
        if w == 0.0:
            continue
        o, q = moments + MOMENT_SIZE * (ints[markers + m] & PLACE), points + POINT_SIZE * m
        work[o + SUM_W] += w
        k = o + SUM_PP
        for i in range(3):
            p = w * work[q + i]
            work[o + SUM_P + i] += p
            work[o + SUM_E + i] += w * work[q + 3 + i]
            for j in range(3):
                work[o + SUM_PE + 3 * i + j] += p * work[q + 3 + j]
            for j in range(i, 3):
                work[k] += p * work[q + j]
                k += 1
    for b in range(ints[N_BODIES] - 1, -1, -1):
        parent = ints[bodies + BODY_SIZE * (b & PLACE) + BODY_PARENT]
        if parent >= 0:
            to, of = moments + MOMENT_SIZE * (parent & PLACE), moments + MOMENT_SIZE * (b & PLACE)
            for k in range(MOMENT_SIZE):
                work[to + k] += work[of + k]
