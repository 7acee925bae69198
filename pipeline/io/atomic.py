"""Files and folders that take their place whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TextIO

from pipeline.data.errors import UserError


@contextlib.contextmanager
def atomic_text(path: Path) -> Iterator[TextIO]:
    """A UTF-8 text file that replaces ``path``, synced to disk, when the block succeeds.

    After any exception, a generator's ``close()`` included, the old file is as it was and nothing
    lies beside it.

    Raises
    ------
    UserError
        Where the file cannot be written; it names ``path`` and the cause.
    """
    target = _checked(path)
    if target.is_dir():
        raise UserError(f"{path} could not be written: it is a folder.")
    # Renaming onto a device such as /dev/null would replace the device itself.
    if target.exists() and not target.is_file():
        raise UserError(f"{path} could not be written: it is no regular file.")
    if target.exists() and not os.access(target, os.W_OK):
        raise UserError(f"{path} could not be written: it is read-only.")
    temporary = _beside(target)
    try:
        with _in_words(path):
            # Not tempfile: its files stay closed to everyone but their owner.
            with open(temporary, "x", encoding="utf-8", newline="") as handle:
                yield handle
                handle.flush()
                os.fsync(handle.fileno())
            if target.exists():
                shutil.copymode(target, temporary)
            os.replace(temporary, target)
            sync_to_disk(target.parent)
    finally:
        # Only ever there after a failure, whose own message is the one to be read.
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def atomic_folder(path: Path, may_replace: Callable[[Path], bool]) -> Iterator[Path]:
    """An empty folder to fill that takes the place of ``path`` when the block succeeds.

    Parameters
    ----------
    path : Path
        May exist as a folder that is empty or that ``may_replace`` approves of.
    may_replace : callable
        Says whether everything in a folder can be made again, so that it may go.

    Raises
    ------
    UserError
        Where the folder holds other things, is a file, or cannot be written.
    """
    target = _checked(path)
    with _in_words(path):
        if target.exists() and not target.is_dir():
            raise UserError(f"{path} could not be written: it is a file, not a folder.")
        if target.is_dir() and any(target.iterdir()) and not may_replace(target):
            raise UserError(f"{path} was not replaced: it holds files that are not from an export.")
    temporary, old = _beside(target), _beside(target)
    try:
        with _in_words(path):
            temporary.mkdir()
            yield temporary
            if hasattr(os, "sync"):
                os.sync()  # thousands of small files: one sync each would take minutes
            _swap(temporary, target, old)
            sync_to_disk(target.parent)
    finally:
        # The export stands or has failed by now; what cannot be removed changes neither.
        shutil.rmtree(temporary, ignore_errors=True)
        if target.exists():
            shutil.rmtree(old, ignore_errors=True)


def _swap(new: Path, target: Path, old: Path) -> None:
    if target.exists():
        os.rename(target, old)
    try:
        os.rename(new, target)
    except OSError:
        if old.exists():
            os.rename(old, target)
        raise


def _checked(path: Path) -> Path:
    """The real place behind links; UserError where its folder is missing."""
    with _in_words(path):
        target = path.resolve()
        if not target.parent.is_dir():
            cause = "is not a folder" if target.parent.exists() else "does not exist"
            raise UserError(f"{path} could not be written: the folder {target.parent} {cause}.")
    return target


def _beside(target: Path) -> Path:
    return target.with_name(f".{target.name}.{uuid.uuid4().hex[:8]}.part")


@contextlib.contextmanager
def _in_words(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UserError(f"{path} could not be written: {_cause(error)}.") from error


def _cause(error: OSError) -> str:
    if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
        return "the disk is full or the file too large for it"
    if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOENT}:
        # A folder that is no real one, such as those of /proc, says ENOENT.
        return "its folder takes no files from you"
    return (error.strerror or str(error)).lower()


def sync_to_disk(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk; OSError where that fails."""
    is_folder = path.is_dir()
    if is_folder and os.name == "nt":  # Windows cannot open folders and orders renames itself
        return
    handle = os.open(path, os.O_RDONLY if is_folder else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
