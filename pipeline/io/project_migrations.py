"""How project files of older versions are brought up to date, one version at a time."""

from __future__ import annotations

import json
import sqlite3
import struct
import zlib

from pipeline.io.project_codec import DamagedError, pack, unpack

# As version 2 has it; what later versions change must not change this.
_MANUAL = ("manual2d.xy", "manual2d.flags", "manual3d.xyz")
_ROWS_1, _ROWS_2 = 256, 16
_NOT_PLACED = struct.pack("<f", float("nan"))


def version_2(connection: sqlite3.Connection) -> None:
    """Manual layers are stored in parts of 16 rows, and there may be cameras and notes.

    Raises DamagedError (a ValueError) where a part cannot be read.
    """
    (info,) = connection.execute("SELECT value FROM meta WHERE key = 'info'").fetchone()
    n_frames = int(json.loads(info)["n_frames"])
    marks = ", ".join("?" * len(_MANUAL))
    stored = connection.execute(
        f"SELECT layer, track, number, codec, crc, data FROM chunk WHERE layer IN ({marks})",
        _MANUAL,
    ).fetchall()
    connection.execute(f"DELETE FROM chunk WHERE layer IN ({marks})", _MANUAL)
    for layer, track, number, codec, crc, data in stored:
        raw, first = unpack(codec, data), number * _ROWS_1
        rows = min(_ROWS_1, n_frames - first)
        if zlib.crc32(raw) != crc or rows <= 0 or len(raw) % rows:
            raise DamagedError(f"part {number} of layer {layer!r} cannot be read")
        size = _ROWS_2 * len(raw) // rows
        nothing = b"\0" if layer == "manual2d.flags" else _NOT_PLACED
        for part, start in enumerate(range(0, len(raw), size), first // _ROWS_2):
            piece = raw[start : start + size]
            if piece != nothing * (len(piece) // len(nothing)):
                connection.execute(
                    "INSERT INTO chunk VALUES (?, ?, ?, ?, ?, ?)",
                    _row(layer, track, part, piece),
                )


def _row(layer: str, track: int, number: int, raw: bytes) -> tuple[str, int, int, int, int, bytes]:
    codec, data = pack(raw)
    return layer, track, number, codec, zlib.crc32(raw), data
