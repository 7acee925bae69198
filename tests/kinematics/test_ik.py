"""Inverse kinematics against scipy: derivatives, recovery, bounds, gaps, tasks, deviations."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numba
import numpy as np
import pytest
from scipy.optimize import least_squares, minimize

from pipeline.kinematics import ik_layout as layout
from pipeline.kinematics.forward import marker_positions
from pipeline.kinematics.functions import consistent
from pipeline.kinematics.ik import LiveSolver, solve, solve_steps
from pipeline.kinematics.ik_kernels import assemble, cost_at, set_frame, sine_cosine
from pipeline.kinematics.ik_options import IkOptions, Prior
from pipeline.kinematics.ik_problem import Problem, unwrapped
from pipeline.kinematics.jacobian import marker_jacobian
from pipeline.kinematics.model import (
    FloatArray,
    KinematicModel,
    coordinate_index,
    free_coordinates,
)
from tests.kinematics.puppet import COORDINATES, movement, puppet, true_markers

NO_PROBES = IkOptions(probe_every=0, starts=4)


def _noisy(model: KinematicModel, frames: int, sd: float, seed: int = 1) -> tuple[Any, Any]:
    truth = movement(frames, seed)
    points = true_markers(model, truth)
    return truth, points + np.random.default_rng(seed).normal(0.0, sd, points.shape)


@numba.njit(cache=False)
def _at(ints: Any, floats: Any, work: Any, x: Any, exact: bool) -> float:
    for u in range(x.shape[0]):
        work[ints[layout.X] + u] = x[u]
    cost = cost_at(ints, floats, work, ints[layout.X], 0)
    assemble(ints, floats, work, ints[layout.X], 0, exact)
    return cost


@numba.njit(cache=False)
def _load(
    ints: Any, floats: Any, work: Any, markers: Any, w: Any, omegas: Any, targets: Any
) -> Any:
    return set_frame(ints, floats, work, markers, w, omegas, targets, 0)


@numba.njit(cache=False)
def _sines_cosines(angles: Any) -> Any:
    found = np.empty((angles.shape[0], 2))
    for k in range(angles.shape[0]):
        found[k, 0], found[k, 1] = sine_cosine(angles[k])
    return found


def test_sines_and_cosines_are_those_of_the_library() -> None:
    angles = np.concatenate([np.linspace(-7.0, 7.0, 20001), np.linspace(-700.0, 700.0, 20001)])
    found = _sines_cosines(angles)
    np.testing.assert_allclose(found, np.stack([np.sin(angles), np.cos(angles)], 1), atol=4e-16)


def _cost(model: KinematicModel, q: FloatArray, markers: FloatArray, options: IkOptions) -> float:
    """OpenSim's objective, written down a second time."""
    q = consistent(model, q)
    weights = np.array([options.marker_weights.get(name, 1.0) for name in model.marker_names])
    errors = marker_positions(model, q) - markers
    there = np.isfinite(errors).all(axis=1)
    total = weights[there].sum()
    cost = 0.5 * (weights[there] * (errors[there] ** 2).sum(axis=1)).sum() / total
    for name, weight in options.coordinate_weights.items():
        target = options.coordinate_targets.get(name, 0.0)
        cost += 0.5 * weight * (q[coordinate_index(model, name)] - target) ** 2
    for name, prior in options.priors.items():
        omega = options.marker_sd**2 / (prior.sd**2 * total)
        cost += 0.5 * omega * (q[coordinate_index(model, name)] - prior.mean) ** 2
    return float(cost)


