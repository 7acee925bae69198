"""The batch solve: all views, all frames and all points of one person at once.

Minimises the robust, score-weighted reprojection error plus second differences in time and limb
lengths. Long tracks are solved in overlapping blocks of frames, which changes nothing: what lies
half a second away has no influence.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pipeline.data.camera import CameraGroup
from pipeline.data.skeleton import Skeleton
from pipeline.geometry.track_input import Track, checked_track
from pipeline.geometry.track_limbs import LimbLengths, measured_lengths
from pipeline.geometry.track_options import DEFAULT_TRACK_OPTIONS, TrackOptions, TrackSolution
from pipeline.geometry.track_part import Priors, near_those, part_of
from pipeline.geometry.track_system import solve_system, unrest
from pipeline.geometry.track_uncertainty import point_sigma
from pipeline.geometry.track_views import TrackViews, linear_start, track_views

FloatArray = NDArray[np.floating]
BoolArray = NDArray[np.bool_]

# Frames solved together, and seconds of context on both sides: measured, a boundary 0.5 s away
# moves no point by more than 0.05 mm.
BLOCK, CONTEXT_S = 720, 0.5
# Newton steps at most: without and with the loss's tail.
FIRST_STEPS, FINAL_STEPS = 3, 14
# A solution this uncertain is not one.
MOST_SIGMA_MM = 500.0
# Noise makes limbs longer: where ends are less certain than this (millimetres, median over time),
# a length is not known.
LENGTH_SIGMA_MM = 100.0
# Stretches of frames from which limb lengths are measured, evenly spread over the track.
STRETCHES, STRETCH = 12, 64
# Share of its weight that a second difference keeps where it involves a point set by a person: the
# prior must not move that point, nor must that point move its neighbours. What is left decides
# only where views say nothing.
RELAXED = 1e-4
WORKERS = 2
# Points of an earlier solution at which the next step would lower the cost by more than this are
# solved afresh: a tenth of a millimetre where views know a point to 5 mm. It leaves alone those
# along whose flat cost Newton's steps were still creeping. What is near is solved with them.
RESTLESS, RIPPLES = 1e-3, 3


def solve_track(
    cameras: CameraGroup,
    xy: ArrayLike,
    score: ArrayLike,
    *,
    skeleton: Skeleton,
    fps: float,
    manual: ArrayLike | None = None,
    placed: ArrayLike | None = None,
    lengths: LimbLengths | None = None,
    start: ArrayLike | None = None,
    options: TrackOptions = DEFAULT_TRACK_OPTIONS,
    progress: Callable[[float], None] | None = None,
) -> TrackSolution:
    """Solve a whole track.

    Parameters
    ----------
    cameras : CameraGroup
        V views.
    xy : (T, V, K, 2) array
        Pixels; NaN = not observed.
    score : (T, V, K) array
        The detector's confidence; 0 = not used.
    skeleton : Skeleton
        Of K keypoints; says which limbs keep their length.
    fps : float
        Frames per second.
    manual : (T, V, K) bool array, optional
        Points set by a person: held, whatever the priors say.
    placed : (T, K, 3) array, optional
        Points placed in 3D, metres, NaN = not: they stay exactly there.
    lengths : LimbLengths, optional
        The subject's, by default measured from this track.
    start : (T, K, 3) array, optional
        Where to start; by default the weighted linear solution.
    options : TrackOptions
    progress : callable, optional
        Called with the share done, from 0 to 1; what it raises ends the solve.

    Returns
    -------
    TrackSolution
        The same whatever the block boundaries and the number of threads.

    Raises
    ------
    ValueError
        If shapes do not fit each other.
    """
    track = checked_track(cameras, xy, score, manual, placed, fps, options)
    t, _, k = track.score.shape
    if k != len(skeleton):
        raise ValueError(f"xy has {k} keypoints, the skeleton {len(skeleton)}")
    begin = None if start is None else np.asarray(start, dtype=np.float64)
    if not len(cameras):
        nothing = np.zeros((t, k), bool)
        none = measured_lengths(skeleton, track.placed[:0], np.zeros((0, k)), LENGTH_SIGMA_MM)
        return TrackSolution(track.placed.copy(), np.full((t, k), np.nan), nothing, lengths or none)
    if lengths is None:
        parts = (track.frames(*stretch) for stretch in length_stretches(t))
        lengths = subject_lengths(parts, skeleton, options)
    xyz, sigma = np.full((t, k, 3), np.nan), np.full((t, k), np.nan)
    context = math.ceil(CONTEXT_S * fps)

    def solve_block(first: int) -> int:
        low, high = max(0, first - context), min(t, first + BLOCK + context)
        part = track.frames(low, high)
        place, deviation = solve_frames(
            part, lengths, None if begin is None else begin[low:high], options
        )
        inner = slice(first - low, min(first + BLOCK, t) - low)
        xyz[first : first + BLOCK] = place[inner]
        sigma[first : first + BLOCK] = deviation[inner]
        return first

    with ThreadPoolExecutor(WORKERS) as pool:
        for first in pool.map(solve_block, range(0, t, BLOCK)):
            if progress is not None:
                progress(min(1.0, (first + BLOCK) / t))
    return TrackSolution(xyz, sigma, np.isfinite(xyz[..., 0]) & ~track.seen.T
                         & np.isnan(track.placed[..., 0]), lengths)  # fmt: skip


def length_stretches(n_frames: int) -> list[tuple[int, int]]:
    """Ranges of frames from which limb lengths are measured: all, or some spread evenly."""
    if n_frames <= STRETCHES * STRETCH:
        return [(0, n_frames)] if n_frames else []
    starts = np.linspace(0, n_frames - STRETCH, STRETCHES).astype(int)
    return [(start, start + STRETCH) for start in starts.tolist()]


def subject_lengths(
    parts: Iterable[Track], skeleton: Skeleton, options: TrackOptions = DEFAULT_TRACK_OPTIONS
) -> LimbLengths:
    """Limb lengths of the person, from solves without limbs of stretches of the track."""
    steps = subject_lengths_steps(parts, skeleton, options)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            lengths: LimbLengths = end.value
            return lengths


def subject_lengths_steps(
    parts: Iterable[Track], skeleton: Skeleton, options: TrackOptions = DEFAULT_TRACK_OPTIONS
) -> Generator[None, None, LimbLengths]:
    """As :func:`subject_lengths`, one stretch at a time: each takes about 50 ms."""
    none = LimbLengths(np.zeros((0, 2), np.intp), np.zeros(0), np.zeros(0))
    places = [np.full((0, len(skeleton), 3), np.nan)]
    sigmas = [np.full((0, len(skeleton)), np.nan)]
    for part in parts:
        place, sigma = solve_frames(part, none, None, options)
        place[~part.seen.T] = np.nan
        places.append(place)
        sigmas.append(sigma)
        yield
    return measured_lengths(
        skeleton, np.concatenate(places), np.concatenate(sigmas), LENGTH_SIGMA_MM
    )


def solve_frames(
    track: Track, lengths: LimbLengths, begin: FloatArray | None, options: TrackOptions,
    held: BoolArray | None = None,
) -> tuple[FloatArray, FloatArray]:  # fmt: skip
    """Solve one block: (T, K, 3) metres and (T, K) mm.

    ``held`` (K, T) stay where they begin, and so does all else that the views leave at rest there;
    what they do not, starts afresh. The uncertainty of the held counts like everyone's.
    """
    views = views_of(track, options.hold_px, options)
    xyz = starting_place(track, views, begin)
    fixed = np.isfinite(track.placed[..., 0]).T
    free = track.active & ~fixed
    if held is not None:
        free &= ~held
    priors = priors_of(track, lengths, free, options)
    part = part_of(priors, free.reshape(-1))
    plain, robust = options.loss(robust=False), options.loss(robust=True)
    afresh = part if begin is None else None
    if begin is not None and held is not None and len(part.points):
        moves = unrest(views, part, xyz, robust) > RESTLESS
        moves |= np.isnan(begin[..., 0]).T.reshape(-1)[part.points]
        chosen = near_those(priors, part, moves)
        afresh = part_of(priors, chosen)
        again = np.where(chosen.reshape(free.shape).T[..., None], np.nan, begin)
        xyz = starting_place(track, views, again)
        for _ in range(RIPPLES):
            chosen = near_those(priors, part, chosen[part.points])
        part = part_of(priors, chosen)
    if len(part.points):
        if math.isfinite(options.tail_px) and afresh is not None:
            xyz = solve_system(views, priors, afresh, xyz, plain, FIRST_STEPS, 5e-3)
        xyz = solve_system(views, priors, part, xyz, robust, FINAL_STEPS)
    priors.free = track.active & ~fixed
    sigma = point_sigma(views, priors, xyz, track.fps, options)
    xyz[~(sigma <= MOST_SIGMA_MM) & free] = np.nan
    sigma[np.isnan(xyz[..., 0]) | fixed] = np.nan
    xyz[~track.active], sigma[~track.active] = np.nan, np.nan
    return np.ascontiguousarray(xyz.swapaxes(0, 1)), np.ascontiguousarray(sigma.T)


def views_of(track: Track, manual_px: float, options: TrackOptions) -> TrackViews:
    """The observations with their information, keypoint by keypoint."""
    t, v, k = track.score.shape
    weight = np.minimum(np.nan_to_num(track.score) / options.full_score, 1.0)
    information = np.where(track.manual, manual_px**-2.0, weight / options.sigma_px**2)
    information = np.where(track.active.T[:, None], information, 0.0)
    return track_views(
        track.cameras,
        track.xy.transpose(2, 0, 1, 3).reshape(k * t, v, 2),
        information.transpose(2, 0, 1).reshape(k * t, v),
        track.manual.transpose(2, 0, 1).reshape(k * t, v),
    )


def starting_place(track: Track, views: TrackViews, begin: FloatArray | None) -> FloatArray:
    """(K, T, 3) finite everywhere: ``begin``, else linear solutions, else along time."""
    t, _, k = track.score.shape
    place = np.full((k, t, 3), np.nan) if begin is None else begin.swapaxes(0, 1).copy()
    missing = np.isnan(place[..., 0]) & track.active
    if missing.any():
        linear = linear_start(views).T.reshape(k, t, 3)
        place[missing] = linear[missing]
    fixed = np.isfinite(track.placed[..., 0]).T
    place[fixed] = track.placed.swapaxes(0, 1)[fixed]
    index = np.arange(t)
    for own in place:
        known = np.isfinite(own[:, 0])
        if not known.all():
            for axis in range(3):
                own[~known, axis] = (
                    np.interp(index[~known], index[known], own[known, axis]) if known.any() else 0.0
                )
    return place


def priors_of(track: Track, lengths: LimbLengths, free: BoolArray, options: TrackOptions) -> Priors:
    """Second differences and limbs between points that take part."""
    active = track.active
    k, t = active.shape
    deviation = options.acceleration / track.fps**2
    touched = track.manual.any(axis=1).T | np.isfinite(track.placed[..., 0]).T
    bend = np.zeros((k, t))
    whole = active[:, 2:] & active[:, 1:-1] & active[:, :-2]
    by_hand = touched[:, 2:] | touched[:, 1:-1] | touched[:, :-2]
    bend[:, 1:-1] = np.where(whole, np.where(by_hand, RELAXED, 1.0) * deviation**-2, 0.0)
    known = np.isfinite(lengths.length) & math.isfinite(options.limb_scale)
    pairs = lengths.pairs[known]
    stiffness = (lengths.sigma[known] * options.limb_scale)[:, None] ** -2.0
    both = active[pairs[:, 0]] & active[pairs[:, 1]]
    return Priors(free, bend, pairs, lengths.length[known], np.where(both, stiffness, 0.0))
