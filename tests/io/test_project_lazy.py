"""Layers come from the file when they are used, and go again, and nobody can tell."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.data import edits
from pipeline.data.camera import CameraGroup
from pipeline.data.errors import UserError
from pipeline.data.history import Place
from pipeline.data.observations import observations, track_ids
from pipeline.data.sequence import Sequence
from pipeline.io import project as project_module
from pipeline.io import project_chunks, project_journal
from pipeline.io.project import Project
from tests.data.recordings import small_sequence
from tests.io.projects import new_project, place
from tests.truth.killing import digest, random_edit

DETECTED = ("instances2d.xy", "instances2d.score", "assignment.track")


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project that counts as a large file."""
    path = tmp_path / "walk.simspine"
    with new_project(path) as project:
        place(project, frame=3)
        place(project, frame=290)
    monkeypatch.setattr(project_chunks, "CHECKED_AT_OPENING", 0)
    return path


def assert_detections(sequence: Sequence) -> None:
    expected = small_sequence()
    for name in DETECTED:
        assert np.array_equal(sequence.read(name), expected.read(name), equal_nan=True)


@pytest.mark.parametrize("read_only", [False, True])
def test_opening_reads_nothing_that_was_detected(path: Path, read_only: bool) -> None:
    one_part = 256 * 3 * 2 * 37 * 4
    with Project.open(path, read_only=read_only) as project:
        assert project.sequence.memory.used < one_part
        assert track_ids(project.sequence).tolist() == [0, 1]
        observations(project.sequence, 0, np.array([299]))
        assert project.sequence.memory.used < one_part
        assert_detections(project.sequence)
        assert project.sequence.memory.used > 3 * one_part


@pytest.mark.parametrize("read_only", [False, True])
def test_a_sequence_is_whole_after_its_project_was_closed(path: Path, read_only: bool) -> None:
    with Project.open(path, read_only=read_only) as project:
        sequence = project.sequence
        expected = digest(sequence)
        assert sequence.memory.used < 100_000
    sequence.memory.budget = 1
    assert_detections(sequence)
    assert digest(sequence) == expected


def test_with_next_to_no_memory_edits_undo_and_reopen_as_ever(path: Path) -> None:
    rng = np.random.default_rng(5)
    frames = np.arange(300)
    points = np.stack(np.meshgrid(frames, np.arange(37), indexing="ij"), -1).reshape(-1, 2)
    values = rng.normal(size=(len(points), 3)).astype(np.float32)
    with Project.open(path) as project:
        sequence = project.sequence
        start = digest(sequence)
        sequence.memory.budget = 50_000
        sequence.land((sequence.patch("fused.xyz", points, values, 0),), frames, sequence.revision)
        for _ in range(60):
            project.commit("edit", random_edit(rng, sequence), Place())
            if rng.random() < 0.2:
                project.undo()
        end = digest(sequence)
        assert_derived = sequence.read("fused.xyz", track=0).reshape(-1, 3)
        assert np.array_equal(assert_derived, values)
    with Project.open(path, read_only=True) as project:
        assert digest(project.sequence) == end
    with Project.open(path) as project:
        project.sequence.memory.budget = 50_000
        while project.history.can_undo:
            project.undo()
        while project.history.can_redo and project.history.position < 2:
            project.redo()
        assert digest(project.sequence) == start


