"""Derived values as far as they hold: what is older than its inputs counts as not there."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.data.layers import LAYERS
from pipeline.data.sequence import Sequence

BLOCK = 256  # frames read at once: one chunk of the layers


def read_current(
    sequence: Sequence, name: str, rows: slice | NDArray[np.intp], track: int
) -> NDArray[Any]:
    """As ``Sequence.read`` of a derived layer, the fill value in frames that are stale.

    Parameters
    ----------
    sequence : Sequence
    name : str
        A derived layer, such as ``points3d.xyz``.
    rows : slice or (n,) int array
    track : int

    Returns
    -------
    (n, ...) array
        A copy.
    """
    values = sequence.read(name, rows, track)
    frames = np.arange(sequence.n_frames)[rows] if isinstance(rows, slice) else rows
    stale = sequence.stamps.stale_at(LAYERS[name].group, track, frames)
    values[stale] = sequence.layer(name, track).fill
    return values


def next_frame_without(
    sequence: Sequence, track: int, keypoint: int, frame: int, direction: int
) -> int | None:
    """The first frame after (``direction`` 1) or before (-1) ``frame`` that lacks a 3D point.

    Stale frames are passed over: whether they have the point is not known. Reads only as far as
    the frame that is found.
    """
    stale = sequence.stamps.stale("points3d", track)
    ahead = np.arange(frame + 1, sequence.n_frames) if direction > 0 else np.arange(frame)[::-1]
    for first in range(0, len(ahead), BLOCK):
        rows = ahead[first : first + BLOCK]
        lacking = ~np.isfinite(sequence.read("points3d.xyz", rows, track)[:, keypoint, 0])
        found = rows[lacking & ~stale[rows]]
        if len(found):
            return int(found[0])
    return None
