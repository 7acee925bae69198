"""Revision stamps per frame, and which frames of derived layers are stale by them.

Staleness follows from the stamps alone. It is kept up with every change, so that asking for one
frame, or for all, costs the same in a recording of any length.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.data.layers import INPUTS, NO_TRACK, reach_of

NEVER = -1

Key = tuple[str, int]


class Stamps:
    """When each frame of each layer group last changed, and what derived frames were made from."""

    def __init__(self, n_frames: int, fps: float) -> None:
        self._n_frames = n_frames
        self._reach = {group: reach_of(group, fps) for group in INPUTS}
        self._changed: dict[Key, NDArray[np.int64]] = {}
        self._stale: dict[Key, NDArray[np.bool_]] = {}

    def changed(
        self, group: str, track: int, frames: NDArray[np.intp] | slice, revision: int
    ) -> None:
        """Record that ``frames`` of a group changed at ``revision``."""
        key = (group, track)
        if key not in self._changed:
            self._changed[key] = np.zeros(self._n_frames, np.int64)
        self._changed[key][frames] = revision
        for (derived, of), stale in self._stale.items():
            if group in INPUTS[derived] and track in (of, NO_TRACK):
                stale[self._within_reach(derived, frames)] = True

    def _within_reach(
        self, group: str, frames: NDArray[np.intp] | slice
    ) -> NDArray[np.intp] | slice:
        reach = self._reach[group]
        if isinstance(frames, slice) or reach == 0:
            return frames
        around = frames[:, None] + np.arange(-reach, reach + 1)
        return np.asarray(np.clip(around, 0, self._n_frames - 1).ravel(), np.intp)

    def computed(self, group: str, track: int, frames: NDArray[np.intp], revision: int) -> None:
        """Record that derived ``frames`` were computed from the state at ``revision``."""
        stale = self._staleness(group, track)
        stale[frames] = self.newest_input(group, track, frames) > revision

    def newest_input(
        self, group: str, track: int, frames: NDArray[np.intp] | None = None
    ) -> NDArray[np.int64]:
        """(n,) revision at which what derived ``frames`` (all by default) are made from changed."""
        if frames is None:
            frames = np.arange(self._n_frames)
        if not len(frames):
            return np.zeros(0, np.int64)
        reach = self._reach[group]
        first, stop = int(frames.min()) - reach, int(frames.max()) + reach + 1
        low, high = max(first, 0), min(stop, self._n_frames)
        newest = np.zeros(stop - first, np.int64)
        for name in INPUTS[group]:
            for key in ((name, track), (name, NO_TRACK)):
                if key in self._changed:
                    part = newest[low - first : high - first]
                    np.maximum(part, self._changed[key][low:high], out=part)
        return np.asarray(_running_maximum(newest, 2 * reach + 1)[frames - first - reach])

    def stale(self, group: str, track: int) -> NDArray[np.bool_]:
        """(T,) True where a derived group is older than its inputs or was never computed."""
        return self._staleness(group, track).copy()

    def stale_at(self, group: str, track: int, frames: NDArray[np.intp]) -> NDArray[np.bool_]:
        """(n,) as :meth:`stale`, of some frames only."""
        return np.asarray(self._staleness(group, track)[frames])

    def _staleness(self, group: str, track: int) -> NDArray[np.bool_]:
        key = (group, track)
        if key not in self._stale:
            self._stale[key] = np.ones(self._n_frames, np.bool_)
        return self._stale[key]

    def forget(self, group: str, track: int) -> None:
        """Make a derived group stale everywhere."""
        self._stale.pop((group, track), None)


def _running_maximum(values: NDArray[np.int64], width: int) -> NDArray[np.int64]:
    """Largest of each ``width`` consecutive values, (n - width + 1,)."""
    done = 1
    while done < width:
        step = min(done, width - done)
        values = np.maximum(values[:-step], values[step:])
        done += step
    return values
