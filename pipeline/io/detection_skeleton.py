"""Which skeleton a set of detections was written in, from the number and place of the points."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.data.errors import Finding
from pipeline.data.skeleton import load_skeleton

_BY_COUNT = {17: "coco_17", 26: "halpe_26", 37: "spinetrack_37"}
_AMBIGUOUS_COUNT = 25
# People that vote; more do not change the result.
_VOTERS = 300
# Share of votes below which the choice is called doubtful.
_SURE = 0.8


def recognise_skeleton(
    people: Sequence[NDArray[np.float64]], folder: Path
) -> tuple[str | None, Finding]:
    """The skeleton of detected people.

    17 points are COCO, 26 HALPE, 37 SpineTrack. 25 points are OpenPose's BODY_25 or BODY_25B,
    which order them differently; there each person votes with the geometry (a mid-hip between
    the hips and a neck between the shoulders, or a neck between the shoulders and a nose between
    the eyes, each at that order's indices).

    Parameters
    ----------
    people : sequence of (K, 3) arrays
        x, y, score of each person; K may differ between people, the most frequent one decides.
    folder : Path
        Where they come from, for the finding.

    Returns
    -------
    skeleton : str or None
        File stem of the skeleton; None if no skeleton has that many points.
    finding : Finding
        The choice, code ``"skeleton"``, or ``"unknown-skeleton"``.
    """
    count = Counter(len(points) for points in people).most_common(1)[0][0]
    if count in _BY_COUNT:
        stem = _BY_COUNT[count]
        message = f"The {count} points in “{folder.name}” are {load_skeleton(stem).title}."
        return stem, Finding("info", "skeleton", message, folder)
    if count != _AMBIGUOUS_COUNT:
        message = f"The {count} points per person in “{folder.name}” fit no known skeleton."
        return None, Finding("error", "unknown-skeleton", message, folder)
    stem, share = _body_25_or_25b(people)
    title = load_skeleton(stem).title
    if share >= _SURE:
        message = (
            f"The 25 points in “{folder.name}” are {title} by their arrangement "
            f"({100 * share:.0f} % of the people)."
        )
        return stem, Finding("info", "skeleton", message, folder)
    message = (
        f"The 25 points in “{folder.name}” were taken for {title}, but only {100 * share:.0f} % of "
        "the people are arranged so."
    )
    return stem, Finding("warning", "skeleton", message, folder)


def _body_25_or_25b(people: Sequence[NDArray[np.float64]]) -> tuple[str, float]:
    candidates = [points for points in people if len(points) == _AMBIGUOUS_COUNT]
    step = max(len(candidates) // _VOTERS, 1)
    points = np.stack(candidates[::step])
    xy = points[..., :2].copy()
    xy[(xy == 0).any(axis=-1) | ~np.isfinite(xy).all(axis=-1)] = np.nan
    # Mid-hip 8 of hips 9, 12 and neck 1 of shoulders 2, 5, against neck 17 of shoulders 5, 6 and
    # nose 0 of eyes 1, 2 (which are missing from behind).
    body_25 = _off_centre(xy, ((8, 9, 12), (1, 2, 5)))
    body_25b = _off_centre(xy, ((17, 5, 6), (0, 1, 2)))
    votes = np.isfinite(body_25) & np.isfinite(body_25b)
    if not votes.any():
        # OpenPose's default model.
        return "body_25", 0.0
    share = float((body_25[votes] < body_25b[votes]).mean())
    return ("body_25", share) if share >= 0.5 else ("body_25b", 1.0 - share)


def _off_centre(
    xy: NDArray[np.float64], triples: Sequence[tuple[int, int, int]]
) -> NDArray[np.float64]:
    """(N,) mean distance of a point from the middle of two others, over the visible triples."""
    offsets = np.stack(
        [
            np.linalg.norm(xy[:, middle] - (xy[:, one] + xy[:, other]) / 2, axis=-1)
            for middle, one, other in triples
        ]
    )
    seen = np.isfinite(offsets)
    total = np.where(seen, offsets, 0.0).sum(axis=0)
    count = seen.sum(axis=0)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)
