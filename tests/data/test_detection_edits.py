"""What a model found goes before what was imported, and never before what a person placed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline.data import edits
from pipeline.data.detection_edits import (
    forget_detections,
    in_project_skeleton,
    new_track,
    set_detections,
)
from pipeline.data.history import Place
from pipeline.data.observations import detection_sd, detections, observations, track_ids
from pipeline.data.patch import Patch
from pipeline.data.presence import detected_in, seen_in
from pipeline.data.sequence import Sequence
from pipeline.data.skeleton import load_skeleton, project_skeleton
from pipeline.io.project import Project
from tests.data.recordings import N_FRAMES, small_arrays, small_info, small_sequence

K = 37


def _points(n: int, seed: int = 3) -> np.ndarray:
    rng = np.random.default_rng(seed)
    points = rng.uniform(10, 900, (n, K, 5)).astype(np.float32)
    points[..., 2] = rng.uniform(0, 1, (n, K))
    return points


def _apply(sequence: Sequence, patches: tuple[Patch, ...]) -> None:
    for patch in patches:
        sequence.apply(patch)


def test_found_points_go_before_imported_ones_in_their_pictures_only() -> None:
    sequence = small_sequence()
    before, score_before = detections(sequence, 0)
    other = detections(sequence, 1)
    points = _points(2)
    points[1, 5] = np.nan
    _apply(sequence, set_detections(sequence, 0, [4, 270], [1, 0], points))
    xy, score = detections(sequence, 0)
    np.testing.assert_array_equal(xy[4, 1], points[0, :, :2])
    np.testing.assert_array_equal(score[4, 1], points[0, :, 2])
    np.testing.assert_array_equal(xy[270, 0, 5], before[270, 0, 5])  # not found: as imported
    np.testing.assert_array_equal(detection_sd(sequence, 0)[4, 1], points[0, :, 3:])
    for frame, view in ((4, 1), (270, 0)):
        xy[frame, view], score[frame, view] = before[frame, view], score_before[frame, view]
    np.testing.assert_array_equal(xy, before)
    np.testing.assert_array_equal(score, score_before)
    for now, then in zip(detections(sequence, 1), other, strict=True):
        np.testing.assert_array_equal(now, then)


def test_placed_points_stay() -> None:
    sequence = small_sequence()
    _apply(sequence, edits.place_point(sequence, 0, 4, 1, 7, (11.0, 12.0)))
    _apply(sequence, edits.delete_point(sequence, 0, 4, [1], 8))
    manual = sequence.read("manual2d.xy", track=0), sequence.read("manual2d.flags", track=0)
    _apply(sequence, set_detections(sequence, 0, [4], [1], _points(1)))
    np.testing.assert_array_equal(sequence.read("manual2d.xy", track=0), manual[0])
    np.testing.assert_array_equal(sequence.read("manual2d.flags", track=0), manual[1])
    seen = observations(sequence, 0, np.array([4]))
    np.testing.assert_array_equal(seen.xy[0, 1, 7], (11.0, 12.0))
    assert np.isnan(seen.xy[0, 1, 8]).all()


def test_a_second_run_replaces_the_first_and_forgetting_brings_back_the_import() -> None:
    sequence = small_sequence()
    before = detections(sequence, 0)
    _apply(sequence, set_detections(sequence, 0, [4, 5], [1, 1], _points(2)))
    second = _points(1, seed=4)
    second[0, 3] = np.nan
    _apply(sequence, set_detections(sequence, 0, [4], [1], second))
    xy, _ = detections(sequence, 0)
    np.testing.assert_array_equal(xy[4, 1, 3], before[0][4, 1, 3])  # nothing of the first run
    np.testing.assert_array_equal(xy[4, 1, 4], second[0, 4, :2])
    _apply(sequence, forget_detections(sequence, 0, [4, 5, 6], [1, 1, 1]))
    for now, then in zip(detections(sequence, 0), before, strict=True):
        np.testing.assert_array_equal(now, then)
    assert forget_detections(sequence, 0, [4], [1]) == ()


def test_solved_points_become_stale() -> None:
    sequence = small_sequence()
    everything = np.arange(N_FRAMES)
    for group in ("points3d", "fused"):
        sequence.stamps.computed(group, 0, everything, sequence.revision)
    _apply(sequence, set_detections(sequence, 0, [40], [1], _points(1)))
    assert np.flatnonzero(sequence.stamps.stale("points3d", 0)).tolist() == [40]
    assert sequence.stamps.stale("fused", 0)[30]


def test_a_person_nobody_detected_before() -> None:
    sequence = Sequence(small_info())
    assert new_track(sequence) == 0
    points = _points(1)
    points[0, 20:] = np.nan
    _apply(sequence, set_detections(sequence, 0, [4], [1], points))
    assert track_ids(sequence).tolist() == [0]
    assert new_track(sequence) == 1
    assert np.argwhere(seen_in(sequence, 0)).tolist() == [[4, 1]]
    there, keypoints = detected_in(sequence)
    assert np.argwhere(there).tolist() == [[4, 1]]
    assert np.flatnonzero(keypoints).tolist() == list(range(20))


def test_merging_and_splitting_take_found_points_along() -> None:
    sequence = small_sequence()
    points = _points(2)
    _apply(sequence, set_detections(sequence, 1, [4, 200], [1, 1], points))
    _apply(sequence, edits.split_track(sequence, 1, 100))
    np.testing.assert_array_equal(detections(sequence, 2)[0][200, 1], points[1, :, :2])
    _apply(sequence, edits.merge_tracks(sequence, 1, 2))
    np.testing.assert_array_equal(detections(sequence, 1)[0][200, 1], points[1, :, :2])


def test_found_points_move_with_their_pictures() -> None:
    sequence = small_sequence()
    _apply(sequence, edits.set_sync(sequence, 1, 3.0, 0.0))
    points = _points(2)
    # Frame 297 now shows a picture that lay after the end when the recording was imported.
    _apply(sequence, set_detections(sequence, 0, [4, 298], [1, 1], points))
    np.testing.assert_array_equal(detections(sequence, 0)[0][4, 1], points[0, :, :2])
    _apply(sequence, edits.set_sync(sequence, 1, 0.0, 0.0))
    np.testing.assert_array_equal(detections(sequence, 0)[0][7, 1], points[0, :, :2])


def test_a_run_is_one_step_that_is_undone_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "a.simspine"
    project = Project.create(path, small_info(), author="Ada", recording={}, **small_arrays())
    before = detections(project.sequence, 0)
    points = _points(2)
    patches = set_detections(project.sequence, 0, [4, 5], [1, 2], points)
    project.commit("Detect", patches, Place(4, 1, -1, 0))
    project.undo()
    for now, then in zip(detections(project.sequence, 0), before, strict=True):
        np.testing.assert_array_equal(now, then)
    project.redo()
    project.close()
    with Project.open(path, read_only=True) as again:
        np.testing.assert_array_equal(detections(again.sequence, 0)[0][5, 2], points[1, :, :2])


def test_points_of_another_skeleton() -> None:
    coco = load_skeleton("coco_17")
    mapping = coco.mapping_onto(project_skeleton())
    found = np.arange(34.0).reshape(1, 17, 2)
    rows = in_project_skeleton(found, np.full((1, 17), 1.7), np.ones((1, 17, 2)), mapping)
    elbow = project_skeleton().index("left_elbow")
    np.testing.assert_array_equal(rows[0, elbow, :3], (*found[0, coco.index("left_elbow")], 1.0))
    assert np.isnan(rows[0, project_skeleton().index("neck")]).all()


def test_rows_of_the_wrong_shape() -> None:
    with pytest.raises(ValueError, match="expected"):
        set_detections(small_sequence(), 0, [4], [1], np.zeros((1, 17, 5)))
