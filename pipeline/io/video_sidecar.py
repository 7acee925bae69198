"""Indexes of videos kept in the user's cache folder, known by the file's size, time and ends.

A sidecar is never needed: one that is missing, damaged or cannot be written is done without.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import uuid
import zipfile
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import platformdirs

from pipeline.data.errors import Finding
from pipeline.io.video_fingerprint import fingerprint
from pipeline.io.video_frames import VideoIndex

# A new one makes older sidecars unknown: for when an index is made in another way.
_VERSION = 1
# 1.5 MB for an hour at 50 frames per second: at most about 300 MB in all.
_MAX_FILES = 200
_ARRAYS = ("pts", "key_pts", "key_dts", "key_frame", "key_packet", "key_lead")


def sidecar_path(path: Path) -> Path | None:
    """Where the sidecar of a video file lies, if there is one; None for what is no file."""
    try:
        if not path.is_file():
            return None
        known = fingerprint(path)
        changed = path.stat().st_mtime_ns
    except OSError:  # whoever opens it says why
        return None
    identity = f"{_VERSION}-{known.n_bytes}-{changed}-{known.sha256}"
    name = hashlib.sha256(identity.encode()).hexdigest()[:32]
    return platformdirs.user_cache_path("simspine-viewer") / "indexes" / f"{name}.npz"


def read_sidecar(sidecar: Path, path: Path) -> VideoIndex | None:
    """The index of the video at ``path`` from its sidecar; None where there is no sound one."""
    try:
        # Opened here, as numpy leaves a damaged one open.
        with sidecar.open("rb") as handle, np.load(handle, allow_pickle=False) as stored:
            arrays = {name: np.asarray(stored[name], np.int64) for name in _ARRAYS}
            facts = json.loads(bytes(stored["facts"]))
            is_clean = np.asarray(stored["key_is_clean"], np.bool_)
        index = _index(path, facts, arrays, is_clean)
        os.utime(sidecar)  # used now: the last to be dropped
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile, RuntimeError):
        return None  # zipfile raises the last for parts that seem locked or newer than it
    return index


def _index(
    path: Path,
    facts: dict[str, Any],
    arrays: dict[str, Any],
    is_clean: np.ndarray,
) -> VideoIndex:
    findings = [
        Finding(severity, code, f"{path}{text}", path)
        for severity, code, text in facts.pop("findings")
    ]
    n_keys = {len(arrays[name]) for name in _ARRAYS[1:]} | {len(is_clean)}
    if len(n_keys) != 1 or not len(arrays["pts"]) or np.any(np.diff(arrays["pts"]) <= 0):
        raise ValueError("arrays that do not belong together")
    time_base = Fraction(str(facts.pop("time_base")))
    return VideoIndex(
        path=path,
        time_base=time_base,
        key_is_clean=is_clean,
        findings=tuple(findings),
        **arrays,
        **facts,
    )


def write_sidecar(sidecar: Path, index: VideoIndex) -> None:
    """Keep an index; where that cannot be done, the next one is made anew."""
    path = str(index.path)
    facts = {
        "codec": index.codec,
        "mode": index.mode,
        "time_base": str(index.time_base),
        "width": index.width,
        "height": index.height,
        "rotation": index.rotation,
        "is_mirrored": index.is_mirrored,
        "container": index.container,
        "packet_count": index.packet_count,
        # The file may lie elsewhere next time.
        "findings": [[f.severity, f.code, f.message.removeprefix(path)] for f in index.findings],
    }
    temporary = sidecar.with_name(f".{sidecar.name}.{uuid.uuid4().hex[:8]}.part")
    with contextlib.suppress(OSError):
        sidecar.parent.mkdir(parents=True, exist_ok=True)
        try:
            with open(temporary, "xb") as handle:
                np.savez(
                    handle,
                    facts=np.frombuffer(json.dumps(facts).encode(), np.uint8),
                    key_is_clean=index.key_is_clean,
                    **{name: getattr(index, name) for name in _ARRAYS},
                )
            os.replace(temporary, sidecar)
        finally:
            temporary.unlink(missing_ok=True)
        _drop_oldest(sidecar.parent)


def _drop_oldest(folder: Path) -> None:
    with os.scandir(folder) as entries:
        known = sorted((entry.stat().st_mtime, entry.path) for entry in entries)
    for _, path in known[:-_MAX_FILES]:
        os.unlink(path)
