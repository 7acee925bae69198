"""Which detections in all views and frames are the same person.

Frame by frame, detections of different views are grouped by how well they fit one person in space
(:mod:`association_costs`), helped by whom they continue (:mod:`association_tracks`); groups are
linked to remembered people; at the end, tracks that never share a view and frame but fit one person
throughout are joined. Memory does not grow with the recording.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pipeline.data.camera import CameraGroup
from pipeline.geometry.association_costs import pair_costs
from pipeline.geometry.association_tracks import Memory, Person

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.intp]
# Per pair of tracks the sum of capped costs and their number.
Affinity = dict[tuple[int, int], tuple[float, int]]

# Frames whose pair costs are computed together.
CHUNK = 64
LARGEST_TRACK = np.iinfo(np.int16).max
# Pair costs are capped here before they are averaged, so that one frame cannot decide.
COST_CAP = 3.0
# Pair cost assumed for two detections that continue one person but share too few keypoints.
UNKNOWN_PAIR = 0.75
# No member of a group may disagree with another by more than this many gates.
WORST_PAIR = 1.5
# Comparisons without which two tracks are not joined.
COMPARISONS_TO_JOIN = 5


@dataclass(frozen=True, slots=True)
class AssociationOptions:
    """How far detections of one person may disagree.

    Parameters
    ----------
    sure_score : float
        Keypoints below this score take no part.
    gate_px, gate_share : float
        Largest believable epipolar disagreement: ``gate_px + gate_share * size in the picture``.
        On the real recording, whose cameras are off by about 10 px, one person's views disagree by
        up to 32 px at a size of 850 px (gate 38 px), two persons' usually by 40 to 500 px.
    move_px, move_share : float
        The same for the way a person goes from one frame to the next.
    max_gap : int
        Frames out of sight after which a person who returns is a new track.
    """

    sure_score: float = 0.3
    gate_px: float = 12.0
    gate_share: float = 0.03
    move_px: float = 10.0
    move_share: float = 0.12
    max_gap: int = 30


DEFAULT_OPTIONS = AssociationOptions()


def associate(
    cameras: CameraGroup,
    xy: ArrayLike,
    score: ArrayLike,
    *,
    options: AssociationOptions = DEFAULT_OPTIONS,
) -> NDArray[np.int16]:
    """Give every detected person a track.

    Parameters
    ----------
    cameras : CameraGroup
        V cameras.
    xy : (T, V, P, K, 2) array
        Pixels of all detections, in any order per view and frame; NaN = missing.
    score : (T, V, P, K) array
        The detector's confidence.
    options : AssociationOptions

    Returns
    -------
    (T, V, P) int16 array
        Track of each detection, -1 where there is none. No track has two detections in one view
        and frame. Track 0 has the most confident keypoints over all views and frames, track 1 the
        next, and so on. Of more than 32 768 tracks the least visible ones are left out.
    """
    places, scores = np.asarray(xy), np.asarray(score)
    n_frames, _, n_people, n_keypoints = scores.shape
    memory = Memory(cameras, n_keypoints, options.max_gap)
    tracks = np.full(scores.shape[:3], -1, dtype=np.int64)
    points: dict[int, int] = defaultdict(int)
    affinity: Affinity = {}
    for start in range(0, n_frames, CHUNK):
        part = slice(start, min(start + CHUNK, n_frames))
        chunk_xy = places[part].astype(np.float64)
        chunk_score = scores[part].astype(np.float64)
        known = np.asarray(np.isfinite(chunk_xy).all(axis=-1))
        sure = known & (chunk_score >= options.sure_score)
        costs = pair_costs(
            cameras, chunk_xy, sure, gate_px=options.gate_px, gate_share=options.gate_share
        )
        # A detection without any confident keypoint still follows the rest of its kind.
        usable = np.where(np.asarray(sure.any(axis=-1))[..., None], sure, known)
        shown = np.where(usable[..., None], chunk_xy, np.nan)
        for i in range(part.stop - part.start):
            view, person = np.nonzero(known[i].any(axis=-1))
            memory.forget(start + i)
            if not len(view):
                continue
            cost = costs[i][np.ix_(view * n_people + person, view * n_people + person)]
            seen_xy, seen_score = shown[i, view, person], chunk_score[i, view, person]
            number = _one_frame(
                memory, start + i, view, seen_xy, seen_score, cost, affinity, options
            )
            tracks[start + i, view, person] = number
            for track, count in zip(number, sure[i, view, person].sum(axis=-1), strict=True):
                points[track] += int(count)
    _join(tracks, points, affinity)
    return _ordered(tracks, points)


def _one_frame(
    memory: Memory,
    frame: int,
    view: IntArray,
    xy: FloatArray,
    score: FloatArray,
    cost: FloatArray,
    affinity: Affinity,
    options: AssociationOptions,
) -> list[int]:
    """Track number of each detection of one frame; memory and affinity are brought up to date."""
    follows = memory.continuity(frame, view, xy, gate_px=options.move_px, share=options.move_share)
    groups = _grouped(view, cost, follows)
    before = [person.number for person in memory.people]
    people = _linked(memory, groups, follows)
    number = [-1] * len(view)
    sightings = []
    for group, person in zip(groups, people, strict=True):
        for i in group:
            number[i] = person.number
        members = np.array(group)
        sightings.append((person, view[members], xy[members], score[members]))
    memory.see(frame, sightings)
    _note_affinity(affinity, number, cost, before, follows)
    return number


def _grouped(view: IntArray, cost: FloatArray, follows: FloatArray) -> list[list[int]]:
    """Groups of detections, at most one per view, best agreement first."""
    label = _labels(view, follows)
    n = len(view)
    edges = []
    for i in range(n):
        for j in range(i + 1, n):
            if view[i] == view[j]:
                continue
            same = label[i] >= 0 and label[i] == label[j]
            known = not np.isnan(cost[i, j])
            value = float(cost[i, j]) if known else UNKNOWN_PAIR
            if (known or same) and value < (WORST_PAIR if same else 1.0):
                edges.append((value + _leaning(i, j, view, label, follows), i, j))
    group_of = {i: [i] for i in range(n)}
    for _, i, j in sorted(edges):
        first, second = group_of[i], group_of[j]
        if first is second or {view[a] for a in first} & {view[b] for b in second}:
            continue
        between = cost[np.ix_(first, second)].ravel()
        between = between[~np.isnan(between)]
        if len(between) and (between.max() > WORST_PAIR or between.mean() > 1.0):
            continue
        first.extend(second)
        for member in second:
            group_of[member] = first
    return list({id(group): group for group in group_of.values()}.values())


def _labels(view: IntArray, follows: FloatArray) -> list[int]:
    """Index of the remembered person that each detection continues best, one per view, or -1."""
    label = [-1] * len(view)
    for v in np.unique(view):
        rows = np.flatnonzero(view == v)
        for row, column in _assigned(follows[rows]):
            label[rows[row]] = column
    return label


def _leaning(i: int, j: int, view: IntArray, label: list[int], follows: FloatArray) -> float:
    """From -0.5 (both continue one person) to 0.75 (they continue different ones)."""
    if label[i] == label[j]:
        return 0.0 if label[i] < 0 else -0.5
    terms = []
    for a, b in ((i, j), (j, i)):
        if label[b] < 0:
            continue
        rival = any(
            other == label[b] and v == view[a] for other, v in zip(label, view, strict=True)
        )
        if rival or np.isnan(follows[a, label[b]]):
            terms.append(0.75 if rival else 0.0)
        else:
            terms.append(min(max(float(follows[a, label[b]]) - 1.0, -0.5), 0.75))
    return sum(terms) / len(terms)


def _linked(memory: Memory, groups: list[list[int]], follows: FloatArray) -> list[Person]:
    """The remembered person of each group, or a new one."""
    capped = np.minimum(follows, 2.0)
    price = np.full((len(groups), follows.shape[1]), np.nan)
    for g, group in enumerate(groups):
        known = ~np.isnan(capped[group])
        count = known.sum(axis=0)
        total = np.where(known, capped[group], 0.0).sum(axis=0)
        price[g, count > 0] = total[count > 0] / count[count > 0]
    people: dict[int, Person] = {g: memory.people[p] for g, p in _assigned(price)}
    return [people[g] if g in people else memory.start() for g in range(len(groups))]


def _assigned(price: FloatArray) -> list[tuple[int, int]]:
    """Cheapest one-to-one matches of price below 1 (NaN: impossible)."""
    # Here, because it takes a quarter of a second, and the window imports this module.
    from scipy.optimize import linear_sum_assignment

    if not price.size:
        return []
    # What is impossible costs more than all that is possible together.
    allowed = price < 1.0
    filled = np.where(allowed, price, 1.0 + min(price.shape))
    rows, columns = linear_sum_assignment(filled)
    return [(int(r), int(c)) for r, c in zip(rows, columns, strict=True) if allowed[r, c]]


def _note_affinity(
    affinity: Affinity,
    number: list[int],
    cost: FloatArray,
    before: list[int],
    follows: FloatArray,
) -> None:
    """Count what this frame says for and against pairs of tracks being one person.

    Detections of two tracks in different views may fit one person in space; a detection of one
    track may as well continue the other.
    """
    pairs = [
        (number[i], number[j], cost[i, j])
        for i, j in zip(*np.nonzero(np.triu(~np.isnan(cost), 1)), strict=True)
    ]
    pairs += [
        (number[i], before[j], follows[i, j])
        for i, j in zip(*np.nonzero(~np.isnan(follows)), strict=True)
    ]
    for first, second, value in pairs:
        if first != second:
            key = (min(first, second), max(first, second))
            total, count = affinity.get(key, (0.0, 0))
            affinity[key] = (total + min(float(value), COST_CAP), count + 1)


def _join(
    tracks: NDArray[np.int64],
    points: dict[int, int],
    affinity: Affinity,
) -> None:
    """Join tracks that fit one person wherever both are seen, and never in one view at once."""
    candidates = sorted(
        (total / count, a, b)
        for (a, b), (total, count) in affinity.items()
        if count >= COMPARISONS_TO_JOIN and total < count
    )
    root: dict[int, int] = {}

    def current(number: int) -> int:
        while number in root:
            number = root[number]
        return number

    for _, a, b in candidates:
        keep, drop = sorted((current(a), current(b)))
        if keep == drop:
            continue
        dropped = tracks == drop
        if ((tracks == keep).any(axis=-1) & dropped.any(axis=-1)).any():
            continue
        tracks[dropped] = keep
        points[keep] += points.pop(drop)
        root[drop] = keep


def _ordered(tracks: NDArray[np.int64], points: dict[int, int]) -> NDArray[np.int16]:
    ranked = sorted(points, key=lambda number: (-points[number], number))
    rank = np.full(max(points, default=-1) + 2, -1, dtype=np.int64)
    for place, number in enumerate(ranked[: LARGEST_TRACK + 1]):
        rank[number] = place
    # The last entry stands for "none" and is reached by index -1.
    return rank[tracks].astype(np.int16)
