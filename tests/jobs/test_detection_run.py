"""Which picture is looked at through which box, by a detector that knows the truth."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.data import edits
from pipeline.data.detection_edits import set_detections
from pipeline.data.observations import detections, observations
from pipeline.data.sequence import Sequence
from pipeline.geometry.projection import project_views
from pipeline.io.opening import open_in_memory
from pipeline.jobs.detection_run import DetectionPlan, DetectionRun
from pipeline.jobs.messages import Detected, Event, Pace, Progress, Remark
from pipeline.synthesis.demo import DemoRecording, make_demo
from tests.truth.seer import SD, SHIFT, Seer
from tests.truth.video import HEIGHT, WIDTH, encode

N, N_VIEWS = 40, 3
_OPTIONS = ("-c:v", "libx264", "-preset", "ultrafast", "-g", "10", "-pix_fmt", "yuv420p")
FloatArray = NDArray[np.float64]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> DemoRecording:
    """A recording whose videos carry view and frame, with the demo's truth."""
    folder = tmp_path_factory.mktemp("coded") / "coded"
    made = make_demo(folder, n_frames=N, size=(WIDTH, HEIGHT), n_views=N_VIEWS, render=False)
    for view, video in enumerate(sorted((folder / "videos").iterdir())):
        encode(video, range(SHIFT * view, SHIFT * view + N), *_OPTIONS)
    return made


def _empty(demo: DemoRecording) -> Sequence:
    """The recording as imported without any detections."""
    sequence, _ = open_in_memory(demo.folder)
    return Sequence(replace(sequence.info, n_persons=0))


def _people(demo: DemoRecording, n: int = 1) -> FloatArray:
    """(P, T, V, K, 2): the demo's person, and others a step aside."""
    steps = np.array([(0.0, 0.0, 0.0), (0.75, 0.0, 0.45)])[:n]
    moved = demo.truth.xyz[None] + steps[:, None, None]
    pixels = project_views(demo.cameras, moved)  # (P, T, K, V, 2)
    return np.moveaxis(pixels, 3, 2)


def _with(sequence: Sequence, people: FloatArray, frames: slice, views: list[int]) -> Sequence:
    """Imported detections of some people in some frames and views, tracks 0, 1, …"""
    n = len(people)
    info = replace(sequence.info, n_persons=n)
    out = Sequence(info)
    xy = np.full((N, N_VIEWS, n, 37, 2), np.nan, np.float32)
    for view in views:
        xy[frames, view] = people[:, frames, view].transpose(1, 0, 2, 3)
    score = np.where(np.isfinite(xy[..., 0]), 0.8, 0.0).astype(np.float32)
    there = np.isfinite(xy[..., 0, 0])
    assignment = np.where(there, np.arange(n), -1).astype(np.int16)
    for name, values in (
        ("instances2d.xy", xy),
        ("instances2d.score", score),
        ("assignment.track", assignment),
    ):
        out.layer(name).set_chunk(0, values)
    return out


def _run(
    sequence: Sequence, seer: Seer, frames: range = range(N), track: int = 0, **options: object
) -> tuple[list[Event], DetectionRun]:
    views = options.pop("views", tuple(range(N_VIEWS)))
    plan = DetectionPlan(track, np.array(frames, np.intp), views, **options)  # type: ignore[arg-type]
    run = DetectionRun(7, sequence, seer, plan)
    events = list(run.events())
    assert all(event.job_id == 7 for event in events)
    return events, run


def _found(events: list[Event]) -> dict[tuple[int, int], NDArray[np.float32]]:
    found: dict[tuple[int, int], NDArray[np.float32]] = {}
    for event in events:
        if isinstance(event, Detected):
            for frame, view, row in zip(event.frames, event.views, event.points, strict=True):
                found[int(frame), int(view)] = row
    return found


def _all_right(
    events: list[Event], truth: FloatArray, frames: range = range(N), views: int = N_VIEWS
) -> None:
    """Everything was found, and of this person (T, V, K, 2)."""
    found = _found(events)
    assert sorted(found) == [(frame, view) for frame in frames for view in range(views)]
    for (frame, view), row in found.items():
        np.testing.assert_allclose(row[:, :2], truth[frame, view], atol=1e-3)
        np.testing.assert_allclose(row[:, 2:], np.tile((0.9, SD, SD), (37, 1)), atol=1e-6)


