"""An array stored in chunks of frames that exist only once written to, and come when needed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from pipeline.data.chunk_memory import ChunkMemory

CHUNK = 256  # rows per chunk unless said otherwise: 37 points in 4 views take 0.3 MB

T = TypeVar("T")
Array = NDArray[Any]
Load = Callable[[int], Array]


class ChunkedArray:
    """An array whose first axis is stored in chunks that exist only once written to.

    Reading what was never written gives the fill value. Reads are copies, so nobody outside can
    change the store; :meth:`write` and :meth:`set_chunk` are the only ways in, and ``n_writes``
    counts them. ``memory`` says how many chunks are held at a time; by default all are.
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        dtype: str,
        fill: float,
        rows: int = CHUNK,
        memory: ChunkMemory | None = None,
    ) -> None:
        self.shape = shape
        self.dtype = np.dtype(dtype)
        self.fill = fill
        self.rows = rows
        self.n_writes = 0
        self._memory = memory
        self._chunks: dict[int, Array] = {}
        self._elsewhere: dict[int, Load] = {}
        self._summaries: dict[str, dict[int, Any]] = {}

    def __len__(self) -> int:
        return self.shape[0]

    @property
    def n_chunks(self) -> int:
        return -(-self.shape[0] // self.rows)

    def _empty(self, rows: int) -> Array:
        return np.full((rows, *self.shape[1:]), self.fill, self.dtype)

    def rows_in(self, number: int) -> int:
        """Number of rows in chunk ``number`` (the last one is shorter)."""
        return min(self.rows, self.shape[0] - number * self.rows)

    def empty_chunk(self, number: int) -> Array:
        """Chunk ``number`` as it is where nothing was written."""
        return self._empty(self.rows_in(number))

    def _held(self, number: int) -> Array | None:
        """A chunk in memory, brought there if it is stored elsewhere; None: never written."""
        chunk = self._chunks.get(number)
        if chunk is None:
            load = self._elsewhere.get(number)
            if load is None:
                return None
            chunk = self._chunks[number] = load(number)
        if self._memory is not None:
            self._memory.touch(self, number, chunk.nbytes)
        return chunk

    def _changing(self, number: int) -> Array:
        """A chunk in memory that is about to differ from what is stored elsewhere."""
        chunk = self._held(number)
        if chunk is None:
            chunk = self._chunks[number] = self.empty_chunk(number)
        self._changed(number)
        if self._memory is not None:
            self._memory.touch(self, number, chunk.nbytes)
        return chunk

    def _changed(self, number: int) -> None:
        self._elsewhere.pop(number, None)
        for summary in self._summaries.values():
            summary.pop(number, None)

    def drop(self, number: int) -> None:
        """Let a chunk go from memory; OSError where it could not be kept elsewhere."""
        if number not in self._elsewhere:
            assert self._memory is not None
            self._memory.scratch.write(self, number, self._chunks[number])
            self._elsewhere[number] = self._from_scratch
        del self._chunks[number]

    def _from_scratch(self, number: int) -> Array:
        assert self._memory is not None
        return self._memory.scratch.read(self, number, self.empty_chunk(number))

    def keep_elsewhere(self, numbers: Iterable[int], load: Load) -> None:
        """Say that chunks, as they are, can be had from ``load(number)`` at any time."""
        self._elsewhere.update(dict.fromkeys(numbers, load))

    def read(self, rows: slice | NDArray[np.intp]) -> Array:
        """Copy of the given rows, shape ``(n, *shape[1:])``."""
        if isinstance(rows, slice):
            start, stop, step = rows.indices(self.shape[0])
            if step != 1:
                return self.read(np.arange(start, stop, step))
            return self._read_range(start, max(start, stop))
        if len(rows) == 1:
            return self._read_range(int(rows[0]), int(rows[0]) + 1)
        out = self._empty(len(rows))
        numbers = rows // self.rows
        for number in np.unique(numbers).tolist():
            chunk = self._held(number)
            if chunk is not None:
                here = np.flatnonzero(numbers == number)
                out[here] = chunk[rows[here] - number * self.rows]
        return out

    def _read_range(self, start: int, stop: int) -> Array:
        out = self._empty(stop - start)
        for number in range(start // self.rows, -(-stop // self.rows)):
            chunk = self._held(number)
            if chunk is not None:
                first = number * self.rows
                low, high = max(start, first), min(stop, first + self.rows)
                out[low - start : high - start] = chunk[low - first : high - first]
        return out

    def get(self, index: NDArray[np.intp]) -> Array:
        """Values at ``index`` (N, D), shape ``(N, *item)``."""
        out = np.full((len(index), *self.shape[index.shape[1] :]), self.fill, self.dtype)
        for number, here in self._by_chunk(index):
            chunk = self._held(number)
            if chunk is not None:
                out[here] = chunk[self._within(index[here], number)]
        return out

    def write(self, index: NDArray[np.intp], values: Array) -> None:
        """Set values (N, *item) at ``index`` (N, D)."""
        self.n_writes += 1
        for number, here in self._by_chunk(index):
            self._changing(number)[self._within(index[here], number)] = values[here]

    def _by_chunk(self, index: NDArray[np.intp]) -> Iterator[tuple[int, Array | slice]]:
        numbers = index[:, 0] // self.rows
        if not len(numbers):
            return
        first = int(numbers[0])
        if (numbers == first).all():
            yield first, slice(None)
            return
        for number in np.unique(numbers).tolist():
            yield number, numbers == number

    def _within(self, index: NDArray[np.intp], number: int) -> tuple[NDArray[np.intp], ...]:
        columns = (index[:, axis] for axis in range(1, index.shape[1]))
        return (index[:, 0] - number * self.rows, *columns)

    def chunk(self, number: int) -> Array | None:
        """Read-only view of a chunk, None if it was never written."""
        chunk = self._held(number)
        if chunk is None:
            return None
        view = chunk.view()
        view.flags.writeable = False
        return view

    def chunks(self) -> Iterator[tuple[int, Array]]:
        """First row and read-only values of each chunk that exists, ascending."""
        for number in self.stored():
            chunk = self.chunk(number)
            if chunk is not None:
                yield number * self.rows, chunk

    def summary(self, name: str, of: Callable[[Array], T]) -> tuple[T, ...]:
        """``of`` each chunk that exists, ascending; worked out anew only where one changed."""
        known = self._summaries.setdefault(name, {})
        for number in self.stored():
            if number not in known:
                chunk = self.chunk(number)
                if chunk is not None:
                    known[number] = of(chunk)
        return tuple(known[number] for number in sorted(known))

    def any(self) -> bool:
        """True where something other than the fill value is stored."""
        known = self._summaries.setdefault("any", {})
        for number in self.stored():
            if number not in known:
                chunk = self.chunk(number)
                empty = self.empty_chunk(number)
                known[number] = chunk is not None and chunk.tobytes() != empty.tobytes()
            if known[number]:
                return True
        return False

    def stored(self) -> Iterator[int]:
        """Numbers of the chunks that exist, ascending."""
        return iter(sorted(self._chunks.keys() | self._elsewhere.keys()))

    def set_chunk(self, number: int, data: Array) -> None:
        """Replace one chunk; ValueError if its shape does not fit."""
        expected = (self.rows_in(number), *self.shape[1:])
        if data.shape != expected:
            raise ValueError(f"chunk {number} has shape {data.shape}, expected {expected}")
        self._chunks[number] = np.array(data, self.dtype)
        self._changed(number)
        self.n_writes += 1
        if self._memory is not None:
            self._memory.touch(self, number, self._chunks[number].nbytes)
