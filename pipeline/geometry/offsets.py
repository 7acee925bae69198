"""How many frames each camera is early or late, found together with where the cameras stand.

The two must not be parted: with a calibration that is off, the time of best agreement lies (on the
real recording the third camera then prefers a false +3 frames). Every offset that is tried
therefore gets cameras of its own, refined at that offset. A drift is not estimated: over trials of
a few minutes it is a fraction of a frame, which detections of a body do not show.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import gaussian_filter1d

from pipeline.data.camera import Camera
from pipeline.geometry.refine import COUNTED_SCORE, RefineOptions, bundle_of
from pipeline.geometry.refine_frames import Chosen
from pipeline.geometry.refine_solver import adjusted, observation_costs, posed_by
from pipeline.geometry.triangulation import triangulate

FloatArray = NDArray[np.float64]
Index = NDArray[np.intp]
Step = tuple[float, str]
Verdict = Literal["clear", "weak", "none"]

# Instants around which detections are compared, and the largest offset that is looked for.
INSTANTS, REACH = 16, 10
# Standard deviation in frames of the smoothing before tracks are read between frames. Without it
# a half frame seems better than a whole one, because it averages the noise of two.
SMOOTHING = 1.0
MARGIN = 3
# Share of a smoothing window that must be detected.
ENOUGH_DETECTED = 0.3
COARSE = 3  # frames between the offsets of the first look
MAX_SWEEPS = 4
FIRST_STEPS, WARM_STEPS = 30, 4
# The cost two (three) frames off, against the best: by how much it must rise on both sides, and by
# how many of its own standard errors over the instants. The real recording (a person balancing,
# 5 px per frame) gives 13 % and 25 %, a person standing still below 1 %.
CLEAR_RISE, CLEAR_ERRORS = 0.04, 3.0
WEAK_RISE, WEAK_ERRORS = 0.02, 2.0
# A prior that lets cameras go where each offset wants them. One as tight as for cameras that are to
# be kept leaves some of a wrong calibration in place, which then passes for an offset.
OFFSET_OPTIONS = RefineOptions(shift_mm=30.0, turn_mrad=10.0)


@dataclass(frozen=True, slots=True, eq=False)
class OffsetEstimates:
    """What was found for each view.

    ``frames`` (V,) is to be added to the view's frame number: a camera whose detections come three
    frames late has +3. ``exact`` (V,) is the same with its fraction. Only differences between views
    can be known; as many views as possible are given 0. Both are 0 where ``verdicts`` says "none".
    ``tried`` (C,) are offsets relative to ``frames`` and ``curves`` (V, C) the cost there over the
    cost at ``frames``, NaN where the windows do not reach; ``errors`` (V, C) are standard errors of
    the curves.
    """

    frames: NDArray[np.int64]
    exact: FloatArray
    verdicts: tuple[Verdict, ...]
    tried: NDArray[np.int64]
    curves: FloatArray
    errors: FloatArray


def instants(frames: Index, n_frames: int, reach: int = REACH) -> tuple[Index, int]:
    """Moments to compare detections at, and the reach that the recording allows.

    ``frames`` are those in which the person is seen; returned are at most :data:`INSTANTS` of
    them, spread evenly, whose whole window lies in the recording.
    """
    reach = max(0, min(reach, (n_frames - 2 * MARGIN - INSTANTS // 2) // 4))
    half = reach + MARGIN
    inside = frames[(frames >= half) & (frames < n_frames - half)]
    if len(inside) > INSTANTS:
        inside = inside[np.linspace(0, len(inside) - 1, INSTANTS).round().astype(np.intp)]
    return inside, reach


def windows(
    read: Callable[[Index], tuple[FloatArray, FloatArray]], at: Index, reach: int
) -> tuple[FloatArray, FloatArray]:
    """Detections around moments: xy (F, L, V, K, 2) and score (F, L, V, K).

    ``read(frames)`` gives xy (n, V, K, 2) and score (n, V, K) of the frames asked for.
    """
    rows = at[:, None] + np.arange(-reach - MARGIN, reach + MARGIN + 1)
    xy, score = read(rows.ravel())
    shape = (*rows.shape, *score.shape[1:])
    return xy.reshape(*shape, 2), score.reshape(shape)


def estimate_offsets(
    cameras: Iterable[Camera],
    xy: ArrayLike,
    score: ArrayLike,
    *,
    options: RefineOptions = OFFSET_OPTIONS,
) -> OffsetEstimates:
    """Find the cameras' offsets from windows of detections.

    Parameters
    ----------
    cameras : iterable of V cameras
    xy : (F, L, V, K, 2) array
        Pixels in F windows of L consecutive frames, as :func:`windows` makes them; NaN = missing.
    score : (F, L, V, K) array
    options : RefineOptions
        Prior and loss of the cameras that are refined at each offset.
    """
    steps = offset_steps(cameras, xy, score, options=options)
    try:
        while True:
            next(steps)
    except StopIteration as end:
        result: OffsetEstimates = end.value
        return result


def offset_steps(
    cameras: Iterable[Camera],
    xy: ArrayLike,
    score: ArrayLike,
    *,
    options: RefineOptions = OFFSET_OPTIONS,
) -> Generator[Step, None, OffsetEstimates]:
    """:func:`estimate_offsets` with a ``(fraction, text)`` after each offset tried."""
    views = tuple(cameras)
    tracks = _smoothed(np.asarray(xy, np.float64), np.asarray(score, np.float64))
    trial = _Trial(views, *tracks, options)
    v = len(views)
    if v < 3 or not len(tracks[0]) or trial.reach < 2 or not trial.possible():
        return _unknown(v)
    best = (0,) * v
    for sweep in range(MAX_SWEEPS):
        before = best
        for view in range(v):
            for candidates in (_coarse, _around):
                lowest, choice = trial.mean_cost(best), best[view]
                for offset in candidates(best[view], trial.reach):
                    cost = trial.mean_cost(_with(best, view, offset))
                    if cost < lowest:
                        lowest, choice = cost, offset
                    yield 0.2 * (sweep + view / v), f"Trying offsets of {views[view].name}"
                best = _with(best, view, choice)
        centred = _shared_zero(best)
        if max(map(abs, centred)) <= trial.reach:
            best = centred
        if best == before:
            break
    tried = np.arange(-COARSE, COARSE + 1)
    curves, errors = np.full((v, len(tried)), np.nan), np.full((v, len(tried)), np.nan)
    for view in range(v):
        yield 0.8 + 0.2 * view / v, f"Judging the offset of {views[view].name}"
        for column, away in enumerate(tried.tolist()):
            other = _with(best, view, best[view] + away)
            if max(map(abs, other)) <= trial.reach:
                curves[view, column], errors[view, column] = trial.rise(best, other)
                yield 0.8 + 0.2 * view / v, f"Judging the offset of {views[view].name}"
    return _judged(best, tried, curves, errors)


class _Trial:
    """Costs of offsets, each worked out once; cameras start from those refined at no offset."""

    def __init__(
        self, views: tuple[Camera, ...], xy: FloatArray, score: FloatArray, options: RefineOptions
    ) -> None:
        self._views, self._xy, self._score = views, xy, score
        self._options = options
        self.reach = (xy.shape[1] - 1) // 2 - MARGIN
        self._known: dict[tuple[int, ...], FloatArray] = {}
        self._turn = self._shift = np.zeros((len(views), 3))
        self._start = views

    def possible(self) -> bool:
        """Refine at no offset; False where too little is seen for that."""
        offsets = (0,) * len(self._views)
        solved = self._solved(offsets, FIRST_STEPS)
        if solved is not None:
            self._turn, self._shift = solved.turn, solved.shift
            self._start = posed_by(self._views, solved.turn, solved.shift)
        return solved is not None

    def mean_cost(self, offsets: tuple[int, ...]) -> float:
        """Robust squared error (in variances) per observation; NaN where too little is seen."""
        cost, information = self._per_instant(offsets).sum(axis=1)
        return float(cost / information) if information > 0 else float("nan")

    def rise(self, best: tuple[int, ...], other: tuple[int, ...]) -> tuple[float, float]:
        """Cost at ``other`` over the cost at ``best``, and its standard error over instants."""
        (cost, at), (other_cost, then) = self._per_instant(best), self._per_instant(other)
        least = self.mean_cost(best)
        ratio = self.mean_cost(other) / least
        both = (at > 0) & (then > 0)
        if both.sum() < 3:
            return ratio, float("inf")
        change = other_cost[both] / then[both] - cost[both] / at[both]
        return ratio, float(change.std(ddof=1) / np.sqrt(both.sum()) / least)

    def _per_instant(self, offsets: tuple[int, ...]) -> FloatArray:
        """(2, F) cost and information of each instant."""
        if offsets not in self._known:
            totals = np.zeros((2, len(self._xy)))
            solved = self._solved(offsets, WARM_STEPS)
            if solved is not None:
                instant = solved.rows // self._xy.shape[3]
                np.add.at(totals[0], instant, solved.cost)
                np.add.at(totals[1], instant, solved.information)
            self._known[offsets] = totals
        return self._known[offsets]

    def _solved(self, offsets: tuple[int, ...], steps: int) -> _Solved | None:
        at = np.array(offsets) + self._xy.shape[1] // 2
        views = np.arange(len(at))
        xy, score = self._xy[:, at, views], self._score[:, at, views]  # (F, V, K, ...)
        # Two views agree at nearly any offset; a third is what tells.
        score = np.where(((score > 0).sum(axis=1) >= 3)[:, None], score, 0.0)
        n, v, _ = score.shape
        points = triangulate(
            self._start,
            xy.transpose(0, 2, 1, 3).reshape(-1, v, 2),
            score.transpose(0, 2, 1).reshape(-1, v),
        )
        frames = np.arange(n)
        chosen = Chosen(frames, frames, points.xyz.reshape(n, -1, 3), 0.0)
        xy = np.where(score[..., None] > 0, xy, np.nan)
        manual = np.zeros(score.shape, bool)
        bundle, held, rows = bundle_of(self._views, xy, score, manual, chosen, self._options)
        if len(held) > v - 3 or len(rows) < self._options.min_points:
            return None
        bundle.turn, bundle.shift = self._turn.copy(), self._shift.copy()
        for _ in adjusted(bundle, self._options.prior, steps):
            pass
        cost = observation_costs(bundle, self._options.prior).sum(axis=1)
        return _Solved(bundle.turn, bundle.shift, rows, cost, bundle.information.sum(axis=1))


@dataclass(frozen=True, slots=True, eq=False)
class _Solved:
    """Cameras at some offsets, and cost and information of each point (its row in F x K)."""

    turn: FloatArray
    shift: FloatArray
    rows: Index
    cost: FloatArray
    information: FloatArray


def _smoothed(xy: FloatArray, score: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Windows with each track smoothed in time, gaps left open."""
    known = np.isfinite(xy).all(axis=-1) & (score > COUNTED_SCORE)
    weight = np.where(known, score, 0.0)
    share = gaussian_filter1d(known.astype(np.float64), SMOOTHING, axis=1, mode="nearest")
    total = gaussian_filter1d(weight, SMOOTHING, axis=1, mode="nearest")
    sums = gaussian_filter1d(
        np.where(known[..., None], xy, 0.0) * weight[..., None], SMOOTHING, axis=1, mode="nearest"
    )
    enough = share > ENOUGH_DETECTED
    mean = sums / np.where(enough, total, 1.0)[..., None]
    return np.where(enough[..., None], mean, np.nan), np.where(
        enough, total / np.where(enough, share, 1.0), 0.0
    )


