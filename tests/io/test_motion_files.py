"""Motion files: values, gaps and units read back; what others wrote is understood or refused."""

from __future__ import annotations

import locale
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.data.errors import UserError
from pipeline.io.motion_files import (
    MotionTable,
    complete_rows,
    in_degrees,
    in_radians,
    read_motion,
    write_motion,
)


def table(**changes: object) -> MotionTable:
    rng = np.random.default_rng(3)
    values = rng.normal(0, 40, (50, 3))
    values[7, 1] = np.nan
    whole = MotionTable("Coordinates", np.arange(50) / 60, ("knee", "beta", "tx"), values, True)
    return replace(whole, **changes)


def test_what_is_written_reads_back(tmp_path: Path) -> None:
    path = tmp_path / "a.mot"
    write_motion(path, table())
    back = read_motion(path)
    assert (back.name, back.columns, back.in_degrees) == ("Coordinates", table().columns, True)
    np.testing.assert_allclose(back.values, table().values, rtol=1e-12)
    np.testing.assert_allclose(back.times, table().times, rtol=1e-12)
    assert np.isnan(back.values[7, 1])
    np.testing.assert_array_equal(back.column("beta"), back.values[:, 1])
    with pytest.raises(KeyError):
        back.column("none")


def test_only_rotational_columns_are_turned_into_radians() -> None:
    radians = in_radians(table(), {"knee", "not in the table"})
    assert not radians.in_degrees
    np.testing.assert_allclose(radians.values[:, 0], np.radians(table().values[:, 0]))
    np.testing.assert_array_equal(radians.values[:, 1:], table().values[:, 1:])
    again = in_degrees(radians, {"knee"})
    np.testing.assert_allclose(again.values, table().values)
    assert again.in_degrees
    assert in_radians(radians, {"knee"}) is radians
    assert in_degrees(again, {"knee"}) is again


@pytest.mark.parametrize(
    ("head", "degrees"),
    [
        ("Coordinates\nversion=1\nnRows=2\nnColumns=3\ninDegrees=yes\n\nUnits\n", True),
        ("Coordinates\nversion=1\nnRows=2\nnColumns=3\ninDegrees=no\n", False),
        ("inDegrees = yes\nDataType=double\nversion=3\nOpenSimVersion=4.6\n", True),
        ("old\ndatacolumns 3\ndatarows 2\nrange 0 1\n", False),
        ("\ufeffx\r\n", False),
    ],
)
@pytest.mark.parametrize("gap", ["\t", "  ", " \t "])
def test_headers_and_white_space_of_others(
    head: str, degrees: bool, gap: str, tmp_path: Path
) -> None:
    rows = (("time", "a", "b"), (" 0.0", "1.5", "nan"), ("0.1", "-2e-3", "NaN"))
    body = "".join(gap.join(row) + gap + "\n" for row in rows)
    path = tmp_path / "a.sto"
    path.write_text(f"{head}endheader\n\n{body}\n", encoding="utf-8")
    found = read_motion(path)
    assert (found.columns, found.in_degrees) == (("a", "b"), degrees)
    np.testing.assert_array_equal(found.times, [0, 0.1])
    np.testing.assert_array_equal(found.values, [[1.5, np.nan], [-0.002, np.nan]])


def test_rows_with_gaps_can_be_left_out() -> None:
    whole = complete_rows(table())
    np.testing.assert_array_equal(whole.times, np.delete(table().times, 7))
    assert np.isfinite(whole.values).all()


HEAD = "x\nnRows=2\nnColumns=3\nendheader\n"
BODY = "time\ta\tb\n0\t1\t2\n1\t3\t4\n"


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        ("", "it lacks the line 'endheader'"),
        ("time a\n0 1\n", "it lacks the line 'endheader'"),
        ("x\nendheader\n", "its first column is not time"),
        ("x\nendheader\na\tb\n1\t2\n", "its first column is not time"),
        ("x\nendheader\ntime\n1\n", "it has no columns"),
        ("x\nendheader\ntime\ta\n", "it has no rows"),
        (HEAD.replace("=2", "=5") + BODY, "promises 5 rows but has 2"),
        (HEAD.replace("=3", "=4") + BODY, "promises 4 columns but has 3"),
        (HEAD.replace("=3", "=x") + BODY, "its number of columns is 'x'"),
        (HEAD + BODY.replace("b", "a"), "it has the column a 2 times"),
        (HEAD + BODY.replace("1\t3", "0\t3"), "it has times that do not increase, at 0 s"),
        (HEAD + BODY.replace("1\t3", "nan\t3"), "it has a frame without a time"),
        (HEAD + BODY.replace("\t4", ""), "has 2 cells instead of 3 in the line of time 1"),
        (HEAD + BODY.replace("4", "4,5"), "no number in the line of time 1"),
        ("DataType=Vec3\nendheader\ntime\ta\n0\t1,2,3\n", "values of the kind vec3"),
    ],
)
def test_malformed_files(content: str, cause: str, tmp_path: Path) -> None:
    path = tmp_path / "a.mot"
    path.write_text(content)
    with pytest.raises(UserError) as caught:
        read_motion(path)
    assert cause in str(caught.value)
    assert str(path) in str(caught.value)
    assert str(caught.value).count(". ") == 0


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "binary.mot").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match="is not UTF-8 text"):
        read_motion(tmp_path / "binary.mot")
    with pytest.raises(UserError, match="cannot be read: no such file"):
        read_motion(tmp_path / "none.mot")


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({"columns": ("a", "a", "b")}, "has the column a 2 times"),
        ({"columns": ("a", "b c", "d")}, "has a column named 'b c'"),
        ({"times": np.zeros(50)}, "has times that do not increase"),
        ({"times": np.empty(0), "values": np.empty((0, 3))}, "has no rows"),
    ],
)
def test_nothing_unsound_is_written(changes: dict[str, object], cause: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=cause):
        write_motion(tmp_path / "a.mot", table(**changes))
    assert list(tmp_path.iterdir()) == []


def test_a_locale_with_decimal_commas_changes_nothing(tmp_path: Path) -> None:
    old = locale.setlocale(locale.LC_NUMERIC)
    for name in ("de_DE.UTF-8", "fr_FR.UTF-8", "de_DE", "fr_FR"):
        try:
            locale.setlocale(locale.LC_NUMERIC, name)
            break
        except locale.Error:
            continue
    else:
        pytest.skip("no locale with decimal commas is installed")
    try:
        write_motion(tmp_path / "a.mot", table())
        np.testing.assert_allclose(read_motion(tmp_path / "a.mot").values, table().values)
    finally:
        locale.setlocale(locale.LC_NUMERIC, old)


@pytest.mark.realdata
def test_opensims_motions_are_read_true(gait2354: Path, balancing_source: Path) -> None:
    gait = read_motion(gait2354 / "reference_subject01_walk1_ik.mot")
    assert gait.values.shape == (73, 23)
    assert gait.in_degrees
    assert gait.times[0] == 0.4
    assert gait.column("pelvis_tilt")[0] == 4.84455933
    stem = "S00_P00_T01_BalancingTrial_filt_butterworth_0-100_body25b.mot"
    flexible = read_motion(balancing_source / "reference" / stem)
    assert flexible.values.shape == (100, 62)
    # A coupled coordinate is in radians beside its degrees (ik_solver.md §6).
    radians = in_radians(flexible, set(flexible.columns) - {"knee_angle_r_beta"})
    np.testing.assert_allclose(
        radians.column("knee_angle_r_beta"), radians.column("knee_angle_r"), atol=2e-8
    )
