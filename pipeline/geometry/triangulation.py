"""3D points from several views: score-weighted, robust, every view down-weighted, none dropped.

Minimises, per point, the sum over views of ``weight * loss(|reprojection error|)`` in pixels by
iteratively reweighted Gauss-Newton, starting from the weighted linear solution. The distortion is
linearised once at each *observation*, which is exact to second order in the reprojection error and
leaves a pinhole problem for the iterations; the residuals that are reported are exact.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pipeline.data.camera import Camera
from pipeline.geometry.point_solver import (
    Loss,
    Problem,
    linear_solution,
    ridged,
    solve,
)
from pipeline.geometry.projection import (
    CameraStack,
    normalised_views,
    project_views,
    stacked,
)
from pipeline.geometry.single_point import solve_single

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

# Points solved together: bounds memory, and keeps the working set within a processor's cache.
CHUNK = 2048


@dataclass(frozen=True, slots=True)
class TriangulationOptions:
    """How observations are believed.

    Parameters
    ----------
    loss : str
        Loss on the length of a detection's reprojection error.
    loss_px : float
        Length at which the loss turns from quadratic to lenient. Defaults measured on the real
        recording by ``benchmarks/triangulation.py``.
    sigma_px : float
        Standard deviation per axis of a detection of weight 1; a weight w stands for the variance
        ``sigma_px**2 / w``. 8 px is what detections disagree by once cameras are refined.
    full_score : float
        Scores from here on count fully, lower ones in proportion: weight min(score / full_score,
        1). With the score itself as the weight (``full_score=1``) the held-out error on the real
        recording is 0.3 px higher.
    manual_sigma_px : float
        The same for a point set by a person; never treated robustly.
    max_iterations : int
        Upper bound on Gauss-Newton steps; 0 returns the linear solution.
    """

    loss: Loss = "soft_l1"
    loss_px: float = 9.0
    sigma_px: float = 8.0
    full_score: float = 0.4
    manual_sigma_px: float = 2.0
    max_iterations: int = 30


DEFAULT_OPTIONS = TriangulationOptions()
# Plain score-weighted DLT, the baseline of every comparison.
LINEAR_OPTIONS = TriangulationOptions(loss="l2", full_score=1.0, max_iterations=0)


@dataclass(frozen=True, slots=True, eq=False)
class Triangulation:
    """Points and what is known about their quality.

    Parameters
    ----------
    xyz : (N, 3) array
        World metres; NaN with fewer than two usable views, when the point would be behind all but
        one of them, and when ``sigma`` would exceed the distance to the nearest camera (lines of
        sight that part, or run side by side).
    residual : (N, V) array
        Reprojection error in pixels of *every* view that has coordinates, whatever its weight; NaN
        without coordinates or without a point, ``inf`` where the point is outside what the camera
        can see (behind it).
    covariance : (N, 3, 3) array
        Square metres: the inverse of the robustly weighted normal matrix, times the variance
        factor (chi squared per degree of freedom) where that exceeds 1. Systematic errors of the
        calibration are covered only as far as they make views disagree.
    sigma : (N,) array
        Millimetres: standard deviation along the covariance's *longest* axis, so that a depth
        nobody measured is not averaged away.
    n_views : (N,) int array
        Views that took part (coordinates, weight above 0, and within the lens model).
    """

    xyz: FloatArray
    residual: FloatArray
    covariance: FloatArray
    sigma: FloatArray
    n_views: NDArray[np.int64]


def triangulate(
    cameras: Iterable[Camera],
    xy: ArrayLike,
    score: ArrayLike,
    *,
    manual: ArrayLike | None = None,
    options: TriangulationOptions = DEFAULT_OPTIONS,
) -> Triangulation:
    """Triangulate many points, or one.

    Parameters
    ----------
    cameras : iterable of V cameras
    xy : (N, V, 2) array
        Pixels; NaN = not observed.
    score : (N, V) array
        The detector's confidence; 0 or NaN = measured, but not used.
    manual : (N, V) bool array, optional
        Observations set by a person: ``manual_sigma_px``, no robust loss, whatever the score.
    options : TriangulationOptions

    Returns
    -------
    Triangulation

    Raises
    ------
    ValueError
        If the shapes do not fit each other.
    """
    views = tuple(cameras)
    pixels = np.asarray(xy, dtype=np.float64)
    scores = np.asarray(score, dtype=np.float64)
    if pixels.ndim != 3 or pixels.shape[1:] != (len(views), 2):
        raise ValueError(f"xy has shape {pixels.shape}, expected (N, {len(views)}, 2)")
    if scores.shape != pixels.shape[:2]:
        raise ValueError(f"score has shape {scores.shape}, expected {pixels.shape[:2]}")
    clicked = None if manual is None else np.asarray(manual, dtype=bool)
    if clicked is not None and clicked.shape != scores.shape:
        raise ValueError(f"manual has shape {clicked.shape}, expected {scores.shape}")
    if len(pixels) <= CHUNK:
        return _solve(views, pixels, scores, clicked, options)
    parts = [
        _solve(views, pixels[part], scores[part], None if clicked is None else clicked[part],
               options)
        for part in (slice(i, i + CHUNK) for i in range(0, len(pixels), CHUNK))
    ]  # fmt: skip
    return Triangulation(
        *(np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(Triangulation))
    )


def _solve(
    views: tuple[Camera, ...],
    pixels: FloatArray,
    scores: FloatArray,
    manual: BoolArray | None,
    options: TriangulationOptions,
) -> Triangulation:
    stack = stacked(views)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        seen = np.isfinite(pixels).all(axis=-1)
        rows, offset, used = linear_rows(views, stack, pixels)
        information = np.minimum(scores / options.full_score, 1.0) / options.sigma_px**2
        if manual is not None:
            information = np.where(manual, options.manual_sigma_px**-2.0, information)
        used &= information > 0.0
        information = np.where(used, information, 0.0)
        n_views = used.sum(axis=1)

        xyz = linear_solution(rows, offset, information)
        problem = Problem(xyz, rows, offset, information, used, manual)
        how = (options.loss, options.loss_px, options.max_iterations)
        solver = solve_single if len(pixels) == 1 else solve
        at = solver(stack, problem, *how)
        factor = np.maximum(1.0, at.chi2 / np.maximum(2 * n_views - 3, 1))
        covariance = np.linalg.inv(ridged(at.normal)) * factor[:, None, None]
        sigma = 1000.0 * np.sqrt(np.linalg.eigvalsh(covariance)[:, 2])
        lost = (n_views < 2) | (at.front < 2) | ~(sigma < 1000.0 * at.nearest)
        xyz = problem.xyz
        xyz[lost], covariance[lost], sigma[lost] = np.nan, np.nan, np.nan

        difference = project_views(views, xyz) - pixels
        residual = np.sqrt(np.einsum("nvi,nvi->nv", difference, difference))
        residual[seen & np.isnan(residual) & ~lost[:, None]] = np.inf
    return Triangulation(xyz, residual, covariance, sigma, n_views)


def linear_rows(
    views: tuple[Camera, ...], stack: CameraStack, pixels: FloatArray
) -> tuple[FloatArray, FloatArray, BoolArray]:
    """(N, V, 2, 3) rows and (N, V, 2) offset with ``rows @ xyz + offset = depth * residual``."""
    place, slope = normalised_views(views, pixels)
    used = np.isfinite(place[..., 0])
    if not used.all():
        place[~used] = 0.0
        if slope is not None:
            slope[~used] = 0.0
    rotation, translation = stack.rotation, stack.translation
    rows = rotation[:, :2] - place[..., None] * rotation[:, None, 2]
    offset = (translation[:, :2] - place * translation[:, None, 2])[..., None]
    to_pixels = stack.scale if slope is None else stack.scale @ slope
    return to_pixels @ rows, (to_pixels @ offset)[..., 0], used