def _with(offsets: tuple[int, ...], view: int, offset: int) -> tuple[int, ...]:
    return (*offsets[:view], offset, *offsets[view + 1 :])


def _shared_zero(offsets: tuple[int, ...]) -> tuple[int, ...]:
    """The same differences, with 0 for the offset that most views share (of equals, the first)."""
    shared = max(offsets, key=lambda offset: (offsets.count(offset), -offsets.index(offset)))
    return tuple(offset - shared for offset in offsets)


def _coarse(_: int, reach: int) -> list[int]:
    steps = reach // COARSE
    return [COARSE * step for step in range(-steps, steps + 1)]


def _around(offset: int, reach: int) -> list[int]:
    return [at for at in range(offset - COARSE + 1, offset + COARSE) if abs(at) <= reach]


def _judged(
    best: tuple[int, ...], tried: NDArray[np.int64], curves: FloatArray, errors: FloatArray
) -> OffsetEstimates:
    verdicts = tuple(
        _verdict(tried, curve, error) for curve, error in zip(curves, errors, strict=True)
    )
    known = np.array([verdict != "none" for verdict in verdicts])
    found = np.array(best)
    frames = np.zeros(len(best), np.int64)
    if known.any():
        frames[known] = _shared_zero(tuple(found[known].tolist()))
    fraction = np.array([_vertex(tried, curve) for curve in curves], float)
    exact = frames.astype(float) + np.where(known, fraction, 0.0)
    return OffsetEstimates(frames, exact, verdicts, tried, curves, errors)


