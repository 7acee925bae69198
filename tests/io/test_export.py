"""Exports in steps: up to date, cancellable, whole or not at all."""

from __future__ import annotations

import json
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from pipeline.data import edits
from pipeline.data.errors import UserError
from pipeline.io.export import FORMATS, export, export_steps
from pipeline.io.export_request import file_stems
from pipeline.io.trc import read_trc
from tests.data.recordings import N_FRAMES, small_sequence
from tests.io.exports import corrected_sequence, request


def target_of(folder: Path, format: str) -> Path:
    return folder / ("out" if format == "openpose" else f"out.{format}")


def contents(root: Path) -> dict[str, bytes]:
    return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}


@pytest.mark.parametrize("format", FORMATS)
def test_steps_run_up_to_one(format: str, tmp_path: Path) -> None:
    path = target_of(tmp_path, format)
    fractions = [
        fraction for fraction, what in export_steps(request(path, format, frames=(0, 220)))
    ]
    assert fractions == sorted(fractions)
    assert fractions[-1] == pytest.approx(1)
    assert len(fractions) > 2
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("format", FORMATS)
def test_closed_early_the_old_export_stays(format: str, tmp_path: Path) -> None:
    path = target_of(tmp_path, format)
    export(request(path, format, frames=(0, 2)))
    before = contents(tmp_path)
    again = request(path, format, frames=(0, 120))
    for stop in (1, 2, None):  # the first request still has to triangulate, the later ones do not
        last = 0.0
        steps = export_steps(again)
        for fraction, _ in islice(steps, stop):
            last = fraction
            if fraction == 1:
                break
        steps.close()
        assert contents(tmp_path) == before
    assert last == 1


def test_stale_frames_are_solved_before_and_only_those_asked_for(tmp_path: Path) -> None:
    sequence = corrected_sequence()
    export(request(tmp_path / "a.trc", "trc", sequence=sequence, frames=(2, 10)))
    stale = sequence.stamps.stale("points3d", 0)
    assert not stale[2:10].any()
    assert stale[:2].all()
    assert stale[10:].all()
    for patch in edits.place_point_3d(sequence, 0, 5, 9, (1, 2, 3)):
        sequence.apply(patch)
    export(request(tmp_path / "b.trc", "trc", sequence=sequence, frames=(2, 10)))
    a, b = read_trc(tmp_path / "a.trc"), read_trc(tmp_path / "b.trc")
    marker = b.names.index(sequence.info.skeleton.markers[9])
    np.testing.assert_allclose(b.xyz[3, marker], (1, 2, 3))
    assert not np.allclose(a.xyz[3, marker], (1, 2, 3))


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({"format": "xlsx"}, "no format 'xlsx', only trc, csv, openpose, coco"),
        ({"track": 7}, "“small” has no person 8 (there is: 1, 2)"),
        ({"frames": (5, 5)}, "frames 5 to 4 are not among"),
        ({"frames": (0, N_FRAMES + 1)}, f"frames 0 to {N_FRAMES} are not among"),
        ({"frames": (-1, 5)}, "frames -1 to 4 are not among"),
    ],
)
def test_impossible_requests(changes: dict[str, object], cause: str, tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    path.write_text("old")
    with pytest.raises(UserError) as caught:
        export(request(path, **({"format": "csv", "sequence": small_sequence()} | changes)))
    assert str(caught.value).startswith(f"{path} was not written: ")
    assert cause in str(caught.value)
    assert path.read_text() == "old"


def test_title_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    export(request(path, "csv", title="two\nlines,\ttabbed"))
    assert "# project: two lines, tabbed\n" in path.read_text()
    export(request(tmp_path / "out.json", "coco", title="two\nlines"))
    assert json.loads((tmp_path / "out.json").read_text())["info"]["description"] == "two lines"


def test_camera_names_become_different_file_names() -> None:
    names = ("cam/1", "CAM:1", "..", "Kamera é", "cam_1")
    stems = file_stems(names)
    assert stems == ("cam_1", "CAM_1-1", "view2", "Kamera é", "cam_1-4")