def test_where_the_person_is_known_each_picture_is_looked_at_once(demo: DemoRecording) -> None:
    people = _people(demo)
    sequence = _with(_empty(demo), people, slice(0, N), [0, 1, 2])
    seer = Seer(people, batch=8)
    events, run = _run(sequence, seer)
    _all_right(events, people[0])
    assert len(seer.looks) == N * N_VIEWS
    assert set(seer.sizes) <= {6, 3}  # batches across views and whole frames
    assert (run.tally.found, run.tally.looked, run.tally.total) == (120, 120, 120)
    for frame, view, box in seer.looks:
        low, high = people[0, frame, view].min(axis=0), people[0, frame, view].max(axis=0)
        np.testing.assert_allclose(box[2:] - box[:2], 1.25 * (high - low), rtol=1e-3)
    shares = [event.fraction for event in events if isinstance(event, Progress)]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    last = events[-1]
    assert isinstance(last, Pace)
    assert last.device == "the mind's eye"
    assert last.per_second > 0


def test_a_person_known_in_one_frame_is_carried_both_ways_through_time(
    demo: DemoRecording,
) -> None:
    people = _people(demo)
    sequence = _with(_empty(demo), people, slice(20, 21), [0, 1, 2])
    events, _ = _run(sequence, Seer(people))
    _all_right(events, people[0])


def test_two_views_show_a_third_one_where_to_look(demo: DemoRecording) -> None:
    people = _people(demo, 2)
    sequence = _with(_empty(demo), people[:1], slice(0, N), [0, 2])
    seer = Seer(people)
    events, _ = _run(sequence, seer)
    _all_right(events, people[0])
    assert len(seer.looks) == N * N_VIEWS  # by the calibration, never by searching


def test_a_box_drawn_once_is_enough(demo: DemoRecording) -> None:
    people = _people(demo, 2)
    for chosen in (0, 1):
        truth = people[chosen, 10, 1]
        box = np.concatenate([truth.min(axis=0) - 4, truth.max(axis=0) + 4])
        events, _ = _run(_empty(demo), Seer(people), boxes={(10, 1): box})
        _all_right(events, people[chosen])


def test_a_drawn_box_goes_before_what_was_known(demo: DemoRecording) -> None:
    people = _people(demo, 2)
    wrong = _with(_empty(demo), people[::-1], slice(0, N), [0, 1, 2])  # the other one's points
    boxes = {}
    for view in range(N_VIEWS):
        truth = people[0, 5, view]
        boxes[5, view] = np.concatenate([truth.min(axis=0), truth.max(axis=0)])
    events, _ = _run(wrong, Seer(people), boxes=boxes)
    _all_right(events, people[0])


def test_nobody_knows_anything_and_one_person_is_there(demo: DemoRecording) -> None:
    people = _people(demo)
    seer = Seer(people)
    events, _ = _run(_empty(demo), seer)
    _all_right(events, people[0])
    whole = [box for *_, box in seer.looks if tuple(box) == (0, 0, WIDTH, HEIGHT)]
    assert 0 < len(whole) <= N_VIEWS


def test_identity_is_kept_beside_another_person(demo: DemoRecording) -> None:
    people = _people(demo, 2)
    known = _with(_empty(demo), people, slice(0, 1), [0, 1, 2])
    for track in (0, 1):
        events, _ = _run(known, Seer(people), track=track)
        _all_right(events, people[track])


def test_points_of_somebody_else_are_not_taken(demo: DemoRecording) -> None:
    """Hidden behind another person, who is then found in the box: nothing is said instead."""
    people = _people(demo, 2)
    sequence = _with(_empty(demo), people, slice(0, N), [0, 1, 2])
    alone = np.stack([people[1], people[1]])
    events, run = _run(sequence, Seer(alone), track=0)
    assert _found(events) == {}
    assert run.tally.found == 0


