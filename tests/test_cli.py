"""The program ``simspine``: what it prints, writes and returns."""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import tomli_w

from pipeline import cli, cli_output
from pipeline.cli import main
from pipeline.cli_output import Exit, ProgressBar
from pipeline.data import edits
from pipeline.data.history import Place
from pipeline.data.observations import observations
from pipeline.data.skeleton import project_skeleton
from pipeline.geometry.triangulation import triangulate
from pipeline.io.export import FORMATS
from pipeline.io.opening import create_project, open_in_memory
from pipeline.io.project import Project
from pipeline.io.recording import recognise
from pipeline.io.trc import read_trc
from pipeline.synthesis.demo import DemoRecording, make_demo
from tests.io.recordings import write_recording

N_FRAMES = 12
BODY = [
    "RHip", "RKnee", "RAnkle", "RBigToe", "RSmallToe", "RHeel", "LHip", "LKnee", "LAnkle",
    "LBigToe", "LSmallToe", "LHeel", "Neck", "Head", "Nose", "RShoulder", "RElbow", "RWrist",
    "LShoulder", "LElbow", "LWrist",
]  # fmt: skip
Capture = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> DemoRecording:
    folder = tmp_path_factory.mktemp("recordings") / "walk"
    return make_demo(folder, n_frames=N_FRAMES, size=(320, 320), render=False)


@pytest.fixture
def project(demo: DemoRecording, tmp_path: Path) -> Path:
    """A project of the demo whose person has a shoulder far from where it was detected."""
    path = tmp_path / "edited.simspine"
    with create_project(recognise(demo.folder), path, "Ada") as project:
        keypoint = project.sequence.info.skeleton.index("LShoulder")
        for view in range(2):
            patches = edits.place_point(project.sequence, 0, 3, view, keypoint, (100.0, 100.0))
            project.commit("Place point", patches, Place(3, view, keypoint, 0))
    return path


def _tree(folder: Path) -> dict[str, int]:
    return {str(path): path.stat().st_mtime_ns for path in folder.rglob("*")}


def _said(capsys: Capture, code: Exit, *words: str) -> None:
    """One sentence on stderr, with these words in it, and nothing else."""
    streams = capsys.readouterr()
    assert streams.out == ""
    assert streams.err.count("\n") == 1
    if code != Exit.USAGE:
        assert streams.err.rstrip().endswith(".")
    for word in words:
        assert word in streams.err


def _process(*arguments: str | Path, **options: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "pipeline.cli", *map(str, arguments)]
    return subprocess.Popen(command, text=True, stderr=subprocess.PIPE, **options)  # type: ignore[call-overload,no-any-return]


def test_version_and_help_load_nothing_heavy() -> None:
    code = (
        "import sys\nfrom pipeline.cli import main\n"
        "main(['--version']), main(['triangulate', '--help'])\nprint(*sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.startswith("simspine 0.")
    assert not {"numpy", "av", "cv2", "scipy", "sqlite3"} & set(done.stdout.split())


def test_no_command_loads_qt_or_vtk(demo: DemoRecording, tmp_path: Path) -> None:
    code = (
        "import sys\nfrom pipeline.cli import main\nfolder, out = sys.argv[1:]\n"
        "assert main(['info', folder]) == 0\n"
        "assert main(['triangulate', folder, '-o', out]) == 0\n"
        "print('LOADED', *sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, demo.folder, tmp_path / "walk.trc"],
        capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    loaded = {name.partition(".")[0] for name in done.stdout.rpartition("LOADED")[2].split()}
    assert "numpy" in loaded
    assert not loaded & {"PySide6", "shiboken6", "vtk", "vtkmodules", "pyvista", "simspine_viewer"}


def test_help_tells_every_exit_code(capsys: Capture) -> None:
    assert main(["--help"]) == 0
    text = capsys.readouterr().out
    for code in Exit:
        assert f" {int(code)} " in text


def test_the_formats_are_those_of_the_exporters() -> None:
    assert cli.FORMATS == FORMATS


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["no-such-command"],
        ["info"],
        ["triangulate", "somewhere"],
        ["export", "somewhere", "-o", "out"],
        ["export", "somewhere", "--format", "xml", "-o", "out"],
        ["export", "somewhere", "--format", "trc", "-o", "out", "--frames", "3"],
        ["export", "somewhere", "--format", "trc", "-o", "out", "--frames", "a:b"],
        ["triangulate", "somewhere", "-o", "out", "--person", "first"],
    ],
)
def test_wrong_arguments_are_usage_errors(arguments: list[str], capsys: Capture) -> None:
    assert main(arguments) == Exit.USAGE
    assert "usage:" in capsys.readouterr().err


