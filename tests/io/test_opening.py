"""From a path to a sequence: progress, projects that exist, videos that were replaced."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from pipeline.io.opening import (
    create_project,
    existing_project,
    open_in_memory,
    read_recording,
)
from pipeline.io.project import Project, project_path_for
from pipeline.io.recording import RecordingPlan, load_recording, recognise
from tests.io.recordings import write_recording, write_video


def test_progress_is_told_per_view_and_can_end_the_reading(tmp_path: Path) -> None:
    plan = recognise(write_recording(tmp_path / "hop"))
    told: list[tuple[float, str]] = []
    read_recording(plan, lambda fraction, text: told.append((fraction, text)))
    fractions = [fraction for fraction, _ in told]
    assert fractions == sorted(fractions)
    assert len(told) == 2 * len(plan.views) + 1
    assert fractions[-1] < 1.0
    for stop in range(len(told)):
        heard: list[str] = []

        def report(fraction: float, text: str, stop: int = stop, heard: list[str] = heard) -> None:
            heard.append(text)
            if len(heard) > stop:
                raise InterruptedError

        with pytest.raises(InterruptedError):
            read_recording(plan, report)
        assert heard == [text for _, text in told[: stop + 1]]


def test_a_plan_at_hand_finds_its_project_without_looking_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_recording(tmp_path / "hop")
    plan = recognise(folder)
    assert existing_project(plan) is None
    path = project_path_for(plan.root, plan.name)
    create_project(plan, path, "Ada").close()
    assert existing_project(folder) == existing_project(path) == path

    def again(folder: Path) -> RecordingPlan:
        raise AssertionError(f"{folder} was looked through again")

    monkeypatch.setattr("pipeline.io.opening.recognise", again)
    assert existing_project(plan) == path
    assert open_in_memory(plan)[0].n_frames == load_recording(plan).n_frames


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """``old/hop.simspine`` beside its recording ``old/hop``."""
    folder = write_recording(tmp_path / "old" / "hop")
    path = tmp_path / "old" / "hop.simspine"
    create_project(recognise(folder), path, "Ada").close()
    return path


def noticed(path: Path) -> list[tuple[str, str]]:
    with Project.open(path, read_only=True) as opened:
        return [(finding.code, finding.message) for finding in opened.findings]


def test_undamaged_videos_may_move_and_be_touched(project: Path, tmp_path: Path) -> None:
    assert noticed(project) == []
    project.parent.rename(tmp_path / "new")
    moved = tmp_path / "new" / "hop.simspine"
    for video in (tmp_path / "new").rglob("*.mp4"):
        os.utime(video, (1, 1))
    assert noticed(moved) == []


@pytest.mark.parametrize("change", ["other content", "same size", "cut off"])
def test_a_replaced_video_is_named(project: Path, change: str) -> None:
    video = project.parent / "hop" / "videos" / "cam02.mp4"
    content = bytearray(video.read_bytes())
    if change == "other content":
        write_video(video, n_frames=9)
    elif change == "same size":
        content[-1] ^= 1
        video.write_bytes(content)
    else:
        video.write_bytes(content[: len(content) // 2])
    ((code, message),) = noticed(project)
    assert code == "video-changed"
    assert str(video) in message


def test_the_place_with_the_unchanged_video_is_preferred(project: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "copy"
    elsewhere.mkdir()
    copy = elsewhere / "hop.simspine"
    shutil.copy(project, copy)
    namesake = write_video(elsewhere / "hop" / "videos" / "cam01.mp4", n_frames=3)
    assert noticed(copy) == []
    with Project.open(copy, read_only=True) as opened:
        first = opened.sequence.info.videos[0]
    assert first.path == project.parent / "hop" / "videos" / "cam01.mp4" != namesake


def test_a_copied_project_still_knows_its_videos(project: Path) -> None:
    copy = project.with_name("copy.simspine")
    with Project.open(project) as opened:
        opened.save_as(copy)
    write_video(project.parent / "hop" / "videos" / "cam01.mp4", n_frames=9)
    assert [code for code, _ in noticed(copy)] == ["video-changed"]
