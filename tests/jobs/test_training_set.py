"""Training sets: labels are the truth of the pictures they lie in, whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from pipeline.data import edits
from pipeline.data.camera import CameraGroup
from pipeline.data.errors import UserError
from pipeline.data.history import Place
from pipeline.data.patch import Patch
from pipeline.data.sequence import Sequence
from pipeline.data.source import Flag
from pipeline.io.export_request import solve_steps
from pipeline.io.opening import create_project, open_in_memory
from pipeline.io.picture_set import PictureSet, is_picture_set, read_picture_set
from pipeline.io.project import Project
from pipeline.io.recording import recognise
from pipeline.io.recording_files import find_recording_files
from pipeline.io.stored_subject import StoredSubject, key_of, to_state
from pipeline.io.video_reader import open_video
from pipeline.jobs.dataset_find import find_sequences
from pipeline.jobs.messages import Done, File, Job, Progress
from pipeline.jobs.tasks import TASKS
from pipeline.jobs.training_labels import TRUSTED_MM, LeftOut, body_for, labels_of
from pipeline.jobs.training_set import SetRequest, SetTally, set_request, training_set_steps
from pipeline.kinematics.subject import subject_bytes
from pipeline.synthesis.demo import DemoRecording, make_demo

N, N_VIEWS, SIZE = 24, 3, (640, 640)
EVERYTHING = N * N_VIEWS
Edit = Callable[[Sequence], tuple[Patch, ...]]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> DemoRecording:
    folder = tmp_path_factory.mktemp("recordings") / "demo"
    return make_demo(folder, n_frames=N, size=SIZE, n_views=N_VIEWS, render=False)


@pytest.fixture
def sequence(demo: DemoRecording) -> Sequence:
    return open_in_memory(recognise(demo.folder))[0]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """An empty folder."""
    folder = tmp_path / "place"
    folder.mkdir()
    return folder


def _request(folder: Path, sequence: Sequence, **changes: Any) -> SetRequest:
    frames = changes.pop("frames", None)
    set_options = {"views": None, "every": 1, "corrected_only": False} | changes
    return set_request(folder, **set_options, sequence=sequence, track=0, frames=frames)


def _write(folder: Path, sequence: Sequence, **changes: Any) -> SetTally:
    tallies = []

    def kept() -> Iterator[tuple[float, str]]:
        tallies.append((yield from training_set_steps(_request(folder, sequence, **changes))))

    fractions = [fraction for fraction, _ in kept()]
    assert fractions == sorted(fractions)
    assert 0.0 <= fractions[0] <= fractions[-1] <= 1.0
    return tallies[0]


def _document(folder: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((folder / "annotations.json").read_text("utf-8"))
    return document


def _places(folder: Path) -> list[tuple[int, int]]:
    """Frame and view of every annotation, in their order."""
    document = _document(folder)
    images = {entry["id"]: entry for entry in document["images"]}
    names = [f"cam_{view + 1}" for view in range(N_VIEWS)]
    found = [images[one["image_id"]] for one in document["annotations"]]
    return [(entry["sequence_frame"], names.index(entry["camera"])) for entry in found]


def _apply(sequence: Sequence, *changes: Edit) -> None:
    for change in changes:
        for patch in change(sequence):
            sequence.apply(patch)


def _row(folder: Path, frame: int, view: int) -> tuple[PictureSet, int]:
    return read_picture_set(folder), _places(folder).index((frame, view))


def test_labels_are_the_truth_within_their_error(
    demo: DemoRecording, sequence: Sequence, place: Path
) -> None:
    tally = _write(place / "set", sequence)
    found = read_picture_set(place / "set")
    frames, views = np.array(_places(place / "set")).T
    assert tally.pictures == len(found) == EVERYTHING
    labelled = found.visibility > 0
    error = np.linalg.norm(found.xy - demo.truth.xy[frames, views], axis=-1)[labelled]
    # The detector's noise is 2 px in pictures of this size; planted errors are far larger.
    assert np.median(error) < 3.0
    assert np.percentile(error, 99) < 12.0
    visible = demo.truth.visible[frames, views]
    inside = _inside(demo.truth.xy[frames, views])
    assert (labelled == inside).mean() > 0.99
    wrong = ((found.visibility == 2) != visible)[labelled].mean()
    assert wrong < (~visible)[labelled].mean() / 4
    assert tally.visible == (found.visibility == 2).sum()
    assert tally.hidden == (found.visibility == 1).sum()


def _inside(xy: np.ndarray) -> np.ndarray:
    return np.asarray(((xy >= -0.5) & (xy < np.array(SIZE) - 0.5)).all(axis=-1))


def test_pictures_are_those_of_the_videos(
    demo: DemoRecording, sequence: Sequence, place: Path
) -> None:
    _write(place / "set", sequence, every=6, views=("cam_2",))
    found = read_picture_set(place / "set")
    assert _places(place / "set") == [(frame, 1) for frame in range(0, N, 6)]
    with open_video(demo.folder / "videos" / "cam_2.mp4", keep_bytes=1 << 20) as reader:
        for row, frame in enumerate(range(0, N, 6)):
            decoded = reader.get(frame)
            assert decoded is not None
            expected = cv2.cvtColor(decoded, cv2.COLOR_BGRA2RGB).astype(float)
            own = np.abs(found.picture(row) - expected).mean()
            other = np.abs(found.picture((row + 2) % 4) - expected).mean()
            assert own < 1.5
            assert other > 2 * own


def test_the_file_has_what_coco_asks_for(sequence: Sequence, place: Path) -> None:
    _write(place / "set", sequence, every=8)
    document = _document(place / "set")
    (category,) = document["categories"]
    assert len(category["keypoints"]) == 37
    files = {str(p.relative_to(place / "set")) for p in (place / "set").rglob("*.jpg")}
    assert files == {entry["file_name"] for entry in document["images"]}
    for image, one in zip(document["images"], document["annotations"], strict=True):
        assert (image["width"], image["height"]) == SIZE
        assert one["id"] == one["image_id"] == image["id"]
        points = np.array(one["keypoints"]).reshape(37, 3)
        there = points[:, 2] > 0
        assert one["num_keypoints"] == there.sum()
        low, high = points[there, :2].min(axis=0), points[there, :2].max(axis=0)
        np.testing.assert_allclose(one["bbox"], [*low, *(high - low)], atol=1e-3)
        sources = np.array(one["simspine"]["source"])
        assert set(sources[there]) <= {"triangulated", "interpolated"}
        assert set(sources[~there]) <= {"none"}
    about = document["info"]["training_set"]
    assert (about["every"], about["points"], about["pictures"]) == (8, "final", 9)


def test_what_a_person_said_in_a_view_is_the_truth_there(sequence: Sequence, place: Path) -> None:
    _apply(
        sequence,
        lambda s: edits.place_point(s, 0, 4, 1, 13, (100.5, 90.25)),
        lambda s: edits.toggle_flag(s, 0, 5, [1], 13, Flag.OCCLUDED),
        lambda s: edits.toggle_flag(s, 0, 6, [1], 13, Flag.ABSENT),
        lambda s: edits.delete_point(s, 0, 7, [1], 13),
    )
    tally = _write(place / "set", sequence, corrected_only=True)
    assert [*dict.fromkeys(frame for frame, _ in _places(place / "set"))] == [4, 5, 6, 7]
    assert tally.placed == 1
    found, row = _row(place / "set", 4, 1)
    assert (found.xy[row, 13].tolist(), found.visibility[row, 13]) == ([100.5, 90.25], 2)
    sources = _document(place / "set")["annotations"][row]["simspine"]["source"]
    assert sources[13] == "manual-2d"
    found, row = _row(place / "set", 5, 1)
    assert found.visibility[row, 13] == 1
    found, row = _row(place / "set", 6, 1)
    assert found.visibility[row, 13] == 0
    found, row = _row(place / "set", 7, 1)
    assert found.visibility[row, 13] > 0, "a wrong detection is no reason to lose the label"


def test_a_view_whose_labels_lie_away_from_the_person_is_left_out(
    demo: DemoRecording, sequence: Sequence, place: Path
) -> None:
    request = _request(place / "set", sequence).points
    for _ in solve_steps(request):
        pass
    body = body_for(request)
    frames = np.arange(8, dtype=np.intp)
    assert not labels_of(request, body, frames).left_out.any()
    for patch in edits.set_cameras(sequence, _turned_away(demo)):
        sequence.apply(patch)
    # The points are still those of before: the camera was moved, the person was not.
    left_out = labels_of(request, body, frames).left_out
    assert (left_out[:, 2] == LeftOut.AWAY).all()
    assert not left_out[:, :2].any()


def _turned_away(demo: DemoRecording) -> CameraGroup:
    cameras = list(demo.cameras)
    aside = cameras[2].translation + np.array([0.4, 0.0, 0.0])
    cameras[2] = replace(cameras[2], translation=aside)
    return replace(demo.cameras, cameras=tuple(cameras))


def test_points_that_are_not_known_well_are_no_labels(sequence: Sequence, place: Path) -> None:
    request = _request(place / "set", sequence).points
    for _ in solve_steps(request):
        pass
    body = body_for(request)
    points = [(3, k) for k in range(5)] + [(4, k) for k in range(30)]
    worse = np.full(len(points), TRUSTED_MM + 1.0, np.float32)
    sequence.apply(sequence.patch("fused.sigma", points, worse, 0))
    found = labels_of(request, body, np.arange(6, dtype=np.intp))
    assert not found.visibility[3, :, :5].any()
    assert found.visibility[2, :, :5].all()
    assert (found.left_out[4] == LeftOut.UNCERTAIN).all()
    assert not found.left_out[[0, 1, 2, 3, 5]].any()


def test_frames_without_the_person_are_counted(sequence: Sequence, place: Path) -> None:
    gone = [(frame, view, person) for frame in range(N) for view in range(N_VIEWS)
            for person in range(sequence.layer("assignment.track").shape[2])
            if frame < 16]  # fmt: skip
    sequence.apply(sequence.patch("assignment.track", gone, -1))
    tally = _write(place / "set", sequence)
    lost = tally.left_out[LeftOut.NOBODY] + tally.left_out[LeftOut.UNCERTAIN]
    assert tally.pictures + lost == EVERYTHING
    assert lost >= 10 * N_VIEWS
    stated = _document(place / "set")["info"]["training_set"]["left_out"]
    assert sum(stated.values()) == lost


def test_a_stopped_set_leaves_nothing(sequence: Sequence, place: Path) -> None:
    steps = training_set_steps(_request(place / "set", sequence))
    for fraction, _ in steps:
        if fraction > 0.6:
            break
    assert any(p.suffix == ".jpg" for p in place.rglob("*")), "it was at work"
    steps.close()
    assert list(place.iterdir()) == []


def test_a_full_disk_is_said_and_leaves_nothing(
    sequence: Sequence, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, written = Path.write_bytes, []

    def full(self: Path, data: bytes) -> int:
        written.append(self)
        if len(written) > 5:
            raise OSError(28, "No space left on device", str(self))
        return write(self, data)

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(UserError, match=r"set could not be written: the disk is full") as said:
        _write(place / "set", sequence)
    assert ".part" not in str(said.value)
    assert list(place.iterdir()) == []


def test_an_earlier_set_is_replaced_and_nothing_else(sequence: Sequence, place: Path) -> None:
    folder = place / "set"
    _write(folder, sequence, every=8)
    _write(folder, sequence, every=12)
    assert len(list(folder.rglob("*.jpg"))) == 2 * N_VIEWS
    (folder / "cam_1" / "mine.txt").write_text("kept", encoding="utf-8")
    with pytest.raises(UserError, match="was not replaced"):
        _write(folder, sequence, every=8)
    assert (folder / "cam_1" / "mine.txt").read_text(encoding="utf-8") == "kept"
    assert len(list(folder.rglob("*.jpg"))) == 2 * N_VIEWS
    assert len(list(place.iterdir())) == 1


def test_its_pictures_are_taken_for_no_recording(sequence: Sequence, tmp_path: Path) -> None:
    """A set beside or within recordings of numbered pictures is none of their views."""
    walk = tmp_path / "data" / "walk"
    for name in ("cam1/01.png", "cam1/02.png", "cam2/01.png", "cam2/02.png"):
        (walk / name).parent.mkdir(parents=True, exist_ok=True)
        (walk / name).touch()
    views = find_recording_files(walk).videos
    for folder in (walk / "walk_set", tmp_path / "data" / "another_set"):
        _write(folder, sequence, every=8)
        assert is_picture_set(folder)
    assert find_recording_files(walk).videos == views
    assert [found.key for found in find_sequences(tmp_path / "data")] == ["walk"]
    # Annotations of others hide nothing.
    (walk / "annotations.json").write_text('{"info": {}, "categories": []}', encoding="utf-8")
    assert [found.key for found in find_sequences(tmp_path / "data")] == ["walk"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"views": ("cam_9",)}, "no view named “cam_9”"),
        ({"frames": (5, 99)}, "frames 5 to 98"),
        ({"every": 0}, "every 0th frame"),
        ({"corrected_only": True}, "nobody has corrected"),
    ],
)
def test_what_cannot_be_written_is_said(
    sequence: Sequence, place: Path, changes: dict[str, Any], said: str
) -> None:
    with pytest.raises(UserError, match=said):
        _write(place / "set", sequence, **changes)
    assert list(place.iterdir()) == []


def test_a_set_without_a_picture_is_not_written(sequence: Sequence, place: Path) -> None:
    gone = [(frame, view, 0) for frame in range(N) for view in range(1, N_VIEWS)]
    sequence.apply(sequence.patch("assignment.track", gone, -1))
    with pytest.raises(UserError, match=r"set was not written: the points .* no length"):
        _write(place / "set", sequence)
    assert list(place.iterdir()) == []


def test_the_job_reads_a_project_and_its_body_model(demo: DemoRecording, place: Path) -> None:
    path, out = place / "demo.simspine", place / "set"
    with create_project(recognise(demo.folder), path, "Ada") as project:
        request = _request(out, project.sequence).points
        for _ in solve_steps(request):
            pass
        subject = StoredSubject(subject_bytes(body_for(request).subject), b"", {}, {})
        patches = edits.place_point(project.sequence, 0, 4, 1, 13, (100.0, 90.0))
        project.commit("Place point", patches, Place(4, 1, 13, 0))
    args = {"project": str(path), "track": 0, "out": str(out), "frames": (0, 8), "every": 4}
    events = list(TASKS["training_set"](Job(1, "training_set", args)))
    assert isinstance(events[0], Progress)
    assert events[-2] == File(1, out)
    assert events[-1] == Done(1, {**_counts(out), "left_out": {}})
    info = _document(out)["info"]
    assert (info["training_set"]["points"], info["contributor"]) == ("final", "Ada")
    with Project.open(path, author="Ada") as project:
        project.set_state(key_of(0), to_state(subject))
    list(TASKS["training_set"](Job(2, "training_set", args)))
    document = _document(out)
    assert document["info"]["training_set"]["points"] == "labels"
    used = {name for one in document["annotations"] for name in one["simspine"]["source"]}
    assert used & {"blended", "simulated"}


def _counts(folder: Path) -> dict[str, int]:
    found, about = read_picture_set(folder), _document(folder)["info"]["training_set"]
    return {
        "pictures": len(found),
        "visible": int((found.visibility == 2).sum()),
        "hidden": int((found.visibility == 1).sum()),
        "placed": about["placed"],
    }
