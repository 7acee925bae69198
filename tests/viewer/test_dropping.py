"""What dropped files belong to, and what is said about those that belong to nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.data.errors import UserError
from simspine_viewer.dropping import resolved
from tests.viewer.small import small_project, small_recording

pytestmark = pytest.mark.gui


def _one_of(folder: Path, *suffixes: str) -> Path:
    return sorted(p for p in folder.rglob("*") if p.suffix in suffixes and p.is_file())[0]


def test_projects_and_folders_are_themselves(tmp_path: Path) -> None:
    project = small_project(tmp_path)
    for path in (project, project.parent):
        dropped = resolved([path])
        assert (dropped.path, dropped.others, dropped.remark) == (path, (), "")


@pytest.mark.parametrize("suffixes", [(".mp4", ".avi"), (".toml",), (".json",)])
def test_one_file_opens_the_recording_it_is_in(tmp_path: Path, suffixes: tuple[str, ...]) -> None:
    folder = small_recording(tmp_path)
    path = _one_of(folder, *suffixes)
    dropped = resolved([path])
    assert dropped.path == folder
    assert dropped.remark == f"{path.name} belongs to the recording walk, which is opened."


def test_a_track_file_beside_the_videos(tmp_path: Path) -> None:
    folder = small_recording(tmp_path)
    (folder / "out.trc").write_text("anything")
    assert resolved([folder / "out.trc"]).path == folder


def test_all_files_of_a_recording_are_one(tmp_path: Path) -> None:
    folder = small_recording(tmp_path)
    videos = sorted(p for p in folder.rglob("*.mp4"))
    assert resolved(videos).others == ()


def test_several_recordings(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        (tmp_path / name).mkdir()
    paths = [small_project(tmp_path / name) for name in ("a", "b", "c")]
    dropped = resolved(paths)
    assert dropped.path == paths[0]
    assert dropped.others == tuple(paths[1:])
    assert dropped.remark == "2 more are in Open Recent."


def test_what_belongs_to_nothing_is_said(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(
        UserError, match=r"“notes\.txt” is neither a project nor part of a recording"
    ):
        resolved([tmp_path / "notes.txt"])
    with pytest.raises(UserError, match="does not exist"):
        resolved([tmp_path / "gone.mp4"])
    with pytest.raises(UserError, match="Nothing that was dropped"):
        resolved([])
    project = small_project(tmp_path)
    dropped = resolved([tmp_path / "notes.txt", project])
    assert dropped.path == project
    assert "notes.txt" in dropped.remark
