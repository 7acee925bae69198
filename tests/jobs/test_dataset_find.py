"""Which folders of a dataset are sequences, for the layouts that people have."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pipeline.data.errors import UserError
from pipeline.io.opening import create_project
from pipeline.io.recording import recognise
from pipeline.jobs.dataset_find import find_sequences
from tests.io.recordings import write_recording


def keys(root: Path, leave_out: Path | None = None) -> list[str]:
    return [found.key for found in find_sequences(root, leave_out)]


def touch(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def test_pose2sim_trials_below_a_session(tmp_path: Path) -> None:
    touch(
        tmp_path,
        "S1/calibration/calib.toml",
        "S1/calibration/intrinsics/cam1/board_01.png",
        "S1/calibration/intrinsics/cam1/board_02.png",
        *(f"S1/walk{n}/videos/cam{c}.mp4" for n in (2, 10) for c in (1, 2)),
        "S1/walk2/pose/cam1_json/cam1.0001.json",
        "S1/walk2/pose/cam1_pose.mp4",
        "S1/walk2/plots/a_1.png",
        "S1/walk2/plots/a_2.png",
        "S2/jump/raw-2d/cam1.mp4",
        "S2/only/pose/cam1_json/0001.json",
        ".hidden/videos/cam1.mp4",
    )
    assert keys(tmp_path) == ["S1/walk2", "S1/walk10", "S2/jump", "S2/only"]
    subjects = {found.subject for found in find_sequences(tmp_path)}
    assert subjects == {"S1", "S2"}


@pytest.mark.parametrize(
    ("files", "wanted"),
    [
        (["a/x.mp4", "a/y.mp4", "a/c.toml", "b/x.mp4", "b/y.mp4"], ["a", "b"]),
        (["a/cam1/x.mp4", "a/cam2/x.mp4", "a/calib.toml"], ["a"]),
        (["a/cam1/01.png", "a/cam1/02.png", "a/cam2/01.png", "a/cam2/02.png"], ["a"]),
        (["a/x.mp4", "a/y.mp4", "a/plots/p1.png", "a/plots/p2.png"], ["a"]),
        (["a/cam1_json/001.json", "a/cam2_json/001.json"], ["a"]),
    ],
    ids=["loose videos", "a folder per camera", "pictures", "plots beside", "detections only"],
)
def test_other_layouts(files: list[str], wanted: list[str], tmp_path: Path) -> None:
    touch(tmp_path, *files)
    assert keys(tmp_path) == wanted


def test_one_recording_is_a_dataset_too(tmp_path: Path) -> None:
    folder = write_recording(tmp_path / "walk")
    assert keys(folder) == ["walk"]
    assert keys(tmp_path) == ["walk"]


def test_a_project_stands_for_its_recording_and_another_for_itself(tmp_path: Path) -> None:
    folder = write_recording(tmp_path / "data" / "walk")
    create_project(recognise(folder), folder / "walk.simspine", "Ada").close()
    shutil.copy(folder / "walk.simspine", tmp_path / "data" / "second try.simspine")
    found = {one.key: one.path for one in find_sequences(tmp_path / "data")}
    assert found == {
        "walk": folder / "walk.simspine",
        "second try": tmp_path / "data" / "second try.simspine",
    }


def test_results_and_links_back_are_passed_over(tmp_path: Path) -> None:
    touch(tmp_path, "a/videos/x.mp4", "out/a/videos/x.mp4")
    (tmp_path / "a" / "loop").symlink_to(tmp_path)
    (tmp_path / "again").symlink_to(tmp_path / "a")
    assert keys(tmp_path, tmp_path / "out") == ["a", "again"]


@pytest.mark.parametrize(
    ("name", "said"),
    [("empty", "holds no recording"), ("none", "does not exist"), ("file", "is not a folder")],
)
def test_nothing_to_be_found(name: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match=said):
        find_sequences(tmp_path / name)
