"""What ``simspine triangulate``, ``export`` and ``demo`` write and say."""

from __future__ import annotations

import io
import tomllib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import tomli_w

from pipeline.cli import output
from pipeline.cli.main import main
from pipeline.cli.output import Exit, ProgressBar
from pipeline.data.observations import observations
from pipeline.data.skeleton import project_skeleton
from pipeline.geometry.triangulation import triangulate
from pipeline.io.export import FORMATS
from pipeline.io.opening import open_in_memory
from pipeline.io.trc import read_trc
from pipeline.synthesis.demo import DemoRecording, make_demo
from tests.cli.helpers import BODY, N_FRAMES, Capture, said_one_sentence, tree


def test_triangulate_writes_true_points_and_nothing_else(
    demo: DemoRecording, tmp_path: Path, capsys: Capture
) -> None:
    before = tree(demo.folder)
    out = tmp_path / "walk.trc"
    assert main(["triangulate", str(demo.folder), "-o", str(out)]) == 0
    streams = capsys.readouterr()
    assert streams.err == ""  # no progress bar where stderr is no terminal
    trc = read_trc(out)
    assert set(BODY) <= set(trc.names)
    assert len(trc.times) == N_FRAMES
    assert f"{len(trc.names)} markers in {N_FRAMES} frames, person 1" in streams.out
    truth = demo.truth.xyz[:, [project_skeleton().index(name) for name in trc.names]]
    # The demo's detector errs by some pixels of a 320 px picture that shows 2 to 3 m.
    assert np.nanmedian(np.linalg.norm(trc.xyz - truth, axis=-1)) < 0.03
    assert tree(demo.folder) == before
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["walk.trc"]


def test_the_two_errors_are_measured_over_all_views(
    demo: DemoRecording, tmp_path: Path, capsys: Capture
) -> None:
    out = tmp_path / "walk.trc"
    assert main(["triangulate", str(demo.folder), "-o", str(out)]) == 0
    told = [line.split(": ")[1].split() for line in capsys.readouterr().out.splitlines()[1:]]
    trc = read_trc(out)
    columns = [project_skeleton().index(name) for name in trc.names]
    sequence, _ = open_in_memory(demo.folder)
    seen = observations(sequence, 0)
    xy, score = (part.swapaxes(1, 2)[:, columns] for part in (seen.xy, seen.score))
    views = list(demo.cameras)
    reprojection, heldout = [], []
    for view, camera in enumerate(views):
        counted = score[..., view] > 0.3
        others = [v for v in range(len(views)) if v != view]
        predicted = triangulate(
            [views[v] for v in others],
            xy[:, :, others].reshape(-1, len(others), 2),
            score[:, :, others].reshape(-1, len(others)),
        ).xyz.reshape(trc.xyz.shape)
        for found, points in ((reprojection, trc.xyz), (heldout, predicted)):
            rotation = cv2.Rodrigues(camera.rotation)[0]
            pixels = cv2.projectPoints(
                points[counted], rotation, camera.translation, camera.matrix, camera.distortion
            )[0][:, 0]
            error = np.linalg.norm(pixels - xy[..., view, :][counted], axis=-1)
            found.extend(error[np.isfinite(error)])
    for (error, _, _, n, *_), expected in zip(told, (reprojection, heldout), strict=True):
        assert float(error) == pytest.approx(np.median(expected), abs=0.02)
        assert int(n) == len(expected)


def test_another_calibration_gives_other_points(
    demo: DemoRecording, tmp_path: Path, capsys: Capture
) -> None:
    original = next((demo.folder / "calibration").iterdir())
    other = tmp_path / "other.toml"
    # Focal lengths, not positions: the whole figure grows or shrinks.
    table = tomllib.loads(original.read_text())
    for entry in table.values():
        if "matrix" in entry:
            entry["matrix"][0][0] *= 1.1
            entry["matrix"][1][1] *= 1.1
    other.write_text(tomli_w.dumps(table))
    outs = [tmp_path / "one.trc", tmp_path / "two.trc"]
    assert main(["triangulate", str(demo.folder), "-o", str(outs[0])]) == 0
    options = ["--calibration", str(other), "-o", str(outs[1])]
    assert main(["triangulate", str(demo.folder), *options]) == 0
    one, two = (read_trc(out) for out in outs)
    assert np.nanmedian(np.linalg.norm(one.xyz - two.xyz, axis=-1)) > 0.01
    assert capsys.readouterr().err == ""