def test_a_view_that_shows_somebody_else_is_put_right_by_the_others(demo: DemoRecording) -> None:
    people = _people(demo, 2)
    sequence = _with(_empty(demo), people[:1], slice(0, 1), [0, 1, 2])
    seer = Seer(people)
    seer.confused = {(frame, 2): 1 for frame in range(12, 15)}
    events, _ = _run(sequence, seer)
    found = _found(events)
    assert {place for place in seer.confused if place in found} == set()
    for (frame, view), row in found.items():
        np.testing.assert_allclose(row[:, :2], people[0, frame, view], atol=1e-3)
    assert len(found) == N * N_VIEWS - len(seer.confused)


def test_frames_in_which_nobody_is_found_stay_and_are_bridged(demo: DemoRecording) -> None:
    people = _people(demo)
    sequence = _with(_empty(demo), people, slice(0, 1), [0, 1, 2])
    seer = Seer(people)
    seer.blind = {(frame, 1) for frame in range(10, 14)}
    events, _ = _run(sequence, seer)
    assert sorted({(f, v) for f in range(N) for v in range(3)} - set(_found(events))) == sorted(
        seer.blind
    )


def test_only_the_frames_and_views_that_were_asked_for(demo: DemoRecording) -> None:
    people = _people(demo)
    sequence = _with(_empty(demo), people, slice(0, N), [0, 1, 2])
    events, run = _run(sequence, Seer(people), range(7, 19), views=(2,))
    assert sorted(_found(events)) == [(frame, 2) for frame in range(7, 19)]
    assert run.tally.total == 12


def test_pictures_are_those_shown_by_a_corrected_time_axis(demo: DemoRecording) -> None:
    people = _people(demo)
    sequence = _with(_empty(demo), people, slice(0, N), [0, 1, 2])
    for patch in edits.set_sync(sequence, 1, 3.0, 0.0):
        sequence.apply(patch)
    seer = Seer(people)
    events, _ = _run(sequence, seer, range(10, 12))
    assert {frame for frame, view, _ in seer.looks if view == 1} == {13, 14}
    row = _found(events)[10, 1]
    np.testing.assert_allclose(row[:, :2], people[0, 13, 1], atol=1e-3)
    for event in events:
        if isinstance(event, Detected):
            for patch in set_detections(sequence, 0, event.frames, event.views, event.points):
                sequence.apply(patch)
    np.testing.assert_allclose(detections(sequence, 0)[0][10, 1], people[0, 13, 1], atol=1e-3)


def test_manual_points_and_other_people_stay(demo: DemoRecording) -> None:
    people = _people(demo, 2)
    sequence = _with(_empty(demo), people, slice(0, N), [0, 1, 2])
    placed = people[0, 3, 1, 4] + (3.0, -2.0)
    for patch in edits.place_point(sequence, 0, 3, 1, 4, placed):
        sequence.apply(patch)
    other = detections(sequence, 1)
    events, _ = _run(sequence, Seer(people))
    for event in events:
        if isinstance(event, Detected):
            for patch in set_detections(sequence, 0, event.frames, event.views, event.points):
                sequence.apply(patch)
    seen = observations(sequence, 0, np.array([3]))
    np.testing.assert_allclose(seen.xy[0, 1, 4], placed, rtol=1e-6)
    np.testing.assert_allclose(seen.score[0, 1, 5], 0.9)
    for now, then in zip(detections(sequence, 1), other, strict=True):
        np.testing.assert_array_equal(now, then)


def test_too_little_memory_is_told_while_it_goes_on(demo: DemoRecording) -> None:
    people = _people(demo)
    sequence = _with(_empty(demo), people, slice(0, N), [0, 1, 2])
    seer = Seer(people, batch=16, forget=3)
    events, _ = _run(sequence, seer)
    _all_right(events, people[0])
    assert [e.text for e in events if isinstance(e, Remark)] == [
        "Too much at once; going on with less."
    ]
    assert max(seer.sizes) == 3


def test_a_stopped_run_leaves_no_video_open(demo: DemoRecording) -> None:
    people = _people(demo)
    sequence = _with(_empty(demo), people, slice(0, N), [0, 1, 2])
    plan = DetectionPlan(0, np.arange(N), (0, 1, 2))
    run = DetectionRun(7, sequence, Seer(people), plan)
    events = run.events()
    while not isinstance(next(events), Detected):
        pass
    assert run._pictures._readers
    events.close()
    assert not run._pictures._readers
