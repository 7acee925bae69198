"""Detections: skeletons, missing points, frame numbers, people and speed of growth."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline.data.errors import UserError
from pipeline.data.skeleton import load_skeleton, project_skeleton
from pipeline.io.detection_files import FrameFiles, frame_ranges, frame_zero
from pipeline.io.detections import read_detections
from tests.io.recordings import figure, write_people


def _folder(
    tmp_path: Path, skeleton: str, frames: range = range(4), name: str = "cam1_{:05d}.json"
) -> Path:
    person = figure(load_skeleton(skeleton).markers)
    for frame in frames:
        write_people(tmp_path / "cam1_json" / name.format(frame), [person])
    return tmp_path / "cam1_json"


def _codes(detections: object) -> list[str]:
    return [f.code for f in detections.findings]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "skeleton", ["body_25", "body_25b", "halpe_26", "coco_17", "spinetrack_37"]
)
def test_every_skeleton_is_recognised_and_mapped_by_name(tmp_path: Path, skeleton: str) -> None:
    detections = read_detections(_folder(tmp_path, skeleton))
    assert detections.skeleton == skeleton
    source, target = load_skeleton(skeleton), project_skeleton()
    person = figure(source.markers)
    for k, name in enumerate(target.names):
        if name in source.names:
            i = source.names.index(name)
            np.testing.assert_allclose(detections.xy[0, 0, k], person[i, :2], rtol=1e-6)
            assert detections.score[0, 0, k] == pytest.approx(0.9)
        else:
            assert np.isnan(detections.xy[0, 0, k]).all()
            assert detections.score[0, 0, k] == 0


@pytest.mark.parametrize("skeleton", ["body_25", "body_25b"])
def test_25_points_are_told_apart_from_behind(tmp_path: Path, skeleton: str) -> None:
    source = load_skeleton(skeleton)
    person = figure(source.markers)
    hidden = [i for i, n in enumerate(source.names) if n in ("nose", "left_eye", "right_eye")]
    person[hidden] = 0
    write_people(tmp_path / "v_json" / "v_0.json", [person])
    assert read_detections(tmp_path / "v_json").skeleton == skeleton


def test_the_caller_overrides_the_skeleton(tmp_path: Path) -> None:
    folder = _folder(tmp_path, "body_25b")
    assert read_detections(folder, skeleton="body_25").skeleton == "body_25"
    with pytest.raises(UserError, match="no skeleton named body_99"):
        read_detections(folder, skeleton="body_99")


def test_a_zero_coordinate_is_missing_whatever_the_score(tmp_path: Path) -> None:
    person = figure(load_skeleton("spinetrack_37").markers)
    person[0] = (0.0, 431.6, 0.69)
    person[1] = (505.2, 0.0, 0.69)
    person[2] = (np.nan, 4.0, 0.9)
    person[3] = (np.inf, 4.0, 0.9)
    person[4] = (12.0, 14.0, np.nan)
    person[5] = (1e39, 4.0, 0.9)  # more than float32 holds
    write_people(tmp_path / "a_json" / "a_0.json", [person])
    detections = read_detections(tmp_path / "a_json")
    assert np.isnan(detections.xy[0, 0, :4]).all()
    assert (detections.score[0, 0, :6] == 0).all()
    assert detections.xy[0, 0, 4].tolist() == [12.0, 14.0]
    assert np.isnan(detections.xy[0, 0, 5]).all()
    assert np.isfinite(detections.xy[0, 0, 6:]).all()


def test_null_coordinates_are_missing(tmp_path: Path) -> None:
    folder = tmp_path / "a_json"
    folder.mkdir()
    values = ["null, null, 0.5"] + ["5.5, 6.5, 0.5"] * 16
    people = f'{{"people": [{{"pose_keypoints_2d": [{", ".join(values)}]}}]}}'
    (folder / "a_0.json").write_text(people)
    detections = read_detections(folder)
    assert int((detections.score > 0).sum()) == 16


def test_people_are_padded_to_the_most_in_a_frame(tmp_path: Path) -> None:
    person = figure(load_skeleton("coco_17").markers)
    write_people(tmp_path / "a_json" / "a_0.json", [person, person + 50])
    write_people(tmp_path / "a_json" / "a_1.json", [])
    write_people(tmp_path / "a_json" / "a_2.json", [person])
    detections = read_detections(tmp_path / "a_json")
    assert detections.xy.shape == (3, 2, 37, 2)
    assert detections.n_people.tolist() == [2, 0, 1]
    assert np.isnan(detections.xy[1]).all()
    assert _codes(detections) == ["skeleton"]


@pytest.mark.parametrize(
    ("first", "last", "n_frames", "zero"),
    [
        (0, 99, 100, 0),
        (1, 100, 100, 1),
        (500, 599, 100, 500),
        (3, 99, 100, 0),
        (3, 100, 100, 1),
        (1, 99, 100, 0),
        (0, 99, 60, 0),
        (1, 100, 60, 1),
        (7, 106, None, 7),
        (0, -1, 100, 0),
    ],
)
def test_which_number_is_frame_zero(first: int, last: int, n_frames: int | None, zero: int) -> None:
    assert frame_zero(first, last, n_frames) == zero


def test_one_based_numbers_start_the_video_and_say_so(tmp_path: Path) -> None:
    detections = read_detections(_folder(tmp_path, "coco_17", range(1, 6)), n_frames=5)
    assert len(detections.xy) == 5
    assert detections.n_people.tolist() == [1] * 5
    assert "frame-offset" in _codes(detections)


def test_gaps_are_named(tmp_path: Path) -> None:
    folder = _folder(tmp_path, "coco_17", range(10))
    for frame in (3, 4, 7):
        (folder / f"cam1_{frame:05d}.json").unlink()
    detections = read_detections(folder, n_frames=10)
    (gap,) = [f for f in detections.findings if f.code == "missing-detections"]
    assert gap.message == "“cam1_json” has no file for frames 3–4, 7."
    assert np.flatnonzero(detections.n_people == 0).tolist() == [3, 4, 7]


def test_frames_in_words() -> None:
    assert frame_ranges([4]) == "frame 4"
    assert frame_ranges([1, 2, 3, 9]) == "frames 1–3, 9"
    assert frame_ranges(range(0, 20, 2)).endswith(" and 4 more ranges")


@pytest.mark.parametrize(
    "name", ["cam1_{:04d}_body25.json", "S1_cam1.{:06d}.json", "{:012d}_keypoints.json"]
)
def test_the_frame_number_is_the_one_that_counts(tmp_path: Path, name: str) -> None:
    files = FrameFiles.of_folder(_folder(tmp_path, "coco_17", range(8, 12), name))
    assert files.numbers.tolist() == [8, 9, 10, 11]


def test_a_clock_in_the_name_is_no_frame_number(tmp_path: Path) -> None:
    folder = _folder(tmp_path, "coco_17")
    late = folder / "cam1_20231122151911123456.json"
    late.write_bytes((folder / "cam1_00001.json").read_bytes())
    detections = read_detections(folder)
    assert len(detections.xy) == 4
    (finding,) = [f for f in detections.findings if f.severity == "error"]
    assert (finding.code, finding.path) == ("unnumbered-detections", late)
    assert "too large" in finding.message


def test_points_far_outside_are_kept_and_counted(tmp_path: Path) -> None:
    person = figure(load_skeleton("coco_17").markers)
    person[3] = (5000.0, 20.0, 0.8)
    person[4] = (-3.0, 20.0, 0.8)
    write_people(tmp_path / "a_json" / "a_0.json", [person])
    detections = read_detections(tmp_path / "a_json", size=(640, 480))
    (finding,) = [f for f in detections.findings if f.code == "outside-picture"]
    assert finding.message.startswith("1 points")
    assert np.nanmax(detections.xy) == 5000.0


def test_many_broken_files_are_summed_up(tmp_path: Path) -> None:
    folder = _folder(tmp_path, "coco_17", range(100))
    for frame in range(50):
        (folder / f"cam1_{frame:05d}.json").write_text("")
    detections = read_detections(folder)
    broken = [f for f in detections.findings if f.code == "unreadable-detections"]
    assert len(broken) == 21
    assert broken[-1].message.startswith("30 more files of “cam1_json” were not used")
    assert int(detections.n_people.sum()) == 50


@pytest.mark.realdata
def test_the_real_detections(balancing: Path) -> None:
    people = {}
    for i in range(1, 5):
        detections = read_detections(
            balancing / "pose" / f"cam0{i}_json", n_frames=100, size=(1088, 1920)
        )
        assert detections.skeleton == "body_25b"
        assert not any(f.severity != "info" for f in detections.findings)
        people[i] = int(detections.n_people.max())
        if i == 1:
            # Six corrupt noses: x = 0 with a score of 0.65 to 0.69.
            nose = project_skeleton().index("nose")
            seen = detections.score[:, 0, nose] > 0
            assert not seen[[4, 5, 6, 7, 8, 15]].any()
            assert seen[[0, 1, 2, 3]].all()
    assert people[3] == people[4] == 1
    assert min(people[1], people[2]) >= 2
