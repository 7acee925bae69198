"""What the compiled solver works on: the model pruned to what its markers can feel.

Bodies without a used marker below them are left out, constants and linear couplers folded in, and
each joint is a list of *steps*: elementary translations and rotations that an *unknown* (an
independent, unlocked coordinate) drives. Steps of one unknown on one chain share a *lane*, so that
the solver meets an unknown that drives many joints (a spine's rhythm) only once per step above.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.kinematics import ik_layout as layout
from pipeline.kinematics.functions import evaluate
from pipeline.kinematics.model import (
    CONSTANT,
    LINEAR,
    ROTATIONAL,
    TRANSLATIONAL,
    FloatArray,
    IntArray,
    KinematicModel,
    free_coordinates,
)

# Random starts use this part of a range (about its middle), and this much where there is none.
_START_SHARE, _FREE_SPREAD = 0.8, 1.0


class Tables(NamedTuple):
    """The flat tables of :mod:`pipeline.kinematics.ik_layout`, for U unknowns.

    Unknowns are numbered in the order of elimination, leaves first; ``coordinates`` (U,) are the
    model's coordinates behind them, and ``markers`` those of the model's markers that are used.
    """

    ints: IntArray
    floats: FloatArray
    coordinates: IntArray
    markers: IntArray

    @property
    def work_size(self) -> int:
        return int(self.ints[layout.WORK_SIZE])


def build_tables(
    model: KinematicModel,
    used: NDArray[np.bool_],
    tasks: list[tuple[int, bool]],
) -> Tables:
    """The solver's tables, to be read only: who asks for the same again gets the same.

    Parameters
    ----------
    used
        (M,) markers that the solver is given.
    tasks
        Coordinates with a task, and whether its weight is a prior's.
    """
    return _built(model, tuple(used.tolist()), tuple(tasks))


@lru_cache(maxsize=16)
def _built(
    model: KinematicModel, chosen: tuple[bool, ...], tasks: tuple[tuple[int, bool], ...]
) -> Tables:
    used = np.array(chosen, np.bool_)
    bodies = _felt_bodies(model, used)
    number = {int(b): n for n, b in enumerate(bodies)}
    free = free_coordinates(model)
    functions = _Functions(model)
    steps: list[list[int]] = []
    axes: list[list[float]] = []
    body_rows = []
    for b in bodies:
        first = len(steps)
        for k in (3, 4, 5, 0, 1, 2):
            step = _step(model, functions, free, int(b), k)
            if step is not None:
                steps.append(step[0])
                axes.append(step[1])
        body_rows.append([number.get(int(model.parents[b]), -1), first, len(steps)])
    task_rows = [(_driver(model, c), functions.coupler(c), int(prior)) for c, prior in tasks]
    steps, task_rows, coordinates = _number_unknowns(steps, task_rows, free)
    step_array = np.array(steps, dtype=np.int64).reshape(-1, layout.STEP_SIZE)
    body_array = np.array(body_rows, dtype=np.int64).reshape(-1, 3)
    active, lane_unknown = _lanes(body_array, step_array)
    fill_starts, fill_rows = _fill(step_array, active, lane_unknown, len(coordinates))
    ints = {
        layout.BODIES: body_array,
        layout.STEPS: step_array,
        layout.ACTIVE: active,
        layout.LANE_UNKNOWN: lane_unknown,
        layout.FUNCTIONS: np.array(functions.rows, dtype=np.int64),
        layout.MARKERS: np.array([number[int(b)] for b in model.marker_bodies[used]], np.int64),
        layout.FILL_STARTS: fill_starts,
        layout.FILL_ROWS: fill_rows,
        layout.TASKS: np.array(task_rows, dtype=np.int64),
    }
    root = _root(body_array, step_array, len(coordinates))
    floats = {
        layout.CONSTANTS: np.array([_joint_from_joint(model, int(b)) for b in bodies]),
        layout.AXES: np.array(axes, dtype=np.float64),
        layout.TERMS: np.array(functions.terms, dtype=np.float64),
        layout.KNOTS: model.knots,
        layout.LOCATIONS: _in_joints(model, np.flatnonzero(used)),
        layout.UNKNOWNS: _unknown_rows(model, coordinates, root),
    }
    header = np.zeros(layout.HEADER, dtype=np.int64)
    header[layout.N_BODIES], header[layout.N_STEPS] = len(bodies), len(steps)
    header[layout.N_MARKERS], header[layout.N_TASKS] = np.count_nonzero(used), len(task_rows)
    header[layout.N_UNKNOWNS], header[layout.N_LANES] = len(coordinates), len(lane_unknown)
    flat_ints = _pack(header, ints, layout.HEADER)
    flat_floats = _pack(header, floats, 0)
    # Knots are given by their place in the flat array.
    own = flat_ints[list(ints).index(layout.FUNCTIONS)].reshape(-1, layout.FUNCTION_SIZE)
    own[:, layout.FUNCTION_FIRST :] += header[layout.KNOTS]
    _place_work(header)
    return Tables(
        np.concatenate([header, *flat_ints]).astype(np.int64),
        np.concatenate([*flat_floats, np.zeros(1)]),
        coordinates,
        np.flatnonzero(used),
    )


def _joint_from_joint(model: KinematicModel, body: int) -> FloatArray:
    """(3, 4) a joint's place in the moved frame of the joint before: no body's frame is needed."""
    own, parent = model.parent_from_joint[body], int(model.parents[body])
    if parent < 0:
        return np.asarray(own, np.float64)
    before = model.joint_from_body[parent]
    moved = before[:, :3] @ own
    moved[:, 3] += before[:, 3]
    return np.asarray(moved, np.float64)


def _in_joints(model: KinematicModel, markers: IntArray) -> FloatArray:
    """(m, 3) where markers lie in the moved frames of their bodies' joints."""
    frames = model.joint_from_body[model.marker_bodies[markers]]
    turned = np.einsum("mij,mj->mi", frames[:, :, :3], model.marker_locations[markers])
    return np.asarray(turned + frames[:, :, 3], np.float64)


