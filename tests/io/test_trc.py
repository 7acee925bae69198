"""TRC files: what is written reads back; what others wrote is understood or refused in words."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline.data.errors import UserError
from pipeline.io.export import export
from pipeline.io.opening import open_in_memory
from pipeline.io.trc import read_trc
from tests.data.recordings import N_FRAMES
from tests.io.exports import FIRST_FRAMES, corrected_sequence, request

BODY = {
    *("RHip", "RKnee", "RAnkle", "RBigToe", "RSmallToe", "RHeel", "LHip", "LKnee", "LAnkle"),
    *("LBigToe", "LSmallToe", "LHeel", "Neck", "Head", "Nose"),
    *("RShoulder", "RElbow", "RWrist", "LShoulder", "LElbow", "LWrist"),
}
LABELS = (
    "DataRate CameraRate NumFrames NumMarkers Units OrigDataRate OrigDataStartFrame OrigNumFrames"
)
REFERENCE = "reference/S00_P00_T01_BalancingTrial_0-100.trc"


def lines_of(path: Path) -> list[list[str]]:
    return [line.split("\t") for line in path.read_text().split("\n")]


def test_the_points_of_a_sequence_read_back(tmp_path: Path) -> None:
    sequence, path = corrected_sequence(), tmp_path / "walk.trc"
    export(request(path, "trc", sequence=sequence))
    trc = read_trc(path)
    xyz = sequence.read("points3d.xyz", slice(*FIRST_FRAMES), 0)
    here = np.isfinite(xyz[..., 0]).any(axis=0)
    assert not here[36]
    assert trc.names == tuple(np.array(sequence.info.skeleton.markers)[here])
    np.testing.assert_allclose(trc.xyz, xyz[:, here], rtol=0, atol=1e-6)
    assert trc.rate == sequence.info.fps
    np.testing.assert_allclose(trc.times, np.arange(12) / 59.94005994, atol=1e-9)
    placed = trc.names.index(sequence.info.skeleton.markers[4])
    np.testing.assert_allclose(trc.xyz[4, placed], (0.123456, -1.5, 2.25), atol=1e-6)


def test_layout(tmp_path: Path) -> None:
    path = tmp_path / "walk.trc"
    export(request(path, "trc", frames=(3, 6)))
    lines = lines_of(path)
    n = int(lines[2][3])
    assert lines[0] == ["PathFileType", "4", "(X/Y/Z)", "walk.trc", "triangulated points"]
    assert " ".join(lines[1]) == LABELS
    rate = "59.94005994"
    assert lines[2] == [rate, rate, "3", str(n), "m", rate, "1", str(N_FRAMES)]
    assert lines[3][:5] == ["Frame#", "Time", "Nose", "", ""]
    assert lines[4][:5] == ["", "", "X1", "Y1", "Z1"]
    assert lines[4][-1] == f"Z{n}"
    assert [line[0] for line in lines[5:8]] == ["4", "5", "6"]
    assert float(lines[5][1]) == pytest.approx(3 / 59.94005994, abs=1e-9)
    assert {len(line) for line in lines[3:8]} == {2 + 3 * n}
    assert lines[8:] == [[""]]


def test_missing_markers_are_words_that_opensim_and_numpy_read(tmp_path: Path) -> None:
    path, sequence = tmp_path / "gaps.trc", corrected_sequence()
    last = sequence.n_keypoints - 2  # the last one has no point in any frame
    absent = [(1, view, last) for view in range(sequence.n_views)]
    sequence.apply(sequence.patch("manual2d.flags", absent, 2, 0))
    export(request(path, "trc", sequence=sequence))
    assert lines_of(path)[6][-3:] == ["nan"] * 3
    read = read_trc(path).xyz
    assert np.isnan(read[1, -1]).all()
    assert np.isfinite(read[:, -1]).any()
    np.testing.assert_array_equal(np.loadtxt(path, skiprows=5)[:, 2:], read.reshape(len(read), -1))


def test_nobody_in_3d(tmp_path: Path) -> None:
    sequence = corrected_sequence()
    index = np.indices((12, 3, 37)).reshape(3, -1).T
    sequence.apply(sequence.patch("manual2d.flags", index, 2, 0))
    sequence.apply(sequence.patch("manual3d.xyz", [(4, 4)], np.nan, 0))
    with pytest.raises(UserError, match=r"person 1 of “small” has no 3D points in these frames\.$"):
        export(request(tmp_path / "walk.trc", "trc", sequence=sequence))
    assert list(tmp_path.iterdir()) == []


HEADER = (
    "PathFileType\t4\t(X/Y/Z)\tx.trc\n"
    "DataRate\tCameraRate\tNumFrames\tNumMarkers\tUnits\tOrigDataRate\tOrigDataStartFrame\t"
    "OrigNumFrames\n"
    "100\t100\t2\t2\tmm\t100\t1\t2\n"
    "Frame#\tTime\tA\t\t\tB\t\t\t\n"
    "\t\tX1\tY1\tZ1\tX2\tY2\tZ2\n"
)
ROWS = "1\t0.00\t1000\t2000\t3000\t\t\t\n2\t0.01\t1\t2\t3\t4\t5\t6\n"


@pytest.mark.parametrize(
    "text",
    [
        HEADER + ROWS,
        HEADER + "\n" + ROWS,  # a blank line after the header, as motion capture software has
        HEADER + ROWS.replace("\t\t\t\n", "\n"),  # stripped by an editor
        HEADER + ROWS.replace("\t\t\t\n", "\tNaN\tnan\tNAN\n"),
        HEADER + ROWS.replace("\n", "\t\n"),  # as OpenSim itself writes
        ("\ufeff" + HEADER + ROWS).replace("\n", "\r\n"),
    ],
)
def test_what_others_write(text: str, tmp_path: Path) -> None:
    path = tmp_path / "x.trc"
    path.write_bytes(text.encode())
    trc = read_trc(path)
    nan = np.nan
    expected = [[[1, 2, 3], [nan, nan, nan]], [[0.001, 0.002, 0.003], [0.004, 0.005, 0.006]]]
    np.testing.assert_allclose(trc.xyz, expected)
    assert trc.names == ("A", "B")
    assert trc.rate == 100
    np.testing.assert_allclose(trc.times, [0, 0.01])


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        (b"", "it lacks the five header lines"),
        (b"a,b\n1,2\n" * 9, "it lacks the five header lines"),
        (b"PathFileType\xff", "it is not UTF-8 text"),
        ((HEADER + ROWS).replace("\tmm\t", "\tinches\t").encode(), "has lengths in inches"),
        ((HEADER + ROWS).replace("\t2\tmm", "\t3\tmm").encode(), "promises 3 markers but names 2"),
        ((HEADER + ROWS).replace("100\t100\t2", "100\t100\t7").encode(), "promises 7 frames but"),
        ((HEADER + ROWS).replace("100\t100\t2", "100\t100\tx").encode(), "NumFrames is missing or"),
        ((HEADER + ROWS).replace("DataRate\tCam", "Rate\tCam").encode(), "DataRate is missing or"),
        (
            (HEADER + ROWS).replace("2\t3\t4", "2\tx\t4").encode(),
            "no number in the line of frame 2",
        ),
        ((HEADER + ROWS)[:-4].encode(), "has 6 cells instead of 8 in the line of frame 2"),
        ((HEADER + ROWS.replace("6\n", "6\t7\n")).encode(), "has 9 cells instead of 8"),
    ],
)
def test_malformed_files(text: bytes, cause: str, tmp_path: Path) -> None:
    path = tmp_path / "x.trc"
    path.write_bytes(text)
    with pytest.raises(UserError) as caught:
        read_trc(path)
    assert str(path) in str(caught.value)
    assert cause in str(caught.value)
    assert str(caught.value).count(". ") == 0


def test_missing_file_and_folder(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none.trc"):
        with pytest.raises(UserError, match=f"{path} cannot be read: "):
            read_trc(path)


@pytest.mark.realdata
def test_real_recording_agrees_with_pose2sim(
    balancing: Path, balancing_source: Path, tmp_path: Path
) -> None:
    reference = read_trc(balancing_source / REFERENCE)
    assert set(reference.names) == BODY
    sequence, _ = open_in_memory(balancing)
    path = tmp_path / "b.trc"
    export(request(path, "trc", sequence=sequence, frames=None))
    ours = read_trc(path)
    assert set(ours.names) >= BODY
    assert ours.rate == reference.rate == 60
    assert len(ours.times) == len(reference.times)

    def distances(marker: str) -> np.ndarray:
        a, b = ours.names.index(marker), reference.names.index(marker)
        return np.linalg.norm(ours.xyz[:, a] - reference.xyz[:, b], axis=-1)

    pelvis = np.concatenate([distances("RHip"), distances("LHip")])
    assert np.nanmedian(pelvis) < 0.1
    # Axes: Y is up, so that the head is above the heels in both.
    for trc in (ours, reference):
        head, heel = trc.names.index("Head"), trc.names.index("LHeel")
        assert np.nanmedian(trc.xyz[:, head, 1] - trc.xyz[:, heel, 1]) > 1.3
