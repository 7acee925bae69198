"""What lies in a project file besides the journal: the recording, its layers, small state."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import platformdirs
from numpy.typing import ArrayLike

from pipeline.data.chunk_memory import ChunkMemory
from pipeline.data.errors import Finding, UserError
from pipeline.data.sequence import RecordingInfo, Sequence
from pipeline.io import project_schema
from pipeline.io.project_chunks import ChunkReader, chunks_of, write_chunks
from pipeline.io.project_codec import decode_info, encode_info
from pipeline.io.project_lock import ProjectLock
from pipeline.io.project_sqlite import (
    DATABASE_ERRORS,
    check_header,
    connect,
    connect_reading,
    copy_database,
    error_text,
    make_durable,
    replacing,
    transaction,
)


@dataclass(frozen=True, slots=True)
class Loaded:
    """A sequence read from a file, the provenance stored with it, and what was noticed."""

    sequence: Sequence
    recording: dict[str, Any]
    findings: tuple[Finding, ...]


def write_new(
    path: Path, info: RecordingInfo, layers: Mapping[str, ArrayLike], recording: dict[str, Any]
) -> None:
    """Write a complete project file under a temporary name and move it to ``path``.

    ``layers`` are whole arrays by layer name; ValueError where a shape does not fit ``info``.
    """
    sequence = Sequence(info)
    with (
        replacing(path) as temporary,
        contextlib.closing(sqlite3.connect(temporary, isolation_level=None)) as connection,
    ):
        connection.execute("PRAGMA synchronous = OFF")  # synced once, when whole
        with transaction(connection):
            project_schema.create_tables(connection)
            _set_meta(connection, "info", encode_info(info, path))
            _set_meta(connection, "recording", recording)
            for name, values in layers.items():
                write_chunks(connection, sequence, chunks_of(sequence, name, values))


def _set_meta(connection: sqlite3.Connection, key: str, value: dict[str, Any]) -> None:
    connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, json.dumps(value)))


def attach(
    path: Path, read_only: bool
) -> tuple[sqlite3.Connection | None, ProjectLock | None, tuple[Finding, ...]]:
    """Check a file and, unless ``read_only``, take its lock, connect and bring it up to date.

    Raises UserError for a file that is missing, damaged, newer, or open elsewhere.
    """
    check_header(path)
    if read_only:
        return None, None, ()
    lock = ProjectLock(path)
    try:
        connection = open_for_editing(path)
        try:
            copy = project_schema.migrate(connection, path, backup=True)
            project_schema.check_tables(connection, path)
        except BaseException:
            connection.close()
            raise
    except DATABASE_ERRORS as error:
        lock.release()
        raise UserError(f"{path} cannot be opened: {error_text(error)}.") from error
    except BaseException:
        lock.release()
        raise
    if copy is None:
        return connection, lock, ()
    message = f"{path} was brought up to date; the file as it was is kept as {copy.name}."
    return connection, lock, (Finding("info", "migrated", message, copy),)


def open_for_editing(path: Path) -> sqlite3.Connection:
    """A connection whose commits are synced, to a file that is known to be a project."""
    connection = connect(path)
    try:
        project_schema.check_identity(connection, path)
        make_durable(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def connect_stored(path: Path) -> sqlite3.Connection:
    """A connection that reads one committed state of a project, whoever has it open.

    A file of an older version is brought up to date in memory only.
    """
    check_header(path)
    connection = connect_reading(path)
    try:
        project_schema.check_identity(connection, path)
        if project_schema.version_of(connection) < project_schema.SCHEMA_VERSION:
            older, connection = connection, sqlite3.connect(":memory:", isolation_level=None)
            with contextlib.closing(older):
                older.backup(connection)
            project_schema.migrate(connection, path, backup=False)
        project_schema.check_tables(connection, path)
        connection.execute("BEGIN")
    except BaseException:
        connection.close()
        raise
    return connection


def load_sequence(connection: sqlite3.Connection, path: Path, chunks: ChunkReader) -> Loaded:
    """The recording of an open file; ``chunks`` reads the parts of its layers as they are used.

    Raises UserError where a description or a chunk is not what was written.
    """
    meta = dict(connection.execute("SELECT key, value FROM meta"))
    try:
        info, findings = decode_info(json.loads(meta["info"]), path)
        recording = json.loads(meta["recording"])
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(
            f"{path} is damaged: its description of the recording cannot be read ({error!r})."
        ) from error
    folder = platformdirs.user_cache_path("simspine-viewer") / "scratch"
    sequence = Sequence(info, ChunkMemory(folder=folder))
    chunks.attach(connection, sequence)
    return Loaded(sequence, recording, tuple(findings))


def copy_project(source: sqlite3.Connection, path: Path, info: RecordingInfo) -> None:
    """Write everything committed in ``source`` to ``path``, atomically, video paths re-based."""

    def rebase(copy: sqlite3.Connection) -> None:
        _set_meta(copy, "info", encode_info(info, path))

    copy_database(source, path, rebase)


def read_state(connection: sqlite3.Connection) -> dict[str, Any]:
    """All small values, by key; those that cannot be read are left out."""
    state = {}
    for key, value in connection.execute("SELECT key, value FROM state"):
        with contextlib.suppress(ValueError):  # a lost selection is no reason to refuse a project
            state[key] = json.loads(value)
    return state


def write_state(connection: sqlite3.Connection, key: str, value: Any) -> None:
    """Store one small value, written at once but synced only with the next gesture."""
    connection.execute("PRAGMA synchronous = NORMAL")
    try:
        connection.execute("INSERT OR REPLACE INTO state VALUES (?, ?)", (key, json.dumps(value)))
    finally:
        connection.execute("PRAGMA synchronous = FULL")
