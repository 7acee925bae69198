"""Broken calibrations, detections and folders: one sentence each, and the rest still loads."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline.data.errors import Finding, UserError
from pipeline.io.calibration import read_calibration
from pipeline.io.recording import (
    LoadedRecording,
    load_recording,
    plan_from_files,
    recognise,
)
from tests.io.recordings import calibration_table, write_recording, write_table


def assert_one_sentence(message: str, *names: str) -> None:
    assert message.endswith(".")
    assert "\n" not in message
    assert ". " not in message
    assert any(name in message for name in names), message


def _change(key: str, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(table: dict[str, Any]) -> None:
        table["cam_01"][key] = value

    return change


def _drop(key: str) -> Callable[[dict[str, Any]], None]:
    def change(table: dict[str, Any]) -> None:
        del table["cam_01"][key]

    return change


NAN = float("nan")
BAD_CAMERAS = {
    "NaN in the matrix": _change("matrix", [[NAN, 0, 1], [0, 500, 2], [0, 0, 1]]),
    "infinite translation": _change("translation", [0.0, float("inf"), 1.0]),
    "NaN distortion": _change("distortions", [NAN, 0, 0, 0]),
    "no matrix": _drop("matrix"),
    "no rotation": _drop("rotation"),
    "no size": _drop("size"),
    "matrix of two rows": _change("matrix", [[500, 0, 320], [0, 500, 240]]),
    "ragged matrix": _change("matrix", [[500, 0], [0, 500, 240], [0, 0, 1]]),
    "text in the matrix": _change("matrix", "identity"),
    "number beyond float64": _change("matrix", [[10**400, 0, 1], [0, 500, 2], [0, 0, 1]]),
    "rotation beyond float64": _change("rotation", [10**400, 0, 0]),
    "zero focal length": _change("matrix", [[0, 0, 320], [0, 0, 240], [0, 0, 1]]),
    "transposed matrix": _change("matrix", [[500, 0, 0], [0, 500, 0], [320, 240, 1]]),
    "singular rotation": _change("rotation", [[1, 0, 0], [1, 0, 0], [0, 0, 1]]),
    "mirrored rotation": _change("rotation", [[1, 0, 0], [0, 1, 0], [0, 0, -1]]),
    "quaternion": _change("rotation", [1.0, 0.0, 0.0, 0.0]),
    "three coefficients": _change("distortions", [0.1, 0.1, 0.0]),
    "no coefficients": _change("distortions", []),
    "one coefficient, no list": _change("distortions", 0.1),
    "negative size": _change("size", [-640, 480]),
    "half a pixel": _change("size", [640.5, 480]),
    "words for a translation": _change("translation", ["a", "b", "c"]),
}


@pytest.mark.parametrize("fault", BAD_CAMERAS)
def test_a_broken_camera_is_named_and_the_others_stay(tmp_path: Path, fault: str) -> None:
    table = calibration_table(3)
    BAD_CAMERAS[fault](table)
    calibration = read_calibration(write_table(tmp_path / "Calib.toml", table))
    assert [c.name for c in calibration.cameras] == ["cam_02", "cam_03"]
    (finding,) = calibration.findings
    assert (finding.severity, finding.code) == ("error", "camera-left-out")
    assert_one_sentence(finding.message.replace("Calib.toml", "file"), "file")
    assert "cam_01" in finding.message


QUALISYS_START = b"<calibration><cameras><camera serial='c1' active='1'>"
QUALISYS_END = b"</camera></cameras></calibration>"
BAD_CALIBRATIONS = {
    "empty.toml": b"",
    "not_toml.toml": b"[cam_01\nname = ",
    "latin.toml": "name = 'caméra'".encode("latin-1"),
    "binary.toml": bytes(range(256)),
    "settings.toml": b"[project]\nframe_rate = 60\n",
    "only_metadata.toml": b"[metadata]\nadjusted = false\n",
    "cameras_no_table.toml": b"cameras = 4\n",
    "empty.qca.txt": b"",
    "cut.qca.txt": QUALISYS_START,
    "no_cameras.qca.txt": b"<calibration/>",
    "no_intrinsic.qca.txt": QUALISYS_START + b"<transform x='1'/>" + QUALISYS_END,
    "wrong_encoding.qca.txt": b"<?xml version='1.0' encoding='klingon'?><calibration/>",
    "calibration.doc": b"hello",
}


@pytest.mark.parametrize("name", BAD_CALIBRATIONS)
def test_a_broken_calibration_is_one_sentence(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(BAD_CALIBRATIONS[name])
    with pytest.raises(UserError) as caught:
        read_calibration(path)
    assert_one_sentence(str(caught.value).replace(name, "file"), "file")


def test_a_calibration_that_is_a_folder_or_missing(tmp_path: Path) -> None:
    (tmp_path / "Calib.toml").mkdir()
    for name in ("Calib.toml", "none.qca.txt"):
        with pytest.raises(UserError) as caught:
            read_calibration(tmp_path / name)
        assert_one_sentence(str(caught.value), name)


def test_a_fisheye_is_refused_by_name(tmp_path: Path) -> None:
    table = calibration_table(2)
    table["cam_02"]["fisheye"] = True
    with pytest.raises(UserError) as caught:
        read_calibration(write_table(tmp_path / "Calib.toml", table))
    assert_one_sentence(str(caught.value), "Calib.toml")
    assert "cam_02" in str(caught.value)


BAD_DETECTIONS: dict[str, tuple[bytes | None, str]] = {
    "empty": (b"", "empty"),
    "truncated": (b'{"people": [{"pose_keypoints_2d": [1, 2', "not complete JSON"),
    "not JSON": (b"hello", "not complete JSON"),
    "not UTF-8": (b'{"people": [], "n": "\xff\xfe\xfa"}', "not UTF-8"),
    "a list": (b"[]", "no list of people"),
    "no people": (b'{"version": 1.3}', "no list of people"),
    "people is a number": (b'{"people": 3}', "no list of people"),
    "person is a number": (b'{"people": [3]}', "pose_keypoints_2d"),
    "person without points": (b'{"people": [{}]}', "pose_keypoints_2d"),
    "not a multiple of three": (b'{"people": [{"pose_keypoints_2d": [1, 2, 3, 4]}]}', "4 numbers"),
    "wrong number of points": (b'{"people": [{"pose_keypoints_2d": [1, 2, 3]}]}', "1 points"),
    "words": (b'{"people": [{"pose_keypoints_2d": ["a", "b", "c"]}]}', "not numbers"),
    "number beyond float64": (
        b'{"people": [{"pose_keypoints_2d": [1' + b"0" * 400 + b", 2, 3]}]}",
        "not numbers",
    ),
    "nested": (b"[" * 100_000, "not complete JSON"),
    "a folder": (None, "folder"),
}


@pytest.mark.parametrize("fault", BAD_DETECTIONS)
def test_a_broken_detection_file_costs_its_frame_only(tmp_path: Path, fault: str) -> None:
    root = write_recording(tmp_path / "trial")
    path = root / "pose" / "cam01_json" / "cam01_000002.json"
    content, cause = BAD_DETECTIONS[fault]
    path.unlink()
    if content is None:
        path.mkdir()
    else:
        path.write_bytes(content)
    recording = load_recording(recognise(root))
    (finding,) = [f for f in recording.findings if f.severity == "error"]
    assert_one_sentence(finding.message.replace(".json", ""), "cam01_000002")
    assert cause in finding.message
    assert finding.path == path
    seen = (recording.instances_score > 0).any(axis=(2, 3))
    assert seen[:, 0].tolist() == [True, True, False, True, True, True]
    assert seen[:, 1].all()


def _truncate_video(root: Path) -> None:
    path = root / "videos" / "cam01.mp4"
    path.write_bytes(path.read_bytes()[:100])


def _text_as_video(root: Path) -> None:
    (root / "videos" / "cam01.mp4").write_text("not a video")


def _empty_video(root: Path) -> None:
    (root / "videos" / "cam01.mp4").write_bytes(b"")


def _folder_as_video(root: Path) -> None:
    (root / "videos" / "cam01.mp4").unlink()
    (root / "videos" / "cam01.mp4").mkdir()


def _no_video(root: Path) -> None:
    (root / "videos" / "cam01.mp4").unlink()


def _no_detections(root: Path) -> None:
    shutil.rmtree(root / "pose" / "cam01_json")


def _uncalibrated_video(root: Path) -> None:
    shutil.copy(root / "videos" / "cam01.mp4", root / "videos" / "cam07.mp4")


def _second_calibration_broken(root: Path) -> None:
    (root / "calibration" / "A.toml").write_bytes(b"\xff\xff")


def _other_points(root: Path) -> None:
    for path in (root / "pose" / "cam01_json").iterdir():
        path.write_text('{"people": [{"pose_keypoints_2d": [1, 2, 3, 4, 5, 6]}]}')


def _no_numbers(root: Path) -> None:
    folder = root / "pose" / "cam01_json"
    (folder / "cam01_000000.json").rename(folder / "notes.json")


BAD_FOLDERS: dict[str, tuple[Callable[[Path], None], str, str]] = {
    "truncated video": (_truncate_video, "unreadable-video", "cam01.mp4"),
    "text as video": (_text_as_video, "unreadable-video", "cam01.mp4"),
    "empty video": (_empty_video, "unreadable-video", "cam01.mp4"),
    "folder as video": (_folder_as_video, "unreadable-video", "cam01.mp4"),
    "no video": (_no_video, "no-video", "cam_01"),
    "no detections": (_no_detections, "no-detections", "cam_01"),
    "uncalibrated video": (_uncalibrated_video, "no-camera", "cam07.mp4"),
    "broken second calibration": (_second_calibration_broken, "unreadable-calibration", "A.toml"),
    "unknown skeleton": (_other_points, "unknown-skeleton", "cam01_json"),
    "file without a number": (_no_numbers, "unnumbered-detections", "notes"),
}


def _load_with(fault: Callable[[Path], None], root: Path) -> LoadedRecording:
    write_recording(root)
    fault(root)
    return load_recording(recognise(root))


@pytest.mark.parametrize("fault", BAD_FOLDERS)
def test_a_fault_in_a_folder_is_named_and_the_rest_loads(tmp_path: Path, fault: str) -> None:
    change, code, name = BAD_FOLDERS[fault]
    recording = _load_with(change, tmp_path / "trial")
    found: list[Finding] = [f for f in recording.findings if f.code == code]
    assert len(found) == 1, recording.findings
    assert name in found[0].message
    assert_one_sentence(found[0].message, name)
    assert recording.n_frames == 6
    assert recording.cameras.names == ("cam_01", "cam_02")
    assert recording.video_sizes[1] == (640, 480)
    assert (recording.instances_score[:, 1] > 0).any(axis=(1, 2)).all()


def test_a_camera_left_out_leaves_the_other_views(tmp_path: Path) -> None:
    root = write_recording(tmp_path / "trial", n_cameras=3)
    table = calibration_table(3)
    del table["cam_02"]["matrix"]
    write_table(root / "calibration" / "Calib.toml", table)
    recording = load_recording(recognise(root))
    assert recording.cameras.names == ("cam_01", "cam_03")
    assert {"camera-left-out", "no-camera"} <= {f.code for f in recording.findings}


def test_an_empty_folder_and_a_missing_one(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.txt").write_text("x")
    for name in ("empty", "missing", "notes.txt"):
        with pytest.raises(UserError) as caught:
            recognise(tmp_path / name)
        assert_one_sentence(str(caught.value).replace("notes.txt", "notes"), name, "notes")


def test_without_a_calibration_the_plan_says_what_is_needed(tmp_path: Path) -> None:
    root = write_recording(tmp_path / "trial")
    shutil.rmtree(root / "calibration")
    plan = recognise(root)
    assert [f.code for f in plan.findings] == ["no-calibration"]
    assert [v.video.name for v in plan.views if v.video] == ["cam01.mp4", "cam02.mp4"]
    with pytest.raises(UserError, match=r"“trial” has no calibration, and 3D needs one"):
        load_recording(plan)


def test_nothing_readable_at_all(tmp_path: Path) -> None:
    root = write_recording(tmp_path / "trial")
    shutil.rmtree(root / "pose")
    for i in (1, 2):
        (root / "videos" / f"cam0{i}.mp4").write_bytes(b"")
    with pytest.raises(UserError, match=r"“trial” has no readable video and no readable"):
        load_recording(recognise(root))


def test_files_picked_by_hand_must_exist(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="needs at least one video"):
        plan_from_files([], None)
    with pytest.raises(UserError, match=r"“a\.mp4” does not exist\."):
        plan_from_files([tmp_path / "a.mp4"], None)
