"""Wrong arguments, unusable input, interruptions: one sentence, the right code, no half file."""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.cli.main import main
from pipeline.cli.output import Exit, ProgressBar
from pipeline.data import edits
from pipeline.data.history import Place
from pipeline.io.export import FORMATS
from pipeline.io.project import Project
from pipeline.synthesis.demo import DemoRecording
from tests.cli.helpers import Capture, process, said_one_sentence, tree
from tests.io.recordings import write_recording


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


@pytest.mark.parametrize("span", ["5:5", "7:3", "0:13", "12:"])
def test_frames_that_are_not_there(
    demo: DemoRecording, span: str, tmp_path: Path, capsys: Capture
) -> None:
    out = tmp_path / "walk.trc"
    arguments = ["export", str(demo.folder), "--format", "trc", "-o", str(out)]
    assert main([*arguments, "--frames", span]) == Exit.USAGE
    said_one_sentence(capsys, Exit.FAILED, "--frames", "walk")
    assert not out.exists()


@pytest.mark.parametrize("number", ["0", "2", "-1"])
def test_a_person_who_is_not_there(
    demo: DemoRecording, number: str, tmp_path: Path, capsys: Capture
) -> None:
    out = tmp_path / "walk.trc"
    arguments = ["triangulate", str(demo.folder), f"--person={number}", "-o", str(out)]
    assert main(arguments) == Exit.NO_PERSON
    said_one_sentence(capsys, Exit.NO_PERSON, f"no person {number}", "there is: 1")
    assert not out.exists()


def test_nobody_at_all(tmp_path: Path, capsys: Capture) -> None:
    folder = write_recording(tmp_path / "empty")
    for file in (folder / "pose").rglob("*.json"):
        file.write_text('{"version": 1.3, "people": []}')
    out = tmp_path / "out.trc"
    assert main(["triangulate", str(folder), "-o", str(out)]) == Exit.NO_PERSON
    said_one_sentence(capsys, Exit.NO_PERSON, "empty")
    assert main(["info", str(folder)]) == 0
    assert "  nobody\n" in capsys.readouterr().out


def test_an_ignored_person_is_passed_over(project: Path, tmp_path: Path, capsys: Capture) -> None:
    with Project.open(project, author="Ada") as opened:
        patches = edits.ignore_track(opened.sequence, 0, True)
        opened.commit("Ignore", patches, Place())
    out = tmp_path / "walk.trc"
    assert main(["triangulate", str(project), "-o", str(out)]) == Exit.NO_PERSON
    said_one_sentence(capsys, Exit.NO_PERSON, "ignored")
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
    said_one_sentence(capsys, Exit.UNUSABLE, *(words if name == "input" else ["input"]))


def test_a_recording_without_a_calibration_is_named(
    demo: DemoRecording, tmp_path: Path, capsys: Capture
) -> None:
    folder = tmp_path / "jump"
    shutil.copytree(demo.folder / "videos", folder / "videos")
    assert main(["triangulate", str(folder), "-o", "x.trc"]) == Exit.UNUSABLE
    said_one_sentence(capsys, Exit.UNUSABLE, "jump", "calibration")


def test_a_calibration_does_not_go_with_a_project(
    demo: DemoRecording, project: Path, capsys: Capture
) -> None:
    calibration = next((demo.folder / "calibration").iterdir())
    arguments = ["triangulate", str(project), "--calibration", str(calibration), "-o", "x.trc"]
    assert main(arguments) == Exit.USAGE
    said_one_sentence(capsys, Exit.FAILED, "--calibration")


def test_output_that_cannot_be_written(
    demo: DemoRecording, tmp_path: Path, capsys: Capture
) -> None:
    for out in (tmp_path / "no such folder" / "walk.trc", tmp_path):
        assert main(["triangulate", str(demo.folder), "-o", str(out)]) == Exit.FAILED
        said_one_sentence(capsys, Exit.FAILED, str(out))


@pytest.mark.parametrize("name", FORMATS)
def test_an_interrupted_export_leaves_the_old_file(
    demo: DemoRecording,
    name: str,
    tmp_path: Path,
    capsys: Capture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = tmp_path / "written"  # apart from caches, which may be written to
    folder.mkdir()
    out = folder / "out"
    if name == "openpose":
        main(["export", str(demo.folder), "--format", name, "-o", str(out)])
    else:
        out.write_text("old")
    before = tree(folder)
    capsys.readouterr()
    shown: list[float] = []

    def interrupt(bar: ProgressBar, fraction: float, text: str = "") -> None:
        if text.startswith(("Reading", "Finding")):
            return
        shown.append(fraction)
        if len(shown) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(ProgressBar, "show", interrupt)
    arguments = ["export", str(demo.folder), "--format", name, "-o", str(out)]
    assert main(arguments) == Exit.INTERRUPTED
    said_one_sentence(capsys, Exit.INTERRUPTED, "Interrupted")
    assert tree(folder) == before


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_ctrl_c_leaves_no_half_demo(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    with process("demo", folder) as running:
        end = time.monotonic() + 120
        while not any(tmp_path.glob(".demo*/videos/*.mp4")):
            assert running.poll() is None
            assert time.monotonic() < end
            time.sleep(0.02)
        running.send_signal(signal.SIGINT)
        assert running.stderr is not None
        said = running.stderr.read()
    assert running.returncode == Exit.INTERRUPTED
    assert said == "Interrupted.\n"
    assert list(tmp_path.iterdir()) == []


def test_a_reader_that_has_enough_is_no_error(demo: DemoRecording) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with process("info", demo.folder, stdout=writer) as running:
        os.close(writer)
        assert running.stderr is not None
        said = running.stderr.read()
    assert running.returncode == Exit.OK
    assert said == ""