def test_gradient_and_hessian_agree_with_differences() -> None:
    model = puppet()
    _, points = _noisy(model, 1, 0.1)
    points[0, 5] = np.nan
    options = IkOptions(
        marker_weights={"pelvis_0": 3.0, "high_2": 0.2},
        coordinate_weights={"upper_flex": 0.3, "elbow_r": 0.1},
        coordinate_targets={"upper_flex": 0.2},
        priors={"knee": Prior(0.4, 0.2)},
    )
    problem = Problem(model, points, options)
    tables, work = problem.tables, problem.workspace()
    _load(
        tables.ints, tables.floats, work, problem.markers, problem.weights, problem.omegas,
        problem.targets,
    )  # fmt: skip
    n = len(tables.coordinates)
    x = movement(1, seed=3)[0][tables.coordinates] + 0.05

    def slope_at(at: FloatArray) -> FloatArray:
        _at(tables.ints, tables.floats, work, at, True)
        start = tables.ints[layout.GRADIENT]
        return work[start : start + n].copy()

    q = model.default.copy()
    q[tables.coordinates] = x
    cost = _at(tables.ints, tables.floats, work, x, True)
    assert cost == pytest.approx(_cost(model, q, points[0], options), rel=1e-12)
    slope = slope_at(x)
    lower = work[tables.ints[layout.HESSIAN] :][: n * n].reshape(n, n).copy()
    h = 1e-6
    for u in range(n):
        there, back = x.copy(), x.copy()
        there[u] += h
        back[u] -= h
        rise = [_at(tables.ints, tables.floats, work, at, True) for at in (there, back)]
        assert slope[u] == pytest.approx((rise[0] - rise[1]) / (2.0 * h), abs=1e-8)
        curve = (slope_at(there) - slope_at(back)) / (2.0 * h)
        np.testing.assert_allclose((lower + np.tril(lower, -1).T)[:, u], curve, atol=1e-7)


def test_motion_is_recovered_without_noise() -> None:
    model = puppet()
    truth, points = _noisy(model, 120, 0.0)
    result = solve(model, points, NO_PROBES)
    np.testing.assert_allclose(result.coordinates, truth, atol=1e-5)
    assert result.marker_error.max() < 1e-6
    assert result.cost.max() < 1e-12


def test_no_cost_is_above_that_of_a_general_optimiser() -> None:
    model = puppet()
    truth, points = _noisy(model, 12, 0.02)
    options = replace(
        NO_PROBES,
        marker_weights={"arm_r_0": 4.0, "pelvis_1": 0.0},
        coordinate_weights={"upper_bend": 0.02},
        priors={"knee": Prior(0.5, 0.1)},
        marker_sd=0.02,
    )
    result = solve(model, points, options)
    free = np.flatnonzero(free_coordinates(model))
    bounds = [(model.lower[c], model.upper[c]) if model.clamped[c] else (None, None) for c in free]
    for frame in range(0, 12, 4):

        def cost(x: FloatArray, frame: int = frame) -> float:
            q = model.default.copy()
            q[free] = x
            return _cost(model, q, points[frame], options)

        reached = minimize(cost, truth[frame][free], bounds=bounds, method="L-BFGS-B").fun
        assert result.cost[frame] == pytest.approx(cost(result.coordinates[frame][free]), rel=1e-9)
        assert result.cost[frame] <= reached * (1.0 + 1e-6)


def test_ranges_hold_where_clamped_and_only_there() -> None:
    model = puppet()
    truth, _ = _noisy(model, 1, 0.0)
    elbow, arm = COORDINATES.index("elbow_r"), COORDINATES.index("arm_r_add")
    truth[0, elbow], truth[0, arm] = -0.4, 1.7
    points = true_markers(model, truth)
    result = solve(model, points, NO_PROBES)
    assert result.coordinates[0, elbow] == 0.0
    free = np.flatnonzero(free_coordinates(model))
    low = np.where(model.clamped, model.lower, -np.inf)[free]
    high = np.where(model.clamped, model.upper, np.inf)[free]

    def residuals(x: FloatArray) -> FloatArray:
        q = model.default.copy()
        q[free] = x
        return np.ravel(marker_positions(model, q) - points[0])

    start = np.clip(truth[0][free], low + 1e-3, high - 1e-3)
    best = least_squares(residuals, start, bounds=(low, high), xtol=1e-12, ftol=1e-12)
    found = residuals(result.coordinates[0][free])
    assert found @ found <= 2.0 * best.cost * (1.0 + 1e-6)


