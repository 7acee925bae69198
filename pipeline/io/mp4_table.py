"""The table of frames of an MP4 or MOV file (ISO/IEC 14496-12), read without FFmpeg.

Only of plain files: one video track, not in fragments. Anything unusual is None, never a guess.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]

# An hour at 240 frames per second needs 20 MB; what claims more is damaged.
_MAX_MOOV_BYTES = 256 << 20
# Boxes whose rules the table below does not follow: movie fragments, and groups and partial
# marks that make more pictures keyframes.
_UNUSUAL = (b"mvex", b"stps", b"sbgp", b"stz2", b"cmov", b"cslg")


class _UnusualError(Exception):
    """The file is not plain, or damaged."""


@dataclass(frozen=True, slots=True)
class Edit:
    """The one part of a track that is shown, in its units of time, after a ``delay``."""

    start: int
    duration: float
    delay: int


@dataclass(frozen=True, slots=True, eq=False)
class Mp4Table:
    """One video track's samples, in stored order.

    Parameters
    ----------
    timescale : int
        Units of time per second.
    offset, size : (N,) int64 arrays
        Where each sample stands in the file, in bytes.
    dts, pts : (N,) int64 arrays
        Times as in the track, before its edit list.
    keyframe : (K,) int64 array
        Positions of the sync samples.
    edit : Edit or None
        What is shown and when; None: all of it, at its own times.
    description : bytes
        The sample description box, with the coding's own header in it.
    """

    timescale: int
    offset: IntArray
    size: IntArray
    dts: IntArray
    pts: IntArray
    keyframe: IntArray
    edit: Edit | None
    description: bytes


def read_table(path: Path) -> Mp4Table | None:
    """The table of the only video track of a file; None where the file is not plain.

    Raises
    ------
    OSError
        The file cannot be read.
    """
    with path.open("rb") as handle:
        try:
            moov = _moov(handle)
            return _table(moov, path.stat().st_size)
        except (_UnusualError, struct.error, ValueError, LookupError, OverflowError):
            return None


def h264_header(table: Mp4Table) -> bytes:
    """What an H.264 decoder has to know first (avcC, ISO/IEC 14496-15); may be empty."""
    at = table.description.find(b"avcC")
    if at < 4:
        return b""
    (size,) = struct.unpack_from(">I", table.description, at - 4)
    return table.description[at + 4 : at - 4 + size]


def _moov(handle: BinaryIO) -> bytes:
    end = handle.seek(0, 2)
    position = 0
    moov = None
    while position + 8 <= end:
        handle.seek(position)
        header = handle.read(16)
        size, kind = struct.unpack(">I4s", header[:8])
        skipped = 8
        if size == 1:  # the size stands behind the type, in 64 bits
            size, skipped = struct.unpack(">Q", header[8:16])[0], 16
        elif size == 0:  # up to the end of the file
            size = end - position
        if size < skipped or kind == b"moof":
            raise _UnusualError
        if kind == b"moov":
            if moov is not None or size > _MAX_MOOV_BYTES or position + size > end:
                raise _UnusualError
            handle.seek(position + skipped)
            moov = handle.read(size - skipped)
        position += size
    if moov is None:
        raise _UnusualError
    return moov


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    position = 0
    while position + 8 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, position)
        if size < 8 or position + size > len(data) or kind in _UNUSUAL:
            raise _UnusualError
        yield kind, data[position + 8 : position + size]
        position += size


def _inside(data: bytes, *kinds: bytes) -> bytes:
    """The content of the only box of each kind, going down."""
    for kind in kinds:
        found = [content for name, content in _boxes(data) if name == kind]
        if len(found) != 1:
            raise _UnusualError
        (data,) = found
    return data


def _table(moov: bytes, file_size: int) -> Mp4Table:
    movie_scale = _timescale(_inside(moov, b"mvhd"))
    tracks = [content for kind, content in _boxes(moov) if kind == b"trak"]
    videos = [t for t in tracks if _inside(t, b"mdia", b"hdlr")[8:12] == b"vide"]
    if len(videos) != 1:
        raise _UnusualError
    (track,) = videos
    timescale = _timescale(_inside(track, b"mdia", b"mdhd"))
    boxes = dict(_boxes(_inside(track, b"mdia", b"minf", b"stbl")))
    description = boxes.get(b"stsd", b"")
    if len(description) < 8 or _counts(description)[0] != 1:
        raise _UnusualError
    size = _sizes(boxes, file_size)
    n_samples = len(size)
    offset = _offsets(boxes, size)
    dts = np.cumsum(np.concatenate([[0], _runs(boxes[b"stts"], n_samples)]))[:-1]
    shift = _runs(boxes[b"ctts"], n_samples) if b"ctts" in boxes else np.zeros(n_samples, np.int64)
    keyframe = np.arange(n_samples)
    if b"stss" in boxes:
        keyframe = _numbers(boxes[b"stss"], ">u4") - 1
    is_sound = (
        n_samples > 0
        and size.min() > 0
        and shift.min() >= 0
        and (offset + size).max() <= file_size
        and len(keyframe) > 0
        and keyframe[0] == 0
        and keyframe[-1] < n_samples
        and bool(np.all(np.diff(keyframe) > 0))
    )
    if not is_sound:
        raise _UnusualError
    edit = _edit(track, timescale, movie_scale)
    return Mp4Table(timescale, offset, size, dts, dts + shift, keyframe, edit, description)


def _timescale(header: bytes) -> int:
    (scale,) = struct.unpack_from(">I", header, 20 if header[0] == 1 else 12)
    if scale == 0:
        raise _UnusualError
    return int(scale)


def _counts(box: bytes) -> tuple[int, ...]:
    """The number that follows a full box's version and flags."""
    return struct.unpack_from(">I", box, 4)


