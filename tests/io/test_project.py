"""A project keeps what it was given and what was done to it, through closing and opening."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.data import edits
from pipeline.data.camera import SyncMap
from pipeline.data.chunked_array import CHUNK
from pipeline.data.errors import UserError
from pipeline.data.history import Place
from pipeline.data.layers import LAYERS
from pipeline.data.source import Flag
from pipeline.io.project import Project
from tests.data.recordings import small_arrays, small_info, small_sequence
from tests.io.projects import new_project, place
from tests.truth.killing import digest

HERE = Place(frame=3, view=1, keypoint=5, track=0)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "walk.simspine"


def test_a_new_project_reads_back_exactly(path: Path) -> None:
    new_project(path).close()
    arrays, info = small_arrays(), small_info()
    with Project.open(path) as project:
        for layer, name in (
            ("instances2d.xy", "xy"),
            ("instances2d.score", "score"),
            ("assignment.track", "assignment"),
        ):
            assert project.sequence.read(layer).tobytes() == arrays[name].tobytes()
        for stored, given in zip(project.sequence.info.cameras, info.cameras, strict=True):
            assert (stored.name, stored.size) == (given.name, given.size)
            for part in ("matrix", "distortion", "rotation", "translation"):
                assert getattr(stored, part).tobytes() == getattr(given, part).tobytes()
        assert project.sequence.info.syncs == info.syncs
        assert project.sequence.info.videos == info.videos
        assert project.sequence.info.fps == info.fps
        assert project.sequence.info.skeleton == info.skeleton
        assert project.recording == {"source": "folder", "findings": ["one"]}
        assert project.findings == ()
        assert not project.history.can_undo


def test_fractions_of_frames_and_drifts_are_kept_in_full(path: Path) -> None:
    syncs = (SyncMap(-2.3, 2 / 3, 90, 1e-5 / 3), SyncMap(5.0, 1.0, 300), SyncMap(0, 0.5, 90, -0.1))
    info = replace(small_info(), syncs=syncs)
    arrays = small_arrays()
    Project.create(path, info, author="Ada", recording={}, **arrays).close()
    with Project.open(path) as project:
        assert project.sequence.info.syncs == syncs
        shown = [sync.video_frames(np.arange(300)) for sync in project.sequence.syncs]
    np.testing.assert_array_equal(shown, [sync.video_frames(np.arange(300)) for sync in syncs])


@pytest.mark.parametrize(
    "stored",
    [{"offset": 1e999}, {"offset": "x"}, {"rate": 0.0}, {"drift": -1.0}, {"drift": None}],
)
def test_a_time_axis_on_which_time_stands_is_damage(path: Path, stored: dict) -> None:
    new_project(path).close()
    with closing(sqlite3.connect(path)) as connection, connection:
        (text,) = connection.execute("SELECT value FROM meta WHERE key = 'info'").fetchone()
        info = json.loads(text)
        assert "drift" not in info["syncs"][0], "nothing new in the files of most recordings"
        info["syncs"][0].update(stored)
        connection.execute("UPDATE meta SET value = ? WHERE key = 'info'", (json.dumps(info),))
    with pytest.raises(UserError, match=r"walk\.simspine"):
        Project.open(path)


def test_a_recording_without_detections_is_a_project_too(path: Path) -> None:
    empty = {
        "xy": np.zeros((300, 3, 0, 37, 2)),
        "score": np.zeros((300, 3, 0, 37)),
        "assignment": np.zeros((300, 3, 0), int),
    }
    info = replace(small_info(), n_persons=0)
    with Project.create(path, info, author="Ada", recording={}, **empty) as project:
        place(project)
    with Project.open(path) as project:
        assert project.sequence.read("manual2d.xy", [3], 0)[0, 1, 5].tolist() == [7, 14]


def test_arrays_of_a_wrong_shape_leave_no_file(path: Path) -> None:
    arrays = {**small_arrays(), "score": np.zeros((300, 2, 2, 37))}
    with pytest.raises(ValueError, match=r"instances2d\.score"):
        Project.create(path, small_info(), author="Ada", recording={}, **arrays)
    assert list(path.parent.iterdir()) == []


def test_creating_does_not_overwrite(path: Path) -> None:
    with new_project(path) as project:
        place(project)
    before = path.read_bytes()
    with pytest.raises(UserError, match=r"walk\.simspine already exists"):
        new_project(path)
    assert path.read_bytes() == before


def test_creating_beside_the_log_of_a_deleted_project(path: Path) -> None:
    with new_project(path) as project:
        for x in range(5):
            place(project, x=x)
        log = path.with_name(path.name + "-wal").read_bytes()
    path.unlink()
    path.with_name(path.name + "-wal").write_bytes(log)
    with new_project(path) as project:
        assert digest(project.sequence) == digest(small_sequence())
        assert list(project.journal()) == []


def test_a_commit_is_seen_at_once_and_by_a_second_connection(path: Path) -> None:
    with new_project(path) as project:
        patches = edits.place_point(project.sequence, 0, 3, 1, 5, (7, 14))
        changes = project.commit("Place point", patches, HERE)
        assert [(c.group, c.track, c.frames.tolist()) for c in changes] == [("manual2d", 0, [3])]
        assert project.history.position == 1
        with closing(sqlite3.connect(path)) as other:
            row = other.execute("SELECT label, author, frame FROM journal").fetchone()
            assert row == ("Place point", "Ada", 3)
            assert other.execute(
                "SELECT count(*) FROM chunk WHERE layer = 'manual2d.xy'"
            ).fetchone() == (1,)


def test_no_patches_no_gesture(path: Path) -> None:
    with new_project(path) as project:
        assert project.commit("Nothing", (), HERE) == ()
        assert list(project.journal()) == []


def test_commits_are_synced_and_logged_ahead(path: Path) -> None:
    with new_project(path) as project:
        connection = project._writable()
        project.set_state("frame", 3)
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
        assert connection.execute("PRAGMA foreign_keys").fetchone() == (1,)


def test_undo_and_redo_after_reopening(path: Path) -> None:
    states = []
    with new_project(path) as project:
        states.append(digest(project.sequence))
        for x in range(6):
            place(project, frame=50 * x, x=x)
            states.append(digest(project.sequence))
        project.undo()
        project.undo()
    with Project.open(path) as project:
        assert digest(project.sequence) == states[4]
        assert (project.history.position, len(project.history.entries)) == (4, 6)
        gesture, changes = project.redo()
        assert gesture.place.frame == 200
        assert [change.frames.tolist() for change in changes] == [[200]]
        assert digest(project.sequence) == states[5]
    with Project.open(path) as project:
        for expected in reversed(states[:5]):
            project.undo()
            assert digest(project.sequence) == expected
        with pytest.raises(IndexError):
            project.undo()
        place(project, frame=299)
    with Project.open(path) as project:
        assert len(project.history.entries) == 1
        assert not project.history.can_redo


def test_history_is_bounded_in_memory_but_not_in_the_file(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with new_project(path) as project:
        for x in range(6):
            place(project, x=x)
        per_edit = project.history.entries[-1].nbytes
    monkeypatch.setattr("pipeline.io.project.HISTORY_BYTES", 3 * per_edit)
    with Project.open(path) as project:
        assert len(project.history.entries) == 3
        place(project, x=100)
        assert len(project.history.entries) == 3
        for _ in range(3):
            project.undo()
        assert not project.history.can_undo
        assert project.sequence.read("manual2d.xy", [3], 0)[0, 1, 5, 0] == 3
        assert [entry.kind for entry in project.journal()] == ["edit"] * 7 + ["undo"] * 3
    with Project.open(path) as project:
        assert project.sequence.read("manual2d.xy", [3], 0)[0, 1, 5, 0] == 3
        assert len(project.history.entries) == 3
        assert not project.findings


def test_patches_that_do_not_fit_change_nothing(path: Path) -> None:
    with new_project(path) as project:
        sequence = project.sequence
        stale = edits.place_point(sequence, 0, 3, 1, 5, (1, 1))
        place(project)
        before = digest(sequence)
        with pytest.raises(ValueError, match="present state"):
            project.commit("Stale", stale, HERE)
        derived = sequence.patch("points3d.xyz", [(0, 0)], 1.0, track=0)
        with pytest.raises(ValueError, match="authored"):
            project.commit("Derived", (derived,), HERE)
        assert digest(sequence) == before
        assert len(list(project.journal())) == project.history.position == 1


def test_merge_split_and_flags_survive(path: Path) -> None:
    with new_project(path) as project:
        sequence = project.sequence
        place(project)
        project.commit("Split", edits.split_track(sequence, 1, 100), Place())
        project.commit("Merge", edits.merge_tracks(sequence, 1, 0), Place())
        project.commit("Flag", edits.toggle_flag(sequence, 2, 200, [0, 2], 9, Flag.OCCLUDED), HERE)
        project.commit("Ignore", edits.ignore_track(sequence, 2, True), Place())
        expected = digest(sequence)
    with Project.open(path) as project:
        assert digest(project.sequence) == expected
        assert project.sequence.read("tracks.ignored")[:4].tolist() == [0, 0, 1, 0]
        for _ in range(5):
            project.undo()
        assert digest(project.sequence) == digest(small_sequence())


def test_layers_taken_back_altogether_leave_the_file(path: Path) -> None:
    with new_project(path) as project:
        place(project, frame=CHUNK + 1)
        project.undo()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM chunk WHERE track >= 0").fetchone() == (0,)


def test_journal_replayed_gives_the_present(path: Path) -> None:
    with new_project(path) as project:
        place(project, x=1)
        project.author = "Bob"
        project.commit("Merge", edits.merge_tracks(project.sequence, 0, 1), HERE)
        project.undo()
        project.redo()
        project.undo()
        entries = list(project.journal())
        now = digest(project.sequence)
    sequence = small_sequence()
    for entry in entries:
        for patch in entry.patches:
            sequence.apply(patch)
    assert digest(sequence) == now
    assert [(e.kind, e.author, e.label, e.target) for e in entries] == [
        ("edit", "Ada", "Place point", None),
        ("edit", "Bob", "Merge", None),
        ("undo", "Bob", "Merge", 2),
        ("redo", "Bob", "Merge", 2),
        ("undo", "Bob", "Merge", 2),
    ]
    assert entries[1].place == HERE
    assert [e.time for e in entries] == sorted(e.time for e in entries)


def test_small_state(path: Path) -> None:
    with new_project(path) as project:
        assert project.state("frame", 0) == 0
        project.set_state("frame", 17)
        project.set_state("panes", {"order": [2, 1, 0]})
        project.set_state("frame", 18)
    with Project.open(path, read_only=True) as project:
        assert project.state("frame") == 18
        assert project.state("panes") == {"order": [2, 1, 0]}
        project.set_state("frame", 19)
        assert project.state("frame") == 19
    with Project.open(path) as project:
        assert project.state("frame") == 18


def test_one_plain_file_remains(path: Path) -> None:
    project = new_project(path)
    place(project)
    names = {entry.name for entry in path.parent.iterdir()}
    assert names > {path.name, path.name + "-wal", path.name + ".lock"}
    project.close()
    project.close()
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]
    with pytest.raises(UserError, match="closed"):
        place(project, x=9)


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="needs a folder that takes no files")
def test_only_authored_layers_are_written_with_edits(path: Path) -> None:
    with new_project(path) as project:
        place(project)
        derived = project.sequence.patch("points3d.xyz", [(0, 0)], 1.0, track=0)
        project.sequence.apply(derived)
    with closing(sqlite3.connect(path)) as connection:
        stored = {row[0] for row in connection.execute("SELECT DISTINCT layer FROM chunk")}
    assert stored == {name for name, spec in LAYERS.items() if spec.kind == "base"} | {
        "assignment.track",
        "manual2d.xy",
    }


def test_the_documented_way_to_read_it_works(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with new_project(path) as project:
        place(project, frame=3, x=1)
        place(project, frame=299, x=2)
        expected = project.sequence.read("manual2d.xy", track=0)
    page = Path(__file__).resolve().parents[2] / "docs" / "project-file.md"
    code = page.read_text(encoding="utf-8").split("```python\n")[1].split("```")[0]
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    exec(code, names)
    names["db"].close()  # type: ignore[attr-defined]
    assert np.array_equal(names["xy"], expected, equal_nan=True)  # type: ignore[arg-type]
