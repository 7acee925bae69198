"""Files of weights: hashed in steps, written whole or not at all, where there is room."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import uuid
from collections.abc import Generator, Iterator
from pathlib import Path

from pipeline.data.errors import UserError

Step = tuple[float, str]

BLOCK = 1 << 20


def part_of(place: Path) -> Path:
    """Where the beginning of a file lies that is still being downloaded."""
    return place.with_name(f"{place.name}.part")


def hashed(file: Path) -> Generator[Step, None, tuple[str, int]]:
    """SHA-256 (hex) and size of a file, in steps."""
    digest, done = hashlib.sha256(), 0
    try:
        total = max(file.stat().st_size, 1)
        with file.open("rb") as handle:
            while block := handle.read(BLOCK):
                digest.update(block)
                done += len(block)
                yield done / total, f"Checking {file.name}"
    except OSError as error:
        raise UserError(f"{file} cannot be read: {error.strerror}.") from error
    return digest.hexdigest(), done


def require_space(folder: Path, n_bytes: int, what: str) -> None:
    """UserError where a folder's disk has too little space."""
    there = folder
    while not there.exists():
        there = there.parent
    free = shutil.disk_usage(there).free
    if free < n_bytes:
        raise UserError(
            f"{what} needs {megabytes(n_bytes)}, but only {megabytes(free)} are free where "
            f"{folder} is."
        )


def megabytes(n_bytes: int) -> str:
    """A size for people."""
    return f"{n_bytes / 1e6:.1f} MB"


@contextlib.contextmanager
def writing(target: Path) -> Iterator[Path]:
    """A file to fill that takes its place whole or not at all; UserError where that fails."""
    temporary = target.with_name(f".{uuid.uuid4().hex}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        os.replace(temporary, target)
    except OSError as error:
        raise UserError(f"{target} cannot be written: {error.strerror}.") from error
    finally:
        # Only ever there after a failure, whose own message is the one to be read.
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