def _numbers(box: bytes, kind: str, columns: int = 1) -> IntArray:
    (count,) = _counts(box)
    values = np.frombuffer(box, kind, count * columns, 8).astype(np.int64)
    return values if columns == 1 else values.reshape(count, columns)


def _runs(box: bytes, n_samples: int) -> IntArray:
    """Values stored as (how often, value); the second is signed in what is written today."""
    pairs = _numbers(box, ">u4", 2)
    if pairs[:, 0].sum() != n_samples:
        raise _UnusualError
    signed = pairs[:, 1].astype(np.uint32).astype(np.int32).astype(np.int64)
    return np.repeat(signed, pairs[:, 0])


def _sizes(boxes: dict[bytes, bytes], file_size: int) -> IntArray:
    same, count = struct.unpack_from(">II", boxes.get(b"stsz", b""), 4)
    if same * count > file_size:  # before as many numbers take all the memory
        raise _UnusualError
    if same:
        return np.full(count, same, np.int64)
    return np.frombuffer(boxes[b"stsz"], ">u4", count, 12).astype(np.int64)


def _offsets(boxes: dict[bytes, bytes], size: IntArray) -> IntArray:
    if (b"stco" in boxes) == (b"co64" in boxes) or b"stsc" not in boxes:
        raise _UnusualError
    chunk = _numbers(boxes[b"stco"], ">u4") if b"stco" in boxes else _numbers(boxes[b"co64"], ">i8")
    first, per_chunk, _ = _numbers(boxes[b"stsc"], ">u4", 3).T
    repeats = np.diff(np.append(first - 1, len(chunk)))
    if first[0] != 1 or np.any(repeats <= 0):
        raise _UnusualError
    counts = np.repeat(per_chunk, repeats)
    if counts.sum() != len(size):
        raise _UnusualError
    before = np.cumsum(size) - size
    starts = np.cumsum(counts) - counts
    offset: IntArray = np.repeat(chunk - before[starts], counts) + before
    return offset


def _edit(track: bytes, timescale: int, movie_scale: int) -> Edit | None:
    boxes = dict(_boxes(track))
    if b"edts" not in boxes:
        return None
    entries = _inside(boxes[b"edts"], b"elst")
    layout = struct.Struct(">Qqhh" if entries[0] == 1 else ">Iihh")
    (count,) = _counts(entries)
    edits = [layout.unpack_from(entries, 8 + layout.size * k) for k in range(min(count, 3))]
    delay = 0
    if len(edits) == 2 and edits[0][1] == -1:  # nothing is shown for a while
        delay = round(Fraction(edits.pop(0)[0] * timescale, movie_scale))
    if len(edits) != 1 or edits[0][1] < 0 or edits[0][2:] != (1, 0):
        raise _UnusualError
    duration, start, *_ = edits[0]
    return Edit(start, duration * timescale / movie_scale, delay)
