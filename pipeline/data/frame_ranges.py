"""Frames as a few ranges: what a job is sent instead of a list of frames."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

#: (R, 2): the first frame of each range and the one after its last.
FrameRanges = NDArray[np.intp]


def nearest_first(
    wanted: NDArray[np.bool_], frame: int, length: int, most: int | None = None
) -> FrameRanges:
    """The frames where ``wanted`` (T,) holds, as ranges that are ordered by nearness to a frame.

    Parameters
    ----------
    wanted : (T,) bool array
    frame : int
    length : int
        Ranges are cut to at most so many frames; one of them has ``frame`` in its middle.
    most : int, optional
        Once the ranges hold so many frames, the others are left out.
    """
    edges = np.flatnonzero(np.diff(np.concatenate([[False], wanted, [False]])))
    if not len(edges):
        return np.zeros((0, 2), np.intp)
    cuts = np.arange((frame - length // 2) % length, len(wanted), length)
    points = np.union1d(edges, cuts[(cuts > edges[0]) & (cuts < edges[-1])])
    start, stop = points[:-1], points[1:]
    inside = wanted[start]
    start, stop = start[inside], stop[inside]
    order = np.argsort(np.maximum(np.maximum(start - frame, frame - stop + 1), 0), kind="stable")
    ranges = np.stack([start[order], stop[order]], axis=-1)
    if most is not None:
        before = np.cumsum(ranges[:, 1] - ranges[:, 0]) - (ranges[:, 1] - ranges[:, 0])
        ranges = ranges[before < most]
    return ranges


def n_frames_in(ranges: FrameRanges) -> int:
    """Number of frames in ranges that do not overlap."""
    return int((ranges[:, 1] - ranges[:, 0]).sum())