def test_missing_markers_are_left_out_and_empty_frames_stay_empty() -> None:
    model = puppet()
    truth, points = _noisy(model, 40, 0.0)
    rng = np.random.default_rng(0)
    points[rng.random(points.shape[:2]) < 0.2] = np.nan
    points[[0, 10, 11, 39]] = np.nan
    result = solve(model, points, NO_PROBES)
    there = np.setdiff1d(np.arange(40), [0, 10, 11, 39])
    np.testing.assert_allclose(result.coordinates[there], truth[there], atol=1e-5)
    for field in (result.coordinates, result.cost[:, None], result.sigma):
        assert np.isnan(field[[0, 10, 11, 39]]).all()
    np.testing.assert_array_equal(np.isnan(result.marker_error), np.isnan(points).any(axis=2))


def test_a_weight_of_nought_leaves_a_marker_out_of_a_frame() -> None:
    model = puppet()
    _, points = _noisy(model, 60, 0.01)
    out = np.random.default_rng(4).random(points.shape[:2]) < 0.15
    out[20] = True
    factors = np.where(out, 0.0, 1.0)
    options = IkOptions(priors={"elbow_r": Prior(1.0, 0.3)}, marker_sd=0.01)
    by_weight = solve(model, points, replace(options, marker_weights_at=factors))
    by_gap = solve(model, np.where(out[..., None], np.nan, points), options)
    for name in ("coordinates", "cost", "sigma", "seen", "iterations"):
        np.testing.assert_array_equal(getattr(by_weight, name), getattr(by_gap, name), name)
    assert np.isnan(by_weight.coordinates[20]).all()
    assert np.isfinite(by_weight.marker_error).all(axis=1).sum() == 59


def test_each_frame_goes_by_its_own_weights() -> None:
    model = puppet()
    truth, points = _noisy(model, 6, 0.02)
    factors = np.random.default_rng(6).uniform(0.05, 4.0, points.shape[:2])
    options = replace(
        NO_PROBES,
        marker_weights={"arm_r_0": 3.0, "pelvis_1": 0.0},
        priors={"knee": Prior(0.5, 0.1)},
        marker_sd=0.02,
    )
    result = solve(model, points, replace(options, marker_weights_at=factors), truth[0])
    live = LiveSolver(model, options)
    for frame in range(6):
        own = {
            name: options.marker_weights.get(name, 1.0) * factor
            for name, factor in zip(model.marker_names, factors[frame], strict=True)
        }
        alone = replace(options, marker_weights=own)
        assert result.cost[frame] == pytest.approx(
            _cost(model, result.coordinates[frame], points[frame], alone), rel=1e-9
        )
        single = solve(model, points[frame : frame + 1], alone, truth[frame])
        assert result.cost[frame] == pytest.approx(float(single.cost[0]), rel=1e-5)
        np.testing.assert_allclose(result.sigma[frame], single.sigma[0], rtol=0.02)
        live.solve(points[frame], truth[frame], factors[frame])
        assert live.cost == pytest.approx(float(single.cost[0]), rel=1e-5)
    live.solve(points[0], truth[0])
    plain = solve(model, points[:1], options, truth[0])
    assert live.cost == pytest.approx(float(plain.cost[0]), rel=1e-5)
    assert live.cost != pytest.approx(float(result.cost[0]), rel=1e-2)


def test_a_strong_task_crushes_and_a_weak_one_does_not() -> None:
    """The weight counts as all markers together: 1 on a bending is the published fault."""
    model = puppet()
    truth, points = _noisy(model, 30, 0.0)
    column = COORDINATES.index("back_flex")
    moved = {}
    for weight in (1.0, 1e-4):
        options = replace(NO_PROBES, coordinate_weights={"back_flex": weight})
        found = solve(model, points, options).coordinates[:, column]
        moved[weight] = np.abs(found).mean() / np.abs(truth[:, column]).mean()
    assert moved[1.0] < 0.35
    assert moved[1e-4] > 0.99


