"""The demo's person moves like one: feet stay on the floor, nothing jumps or goes too far."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.data.skeleton import project_skeleton
from pipeline.geometry.projection import project_views
from pipeline.synthesis.cameras import ring_of_cameras
from pipeline.synthesis.clips import grounded, keypoint_places
from pipeline.synthesis.demo import demo_person
from pipeline.synthesis.demo_scene import SCENE_SECONDS, scene
from pipeline.synthesis.looks import Person
from pipeline.synthesis.motion_courses import minimum_jerk
from pipeline.synthesis.motions import natural_ranges
from pipeline.synthesis.people import bone_quaternions, posed

FPS = 60.0
TIME = np.arange(0.0, SCENE_SECONDS, 1.0 / FPS)
NAMES = project_skeleton().names


@pytest.fixture(scope="module")
def person() -> Person:
    return demo_person()


@pytest.fixture(scope="module")
def poses(person: Person) -> np.ndarray:
    return grounded(person, scene(person.model, TIME))


@pytest.fixture(scope="module")
def xyz(person: Person, poses: np.ndarray) -> np.ndarray:
    return keypoint_places(person.model, poses)


def _at(xyz: np.ndarray, name: str) -> np.ndarray:
    return xyz[:, NAMES.index(name)]


def test_the_person_stays_in_every_picture(xyz: np.ndarray) -> None:
    xy = project_views(ring_of_cameras(8, (640, 640)), xyz)
    assert xy.min() > 2.0
    assert xy.max() < 637.0


def test_soles_are_on_the_floor(person: Person, poses: np.ndarray) -> None:
    for bones in bone_quaternions(person.model, poses)[::40]:
        lowest = posed(person.skin, bones)[0][:, 1].min()
        assert abs(lowest) < 2e-3


def test_planted_feet_stay_and_the_walk_gets_somewhere(xyz: np.ndarray) -> None:
    standing = TIME < 6.0
    for name in ("left_ankle", "right_ankle", "left_heel", "right_big_toe"):
        moved = np.ptp(_at(xyz, name)[standing][:, [0, 2]], axis=0)
        assert moved.max() < 0.04, name
    travelled = _at(xyz, "hip")[-1, 0] - _at(xyz, "hip")[0, 0]
    assert 0.6 < travelled < 1.4


def test_the_back_bends_leans_and_twists(xyz: np.ndarray) -> None:
    up = _at(xyz, "neck") - _at(xyz, "hip")
    up /= np.linalg.norm(up, axis=1, keepdims=True)
    tilt = np.degrees(np.arctan2(up[:, 0], up[:, 1]))
    assert tilt.max() > 65.0
    aside = np.degrees(np.arcsin(up[:, 2]))
    assert aside.max() > 12.0
    assert aside.min() < -12.0
    across = _at(xyz, "right_shoulder") - _at(xyz, "left_shoulder")
    heading = np.degrees(np.arctan2(-across[:, 0], across[:, 2]))
    assert np.ptp(heading) > 50.0


def test_joints_keep_their_ranges(person: Person, poses: np.ndarray) -> None:
    lower, upper = natural_ranges(person.model)
    turning = person.model.motion != 1
    assert (poses[:, turning] >= lower[turning] - 1e-9).all()
    assert (poses[:, turning] <= upper[turning] + 1e-9).all()


def test_motion_is_smooth_also_where_it_turns_back(person: Person) -> None:
    time = np.arange(0.0, 2.5 * SCENE_SECONDS, 1.0 / FPS)
    poses = grounded(person, scene(person.model, time))
    xyz = keypoint_places(person.model, poses)
    speed = np.linalg.norm(np.diff(xyz, axis=0), axis=-1) * FPS
    assert speed.max() < 4.5
    np.testing.assert_allclose(xyz[round(2 * SCENE_SECONDS * FPS)], xyz[0], atol=1e-9)


def test_any_rate_shows_the_same_motion(person: Person) -> None:
    slow = scene(person.model, np.arange(0, 24) / 3.0)
    fast = scene(person.model, np.arange(0, 24 * 20) / 60.0)
    np.testing.assert_allclose(slow, fast[::20], atol=1e-9)


def test_minimum_jerk_rests_at_its_knots() -> None:
    time = np.linspace(-0.5, 2.5, 3001)
    path = minimum_jerk(time, [(0.0, 1.0), (1.0, 3.0), (2.0, -1.0)])
    assert path[0] == 1.0
    assert path[-1] == pytest.approx(-1.0)
    assert path[1500] == pytest.approx(3.0)
    rate = np.gradient(path, time)
    assert abs(rate[1500]) < 1e-3
    assert np.abs(rate).max() == pytest.approx(4.0 * 1.875, rel=1e-3)
