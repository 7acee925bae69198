"""The body model fitted to lines of sight, from a guess of the depths that is off."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.data.skeleton import project_skeleton
from pipeline.kinematics.forward import marker_positions
from pipeline.kinematics.model import coordinate_index
from pipeline.quality.procrustes import aligned_errors
from pipeline.simulation.one_view import ViewFit, fit_view, keypoint_model

FloatArray = NDArray[np.float64]
ANGLES = ("lumbar_lower_flex", "lumbar_bend")
RATE, FRAMES = 14.0, 24
# Camera axes (X right, Y down, Z ahead) of a world with Y up; the person is 4 m ahead.
TURN = np.diag([1.0, -1.0, -1.0])
AWAY = np.array([0.1, 0.9, 4.0])
COLUMN = list(project_skeleton().column)
HIP = project_skeleton().index("hip")


@pytest.fixture(scope="module")
def truth() -> tuple[FloatArray, FloatArray]:
    """Places in the camera (T, 37, 3) and the two angles of somebody who bends and lifts arms."""
    model, times = keypoint_model(), np.arange(FRAMES) / RATE
    swing = np.sin(2.0 * np.pi * 0.4 * times)
    coordinates = np.tile(model.default, (FRAMES, 1))
    for name, amount in (
        ("pelvis_rotation", 0.5), ("lumbar_lower_flex", 0.25), ("lumbar_bend", 0.3),
        ("arm_flex_r", 0.8), ("arm_flex_l", -0.5), ("knee_angle_l", 0.0),
    ):  # fmt: skip
        coordinates[:, coordinate_index(model, name)] += amount * (0.6 + 0.4 * swing)
    places = marker_positions(model, coordinates) @ TURN.T + AWAY
    asked = [coordinate_index(model, name) for name in ANGLES]
    return places, coordinates[:, asked]


def guessed(places: FloatArray) -> FloatArray:
    """Relative places along the true lines of sight, each off in depth all through the clip."""
    rng = np.random.default_rng(3)
    off = 1.0 + 0.03 * rng.standard_normal((1, places.shape[1], 1)) / places[..., 2:]
    moved = places * off
    return np.asarray(moved - moved[:, HIP : HIP + 1])


def fitted(places: FloatArray, directions: FloatArray, guess: FloatArray | None = None) -> ViewFit:
    given = guessed(places) if guess is None else guess
    sd = np.where(np.isfinite(given[..., 0]), 0.03, np.nan)
    return fit_view(directions, given, sd, TURN, RATE, ANGLES)


def lines(places: FloatArray) -> FloatArray:
    return np.asarray(places[..., :2] / places[..., 2:])


def column_error(found: FloatArray, places: FloatArray) -> float:
    return float(np.nanmean(aligned_errors(found, places)[:, COLUMN]))


def test_depths_come_out_better_than_guessed(truth: tuple[FloatArray, FloatArray]) -> None:
    places, angles = truth
    fit = fitted(places, lines(places))
    before = column_error(guessed(places), places)
    assert before > 0.012
    assert column_error(fit.xyz, places) < 0.5 * before
    assert np.sqrt(np.mean((fit.angles - angles) ** 2)) < np.radians(6.0)
    others = [k for k in range(37) if k != HIP]
    assert np.abs(fit.xyz[:, HIP]).max() < 1e-9
    assert (fit.sigma[:, others] > 0.0).all()
    assert (fit.sigma < 0.2).all()
    assert (fit.angle_sigma > 0.0).all()


def test_missing_and_misplaced_points_do_little(truth: tuple[FloatArray, FloatArray]) -> None:
    places, _ = truth
    whole = fitted(places, lines(places)).xyz
    directions = lines(places)
    directions[5:9] = np.nan
    directions[:, project_skeleton().index("left_wrist")] = np.nan
    directions[12:14, project_skeleton().index("right_knee")] += 0.1
    fit = fitted(places, directions)
    assert np.isfinite(fit.xyz).all()
    assert column_error(fit.xyz, places) < column_error(guessed(places), places)
    assert np.linalg.norm(fit.xyz - whole, axis=-1)[:, COLUMN].mean() < 0.02


def test_frames_without_a_guess_stay_empty(truth: tuple[FloatArray, FloatArray]) -> None:
    places, _ = truth
    guess, directions = guessed(places), lines(places)
    guess[:4], directions[:4] = np.nan, np.nan
    fit = fitted(places, directions, guess)
    for values in (fit.xyz, fit.sigma, fit.angles, fit.angle_sigma):
        assert np.isnan(values[:4]).all()
        assert np.isfinite(values[4:]).all()


def test_long_recordings_are_fitted_in_parts(
    truth: tuple[FloatArray, FloatArray], monkeypatch: pytest.MonkeyPatch
) -> None:
    places, _ = truth
    monkeypatch.setattr("pipeline.simulation.one_view._PART", 10)
    monkeypatch.setattr("pipeline.simulation.one_view._SIZES", 12)
    monkeypatch.setattr("pipeline.simulation.one_view._SHARED", 4)
    fit = fitted(places, lines(places))
    assert column_error(fit.xyz, places) < 0.7 * column_error(guessed(places), places)
    steps = np.linalg.norm(np.diff(fit.xyz - (places - places[:, HIP : HIP + 1]), axis=0), axis=-1)
    assert steps.max() < 0.05


@pytest.mark.parametrize("frames", [1, 2, 3])
def test_a_few_frames_are_enough(truth: tuple[FloatArray, FloatArray], frames: int) -> None:
    places = truth[0][:frames]
    fit = fitted(places, lines(places))
    assert fit.xyz.shape == places.shape
    assert column_error(fit.xyz, places) < column_error(guessed(places), places)
    assert np.isfinite(fit.sigma).all()


def test_nothing_to_fit_is_refused_and_work_can_be_ended(
    truth: tuple[FloatArray, FloatArray],
) -> None:
    places, _ = truth
    with pytest.raises(ValueError, match="enough points"):
        fitted(places, np.full_like(lines(places), np.nan))
    told: list[float] = []

    def stop(share: float) -> None:
        told.append(share)
        raise InterruptedError

    with pytest.raises(InterruptedError):
        fit_view(
            lines(places),
            guessed(places),
            np.full(places.shape[:2], 0.03),
            TURN,
            RATE,
            ANGLES,
            stop,
        )
    assert len(told) == 1
