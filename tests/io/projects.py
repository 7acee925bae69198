"""Projects of the small recording, and the smallest edit, for tests."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from pipeline.data import edits
from pipeline.data.history import Place
from pipeline.io.project import Project
from tests.data.recordings import small_arrays, small_info


def new_project(path: Path, **info: object) -> Project:
    """An open project; ``info`` replaces fields of the recording's description."""
    return Project.create(
        path,
        replace(small_info(), **info),  # type: ignore[arg-type]
        author="Ada",
        recording={"source": "folder", "findings": ["one"]},
        **small_arrays(),
    )


def place(project: Project, frame: int = 3, view: int = 1, keypoint: int = 5, x: float = 7) -> None:
    """Put one point of track 0 at (x, 2 x)."""
    patches = edits.place_point(project.sequence, 0, frame, view, keypoint, (x, 2 * x))
    project.commit("Place point", patches, Place(frame, view, keypoint, 0))
