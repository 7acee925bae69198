"""An array stored in chunks of frames that exist only once written to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

CHUNK = 256  # rows per chunk: one chunk of 37 points in 4 views is 0.3 MB


class ChunkedArray:
    """An array whose first axis is stored in chunks that exist only once written to.

    Reading what was never written gives the fill value. Reads are copies, so nobody outside can
    change the store; :meth:`write` and :meth:`set_chunk` are the only ways in, and ``n_writes``
    counts them.
    """

    def __init__(self, shape: tuple[int, ...], dtype: str, fill: float) -> None:
        self.shape = shape
        self.dtype = np.dtype(dtype)
        self.fill = fill
        self.n_writes = 0
        self._chunks: dict[int, NDArray[Any]] = {}

    def __len__(self) -> int:
        return self.shape[0]

    @property
    def n_chunks(self) -> int:
        return -(-self.shape[0] // CHUNK)

    def _empty(self, rows: int) -> NDArray[Any]:
        return np.full((rows, *self.shape[1:]), self.fill, self.dtype)

    def rows_in(self, number: int) -> int:
        """Number of rows in chunk ``number`` (the last one is shorter)."""
        return min(CHUNK, self.shape[0] - number * CHUNK)

    def read(self, rows: slice | NDArray[np.intp]) -> NDArray[Any]:
        """Copy of the given rows, shape ``(n, *shape[1:])``."""
        if isinstance(rows, slice):
            start, stop, step = rows.indices(self.shape[0])
            if step != 1:
                return self.read(np.arange(start, stop, step))
            return self._read_range(start, max(start, stop))
        out = self._empty(len(rows))
        for number in np.unique(rows // CHUNK):
            chunk = self._chunks.get(int(number))
            if chunk is not None:
                here = np.flatnonzero(rows // CHUNK == number)
                out[here] = chunk[rows[here] - number * CHUNK]
        return out

    def _read_range(self, start: int, stop: int) -> NDArray[Any]:
        out = self._empty(stop - start)
        for number in range(start // CHUNK, -(-stop // CHUNK)):
            chunk = self._chunks.get(number)
            if chunk is not None:
                first = number * CHUNK
                low, high = max(start, first), min(stop, first + CHUNK)
                out[low - start : high - start] = chunk[low - first : high - first]
        return out

    def get(self, index: NDArray[np.intp]) -> NDArray[Any]:
        """Values at ``index`` (N, D), shape ``(N, *item)``."""
        out = np.full((len(index), *self.shape[index.shape[1] :]), self.fill, self.dtype)
        numbers = index[:, 0] // CHUNK
        for number in np.unique(numbers):
            chunk = self._chunks.get(int(number))
            if chunk is not None:
                here = numbers == number
                out[here] = chunk[_within(index[here], int(number))]
        return out

    def write(self, index: NDArray[np.intp], values: NDArray[Any]) -> None:
        """Set values (N, *item) at ``index`` (N, D)."""
        self.n_writes += 1
        numbers = index[:, 0] // CHUNK
        for number in np.unique(numbers):
            here = numbers == number
            chunk = self._writable(int(number))
            chunk[_within(index[here], int(number))] = values[here]

    def _writable(self, number: int) -> NDArray[Any]:
        if number not in self._chunks:
            self._chunks[number] = self._empty(self.rows_in(number))
        return self._chunks[number]

    def chunk(self, number: int) -> NDArray[Any] | None:
        """Read-only view of a chunk, None if it was never written."""
        chunk = self._chunks.get(number)
        if chunk is None:
            return None
        view = chunk.view()
        view.flags.writeable = False
        return view

    def any(self) -> bool:
        """True where something other than the fill value is stored."""
        return any(
            chunk.tobytes() != self._empty(len(chunk)).tobytes() for chunk in self._chunks.values()
        )

    def stored(self) -> Iterator[int]:
        """Numbers of the chunks that exist, ascending."""
        return iter(sorted(self._chunks))

    def set_chunk(self, number: int, data: NDArray[Any]) -> None:
        """Replace one chunk; ValueError if its shape does not fit."""
        expected = (self.rows_in(number), *self.shape[1:])
        if data.shape != expected:
            raise ValueError(f"chunk {number} has shape {data.shape}, expected {expected}")
        self._chunks[number] = np.array(data, self.dtype)
        self.n_writes += 1


def _within(index: NDArray[np.intp], number: int) -> tuple[NDArray[np.intp], ...]:
    return (index[:, 0] - number * CHUNK, *(index[:, axis] for axis in range(1, index.shape[1])))
