"""Damaged project files: one sentence naming file and cause; what is sound is kept."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from pipeline.data import edits
from pipeline.data.errors import UserError
from pipeline.data.history import Place
from pipeline.io.project import Project
from tests.data.recordings import small_arrays, small_info
from tests.truth.killing import digest


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sound") / "walk.simspine"
    with Project.create(
        path, small_info(), author="Ada", recording={}, **small_arrays()
    ) as project:
        for x in range(5):
            patches = edits.place_point(project.sequence, 0, 40 * x, 1, 5, (x, x))
            project.commit(f"edit {x}", patches, Place())
    return path


@pytest.fixture
def path(sound: Path, tmp_path: Path) -> Path:
    return Path(shutil.copyfile(sound, tmp_path / "walk.simspine"))


def execute(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-5000])


def truncate_in_header(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:50])


def overwrite_pages(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[4096 : len(data) // 2] = b"\x5a" * (len(data) // 2 - 4096)
    path.write_bytes(data)


def garble_schema(path: Path) -> None:
    """SQLite quotes the schema in its message, which is then no text."""
    data = path.read_bytes()
    assert b"CREATE TABLE journal" in data
    path.write_bytes(data.replace(b"CREATE TABLE journal", b"CREATE T\xadBLE journal"))


def become_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


BREAKAGES: list[tuple[str, Callable[[Path], None], str]] = [
    ("missing", Path.unlink, "does not exist"),
    ("folder", become_folder, "is a folder"),
    ("empty", lambda p: p.write_bytes(b"") and None, "is empty"),
    ("text", lambda p: p.write_bytes(b"{}" * 999) and None, "not an SQLite file"),
    ("truncated", truncate, "is truncated"),
    ("truncated in the header", truncate_in_header, "is truncated"),
    ("overwritten", overwrite_pages, "damaged"),
    ("schema garbled", garble_schema, "damaged"),
    ("other application", lambda p: execute(p, "PRAGMA application_id = 7"), "not a SIMSPINE"),
    ("newer", lambda p: execute(p, "PRAGMA user_version = 99"), "newer version"),
    ("version 0", lambda p: execute(p, "PRAGMA user_version = 0"), "format version is 0"),
    ("no chunks", lambda p: execute(p, "DROP TABLE chunk"), "table 'chunk' is missing"),
    ("no journal", lambda p: execute(p, "DROP TABLE journal"), "table 'journal' is missing"),
    ("no info", lambda p: execute(p, "DELETE FROM meta"), "description of the recording"),
    (
        "info not JSON",
        lambda p: execute(p, "UPDATE meta SET value = '{' WHERE key = 'info'"),
        "description of the recording",
    ),
    (
        "info of another shape",
        lambda p: execute(p, "UPDATE meta SET value = '[]' WHERE key = 'info'"),
        "description of the recording",
    ),
    (
        "unknown skeleton",
        lambda p: execute(p, "UPDATE meta SET value = replace(value, 'spinetrack_37', 'x')"),
        "skeleton “x”",
    ),
    (
        "chunk garbled",
        lambda p: execute(p, "UPDATE chunk SET data = x'00' WHERE layer = 'manual2d.xy'"),
        "layer 'manual2d.xy'",
    ),
    (
        "chunk with a flipped bit",
        lambda p: execute(p, "UPDATE chunk SET crc = crc + 1 WHERE layer = 'assignment.track'"),
        "layer 'assignment.track'",
    ),
    (
        "chunk of an unknown codec",
        lambda p: execute(p, "UPDATE chunk SET codec = 9 WHERE number = 1"),
        "unknown codec",
    ),
    (
        "chunk that is not there",
        lambda p: execute(p, "UPDATE chunk SET number = 9 WHERE number = 1"),
        "part 9",
    ),
    (
        "unknown layer",
        lambda p: execute(p, "UPDATE chunk SET layer = 'x.y' WHERE layer = 'manual2d.xy'"),
        "layer 'x.y'",
    ),
]


@pytest.mark.parametrize("read_only", [False, True])
@pytest.mark.parametrize(
    ("damage", "cause"), [b[1:] for b in BREAKAGES], ids=[b[0] for b in BREAKAGES]
)
def test_one_sentence_names_file_and_cause(
    path: Path, damage: Callable[[Path], None], cause: str, read_only: bool
) -> None:
    damage(path)
    before = path.read_bytes() if path.is_file() else b""
    with pytest.raises(UserError) as caught:
        Project.open(path, read_only=read_only)
    message = str(caught.value)
    assert str(path) in message
    assert cause in message
    assert message.endswith(".")
    assert "\n" not in message
    assert (path.read_bytes() if path.is_file() else b"")[100:] == before[100:]
    assert not path.with_name(path.name + ".lock").exists()


JOURNAL_DAMAGE = {
    "patch garbled": ("UPDATE patch SET new = x'0102' WHERE journal = 3", 2),
    "patch checksum": ("UPDATE patch SET crc = 1 WHERE journal = 3", 2),
    "patch of an unknown layer": ("UPDATE patch SET layer = 'x' WHERE journal = 3", 2),
    "patches gone": ("DELETE FROM patch WHERE journal = 3", 2),
    "newest patch": ("UPDATE patch SET count = 7 WHERE journal = 5", 0),
    "undo of nothing": (
        "INSERT INTO journal SELECT 6, time, author, 'undo', label, frame, view, keypoint, track,"
        " 2 FROM journal WHERE id = 5",
        0,
    ),
}


@pytest.mark.parametrize(
    ("statement", "reachable"), JOURNAL_DAMAGE.values(), ids=JOURNAL_DAMAGE.keys()
)
def test_a_damaged_journal_costs_only_undo(path: Path, statement: str, reachable: int) -> None:
    with Project.open(path) as project:
        expected = digest(project.sequence)
    execute(path, statement)
    with Project.open(path) as project:
        assert [finding.code for finding in project.findings] == ["journal-damaged"]
        assert str(path) in project.findings[0].message
        assert digest(project.sequence) == expected
        assert project.history.position == reachable
        patches = edits.place_point(project.sequence, 0, 250, 1, 5, (9, 9))
        project.commit("after the damage", patches, Place())
        project.undo()
        project.redo()
        later = digest(project.sequence)
        assert len(list(project.journal())) >= 8
        project.authorship()
    with Project.open(path) as project:
        assert digest(project.sequence) == later
        assert project.history.position == reachable + 1


def test_unreadable_entries_are_marked_in_the_journal(path: Path) -> None:
    execute(path, "UPDATE patch SET crc = 1 WHERE journal = 3")
    with Project.open(path) as project:
        entries = list(project.journal())
        assert [entry.damaged for entry in entries] == [False, False, True, False, False]
        assert entries[2].patches == ()
        assert entries[2].label == "edit 2"
        assert len(project.authorship()["manual2d", 0].index) == 4


def test_journal_pages_overwritten(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        (root,) = connection.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = 'journal'"
        ).fetchone()
        (page,) = connection.execute("PRAGMA page_size").fetchone()
    with Project.open(path) as project:
        expected = digest(project.sequence)
    data = bytearray(path.read_bytes())
    data[(root - 1) * page : root * page] = b"\x5a" * page
    path.write_bytes(data)
    with Project.open(path, read_only=True) as project:
        assert [finding.code for finding in project.findings] == ["journal-damaged"]
        assert digest(project.sequence) == expected
        assert not project.history.can_undo
