"""The long CSV: every value with source, residual, author and time."""

from __future__ import annotations

import csv
from datetime import UTC, datetime
from pathlib import Path

import cv2
import numpy as np
import pytest

from pipeline import __version__
from pipeline.data import edits
from pipeline.data.history import Place
from pipeline.data.observations import observations
from pipeline.data.source import Flag
from pipeline.io.export import export
from pipeline.io.export_csv import COLUMNS
from pipeline.io.opening import open_in_memory
from tests.io.exports import FIRST_FRAMES, corrected_sequence, request
from tests.io.projects import new_project

Table = dict[tuple[int, str, str], dict[str, str]]


def read(path: Path) -> tuple[list[str], Table]:
    lines = path.read_text(encoding="utf-8").splitlines()
    comments = [line for line in lines if line.startswith("#")]
    assert lines[: len(comments)] == comments
    rows = csv.DictReader(lines[len(comments) :])
    table = {(int(row["frame"]), row["keypoint"], row["space"]): row for row in rows}
    assert rows.fieldnames == list(COLUMNS)
    assert len(table) == len(lines) - len(comments) - 1
    return comments, table


def number(row: dict[str, str], column: str) -> float:
    return float(row[column] or "nan")


def test_every_value_is_there_once_and_right(tmp_path: Path) -> None:
    sequence = corrected_sequence()
    export(request(tmp_path / "a.csv", "csv", sequence=sequence))
    _, table = read(tmp_path / "a.csv")
    names, frames = sequence.info.skeleton.names, np.arange(*FIRST_FRAMES)
    xyz = sequence.read("points3d.xyz", frames, 0)
    residual = sequence.read("points3d.residual", frames, 0)
    sigma = sequence.read("points3d.sigma", frames, 0)
    n_views = sequence.read("points3d.n_views", frames, 0)
    seen = observations(sequence, 0, frames)
    expected = {(t, names[k], "world") for t, k in np.argwhere(np.isfinite(xyz[..., 0]))}
    noted = np.isfinite(seen.xy[..., 0]) | (seen.flags != 0)
    expected |= {(t, names[k], f"cam{v}") for t, v, k in np.argwhere(noted)}
    assert table.keys() == expected
    for (t, name, space), row in table.items():
        k = names.index(name)
        assert row["person"] == "1"
        assert number(row, "time_s") == pytest.approx(t / 59.94005994, abs=1e-6)
        if space == "world":
            got = [number(row, column) for column in "xyz"]
            np.testing.assert_allclose(got, xyz[t, k], atol=1e-6)
            assert number(row, "residual_px") == pytest.approx(residual[t, k], abs=1e-4)
            np.testing.assert_allclose(number(row, "sigma_mm"), sigma[t, k], atol=1e-4)
            assert int(row["n_views"]) == n_views[t, k]
            assert row["score"] == ""
        else:
            v = int(space[3:])
            got = [number(row, column) for column in "xy"]
            np.testing.assert_allclose(got, seen.xy[t, v, k], atol=1e-3)
            if row["x"]:
                assert number(row, "score") == pytest.approx(seen.score[t, v, k], abs=1e-6)
            assert row["z"] == row["sigma_mm"] == row["n_views"] == ""


def test_residual_of_a_view_is_that_of_opencv(tmp_path: Path) -> None:
    sequence = corrected_sequence()
    export(request(tmp_path / "a.csv", "csv", sequence=sequence))
    _, table = read(tmp_path / "a.csv")
    name = sequence.info.skeleton.names[4]
    camera = sequence.cameras[0]
    rotation, _ = cv2.Rodrigues(camera.rotation)
    point = np.array([[0.123456, -1.5, 2.25]])
    projected, _ = cv2.projectPoints(
        point, rotation, camera.translation, camera.matrix, camera.distortion
    )
    row = table[4, name, "cam0"]
    expected = np.hypot(
        number(row, "x") - projected[0, 0, 0], number(row, "y") - projected[0, 0, 1]
    )
    assert number(row, "residual_px") == pytest.approx(expected, abs=0.01)


