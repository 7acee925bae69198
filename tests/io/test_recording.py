"""Recognising and loading recordings: layouts, names, time axes, the real one."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.data.camera import WORLD_FROM_UP, SyncMap
from pipeline.data.errors import UserError
from pipeline.data.skeleton import project_skeleton
from pipeline.io.name_matching import match_names
from pipeline.io.recording import (
    load_recording,
    plan_from_files,
    recognise,
    with_calibration,
)
from tests.io.recordings import (
    calibration_table,
    looking_camera,
    write_people,
    write_recording,
    write_table,
    write_video,
)


def _codes(findings: object) -> list[str]:
    return [f.code for f in findings]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("cameras", "videos", "index", "by_order"),
    [
        (["cam_01", "cam_02"], ["Cam2", "cam1"], (1, 0), ()),
        (["cam_1", "cam_11"], ["cam11", "cam1"], (1, 0), ()),
        (["54138969", "55011271"], ["S1_Walking.55011271", "S1_Walking.54138969"], (1, 0), ()),
        (["int_cam1_img", "int_cam2_img"], ["cam01", "cam02"], (0, 1), ()),
        (["cam_01", "cam_02"], ["GoPro2_take3", "GoPro1_take3"], (1, 0), ()),
        (["left", "right"], ["GX10", "GX9"], (1, 0), (0, 1)),
        (["left", "right"], ["GX10"], (None, None), ()),
        (["cam_01", "cam_02", "cam_03"], ["cam03", "cam01"], (1, None, 0), ()),
        (["cam_01", "cam_02"], ["cam01_json", "cam02_json"], (0, 1), ()),
    ],
)
def test_names_are_matched(
    cameras: list[str], videos: list[str], index: tuple[int | None, ...], by_order: tuple[int, ...]
) -> None:
    match = match_names(cameras, videos)
    assert match.index == index
    assert match.by_order == by_order


def test_a_pose2sim_project_is_opened(tmp_path: Path) -> None:
    root = write_recording(tmp_path / "trial")
    plan = recognise(root)
    assert plan.name == "trial"
    assert plan.up == "z"
    assert [v.camera for v in plan.views] == ["cam_01", "cam_02"]
    recording = load_recording(plan)
    assert recording.n_frames == 6
    assert recording.fps == pytest.approx(50)
    assert recording.video_sizes == ((640, 480), (640, 480))
    assert recording.syncs == (SyncMap(n_frames=6),) * 2
    assert recording.instances_xy.shape == (6, 2, 1, 37, 2)
    assert set(_codes(recording.findings)) == {"skeleton"}
    # A Z-up world 1 m below the camera becomes Y-up.
    truth = WORLD_FROM_UP["z"] @ looking_camera("cam_01", 0.0).centre
    np.testing.assert_allclose(recording.cameras[0].centre, truth, atol=1e-12)
    assert recording.cameras[0].centre[1] == pytest.approx(1.0)
    # The figure moves one pixel to the right per frame.
    nose = project_skeleton().index("nose")
    steps = np.diff(recording.instances_xy[:, 1, 0, nose, 0])
    np.testing.assert_allclose(steps, 1.0, atol=1e-4)


@pytest.mark.parametrize("inside", ["calibration/Calib.toml", "videos/cam02.mp4"])
def test_a_file_inside_stands_for_its_recording(tmp_path: Path, inside: str) -> None:
    root = write_recording(tmp_path / "trial")
    plan = recognise(root / inside)
    assert plan.root == root
    assert len(plan.views) == 2


def test_the_old_pose2sim_layout(tmp_path: Path) -> None:
    root = write_recording(tmp_path / "old")
    (root / "videos").rename(root / "raw-2d")
    (root / "calibration").rename(root / "calib-2d")
    (root / "pose").rename(root / "pose-2d")
    plan = recognise(root)
    assert all(v.video is not None and v.detections is not None for v in plan.views)
    assert plan.calibration == root / "calib-2d" / "Calib.toml"


def test_the_calibration_of_a_session_serves_its_trials(tmp_path: Path) -> None:
    trial = write_recording(tmp_path / "session" / "participant" / "trial")
    (trial / "calibration").rename(tmp_path / "session" / "calibration")
    assert recognise(trial).calibration == tmp_path / "session" / "calibration" / "Calib.toml"


def test_a_plain_folder_of_videos(tmp_path: Path) -> None:
    write_table(tmp_path / "a" / "cameras.toml", calibration_table(2))
    write_table(tmp_path / "a" / "Config.toml", {"project": {"frame_rate": 60}})
    for i in (1, 2):
        write_video(tmp_path / "a" / f"cam{i}.mp4", 3)
    recording = load_recording(recognise(tmp_path / "a"))
    assert recording.n_frames == 3
    assert recording.instances_xy.shape == (3, 2, 0, 37, 2)
    assert recording.findings == ()


def test_pose_overlays_and_board_videos_are_no_views(tmp_path: Path) -> None:
    root = write_recording(tmp_path / "trial")
    shutil.copy(root / "videos" / "cam01.mp4", root / "pose" / "cam01_pose.mp4")
    (root / "calibration" / "intrinsics").mkdir()
    shutil.copy(root / "videos" / "cam01.mp4", root / "calibration" / "intrinsics" / "board.mp4")
    assert _codes(recognise(root).findings) == []


def test_files_picked_by_hand(tmp_path: Path) -> None:
    root = write_recording(tmp_path / "trial")
    other = write_video(tmp_path / "elsewhere" / "cam02.mp4", 6)
    plan = plan_from_files(
        [root / "videos" / "cam01.mp4", other],
        root / "calibration" / "Calib.toml",
        [root / "pose" / "cam01_json"],
    )
    assert plan.root == tmp_path
    assert [v.detections is not None for v in plan.views] == [True, False]
    assert load_recording(plan).n_frames == 6


def test_matching_by_order_is_said(tmp_path: Path) -> None:
    root = write_recording(tmp_path / "trial")
    for i, name in ((1, "front"), (2, "side")):
        (root / "videos" / f"cam0{i}.mp4").rename(root / "videos" / f"{name}.mp4")
    (finding,) = recognise(root).findings
    assert finding.code == "matched-by-order"
    assert "front.mp4 to cam_01, side.mp4 to cam_02" in finding.message


def test_detections_alone_are_a_recording(tmp_path: Path) -> None:
    root = write_recording(tmp_path / "trial")
    shutil.rmtree(root / "videos")
    recording = load_recording(recognise(root))
    assert recording.n_frames == 6
    assert recording.video_sizes == (None, None)
    assert [s.n_frames for s in recording.syncs] == [0, 0]
    assert (recording.instances_score > 0).any(axis=(2, 3)).all()


def test_a_view_that_starts_late_is_not_shifted(tmp_path: Path) -> None:
    root = write_recording(tmp_path / "trial", n_frames=6)
    for view in (1, 2):
        folder = root / "pose" / f"cam0{view}_json"
        for frame in range(6):
            (folder / f"cam0{view}_{frame:06d}.json").rename(folder / f"f_{frame + 500}.json")
    for number in (500, 501):
        (root / "pose" / "cam02_json" / f"f_{number}.json").unlink()
    recording = load_recording(recognise(root))
    seen = (recording.instances_score > 0).any(axis=(2, 3))
    assert seen[:, 0].tolist() == [True] * 6
    assert seen[:, 1].tolist() == [False] * 2 + [True] * 4


def test_half_the_frame_rate_shares_the_time_axis(tmp_path: Path) -> None:
    root = write_recording(tmp_path / "trial", n_frames=6)
    write_video(root / "videos" / "cam02.mp4", 3, fps=25)
    for frame in (3, 4, 5):
        (root / "pose" / "cam02_json" / f"cam02_{frame:06d}.json").unlink()
    recording = load_recording(recognise(root))
    assert recording.n_frames == 6
    assert recording.syncs[1] == SyncMap(rate=0.5, n_frames=3)
    assert {"fps-mismatch", "frame-count-mismatch"} <= set(_codes(recording.findings))
    nose = project_skeleton().index("nose")
    x = recording.instances_xy[:, 1, 0, nose, 0]
    expected = [recording.syncs[1].video_frame(t) for t in range(6)]
    steps = [None if np.isnan(v) else round(float(v - x[0])) for v in x]
    assert steps == expected


def test_a_wrong_rate_in_a_header_is_reported_not_believed(tmp_path: Path) -> None:
    root = write_recording(tmp_path / "trial", n_frames=6)
    write_video(root / "videos" / "cam02.mp4", 6, fps=25)
    recording = load_recording(recognise(root))
    assert recording.syncs[1].rate == 1.0
    assert _codes(recording.findings).count("fps-mismatch") == 1


def test_a_shifted_view_follows_its_sync(tmp_path: Path) -> None:
    plan = recognise(write_recording(tmp_path / "trial", n_frames=6))
    first, second = plan.views
    shifted = replace(plan, views=(first, replace(second, sync=SyncMap(offset=2))))
    recording = load_recording(shifted)
    assert recording.syncs[1] == SyncMap(offset=2, n_frames=6)
    nose = project_skeleton().index("nose")
    x = recording.instances_xy[:, :, 0, nose, 0]
    np.testing.assert_allclose(x[:4, 1] - x[:4, 0], 2.0, atol=1e-4)
    assert np.isnan(x[4:, 1]).all()


def test_several_people_are_named_by_view(tmp_path: Path) -> None:
    root = write_recording(tmp_path / "trial")
    person = np.tile([300.0, 200.0, 0.9], (26, 1)) + np.arange(26)[:, np.newaxis]
    write_people(root / "pose" / "cam02_json" / "cam02_000003.json", [person, person + 40])
    recording = load_recording(recognise(root))
    (finding,) = [f for f in recording.findings if f.code == "several-people"]
    assert finding.message == "There are several people at once in cam_02 (2)."


def test_another_calibration_can_be_taken(tmp_path: Path) -> None:
    root = write_recording(tmp_path / "trial")
    table = calibration_table(2)
    table["cam_01"]["size"] = [320, 240]
    other = write_table(root / "calibration" / "Other.toml", table)
    plan = recognise(root)
    assert plan.alternatives == (other,)
    assert "calibration-alternative" in _codes(plan.findings)
    changed = with_calibration(plan, other)
    assert changed.alternatives == (root / "calibration" / "Calib.toml",)
    assert changed.views == plan.views
    assert "size-mismatch" in _codes(load_recording(changed).findings)
    assert recognise(other).calibration == other
    with pytest.raises(UserError, match=r"One\.toml has no camera named cam_02\."):
        with_calibration(plan, write_table(tmp_path / "One.toml", calibration_table(1)))


@pytest.mark.realdata
def test_the_real_recording(balancing: Path) -> None:
    plan = recognise(balancing)
    assert [v.camera for v in plan.views] == ["cam_01", "cam_02", "cam_03", "cam_04"]
    assert [v.video.name for v in plan.views if v.video] == [f"cam0{i}.mp4" for i in range(1, 5)]
    assert plan.calibration is not None
    assert plan.calibration.name == "Calib_qualisys.toml"
    assert [p.name for p in plan.alternatives] == ["Calib.qca.txt"]
    scale = [f for f in plan.findings if f.code == "distortion-scale"]
    assert [f.severity for f in scale] == ["warning"]
    recording = load_recording(plan)
    assert recording.n_frames == 100
    assert recording.fps == pytest.approx(60)
    sizes = [f for f in recording.findings if f.code == "size-mismatch"]
    assert [f.path.name for f in sizes if f.path] == ["cam01.mp4", "cam02.mp4"]
    assert "1080×1920" in sizes[0].message
    assert "1088×1920" in sizes[0].message
    (people,) = [f for f in recording.findings if f.code == "several-people"]
    assert "cam_01" in people.message
    assert "cam_02" in people.message
    assert "cam_03" not in people.message
    # BODY_25B's 25 points but eyes and ears are the body's 21 markers, each seen by two views.
    eyes_and_ears = {"left_eye", "right_eye", "left_ear", "right_ear"}
    seen = (recording.instances_score > 0.3).any(axis=2).sum(axis=1) >= 2
    body = [
        name
        for name, often in zip(project_skeleton().names, seen.mean(axis=0), strict=True)
        if often > 0.9 and name not in eyes_and_ears
    ]
    assert len(body) == 21
    heights = [camera.centre[1] for camera in recording.cameras]
    assert min(heights) > 1.5
    assert max(heights) < 2.5


@pytest.mark.realdata
def test_both_real_calibrations_can_be_loaded(balancing: Path) -> None:
    plan = recognise(balancing)
    qualisys = load_recording(with_calibration(plan, plan.alternatives[0]))
    toml = load_recording(plan)
    for a, b in zip(toml.cameras, qualisys.cameras, strict=True):
        for part in ("matrix", "rotation", "translation"):
            np.testing.assert_allclose(getattr(a, part), getattr(b, part), atol=1e-9)
        np.testing.assert_allclose(64 * a.distortion, b.distortion[:4], rtol=1e-9)
