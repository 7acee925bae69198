"""Who has a project open: an operating-system lock on a file beside it.

The lock itself dies with its process, whatever kills it; the file's text only says whose it was.
"""

from __future__ import annotations

import contextlib
import errno
import getpass
import json
import os
import socket
import sys
import time
from pathlib import Path
from typing import Any

from pipeline.data.errors import NotEditableError

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

# Windows locks are mandatory: a byte far behind the text keeps the text readable.
_WINDOWS_BYTE = 2**30
_NOT_SUPPORTED = {errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL}


def user_name() -> str:
    """The person at this computer, as well as it knows."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # no such user id, as in some containers
        return "unknown"


class ProjectLock:
    """The right to write one project, held from construction to :meth:`release`.

    Parameters
    ----------
    project : Path
        The project file, resolved; the lock lies at ``<project>.lock``.

    Raises
    ------
    NotEditableError
        Naming who has the project open, or why the folder takes no lock file.
    """

    def __init__(self, project: Path) -> None:
        self.path = project.with_name(project.name + ".lock")
        self.supported = True
        self._handle = self._acquire(project)
        os.ftruncate(self._handle, 0)
        os.write(self._handle, _own_card())

    def _acquire(self, project: Path) -> int:
        while True:
            try:
                handle = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o666)
            except OSError as error:
                cause = (error.strerror or str(error)).lower()
                raise NotEditableError(
                    f"{project} cannot be opened for editing: its folder takes no files ({cause})."
                ) from error
            try:
                self.supported = _lock(handle)
            except BlockingIOError as error:
                os.close(handle)
                raise NotEditableError(f"{project} is already open{_holder(self.path)}.") from error
            except OSError:
                os.close(handle)
                raise
            # Its last holder may have removed the file between our opening and locking it.
            with contextlib.suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(handle), self.path.stat()):
                    return handle
            os.close(handle)

    def release(self) -> None:
        """Let go and remove the lock file; further calls do nothing."""
        if self._handle < 0:
            return
        handle, self._handle = self._handle, -1
        if sys.platform == "win32":  # an open file cannot be removed there
            os.close(handle)
            with contextlib.suppress(PermissionError, FileNotFoundError):  # the next holder has it
                self.path.unlink()
            return
        self.path.unlink(missing_ok=True)
        os.close(handle)


def _lock(handle: int) -> bool:
    """Lock or raise BlockingIOError; False where the file system has no locks."""
    try:
        if sys.platform == "win32":
            os.lseek(handle, _WINDOWS_BYTE, os.SEEK_SET)
            try:
                msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
            except OSError as error:
                raise BlockingIOError(error.errno, "locked") from error
            finally:
                os.lseek(handle, 0, os.SEEK_SET)
        else:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise
    except OSError as error:
        if error.errno in _NOT_SUPPORTED:
            return False
        raise
    return True


def _own_card() -> bytes:
    card = {
        "user": user_name(),
        "host": socket.gethostname(),
        "pid": os.getpid(),
        "since": time.strftime("%Y-%m-%d %H:%M:%S"),
    }
    return json.dumps(card).encode()


def _holder(path: Path) -> str:
    try:
        card: Any = json.loads(path.read_bytes())
        return (
            f": {card['user']} has it open on {card['host']} "
            f"(process {card['pid']}) since {card['since']}"
        )
    except (OSError, ValueError, KeyError, TypeError):  # caught before the holder wrote its name
        return " in another window or on another computer"
