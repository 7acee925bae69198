"""What the batch solve of a track believes, and what it returns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.geometry.track_limbs import LimbLengths
from pipeline.geometry.track_views import RobustLoss

FloatArray = NDArray[np.floating]


@dataclass(frozen=True, slots=True)
class TrackOptions:
    """How observations and priors are believed. Defaults measured by ``benchmarks/track.py``.

    Parameters
    ----------
    loss_px : float
        Length of a reprojection error at which the loss turns from quadratic to linear.
    tail_px : float
        Length from which it loses its influence altogether; ``inf`` = never (plain soft-l1).
    sigma_px, full_score : float
        As in :class:`pipeline.geometry.triangulation.TriangulationOptions`.
    hold_px : float
        Standard deviation of a point set by a person, for the solution: so small that neither the
        other views nor the priors move it.
    manual_sigma_px : float
        The same for the uncertainty: how precisely people place points.
    acceleration : float
        Standard deviation of the acceleration per axis in m/s²; 11 is 3 mm/frame² at 60 Hz.
    limb_scale : float
        Factor on the standard deviations of the limb lengths; ``inf`` = no limbs.
    noise_time_s : float
        How long a detector's error lasts (correlation time), for the uncertainty.
    max_gap_s : float
        Frames seen by fewer than two views are bridged if no more than this many seconds lie
        between frames that are.
    """

    loss_px: float = 20.0
    tail_px: float = 30.0
    sigma_px: float = 8.0
    full_score: float = 0.4
    hold_px: float = 0.25
    manual_sigma_px: float = 2.0
    acceleration: float = 11.0
    limb_scale: float = 1.0
    noise_time_s: float = 0.15
    max_gap_s: float = 0.25

    def loss(self, *, robust: bool) -> RobustLoss:
        """The loss of the first pass, or of the final one."""
        return RobustLoss(self.loss_px, self.tail_px if robust else np.inf)


DEFAULT_TRACK_OPTIONS = TrackOptions()


@dataclass(frozen=True, slots=True, eq=False)
class TrackSolution:
    """One person's points over time.

    Parameters
    ----------
    xyz : (T, K, 3) array
        World metres; NaN where a point is neither seen by two views nor bridged.
    sigma : (T, K) array
        Millimetres along the longest axis; NaN where there is no point or a person placed it in 3D.
    bridged : (T, K) bool array
        Points that fewer than two views see: the priors filled them in.
    lengths : LimbLengths
        The limb lengths used.
    """

    xyz: FloatArray
    sigma: FloatArray
    bridged: NDArray[np.bool_]
    lengths: LimbLengths
