"""SQLite files handled with care: opening, durable settings, atomic copies, errors in words."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

from pipeline.data.errors import UserError
from pipeline.io.atomic import sync_to_disk

_MAGIC = b"SQLite format 3\x00"
_BUSY_MS = 5000  # longer than any checkpoint or commit of another process takes


_CAUSES = {
    "SQLITE_FULL": "the disk is full",
    "SQLITE_IOERR": "the disk could not be read or written (is it full?)",
    "SQLITE_READONLY": "the file is read-only",
    "SQLITE_BUSY": "another program is using the file",
    "SQLITE_LOCKED": "another program is using the file",
    "SQLITE_CANTOPEN": "the file could not be opened",
    "SQLITE_CORRUPT": "it is damaged",
    "SQLITE_NOTADB": "it is damaged",
}


#: What reading or writing a database may raise. SQLite quotes a damaged schema in its message,
#: and Python fails to decode what is then no text.
DATABASE_ERRORS = (sqlite3.Error, OSError, UnicodeDecodeError)


def error_text(error: Exception) -> str:
    """What went wrong with a file, in words that fit after a colon."""
    if isinstance(error, OSError):
        return (error.strerror or str(error)).lower()
    if isinstance(error, UnicodeDecodeError):
        return _CAUSES["SQLITE_CORRUPT"]
    name = getattr(error, "sqlite_errorname", None) or ""
    return next((text for start, text in _CAUSES.items() if name.startswith(start)), str(error))


@contextlib.contextmanager
def in_words(path: Path, what: str) -> Iterator[None]:
    """UserError naming the file where anything inside fails to read or write it."""
    try:
        yield
    except DATABASE_ERRORS as error:
        raise UserError(f"{path} {what}: {error_text(error)}.") from error


def check_header(path: Path) -> None:
    """UserError unless ``path`` is a whole SQLite file, told from its first 100 bytes."""
    try:
        size = path.stat().st_size
        with path.open("rb") as handle:
            head = handle.read(100)
    except FileNotFoundError as error:
        raise UserError(f"{path} does not exist.") from error
    except IsADirectoryError as error:
        raise UserError(f"{path} is a folder, not a project file.") from error
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error_text(error)}.") from error
    if size == 0:
        raise UserError(f"{path} is empty.")
    if not head.startswith(_MAGIC[: len(head)]):
        raise UserError(f"{path} is not a SIMSPINE Viewer project (not an SQLite file).")
    # Header fields: sqlite.org/fileformat2.html section 1.3. While a write-ahead log exists, the
    # main file may rightly be shorter than its header says.
    wal = path.with_name(path.name + "-wal")
    if len(head) == 100 and wal.exists() and wal.stat().st_size > 0:
        return
    page = struct.unpack(">H", head[16:18])[0] if len(head) == 100 else 1
    expected = (65536 if page == 1 else page) * (
        struct.unpack(">I", head[28:32])[0] if len(head) == 100 else 1
    )
    if size < expected:
        raise UserError(f"{path} is truncated: it has {size} of at least {expected} bytes.")


def connect(path: Path, *, mode: str = "rw", immutable: bool = False) -> sqlite3.Connection:
    """Open an existing file without implicit transactions; ``mode`` is ``ro`` or ``rw``."""
    query = f"mode={mode}" + ("&immutable=1" if immutable else "")
    connection = sqlite3.connect(
        f"file:{quote(str(path))}?{query}",
        uri=True,
        isolation_level=None,
        check_same_thread=False,  # one thread at a time; SQLite itself serialises calls
    )
    connection.execute(f"PRAGMA busy_timeout = {_BUSY_MS}")
    return connection


def connect_reading(path: Path) -> sqlite3.Connection:
    """Open for reading, also in a folder that cannot be written.

    A WAL database needs its ``-shm`` beside it; where that cannot be made and no log waits to be
    taken up, the file is read as it stands.
    """
    connection = connect(path, mode="ro")
    try:
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.OperationalError:
        connection.close()
        wal = path.with_name(path.name + "-wal")
        if wal.exists() and wal.stat().st_size > 0:
            raise
        connection = connect(path, mode="ro", immutable=True)
    except BaseException:
        connection.close()
        raise
    return connection


def make_durable(connection: sqlite3.Connection) -> str:
    """Switch to a write-ahead log synced at every commit; returns the journal mode in force.

    Network file systems without shared memory refuse WAL; a rollback journal is as durable.
    """
    try:
        mode = str(connection.execute("PRAGMA journal_mode = WAL").fetchone()[0])
    except sqlite3.OperationalError:
        mode = ""
    if mode != "wal":
        mode = str(connection.execute("PRAGMA journal_mode = DELETE").fetchone()[0])
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    return mode


def settle(connection: sqlite3.Connection) -> None:
    """Close a connection so that one plain file remains.

    Where a reader is still at work or the disk is full the log stays beside the file and is taken
    up at the next opening, so that nothing is lost.
    """
    with contextlib.suppress(sqlite3.Error):
        connection.execute("PRAGMA busy_timeout = 0")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.execute("PRAGMA journal_mode = DELETE")
    connection.close()


@contextlib.contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Everything inside is written or, after any exception, nothing is."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary name beside ``path`` that takes its place, synced, when the block succeeds."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        temporary.unlink(missing_ok=True)
        yield temporary
        sync_to_disk(temporary)
        _discard_log(path)
        os.replace(temporary, path)
        sync_to_disk(path.parent)
    finally:
        for leftover in (temporary, temporary.with_name(temporary.name + "-journal")):
            leftover.unlink(missing_ok=True)


def copy_database(
    source: sqlite3.Connection,
    path: Path,
    adapt: Callable[[sqlite3.Connection], None] = lambda _: None,
) -> Path:
    """Write everything committed in ``source``, then adapted, to ``path``, atomically."""
    with (
        replacing(path) as temporary,
        contextlib.closing(sqlite3.connect(temporary, isolation_level=None)) as copy,
    ):
        source.backup(copy)
        copy.execute("PRAGMA journal_mode = DELETE")
        adapt(copy)
    return path


def _discard_log(path: Path) -> None:
    # SQLite would replay a log left by a killed process into whatever file has its name. The old
    # file takes its log up first, so that it is whole should the replacement fail after this.
    log = path.with_name(path.name + "-wal")
    if log.exists() and path.exists() and path.stat().st_size > 0:
        with contextlib.suppress(sqlite3.Error):  # not a database: its log is worth nothing
            settle(connect(path))
    for suffix in ("-wal", "-shm", "-journal"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
