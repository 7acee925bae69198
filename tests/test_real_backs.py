"""The labels of markers on the real back can be read, and agree with each other and the videos."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.real_backs_labels import FOLDER, VIEWS, Mark, pixels_of, read_marks, write_marks
from pipeline.data.errors import UserError
from pipeline.jobs.messages import Done, Job, Progress
from pipeline.jobs.runner import run_job
from pipeline.jobs.tasks import TASKS

MARKERS = ("C7", "MidBackUpper", "MidBackLower")
N_FRAMES, SIZE = 100, (1088, 1920)
FASTEST = 14.0  # px from frame to frame: the head end of the back in a quick turn


def _labels() -> np.ndarray:
    return pixels_of(read_marks(FOLDER / "markers.csv"), MARKERS, VIEWS, N_FRAMES)


def test_every_marker_is_there_in_both_views_in_most_frames() -> None:
    both = np.isfinite(_labels()[..., 0]).all(axis=1)
    assert (both.sum(axis=0) >= 90).all(), both.sum(axis=0)


def test_the_labels_lie_in_the_pictures_and_move_like_a_person() -> None:
    xy = _labels()
    known = xy[np.isfinite(xy[..., 0])]
    assert (known >= 0).all()
    assert (known < SIZE).all()
    step = np.linalg.norm(np.diff(xy, axis=0), axis=-1)
    assert np.nanmax(step) < FASTEST
    order = xy[:, :, 0, 1] < xy[:, :, 2, 1]
    assert order[np.isfinite(xy[:, :, [0, 2], 1]).all(axis=-1)].all(), "C7 above the lower one"


def test_what_a_person_placed_is_among_the_labels_as_it_was_placed() -> None:
    labels = {(m.view, m.marker, m.frame): m for m in read_marks(FOLDER / "markers.csv")}
    starts = read_marks(FOLDER / "starts.csv")
    assert len(starts) >= 36
    for start in starts:
        label = labels[start.view, start.marker, start.frame]
        assert label.how == "placed"
        assert (label.x, label.y) == pytest.approx((start.x, start.y), abs=0.01)
    assert sum(label.how == "placed" for label in labels.values()) == len(starts)


def test_a_table_comes_back_and_a_bad_one_is_said(tmp_path: Path) -> None:
    path = tmp_path / "marks.csv"
    marks = [Mark("a", "C7", 3, 1.25, 2.5, "followed"), Mark("a", "C7", 4, 1.0, 2.0)]
    write_marks(path, marks)
    assert read_marks(path) == marks
    path.write_text("view,marker,frame,x,y\na,C7,1,2,\n")
    with pytest.raises(UserError, match=r"marks\.csv: line 2 is no point"):
        read_marks(path)
    with pytest.raises(UserError, match=r"none\.csv: the labels cannot be read"):
        read_marks(tmp_path / "none.csv")


@pytest.mark.realdata
def test_the_views_agree_once_cameras_are_refined(balancing_source: Path) -> None:
    from benchmarks.real_backs import marker_points, opened

    sequence, _ = opened(balancing_source, refined=True)
    xyz, left = marker_points(sequence, MARKERS)
    assert np.nanmedian(left) < 2.0
    assert np.nanpercentile(left, 95) < 3.0
    apart = np.linalg.norm(xyz[:, 1] - xyz[:, 2], axis=-1)
    # Two markers on one stretch of skin: what changes is the skin, and the error of the labels.
    assert np.ptp(apart) < 0.008
    assert np.std(apart) < 0.002


@pytest.mark.realdata
def test_a_marker_is_followed_in_the_real_video(balancing_source: Path) -> None:
    xy = _labels()[:, 0, 1]
    args = {
        "video": str(balancing_source / "videos" / "cam03.mp4"),
        "pictures": list(range(20, 41)),
        "xy": xy[20].tolist(),
    }
    first, *_, last = run_job(Job(5, "track_keypoint", args), TASKS)
    assert isinstance(first, Progress)
    assert isinstance(last, Done)
    assert last.result["reason"] == ""
    assert np.linalg.norm(np.array(last.result["xy"])[-1] - xy[40]) < 2.0
    back = {**args, "pictures": list(range(40, 19, -1)), "xy": xy[40].tolist()}
    *_, last = run_job(Job(6, "track_keypoint", back), TASKS)
    assert isinstance(last, Done)
    assert np.linalg.norm(np.array(last.result["xy"])[-1] - xy[20]) < 2.0


def test_a_level_on_a_cubic_is_told_exactly() -> None:
    from benchmarks.held_out_levels import cubic_prediction

    at = np.array([0.0, 0.05, 0.11, 0.17, 0.30, 0.43, 0.50, 0.55, 0.60])
    column = np.stack([at**3 - 2 * at**2, 3 * at, 0.5 - at**2], axis=-1)[None]
    for level in range(1, 8):
        without = column.copy()
        without[:, level] = np.nan
        np.testing.assert_allclose(
            cubic_prediction(without, at, level), column[:, level], atol=1e-12
        )


def test_the_nine_levels_are_there_in_both_views_of_thirty_frames_and_lie_at_the_markers() -> None:
    names = ("Hip", "Spine_01", "Spine_02", "Spine_03", "Spine_04", "Spine_05", "Neck", "Neck_02",
             "Neck_03")  # fmt: skip
    marks = read_marks(FOLDER / "column.csv")
    assert {mark.how for mark in marks} == {"placed"}
    xy = pixels_of(marks, names, VIEWS, N_FRAMES)
    frames = np.flatnonzero(np.isfinite(xy).all(axis=(1, 2, 3)))
    assert len(frames) >= 30
    assert len(marks) == len(frames) * len(names) * len(VIEWS)
    assert (np.diff(xy[frames][..., 1], axis=2) < 0.0).all(), "each level above the one before"
    c7, upper, lower = np.moveaxis(_labels()[frames], 2, 0)
    # A ball stands 10 mm (4 px) off the skin on which the levels lie.
    assert np.linalg.norm(xy[frames, :, 6] - c7, axis=-1).max() < 8.0
    between = 0.7 * upper + 0.3 * lower
    assert np.linalg.norm(xy[frames, :, 4] - between, axis=-1).max() < 8.0


def test_the_nearest_place_on_a_curve() -> None:
    from benchmarks.real_backs import bend, lean, nearest_on_curve

    levels = np.stack([np.zeros(5), np.arange(5) / 10, np.zeros(5)], axis=-1)[None]
    distance, where = nearest_on_curve(levels, np.array([[[0.03, 0.25, 0.04], [np.nan] * 3]]))
    assert distance[0, 0] == pytest.approx(0.05, abs=1e-6)
    assert where[0, 0] == pytest.approx(2.5, abs=0.02)
    assert np.isnan(distance[0, 1])
    corner = np.array([[[0.0, 1.0, 1.0]], [[0.0, 1.0, 0.0]], [[0.0, 0.0, 0.0]]])
    assert bend(*corner)[0] == pytest.approx(90.0)
    assert lean(corner[0], corner[2])[0] == pytest.approx(45.0)
