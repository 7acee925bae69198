"""Boxes handed on in the real recording, where a second person stands in two of the views."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.data.sequence import Sequence
from pipeline.data.skeleton import project_skeleton
from pipeline.geometry.person_boxes import box_of_points
from pipeline.io.opening import open_in_memory
from pipeline.jobs import detection_run
from pipeline.jobs.detection_run import DetectionPlan, DetectionRun
from pipeline.jobs.messages import Detected
from pipeline.models.batches import Detections, Detector
from pipeline.models.variants import NetworkSpec

pytestmark = pytest.mark.realdata

N, N_VIEWS = 100, 4
FloatArray = NDArray[np.float64]


class _Pictures:
    """Pictures that hold nothing but which they are: what is in them is known."""

    def __init__(self, sequence: Sequence) -> None:
        self._sizes = [video.size for video in sequence.info.videos]

    def get(self, frame: int, view: int) -> NDArray[np.uint8]:
        width, height = self._sizes[view]
        picture = np.zeros((height, width, 3), np.uint8)
        picture[0, 0, :2] = frame, view
        return picture

    def expect(self, places: Iterable[tuple[int, int]]) -> None: ...

    def __enter__(self) -> _Pictures:
        return self

    def __exit__(self, *_: object) -> None: ...


class _Replay(Detector):
    """Says what the imported detector said of the person who is nearest the middle of a box."""

    def __init__(self, xy: NDArray[np.float32], score: NDArray[np.float32]) -> None:
        spec = NetworkSpec("replay", 37, (192, 256), "simcc")
        super().__init__(spec, project_skeleton(), "memory", 4, "subbin")
        self._xy, self._score = xy, score
        self._boxes = box_of_points(xy, score, 1.0)

    def _forward(self, crops: NDArray[np.uint8]) -> tuple[NDArray[np.floating], ...]:
        raise NotImplementedError

    def batches(
        self, people: Iterable[tuple[NDArray[np.uint8], FloatArray]]
    ) -> Iterator[Detections]:
        for picture, box in people:
            frame, view = int(picture[0, 0, 0]), int(picture[0, 0, 1])
            boxes = self._boxes[frame, view]
            away = (boxes[:, :2] + boxes[:, 2:] - box[:2] - box[2:]) / 2
            share = np.linalg.norm(away, axis=1) / np.linalg.norm(box[2:] - box[:2])
            share = np.where(np.isfinite(share), share, np.inf)
            person = int(share.argmin())
            points = np.asarray(self._xy[frame, view, person], np.float64)[None]
            # Crops show half as much again as the box: of somebody beyond that, nothing.
            seen = share[person] < 0.6
            score = self._score[frame, view, person][None] if seen else np.zeros((1, 37))
            yield Detections(points, score, np.ones_like(points))


@pytest.fixture(scope="module")
def recording(balancing_source: Path) -> Sequence:
    return open_in_memory(balancing_source)[0]


def _run(
    recording: Sequence,
    track: int,
    known: int | None,
    boxes: dict[tuple[int, int], FloatArray],
    monkeypatch: pytest.MonkeyPatch,
) -> NDArray[np.intp]:
    """(V, 2) pictures by view in which the person was found, and somebody else.

    Of the imported detections, only those of frame ``known`` are there.
    """
    arrays = {
        name: recording.read(name)
        for name in ("instances2d.xy", "instances2d.score", "assignment.track")
    }
    xy, score, assigned = arrays.values()
    sequence = Sequence(recording.info)
    if known is not None:
        for name, values in arrays.items():
            index = np.argwhere(np.ones(assigned.shape[1:], bool))
            index = np.column_stack([np.full(len(index), known), index])
            if name != "assignment.track":
                points = np.arange(37).repeat(len(index))[:, None]
                index = np.column_stack([np.tile(index, (37, 1)), points])
            sequence.apply(sequence.patch(name, index, values[tuple(index.T)]))
    monkeypatch.setattr(detection_run, "Pictures", _Pictures)
    plan = DetectionPlan(track, np.arange(N), tuple(range(N_VIEWS)), boxes)
    run = DetectionRun(0, sequence, _Replay(xy, score), plan)
    counts = np.zeros((N_VIEWS, 2), np.intp)
    for event in run.events():
        if isinstance(event, Detected):
            for frame, view, row in zip(event.frames, event.views, event.points, strict=True):
                own = xy[frame, view][assigned[frame, view] == track]
                is_own = len(own) and np.allclose(row[:, :2], own[0], equal_nan=True)
                counts[view, 0 if is_own else 1] += 1
    return counts


def _first_box(recording: Sequence, track: int, view: int) -> dict[tuple[int, int], FloatArray]:
    person = int(np.flatnonzero(recording.read("assignment.track", [0])[0, view] == track)[0])
    xy = recording.read("instances2d.xy", [0])[0, view, person]
    score = recording.read("instances2d.score", [0])[0, view, person]
    return {(0, view): box_of_points(xy, score, 1.1)}


@pytest.mark.parametrize("start", ["known in frame 0", "a box in view 0", "nothing"])
def test_the_person_on_the_beam_is_found_everywhere(
    recording: Sequence, start: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    boxes = _first_box(recording, 0, 0) if start == "a box in view 0" else {}
    known = 0 if start == "known in frame 0" else None
    counts = _run(recording, 0, known, boxes, monkeypatch)
    assert counts.tolist() == [[N, 0]] * N_VIEWS


@pytest.mark.parametrize("view", [0, 1])
def test_the_one_beside_is_found_in_the_two_views_that_show_them(
    recording: Sequence, view: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = _run(recording, 1, None, _first_box(recording, 1, view), monkeypatch)
    assert counts[:, 1].tolist() == [0, 0, 0, 0]  # never the other person
    assert (counts[:2, 0] >= 90).all()  # in some frames only three of the points are sure
    assert counts[2:, 0].tolist() == [0, 0]
