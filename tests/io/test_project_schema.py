"""Older files are brought up to date in one step or not at all, with a copy kept."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from pipeline.data import edits
from pipeline.data.errors import UserError
from pipeline.data.history import Place
from pipeline.io import project_schema
from pipeline.io.project import Project
from tests.data.recordings import small_arrays, small_info
from tests.truth.killing import digest


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "walk.simspine"
    with Project.create(
        path, small_info(), author="Ada", recording={}, **small_arrays()
    ) as project:
        project.commit("P", edits.place_point(project.sequence, 0, 3, 1, 5, (1, 2)), Place())
    return path


def add_weights(connection: sqlite3.Connection) -> None:
    connection.execute("ALTER TABLE journal ADD COLUMN weight REAL NOT NULL DEFAULT 1")


def note_migration(connection: sqlite3.Connection) -> None:
    connection.execute("INSERT INTO state VALUES ('migrated', '\"twice\"')")


@pytest.fixture
def version_3(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert path.exists()  # written by the current version
    monkeypatch.setattr(project_schema, "SCHEMA_VERSION", 3)
    monkeypatch.setattr(project_schema, "MIGRATIONS", {1: add_weights, 2: note_migration})


def columns(path: Path) -> set[str]:
    with closing(sqlite3.connect(path)) as connection:
        return {row[1] for row in connection.execute("PRAGMA table_info(journal)")}


def versions(path: Path) -> tuple[int, str]:
    with closing(sqlite3.connect(path)) as connection:
        (number,) = connection.execute("PRAGMA user_version").fetchone()
        (text,) = connection.execute(
            "SELECT value FROM meta WHERE key = 'schema_version'"
        ).fetchone()
        return number, text


def test_the_file_says_what_it_is(path: Path) -> None:
    assert versions(path) == (1, "1")
    assert path.read_bytes()[68:72] == b"SSPV"


@pytest.mark.usefixtures("version_3")
def test_migration_keeps_everything_and_a_copy(path: Path) -> None:
    before = path.read_bytes()
    with Project.open(path) as project:
        assert project.state("migrated") == "twice"
        assert project.history.can_undo
        assert project.sequence.read("manual2d.xy", [3], 0)[0, 1, 5].tolist() == [1, 2]
        (finding,) = project.findings
        assert finding.code == "migrated"
        copy = finding.path
    assert versions(path) == (3, "3")
    assert "weight" in columns(path)
    assert copy == path.with_name("walk.version-1.simspine")
    assert versions(copy) == (1, "1")
    assert "weight" not in columns(copy)
    path.write_bytes(before)
    Project.open(path).close()
    assert path.with_name("walk.version-1-2.simspine").exists()
    with Project.open(path) as project:
        assert project.findings == ()


@pytest.mark.usefixtures("version_3")
def test_reading_an_older_file_leaves_it_as_it_is(path: Path) -> None:
    before = path.read_bytes()
    with Project.open(path, read_only=True) as project:
        assert project.state("migrated") == "twice"
        assert len(list(project.journal())) == 1
    assert path.read_bytes() == before
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("broken", [{1: add_weights}, {1: add_weights, 2: add_weights}])
def test_a_failed_migration_changes_nothing(
    path: Path, broken: dict[int, project_schema.Migration], monkeypatch: pytest.MonkeyPatch
) -> None:
    with Project.open(path) as project:
        expected = digest(project.sequence)
    with monkeypatch.context() as patched:
        patched.setattr(project_schema, "SCHEMA_VERSION", 3)
        patched.setattr(project_schema, "MIGRATIONS", broken)
        with pytest.raises(UserError, match=r"walk\.simspine could not be brought .* unchanged"):
            Project.open(path)
    assert versions(path) == (1, "1")
    assert "weight" not in columns(path)
    with Project.open(path) as project:
        assert digest(project.sequence) == expected


def test_a_newer_file_is_refused_untouched(
    path: Path, version_3: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    Project.open(path).close()
    monkeypatch.undo()
    before = path.read_bytes()
    for read_only in (False, True):
        with pytest.raises(UserError, match=r"walk\.simspine was saved by a newer version"):
            Project.open(path, read_only=read_only)
    assert path.read_bytes() == before
