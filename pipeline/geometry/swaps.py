"""Left and right mixed up by a detector: found in 3D over whole limb chains, suggested only.

For every view, chain and frame the points are predicted from all other views over time; the view
is then asked whether it fits better as it is or with left and right exchanged. Nothing here
changes data.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pipeline.data.camera import CameraGroup
from pipeline.data.skeleton import Skeleton
from pipeline.geometry.projection import project_views
from pipeline.geometry.track_limbs import LimbLengths
from pipeline.geometry.track_options import DEFAULT_TRACK_OPTIONS, TrackOptions
from pipeline.geometry.track_solve import solve_track

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

CHAINS: dict[str, tuple[str, ...]] = {
    "legs": ("hip", "knee", "ankle", "big_toe", "small_toe", "heel"),
    "arms": ("shoulder", "elbow", "wrist"),
}
# A single point's distance counts no further than this (pixels): one wild point decides nothing.
CLIP_PX = 60.0
# A chain is suggested if exchanging brings its points this much closer on average, and leaves at
# most this share of the distance; fewer points than this say nothing.
LEAST_GAIN_PX, MOST_LEFT, LEAST_POINTS = 6.0, 0.6, 4
COUNTED_SCORE = 0.3
# Predicting from views that are swapped themselves hides swaps: what was found is exchanged in a
# copy, and the search repeated, at most so often.
ROUNDS = 3


@dataclass(frozen=True, slots=True)
class SwapSuggestion:
    """One chain in one view and frame that fits better with left and right exchanged.

    ``gain_px`` is by how many pixels per point, on average.
    """

    frame: int
    view: int
    chain: str
    gain_px: float


@dataclass(frozen=True, slots=True)
class SwapRange:
    """Suggestions in frames ``start`` to ``stop`` (exclusive) of one view; the mean gain."""

    start: int
    stop: int
    view: int
    chain: str
    gain_px: float


def chain_pairs(skeleton: Skeleton, chain: str) -> tuple[tuple[int, int], ...]:
    """Indices (left, right) of a chain's points, as far as the skeleton has them."""
    known = set(skeleton.names)
    return tuple(
        (skeleton.index(f"left_{name}"), skeleton.index(f"right_{name}"))
        for name in CHAINS[chain]
        if {f"left_{name}", f"right_{name}"} <= known
    )


def detect_swaps(
    cameras: CameraGroup,
    xy: ArrayLike,
    score: ArrayLike,
    *,
    skeleton: Skeleton,
    fps: float,
    manual: ArrayLike | None = None,
    lengths: LimbLengths | None = None,
    options: TrackOptions = DEFAULT_TRACK_OPTIONS,
) -> tuple[SwapSuggestion, ...]:
    """Suggest left/right exchanges, ordered by frame, view and chain.

    Parameters
    ----------
    cameras, xy, score, skeleton, fps, manual, lengths, options
        As in :func:`pipeline.geometry.track_solve.solve_track`. Chains with a point set by a
        person in a view are never suggested there.

    Returns
    -------
    tuple of SwapSuggestion
        None with fewer than three views: two cannot outvote each other.
    """
    pixels, scores = np.array(xy, dtype=np.float64), np.array(score, dtype=np.float64)
    by_hand = np.zeros(scores.shape, bool) if manual is None else np.asarray(manual, dtype=bool)
    if len(cameras) < 3 or not len(pixels):
        return ()
    pairs = {chain: np.array(chain_pairs(skeleton, chain)).reshape(-1, 2) for chain in CHAINS}
    exchanged = {chain: np.zeros(scores.shape[:2], bool) for chain in CHAINS}
    gain = {chain: np.zeros(scores.shape[:2]) for chain in CHAINS}
    for _ in range(ROUNDS):
        predicted = _predictions(cameras, pixels, scores, by_hand, skeleton, fps, lengths, options)
        changed = False
        for chain, ends in pairs.items():
            found, gained = _better_exchanged(pixels, scores, predicted, by_hand, ends)
            for view in range(len(cameras)):
                frames = np.flatnonzero(found[:, view])
                for array in (pixels, scores):
                    left = array[frames[:, None], view, ends[:, 0]]
                    array[frames[:, None], view, ends[:, 0]] = array[
                        frames[:, None], view, ends[:, 1]
                    ]
                    array[frames[:, None], view, ends[:, 1]] = left
            # Exchanged twice is as it was.
            exchanged[chain] ^= found
            gain[chain] = np.where(found, gained, gain[chain])
            changed |= bool(found.any())
        if not changed:
            break
    return tuple(
        sorted(
            (
                SwapSuggestion(int(frame), int(view), chain, float(gain[chain][frame, view]))
                for chain, marked in exchanged.items()
                for frame, view in np.argwhere(marked)
            ),
            key=lambda s: (s.frame, s.view, s.chain),
        )
    )


