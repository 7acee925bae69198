"""Filters: their gain at the cutoff, no phase, weights, gaps, hard samples."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.kinematics.smoothing import lowpass, penalty_of

RATE, CUTOFF = 50.0, 6.0


def wave(hertz: float, n_frames: int = 2000) -> np.ndarray:
    return np.sin(2 * np.pi * hertz * np.arange(n_frames) / RATE)[:, None]


def gain(filtered: np.ndarray, hertz: float) -> complex:
    """Amplitude and phase of a filtered wave, away from the ends."""
    inner = slice(500, 1500)
    turning = np.exp(-2j * np.pi * hertz * np.arange(len(filtered)) / RATE)[inner]
    return complex(2j * np.mean(filtered[inner, 0] * turning))


def smooth(values: np.ndarray, **options: object) -> np.ndarray:
    return lowpass(values, np.ones(values.shape[:-1]), RATE, CUTOFF, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(("hertz", "expected"), [(1.0, 1.0), (CUTOFF, 0.5**0.5), (15.0, 0.0)])
def test_the_gain_is_that_of_the_cutoff_and_there_is_no_phase(hertz, expected) -> None:
    found = gain(smooth(wave(hertz)), hertz)
    assert abs(found) == pytest.approx(expected, abs=0.03)
    assert abs(found.imag) < 1e-3


def test_a_parabola_passes_and_ends_do_not_bend() -> None:
    t = np.linspace(0, 1, 80)[:, None]
    curve = np.concatenate([3 * t**2 - t, 1 + t], axis=1)
    np.testing.assert_allclose(smooth(curve), curve, atol=1e-8)


def test_a_hard_sample_stays_and_the_same_one_otherwise_goes() -> None:
    values = np.zeros((101, 1, 3))
    values[50, 0, 1] = 0.030
    hard = np.zeros((101, 1), bool)
    hard[50] = True
    assert smooth(values, hard=hard)[50, 0, 1] == pytest.approx(0.030, rel=1e-3)
    assert smooth(values)[50, 0, 1] < 0.012


def test_weights_decide_between_neighbours() -> None:
    rng = np.random.default_rng(3)
    truth = wave(0.5, 400)
    sigma = np.where(np.arange(400) % 4 == 0, 0.02, 0.4)
    noisy = truth + rng.normal(0, 1, truth.shape) * sigma[:, None]
    weighed = lowpass(noisy, (0.02 / sigma) ** 2, RATE, CUTOFF)
    assert np.std(weighed - truth) < 0.3 * np.std(smooth(noisy) - truth)


def test_short_gaps_are_closed_and_long_ones_and_ends_stay_open() -> None:
    truth = wave(0.5, 400)
    values = truth.copy()
    values[:5] = values[100:110] = values[200:290] = np.nan
    filled = smooth(values)
    assert np.isnan(filled[:5]).all()
    assert np.isnan(filled[200:290]).all()
    assert np.isfinite(filled[5:200]).all()
    assert np.abs(filled - truth)[100:110].max() < 0.01


def test_few_samples_are_joined() -> None:
    values = np.full((20, 2), np.nan)
    values[4], values[8] = (0, 0), (4, 8)
    np.testing.assert_allclose(smooth(values)[6], (2, 4))
    assert np.isnan(smooth(np.full((5, 2), np.nan))).all()


def test_an_impossible_cutoff_is_refused() -> None:
    with pytest.raises(ValueError, match="25 Hz is impossible at 50"):
        penalty_of(25.0, 50.0)