def test_corrections_count_in_a_project_and_not_in_its_folder(
    demo: DemoRecording, project: Path, tmp_path: Path
) -> None:
    before = project.read_bytes()
    outs = [tmp_path / "folder.trc", tmp_path / "project.trc"]
    for path, out in zip((demo.folder, project), outs, strict=True):
        assert main(["triangulate", str(path), "-o", str(out)]) == 0
    folder, edited = (read_trc(out) for out in outs)
    differs = np.linalg.norm(folder.xyz - edited.xyz, axis=-1) > 1e-6
    assert np.argwhere(differs).tolist() == [[3, folder.names.index("LShoulder")]]
    assert project.read_bytes() == before
    assert sorted(path.name for path in tmp_path.glob("edited*")) == ["edited.simspine"]


def test_a_csv_of_a_project_names_the_author(project: Path, tmp_path: Path) -> None:
    out = tmp_path / "walk.csv"
    assert main(["export", str(project), "--format", "csv", "-o", str(out)]) == 0
    rows = [line for line in out.read_text().splitlines() if "Ada" in line]
    assert any("LShoulder" in row or "left_shoulder" in row for row in rows)


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_is_written(
    demo: DemoRecording, name: str, tmp_path: Path, capsys: Capture
) -> None:
    out = tmp_path / f"out.{name}"
    arguments = ["export", str(demo.folder), "--format", name, "-o", str(out)]
    assert main([*arguments, "--frames", "4:7"]) == 0
    assert out.is_dir() if name == "openpose" else out.stat().st_size > 100
    assert capsys.readouterr().out == f"{out}: 3 frames of person 1\n"


@pytest.mark.parametrize(("span", "first", "n"), [("2:5", 2, 3), (":5", 0, 5), ("9:", 9, 3)])
def test_frames_are_counted_from_0_without_the_last(
    demo: DemoRecording, span: str, first: int, n: int, tmp_path: Path
) -> None:
    out = tmp_path / "walk.trc"
    arguments = ["export", str(demo.folder), "--format", "trc", "-o", str(out)]
    assert main([*arguments, "--frames", span]) == 0
    trc = read_trc(out)
    np.testing.assert_allclose(trc.times, np.arange(first, first + n) / demo.fps, atol=1e-6)


def test_a_demo_is_made_once(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def small(folder: Path, **options: Any) -> DemoRecording:
        return make_demo(folder, n_frames=2, size=(320, 320), render=False, **options)

    monkeypatch.setattr("pipeline.synthesis.demo.make_demo", small)
    folder = tmp_path / "demo"
    assert main(["demo", str(folder)]) == 0
    assert capsys.readouterr().out == f"{folder}\n"
    before = tree(folder)
    assert main(["demo", str(folder)]) == Exit.FAILED
    said_one_sentence(capsys, Exit.FAILED, str(folder), "exists")
    assert tree(folder) == before


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_the_progress_bar_shows_on_a_terminal_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(output, "REDRAW_SECONDS", 0.0)
    terminal, file = _Terminal(), io.StringIO()
    for stream in (terminal, file):
        with ProgressBar(stream) as bar:
            bar.show(0.0, "Reading")
            bar.show(0.5, "Writing " + 100 * "x")
    assert file.getvalue() == ""
    drawn = terminal.getvalue().split("\r")
    assert "  0% Reading" in drawn[1]
    assert f"[{14 * '#'}{14 * ' '}]  50% Writing" in drawn[2]
    assert max(map(len, drawn)) < 80
    assert drawn[-2:] == [79 * " ", ""]  # nothing of it stays


def test_a_progress_bar_that_was_never_drawn_writes_nothing() -> None:
    terminal = _Terminal()
    with ProgressBar(terminal):
        pass
    assert terminal.getvalue() == ""


@pytest.mark.realdata
def test_the_real_recording_is_triangulated(
    balancing: Path, tmp_path: Path, capsys: Capture
) -> None:
    out = tmp_path / "b.trc"
    assert main(["triangulate", str(balancing), "-o", str(out)]) == 0
    reprojection, heldout = (
        float(line.split(": ")[1].split()[0]) for line in capsys.readouterr().out.splitlines()[1:]
    )
    trc = read_trc(out)
    assert len(trc.times) == 100
    found = np.isfinite(trc.xyz).all(axis=-1)
    assert {
        name for name, seen in zip(trc.names, found.mean(axis=0), strict=True) if seen > 0.9
    } >= set(BODY)
    # Pose2Sim's own points, and plain weighted DLT: benchmarks/triangulation.py.
    assert reprojection <= 10.75
    assert heldout <= 23.0
