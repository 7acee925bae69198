"""Parts of a track solved again after an edit: some frames, or the one point that is dragged."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pipeline.data.camera import CameraGroup
from pipeline.geometry.point_solver import Problem, linear_solution
from pipeline.geometry.projection import stacked
from pipeline.geometry.single_point import LossFunction, Matrix, Row, linearised_at, observations
from pipeline.geometry.single_point import solved as solved_single
from pipeline.geometry.track_input import checked_track
from pipeline.geometry.track_limbs import LimbLengths
from pipeline.geometry.track_options import DEFAULT_TRACK_OPTIONS, TrackOptions
from pipeline.geometry.track_sigma import longest_sigma
from pipeline.geometry.track_solve import RELAXED, solve_frames
from pipeline.geometry.track_system import FIRST_SHARE
from pipeline.geometry.track_views import solved_inverse
from pipeline.geometry.triangulation import linear_rows

FloatArray = NDArray[np.floating]

# Seconds on both sides of a window that are read, but stay as they are.
MARGIN_S = 0.25
POINT_STEPS, POINT_TOLERANCE = 20, 5e-5


def solve_track_window(
    cameras: CameraGroup,
    xy: ArrayLike,
    score: ArrayLike,
    xyz: ArrayLike,
    start: int,
    stop: int,
    *,
    lengths: LimbLengths,
    fps: float,
    manual: ArrayLike | None = None,
    placed: ArrayLike | None = None,
    options: TrackOptions = DEFAULT_TRACK_OPTIONS,
) -> tuple[FloatArray, FloatArray]:
    """Solve frames ``start`` to ``stop`` again, everything outside held where it is.

    Parameters
    ----------
    cameras, xy, score, manual, placed, fps, options
        As in :func:`pipeline.geometry.track_solve.solve_track`; T frames of context suffice.
    xyz : (T, K, 3) array
        The present solution. Outside the window it stays; inside, what the views do not leave at
        rest there is solved afresh, so that it does not matter where it was.
    start, stop : int
        The window, as indices into the arrays.
    lengths : LimbLengths
        Those of the whole track.

    Returns
    -------
    xyz : (stop - start, K, 3) array
        Metres.
    sigma : (stop - start, K) array
        Millimetres.

    Raises
    ------
    ValueError
        If shapes do not fit each other or the window is empty or outside.
    """
    t = len(np.asarray(score))
    if not 0 <= start < stop <= t:
        raise ValueError(f"frames {start} to {stop} are not a window of {t} frames")
    margin = max(3, math.ceil(max(MARGIN_S, options.max_gap_s) * fps) + 1)
    low, high = max(0, start - margin), min(t, stop + margin)
    part = slice(low, high)
    track = checked_track(
        cameras, np.asarray(xy)[part], np.asarray(score)[part],
        None if manual is None else np.asarray(manual)[part],
        None if placed is None else np.asarray(placed)[part], fps, options,
    )  # fmt: skip
    begin = np.array(xyz, dtype=np.float64)[part]
    held = np.ones(track.active.shape, bool)
    held[:, start - low : stop - low] = False
    # Outside, there is a point exactly where the present solution has one.
    active = np.where(held, np.isfinite(begin[..., 0]).T, track.active)
    place, sigma = solve_frames(replace(track, active=active), lengths, begin, options, held)
    return place[start - low : stop - low], sigma[start - low : stop - low]


def solve_point_in_track(
    cameras: CameraGroup,
    xy: FloatArray,
    score: FloatArray,
    manual: NDArray[np.bool_],
    *,
    around: FloatArray,
    others: FloatArray,
    keypoint: int,
    lengths: LimbLengths,
    fps: float,
    options: TrackOptions = DEFAULT_TRACK_OPTIONS,
) -> tuple[FloatArray, float]:
    """One point, as while it is dragged: its views and its neighbours, all of which stay.

    Parameters
    ----------
    cameras : CameraGroup
        V views.
    xy, score, manual : (V, 2), (V,), (V,) arrays
        The point's observations.
    around : (5, 3) array
        The keypoint two frames before to two frames after; NaN = none. The middle is not read.
    others : (K, 3) array
        All keypoints of this frame.
    keypoint : int
        Which of them the point is.
    lengths : LimbLengths
    fps : float
    options : TrackOptions

    Returns
    -------
    xyz : (3,) array
        Metres; NaN with neither two views nor neighbours on both sides.
    sigma : float
        Millimetres along the longest axis, as if the neighbours were known exactly.
    """
    stack = stacked(cameras)
    pixels = np.asarray(xy, dtype=np.float64)[None]
    by_hand = np.asarray(manual, dtype=bool)[None]
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        rows, offset, used = linear_rows(tuple(cameras), stack, pixels)
        weight = np.minimum(np.nan_to_num(score) / options.full_score, 1.0) / options.sigma_px**2
        information = np.where(by_hand, options.hold_px**-2.0, weight)
        used &= np.isfinite(pixels[..., 0]) & (information > 0.0)
        information = np.where(used, information, 0.0)
    start = np.asarray((around[1] + around[3]) / 2.0)
    if used.sum() >= 2:
        start = linear_solution(rows, offset, information)[0]
    if not np.isfinite(start).all():
        return np.full(3, np.nan), math.nan
    seen = observations(stack, Problem(start[None], rows, offset, information, used, by_hand))
    relaxed = RELAXED if bool((by_hand & used).any()) else 1.0
    bends = _bends(around, relaxed * (fps**2 / options.acceleration) ** 2)
    limbs = _limbs(others, keypoint, lengths, options)
    loss = _tailed(options)
    place: Row = (float(start[0]), float(start[1]), float(start[2]))
    best, lowest = place, math.inf
    for _ in range(POINT_STEPS):
        views, matrix, cost, *_ = linearised_at(seen, place, loss, options.loss_px, FIRST_SHARE)
        gradient, matrix, cost = _with_priors(
            place, views, matrix, cost * options.loss_px**2, bends, limbs
        )
        if cost > lowest * (1.0 + 1e-9):
            middle = [(a + b) / 2.0 for a, b in zip(place, best, strict=True)]
            place = (middle[0], middle[1], middle[2])
            continue
        best, lowest = place, cost
        dx, dy, dz = solved_single(matrix, gradient)
        place = (place[0] - dx, place[1] - dy, place[2] - dz)
        if dx * dx + dy * dy + dz * dz <= POINT_TOLERANCE**2:
            break
    soft = [(options.manual_sigma_px**-2.0 if row[1] else row[0], *row[1:]) for row in seen]
    views, matrix, cost, *_ = linearised_at(soft, place, loss, options.loss_px, 0.0)
    _, matrix, _ = _with_priors(place, views, matrix, cost, bends, limbs)
    sigma = 1000.0 * float(longest_sigma(solved_inverse(np.array(matrix)[:, None]))[0])
    if not sigma < 1e6:
        return np.full(3, np.nan), math.nan
    return np.array(place), sigma


# Weight, factor of the point, and the rest of a second difference.
Bend = tuple[float, float, Row]
# Weight, length, far end.
Limb = tuple[float, float, Row]


def _bends(around: FloatArray, weight: float) -> list[Bend]:
    """The second differences that a point takes part in."""
    before2, before, _, after, after2 = np.asarray(around, dtype=np.float64)
    terms = ((1.0, before2 - 2.0 * before), (-2.0, before + after), (1.0, after2 - 2.0 * after))
    return [
        (weight, factor, (float(rest[0]), float(rest[1]), float(rest[2])))
        for factor, rest in terms
        if math.isfinite(rest[0])
    ]


def _limbs(
    others: FloatArray, keypoint: int, lengths: LimbLengths, options: TrackOptions
) -> list[Limb]:
    limbs = []
    for limb in np.flatnonzero((lengths.pairs == keypoint).any(axis=1)):
        one, other = lengths.pairs[limb].tolist()
        x, y, z = others[other if one == keypoint else one].tolist()
        length = float(lengths.length[limb])
        if math.isfinite(x) and math.isfinite(length) and math.isfinite(options.limb_scale):
            stiff = (float(lengths.sigma[limb]) * options.limb_scale) ** -2.0
            limbs.append((stiff, length, (x, y, z)))
    return limbs


def _tailed(options: TrackOptions) -> LossFunction:
    """The loss of :class:`pipeline.geometry.track_views.RobustLoss` for one number."""
    if math.isinf(options.tail_px):
        square, breadth = math.inf, math.inf
    else:
        square = (options.tail_px / options.loss_px) ** 2
        breadth = math.sqrt(square - 1.0)

    def loss(ratio: float) -> Row:
        root = math.sqrt(1.0 + ratio)
        fall = ratio / (1.0 + ratio)
        if math.isinf(square):
            return root - 1.0, 1.0 / root, fall / root
        weight = square / (square + ratio) / root
        fall = min(1.0, fall + 2.0 * ratio / (square + ratio))
        value = (math.atan(root / breadth) - math.atan(1.0 / breadth)) * square / breadth
        return value, weight, weight * fall

    return loss


def _with_priors(
    place: Row, gradient: Row, matrix: Matrix, cost: float, bends: list[Bend], limbs: list[Limb]
) -> tuple[Row, Matrix, float]:
    x, y, z = place
    g0, g1, g2 = gradient
    a, b, c, d, e, f = matrix
    for weight, factor, (rx, ry, rz) in bends:
        bx, by, bz = factor * x + rx, factor * y + ry, factor * z + rz
        cost += 0.5 * weight * (bx * bx + by * by + bz * bz)
        pull = weight * factor
        g0, g1, g2 = g0 + pull * bx, g1 + pull * by, g2 + pull * bz
        a, d, f = a + pull * factor, d + pull * factor, f + pull * factor
    for stiff, length, (ox, oy, oz) in limbs:
        ux, uy, uz = x - ox, y - oy, z - oz
        apart = max(math.sqrt(ux * ux + uy * uy + uz * uz), 1e-9)
        ux, uy, uz = ux / apart, uy / apart, uz / apart
        excess = apart - length
        cost += 0.5 * stiff * excess * excess
        g0, g1, g2 = g0 + stiff * excess * ux, g1 + stiff * excess * uy, g2 + stiff * excess * uz
        a, b, c = a + stiff * ux * ux, b + stiff * ux * uy, c + stiff * ux * uz
        d, e, f = d + stiff * uy * uy, e + stiff * uy * uz, f + stiff * uz * uz
    return (g0, g1, g2), (a, b, c, d, e, f), cost
