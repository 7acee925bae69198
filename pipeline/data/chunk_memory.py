"""How much of all layers is held in memory: the parts used last, the others on disk.

A part that can be read again is dropped; any other is written to a scratch file first, which no
other program sees and which vanishes with the process, also when that is killed.
"""

from __future__ import annotations

import tempfile
import weakref
from collections import OrderedDict
from pathlib import Path
from typing import IO, Any, Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

#: An hour of four views at 50 frames/s needs 0.6 GB for its detections and points of one person;
#: those around the cursor need a few MB.
BUDGET = 64 * 2**20


class Holder(Protocol):
    """What holds chunks in memory and can let one go."""

    def drop(self, number: int) -> None:
        """Let a chunk go; OSError where it could not be kept anywhere else."""


class Scratch:
    """Chunks on disk, each in a place of its own, kept for this process only."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._file: IO[bytes] | None = None
        self._places: dict[tuple[Holder, int], int] = {}
        self._end = 0

    def write(self, holder: Holder, number: int, chunk: Array) -> None:
        """Keep a chunk; it has the same size every time. OSError where the disk is full."""
        if self._file is None:
            if self._folder is not None:
                self._folder.mkdir(parents=True, exist_ok=True)
            # Open as long as this object lives, and gone with it.
            self._file = tempfile.TemporaryFile(dir=self._folder, buffering=0)  # noqa: SIM115
            weakref.finalize(self, self._file.close)
        place = self._places.get((holder, number), self._end)
        self._file.seek(place)
        data = np.ascontiguousarray(chunk).data.cast("B")
        while data:
            data = data[self._file.write(data) :]
        self._places[holder, number] = place
        self._end = max(self._end, place + chunk.nbytes)

    def read(self, holder: Holder, number: int, empty: Array) -> Array:
        """A kept chunk, read into ``empty``, which has its shape and type."""
        assert self._file is not None
        self._file.seek(self._places[holder, number])
        data = empty.data.cast("B")
        while data:
            count = self._file.readinto(data)  # type: ignore[attr-defined]
            if not count:
                raise OSError("the scratch file is shorter than what was written to it")
            data = data[count:]
        return empty


class ChunkMemory:
    """The chunks held in memory, least recently used first, within ``budget`` bytes.

    ``folder`` is where the scratch file goes, by default where the system has temporary files. A
    chunk that cannot be written there stays in memory, whatever the budget.
    """

    def __init__(self, budget: int = BUDGET, folder: Path | None = None) -> None:
        self.budget = budget
        self.used = 0
        self.scratch = Scratch(folder)
        self._held: OrderedDict[tuple[Holder, int], int] = OrderedDict()

    def touch(self, holder: Holder, number: int, nbytes: int) -> None:
        """A chunk is being used; others go where there are too many."""
        key = (holder, number)
        if key in self._held:
            self._held.move_to_end(key)
            return
        self._held[key] = nbytes
        self.used += nbytes
        while self.used > self.budget and len(self._held) > 1:
            oldest = next(iter(self._held))
            try:
                oldest[0].drop(oldest[1])
            except OSError:
                self._held.move_to_end(oldest)  # the disk is full: nothing may be lost
                return
            self.used -= self._held.pop(oldest)
