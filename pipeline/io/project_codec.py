"""Arrays, patches and recordings as the bytes and JSON that a project file holds."""

from __future__ import annotations

import math
import os
import zlib
from collections.abc import Sequence as Items
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.data.camera import Camera, CameraGroup, SyncMap
from pipeline.data.errors import Finding, UserError
from pipeline.data.layers import LAYERS, LayerSpec
from pipeline.data.patch import Patch
from pipeline.data.sequence import RecordingInfo, VideoFingerprint, VideoRef
from pipeline.data.skeleton import Skeleton, load_skeleton, shipped_skeletons
from pipeline.io.video_fingerprint import fingerprint

RAW, ZLIB = 0, 1

# Below this many bytes zlib saves less than a row costs.
_WORTH_COMPRESSING = 256
# Coordinates that are all there are mostly noise and hardly shrink: then the time is better saved.
_WORTH_KEEPING = 0.9

_INDEX = np.dtype("<i4")


class DamagedError(ValueError):
    """Stored bytes are not what was written."""


def pack(raw: bytes) -> tuple[int, bytes]:
    """Codec and stored form of some bytes."""
    if len(raw) < _WORTH_COMPRESSING:
        return RAW, raw
    packed = zlib.compress(raw, level=1)
    return (ZLIB, packed) if len(packed) < _WORTH_KEEPING * len(raw) else (RAW, raw)


def unpack(codec: int, data: bytes) -> bytes:
    """Inverse of :func:`pack`; raises DamagedError."""
    if not isinstance(data, bytes):
        raise DamagedError("it holds no bytes")
    if codec == RAW:
        return data
    if codec != ZLIB:
        raise DamagedError(f"unknown codec {codec}")
    try:
        return zlib.decompress(data)
    except zlib.error as error:
        raise DamagedError(str(error)) from error


def _little_endian(dtype: np.dtype[Any]) -> np.dtype[Any]:
    return dtype.newbyteorder("<")


def encode_chunk(array: NDArray[Any]) -> tuple[int, int, bytes]:
    """Codec, CRC-32 of the raw bytes, and stored bytes of one chunk (C order, little endian)."""
    raw = np.ascontiguousarray(array, _little_endian(array.dtype)).tobytes()
    codec, data = pack(raw)
    return codec, zlib.crc32(raw), data


def decode_chunk(
    codec: int, crc: int, data: bytes, shape: tuple[int, ...], dtype: np.dtype[Any]
) -> NDArray[Any]:
    """The array of a stored chunk; raises DamagedError."""
    raw = unpack(codec, data)
    if zlib.crc32(raw) != crc:
        raise DamagedError("checksum differs")
    if len(raw) != dtype.itemsize * math.prod(shape):
        raise DamagedError(f"{len(raw)} bytes do not fill {shape}")
    return np.frombuffer(raw, _little_endian(dtype)).reshape(shape).astype(dtype)


@dataclass(frozen=True, slots=True)
class PatchRow:
    """A patch as its row in the ``patch`` table, without journal id and ordinal."""

    layer: str
    track: int
    count: int
    codec: int
    crc: int
    indices: bytes
    old: bytes
    new: bytes


def encode_patch(patch: Patch) -> PatchRow:
    """The row of a patch: indices as int32, values in the layer's dtype, little endian."""
    dtype = _little_endian(np.dtype(LAYERS[patch.layer].dtype))
    arrays = (
        np.ascontiguousarray(patch.index, _INDEX),
        np.ascontiguousarray(patch.old, dtype),
        np.ascontiguousarray(patch.new, dtype),
    )
    raws = [array.tobytes() for array in arrays]
    crc = zlib.crc32(b"".join(raws))
    codec = ZLIB if sum(map(len, raws)) >= _WORTH_COMPRESSING else RAW
    parts = [zlib.compress(raw, level=1) for raw in raws] if codec == ZLIB else raws
    return PatchRow(patch.layer, patch.track, len(patch.index), codec, crc, *parts)


def decode_patch(row: PatchRow, shape: Items[int]) -> Patch:
    """The patch of a row for a layer of full ``shape``; raises DamagedError."""
    spec = LAYERS.get(row.layer)
    if spec is None or spec.kind != "authored":
        raise DamagedError(f"no authored layer {row.layer!r}")
    raws = [unpack(row.codec, part) for part in (row.indices, row.old, row.new)]
    if zlib.crc32(b"".join(raws)) != row.crc:
        raise DamagedError("checksum differs")
    dtype = np.dtype(spec.dtype)
    values = (row.count, *spec.item)
    try:
        index = np.frombuffer(raws[0], _INDEX).reshape(row.count, len(spec.axes)).astype(np.intp)
        old, new = (
            np.frombuffer(raw, _little_endian(dtype)).reshape(values).astype(dtype)
            for raw in raws[1:]
        )
    except ValueError as error:
        raise DamagedError(str(error)) from error
    limits = np.array(shape[: len(spec.axes)])
    if np.any(index < 0) or np.any(index >= limits):
        raise DamagedError(f"index outside {row.layer}")
    return Patch(row.layer, index, old, new, row.track)


def authored_specs() -> tuple[LayerSpec, ...]:
    """The layers that people change."""
    return tuple(spec for spec in LAYERS.values() if spec.kind == "authored")


