"""Movements solved at once: against dense algebra, and against truth with noise and offsets."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pipeline.kinematics.functions import consistent
from pipeline.kinematics.ik import solve
from pipeline.kinematics.ik_options import IkOptions, Prior
from pipeline.kinematics.model import FloatArray, free_coordinates
from pipeline.kinematics.steady import steady
from pipeline.kinematics.steady_solve import (
    Expected,
    covariances,
    spread_weights,
    step_over_time,
)
from tests.kinematics.puppet import COORDINATES, movement, puppet, true_markers, true_poses

RATE, FRAMES, NOISE = 50.0, 300, 0.005
PER_FRAME = IkOptions(probe_every=0, starts=4, marker_sd=NOISE)
BENDING = [COORDINATES.index(name) for name in ("back_flex", "back_bend")]


@pytest.fixture(scope="module")
def noisy() -> tuple[FloatArray, FloatArray]:
    truth = movement(FRAMES, seed=3)
    noise = np.random.default_rng(4).normal(0.0, NOISE, (FRAMES, puppet().n_markers, 3))
    return truth, true_markers(puppet(), truth) + noise


def dense(expected: Expected, frames: int) -> FloatArray:
    """(T, U, T, U) Hessian of what is expected, from differences of the identity."""
    n = len(expected.mean)
    third = np.diff(np.eye(frames), 3, axis=0)
    found = np.zeros((frames, n, frames, n))
    for u in range(n):
        rough = third.T @ np.diag(expected.joined[:, u]) @ third
        found[:, u, :, u] = expected.roughness[u] * rough + expected.stiffness[u] * np.eye(frames)
        found[:, u, :, u] += expected.held[u] / frames**2
    return found


def some_frames(frames: int, n: int) -> FloatArray:
    rows = np.random.default_rng(0).normal(0, 1, (frames, 2 * n, n))
    return np.einsum("tki,tkj->tij", rows, rows)


def test_a_step_is_that_of_dense_algebra_in_one_window_and_in_several() -> None:
    frames, n = 700, 2
    stiffness, roughness = spread_weights(np.array([0.2, 1.5]), 1.0, 20.0)
    joined = np.ones((frames - 3, n))
    joined[40:43, 1] = 0.0
    held = np.array([0.0, 3e4])
    expected = Expected(np.array([0.1, -0.2]), stiffness, roughness, joined, held)
    hessians = some_frames(frames, n)
    x = np.random.default_rng(1).normal(0, 1, (frames, n))
    whole = dense(expected, frames)
    off = (x - expected.mean).ravel()
    assert expected.cost(x) == pytest.approx(
        0.5 * off @ whole.reshape(frames * n, -1) @ off, rel=1e-9
    )
    slope = (whole.reshape(frames * n, -1) @ off).reshape(frames, n)
    np.testing.assert_allclose(expected.slope(x), slope, rtol=1e-6, atol=1e-6)
    for t in range(frames):
        whole[t, :, t, :] += hessians[t]
    wanted = np.linalg.solve(whole.reshape(frames * n, -1), -slope.ravel()).reshape(frames, n)
    found = step_over_time(hessians, slope, expected, 60)
    largest = np.abs(wanted).max()
    # What is known of the means does come from beyond.
    np.testing.assert_allclose(found[:400, 0], wanted[:400, 0], atol=1e-5 * largest)
    np.testing.assert_allclose(found[:400], wanted[:400], atol=1e-4 * largest)
    # Beside a seam a window does not know all that is beyond it.
    np.testing.assert_allclose(found, wanted, atol=0.02 * largest)


def test_covariances_are_those_of_the_middle_of_a_long_run() -> None:
    frames, n = 400, 2
    stiffness, roughness = spread_weights(np.array([0.2, 1.5]), 1.0, 20.0)
    free = np.ones((frames - 3, n))
    expected = Expected(np.zeros(n), stiffness, roughness, free, np.zeros(n))
    hessian = some_frames(1, n)[0]
    for strength in (0.0, 1.0, 1e4):
        whole = dense(expected, frames)
        for t in range(frames):
            whole[t, :, t, :] += strength * hessian
        inverse = np.linalg.inv(whole.reshape(frames * n, -1)).reshape(whole.shape)
        wanted = inverse[frames // 2, :, frames // 2, :]
        np.testing.assert_allclose(covariances(strength * hessian, expected), wanted, rtol=0.02)
    alone = np.sqrt(np.diag(covariances(0.0 * hessian, expected)))
    np.testing.assert_allclose(alone, [0.2, 1.5], rtol=0.02)


def test_a_movement_is_found_better_than_frame_by_frame_and_knows_how_well(
    noisy: tuple[FloatArray, FloatArray],
) -> None:
    model, (truth, points) = puppet(), noisy
    alone = solve(model, points, PER_FRAME)
    # What is told of the noise is twice too much: the residuals say so.
    options = replace(PER_FRAME, marker_sd=2.0 * NOISE)
    found = steady(model, points, alone.coordinates, RATE, options)
    assert found.noise == pytest.approx(NOISE, rel=0.1)
    assert found.offset < 0.2 * NOISE
    free = free_coordinates(model)
    errors = [np.abs(each.coordinates - truth)[:, free] for each in (alone, found.fitted)]
    rms = [np.sqrt(np.mean(error**2, axis=0)) for error in errors]
    assert (rms[1] < 0.7 * rms[0]).all()
    ratio = np.sqrt(np.mean(found.fitted.sigma[:, free] ** 2, axis=0)) / rms[1]
    assert 0.8 < np.median(ratio) < 1.25
    assert ((ratio > 0.5) & (ratio < 2.0)).all()


def test_a_prior_does_not_count_again_in_every_frame(
    noisy: tuple[FloatArray, FloatArray],
) -> None:
    """Coarse points and a prior about as wide as the movement: frame by frame it is crushed."""
    model, (truth, points) = puppet(), noisy
    coarse = points + np.random.default_rng(5).normal(0.0, 0.03, points.shape)
    priors = {"back_flex": Prior(0.0, 0.2), "back_bend": Prior(0.0, 0.2)}
    weights = {f"{body}_{k}": 0.0 for body in ("low", "pelvis") for k in (0, 1, 2)}
    options = replace(PER_FRAME, marker_sd=0.03, priors=priors, marker_weights=weights)
    alone = solve(model, coarse, options)
    found = steady(model, coarse, alone.coordinates, RATE, options).fitted
    for c in BENDING:
        errors = [np.std(each.coordinates[:, c] - truth[:, c]) for each in (alone, found)]
        assert errors[1] < 0.6 * errors[0]
        assert np.polyfit(truth[:, c], found.coordinates[:, c], 1)[0] == pytest.approx(1, abs=0.1)


def test_offsets_that_stay_are_told_from_noise(noisy: tuple[FloatArray, FloatArray]) -> None:
    model, (truth, points) = puppet(), noisy
    shifts = np.random.default_rng(6).normal(0.0, 0.01, (model.n_markers, 3))
    turned = np.stack([true_poses(model, frame)[model.marker_bodies, :, :3] for frame in truth])
    shifted = points + np.einsum("tmij,mj->tmi", turned, shifts)
    alone = solve(model, shifted, PER_FRAME)
    found = steady(model, shifted, alone.coordinates, RATE, PER_FRAME)
    assert found.offset == pytest.approx(0.01, rel=0.3)
    assert NOISE < found.noise < 2.0 * NOISE
    free = free_coordinates(model)
    rms = np.sqrt(np.mean((found.fitted.coordinates - truth)[:, free] ** 2, axis=0))
    ratio = np.sqrt(np.mean(found.fitted.sigma[:, free] ** 2, axis=0)) / rms
    assert 0.6 < np.median(ratio) < 1.6


def test_gaps_are_bridged_and_empty_frames_stay_empty(
    noisy: tuple[FloatArray, FloatArray],
) -> None:
    model, (truth, points) = puppet(), noisy
    points = points.copy()
    arm = np.array([name.startswith(("arm_r", "fore_r")) for name in model.marker_names])
    points[100:106, arm] = np.nan
    points[200:203] = np.nan
    options = replace(PER_FRAME, priors={"elbow_r": Prior(1.0, 0.6)})
    alone = solve(model, points, options)
    found = steady(model, points, alone.coordinates, RATE, options).fitted
    elbow = COORDINATES.index("elbow_r")
    gap = np.abs(found.coordinates - truth)[100:106, elbow].max()
    assert gap < 0.05 < np.abs(alone.coordinates - truth)[100:106, elbow].max()
    assert np.isnan(found.coordinates[200:203]).all()
    assert np.isnan(found.cost[200:203]).all()
    assert np.isfinite(found.coordinates[[199, 203]]).all()
    assert found.seen[50, elbow]
    points[150:, arm] = np.nan
    alone = solve(model, points, options)
    found = steady(model, points, alone.coordinates, RATE, options).fitted
    assert not found.seen[250, elbow]
    assert found.sigma[250, elbow] == pytest.approx(0.6, rel=0.05)
    assert found.coordinates[299, elbow] == pytest.approx(1.0, abs=0.1)


def test_ranges_hold(noisy: tuple[FloatArray, FloatArray]) -> None:
    model, (truth, _) = puppet(), noisy
    straight = truth.copy()
    elbow = COORDINATES.index("elbow_l")
    straight[:, elbow] = np.maximum(0.4 * np.sin(np.arange(FRAMES) / 15.0), 0.0)
    points = true_markers(model, straight)
    points += np.random.default_rng(7).normal(0.0, NOISE, points.shape)
    alone = solve(model, points, PER_FRAME)
    found = steady(model, points, alone.coordinates, RATE, PER_FRAME).fitted.coordinates
    assert found[:, elbow].min() >= 0.0
    assert np.abs(found - straight)[:, elbow].max() < 0.08
    np.testing.assert_allclose(found, consistent(model, found))


def test_a_pose_said_in_another_way_is_no_movement(noisy: tuple[FloatArray, FloatArray]) -> None:
    model, (truth, points) = puppet(), noisy
    alone = solve(model, points, PER_FRAME).coordinates.copy()
    flex, add, turn = (COORDINATES.index(f"arm_r_{way}") for way in ("flex", "add", "rot"))
    alone[150:, flex] += np.pi
    alone[150:, add] = np.pi - alone[150:, add]
    alone[150:, turn] += np.pi
    same = true_markers(model, alone[150:151])
    np.testing.assert_allclose(same, points[150:151], atol=0.03)
    found = steady(model, points, alone, RATE, PER_FRAME)
    assert found.noise == pytest.approx(NOISE, rel=0.1)
    assert np.nanmedian(found.fitted.marker_error) < 2.0 * NOISE
    errors = np.linalg.norm(true_markers(model, found.fitted.coordinates[140:160])
                            - true_markers(model, truth[140:160]), axis=-1)  # fmt: skip
    assert errors.max() < 4.0 * NOISE


def test_single_frames_and_nothing_to_follow() -> None:
    model = puppet()
    truth = movement(3)
    points = true_markers(model, truth)
    few = steady(model, points, truth, RATE, PER_FRAME)
    np.testing.assert_allclose(few.fitted.coordinates, truth, atol=1e-3)
    assert (few.noise, few.offset) == (NOISE, NOISE)
    with pytest.raises(ValueError, match="no frame"):
        steady(model, np.full_like(points, np.nan), truth, RATE, PER_FRAME)
