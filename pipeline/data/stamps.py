"""Revision stamps per frame, from which staleness of derived layers is computed, never stored."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.data.layers import INPUTS, NO_TRACK

NEVER = -1


class Stamps:
    """When each frame of each layer group last changed, and what derived frames were made from."""

    def __init__(self, n_frames: int) -> None:
        self._n_frames = n_frames
        self._changed: dict[tuple[str, int], NDArray[np.int64]] = {}
        self._computed: dict[tuple[str, int], NDArray[np.int64]] = {}

    def _stamp(
        self, table: dict[tuple[str, int], NDArray[np.int64]], key: tuple[str, int], start: int
    ) -> NDArray[np.int64]:
        if key not in table:
            table[key] = np.full(self._n_frames, start, np.int64)
        return table[key]

    def changed(self, group: str, track: int, frames: NDArray[np.intp], revision: int) -> None:
        """Record that ``frames`` of a group changed at ``revision``."""
        self._stamp(self._changed, (group, track), 0)[frames] = revision

    def computed(self, group: str, track: int, frames: NDArray[np.intp], revision: int) -> None:
        """Record that derived ``frames`` were computed from the state at ``revision``."""
        self._stamp(self._computed, (group, track), NEVER)[frames] = revision

    def newest_input(self, group: str, track: int) -> NDArray[np.int64]:
        """(T,) revision at which the inputs of a derived group last changed."""
        newest = np.zeros(self._n_frames, np.int64)
        for name in INPUTS[group]:
            for key in ((name, track), (name, NO_TRACK)):
                if key in self._changed:
                    np.maximum(newest, self._changed[key], out=newest)
        return newest

    def stale(self, group: str, track: int) -> NDArray[np.bool_]:
        """(T,) True where a derived group is older than its inputs or was never computed."""
        computed = self._stamp(self._computed, (group, track), NEVER)
        return np.asarray(computed < self.newest_input(group, track))

    def forget(self, group: str, track: int) -> None:
        """Make a derived group stale everywhere."""
        self._computed.pop((group, track), None)
