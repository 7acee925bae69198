"""The model's tables: what holds between them, and one sentence for each fault in them."""

from __future__ import annotations

import shutil
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pipeline.data.errors import UserError
from pipeline.data.resources import resource_path
from pipeline.data.skeleton import project_skeleton
from pipeline.simulation.model_tables import VARIANTS, read_tables
from pipeline.simulation.neutral_pose import marker_in_body, neutral_frames


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    target = tmp_path / "spine_model"
    shutil.copytree(resource_path("spine_model"), target, copy_function=shutil.copyfile)
    return target


def test_free_coordinates_and_levels() -> None:
    tables = read_tables()
    assert [len(tables.regional(variant)) for variant in VARIANTS] == [11, 13]
    for variant in VARIANTS:
        shares = tables.shares(variant)
        assert len(shares) == 75
        total: dict[str, float] = defaultdict(float)
        for region, share in shares.values():
            assert share > 0
            total[region] += share
        assert set(total) == {row.name for row in tables.regional(variant)}
        assert max(abs(value - 1.0) for value in total.values()) < 1e-12


def test_split_regions_keep_the_rhythm_inside_them() -> None:
    tables = read_tables()
    core, extended = tables.shares("core"), tables.shares("extended")
    for level in ("T10_T11", "T9_T10", "T7_T8"):
        ratio = core[level, "bend"][1] / core["T11_T12", "bend"][1]
        assert extended[level, "bend"][1] / extended["T11_T12", "bend"][1] == pytest.approx(
            ratio, abs=2e-3
        )


def test_mass_is_75_kg() -> None:
    tables = read_tables()
    trunk = sum(row.mass_kg - row.to_girdle_kg for row in tables.trunk_slices)
    rest = sum(row.mass_kg * (2 if row.side == "both" else 1) for row in tables.segments)
    assert trunk + rest == pytest.approx(75.0, abs=0.01)


def test_every_keypoint_has_a_marker_of_its_name() -> None:
    rows = read_tables().markers
    skeleton = project_skeleton()
    assert [row.keypoint for row in rows] == [point.name for point in skeleton.keypoints]
    assert [row.marker for row in rows] == [point.marker for point in skeleton.keypoints]
    assert all(row.definition for row in rows)


def test_column_markers_lie_where_simspine_has_them() -> None:
    # Published marker offsets on Pose2Sim's flexible model, default pose, mid-hip frame, mm; the
    # tolerance is that of the chain: T3 sits 15 mm higher in ours.
    published = {
        "Hip": (-86, 70, 4),
        "Spine_01": (-54, 135, 4),
        "Spine_02": (-55, 181, 4),
        "Spine_03": (-70, 240, 5),
        "Spine_04": (-104, 377, 5),
        "Spine_05": (-98, 500, 16),
        "Neck": (-66, 574, 7),
        "Neck_02": (-38, 621, 7),
    }
    tables = read_tables()
    frames = neutral_frames(tables)
    rows = {row.marker: row for row in tables.markers}
    for name, (x, y, tolerance) in published.items():
        frame = frames[rows[name].body]
        place = frame[:3, :3] @ marker_in_body(tables, rows[name], frames) + frame[:3, 3]
        assert np.hypot(*(place[:2] * 1e3 - (x, y))) < tolerance, name
        assert abs(place[2]) < 1e-12


def _drop_share(text: str) -> str:
    return text.replace("lumbar_bend,L3_L4,0.211", "lumbar_bend,L3_L4,0.111")


def _drop_level(text: str) -> str:
    return "\n".join(line for line in text.splitlines() if "neck_bend,C2_C3" not in line) + "\n"


@pytest.mark.parametrize(
    ("table", "change", "said"),
    [
        ("rhythms", _drop_share, "the shares of lumbar_bend sum to 0.9000, not to 1"),
        ("rhythms", _drop_level, "neck_bend"),
        ("rhythms", lambda t: t.replace("lumbar_bend,L3_L4", "lumbar_bend,L3_L9"), "row 29"),
        ("joints", lambda t: t.replace("-8.3,142.8", "-8.3,152.8"), "row 3: L4_L5 follows"),
        ("joints", lambda t: t.replace("142.8", "many"), "row 3: y_mm is 'many', not a number"),
        ("joints", lambda t: t.replace("level,child", "niveau,child"), "the columns must be"),
        ("level_limits", lambda t: t.replace("D/A", "sure", 1), "certainty 'sure'"),
        ("level_limits", lambda t: t.replace("L5_S1,9", "L5_S1,nan"), "not a finite number"),
        ("markers", lambda t: t.replace("left_eye,LEye", "left_eye,REye"), "named twice"),
        ("markers", lambda t: t.replace("Spine_01,L5", "Spine_01,L6"), "there is no body L6"),
        ("segments", lambda t: t.replace("talus,both,0.1", "talus,both,0.0"), "no mass"),
        ("limb_joints", lambda t: t.replace("knee,femur", "knee,thigh"), "there is no body thigh"),
        ("limb_joints", lambda t: t.replace("hip_flexion,0", "hip_flexion,"), "lacks its axis"),
        ("spine_points", lambda t: t.replace("T7,", "T77,", 1), "T7 has no row"),
    ],
)
def test_one_sentence_for_a_fault(
    folder: Path, table: str, change: Callable[[str], str], said: str
) -> None:
    path = folder / f"{table}.csv"
    text = path.read_text(encoding="utf-8")
    changed = change(text)
    assert changed != text
    path.write_text(changed, encoding="utf-8")
    with pytest.raises(UserError) as caught:
        read_tables(folder)
    assert said in str(caught.value)
    assert str(folder) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_table_is_named(folder: Path) -> None:
    (folder / "markers.csv").unlink()
    with pytest.raises(UserError, match=r"markers\.csv: the table cannot be read"):
        read_tables(folder)


def test_the_manual_tells_every_marker_and_coordinate() -> None:
    page = Path(__file__).resolve().parents[2] / "docs" / "spine-model.md"
    lines = page.read_text(encoding="utf-8").splitlines()
    tables = read_tables()
    for row in tables.markers:
        told = f"| {row.marker} | {row.body} | {row.definition} |"
        assert any(line.startswith(told) for line in lines), row.marker
    for region in tables.coordinates:
        told = f"| {region.name} | {region.set} | {region.anchor} |"
        assert any(line.startswith(told) for line in lines), region.name