def test_info_as_json_is_what_was_made(demo: DemoRecording, capsys: Capture) -> None:
    assert main(["info", str(demo.folder), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["name"], told["frames"], told["fps"]) == ("walk", N_FRAMES, demo.fps)
    assert [view["camera"] for view in told["views"]] == list(demo.cameras.names)
    for view, camera in zip(told["views"], demo.cameras, strict=True):
        # A rotation vector of 6 decimals in the file moves a camera by micrometres.
        np.testing.assert_allclose(view["position"], camera.centre, atol=1e-3)
        half = np.arctan(camera.size[0] / 2 / camera.matrix[0, 0])
        assert view["field_of_view"][0] == pytest.approx(np.degrees(2 * half), abs=0.01)
        assert Path(view["video"]).exists()
        assert view["video_frames"] == N_FRAMES
        assert view["frames_with_people"] == N_FRAMES
    (person,) = told["persons"]
    assert person == {
        "number": 1,
        "frames": N_FRAMES,
        "views": list(demo.cameras.names),
        "ignored": False,
    }
    assert set(BODY) <= set(told["detected_keypoints"])


def test_info_as_text_names_the_same(demo: DemoRecording, capsys: Capture) -> None:
    assert main(["info", str(demo.folder)]) == 0
    text = capsys.readouterr().out
    assert text.startswith(f"walk\n  {N_FRAMES} frames at 30 per second, 4 cameras\n")
    assert f"Person 1: {N_FRAMES} frames in {', '.join(demo.cameras.names)}\n" in text
    for camera in demo.cameras:
        assert f"  {camera.name}: 320×320 px, field of view" in text


def test_info_tells_of_a_file_that_cannot_be_read(tmp_path: Path, capsys: Capture) -> None:
    folder = write_recording(tmp_path / "hop")
    next(folder.rglob("*.mp4")).write_bytes(b"no video")
    assert main(["info", str(folder)]) == 0
    text = capsys.readouterr().out
    assert "error: " in text
    assert ".mp4" in text.partition("error: ")[2].splitlines()[0]


def test_info_of_the_folder_one_is_in(
    demo: DemoRecording, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(demo.folder)
    assert main(["info", "."]) == 0
    assert capsys.readouterr().out.startswith("walk\n")


def test_triangulate_writes_true_points_and_nothing_else(
    demo: DemoRecording, tmp_path: Path, capsys: Capture
) -> None:
    before = _tree(demo.folder)
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
    assert _tree(demo.folder) == before
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


@pytest.mark.parametrize("span", ["5:5", "7:3", "0:13", "12:"])
def test_frames_that_are_not_there(
    demo: DemoRecording, span: str, tmp_path: Path, capsys: Capture
) -> None:
    out = tmp_path / "walk.trc"
    arguments = ["export", str(demo.folder), "--format", "trc", "-o", str(out)]
    assert main([*arguments, "--frames", span]) == Exit.USAGE
    _said(capsys, Exit.FAILED, "--frames", "walk")
    assert not out.exists()


@pytest.mark.parametrize("number", ["0", "2", "-1"])
def test_a_person_who_is_not_there(
    demo: DemoRecording, number: str, tmp_path: Path, capsys: Capture
) -> None:
    out = tmp_path / "walk.trc"
    arguments = ["triangulate", str(demo.folder), f"--person={number}", "-o", str(out)]
    assert main(arguments) == Exit.NO_PERSON
    _said(capsys, Exit.NO_PERSON, f"no person {number}", "there is: 1")
    assert not out.exists()


def test_nobody_at_all(tmp_path: Path, capsys: Capture) -> None:
    folder = write_recording(tmp_path / "empty")
    for file in (folder / "pose").rglob("*.json"):
        file.write_text('{"version": 1.3, "people": []}')
    out = tmp_path / "out.trc"
    assert main(["triangulate", str(folder), "-o", str(out)]) == Exit.NO_PERSON
    _said(capsys, Exit.NO_PERSON, "empty")
    assert main(["info", str(folder)]) == 0
    assert "  nobody\n" in capsys.readouterr().out


def test_an_ignored_person_is_passed_over(project: Path, tmp_path: Path, capsys: Capture) -> None:
    with Project.open(project, author="Ada") as opened:
        patches = edits.ignore_track(opened.sequence, 0, True)
        opened.commit("Ignore", patches, Place())
    out = tmp_path / "walk.trc"
    assert main(["triangulate", str(project), "-o", str(out)]) == Exit.NO_PERSON
    _said(capsys, Exit.NO_PERSON, "ignored")
    assert main(["triangulate", str(project), "--person", "1", "-o", str(out)]) == 0
    assert main(["info", str(project)]) == 0
    assert "(ignored)" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda path: None, ["does not exist"]),
        (lambda path: path.mkdir(), ["input", "no recording"]),
        (lambda path: path.write_text("text"), []),
    ],
    ids=["missing", "empty folder", "a text file"],
)
@pytest.mark.parametrize("name", ["input", "input.simspine"])
def test_input_that_cannot_be_used(
    make: Callable[[Path], None], words: list[str], name: str, tmp_path: Path, capsys: Capture
) -> None:
    path = tmp_path / "here" / name
    path.parent.mkdir()
    make(path)
    assert main(["info", str(path)]) == Exit.UNUSABLE
    _said(capsys, Exit.UNUSABLE, *(words if name == "input" else ["input"]))