def _pack(header: IntArray, tables: dict[int, Any], offset: int) -> list[Any]:
    flat = []
    for slot, table in tables.items():
        header[slot] = offset
        flat.append(np.ravel(table))
        offset += flat[-1].size
    return flat


def _place_work(header: IntArray) -> None:
    bodies, steps, markers, n, tasks, lanes = header[:6]
    sizes = {
        layout.POSES: 2 * layout.POSE_SIZE * bodies,
        layout.COLUMNS: 2 * layout.COLUMN_SIZE * steps,
        layout.POINTS: 2 * layout.POINT_SIZE * markers,
        layout.MOMENTS: layout.MOMENT_SIZE * bodies,
        layout.LANES: layout.LANE_SIZE * lanes,
        layout.HESSIAN: n * n,
        layout.FACTOR: n * n,
        layout.STOPPED: n * (n + 1),
        layout.WEIGHTS: markers,
        layout.OMEGAS: tasks,
        layout.TARGETS: tasks,
        layout.OBSERVED: 3 * markers,
    }
    offset = 0
    for slot in range(layout.POSES, layout.WORK_SIZE):
        header[slot] = offset
        offset += int(sizes.get(slot, n))
    header[layout.WORK_SIZE] = offset


class _Functions:
    """The model's functions, with linear couplers folded into linear functions."""

    def __init__(self, model: KinematicModel) -> None:
        self.model = model
        self.rows = [
            [int(kind), 3 * int(start), 3 * int(stop)]
            for kind, start, stop in zip(
                model.function_kind,
                model.function_knots[:-1],
                model.function_knots[1:],
                strict=True,
            )
        ]
        self.terms = [[float(slope), float(offset)] for slope, offset in model.function_terms]

    def coupler(self, coordinate: int) -> int:
        return int(self.model.coupler_function[coordinate])

    def is_identity(self, function: int) -> bool:
        return self.rows[function][0] == LINEAR and self.terms[function] == [1.0, 0.0]

    def of_axis(self, function: int, coordinate: int) -> tuple[int, int]:
        """(function, coupler or -1) that give an axis's value from the independent coordinate."""
        coupler = self.coupler(coordinate)
        if coupler < 0 or self.rows[coupler][0] != LINEAR or self.rows[function][0] != LINEAR:
            return function, coupler
        (slope, offset), (rate, shift) = self.terms[function], self.terms[coupler]
        self.rows.append([LINEAR, 0, 0])
        self.terms.append([slope * rate, slope * shift + offset])
        return len(self.rows) - 1, -1