def test_what_people_did_is_told(tmp_path: Path) -> None:
    sequence = corrected_sequence()
    export(request(tmp_path / "a.csv", "csv", sequence=sequence))
    _, table = read(tmp_path / "a.csv")
    names = sequence.info.skeleton.names
    rows = {frame: table[frame, names[frame], "cam0"] for frame in (5, 6, 7)}
    rows |= {3: table[3, names[3], "cam1"], 4: table[4, names[4], "world"]}
    assert [(frame, row["source"], row["flags"]) for frame, row in sorted(rows.items())] == [
        (3, "manual-2d", ""),
        (4, "manual-3d", ""),
        (5, "manual-2d", "occluded"),
        (6, "none", "absent"),
        (7, "none", "rejected"),
    ]
    assert (rows[3]["x"], rows[3]["y"], rows[3]["score"]) == ("7.2500", "14.5000", "1.000000")
    assert rows[6]["x"] == rows[6]["score"] == rows[6]["residual_px"] == ""
    assert table[0, names[0], "cam0"]["source"] == "detected"
    assert {row["author"] for row in table.values()} == {""}
    assert {row["edited_at"] for row in table.values()} == {""}


def test_authors_and_times_of_edits(tmp_path: Path) -> None:
    with new_project(tmp_path / "walk.simspine") as project:
        sequence = project.sequence
        name = sequence.info.skeleton.names[5]

        def commit(author: str, patches: edits.Patches) -> float:
            project.author = author
            project.commit("Edit", patches, Place())
            return list(project.journal())[-1].time

        first = commit("Ada", edits.place_point(sequence, 0, 3, 1, 5, (700, 400)))
        last = commit('Grace, "the" 2nd', edits.place_point(sequence, 0, 3, 2, 5, (800, 500)))
        placed = commit("Ada", edits.place_point_3d(sequence, 0, 6, 5, (0, 1, 2)))
        flagged = commit("Ada", edits.toggle_flag(sequence, 0, 7, [0], 5, Flag.ABSENT))
        export(
            request(tmp_path / "a.csv", "csv", sequence=sequence, authorship=project.authorship())
        )
    _, table = read(tmp_path / "a.csv")
    edited = {key: row for key, row in table.items() if row["author"]}
    told = {key: (row["author"], row["edited_at"]) for key, row in edited.items()}

    def moment(time: float) -> str:
        return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"

    expected = {
        (3, name, "cam1"): ("Ada", moment(first)),
        (3, name, "cam2"): ('Grace, "the" 2nd', moment(last)),
        (6, name, "world"): ("Ada", moment(placed)),
        (7, name, "cam0"): ("Ada", moment(flagged)),
    }
    if table.get((3, name, "world"), {}).get("source") == "manual-2d":
        expected[3, name, "world"] = ('Grace, "the" 2nd', moment(last))
    assert told == expected
    assert datetime.fromisoformat(told[3, name, "cam1"][1]).timestamp() == pytest.approx(
        first, abs=1e-3
    )


def test_comments_say_what_the_numbers_mean(tmp_path: Path) -> None:
    export(request(tmp_path / "a.csv", "csv", title="Walk"))
    comments, _ = read(tmp_path / "a.csv")
    text = "\n".join(comments)
    assert comments[0].startswith(f"# SIMSPINE Viewer {__version__}, written 20")
    assert "# project: Walk" in comments
    assert "frames: 0 to 11 of 0 to 299, 59.94005994 per second" in text
    assert "metres where space is world (Y up)" in text
    assert "pixel centres at integers" in text
    assert "video frame = floor(frame * 0.6666666666666666 + 1/2) + 5" in text


@pytest.mark.realdata
def test_real_recording_tells_the_manual_world_point(balancing: Path, tmp_path: Path) -> None:
    sequence, _ = open_in_memory(balancing)
    knee = sequence.info.skeleton.index("LKnee")
    xy = observations(sequence, 0, slice(10, 11)).xy[0, 1, knee]
    for patch in edits.place_point(sequence, 0, 10, 1, knee, xy + 3):
        sequence.apply(patch)
    export(request(tmp_path / "a.csv", "csv", sequence=sequence, frames=(9, 12)))
    _, table = read(tmp_path / "a.csv")
    sources = [table[frame, "left_knee", "world"]["source"] for frame in (9, 10, 11)]
    assert sources == ["triangulated", "manual-2d", "triangulated"]
