"""The layers of a project file: their parts written with every gesture, and read when needed."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pipeline.data.chunked_array import ChunkedArray, Load
from pipeline.data.errors import UserError
from pipeline.data.layers import LAYERS, NO_TRACK
from pipeline.data.patch import Patch
from pipeline.data.sequence import Sequence
from pipeline.io.project_codec import DamagedError, authored_specs, decode_chunk, encode_chunk
from pipeline.io.project_sqlite import DATABASE_ERRORS, connect_reading, error_text

ChunkKey = tuple[str, int, int]  # layer, track, number

#: Files with at most this many bytes of layers are checked whole when opened (0.1 s); larger ones
#: as they are read.
CHECKED_AT_OPENING = 16 * 2**20


class ChunkReader:
    """Reads parts of layers from a project file, also after the project was closed.

    ``connection`` is that of a project open for editing; while it is None, the file at ``path`` is
    opened for each part.
    """

    def __init__(self, connection: sqlite3.Connection | None, path: Path) -> None:
        self.connection = connection
        self.path = path
        self._checksums: dict[ChunkKey, int] = {}

    def attach(self, connection: sqlite3.Connection, sequence: Sequence) -> None:
        """Let a sequence have its layers from an open file, each part when it is first used.

        In a file that is not open for editing here, and may be edited elsewhere, what people gave
        is read at once and stays as it is now. UserError where a part that is read at once is not
        what was written.
        """
        changing = self.connection is None
        rows = connection.execute(
            "SELECT layer, track, number, crc, length(data) FROM chunk"
        ).fetchall()
        small = sum(row[4] for row in rows) <= CHECKED_AT_OPENING
        loads: dict[tuple[str, int], Load] = {}
        previous, self.connection = self.connection, connection
        for layer, track, number, crc, _ in rows:
            try:
                store = _store(sequence, layer, track, number)
            except (DamagedError, KeyError, ValueError) as error:
                raise self._damaged(layer, number, error) from error
            authored = LAYERS[layer].kind == "authored"
            load = loads.setdefault((layer, track), partial(self.load, sequence, layer, track))
            if authored and changing:
                continue
            if not authored:
                self._checksums[layer, track, number] = crc
            store.keep_elsewhere([number], load)
            if small:
                store.chunk(number)
        if changing:
            self._read_authored(connection, sequence)
        self.connection = previous

    def _read_authored(self, connection: sqlite3.Connection, sequence: Sequence) -> None:
        names = [spec.name for spec in authored_specs()]
        rows = connection.execute(
            "SELECT layer, track, number, codec, crc, data FROM chunk WHERE layer IN "
            f"({', '.join('?' * len(names))})",
            names,
        )
        for layer, track, number, *stored in rows:
            store = sequence.layer(layer, track)
            store.set_chunk(number, self._decoded(store, layer, number, *stored))

    def written(self, sequence: Sequence, keys: Iterable[ChunkKey]) -> None:
        """Parts in memory have been written to the file as they are."""
        for layer, track, number in keys:
            load = partial(self.load, sequence, layer, track)
            sequence.layer(layer, track).keep_elsewhere([number], load)

    def load(self, sequence: Sequence, layer: str, track: int, number: int) -> NDArray[Any]:
        """One part of a layer, the fill value where the file has none; UserError if damaged."""
        store = sequence.layer(layer, track)
        query = "SELECT codec, crc, data FROM chunk WHERE layer = ? AND track = ? AND number = ?"
        key = (layer, int(track), number)
        try:
            if self.connection is not None:
                rows = self.connection.execute(query, key).fetchall()
            else:
                with contextlib.closing(connect_reading(self.path)) as connection:
                    rows = connection.execute(query, key).fetchall()
        except DATABASE_ERRORS as error:
            raise UserError(f"{self.path} cannot be read: {error_text(error)}.") from error
        known = self._checksums.get(key)
        if known is None and not rows:
            return store.empty_chunk(number)
        if known is not None and [row[1] for row in rows] != [known]:
            raise self._damaged(layer, number, DamagedError("the file was replaced by another one"))
        return self._decoded(store, layer, number, *rows[0])

    def _decoded(
        self, store: ChunkedArray, layer: str, number: int, codec: int, crc: int, data: bytes
    ) -> NDArray[Any]:
        try:
            return decode_chunk(codec, crc, data, store.empty_chunk(number).shape, store.dtype)
        except DamagedError as error:
            raise self._damaged(layer, number, error) from error

    def _damaged(self, layer: str, number: int, error: Exception) -> UserError:
        return UserError(
            f"{self.path} is damaged: part {number} of its layer {layer!r} cannot be read "
            f"({error})."
        )


def _store(sequence: Sequence, layer: str, track: int, number: int) -> ChunkedArray:
    if not (isinstance(track, int) and isinstance(number, int)):  # SQLite takes any text there
        raise DamagedError("its track or number is none")
    store = sequence.layer(layer, track)
    if not 0 <= number < store.n_chunks:
        raise DamagedError("there is no such part")
    return store


def chunks_of(sequence: Sequence, name: str, values: ArrayLike) -> dict[ChunkKey, NDArray[Any]]:
    """A whole layer cut into parts; ValueError where its shape does not fit the sequence."""
    store = sequence.layer(name)
    array = np.asarray(values)
    if array.shape != store.shape:
        raise ValueError(f"{name} has shape {array.shape}, expected {store.shape}")
    return {
        (name, NO_TRACK, number): array[number * store.rows :][: store.rows].astype(store.dtype)
        for number in range(store.n_chunks)
    }


def staged_chunks(sequence: Sequence, patches: tuple[Patch, ...]) -> dict[ChunkKey, NDArray[Any]]:
    """The chunks that ``patches`` touch as they will be, the sequence left as it is.

    Raises ValueError for a patch that is not of an authored layer or whose old values are not the
    present ones, since its undo would then restore what never was.
    """
    staged: dict[ChunkKey, NDArray[Any]] = {}
    for patch in patches:
        spec = LAYERS[patch.layer]
        if spec.kind != "authored":
            raise ValueError(f"{patch.layer} is not an authored layer")
        store = sequence.layer(patch.layer, patch.track)
        numbers = patch.index[:, 0] // store.rows
        for number in np.unique(numbers).tolist():
            key = (patch.layer, patch.track, number)
            first = number * store.rows
            if key not in staged:
                staged[key] = store.read(slice(first, first + store.rows_in(number)))
            here = numbers == number
            columns = patch.index[here].T
            where = (columns[0] - first, *columns[1:])
            if staged[key][where].tobytes() != patch.old[here].astype(store.dtype).tobytes():
                raise ValueError(f"a patch of {patch.layer} does not start from the present state")
            staged[key][where] = patch.new[here]
    return staged


def write_chunks(
    connection: sqlite3.Connection, sequence: Sequence, chunks: Mapping[ChunkKey, NDArray[Any]]
) -> None:
    """Store chunks; those that hold nothing but the fill value are left out of the file."""
    for (layer, track, number), array in chunks.items():
        empty = sequence.layer(layer, track).empty_chunk(number)
        if array.tobytes() == empty.tobytes():
            connection.execute(
                "DELETE FROM chunk WHERE layer = ? AND track = ? AND number = ?",
                (layer, int(track), number),
            )
        else:
            connection.execute(
                "INSERT OR REPLACE INTO chunk VALUES (?, ?, ?, ?, ?, ?)",
                (layer, int(track), number, *encode_chunk(array)),
            )