def test_damage_among_the_detections_is_said_when_they_are_read(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(
            "UPDATE chunk SET data = zeroblob(length(data)) "
            "WHERE layer = 'instances2d.xy' AND number = 1"
        )
    with Project.open(path) as project:
        sequence = project.sequence
        observations(sequence, 0, np.arange(200))
        for _ in range(2):
            with pytest.raises(UserError, match=r"part 1 of its layer 'instances2d\.xy'") as caught:
                observations(sequence, 0, np.arange(250, 260))
            assert str(path) in str(caught.value)
        place(project, frame=5)


def test_damage_among_what_people_gave_is_never_written_over(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(
            "UPDATE chunk SET crc = crc + 1 WHERE layer = 'manual2d.xy' AND number = 0"
        )
    with pytest.raises(UserError, match=r"part 0 of its layer 'manual2d\.xy'"):
        Project.open(path, read_only=True)
    before = path.read_bytes()
    with Project.open(path) as project:
        with pytest.raises(UserError, match=r"part 0 of its layer 'manual2d\.xy'"):
            place(project, frame=5)
        assert project.sequence.read("manual2d.xy", [290], 0)[0, 1, 5].tolist() == [7, 14]
        assert len(project.history.entries) == 2
    assert path.read_bytes()[100:] == before[100:]


def test_a_file_that_takes_the_place_of_the_one_looked_at_is_noticed(
    path: Path, tmp_path: Path
) -> None:
    with new_project(tmp_path / "other.simspine", name="other") as other:
        del other
    with closing(sqlite3.connect(tmp_path / "other.simspine", isolation_level=None)) as connection:
        connection.execute("UPDATE chunk SET crc = 1")
    with Project.open(path, read_only=True) as project:
        sequence, expected = project.sequence, digest(project.sequence)
        shutil.move(tmp_path / "other.simspine", path)
        with pytest.raises(UserError, match="replaced by another one"):
            sequence.read("instances2d.xy")
        assert digest(sequence) == expected
        path.unlink()
        with pytest.raises(UserError, match=r"walk\.simspine cannot be read"):
            sequence.read("instances2d.score")


def test_what_is_edited_elsewhere_stays_as_it_was_read(path: Path) -> None:
    with Project.open(path, read_only=True) as looking, Project.open(path) as editing:
        expected = digest(looking.sequence)
        looking.sequence.memory.budget = 1
        place(editing, frame=3, x=99)
        editing.commit("Split", edits.split_track(editing.sequence, 0, 100), Place())
        assert_detections(looking.sequence)
        assert digest(looking.sequence) == expected
        assert digest(editing.sequence) != expected


def test_a_saved_copy_reads_from_itself(path: Path, tmp_path: Path) -> None:
    with Project.open(path) as project:
        project.save_as(tmp_path / "copy.simspine")
        path.unlink()
        assert_detections(project.sequence)
        place(project, frame=100)
        expected = digest(project.sequence)
    with Project.open(tmp_path / "copy.simspine") as project:
        assert digest(project.sequence) == expected


def test_cameras_time_and_notes_are_kept_and_undone(path: Path) -> None:
    with Project.open(path) as project:
        sequence = project.sequence
        start = digest(sequence)
        project.commit("Shift", edits.set_sync(sequence, 1, 2.5, 0.001), Place())
        first, second, third = sequence.info.cameras
        aside = replace(third, translation=third.translation + 0.01)
        cameras = CameraGroup((first, second, aside))
        project.commit("Cameras", edits.set_cameras(sequence, cameras), Place())
        project.commit("Note", edits.set_note(sequence, 40, 3, "heel strike"), Place())
        expected, syncs = digest(sequence), sequence.syncs
        assert len(project.authorship()["cameras", -1].index) > 0
    with Project.open(path, read_only=True) as project:
        assert project.sequence.syncs == syncs
        assert np.array_equal(project.sequence.cameras[2].translation, cameras[2].translation)
        with pytest.raises(UserError, match="open for reading only"):
            project.commit("Note", edits.set_note(project.sequence, 40, 1, ""), Place())
    with Project.open(path) as project:
        assert digest(project.sequence) == expected
        for _ in range(3):
            project.undo()
        assert digest(project.sequence) == start
        assert project.sequence.cameras is project.sequence.info.cameras


@pytest.mark.parametrize("steps", [4, 500])
def test_undo_goes_back_to_the_beginning_however_long_ago(
    steps: int, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(project_module, "RESTORED_STEPS", steps)
    if steps > 4:
        monkeypatch.setattr(project_journal, "RESTORED_BYTES", 1)  # one step at a time
    with Project.open(path) as opened:
        for x in range(20):
            place(opened, frame=50 + x, x=x)
        for _ in range(3):
            opened.undo()
        end = digest(opened.sequence)
    with Project.open(path) as opened:
        assert len(opened.history.entries) == (4 if steps == 4 else 1) + 3
        labels = []
        while opened.history.can_undo:
            labels.append(opened.undo()[0].place.frame)
        assert labels == [*range(66, 49, -1), 290, 3]
        assert digest(opened.sequence) == digest(small_sequence())
        for _ in range(19):
            opened.redo()
        assert digest(opened.sequence) == end
        for _ in range(3):
            opened.redo()
        assert not opened.history.can_redo
        place(opened, frame=99)
        assert opened.undo()[0].place.frame == 99
    with Project.open(path) as opened:
        opened.undo()
        place(opened, frame=10)  # forgets what was undone, keeps what is older
        for _ in range(21):
            opened.undo()
        assert opened.undo()[0].place.frame == 3
        assert not opened.history.can_undo


def test_a_damaged_step_long_ago_ends_undo_there(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(project_module, "RESTORED_STEPS", 4)
    with Project.open(path) as opened:
        for x in range(10):
            place(opened, frame=50 + x, x=x)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("UPDATE patch SET crc = crc + 1 WHERE journal = 6")
    with Project.open(path) as opened:
        assert opened.findings == ()
        while opened.history.can_undo:
            opened.undo()
        assert opened.history.position == 0
        assert len(opened.history.entries) == 6
        assert [finding.code for finding in opened.findings] == ["journal-damaged"]
        opened.redo()
        place(opened, frame=200)
