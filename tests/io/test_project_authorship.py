"""Who is named as the author of a value after edits, undo, merging and splitting."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from pipeline.data import edits
from pipeline.data.history import Place
from pipeline.data.source import Flag
from pipeline.io.project import Project
from pipeline.io.project_authorship import dense
from tests.data.recordings import small_arrays, small_info


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    path = tmp_path / "walk.simspine"
    with Project.create(
        path, small_info(), author="Ada", recording={}, **small_arrays()
    ) as project:
        yield project


def place(project: Project, author: str, track: int = 0, frame: int = 3, keypoint: int = 5) -> None:
    project.author = author
    xy = (float(project.history.position), 1.0)
    patches = edits.place_point(project.sequence, track, frame, 1, keypoint, xy)
    project.commit("Place", patches, Place())


def authors(project: Project, group: str = "manual2d", track: int = 0) -> dict[tuple, str]:
    entry = project.authorship().get((group, track))
    if entry is None:
        return {}
    return {
        tuple(index): entry.authors[code]
        for index, code in zip(entry.index.tolist(), entry.author, strict=True)
    }


def test_the_last_author_of_each_value(project: Project) -> None:
    place(project, "Ada")
    place(project, "Bob", frame=4)
    place(project, "Cleo")
    assert authors(project) == {(3, 1, 5): "Cleo", (4, 1, 5): "Bob"}
    times = [entry.time for entry in project.journal()]
    assert project.authorship()["manual2d", 0].time.tolist() == [times[2], times[1]]


def test_undo_gives_a_value_back_to_its_author(project: Project) -> None:
    place(project, "Ada")
    place(project, "Bob")
    project.author = "Cleo"
    project.undo()
    assert authors(project) == {(3, 1, 5): "Ada"}
    project.redo()
    assert authors(project) == {(3, 1, 5): "Bob"}
    project.undo()
    project.undo()
    assert authors(project) == {}
    place(project, "Dan", frame=9)
    assert authors(project) == {(9, 1, 5): "Dan"}


def test_flags_and_3d_points_have_authors(project: Project) -> None:
    sequence = project.sequence
    project.author = "Bob"
    project.commit("F", edits.toggle_flag(sequence, 0, 8, [0, 2], 1, Flag.ABSENT), Place())
    project.commit("3", edits.place_point_3d(sequence, 0, 8, 1, (1, 2, 3)), Place())
    assert authors(project) == {(8, 0, 1): "Bob", (8, 2, 1): "Bob"}
    assert authors(project, "manual3d") == {(8, 1): "Bob"}


def test_what_was_taken_back_has_no_author(project: Project) -> None:
    place(project, "Ada")
    project.commit("R", edits.revert_point(project.sequence, 0, 3, [1], 5), Place())
    assert authors(project) == {}
    assert ("manual2d", 0) not in project.authorship()


def test_merged_and_split_values_keep_their_author(project: Project) -> None:
    place(project, "Ada", track=1, frame=3)
    place(project, "Bob", track=1, frame=200)
    place(project, "Cleo", track=0, frame=3)
    project.author = "Dan"
    project.commit("Merge", edits.merge_tracks(project.sequence, 0, 1), Place())
    assert authors(project) == {(3, 1, 5): "Cleo", (200, 1, 5): "Bob"}
    assert authors(project, track=1) == {}
    project.commit("Split", edits.split_track(project.sequence, 0, 100), Place())
    assert authors(project, track=0) == {(3, 1, 5): "Cleo"}
    new = int(project.sequence.read("assignment.track", [200]).max())
    assert authors(project, track=new) == {(200, 1, 5): "Bob"}
    assert set(authors(project, "assignment", -1).values()) == {"Dan"}


def test_authorship_survives_reopening_and_makes_no_tracks(project: Project) -> None:
    place(project, "Ada", track=1)
    place(project, "Bob", track=0, frame=9)
    project.commit("Merge", edits.merge_tracks(project.sequence, 0, 1), Place())
    expected = authors(project)
    project.close()
    with Project.open(project.path) as again:
        before = set(again.sequence.stored_layers())
        assert authors(again) == expected == {(3, 1, 5): "Ada", (9, 1, 5): "Bob"}
        assert set(again.sequence.stored_layers()) == before


def test_dense_authors_of_some_frames(project: Project) -> None:
    place(project, "Ada", frame=3)
    place(project, "Bob", frame=7)
    place(project, "Bob", frame=20)
    author, time = dense(project.authorship()["manual2d", 0], (10, 3, 37), start=5)
    assert np.argwhere(author >= 0).tolist() == [[2, 1, 5]]
    assert author[2, 1, 5] == 1
    assert np.isfinite(time).sum() == 1
    assert np.all(dense(None, (2, 3, 37))[0] == -1)
