"""Detecting and getting models as jobs: of a project, in a worker, stopped, out of memory."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from pipeline.data.detection_landing import Landing
from pipeline.data.errors import UserError
from pipeline.data.history import Place
from pipeline.data.observations import detections
from pipeline.io.opening import create_project
from pipeline.io.project import Project
from pipeline.io.recording import recognise
from pipeline.jobs.messages import (
    Cancelled,
    Detected,
    Done,
    Event,
    Failed,
    File,
    Job,
    Pace,
    Progress,
    Remark,
)
from pipeline.jobs.runner import run_job
from pipeline.jobs.spawn import WorkerProcess
from pipeline.jobs.tasks import TASKS
from pipeline.models.detector import PoseDetector
from pipeline.synthesis.demo import make_demo
from tests.truth.file_server import FileServer, serving
from tests.truth.tiny_pose_network import tiny_checkpoint

N, N_VIEWS = 10, 2


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_checkpoint(tmp_path_factory.mktemp("weights") / "tiny.pth")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("recording")
    made = make_demo(folder / "demo", n_frames=N, size=(160, 160), n_views=N_VIEWS, render=False)
    path = folder / "demo.simspine"
    create_project(recognise(made.folder), path, "Ada").close()
    return path


def _job(project: Path, weights: Path, **more: object) -> Job:
    return Job(3, "detect", {"project": str(project), "track": 0, "model": str(weights), **more})


def _refused(job: Job) -> str:
    with pytest.raises(UserError) as refused:
        list(TASKS["detect"](job))
    return str(refused.value)


def test_a_run_comes_as_events_and_writes_nothing(project: Path, weights: Path) -> None:
    before = project.read_bytes()
    events = list(TASKS["detect"](_job(project, weights)))
    assert project.read_bytes() == before
    done = events[-1]
    assert isinstance(done, Done)
    assert (done.result["found"], done.result["asked"]) == (N * N_VIEWS, N * N_VIEWS)
    assert done.result["model"] == "tiny"
    assert done.result["device"].startswith("CPU, ")
    paces = [event for event in events if isinstance(event, Pace)]
    assert paces[0].per_second == 0.0  # where it will run is told first
    assert paces[-1].per_second > 0.0
    shares = [event.fraction for event in events if isinstance(event, Progress)]
    assert shares == sorted(shares)
    assert isinstance(events[0], Progress)
    landing = Landing()
    for event in events:
        if isinstance(event, Detected):
            assert event.points.shape == (len(event.frames), 37, 5)
            landing.add(event.track, event.frames, event.views, event.points)
    assert len(landing) == N * N_VIEWS
    with Project.open(project) as opened:
        patches, place = landing.patches(opened.sequence)
        opened.commit("Detect", patches, place)
        assert place.track == 0
        assert (opened.sequence.read("detected2d.points", track=0)[..., 3] > 0).all()
        opened.undo()
    assert len(landing) == 0


def test_what_was_found_last_in_a_picture_counts(project: Path) -> None:
    landing = Landing(most=3)
    landing.add(0, np.array([4]), np.array([1]), np.full((1, 37, 5), 9, np.float32))
    with Project.open(project, read_only=True) as opened:
        assert landing.patches(opened.sequence)[1] == Place(4, 1, -1, 0)
    points = np.random.default_rng(1).uniform(1, 90, (4, 37, 5)).astype(np.float32)
    assert not landing.add(0, np.array([4, 5]), np.array([1, 1]), points[:2])
    assert landing.add(0, np.array([4, 4]), np.array([0, 1]), points[2:])
    with Project.open(project, read_only=True) as opened:
        sequence = opened.sequence
        patches, place = landing.patches(sequence)
        for patch in patches:
            sequence.apply(patch)
        xy, _ = detections(sequence, 0)
    for (frame, view), row in zip(((5, 1), (4, 0), (4, 1)), points[1:], strict=True):
        np.testing.assert_array_equal(xy[frame, view], row[:, :2])
    assert (place.frame, place.view) == (-1, -1)


def test_a_box_leads_a_run_and_has_to_lie_in_it(project: Path, weights: Path) -> None:
    box = (2, 1, 40.0, 20.0, 90.0, 140.0)
    events = list(TASKS["detect"](_job(project, weights, boxes=[box], frames=(2, 3))))
    (event,) = [e for e in events if isinstance(e, Detected) and 1 in e.views]
    rows = dict(zip(event.views.tolist(), event.points, strict=True))
    # The network has random weights, so that its points stay within what it was shown.
    assert (np.nanmin(rows[1][:, :2], axis=0) > (-35, -35)).all()
    text = _refused(_job(project, weights, boxes=[box], frames=(3, 5)))
    assert text.startswith("The box in cam_2 at frame 2 is not among the pictures")


def test_frames_that_are_not_there(project: Path, weights: Path) -> None:
    text = _refused(_job(project, weights, frames=(4, 11)))
    assert text == "The frames 4:11 are not within 0:10, those of “demo”."


def test_views_without_a_video(project: Path, weights: Path, tmp_path: Path) -> None:
    bare = make_demo(tmp_path / "bare", n_frames=3, size=(160, 160), n_views=2, render=False)
    video = bare.folder / "videos" / "cam_2.mp4"
    path = tmp_path / "bare.simspine"
    create_project(recognise(bare.folder), path, "Ada").close()
    video.unlink()
    assert "view cam_2 of “bare” has no video" in _refused(_job(path, weights, views=["cam_2"]))
    (bare.folder / "videos" / "cam_1.mp4").unlink()
    assert _refused(_job(path, weights)) == "“bare” has no video in which to look for anybody."


def test_too_little_memory_is_said_and_survived(
    project: Path, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = [e for e in TASKS["detect"](_job(project, weights)) if isinstance(e, Detected)]
    forward = PoseDetector._forward

    def small(self: PoseDetector, crops: np.ndarray) -> object:
        if len(crops) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return forward(self, crops)

    monkeypatch.setattr(PoseDetector, "_forward", small)
    events = list(TASKS["detect"](_job(project, weights, batch=4)))
    remarks = [event.text for event in events if isinstance(event, Remark)]
    assert len(remarks) == 1
    assert remarks[0].endswith("was too small for 4 pictures at a time; going on with 2.")
    assert [e for e in events if isinstance(e, Pace)][-1].batch == 2
    rows = [
        np.concatenate([e.points for e in es if isinstance(e, Detected)]) for es in (whole, events)
    ]
    np.testing.assert_allclose(*rows, atol=1e-3)


def test_a_run_stops_between_two_batches(project: Path, weights: Path) -> None:
    events: list[Event] = []

    def has_begun() -> bool:
        return any(isinstance(event, Detected) for event in events)

    for event in run_job(_job(project, weights), TASKS, has_begun):
        events.append(event)
    assert isinstance(events[-1], Cancelled)
    assert sum(isinstance(event, Detected) for event in events) == 1


@pytest.mark.worker
def test_a_run_in_a_worker_is_stopped(project: Path, weights: Path) -> None:
    worker = WorkerProcess("pose")
    try:
        worker.submit(_job(project, weights, batch=1))
        events = _until(worker, Detected)
        worker.cancel(3)
        events += _until(worker, Cancelled, Done)
        assert isinstance(events[-1], Cancelled)
        assert not any(isinstance(event, Failed) for event in events)
    finally:
        worker.close()


def _until(worker: WorkerProcess, *kinds: type[Event]) -> list[Event]:
    events: list[Event] = []
    end = time.monotonic() + 60
    while time.monotonic() < end:
        events += worker.poll()
        if any(isinstance(event, kinds) for event in events):
            return events
        time.sleep(0.02)
    raise AssertionError(f"nothing came but {events}")


@pytest.fixture
def server(weights: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FileServer]:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with serving(FileServer({"/tiny.pth": weights.read_bytes()})) as running:
        yield running


def test_a_model_is_got_listed_and_used(project: Path, tmp_path: Path, server: FileServer) -> None:
    store = tmp_path / "models"
    (store / "tiny").mkdir(parents=True)
    (store / "tiny" / "tiny.toml").write_text(
        'title = "Tiny"\nskeleton = "spinetrack_37"\nlicence = "MIT"\nnon_commercial = true\n'
        f'addresses = ["{server.address}/tiny.pth"]\n'
    )
    args = {"name": "tiny", "store": str(store)}
    ending = list(run_job(Job(4, "get_model", args), TASKS))[-1]
    assert isinstance(ending, Failed)
    assert "forbids commercial use" in ending.message
    events = list(TASKS["get_model"](Job(4, "get_model", {**args, "accept_licence": True})))
    assert isinstance(events[-1], Done)
    (file,) = [event for event in events if isinstance(event, File)]
    assert file.path == store / "tiny" / "tiny.pth"
    (listed,) = list(TASKS["list_models"](Job(5, "list_models", {"store": str(store)})))
    assert isinstance(listed, Done)
    (mine,) = [entry for entry in listed.result["models"] if entry["name"] == "tiny"]
    assert (mine["state"], mine["accepted"]) == ("there", True)
    *_, done = TASKS["detect"](_job(project, Path("tiny"), store=str(store), frames=(0, 2)))
    assert isinstance(done, Done)
    assert done.result["model"] == "Tiny"
