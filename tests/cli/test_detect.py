"""``simspine detect`` with a small network of random weights: into files, and into a project."""

from __future__ import annotations

import json
import pickle
import shutil
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from pipeline.cli import detect
from pipeline.cli.main import main
from pipeline.cli.output import Exit
from pipeline.data.observations import detections, track_ids
from pipeline.data.skeleton import project_skeleton
from pipeline.geometry.person_boxes import box_of_points
from pipeline.io.detections import read_detections
from pipeline.io.opening import create_project, open_in_memory
from pipeline.io.project import Project
from pipeline.io.recording import recognise
from pipeline.io.video_reader import open_video
from pipeline.models.detector import PoseDetector
from pipeline.synthesis.demo import DemoRecording, make_demo
from tests.cli.helpers import N_FRAMES, Capture, said_one_sentence, tree
from tests.truth.tiny_pose_network import exported, tiny_checkpoint, tiny_network

N_VIEWS = 4
Expected = tuple[NDArray[np.float64], NDArray[np.float64]]


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_checkpoint(tmp_path_factory.mktemp("weights") / "tiny.pth")


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def expected(demo: DemoRecording) -> Expected:
    """What the network says of every picture: xy (T, V, K, 2) and score (T, V, K)."""
    sequence, _ = open_in_memory(demo.folder)
    boxes = box_of_points(*detections(sequence, 0))
    detector = PoseDetector(tiny_network(), project_skeleton(), "cpu")
    xy, score = np.zeros((N_FRAMES, N_VIEWS, 37, 2)), np.zeros((N_FRAMES, N_VIEWS, 37))
    for view, video in enumerate(sequence.info.videos):
        assert video.path is not None
        with open_video(video.path) as reader:
            for frame in range(N_FRAMES):
                picture = reader.get(frame)
                assert picture is not None
                rgb = np.ascontiguousarray(picture[..., 2::-1])
                found = detector.detect([(rgb, boxes[frame, view])])
                xy[frame, view], score[frame, view] = found.points[0], found.scores[0]
    return xy, np.clip(score, 0, 1)


def test_what_is_written_is_read_back(
    demo: DemoRecording, weights: Path, expected: Expected, tmp_path: Path, capsys: Capture
) -> None:
    before = tree(demo.folder)
    out = tmp_path / "pose"
    assert main(["detect", str(demo.folder), "--model", str(weights), "-o", str(out)]) == Exit.OK
    streams = capsys.readouterr()
    assert f"Person 1 found in 48 of 48 pictures, written to {out}" in streams.out
    assert "tiny on CPU, 1 thread" in streams.out
    assert tree(demo.folder) == before
    xy, score = expected
    for view, camera in enumerate(demo.cameras):
        found = read_detections(out / f"{camera.name}_json", n_frames=N_FRAMES)
        assert found.skeleton == "spinetrack_37"
        np.testing.assert_allclose(found.xy[:, 0], xy[:, view], atol=2e-3)
        np.testing.assert_allclose(found.score[:, 0], score[:, view], atol=1e-5)
    again = tmp_path / "again"
    shutil.copytree(demo.folder, again, ignore=shutil.ignore_patterns("pose"))
    shutil.move(out, again / "pose")
    sequence, _ = open_in_memory(again)
    np.testing.assert_allclose(sequence.read("instances2d.xy")[:, :, 0], xy, atol=2e-3)


def test_only_some_views_and_frames(
    demo: DemoRecording, weights: Path, expected: Expected, tmp_path: Path, capsys: Capture
) -> None:
    out, names = tmp_path / "pose", demo.cameras.names
    arguments = ["detect", str(demo.folder), "--model", str(weights), "-o", str(out), "--json"]
    arguments += ["--views", names[2], names[0], "--frames", "3:7", "--device", "cpu"]
    assert main(arguments) == Exit.OK
    told = json.loads(capsys.readouterr().out)
    assert (told["found"], told["asked"], told["person"]) == (8, 8, 1)
    assert sorted(path.name for path in out.iterdir()) == [f"{names[i]}_json" for i in (0, 2)]
    files = sorted(path.name for path in (out / f"{names[2]}_json").iterdir())
    assert files == [f"{names[2]}.{number:04d}.json" for number in range(3, 7)]
    found = read_detections(out / f"{names[2]}_json", n_frames=N_FRAMES)
    np.testing.assert_allclose(found.xy[3:7, 0], expected[0][3:7, 2], atol=2e-3)


def test_an_onnx_file_says_the_same(
    demo: DemoRecording, expected: Expected, tmp_path: Path, capsys: Capture
) -> None:
    pytest.importorskip("onnxruntime")
    pytest.importorskip("onnx")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch's own exporter is being replaced
        model = exported(tiny_network(), tmp_path / "tiny.onnx")
    out = tmp_path / "pose"
    arguments = ["detect", str(demo.folder), "--model", str(model), "-o", str(out)]
    assert main([*arguments, "--frames", ":2"]) == Exit.OK
    assert "tiny on CPU (ONNX Runtime)" in capsys.readouterr().out
    found = read_detections(out / f"{demo.cameras.names[0]}_json", n_frames=N_FRAMES)
    np.testing.assert_allclose(found.xy[:2, 0], expected[0][:2, 0], atol=0.05)


