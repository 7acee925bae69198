"""Where a project lies: beside its videos, moved, copied, read by others, or among user data."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from pipeline.data.errors import UserError
from pipeline.io.project import Project, project_path_for
from tests.data.recordings import small_info, small_sequence
from tests.io.projects import new_project, place
from tests.truth.killing import digest


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "walk.simspine"


def test_videos_are_found_where_the_folder_went(tmp_path: Path) -> None:
    (tmp_path / "old" / "videos").mkdir(parents=True)
    video = tmp_path / "old" / "videos" / "é cam0.mp4"
    video.write_bytes(b"")
    outside = tmp_path / "outside.mp4"
    outside.write_bytes(b"")
    videos = small_info((video, outside, None)).videos
    with new_project(tmp_path / "old" / "walk.simspine", videos=videos):
        pass
    (tmp_path / "new").mkdir()
    (tmp_path / "old").rename(tmp_path / "new" / "moved")
    with Project.open(tmp_path / "new" / "moved" / "walk.simspine") as project:
        assert [ref.path for ref in project.sequence.info.videos] == [
            tmp_path / "new" / "moved" / "videos" / "é cam0.mp4",
            outside,  # no longer where the relative path leads: found by the absolute one
            None,
        ]
        assert project.findings == ()
    outside.unlink()
    with Project.open(tmp_path / "new" / "moved" / "walk.simspine") as project:
        place(project)
        assert [(f.code, f.severity) for f in project.findings] == [("video-missing", "warning")]
        assert "outside.mp4" in project.findings[0].message


def test_save_as_goes_on_in_the_copy(tmp_path: Path) -> None:
    video = tmp_path / "videos" / "cam0.mp4"
    video.parent.mkdir()
    video.write_bytes(b"")
    old, new = tmp_path / "a.simspine", tmp_path / "deep" / "er" / "b.simspine"
    new.parent.mkdir(parents=True)
    with new_project(old, videos=small_info((video, None, None)).videos) as project:
        place(project, x=1)
        project.save_as(new)
        assert project.path == new
        in_old = old.read_bytes()
        place(project, x=2)
        project.undo()
        project.undo()
        place(project, x=3)
        assert old.read_bytes() == in_old
        Project.open(old).close()
    with Project.open(old) as project:
        assert project.sequence.read("manual2d.xy", [3], 0)[0, 1, 5, 0] == 1
        assert project.history.can_undo
    with closing(sqlite3.connect(new)) as connection:
        info = connection.execute("SELECT value FROM meta WHERE key = 'info'").fetchone()[0]
        assert '"../../videos/cam0.mp4"' in info
    with Project.open(new) as project:
        assert project.sequence.info.videos[0].path == video
        assert project.sequence.read("manual2d.xy", [3], 0)[0, 1, 5, 0] == 3


def test_save_as_over_another_project_and_its_log(tmp_path: Path) -> None:
    first, second = tmp_path / "a.simspine", tmp_path / "b.simspine"
    with new_project(second) as other:
        for x in range(5):
            place(other, x=x)
        log, body = second.with_name("b.simspine-wal").read_bytes(), second.read_bytes()
    second.write_bytes(body)
    second.with_name("b.simspine-wal").write_bytes(log)  # as a killed process leaves it
    with new_project(first) as project:
        place(project, x=77)
        expected = digest(project.sequence)
        project.save_as(second)
    with Project.open(second) as project:
        assert digest(project.sequence) == expected
        assert len(list(project.journal())) == 1


def test_save_as_onto_itself_changes_nothing(path: Path) -> None:
    with new_project(path) as project:
        project.save_as(path.parent / "." / path.name)
        place(project)
        assert project.path == path


def test_a_worker_process_reads_what_was_last_committed(path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from pipeline.io.project import Project\n"
        "with Project.open(Path(sys.argv[1]), read_only=True) as p:\n"
        "    print(p.sequence.read('manual2d.xy', [3], 0)[0, 1, 5, 0],"
        " len(list(p.journal())), p.history.position)\n"
    )
    with new_project(path) as project:
        place(project, x=1)
        place(project, x=2)
        out = subprocess.run(
            [sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=True
        )
        assert out.stdout.split() == ["2.0", "2", "2"]
        place(project, x=3)
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


def test_a_reader_keeps_the_state_it_opened(path: Path) -> None:
    with new_project(path) as project, Project.open(path, read_only=True) as reader:
        place(project)
        assert list(reader.journal()) == []
        assert reader.authorship() == {}
        with pytest.raises(UserError, match="reading only"):
            place(reader)
        assert digest(reader.sequence) == digest(small_sequence())
        with pytest.raises(UserError, match="changed since"):
            reader.save_as(path.with_name("copy.simspine"))
        assert not path.with_name("copy.simspine").exists()


def test_a_reader_can_save_a_copy_and_edit_it(path: Path) -> None:
    copy = path.with_name("copy.simspine")
    new_project(path).close()
    with Project.open(path, read_only=True) as project:
        project.save_as(copy)
        assert not project.read_only
        place(project)
    with Project.open(copy) as project:
        assert project.history.can_undo


def test_project_path_beside_the_recording(tmp_path: Path) -> None:
    assert project_path_for(tmp_path, "walk") == tmp_path / "walk.simspine"
    assert project_path_for(tmp_path, "a/b: c").name == "a_b_ c.simspine"
    assert list(tmp_path.glob("*.simspine")) == []


def test_project_path_where_the_folder_takes_no_files(tmp_path: Path) -> None:
    chosen = project_path_for(Path("/proc/self"), "walk")
    assert tmp_path in chosen.parents
    assert chosen == project_path_for(Path("/proc/self"), "walk")
    assert chosen != project_path_for(Path("/proc/1"), "walk")
    with new_project(chosen) as project:
        place(project)


def test_a_project_among_the_users_data_is_found_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr("pipeline.io.project_path._takes_files", lambda folder: False)
        own = project_path_for(tmp_path, "walk")
    new_project(own).close()
    assert project_path_for(tmp_path, "walk") == own
    new_project(tmp_path / "walk.simspine").close()
    assert project_path_for(tmp_path, "walk") == tmp_path / "walk.simspine"
