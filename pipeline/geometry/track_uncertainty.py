"""Standard deviations of a track's points that stay true when a detector errs for many frames."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from pipeline.geometry.track_options import TrackOptions
from pipeline.geometry.track_part import Priors
from pipeline.geometry.track_sigma import longest_sigma, marginal_covariance
from pipeline.geometry.track_views import TrackViews, solved_inverse, views_at, weighted_normal

FloatArray = NDArray[np.floating]

# Covariances reach so far in time; disagreement between views is averaged over so long.
REACH_S, AGREEMENT_S = 0.4, 0.25


def point_sigma(
    views: TrackViews, priors: Priors, xyz: FloatArray, fps: float, options: TrackOptions
) -> FloatArray:
    """(K, T) millimetres along the longest axis at the solution (K, T, 3).

    A detector's errors last: with the correlation time ``noise_time_s`` only every c-th frame is
    new information, c = (1 + r) / (1 - r), r = exp(-1 / frames), which is the noise's power at low
    frequencies. Where views disagree by more than ``sigma_px`` says, over half a second, the
    detections' variance grows by chi squared per degree of freedom. Smoothing never makes a point
    that two views see more uncertain than those views alone.
    """
    k, t, _ = xyz.shape
    at = views_at(views, np.ascontiguousarray(xyz.reshape(k * t, 3).T), options.loss(robust=True))
    detected = np.where(views.manual, 0.0, at.weight)
    chi2 = (detected * at.square).sum(axis=0).reshape(k, t)
    # An observation that the loss gave up counts as little as it weighs.
    trust = detected / np.where(views.information > 0.0, views.information, 1.0)
    dof = np.maximum(2.0 * trust.sum(axis=0) - 3.0, 0.0).reshape(k, t)
    half = max(1, round(AGREEMENT_S * fps))
    disagreement = np.maximum(1.0, _moving_sum(chi2 * (dof > 0.0), half)
                              / np.maximum(_moving_sum(dof, half), 1.0))  # fmt: skip
    correlation = math.exp(-1.0 / max(options.noise_time_s * fps, 1e-3))
    repeated = (1.0 + correlation) / (1.0 - correlation)

    by_hand = np.where(views.manual, options.manual_sigma_px**-2.0, 0.0) * (at.weight > 0.0)
    once = weighted_normal(at, detected / disagreement.reshape(-1) + by_hand)
    many = weighted_normal(at, detected / (repeated * disagreement.reshape(-1)) + by_hand)
    covariance = marginal_covariance(
        many.reshape(6, k, t), priors, xyz, max(8, math.ceil(REACH_S * fps))
    )
    sigma = longest_sigma(covariance)
    several = (at.weight > 0.0).sum(axis=0) >= 2
    alone = longest_sigma(solved_inverse(once[:, several]))
    sigma.reshape(-1)[several] = np.minimum(sigma.reshape(-1)[several], alone)
    return np.asarray(1000.0 * sigma)


def _moving_sum(values: FloatArray, half: int) -> FloatArray:
    """Sums over 2 half + 1 frames, fewer at the ends; (K, T)."""
    t = values.shape[1]
    total = np.concatenate([np.zeros((len(values), 1)), np.cumsum(values, axis=1)], axis=1)
    index = np.arange(t)
    return np.asarray(total[:, np.minimum(index + half + 1, t)]
                      - total[:, np.maximum(index - half, 0)])  # fmt: skip