def test_a_project_takes_the_points_as_steps_that_can_be_undone(
    project: Path,
    weights: Path,
    expected: Expected,
    capsys: Capture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(detect, "STEP_PICTURES", 30)
    with Project.open(project, read_only=True) as before:
        imported = detections(before.sequence, 0)
        placed = before.sequence.read("manual2d.xy", track=0)
        steps = len(before.history.entries)
    assert main(["detect", str(project), "--model", str(weights)]) == Exit.OK
    assert "in edited.simspine, to be undone there" in capsys.readouterr().out
    with Project.open(project) as after:
        xy, score = detections(after.sequence, 0)
        # The placed shoulder widens the box of the two pictures it stands in.
        same = np.ones((N_FRAMES, N_VIEWS), bool)
        same[3, :2] = False
        np.testing.assert_allclose(xy[same], expected[0][same], atol=2e-3)
        np.testing.assert_allclose(score[same], expected[1][same], atol=1e-5)
        np.testing.assert_array_equal(after.sequence.read("manual2d.xy", track=0), placed)
        assert [entry.label for entry in after.history.entries[steps:]] == ["Detect with tiny"] * 2
        after.undo()
        after.undo()
        for now, then in zip(detections(after.sequence, 0), imported, strict=True):
            np.testing.assert_array_equal(now, then)


def test_a_recording_in_which_nobody_was_detected_gets_its_first_person(
    weights: Path, tmp_path: Path
) -> None:
    made = make_demo(tmp_path / "bare", n_frames=3, size=(160, 160), n_views=2, render=False)
    shutil.rmtree(made.folder / "pose")
    path = tmp_path / "bare.simspine"
    create_project(recognise(made.folder), path, "Ada").close()
    assert main(["detect", str(path), "--model", str(weights)]) == Exit.OK
    with Project.open(path, read_only=True) as project:
        assert track_ids(project.sequence).tolist() == [0]


def test_a_folder_needs_a_place_for_the_points(
    demo: DemoRecording, weights: Path, capsys: Capture
) -> None:
    assert main(["detect", str(demo.folder), "--model", str(weights)]) == Exit.USAGE
    said_one_sentence(capsys, Exit.USAGE, "is a folder", "-o")


def test_a_folder_with_other_things_is_not_replaced(
    demo: DemoRecording, weights: Path, capsys: Capture
) -> None:
    pose = demo.folder / "pose"
    arguments = ["detect", str(demo.folder), "--model", str(weights), "--frames", "0:1"]
    assert main([*arguments, "-o", str(pose)]) == Exit.FAILED
    said_one_sentence(capsys, Exit.FAILED, str(pose), "not replaced")


class _Code:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return eval, ("1 + 1",)


def test_bad_input_is_one_sentence(
    demo: DemoRecording,
    weights: Path,
    tmp_path: Path,
    capsys: Capture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    out = tmp_path / "pose"

    def refused(
        code: Exit, *words: str, model: object = weights, more: tuple[str, ...] = ()
    ) -> None:
        arguments = ["detect", str(demo.folder), "--model", str(model), "-o", str(out), *more]
        assert main(arguments) == code
        said_one_sentence(capsys, code, *words)
        assert not out.exists()

    names = demo.cameras.names
    refused(Exit.FAILED, "no view named “cam_9”", names[0], names[-1], more=("--views", "cam_9"))
    refused(Exit.USAGE, "--frames 5:99 is not within 0:12", more=("--frames", "5:99"))
    refused(Exit.NO_PERSON, "no person 8", more=("--person", "8"))
    refused(Exit.FAILED, "no model named “spinepos”", "nearest is spinepose-", model="spinepos")
    refused(Exit.FAILED, "forbids commercial use", "--accept-licence", model="spinepose-m")
    refused(Exit.FAILED, "not on this machine yet", "models get", model="rtmpose-m-coco")
    refused(Exit.FAILED, "none.pth", "no such file", model=tmp_path / "none.pth")
    refused(Exit.FAILED, "“tpu” is no device", more=("--device", "tpu"))
    refused(Exit.FAILED, "finds 37 keypoints, but COCO", more=("--skeleton", "coco_17"))
    refused(Exit.FAILED, "no skeleton “hand”", more=("--skeleton", "hand"))
    bad = tmp_path / "bad.pth"
    tiny_checkpoint(bad, 5)
    refused(Exit.FAILED, "finds 5 keypoints", model=bad)
    bad.write_bytes(weights.read_bytes()[:9000])
    refused(Exit.FAILED, "bad.pth is cut off or damaged", model=bad)
    with bad.open("wb") as handle:
        pickle.dump({"state_dict": _Code()}, handle, protocol=2)
    refused(Exit.FAILED, "bad.pth was not loaded", "eval", model=bad)
    onnx = tmp_path / "net.onnx"
    onnx.write_bytes(b"0")
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    refused(Exit.FAILED, "net.onnx is an ONNX file", "not installed", model=onnx)
