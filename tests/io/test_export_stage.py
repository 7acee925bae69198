"""Which 3D points an export writes, and whose pictures 2D points go to after a shift in time."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from pipeline.data import edits
from pipeline.data.errors import UserError
from pipeline.data.history import Place
from pipeline.data.observations import observations
from pipeline.data.source import Source
from pipeline.io.export import export
from pipeline.io.trc import read_trc
from tests.io.exports import corrected_sequence, request
from tests.io.projects import new_project
from tests.io.test_export_csv import number, read


def test_final_points_are_solved_and_written(tmp_path: Path) -> None:
    sequence = corrected_sequence()
    assert sequence.stamps.stale("fused", 0).all()
    export(request(tmp_path / "a.trc", "trc", sequence=sequence, stage="final"))
    assert np.flatnonzero(~sequence.stamps.stale("fused", 0)).tolist() == list(range(12))
    trc = read_trc(tmp_path / "a.trc")
    columns = [sequence.info.skeleton.markers.index(name) for name in trc.names]
    expected = sequence.read("fused.xyz", slice(0, 12), 0)
    np.testing.assert_allclose(trc.xyz, expected[:, columns], atol=1e-6)
    assert "final points" in (tmp_path / "a.trc").read_text().splitlines()[0]
    assert sequence.stamps.stale("points3d", 0).all(), "what is not written is not solved"


def test_the_table_says_which_points_it_holds(tmp_path: Path) -> None:
    sequence = corrected_sequence()
    export(request(tmp_path / "a.csv", "csv", sequence=sequence, stage="final"))
    comments, table = read(tmp_path / "a.csv")
    assert "# points in world: final, solved over time" in comments
    frames = np.arange(12)
    xyz, sigma = (sequence.read(f"fused.{name}", frames, 0) for name in ("xyz", "sigma"))
    source = sequence.read("fused.source", frames, 0)
    names = sequence.info.skeleton.names
    world = {key for key in table if key[2] == "world"}
    assert world == {(t, names[k], "world") for t, k in np.argwhere(np.isfinite(xyz[..., 0]))}
    seen = observations(sequence, 0, frames)
    for t, name, _ in world:
        row, k = table[t, name, "world"], names.index(name)
        assert [number(row, axis) for axis in "xyz"] == pytest.approx(xyz[t, k], abs=1e-6)
        assert number(row, "sigma_mm") == pytest.approx(sigma[t, k], abs=1e-4, nan_ok=True)
        assert row["source"] == Source(source[t, k]).label
        assert int(row["n_views"]) == np.isfinite(seen.xy[t, :, k, 0]).sum()
        in_views = [table.get((t, name, f"cam{view}")) for view in range(3)]
        residuals = {
            number(view, "residual_px"): number(view, "score") for view in in_views if view
        }
        counted = [r for r, score in residuals.items() if score >= 0.3 and np.isfinite(r)]
        counted = counted or [r for r in residuals if np.isfinite(r)]
        if counted:
            rms = np.sqrt(np.mean(np.square(counted)))
            assert number(row, "residual_px") == pytest.approx(rms, abs=1e-3)


def test_there_are_two_stages(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"a\.trc was not written: there are no 'raw' points"):
        export(request(tmp_path / "a.trc", "trc", stage="raw"))


def test_files_of_a_shifted_camera_have_the_numbers_of_its_pictures(tmp_path: Path) -> None:
    sequence = corrected_sequence()
    export(request(tmp_path / "before", "openpose", sequence=sequence))
    for patch in edits.set_sync(sequence, 0, 2, 0):
        sequence.apply(patch)
    for patch in edits.place_point(sequence, 0, 9, 0, 20, (77.5, 88.5)):
        sequence.apply(patch)
    export(request(tmp_path / "after", "openpose", sequence=sequence))
    before, after = tmp_path / "before" / "cam0_json", tmp_path / "after" / "cam0_json"
    names = [f"cam0.{number:04d}.json" for number in range(2, 14)]
    assert sorted(path.name for path in after.iterdir()) == names
    for name in names[:-2]:
        if name != "cam0.0011.json":
            assert (after / name).read_text() == (before / name).read_text()
    (person,) = json.loads((after / "cam0.0011.json").read_text())["people"]
    assert person["pose_keypoints_2d"][60:63] == [77.5, 88.5, 1.0]
    for name in ("cam1_json/cam1.0003.json", "cam2_json/cam2.0007.json"):
        assert (tmp_path / "after" / name).read_text() == (tmp_path / "before" / name).read_text()


def test_authors_follow_the_pictures_too(tmp_path: Path) -> None:
    with new_project(tmp_path / "walk.simspine") as project:
        sequence = project.sequence
        project.commit("Shift", edits.set_sync(sequence, 1, 2.5, 0.001), Place())
        project.commit("Place", edits.place_point(sequence, 0, 5, 1, 3, (1, 2)), Place())
        export(
            request(tmp_path / "a.csv", "csv", sequence=sequence, authorship=project.authorship())
        )
        comments, table = read(tmp_path / "a.csv")
        whole = sequence.info.skeleton.names[3]
        assert table[5, whole, "cam1"]["author"] == "Ada"
        assert [key for key, row in table.items() if row["author"] and key[2] == "cam1"] == [
            (5, whole, "cam1")
        ]
        assert any("floor(frame * 1.001 + 1.0) + -1" in line for line in comments)
