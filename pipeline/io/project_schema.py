"""The tables of a project file, their version, and how older files are brought up to date.

A reader in another language needs only ``docs/project-file.md``, which describes what is here.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

from pipeline.data.errors import UserError
from pipeline.io.project_migrations import version_2
from pipeline.io.project_sqlite import copy_database, transaction

#: "SSPV" in ASCII, in the SQLite header at byte 68.
APPLICATION_ID = 0x53535056

SCHEMA_VERSION = 2

Migration = Callable[[sqlite3.Connection], None]

#: From each older version, the function that brings a file to the next one.
MIGRATIONS: dict[int, Migration] = {1: version_2}

_TABLES = {
    "meta": "key TEXT PRIMARY KEY, value TEXT NOT NULL",
    "state": "key TEXT PRIMARY KEY, value TEXT NOT NULL",
    "chunk": """
        layer TEXT NOT NULL, track INTEGER NOT NULL, number INTEGER NOT NULL,
        codec INTEGER NOT NULL, crc INTEGER NOT NULL, data BLOB NOT NULL,
        PRIMARY KEY (layer, track, number)""",
    "journal": """
        id INTEGER PRIMARY KEY, time REAL NOT NULL, author TEXT NOT NULL,
        kind TEXT NOT NULL CHECK (kind IN ('edit', 'undo', 'redo')), label TEXT NOT NULL,
        frame INTEGER NOT NULL, view INTEGER NOT NULL, keypoint INTEGER NOT NULL,
        track INTEGER NOT NULL, target INTEGER REFERENCES journal (id),
        CHECK ((kind = 'edit') = (target IS NULL))""",
    "patch": """
        journal INTEGER NOT NULL REFERENCES journal (id), ordinal INTEGER NOT NULL,
        layer TEXT NOT NULL, track INTEGER NOT NULL, count INTEGER NOT NULL,
        codec INTEGER NOT NULL, crc INTEGER NOT NULL,
        indices BLOB NOT NULL, old BLOB NOT NULL, new BLOB NOT NULL,
        PRIMARY KEY (journal, ordinal)""",
}


def create_tables(connection: sqlite3.Connection) -> None:
    """Lay out an empty project of the current version."""
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    for name, columns in _TABLES.items():
        connection.execute(f"CREATE TABLE {name} ({columns})")
    set_version(connection, SCHEMA_VERSION)


def set_version(connection: sqlite3.Connection, version: int) -> None:
    """Write the schema version where SQLite tools and readers of ``meta`` look for it."""
    connection.execute(f"PRAGMA user_version = {version}")
    connection.execute("INSERT OR REPLACE INTO meta VALUES ('schema_version', ?)", (str(version),))


def version_of(connection: sqlite3.Connection) -> int:
    """Schema version of an open file."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def check_identity(connection: sqlite3.Connection, path: Path) -> None:
    """UserError unless this is a project of a version up to :data:`SCHEMA_VERSION`."""
    found = connection.execute("PRAGMA application_id").fetchone()[0]
    if found != APPLICATION_ID:
        raise UserError(f"{path} is a database, but not a SIMSPINE Viewer project.")
    version = version_of(connection)
    if version > SCHEMA_VERSION:
        raise UserError(
            f"{path} was saved by a newer version of SIMSPINE Viewer (file format {version}, "
            f"this one reads up to {SCHEMA_VERSION})."
        )
    if version < 1:
        raise UserError(f"{path} is damaged: its format version is {version}.")


def check_tables(connection: sqlite3.Connection, path: Path) -> None:
    """UserError if a table of the current version is missing."""
    rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    missing = sorted(set(_TABLES) - {row[0] for row in rows})
    if missing:
        raise UserError(f"{path} is damaged: its table {missing[0]!r} is missing.")


def migrate(
    connection: sqlite3.Connection,
    path: Path,
    *,
    backup: bool,
) -> Path | None:
    """Bring an open file to :data:`SCHEMA_VERSION`, all steps in one transaction.

    With ``backup``, the file as it was is first copied beside itself as
    ``<stem>.version-<n>.simspine``; the path of that copy is returned (None: nothing to do, or
    no copy asked for). Raises UserError where a step is missing or fails; the file is then
    unchanged.
    """
    version = version_of(connection)
    if version == SCHEMA_VERSION:
        return None
    copy = copy_database(connection, _unused_backup(path, version)) if backup else None
    try:
        with transaction(connection):
            for step in range(version, SCHEMA_VERSION):
                MIGRATIONS[step](connection)
                set_version(connection, step + 1)
    except (KeyError, TypeError, ValueError, sqlite3.Error) as error:
        raise UserError(
            f"{path} could not be brought from file format {version} to {SCHEMA_VERSION} "
            f"({error!r}); it is unchanged."
        ) from error
    return copy


def _unused_backup(path: Path, version: int) -> Path:
    candidate = path.with_name(f"{path.stem}.version-{version}.simspine")
    number = 1
    while candidate.exists():
        number += 1
        candidate = path.with_name(f"{path.stem}.version-{version}-{number}.simspine")
    return candidate