def _felt_bodies(model: KinematicModel, used: NDArray[np.bool_]) -> IntArray:
    felt = np.zeros(model.n_bodies, dtype=np.bool_)
    felt[model.marker_bodies[used]] = True
    for b in range(model.n_bodies - 1, -1, -1):
        if felt[b] and model.parents[b] >= 0:
            felt[model.parents[b]] = True
    return np.flatnonzero(felt)


def _driver(model: KinematicModel, coordinate: int) -> int:
    coupled = int(model.coupled_to[coordinate])
    return coupled if coupled >= 0 else coordinate


def _step(
    model: KinematicModel,
    functions: _Functions,
    free: NDArray[np.bool_],
    body: int,
    k: int,
) -> tuple[list[int], list[float]] | None:
    """One elementary motion of a joint, or None where it never moves anything."""
    function, coordinate = int(model.axis_function[body, k]), int(model.axis_coordinate[body, k])
    turns = int(k < 3)
    axis = [float(x) for x in model.axes[body, k]]
    driver = _driver(model, coordinate) if coordinate >= 0 else -1
    if driver < 0 or not free[driver] or model.function_kind[function] == CONSTANT:
        value = np.array(model.default[driver] if driver >= 0 else 0.0)
        if coordinate >= 0 and driver != coordinate:
            value = evaluate(model, functions.coupler(coordinate), value)[0]
        constant = float(evaluate(model, function, value)[0])
        if constant == 0.0:
            return None
        return [turns, -1, -1, -1, -1, 0, 0], [*axis, constant]
    function, coupler = functions.of_axis(function, coordinate)
    if functions.is_identity(function):
        function = -1
    return [turns, function, coupler, driver, -1, 0, 0], [*axis, 0.0]


def _number_unknowns(
    steps: list[list[int]],
    tasks: list[tuple[int, int, int]],
    free: NDArray[np.bool_],
) -> tuple[list[list[int]], list[tuple[int, int, int]], IntArray]:
    """Coordinates become unknowns, those that move the smallest part of the body first."""
    shallowest: dict[int, int] = {driver: len(steps) for driver, _, _ in tasks if free[driver]}
    for index in range(len(steps) - 1, -1, -1):
        if steps[index][layout.STEP_UNKNOWN] >= 0:
            shallowest[steps[index][layout.STEP_UNKNOWN]] = index
    order = sorted(shallowest, key=lambda driver: -shallowest[driver])
    rank = {driver: n for n, driver in enumerate(order)}
    for step in steps:
        step[layout.STEP_UNKNOWN] = rank.get(step[layout.STEP_UNKNOWN], -1)
    numbered = [(rank[d], coupler, prior) for d, coupler, prior in tasks if free[d]]
    return steps, numbered, np.array(order, dtype=np.int64)


def _lanes(bodies: IntArray, steps: IntArray) -> tuple[IntArray, IntArray]:
    """Fill in lane and active lanes of each step; the active lists and the lanes' unknowns."""
    below: list[list[int]] = [[] for _ in bodies]
    active: list[int] = []
    unknowns: list[int] = []
    for b in range(len(bodies) - 1, -1, -1):
        lanes = below[b]
        for s in range(bodies[b, 2] - 1, bodies[b, 1] - 1, -1):
            unknown = int(steps[s, layout.STEP_UNKNOWN])
            if unknown < 0:
                continue
            steps[s, layout.STEP_ACTIVE] = len(active)
            active.extend(lanes)
            steps[s, layout.STEP_ACTIVE_STOP] = len(active)
            same = [lane for lane in lanes if unknowns[lane] == unknown]
            if len(same) == 1:
                steps[s, layout.STEP_LANE] = same[0]
            else:
                steps[s, layout.STEP_LANE] = len(unknowns)
                lanes.append(len(unknowns))
                unknowns.append(unknown)
        if bodies[b, 0] >= 0:
            below[bodies[b, 0]].extend(lanes)
    return np.array(active, dtype=np.int64), np.array(unknowns, dtype=np.int64)


