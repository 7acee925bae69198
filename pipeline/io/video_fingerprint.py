"""What tells a replaced video from the one that a project was made of, without reading it all."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from pipeline.data.sequence import VideoFingerprint
from pipeline.io.image_files import image_files, is_image_sequence

# Bytes at each end: the head holds a container's header, one of the ends its table of frames.
END = 64 * 1024


def fingerprint(path: Path) -> VideoFingerprint:
    """Size of a file and a hash of its first and last :data:`END` bytes; OSError if unreadable.

    Of a folder or pattern of numbered pictures the size of all, and a hash of their names and
    sizes and of the first one's beginning.
    """
    if is_image_sequence(path):
        return _of_pictures(image_files(path))
    with path.open("rb") as handle:
        n_bytes = handle.seek(0, os.SEEK_END)
        handle.seek(0)
        digest = hashlib.sha256(handle.read(END))
        handle.seek(max(END, n_bytes - END))
        digest.update(handle.read(END))
    return VideoFingerprint(n_bytes, digest.hexdigest())


def _of_pictures(files: tuple[Path, ...]) -> VideoFingerprint:
    sizes = [file.stat().st_size for file in files]
    with files[0].open("rb") as handle:
        digest = hashlib.sha256(handle.read(END))
    for file, size in zip(files, sizes, strict=True):
        digest.update(f"{file.name}/{size}\n".encode())
    return VideoFingerprint(sum(sizes), digest.hexdigest())