def _verdict(tried: NDArray[np.int64], curve: FloatArray, error: FloatArray) -> Verdict:
    def rises(away: int, share: float, errors: float) -> bool:
        at = np.abs(tried) == away
        rise = curve[at] - 1.0
        return bool(((rise > share) & (rise > errors * error[at])).all())

    if rises(2, CLEAR_RISE, CLEAR_ERRORS):
        return "clear"
    return "weak" if rises(3, WEAK_RISE, WEAK_ERRORS) else "none"


def _vertex(tried: NDArray[np.int64], curve: FloatArray) -> float:
    """Where between the frames the parabola through the best offset's neighbours is lowest."""
    left, here, right = (float(curve[tried == away][0]) for away in (-1, 0, 1))
    bend = left - 2.0 * here + right
    if not bend > 0.0:
        return 0.0
    return float(np.clip(0.5 * (left - right) / bend, -0.5, 0.5))


def _unknown(v: int) -> OffsetEstimates:
    tried = np.arange(-COARSE, COARSE + 1)
    nothing = np.full((v, len(tried)), np.nan)
    verdicts: tuple[Verdict, ...] = tuple("none" for _ in range(v))
    zeros = np.zeros(v, np.int64)
    return OffsetEstimates(zeros, np.zeros(v), verdicts, tried, nothing, nothing.copy())
