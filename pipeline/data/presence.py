"""In which frames and views somebody is seen, by the pictures that are shown there now."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.data.sequence import Sequence

BLOCK = 2048  # frames read at once, so that memory stays flat on long recordings


def seen_in(sequence: Sequence, track: int, *, placed: bool = False) -> NDArray[np.bool_]:
    """Where a person was detected.

    Parameters
    ----------
    sequence : Sequence
    track : int
    placed : bool
        Also where somebody placed a point of the person.

    Returns
    -------
    (T, V) bool array
        By the frame at which the picture is shown now: see :mod:`pipeline.data.time_axes`.
    """
    there = np.zeros((sequence.n_frames, sequence.n_views), np.bool_)
    by_model = any(True for _ in sequence.layer("detected2d.points", track).stored())
    by_hand = placed and bool(sequence.layer("manual2d.xy", track).stored())
    for first in range(0, sequence.n_frames, BLOCK):
        rows = slice(first, first + BLOCK)
        there[rows] = (sequence.read_pictures("assignment.track", rows) == track).any(axis=2)
        if by_model:
            points = sequence.read_pictures("detected2d.points", rows, track)
            there[rows] |= np.isfinite(points[..., 0]).any(axis=2)
        if by_hand:
            xy = sequence.read_pictures("manual2d.xy", rows, track)
            there[rows] |= np.isfinite(xy[..., 0]).any(axis=2)
    return there


def detected_in(sequence: Sequence) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Where anybody was detected: (T, V), as :func:`seen_in`; and which keypoints ever: (K,)."""
    there = np.zeros((sequence.n_frames, sequence.n_views), np.bool_)
    keypoints = np.zeros(sequence.n_keypoints, np.bool_)
    by_model = [track for name, track in sequence.stored_layers() if name == "detected2d.points"]
    for first in range(0, sequence.n_frames, BLOCK):
        rows = slice(first, first + BLOCK)
        found = sequence.read_pictures("instances2d.score", rows) > 0
        there[rows] = found.any(axis=(2, 3))
        keypoints |= found.any(axis=(0, 1, 2))
        for track in by_model:
            points = sequence.read_pictures("detected2d.points", rows, track)
            seen = np.isfinite(points[..., 0])
            there[rows] |= seen.any(axis=2)
            keypoints |= seen.any(axis=(0, 1))
    return there, keypoints