def _fill(
    steps: IntArray, active: IntArray, lane_unknown: IntArray, n: int
) -> tuple[IntArray, IntArray]:
    """Rows below the diagonal that each column of the Cholesky factor touches.

    A column's rows are its first one and that one's own.
    """
    touched = np.zeros((n, n), dtype=np.bool_)
    for step in steps:
        if step[layout.STEP_UNKNOWN] >= 0:
            others = lane_unknown[active[step[layout.STEP_ACTIVE] : step[layout.STEP_ACTIVE_STOP]]]
            touched[step[layout.STEP_UNKNOWN], others] = touched[
                others, step[layout.STEP_UNKNOWN]
            ] = True
    for k in range(n):
        under = k + 1 + np.flatnonzero(touched[k + 1 :, k])
        touched[np.ix_(under, under)] = True
    # An elimination tree's column holds at most its first row and what that row's column holds.
    columns: list[list[int]] = [[] for _ in range(n)]
    for k in range(n - 1, -1, -1):
        under = k + 1 + np.flatnonzero(touched[k + 1 :, k])
        columns[k] = [int(under[0]), *columns[under[0]]] if under.size else []
    starts = np.cumsum([0, *(len(column) for column in columns)])
    return starts.astype(np.int64), np.array([i for c in columns for i in c], dtype=np.int64)


def _unknown_rows(
    model: KinematicModel, coordinates: IntArray, root: NDArray[np.bool_]
) -> FloatArray:
    rows = np.empty((len(coordinates), layout.UNKNOWN_SIZE))
    rows[:, layout.IS_ROOT] = root
    for n, c in enumerate(coordinates):
        bounded = bool(model.clamped[c])
        low, high = float(model.lower[c]), float(model.upper[c])
        rows[n, layout.LOWER], rows[n, layout.UPPER] = (low, high) if bounded else (-np.inf, np.inf)
        for d in np.flatnonzero((model.coupled_to == c) & model.clamped):
            _narrow(rows[n], model, int(d))
        rows[n, layout.DEFAULT] = np.clip(
            model.default[c], rows[n, layout.LOWER], rows[n, layout.UPPER]
        )
        turns = model.motion[c] != TRANSLATIONAL
        rows[n, layout.TURNS] = float(turns)
        if bounded or (turns and high - low < 2.0 * np.pi):
            middle, half = 0.5 * (low + high), 0.5 * _START_SHARE * (high - low)
        else:
            middle, half = rows[n, layout.DEFAULT], _FREE_SPREAD if turns else 0.0
        rows[n, layout.START_FROM] = np.clip(
            middle - half, rows[n, layout.LOWER], rows[n, layout.UPPER]
        )
        rows[n, layout.START_TO] = np.clip(
            middle + half, rows[n, layout.LOWER], rows[n, layout.UPPER]
        )
    return rows


def _narrow(row: FloatArray, model: KinematicModel, driven: int) -> None:
    """The range of a clamped driven coordinate binds its driver, where the coupler is linear."""
    function = int(model.coupler_function[driven])
    slope, offset = model.function_terms[function]
    if model.function_kind[function] != LINEAR or slope == 0.0:
        return
    ends = (np.array([model.lower[driven], model.upper[driven]]) - offset) / slope
    row[layout.LOWER], row[layout.UPPER] = (
        max(row[layout.LOWER], ends.min()),
        min(row[layout.UPPER], ends.max()),
    )


def _root(bodies: IntArray, steps: IntArray, n: int) -> NDArray[np.bool_]:
    """Unknowns of the first moving joint, if all others hang from it."""
    root = np.zeros(n, dtype=np.bool_)
    for b in range(len(bodies)):
        own = steps[bodies[b, 1] : bodies[b, 2], layout.STEP_UNKNOWN]
        if np.any(own >= 0):
            root[own[own >= 0]] = True
            break
        if np.count_nonzero(bodies[:, 0] == b) != 1 or np.count_nonzero(bodies[:, 0] < 0) != 1:
            break
    return root


def turning(model: KinematicModel) -> NDArray[np.bool_]:
    """(Q,) coordinates in which a full turn changes nothing, so that they may be unwrapped.

    These are unclamped rotational coordinates that act through linear functions of slope one
    only, and drive no other.
    """
    unbound = (model.motion == ROTATIONAL) & ~model.clamped
    result: NDArray[np.bool_] = unbound & free_coordinates(model)
    for c in np.flatnonzero(result):
        driving = model.axis_coordinate == c
        functions = model.axis_function[driving]
        straight = (model.function_kind[functions] == LINEAR) & (
            np.abs(model.function_terms[functions, 0]) == 1.0
        )
        rotates = np.flatnonzero(driving.any(axis=0)) < 3
        result[c] = bool(straight.all() and rotates.all()) and not np.any(model.coupled_to == c)
    return result