def test_deviations_are_those_of_repeated_noise() -> None:
    model = puppet()
    truth = movement(1, seed=5)
    points = true_markers(model, np.repeat(truth, 400, axis=0))
    noise = np.random.default_rng(2).normal(0.0, 0.004, points.shape)
    options = IkOptions(probe_every=0, starts=2, marker_sd=0.004)
    result = solve(model, points + noise, options, start=truth[0])
    free = free_coordinates(model)
    ratio = result.coordinates.std(axis=0)[free] / result.sigma.mean(axis=0)[free]
    # The SD of an SD from 400 samples is 3.5 %.
    np.testing.assert_allclose(ratio, 1.0, atol=0.15)
    jacobian = marker_jacobian(model, truth[0]).reshape(-1, model.n_coordinates)[:, free]
    expected = 0.004 * np.sqrt(np.diag(np.linalg.inv(jacobian.T @ jacobian)))
    np.testing.assert_allclose(result.sigma.mean(axis=0)[free], expected, rtol=0.05)
    upper, back = COORDINATES.index("upper_flex"), COORDINATES.index("back_flex")
    np.testing.assert_allclose(result.sigma[:, upper], 1.5 * result.sigma[:, back])


def test_seen_and_only_the_prior_are_told_apart() -> None:
    model = puppet()
    _, points = _noisy(model, 20, 0.002)
    hidden = np.array([name.startswith("fore_r") for name in model.marker_names])
    points[10:, hidden] = np.nan
    options = replace(NO_PROBES, marker_sd=0.002, priors={"elbow_r": Prior(1.0, 0.2)})
    result = solve(model, points, options)
    elbow = COORDINATES.index("elbow_r")
    assert result.seen[:10, elbow].all()
    assert not result.seen[10:, elbow].any()
    np.testing.assert_allclose(result.sigma[10:, elbow], 0.2, rtol=0.02)
    np.testing.assert_allclose(result.coordinates[10:, elbow], 1.0, atol=1e-4)
    toe = COORDINATES.index("toe")
    assert (result.coordinates[:, toe] == model.default[toe]).all()
    assert (result.sigma[:, toe] == 0.0).all()


def test_a_coordinate_without_markers_stays_at_its_default() -> None:
    model = puppet()
    truth, points = _noisy(model, 5, 0.0)
    weights = {name: 0.0 for name in model.marker_names if name.startswith(("fore_l", "arm_l"))}
    result = solve(model, points, replace(NO_PROBES, marker_weights=weights))
    elbow = COORDINATES.index("elbow_l")
    assert (result.coordinates[:, elbow] == model.default[elbow]).all()
    assert np.isinf(result.sigma[:, elbow]).all()
    assert not result.seen[:, elbow].any()
    right = COORDINATES.index("elbow_r")
    np.testing.assert_allclose(result.coordinates[:, right], truth[:, right], atol=1e-5)


def test_probes_leave_wrong_minima_and_carry_better_ones_both_ways() -> None:
    """Started with an arm turned the wrong way, frames stay in worse minima without probes."""
    model = puppet()
    weights = {f"arm_r_{k}": 0.0 for k in range(4)}
    truth, points = _noisy(model, 60, 0.15)
    arm = [COORDINATES.index(n) for n in ("arm_r_flex", "arm_r_add", "arm_r_rot", "elbow_r")]
    rng = np.random.default_rng(0)
    left, probed = [], []
    for _ in range(30):
        start = truth[0].copy()
        start[arm] = rng.uniform((-np.pi, -np.pi, -np.pi, 0.0), (np.pi, np.pi, np.pi, 2.6))
        options = IkOptions(marker_weights=weights, probe_every=0)
        left.append(solve(model, points, options, start).cost)
        probed.append(solve(model, points, replace(options, probe_every=10), start).cost)
    best = np.minimum(np.min(left, axis=0), np.min(probed, axis=0)) * 1.01
    assert np.mean(np.array(left) > best) > 0.02
    assert np.mean(np.array(probed) > best) < 0.2 * np.mean(np.array(left) > best)


