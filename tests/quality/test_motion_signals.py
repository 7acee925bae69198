"""Signals of lanes against values known from how the points were made."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.data import edits
from pipeline.geometry.reconstruct import solve_points3d
from pipeline.quality.motion_signals import (
    largest,
    measure_body,
    motion_signals,
    outside_signal,
    point_signals,
)
from tests.viewer.fakes import ANNOTATED, make_sequence


def _with_points(xyz: np.ndarray):
    """A recording whose triangulated points are ``xyz`` (T, 37, 3) m."""
    sequence = make_sequence(n_frames=len(xyz), bystander=False)
    frames = np.arange(len(xyz))
    sequence.land(solve_points3d(sequence, ANNOTATED, frames), frames, sequence.revision)
    index = np.stack(np.meshgrid(frames, np.arange(37), indexing="ij"), -1).reshape(-1, 2)
    sequence.apply(sequence.patch("points3d.xyz", index, xyz.reshape(-1, 3), ANNOTATED))
    return sequence


def _standing(n: int = 30) -> np.ndarray:
    rng = np.random.default_rng(3)
    return np.broadcast_to(rng.uniform(0.0, 1.0, (37, 3)), (n, 37, 3)).copy()


def test_speed_and_jump_of_a_known_motion() -> None:
    xyz = _standing()
    xyz[:, 5, 0] += 0.02 * np.arange(30)  # 20 mm a frame at 50 fps
    xyz[12, 9, 1] += 0.1
    sequence = _with_points(xyz)
    rows = np.arange(30)
    five = motion_signals(sequence, ANNOTATED, rows, 5)
    np.testing.assert_allclose(five["speed"][1:-1], 1.0, rtol=1e-5)
    np.testing.assert_allclose(five["jump"][1:-1], 0.0, atol=1e-3)
    assert np.isnan(five["speed"][[0, -1]]).all()
    worst = motion_signals(sequence, ANNOTATED, rows, -1)
    assert np.nanargmax(worst["jump"]) == 12
    assert worst["jump"][12] == pytest.approx(200.0, rel=1e-4)
    part = motion_signals(sequence, ANNOTATED, np.arange(11, 14), -1)
    np.testing.assert_allclose(part["jump"], worst["jump"][11:14])


def test_a_longer_bone_and_a_difference_between_left_and_right() -> None:
    xyz = _standing()
    sequence = _with_points(xyz)
    skeleton = sequence.info.skeleton
    knee, hip = skeleton.index("left_knee"), skeleton.index("left_hip")
    right_knee, right_hip = skeleton.index("right_knee"), skeleton.index("right_hip")
    xyz[:, knee] = xyz[:, hip] + (0.0, -0.4, 0.0)
    xyz[:, right_knee] = xyz[:, right_hip] + (0.0, -0.4, 0.0)
    sequence = _with_points(xyz)
    body = measure_body(sequence, ANNOTATED)
    rows = np.arange(30)
    calm = point_signals(sequence, ANNOTATED, rows, body)
    np.testing.assert_allclose(calm["limb"], 0.0, atol=1e-3)
    xyz[20, knee] = xyz[20, hip] + (0.0, -0.6, 0.0)  # half as long again
    sequence = _with_points(xyz)
    thigh = (np.sort(body.pairs, axis=1) == sorted((hip, knee))).all(axis=1)
    only = type(body)(body.pairs, np.where(thigh, body.length, np.nan), body.mirrored, body.given)
    signals = point_signals(sequence, ANNOTATED, rows, only)
    assert signals["limb"][20] == pytest.approx(50.0, rel=1e-4)
    np.testing.assert_allclose(np.delete(signals["limb"], 20), 0.0, atol=1e-3)
    both = point_signals(sequence, ANNOTATED, rows, body)
    assert both["asymmetry"][20] >= 200 * 0.2 / 1.0 - 1e-3


def test_short_bones_take_no_part() -> None:
    sequence = _with_points(_standing() * 0.05)
    body = measure_body(sequence, ANNOTATED)
    assert np.isnan(body.length).all()
    signals = point_signals(sequence, ANNOTATED, np.arange(30), body)
    assert np.isnan(signals["limb"]).all()


def test_what_the_detector_never_gives_is_not_missing() -> None:
    sequence = make_sequence(n_frames=6, bystander=False)
    frames = np.arange(6)
    for keypoint in (30, 31):  # never detected
        index = [(f, v, 0, keypoint) for f in frames for v in range(sequence.n_views)]
        sequence.apply(sequence.patch("instances2d.xy", index, np.nan))
        sequence.apply(sequence.patch("instances2d.score", index, 0.0))
    for patch in edits.delete_point(sequence, ANNOTATED, 4, list(range(sequence.n_views)), 3):
        sequence.apply(patch)
    sequence.land(solve_points3d(sequence, ANNOTATED, frames), frames, sequence.revision)
    body = measure_body(sequence, ANNOTATED)
    assert np.flatnonzero(~body.given).tolist() == [30, 31]
    missing = point_signals(sequence, ANNOTATED, frames, body)["missing"]
    assert missing.tolist() == [0, 0, 0, 0, 1, 0]


def test_points_outside_the_picture_are_counted_per_view() -> None:
    xyz = np.broadcast_to(np.array([0.0, 1.0, 0.0]), (4, 37, 3)).copy()  # in the middle of all
    sequence = _with_points(xyz)
    assert outside_signal(sequence, ANNOTATED, np.arange(4)).tolist() == [0, 0, 0, 0]
    xyz[2, 11] = (0.0, 3.5, 0.0)  # above every picture
    sequence = _with_points(xyz)
    beyond = outside_signal(sequence, ANNOTATED, np.arange(4))
    assert beyond.tolist() == [0, 0, sequence.n_views, 0]


def test_largest_without_anything_is_nan() -> None:
    values = np.array([[np.nan, np.nan], [1.0, np.nan], [-3.0, -2.0]])
    np.testing.assert_array_equal(largest(values), [np.nan, 1.0, -2.0])
    assert np.isnan(largest(np.zeros((2, 0)))).all()
