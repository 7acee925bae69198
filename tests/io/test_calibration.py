"""Calibration files: formats, conventions, units, distortion scale and round trips."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from pipeline.data.errors import UserError
from pipeline.io.calibration import (
    compare_distortion,
    read_calibration,
    write_calibration_toml,
)
from tests.io.recordings import calibration_table, looking_camera, write_table

QUALISYS = """<?xml version="1.0" encoding="ASCII"?>
<calibration><cameras>
<camera active="1" serial="26580" viewrotation="0" model="Miqus Video">
<fov_video left="{left}" top="{top}" right="{right}" bottom="{bottom}"/>
<transform x="1000" y="-3000" z="2000" r11="1" r12="0" r13="0"
 r21="0" r22="0" r23="1" r31="0" r32="-1" r33="0"/>
<intrinsic focallength="9.2" sensorMinU="0" sensorMaxU="122879" sensorMinV="0" sensorMaxV="69631"
 focalLengthU="64000" focalLengthV="64640" centerPointU="60800" centerPointV="35200" skew="0"
 radialDistortion1="-0.045" radialDistortion2="0.139" radialDistortion3="0.01"
 tangentalDistortion1="0.0006" tangentalDistortion2="-0.0004"/>
</camera>
<camera active="0" serial="1"/>
</cameras></calibration>"""


def _qualisys(path: Path, left: int = 0, top: int = 0) -> Path:
    path.write_text(QUALISYS.format(left=left, top=top, right=1919, bottom=1087))
    return path


def test_pose2sim_sections_are_read_with_all_their_coefficients(tmp_path: Path) -> None:
    path = write_table(tmp_path / "Calib.toml", calibration_table(2))
    calibration = read_calibration(path)
    assert [c.name for c in calibration.cameras] == ["cam_01", "cam_02"]
    assert calibration.format == "toml"
    assert calibration.findings == ()
    truth = looking_camera("cam_02", 1.5)
    camera = calibration.cameras[1]
    assert camera.size == (640, 480)
    np.testing.assert_array_equal(camera.distortion, truth.distortion)
    np.testing.assert_allclose(camera.centre, truth.centre, atol=1e-12)


@pytest.mark.parametrize("count", [4, 5, 8])
def test_coefficients_survive_reading_and_writing(tmp_path: Path, count: int) -> None:
    table = calibration_table(1)
    written = [0.1 / (i + 3) for i in range(count)]
    table["cam_01"]["distortions"] = written
    first = read_calibration(write_table(tmp_path / "a.toml", table))
    write_calibration_toml(tmp_path / "b.toml", first.cameras)
    second = read_calibration(tmp_path / "b.toml")
    assert first.cameras[0].distortion.tolist() == written
    assert second.cameras[0].distortion.tolist() == written


def test_round_trip_is_exact(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    cameras = []
    for i in range(20):
        rotation = cv2.Rodrigues(rng.normal(size=3) * 1.8)[0]
        camera = looking_camera(f"view {i}", 0.3 * i)
        cameras.append(replace(camera, rotation=rotation, translation=rng.normal(size=3)))
    write_calibration_toml(tmp_path / "c.toml", cameras)
    for before, after in zip(cameras, read_calibration(tmp_path / "c.toml").cameras, strict=True):
        assert after.name == before.name
        assert after.size == before.size
        np.testing.assert_array_equal(after.matrix, before.matrix)
        np.testing.assert_array_equal(after.distortion, before.distortion)
        np.testing.assert_array_equal(after.translation, before.translation)
        np.testing.assert_allclose(after.rotation, before.rotation, atol=1e-14)


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    path.write_text("precious")
    twins = [looking_camera("same", 0.0), looking_camera("same", 1.0)]
    with pytest.raises(UserError, match=r"c\.toml cannot hold two sections named same\."):
        write_calibration_toml(path, twins)
    assert path.read_text() == "precious"
    assert [p.name for p in tmp_path.iterdir()] == ["c.toml"]


@pytest.mark.skipif(os.name == "nt", reason="POSIX permissions")
def test_a_replaced_file_keeps_its_permissions(tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    path.write_text("old")
    path.chmod(0o600)
    write_calibration_toml(path, [looking_camera("a", 0.0)])
    assert path.stat().st_mode & 0o777 == 0o600


def test_writing_into_a_missing_folder_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"c\.toml could not be written: .* does not exist\.$"):
        write_calibration_toml(tmp_path / "none" / "c.toml", [looking_camera("a", 0.0)])


def test_rodrigues_and_matrix_rotations_are_the_same(tmp_path: Path) -> None:
    table = calibration_table(1)
    as_matrix = read_calibration(write_table(tmp_path / "a.toml", table)).cameras[0]
    vector = cv2.Rodrigues(np.array(table["cam_01"]["rotation"]))[0].ravel()
    table["cam_01"]["rotation"] = vector.tolist()
    as_vector = read_calibration(write_table(tmp_path / "b.toml", table)).cameras[0]
    np.testing.assert_allclose(as_vector.rotation, as_matrix.rotation, atol=1e-14)


def test_anipose_in_millimetres_becomes_metres_and_says_so(tmp_path: Path) -> None:
    table = {"cam_0": calibration_table(1)["cam_01"], "metadata": {"adjusted": True}}
    del table["cam_0"]["fisheye"]
    table["cam_0"]["name"] = "A"
    metres = table["cam_0"]["translation"]
    table["cam_0"]["translation"] = [1000 * v for v in metres]
    calibration = read_calibration(write_table(tmp_path / "calibration.toml", table))
    (camera,) = calibration.cameras
    assert camera.name == "A"
    np.testing.assert_allclose(camera.translation, metres, atol=1e-12)
    assert [f.code for f in calibration.findings] == ["units"]


def test_doubtful_unit_is_said_but_not_converted(tmp_path: Path) -> None:
    table = calibration_table(1)
    table["cam_01"]["translation"] = [0.0, 10.0, 50.0]
    calibration = read_calibration(write_table(tmp_path / "c.toml", table))
    assert calibration.cameras[0].translation.tolist() == [0.0, 10.0, 50.0]
    assert [f.code for f in calibration.findings] == ["units"]


def test_caliscope_names_cameras_by_number(tmp_path: Path) -> None:
    entries = calibration_table(2)
    table = {"cameras": {"3": entries["cam_01"], "12": entries["cam_02"]}}
    for entry in table["cameras"].values():
        del entry["name"]
        entry["rotation_count"] = 0
    calibration = read_calibration(write_table(tmp_path / "camera_array.toml", table))
    assert [c.name for c in calibration.cameras] == ["cam_3", "cam_12"]


def test_duplicate_names_are_told_apart(tmp_path: Path) -> None:
    table = calibration_table(2)
    table["cam_02"]["name"] = "cam_01"
    calibration = read_calibration(write_table(tmp_path / "c.toml", table))
    assert [c.name for c in calibration.cameras] == ["cam_01", "cam_02"]
    assert [f.code for f in calibration.findings] == ["duplicate-camera"]


def test_qualisys_units_and_frame(tmp_path: Path) -> None:
    calibration = read_calibration(_qualisys(tmp_path / "c.qca.txt"))
    (camera,) = calibration.cameras
    assert calibration.format == "qualisys"
    assert camera.name == "26580"
    assert camera.size == (1920, 1088)
    np.testing.assert_allclose(camera.matrix, [[1000, 0, 950], [0, 1010, 550], [0, 0, 1]])
    assert camera.distortion.tolist() == [-0.045, 0.139, 0.0006, -0.0004, 0.01]
    np.testing.assert_allclose(camera.centre, [1.0, -3.0, 2.0], atol=1e-15)
    # Standing at y = -3 m and looking along +y: what is ahead is in the middle, what is higher
    # is further up, what is at larger x is further right.
    pixels = cv2.projectPoints(
        np.array([[1.0, 2, 2], [1.0, 2, 3], [2.0, 2, 2]]),
        cv2.Rodrigues(camera.rotation)[0],
        camera.translation,
        camera.matrix,
        None,
    )[0][:, 0]
    np.testing.assert_allclose(pixels, [[950, 550], [950, 348], [1150, 550]], atol=1e-9)


def test_qualisys_crop_moves_the_principal_point(tmp_path: Path) -> None:
    (camera,) = read_calibration(_qualisys(tmp_path / "c.qca.xml", left=100, top=40)).cameras
    assert camera.size == (1820, 1048)
    np.testing.assert_allclose(camera.matrix[:2, 2], [850, 510])


def test_factor_64_between_two_files_is_a_warning(tmp_path: Path) -> None:
    qualisys = read_calibration(_qualisys(tmp_path / "c.qca.txt"))
    (camera,) = qualisys.cameras
    scaled = [replace(camera, distortion=camera.distortion[:4] / 64)]
    write_calibration_toml(tmp_path / "c.toml", scaled)
    toml = read_calibration(tmp_path / "c.toml")
    for pair in ((toml, qualisys), (qualisys, toml)):
        finding = compare_distortion(*pair)
        assert finding is not None
        assert (finding.severity, finding.code) == ("warning", "distortion-scale")
        assert finding.path == toml.path
    assert compare_distortion(qualisys, qualisys) is None
    for divisor in (2.0, 60.0, 70.0):
        another = [replace(camera, distortion=camera.distortion / divisor)]
        write_calibration_toml(tmp_path / "d.toml", another)
        assert compare_distortion(read_calibration(tmp_path / "d.toml"), qualisys) is None


def test_a_small_distortion_alone_is_only_a_remark(tmp_path: Path) -> None:
    table = calibration_table(1)
    for coefficients, codes in (
        ([-0.0007, 0.0021, 0.0, 0.0], ["distortion-scale"]),
        ([0.0, 0.0, 0.0, 0.0], []),
        ([-0.0007, 0.03, 0.0, 0.0], []),
        ([-0.05, 0.13, 0.0, 0.0], []),
    ):
        table["cam_01"]["distortions"] = coefficients
        calibration = read_calibration(write_table(tmp_path / "c.toml", table))
        assert [f.code for f in calibration.findings] == codes
        assert all(f.severity == "info" for f in calibration.findings)


@pytest.mark.realdata
def test_both_files_of_the_real_recording_agree(balancing: Path) -> None:
    toml = read_calibration(balancing / "calibration" / "Calib_qualisys.toml")
    qualisys = read_calibration(balancing / "calibration" / "Calib.qca.txt")
    assert [c.name for c in toml.cameras] == [c.name for c in qualisys.cameras]
    for a, b in zip(toml.cameras, qualisys.cameras, strict=True):
        assert a.size == b.size == (1088, 1920)
        np.testing.assert_allclose(a.matrix, b.matrix, rtol=0, atol=1e-9)
        np.testing.assert_allclose(a.rotation, b.rotation, rtol=0, atol=1e-12)
        np.testing.assert_allclose(a.centre, b.centre, rtol=0, atol=1e-12)
        np.testing.assert_allclose(64 * a.distortion, b.distortion[:4], rtol=1e-12)
    finding = compare_distortion(toml, qualisys)
    assert finding is not None
    assert finding.path == toml.path