def test_full_turns_are_taken_out() -> None:
    model = puppet()
    truth = movement(50)
    turn = COORDINATES.index("root_turn")
    truth[:, turn] = np.linspace(0.0, 7.0, 50)
    wrapped = truth.copy()
    wrapped[:, turn] = (truth[:, turn] + np.pi) % (2.0 * np.pi) - np.pi
    wrapped[20] = np.nan
    found = unwrapped(model, wrapped)
    np.testing.assert_allclose(np.diff(found[:20, turn]), 1.0 / 7.0, atol=1e-9)
    assert found[21, turn] - found[19, turn] == pytest.approx(2.0 / 7.0)
    assert np.isnan(found[20]).all()
    elbow = COORDINATES.index("elbow_r")
    np.testing.assert_array_equal(found[:20, elbow], truth[:20, elbow])
    walked = solve(model, true_markers(model, truth), NO_PROBES).coordinates[:, turn]
    np.testing.assert_allclose(walked - walked[0], truth[:, turn], atol=1e-5)


def test_two_threads_find_what_one_finds_and_report_every_frame() -> None:
    model = puppet()
    _, points = _noisy(model, 260, 0.01)
    alone = solve(model, points, IkOptions())
    steps = solve_steps(model, points, IkOptions(threads=2))
    parts = []
    while True:
        try:
            parts.append(next(steps))
        except StopIteration as finished:
            together = finished.value
            break
    assert sorted(f for part in parts for f in range(part.first, part.stop)) == list(range(260))
    assert parts[-1].done == 260
    np.testing.assert_allclose(together.cost, alone.cost, rtol=2e-3)


def test_a_run_can_be_given_up() -> None:
    model = puppet()
    _, points = _noisy(model, 260, 0.01)
    steps = solve_steps(model, points)
    assert next(steps).stop == 100
    steps.close()


def test_a_dragged_marker_is_followed_as_in_a_full_run() -> None:
    model = puppet()
    _, points = _noisy(model, 3, 0.003)
    live = LiveSolver(model, NO_PROBES)
    pose = live.solve(points[0])
    points[0, 3] += (0.05, 0.0, 0.02)
    dragged = live.solve(points[0], pose)
    full = solve(model, points[:1], NO_PROBES)
    assert live.cost == pytest.approx(float(full.cost[0]), rel=1e-5)
    np.testing.assert_allclose(dragged, full.coordinates[0], atol=1e-3)
    assert np.isnan(live.solve(np.full_like(points[0], np.nan), pose)).all()


def test_the_same_seed_gives_the_same_answer() -> None:
    model = puppet()
    _, points = _noisy(model, 60, 0.01)
    np.testing.assert_array_equal(
        solve(model, points).coordinates, solve(model, points).coordinates
    )


def test_what_cannot_be_solved_is_refused() -> None:
    model = puppet()
    points = np.zeros((2, model.n_markers, 3))
    for options, error, message in (
        (IkOptions(marker_weights={"nose": 1.0}), KeyError, "no marker named nose"),
        (IkOptions(coordinate_weights={"tail": 1.0}), KeyError, "no coordinate named tail"),
        (IkOptions(default_weight=0.0), ValueError, "no marker of any weight"),
        (IkOptions(default_weight=-1.0), ValueError, "negative"),
        (IkOptions(priors={"knee": Prior(0.0, 0.0)}), ValueError, "SD of 0"),
        (IkOptions(marker_weights_at=np.ones((3, model.n_markers))), ValueError, "shape"),
        (IkOptions(marker_weights_at=-np.ones(points.shape[:2])), ValueError, "negative"),
    ):
        with pytest.raises(error, match=message):
            solve(model, points, options)
    with pytest.raises(ValueError, match="shape"):
        solve(model, points[:, :3])
