"""Laying one set of points over another."""

from __future__ import annotations

import numpy as np
from scipy.spatial import procrustes
from scipy.spatial.transform import Rotation

from pipeline.quality.procrustes import aligned_errors, laid_over


def _frames(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(0.0, 0.4, (5, 12, 3))


def test_a_similarity_is_undone() -> None:
    truth = _frames(0)
    turn = Rotation.from_rotvec([0.3, -2.0, 0.9])
    found = np.array([1.7 * turn.apply(frame) + [3.0, -2.0, 5.0] for frame in truth])
    np.testing.assert_allclose(laid_over(found, truth), truth, atol=1e-12)


def test_the_residual_is_that_of_scipy() -> None:
    """scipy may mirror; points near each other need no mirror."""
    truth = _frames(1)
    found = truth + np.random.default_rng(2).normal(0.0, 0.02, truth.shape)
    ours = (aligned_errors(found, truth) ** 2).sum(axis=-1)
    for a, b, residual in zip(found, truth, ours, strict=True):
        spread = ((b - b.mean(axis=0)) ** 2).sum()
        np.testing.assert_allclose(residual, procrustes(b, a)[2] * spread, rtol=1e-6)


def test_a_mirror_image_stays_one() -> None:
    truth = _frames(3)
    assert aligned_errors(truth * [-1.0, 1.0, 1.0], truth).mean() > 0.1


def test_missing_points_take_no_part() -> None:
    truth = _frames(4)
    found = 2.0 * truth
    found[1, 3] = np.nan
    truth[2, 5] = np.nan
    found[3, 3:] = np.nan
    errors = aligned_errors(found, truth)
    assert np.isnan(errors[1, 3])
    assert np.isnan(errors[2, 5])
    assert np.isnan(errors[3]).all()
    assert np.nanmax(errors) < 1e-12
    assert np.isfinite(errors).sum() == 2 * 12 + 2 * 11