def _predictions(
    cameras: CameraGroup, pixels: FloatArray, scores: FloatArray, by_hand: BoolArray,
    skeleton: Skeleton, fps: float, lengths: LimbLengths | None, options: TrackOptions,
) -> FloatArray:  # fmt: skip
    """(T, V, K, 2) where each view should see the points, by all other views."""
    out = np.full(pixels.shape, np.nan)
    for view in range(len(cameras)):
        others = scores.copy()
        others[:, view] = 0.0
        held = by_hand.copy()
        held[:, view] = False
        solution = solve_track(
            cameras, pixels, others, skeleton=skeleton, fps=fps, manual=held, lengths=lengths,
            options=options,
        )  # fmt: skip
        # The limbs of one person are as long whichever view is left out.
        lengths = solution.lengths if lengths is None else lengths
        out[:, view] = project_views([cameras[view]], solution.xyz)[:, :, 0]
    return out


def _better_exchanged(
    pixels: FloatArray, scores: FloatArray, predicted: FloatArray, by_hand: BoolArray,
    ends: NDArray[np.intp],
) -> tuple[BoolArray, FloatArray]:  # fmt: skip
    """Which chains (T, V) fit better exchanged, and by how many pixels per point."""
    left, right = ends.T
    distance = {
        (a, b): np.minimum(np.linalg.norm(pixels[:, :, own] - predicted[:, :, other], axis=-1),
                           CLIP_PX)
        for a, own in (("l", left), ("r", right))
        for b, other in (("l", left), ("r", right))
    }  # fmt: skip
    counted = np.stack(
        [scores[:, :, own] >= COUNTED_SCORE for own in (left, right)]
    )  # (2, T, V, n)
    straight = np.stack([distance["l", "l"], distance["r", "r"]])
    crossed = np.stack([distance["l", "r"], distance["r", "l"]])
    counted &= np.isfinite(straight) & np.isfinite(crossed)
    count = counted.sum(axis=(0, 3))
    as_is = np.where(counted, straight, 0.0).sum(axis=(0, 3)) / np.maximum(count, 1)
    other = np.where(counted, crossed, 0.0).sum(axis=(0, 3)) / np.maximum(count, 1)
    touched = by_hand[:, :, left].any(axis=-1) | by_hand[:, :, right].any(axis=-1)
    gain = as_is - other
    found = (gain >= LEAST_GAIN_PX) & (other <= MOST_LEFT * as_is)
    return found & (count >= LEAST_POINTS) & ~touched, gain


def swap_ranges(suggestions: Iterable[SwapSuggestion], most_gap: int = 0) -> tuple[SwapRange, ...]:
    """Suggestions of one view and chain in successive frames as one range.

    ``most_gap`` frames without a suggestion do not end a range.
    """
    ranges: list[SwapRange] = []
    counts: list[int] = []
    for one in sorted(suggestions, key=lambda s: (s.view, s.chain, s.frame)):
        last = ranges[-1] if ranges else None
        if (
            last
            and (last.view, last.chain) == (one.view, one.chain)
            and (one.frame - last.stop <= most_gap)
        ):
            counts[-1] += 1
            mean = last.gain_px + (one.gain_px - last.gain_px) / counts[-1]
            ranges[-1] = replace(last, stop=one.frame + 1, gain_px=mean)
        else:
            ranges.append(SwapRange(one.frame, one.frame + 1, one.view, one.chain, one.gain_px))
            counts.append(1)
    return tuple(sorted(ranges, key=lambda r: (r.start, r.view, r.chain)))
