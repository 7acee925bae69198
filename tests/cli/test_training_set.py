"""``simspine training-set``: pictures with labels from a recording or project; what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline.cli.main import main
from pipeline.cli.output import Exit
from pipeline.data.skeleton import project_skeleton
from pipeline.io.picture_set import read_picture_set
from pipeline.synthesis.demo import DemoRecording, make_demo
from tests.cli.helpers import Capture, said_one_sentence, tree

N, N_VIEWS = 12, 4


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> DemoRecording:
    folder = tmp_path_factory.mktemp("recordings") / "seen"
    return make_demo(folder, n_frames=N, size=(480, 480), render=False)


def test_a_recording_becomes_a_set(
    recording: DemoRecording, tmp_path: Path, capsys: Capture
) -> None:
    before, out = tree(recording.folder), tmp_path / "set"
    arguments = ["training-set", str(recording.folder), "-o", str(out), "--views", "cam_1", "cam_4"]
    assert main([*arguments, "--frames", "2:10", "--every", "3"]) == Exit.OK
    assert tree(recording.folder) == before
    found = read_picture_set(out)
    assert len(found) == 6
    names = [f"cam_{v}/cam_{v}_{n:06d}.jpg" for n in (2, 5, 8) for v in (1, 4)]
    assert [path.relative_to(out).as_posix() for path in found.files] == names
    streams = capsys.readouterr()
    visible, hidden = ((found.visibility == v).sum() for v in (2, 1))
    assert streams.out == (
        f"{out}: 6 pictures of person 1, {visible} points visible and {hidden} hidden, "
        "0 placed by hand\n"
    )


def test_corrected_frames_of_a_project(project: Path, tmp_path: Path, capsys: Capture) -> None:
    """The project's shoulder is placed at 100, 100 in two views of frame 3."""
    out = tmp_path / "set"
    arguments = ["training-set", str(project), "-o", str(out), "--corrected-only", "--json"]
    assert main(arguments) == Exit.OK
    done = json.loads(capsys.readouterr().out)
    found = read_picture_set(out)
    assert done["person"] == 1
    assert done["pictures"] == len(found)
    assert done["pictures"] + sum(done["left_out"].values()) == N_VIEWS
    assert all("000003" in path.name for path in found.files)
    shoulder = project_skeleton().index("LShoulder")
    assert found.xy[0, shoulder].tolist() == [100.0, 100.0]
    assert done["placed"] == 2


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (["--every", "0"], Exit.USAGE, "'0'"),
        (["--frames", "5:99"], Exit.USAGE, "5:99"),
        (["--views", "cam_9"], Exit.FAILED, "cam_9"),
        (["--person", "7"], Exit.NO_PERSON, "no person 7"),
        (["--corrected-only"], Exit.FAILED, "nobody has corrected"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(
    recording: DemoRecording,
    tmp_path: Path,
    capsys: Capture,
    options: list[str],
    code: Exit,
    said: str,
) -> None:
    out = tmp_path / "set"
    assert main(["training-set", str(recording.folder), "-o", str(out), *options]) == code
    assert said in capsys.readouterr().err
    assert not out.exists()


def test_a_folder_with_other_things_is_left_alone(
    recording: DemoRecording, tmp_path: Path, capsys: Capture
) -> None:
    out = tmp_path / "mine"
    out.mkdir()
    (out / "note.txt").write_text("kept", encoding="utf-8")
    assert main(["training-set", str(recording.folder), "-o", str(out)]) == Exit.FAILED
    said_one_sentence(capsys, Exit.FAILED, str(out), "not replaced")
    assert (out / "note.txt").read_text(encoding="utf-8") == "kept"