def encode_info(info: RecordingInfo, project: Path) -> dict[str, Any]:
    """A recording as JSON; video paths relative to the project file, and absolute as a fallback.

    JSON numbers are the shortest text that reads back as the same float64.
    """
    return {
        "name": info.name,
        "fps": info.fps,
        "n_frames": info.n_frames,
        "n_persons": info.n_persons,
        "skeleton": {"name": info.skeleton.name, "keypoints": list(info.skeleton.names)},
        "cameras": [
            {
                "name": camera.name,
                "size": list(camera.size),
                "matrix": camera.matrix.tolist(),
                "distortion": camera.distortion.tolist(),
                "rotation": camera.rotation.tolist(),
                "translation": camera.translation.tolist(),
            }
            for camera in info.cameras
        ],
        "syncs": [_encode_sync(sync) for sync in info.syncs],
        "videos": [_encode_video(video, project) for video in info.videos],
    }


def _encode_sync(sync: SyncMap) -> dict[str, Any]:
    stored = {"offset": sync.offset, "rate": sync.rate, "n_frames": sync.n_frames}
    return {**stored, "drift": sync.drift} if sync.drift else stored


def _decode_sync(stored: dict[str, Any]) -> SyncMap:
    offset, drift = float(stored["offset"]), float(stored.get("drift", 0.0))
    rate = float(stored["rate"])
    if not (math.isfinite(offset) and math.isfinite(rate + drift) and rate + drift > 0):
        raise ValueError(f"offset {offset}, rate {rate} and drift {drift} make no time axis")
    whole = int(offset)
    return SyncMap(whole if whole == offset else offset, rate, int(stored["n_frames"]), drift)


def _encode_video(video: VideoRef, project: Path) -> dict[str, Any]:
    known = video.fingerprint
    entry: dict[str, Any] = {
        "size": list(video.size),
        "n_frames": video.n_frames,
        "fingerprint": known and {"bytes": known.n_bytes, "sha256": known.sha256},
    }
    if video.path is None:
        return {**entry, "relative": None, "absolute": None}
    absolute = Path(os.path.abspath(video.path))
    try:
        relative = Path(os.path.relpath(absolute, project.parent)).as_posix()
    except ValueError:  # another drive on Windows
        relative = None
    return {**entry, "relative": relative, "absolute": str(absolute)}


def decode_info(stored: dict[str, Any], project: Path) -> tuple[RecordingInfo, list[Finding]]:
    """A recording from its JSON, with a finding for each video that is gone or was replaced.

    A missing video keeps the path where it was expected. Raises UserError for a skeleton that is
    not shipped, and KeyError, TypeError or ValueError for JSON that is not what was written.
    """
    findings: list[Finding] = []
    cameras = tuple(
        Camera(
            str(entry["name"]),
            _size(entry["size"]),
            *(
                np.array(entry[part], np.float64).reshape(shape)
                for part, shape in (
                    ("matrix", (3, 3)),
                    ("distortion", -1),
                    ("rotation", (3, 3)),
                    ("translation", 3),
                )
            ),
        )
        for entry in stored["cameras"]
    )
    info = RecordingInfo(
        name=str(stored["name"]),
        fps=float(stored["fps"]),
        n_frames=int(stored["n_frames"]),
        cameras=CameraGroup(cameras),
        videos=tuple(_decode_video(entry, project, findings) for entry in stored["videos"]),
        syncs=tuple(_decode_sync(entry) for entry in stored["syncs"]),
        skeleton=_skeleton(stored["skeleton"], project),
        n_persons=int(stored["n_persons"]),
    )
    return info, findings


def _size(pair: Items[int]) -> tuple[int, int]:
    width, height = pair
    return int(width), int(height)


def _decode_video(entry: dict[str, Any], project: Path, findings: list[Finding]) -> VideoRef:
    stored = entry.get("fingerprint")
    known = stored and VideoFingerprint(int(stored["bytes"]), str(stored["sha256"]))
    path = _find_video(entry, known, project, findings)
    return VideoRef(path, _size(entry["size"]), int(entry["n_frames"]), known)


def _find_video(
    entry: dict[str, Any],
    known: VideoFingerprint | None,
    project: Path,
    findings: list[Finding],
) -> Path | None:
    places = []
    if entry["relative"] is not None:
        places.append(Path(os.path.normpath(project.parent / entry["relative"])))
    if entry["absolute"] is not None:
        places.append(Path(entry["absolute"]))
    there = [place for place in places if place.exists()]
    for place in there:
        if _may_be(place, known):
            return place
    if there:
        message = (
            f"The video {there[0]} is not the one that {project.name} was made from; its pictures "
            "may not fit the points."
        )
        findings.append(Finding("warning", "video-changed", message, there[0]))
        return there[0]
    if not places:
        return None
    message = f"The video {places[0]} of the project {project.name} was not found."
    findings.append(Finding("warning", "video-missing", message, places[0]))
    return places[0]


def _may_be(path: Path, known: VideoFingerprint | None) -> bool:
    """False where a file is surely not the known one; who reads it says if it cannot be read."""
    try:
        return known is None or fingerprint(path) == known
    except OSError:
        return True


def _skeleton(stored: dict[str, Any], project: Path) -> Skeleton:
    name = str(stored["name"])
    if name not in shipped_skeletons():
        raise UserError(f"{project} uses the skeleton “{name}”, which this version does not have.")
    skeleton = load_skeleton(name)
    if list(skeleton.names) != list(stored["keypoints"]):
        raise UserError(
            f"{project} was made with other keypoints of the skeleton “{name}” than this version's."
        )
    return skeleton
