"""``simspine info``, the help, and how the program is started."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from pipeline.cli.main import FORMATS as OFFERED
from pipeline.cli.main import main
from pipeline.cli.output import Exit
from pipeline.data import edits
from pipeline.data.history import Place
from pipeline.io.export import FORMATS
from pipeline.io.project import Project
from pipeline.synthesis.demo import DemoRecording
from tests.cli.helpers import BODY, N_FRAMES, Capture, process
from tests.io.recordings import write_recording


def test_version_and_help_load_nothing_heavy() -> None:
    code = (
        "import sys\nfrom pipeline.cli.main import main\n"
        "main(['--version']), main(['triangulate', '--help'])\nprint(*sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.startswith("simspine 0.")
    assert not {"numpy", "av", "cv2", "scipy", "sqlite3"} & set(done.stdout.split())


def test_no_command_loads_qt_or_vtk(demo: DemoRecording, tmp_path: Path) -> None:
    code = (
        "import sys\nfrom pipeline.cli.main import main\nfolder, out = sys.argv[1:]\n"
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
    assert OFFERED == FORMATS


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


def test_people_are_counted_by_the_pictures_that_are_shown(project: Path, capsys: Capture) -> None:
    with Project.open(project) as opened:
        shift = edits.set_sync(opened.sequence, 0, 4.0, 0.0)
        opened.commit("Shift", shift, Place())
        names = opened.sequence.cameras.names
    assert main(["info", str(project), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    seen = [view["frames_with_people"] for view in told["views"]]
    assert seen == [N_FRAMES - 4, N_FRAMES, N_FRAMES, N_FRAMES]
    assert told["persons"][0]["frames"] == N_FRAMES
    with Project.open(project) as opened:
        late = edits.set_sync(opened.sequence, 0, float(N_FRAMES), 0.0)
        opened.commit("Shift", late, Place())
    assert main(["info", str(project), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["views"][0]["frames_with_people"] == 0
    assert told["persons"][0]["views"] == list(names[1:])


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


def test_a_console_without_the_signs_gets_others(demo: DemoRecording) -> None:
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    with process("info", demo.folder, stdout=subprocess.PIPE, env=environment) as running:
        text, said = running.communicate(timeout=60)
    assert (running.returncode, said) == (Exit.OK, "")
    assert "320?320 px" in text


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