def test_a_recording_without_a_calibration_is_named(
    demo: DemoRecording, tmp_path: Path, capsys: Capture
) -> None:
    folder = tmp_path / "jump"
    shutil.copytree(demo.folder / "videos", folder / "videos")
    assert main(["triangulate", str(folder), "-o", "x.trc"]) == Exit.UNUSABLE
    _said(capsys, Exit.UNUSABLE, "jump", "calibration")


def test_a_calibration_does_not_go_with_a_project(
    demo: DemoRecording, project: Path, capsys: Capture
) -> None:
    calibration = next((demo.folder / "calibration").iterdir())
    arguments = ["triangulate", str(project), "--calibration", str(calibration), "-o", "x.trc"]
    assert main(arguments) == Exit.USAGE
    _said(capsys, Exit.FAILED, "--calibration")


def test_output_that_cannot_be_written(
    demo: DemoRecording, tmp_path: Path, capsys: Capture
) -> None:
    for out in (tmp_path / "no such folder" / "walk.trc", tmp_path):
        assert main(["triangulate", str(demo.folder), "-o", str(out)]) == Exit.FAILED
        _said(capsys, Exit.FAILED, str(out))


@pytest.mark.parametrize("name", FORMATS)
def test_an_interrupted_export_leaves_the_old_file(
    demo: DemoRecording,
    name: str,
    tmp_path: Path,
    capsys: Capture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    out = tmp_path / "out"
    if name == "openpose":
        main(["export", str(demo.folder), "--format", name, "-o", str(out)])
    else:
        out.write_text("old")
    before = _tree(tmp_path)
    capsys.readouterr()
    shown: list[float] = []

    def interrupt(bar: ProgressBar, fraction: float, text: str = "") -> None:
        shown.append(fraction)
        if len(shown) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(ProgressBar, "show", interrupt)
    arguments = ["export", str(demo.folder), "--format", name, "-o", str(out)]
    assert main(arguments) == Exit.INTERRUPTED
    _said(capsys, Exit.INTERRUPTED, "Interrupted")
    assert _tree(tmp_path) == before


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_ctrl_c_leaves_no_half_demo(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    with _process("demo", folder) as process:
        end = time.monotonic() + 60
        while not any(tmp_path.glob(".demo*/videos/*.mp4")):
            assert process.poll() is None
            assert time.monotonic() < end
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        assert process.stderr is not None
        said = process.stderr.read()
    assert process.returncode == Exit.INTERRUPTED
    assert said == "Interrupted.\n"
    assert list(tmp_path.iterdir()) == []


def test_a_reader_that_has_enough_is_no_error(demo: DemoRecording) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with _process("info", demo.folder, stdout=writer) as process:
        os.close(writer)
        assert process.stderr is not None
        said = process.stderr.read()
    assert process.returncode == Exit.OK
    assert said == ""


def test_a_console_without_the_signs_gets_others(demo: DemoRecording) -> None:
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    with _process("info", demo.folder, stdout=subprocess.PIPE, env=environment) as process:
        text, said = process.communicate(timeout=60)
    assert (process.returncode, said) == (Exit.OK, "")
    assert "320?320 px" in text


def test_a_demo_is_made_once(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def small(folder: Path, **options: Any) -> DemoRecording:
        return make_demo(folder, n_frames=2, size=(320, 320), render=False, **options)

    monkeypatch.setattr("pipeline.synthesis.demo.make_demo", small)
    folder = tmp_path / "demo"
    assert main(["demo", str(folder)]) == 0
    assert capsys.readouterr().out == f"{folder}\n"
    before = _tree(folder)
    assert main(["demo", str(folder)]) == Exit.FAILED
    _said(capsys, Exit.FAILED, str(folder), "exists")
    assert _tree(folder) == before


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_the_progress_bar_shows_on_a_terminal_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli_output, "REDRAW_SECONDS", 0.0)
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


@pytest.mark.realdata
def test_info_names_what_is_odd_about_the_real_recording(balancing: Path, capsys: Capture) -> None:
    assert main(["info", str(balancing)]) == 0
    text = capsys.readouterr().out
    assert "Person 2: " in text
    for name in ("cam01", "cam02"):
        assert f"warning: The video {name}.mp4 is 1080×1920 px but its calibration" in text
    assert "warning: The distortion coefficients in Calib_qualisys.toml are 1/64" in text
    assert "info: There are several people at once in cam_01" in text
    assert main(["info", str(balancing), "--json"]) == 0
    codes = {entry["code"] for entry in json.loads(capsys.readouterr().out)["findings"]}
    assert {"size-mismatch", "several-people"} <= codes
