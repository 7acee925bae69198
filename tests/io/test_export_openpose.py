"""OpenPose export: readable as detections again, and never in the way of anybody's own files."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from pipeline.data import edits
from pipeline.data.errors import UserError
from pipeline.data.observations import observations
from pipeline.data.source import Flag
from pipeline.io.detections import read_detections
from pipeline.io.export import export
from pipeline.io.opening import open_in_memory
from tests.io.exports import corrected_sequence, request


def people(path: Path) -> list[dict[str, list[float]]]:
    document = json.loads(path.read_text(encoding="utf-8"))
    assert document["version"] == 1.3
    return document["people"]


def test_corrected_points_read_back_as_detections(tmp_path: Path) -> None:
    sequence = corrected_sequence()
    export(request(tmp_path / "out", "openpose", sequence=sequence, frames=None))
    seen = observations(sequence, 0)
    for view, sync in enumerate(sequence.syncs):
        read = read_detections(tmp_path / "out" / f"cam{view}_json", n_frames=sync.n_frames)
        assert read.skeleton == "spinetrack_37"
        assert read.xy.shape[1] == 1
        shown = [(t, f) for t in range(300) if (f := sync.video_frame(t)) is not None]
        if sync.rate < 1:  # covered by its own test
            continue
        frames, video_frames = np.array(shown).T
        np.testing.assert_allclose(read.xy[video_frames, 0], seen.xy[frames, view], atol=1e-3)
        np.testing.assert_allclose(read.score[video_frames, 0], seen.score[frames, view], atol=1e-5)


def test_files_and_empty_frames(tmp_path: Path) -> None:
    export(request(tmp_path / "out", "openpose"))
    folder = tmp_path / "out" / "cam0_json"
    assert sorted(p.name for p in folder.parent.iterdir()) == [
        "cam0_json",
        "cam1_json",
        "cam2_json",
    ]
    assert sorted(p.name for p in folder.iterdir()) == [f"cam0.{i:04d}.json" for i in range(12)]
    # This camera started three frames late, and files count its own pictures.
    late = sorted(p.name for p in (tmp_path / "out" / "cam1_json").iterdir())
    assert late == [f"cam1.{i:04d}.json" for i in range(9)]
    assert people(folder / "cam0.0008.json") == []
    (person,) = people(folder / "cam0.0005.json")
    assert person["person_id"] == [-1]
    assert len(person["pose_keypoints_2d"]) == 37 * 3
    assert person["pose_keypoints_2d"][15:18] == [30.5, 40.25, 1.0]
    assert people(folder / "cam0.0006.json")[0]["pose_keypoints_2d"][18:21] == [0, 0, 0]
    assert people(folder / "cam0.0007.json")[0]["pose_keypoints_2d"][21:24] == [0, 0, 0]
    (late_person,) = people(tmp_path / "out" / "cam1_json" / "cam1.0000.json")
    assert late_person["pose_keypoints_2d"][9:12] == [7.25, 14.5, 1.0]


def test_no_files_after_the_end_of_a_video(tmp_path: Path) -> None:
    sequence = corrected_sequence()
    export(request(tmp_path / "out", "openpose", sequence=sequence, frames=(270, 300)))
    numbers = [int(p.suffixes[0][1:]) for p in (tmp_path / "out" / "cam2_json").iterdir()]
    assert (min(numbers), max(numbers)) == (185, 189)  # 190 pictures


def test_a_point_at_the_edge_is_not_taken_for_a_missing_one(tmp_path: Path) -> None:
    sequence = corrected_sequence()
    for patch in edits.place_point(sequence, 0, 0, 0, 0, (0, 500)):
        sequence.apply(patch)
    export(request(tmp_path / "out", "openpose", sequence=sequence))
    read = read_detections(tmp_path / "out" / "cam0_json")
    np.testing.assert_allclose(read.xy[0, 0, 0], (0, 500), atol=1e-3)


@pytest.mark.parametrize("edited", [1, 2])
def test_a_correction_wins_where_frames_share_a_picture(edited: int, tmp_path: Path) -> None:
    sequence = corrected_sequence()
    sync = sequence.syncs[2]
    assert sync.video_frame(1) == sync.video_frame(2) == 6
    for patch in edits.place_point(sequence, 0, edited, 2, 0, (77, 88)):
        sequence.apply(patch)
    for patch in edits.toggle_flag(sequence, 0, edited, [2], 1, Flag.ABSENT):
        sequence.apply(patch)
    export(request(tmp_path / "out", "openpose", sequence=sequence))
    (person,) = people(tmp_path / "out" / "cam2_json" / "cam2.0006.json")
    assert person["pose_keypoints_2d"][:6] == [77, 88, 1, 0, 0, 0]


def test_replaces_its_own_export_only(tmp_path: Path) -> None:
    path = tmp_path / "out"
    path.mkdir()
    export(request(path, "openpose"))  # an empty folder is nobody's
    (path / ".DS_Store").write_bytes(b"")
    export(request(path, "openpose", frames=(0, 2)))
    assert len(list(path.rglob("*.json"))) == 2 + 2  # one view starts later, one is slower
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    "foreign",
    [
        "notes.txt",
        "cam0_json/notes.txt",
        "videos/a.json",
        "cam0_json/sub/a.json",
        "cam9_json/1.json",
    ],
)
def test_other_files_are_never_replaced(foreign: str, tmp_path: Path) -> None:
    path = tmp_path / "out"
    export(request(path, "openpose", frames=(0, 2)))
    (path / foreign).parent.mkdir(parents=True, exist_ok=True)
    (path / foreign).write_text('{"version": 1.3, "people": []}')
    before = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    with pytest.raises(UserError) as caught:
        export(request(path, "openpose"))
    assert str(caught.value) == (
        f"{path} was not replaced: it holds files that are not from an export."
    )
    assert {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()} == before


def test_target_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("old")
    with pytest.raises(UserError, match=r"out could not be written: it is a file, not a folder\.$"):
        export(request(tmp_path / "out", "openpose"))
    assert (tmp_path / "out").read_text() == "old"


@pytest.mark.realdata
def test_the_detectors_own_files_of_a_recording_stay(balancing: Path) -> None:
    sequence, _ = open_in_memory(balancing)
    before = sorted((balancing / "pose").rglob("*"))
    with pytest.raises(UserError, match="was not replaced"):
        export(request(balancing / "pose", "openpose", sequence=sequence))
    assert sorted((balancing / "pose").rglob("*")) == before
