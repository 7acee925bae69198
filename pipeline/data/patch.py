"""The one unit of change: which values of which layer went from what to what."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.data.layers import NO_TRACK


@dataclass(frozen=True, slots=True, eq=False)
class Patch:
    """A change of N values of one layer.

    Parameters
    ----------
    layer : str
        Name in :data:`pipeline.data.layers.LAYERS`.
    index : (N, D) int array
        Position on the layer's index axes (frame first).
    old, new : (N, *item) arrays
        Values before and after, of the layer's dtype.
    track : int
        Person track of a per-track layer, else ``NO_TRACK``.
    """

    layer: str
    index: NDArray[np.intp]
    old: NDArray[Any]
    new: NDArray[Any]
    track: int = NO_TRACK

    def inverse(self) -> Patch:
        """The patch that takes this one back."""
        return replace(self, old=self.new, new=self.old)

    @property
    def frames(self) -> NDArray[np.intp]:
        """Sorted distinct positions on the first axis."""
        return np.unique(self.index[:, 0])

    @property
    def nbytes(self) -> int:
        return self.index.nbytes + self.old.nbytes + self.new.nbytes

    def is_empty(self) -> bool:
        """True where nothing differs, so that applying it would change nothing."""
        return self.old.tobytes() == self.new.tobytes()


@dataclass(frozen=True, slots=True, eq=False)
class Change:
    """What views hear: that some frames of a layer group now read differently."""

    group: str
    track: int
    frames: NDArray[np.intp]
    revision: int
