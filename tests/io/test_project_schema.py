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
from pipeline.io.project_codec import encode_chunk
from tests.data.recordings import small_arrays, small_info, small_sequence
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
def version_4(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert path.exists()  # written by the current version
    monkeypatch.setattr(project_schema, "SCHEMA_VERSION", 4)
    monkeypatch.setattr(project_schema, "MIGRATIONS", {2: add_weights, 3: note_migration})


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
    assert versions(path) == (2, "2")
    assert path.read_bytes()[68:72] == b"SSPV"


@pytest.mark.usefixtures("version_4")
def test_migration_keeps_everything_and_a_copy(path: Path) -> None:
    before = path.read_bytes()
    with Project.open(path) as project:
        assert project.state("migrated") == "twice"
        assert project.history.can_undo
        assert project.sequence.read("manual2d.xy", [3], 0)[0, 1, 5].tolist() == [1, 2]
        (finding,) = project.findings
        assert finding.code == "migrated"
        copy = finding.path
    assert versions(path) == (4, "4")
    assert "weight" in columns(path)
    assert copy == path.with_name("walk.version-2.simspine")
    assert versions(copy) == (2, "2")
    assert "weight" not in columns(copy)
    path.write_bytes(before)
    Project.open(path).close()
    assert path.with_name("walk.version-2-2.simspine").exists()
    with Project.open(path) as project:
        assert project.findings == ()


@pytest.mark.usefixtures("version_4")
def test_reading_an_older_file_leaves_it_as_it_is(path: Path) -> None:
    before = path.read_bytes()
    with Project.open(path, read_only=True) as project:
        assert project.state("migrated") == "twice"
        assert len(list(project.journal())) == 1
    assert path.read_bytes() == before
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("broken", [{2: add_weights}, {2: add_weights, 3: add_weights}])
def test_a_failed_migration_changes_nothing(
    path: Path, broken: dict[int, project_schema.Migration], monkeypatch: pytest.MonkeyPatch
) -> None:
    with Project.open(path) as project:
        expected = digest(project.sequence)
    with monkeypatch.context() as patched:
        patched.setattr(project_schema, "SCHEMA_VERSION", 4)
        patched.setattr(project_schema, "MIGRATIONS", broken)
        with pytest.raises(UserError, match=r"walk\.simspine could not be brought .* unchanged"):
            Project.open(path)
    assert versions(path) == (2, "2")
    assert "weight" not in columns(path)
    with Project.open(path) as project:
        assert digest(project.sequence) == expected


def test_a_newer_file_is_refused_untouched(
    path: Path, version_4: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    Project.open(path).close()
    monkeypatch.undo()
    before = path.read_bytes()
    for read_only in (False, True):
        with pytest.raises(UserError, match=r"walk\.simspine was saved by a newer version"):
            Project.open(path, read_only=read_only)
    assert path.read_bytes() == before


def make_version_1(path: Path) -> None:
    """Store manual layers in parts of 256 rows, as version 1 did."""
    with Project.open(path) as project:
        layers = {
            (name, 0): project.sequence.read(name, track=0)
            for name in ("manual2d.xy", "manual2d.flags", "manual3d.xyz")
        }
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DELETE FROM chunk WHERE track >= 0")
        for (name, track), values in layers.items():
            for number in range(2):
                part = encode_chunk(values[256 * number : 256 * (number + 1)])
                connection.execute(
                    "INSERT INTO chunk VALUES (?, ?, ?, ?, ?, ?)", (name, track, number, *part)
                )
        connection.execute("UPDATE meta SET value = '1' WHERE key = 'schema_version'")
        connection.execute("PRAGMA user_version = 1")
        connection.commit()


def test_a_file_of_version_1_opens_with_everything_in_it(path: Path) -> None:
    with Project.open(path) as project:
        sequence = project.sequence
        for frame in (15, 16, 255, 256, 299):
            project.commit("P", edits.place_point(sequence, 0, frame, 2, 36, (frame, 2)), Place())
        project.commit("3D", edits.place_point_3d(sequence, 0, 290, 1, (1, 2, 3)), Place())
        project.commit("D", edits.delete_point(sequence, 0, 40, [0], 1), Place())
        expected = digest(sequence)
    make_version_1(path)
    with Project.open(path, read_only=True) as project:
        assert digest(project.sequence) == expected
    assert versions(path) == (1, "1")
    with Project.open(path) as project:
        assert digest(project.sequence) == expected
        assert [finding.code for finding in project.findings] == ["migrated"]
        assert project.sequence.cameras is project.sequence.info.cameras
    assert versions(path) == (2, "2")
    with Project.open(path) as project:
        assert digest(project.sequence) == expected
        while project.history.can_undo:
            project.undo()
        assert digest(project.sequence) == digest(small_sequence())


def test_a_damaged_file_of_version_1_is_left_alone(path: Path) -> None:
    make_version_1(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE chunk SET crc = crc + 1 WHERE layer = 'manual2d.flags'")
        connection.commit()
    with pytest.raises(
        UserError, match=r"could not be brought .*part 0 of layer .*manual2d\.flags"
    ):
        Project.open(path)
    assert versions(path) == (1, "1")


@pytest.mark.parametrize(
    "damage",
    [
        "DELETE FROM meta WHERE key = 'info'",
        "UPDATE meta SET value = '[1]' WHERE key = 'info'",
        "UPDATE meta SET value = '{\"n_frames\": null}' WHERE key = 'info'",
        "UPDATE chunk SET data = 'text' WHERE track >= 0",
    ],
)
@pytest.mark.parametrize("read_only", [False, True])
def test_what_is_no_number_or_no_bytes_is_said_in_one_sentence(
    path: Path, damage: str, read_only: bool
) -> None:
    make_version_1(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(damage)
        connection.commit()
    with pytest.raises(UserError, match="could not be brought"):
        Project.open(path, read_only=read_only)
    assert versions(path)[0] == 1


def test_a_part_that_is_text_or_has_no_number_is_damage(path: Path) -> None:
    for damage in ("SET data = 'text'", "SET number = 'text' WHERE layer = 'manual2d.flags'"):
        with closing(sqlite3.connect(path)) as connection:
            connection.execute(f"UPDATE chunk {damage}")
            connection.commit()
        with pytest.raises(UserError, match="is damaged: part"):
            Project.open(path)
