"""What we write, OpenSim loads and says the same."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.io.motion_files import (
    MotionTable,
    complete_rows,
    in_degrees,
    read_motion,
    write_motion,
)
from pipeline.io.opensim_setups import ModelMarker, read_ik_setup, write_ik_setup, write_marker_set
from pipeline.io.scale_setups import read_scale_setup, write_scale_setup
from pipeline.io.trc import Trc, write_trc

pytestmark = pytest.mark.opensim


@pytest.fixture(scope="module")
def osim() -> Any:
    from pipeline.simulation.opensim_api import osim

    return osim


def test_a_trc(tmp_path: Path, osim: Any) -> None:
    xyz = np.random.default_rng(0).normal(0, 2, (30, 3, 3))
    xyz[4, 1] = np.nan
    xyz[9:12, 2] = np.nan
    trc = Trc(("R.ASIS", "Neck_02", "C 7"), 2 + np.arange(30) / 60, xyz, 60.0)
    write_trc(tmp_path / "a b.trc", trc)
    table = osim.TimeSeriesTableVec3(str(tmp_path / "a b.trc"))
    assert tuple(table.getColumnLabels()) == trc.names
    np.testing.assert_allclose(table.getIndependentColumn(), trc.times, atol=1e-9)
    assert table.getTableMetaDataString("Units") == "m"
    for frame in range(30):
        row = table.getRowAtIndex(frame)
        found = [row[k].to_numpy() for k in range(3)]
        np.testing.assert_allclose(found, xyz[frame], atol=5.1e-7)
    markers = osim.MarkersReference(str(tmp_path / "a b.trc"), osim.SetMarkerWeights())
    assert markers.getNumRefs() == 3


@pytest.mark.parametrize("suffix", [".mot", ".sto"])
def test_a_motion(suffix: str, tmp_path: Path, osim: Any) -> None:
    values = np.random.default_rng(1).normal(0, 1, (40, 2))
    values[3, 1] = np.nan
    path = tmp_path / f"a{suffix}"
    radians = MotionTable("Coordinates", np.arange(40) / 30, ("knee_r", "tx"), values, False)
    write_motion(path, in_degrees(radians, {"knee_r"}))
    table = osim.TimeSeriesTable(str(path))
    assert tuple(table.getColumnLabels()) == ("knee_r", "tx")
    assert table.getTableMetaDataString("inDegrees") == "yes"
    np.testing.assert_allclose(table.getIndependentColumn(), radians.times, atol=1e-12)
    found = table.getMatrix().to_numpy()
    np.testing.assert_allclose(np.radians(found[:, 0]), values[:, 0], rtol=1e-11)
    np.testing.assert_allclose(found[:, 1], values[:, 1], rtol=1e-11)
    assert osim.Storage(str(path)).getSize() == 4  # it stops at the first gap
    write_motion(path, complete_rows(in_degrees(radians, {"knee_r"})))
    storage = osim.Storage(str(path))
    assert storage.isInDegrees()
    assert storage.getSize() == 39


def test_what_opensim_writes_is_read(tmp_path: Path, osim: Any) -> None:
    table = osim.TimeSeriesTable()
    table.setColumnLabels(["a", "b"])
    rows = np.random.default_rng(2).normal(0, 1, (5, 2))
    rows[2, 0] = np.nan
    for i, row in enumerate(rows):
        table.appendRow(i / 7, osim.RowVector.createFromMat(row))
    table.addTableMetaDataString("inDegrees", "yes")
    osim.STOFileAdapter.write(table, str(tmp_path / "a.sto"))
    back = read_motion(tmp_path / "a.sto")
    assert back.columns == ("a", "b")
    assert back.in_degrees
    np.testing.assert_allclose(back.values, rows, rtol=1e-12)
    np.testing.assert_allclose(back.times, np.arange(5) / 7, rtol=1e-12)


def test_a_marker_set(tmp_path: Path, osim: Any) -> None:
    write_marker_set(
        tmp_path / "k.xml",
        (ModelMarker("Hip", "pelvis", (0.1, 0.2, 1 / 3)), ModelMarker("C", "ground", (0, 0, 1.0))),
    )
    markers = osim.MarkerSet(str(tmp_path / "k.xml"))
    assert [markers.get(i).getName() for i in range(markers.getSize())] == ["Hip", "C"]
    assert markers.get(0).getParentFrameName() == "/bodyset/pelvis"
    np.testing.assert_array_equal(markers.get(0).get_location().to_numpy(), [0.1, 0.2, 1 / 3])


@pytest.mark.realdata
def test_setups_keep_their_meaning_through_our_hands(
    gait2354: Path, tmp_path: Path, osim: Any
) -> None:
    write_ik_setup(tmp_path / "ik.xml", read_ik_setup(gait2354 / "subject01_Setup_IK.xml"))
    tool = osim.InverseKinematicsTool(str(tmp_path / "ik.xml"), False)
    original = osim.InverseKinematicsTool(str(gait2354 / "subject01_Setup_IK.xml"), False)
    assert tool.getStartTime() == original.getStartTime() == 0.4
    ours, theirs = tool.getIKTaskSet(), original.getIKTaskSet()
    assert ours.getSize() == theirs.getSize() == 35
    for i in range(ours.getSize()):
        task, other = ours.get(i), theirs.get(i)
        assert (task.getName(), task.getWeight(), task.getApply()) == (
            other.getName(),
            other.getWeight(),
            other.getApply(),
        )
    write_scale_setup(
        tmp_path / "scale.xml", read_scale_setup(gait2354 / "subject01_Setup_Scale.xml")
    )
    scale_tool = osim.ScaleTool(str(tmp_path / "scale.xml"))
    scaler = scale_tool.getModelScaler()
    assert scaler.getMeasurementSet().getSize() == 5
    assert Path(scaler.getMarkerFileName()) == gait2354.resolve() / "subject01_static.trc"


@pytest.mark.realdata
def test_opensims_tool_runs_our_setup_and_its_results_are_read(
    gait2354: Path, tmp_path: Path, osim: Any
) -> None:
    from pipeline.simulation.quiet import quiet_process

    setup = replace(
        read_ik_setup(gait2354 / "subject01_Setup_IK.xml"),
        model_file=gait2354 / "reference_subject01_simbody.osim",
        marker_file=gait2354 / "subject01_walk1.trc",
        results_directory=tmp_path,
        output_motion_file=tmp_path / "walk.mot",
        report_marker_locations=True,
        time_range=(0.4, 0.6),
    )
    write_ik_setup(tmp_path / "ik.xml", setup)
    with quiet_process():
        tool = osim.InverseKinematicsTool(str(tmp_path / "ik.xml"))
        assert tool.run()
    found = read_motion(tmp_path / "walk.mot")
    published = read_motion(gait2354 / "reference_subject01_walk1_ik.mot")
    assert found.columns == published.columns
    n = len(found.times)
    assert n == 13
    np.testing.assert_allclose(found.values, published.values[:n], atol=0.15)
    errors = read_motion(tmp_path / "subject01_ik_marker_errors.sto")
    assert "marker_error_RMS" in errors.columns
    places = read_motion(tmp_path / "subject01_ik_model_marker_locations.sto")
    assert not places.in_degrees
    head = [places.column(f"Top.Head_t{axis}")[0] for axis in "xyz"]
    assert 1.6 < head[1] < 1.9
