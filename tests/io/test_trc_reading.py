"""TRC files of other programs: units, gaps, names and times are read true or refused in words."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline.data.errors import UserError
from pipeline.io.trc import Trc, read_trc, write_trc

LABELS = "DataRate CameraRate NumFrames NumMarkers Units OrigDataRate OrigDataStartFrame"
NAN = np.nan


def text(
    units: str = "mm",
    rows: str = "1\t0.00\t1000\t2000\t3000\t0\t0\t0\n2\t0.01\t1\t2\t3\t4\t\t6\n",
    rate: str = "100",
    names: tuple[str, str] = ("A", "B"),
    label_tabs: str = "\t",
    value_tabs: str = "\t",
) -> str:
    labels = label_tabs.join([*LABELS.split(), "OrigNumFrames"])
    values = value_tabs.join([rate, rate, "2", "2", units, rate, "1", "2"])
    return (
        f"PathFileType\t4\t(X/Y/Z)\tx.trc\n{labels}\n{values}\n"
        f"Frame#\tTime\t{names[0]}\t\t\t{names[1]}\t\t\t\n\t\tX1\tY1\tZ1\tX2\tY2\tZ2\n\n{rows}"
    )


def read(tmp_path: Path, content: str, **options: bool) -> Trc:
    path = tmp_path / "x.trc"
    path.write_text(content)
    return read_trc(path, **options)


@pytest.mark.parametrize(("units", "metres"), [("mm", 1.0), ("cm", 10.0), ("m", 1000.0)])
@pytest.mark.parametrize("tabs", [("\t", "\t"), ("\t", "\t\t"), ("\t\t", "\t"), ("  ", "\t")])
def test_units_are_found_wherever_tabs_have_moved_them(
    units: str, metres: float, tabs: tuple[str, str], tmp_path: Path
) -> None:
    trc = read(tmp_path, text(units, label_tabs=tabs[0], value_tabs=tabs[1]))
    np.testing.assert_allclose(trc.xyz[0, 0], np.array([1, 2, 3]) * metres)
    assert trc.rate == 100


def test_units_with_an_empty_cell_before_them(tmp_path: Path) -> None:
    shifted = text("mm").replace("2\t2\tmm\t", "2\t2\t\tmm\t")
    assert read(tmp_path, shifted).xyz[0, 0, 0] == 1.0
    lacking = text("mm").replace("100\t100\t2\t2\tmm\t100", "100\t\t2\t2\tmm\t100")
    assert read(tmp_path, lacking).xyz[0, 0, 0] == 1.0


def test_a_marker_that_lacks_one_number_is_missing_whole(tmp_path: Path) -> None:
    np.testing.assert_array_equal(read(tmp_path, text()).xyz[1, 1], [NAN] * 3)


def test_zeros_are_gaps_only_when_asked(tmp_path: Path) -> None:
    np.testing.assert_array_equal(read(tmp_path, text()).xyz[0, 1], [0, 0, 0])
    asked = read(tmp_path, text(), zeros_are_missing=True)
    np.testing.assert_array_equal(asked.xyz[0, 1], [NAN] * 3)
    np.testing.assert_array_equal(asked.xyz[0, 0], [1, 2, 3])


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        (text(names=("A", "A")), "it has the marker A 2 times"),
        (text(rate="50"), "it says 50 frames per second while its times say 100"),
        (text().replace("\t0.01\t", "\t0.00\t"), "it has times that do not increase, at 0 s"),
        (text().replace("\t0.01\t", "\t\t"), "it has a frame without a time"),
        (text().replace("1000", "1000,5"), "something that is no number in the line of frame 1"),
    ],
)
def test_refused(content: str, cause: str, tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        read(tmp_path, content)
    assert cause in str(caught.value)
    assert str(tmp_path / "x.trc") in str(caught.value)


def test_times_rounded_to_milliseconds_and_left_out_frames_are_no_other_rate(
    tmp_path: Path,
) -> None:
    times = np.delete(np.round(np.arange(40) / 60, 3), [7, 8, 20])
    path = tmp_path / "x.trc"
    write_trc(path, Trc(("A",), times, np.ones((37, 1, 3)), 60.0))
    assert read_trc(path).rate == 60


def test_what_is_written_reads_back(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    xyz = rng.normal(0, 2, (25, 3, 3))
    xyz[4, 1] = NAN
    xyz[:, 2] = NAN
    trc = Trc(("R.ASIS", "C7 spinous", "none"), 3 + np.arange(25) / 59.94, xyz, 59.94)
    path = tmp_path / "x.trc"
    write_trc(path, trc, "virtual markers", first_number=4)
    back = read_trc(path)
    assert back.names == trc.names
    assert back.rate == trc.rate
    np.testing.assert_allclose(back.times, trc.times, rtol=0, atol=1e-9)
    np.testing.assert_allclose(back.xyz, trc.xyz, rtol=0, atol=5.1e-7)
    assert path.read_text().splitlines()[5].startswith("4\t3.0")
    assert [one.name for one in tmp_path.iterdir()] == ["x.trc"]


@pytest.mark.parametrize(
    ("trc", "cause"),
    [
        (Trc(("A", "A"), np.arange(2) / 10, np.ones((2, 2, 3)), 10), "has the marker A 2 times"),
        (Trc((), np.arange(2) / 10, np.ones((2, 0, 3)), 10), "has no markers"),
        (Trc(("A\tB",), np.arange(2) / 10, np.ones((2, 1, 3)), 10), "has a marker named"),
        (Trc(("A",), np.zeros(2), np.ones((2, 1, 3)), 10), "has times that do not increase"),
        (Trc(("A",), np.arange(2) / 10, np.ones((2, 1, 3)), 20), "says 20 frames per second"),
        (Trc(("A",), np.empty(0), np.ones((0, 1, 3)), 10), "has no frames"),
    ],
)
def test_nothing_unsound_is_written(trc: Trc, cause: str, tmp_path: Path) -> None:
    path = tmp_path / "x.trc"
    path.write_text("before")
    with pytest.raises(UserError, match=cause):
        write_trc(path, trc)
    assert path.read_text() == "before"


@pytest.mark.realdata
def test_opensims_example_is_read_in_metres(gait2354: Path) -> None:
    trc = read_trc(gait2354 / "subject01_walk1.trc")
    assert trc.xyz.shape == (151, 41, 3)
    assert trc.rate == 60
    # First line of the file: R.ASIS at 617.247620 1055.275020 170.781980 mm.
    np.testing.assert_allclose(trc.xyz[0, 0], [0.61724762, 1.05527502, 0.17078198])
    assert 1.6 < trc.xyz[:, trc.names.index("Top.Head"), 1].mean() < 1.9  # Y is up


@pytest.mark.realdata
def test_pose2sims_markers_are_read_in_metres(balancing_source: Path) -> None:
    name = "S00_P00_T01_BalancingTrial_0-100_filt_butterworth.trc"
    trc = read_trc(balancing_source / "reference" / name)
    assert trc.xyz.shape == (100, 21, 3)
    np.testing.assert_allclose(trc.times[[0, -1]], [1 / 60, 100 / 60], atol=1e-9)
    assert trc.xyz[0, 0, 1] == 0.901513220141693
    head = trc.xyz[:, trc.names.index("Head"), 1]
    assert (head > trc.xyz[:, trc.names.index("RHip"), 1]).all()  # Y is up
