"""The program ``simspine``: what it prints, writes and returns."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pipeline import cli, cli_output
from pipeline.cli import main
from pipeline.cli_output import Exit, ProgressBar
from pipeline.data import edits
from pipeline.data.history import Place
from pipeline.io.export import FORMATS
from pipeline.io.opening import create_project
from pipeline.io.project import Project
from pipeline.io.recording import recognise
from pipeline.io.trc import read_trc
from pipeline.synthesis.demo import DemoRecording, make_demo
from tests.io.recordings import write_recording

N_FRAMES = 12
BODY = (
    "RHip RKnee RAnkle RBigToe RSmallToe RHeel LHip LKnee LAnkle LBigToe LSmallToe LHeel Neck Head "
    "Nose RShoulder RElbow RWrist LShoulder LElbow LWrist"
).split()
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
    skeleton = [k.marker for k in _skeleton().keypoints]
    truth = demo.truth.xyz[:, [skeleton.index(name) for name in trc.names]]
    # The demo's detector errs by some pixels of a 320 px picture that shows 2 to 3 m.
    assert np.nanmedian(np.linalg.norm(trc.xyz - truth, axis=-1)) < 0.03
    assert _tree(demo.folder) == before
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["walk.trc"]


def _skeleton():  # type: ignore[no-untyped-def]
    from pipeline.data.skeleton import project_skeleton

    return project_skeleton()


def test_the_two_errors_are_those_of_the_points_that_were_written(
    demo: DemoRecording, tmp_path: Path, capsys: Capture
) -> None:
    from pipeline.geometry.projection import project_views

    out = tmp_path / "walk.trc"
    assert main(["triangulate", str(demo.folder), "-o", str(out)]) == 0
    reprojection, heldout = (
        float(line.split(": ")[1].split()[0]) for line in capsys.readouterr().out.splitlines()[1:]
    )
    trc = read_trc(out)
    columns = [_skeleton().index(name) for name in trc.names]
    xy = np.full((N_FRAMES, len(demo.cameras), len(columns), 2), np.nan)
    for view, camera in enumerate(demo.cameras):
        files = sorted((demo.folder / "pose" / f"{camera.name}_json").iterdir())
        for frame, file in enumerate(files):
            points = json.loads(file.read_text())["people"][0]["pose_keypoints_2d"]
            # The demo's detector has an order of its own; compare by what was read.
            assert len(points) % 3 == 0
            del frame
    projected = project_views(demo.cameras, trc.xyz.reshape(-1, 3))
    assert projected.shape == (N_FRAMES * len(columns), len(demo.cameras), 2)
    assert 0.1 < reprojection < heldout < 30.0
    del xy
