"""Viewpoints give the cameras they promise, and moving them moves the picture as the hand does."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from pipeline.data.camera import Camera
from pipeline.geometry import projection
from simspine_viewer import orbit_camera as orbit
from simspine_viewer.orbit_camera import CameraView, OrbitView

WIDTH, HEIGHT = 700, 500


def made_camera(size: tuple[int, int] = (1088, 1920)) -> Camera:
    """A portrait camera with unequal focal lengths, skew and an off-centre principal point."""
    rotation = Rotation.from_euler("xyz", [10, 150, 175], degrees=True).as_matrix()
    matrix = np.array([[1300.0, 4.0, 560.0], [0, 1275.0, 930.0], [0, 0, 1]])
    centre = np.array([0.5, 1.6, 3.1])
    return Camera("cam", size, matrix, np.zeros(4), rotation, -rotation @ centre)


ORBITS = [
    OrbitView(),
    OrbitView(np.array([0.3, 0.9, -1.2]), -2.0, 0.7, 3.0),
    OrbitView(np.array([0.0, 1.0, 0.0]), 0.4, np.pi / 2, 4.0),
]
VIEWS = [*ORBITS, CameraView(made_camera()), CameraView(made_camera(), 2.5, np.array([0.2, -0.1]))]


@pytest.fixture
def points() -> np.ndarray:
    return np.random.default_rng(5).uniform([-0.5, 0.0, -0.5], [0.5, 1.8, 0.5], (40, 3))


@pytest.mark.parametrize("view", ORBITS)
def test_what_is_in_focus_stands_in_the_middle(view: OrbitView) -> None:
    hole = orbit.pinhole(view, WIDTH, HEIGHT)
    assert orbit.project(hole, view.focus) == pytest.approx([WIDTH / 2, HEIGHT / 2])
    assert np.linalg.norm(hole.centre - view.focus) == pytest.approx(view.distance)
    assert hole.rotation @ hole.rotation.T == pytest.approx(np.eye(3))
    assert np.linalg.det(hole.rotation) == pytest.approx(1.0)


def test_from_the_front_x_goes_right_and_y_up() -> None:
    hole = orbit.pinhole(OrbitView(np.zeros(3), 0.0, 0.0, 4.0), WIDTH, HEIGHT)
    (right, level), (middle, above) = orbit.project(hole, [[0.5, 0, 0], [0, 0.5, 0]])
    assert right > WIDTH / 2
    assert level == pytest.approx(HEIGHT / 2)
    assert middle == pytest.approx(WIDTH / 2)
    assert above < HEIGHT / 2


@pytest.mark.parametrize("view", VIEWS)
def test_a_ray_goes_back_to_the_point(view: orbit.Viewpoint, points: np.ndarray) -> None:
    hole = orbit.pinhole(view, WIDTH, HEIGHT)
    origin, direction = orbit.ray(hole, orbit.project(hole, points))
    along = points - origin
    expected = along / np.linalg.norm(along, axis=1, keepdims=True)
    assert direction == pytest.approx(expected, abs=1e-9)


def test_points_behind_or_missing_have_no_pixel() -> None:
    hole = orbit.pinhole(OrbitView(np.zeros(3), 0.0, 0.0, 4.0), WIDTH, HEIGHT)
    assert np.isnan(orbit.project(hole, [[0, 0, 5.0], [np.nan, 0, 0], [0, 0, 4.0]])).all()


@pytest.mark.parametrize("view", VIEWS)
def test_the_plane_is_parallel_to_the_picture(view: orbit.Viewpoint, points: np.ndarray) -> None:
    hole = orbit.pinhole(view, WIDTH, HEIGHT)
    target = orbit.project(hole, points[0]) + np.array([37.0, -12.0])
    moved = orbit.on_plane(hole, target, points[0])
    assert orbit.project(hole, moved) == pytest.approx(target)
    assert (moved - points[0]) @ hole.forward == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("size", [(700, 500), (300, 900), (1088, 1920)])
def test_through_a_camera_is_that_camera(size: tuple[int, int], points: np.ndarray) -> None:
    """Against the projection the solver uses, fitted into the widget by hand."""
    camera = made_camera()
    scale = min(size[0] / 1088, size[1] / 1920)
    corner = (np.array(size) - scale * np.array([1088, 1920])) / 2
    expected = (projection.project(camera, points) + 0.5) * scale + corner
    found = orbit.project(orbit.pinhole(CameraView(camera), *size), points)
    assert found == pytest.approx(expected, abs=1e-6)
    bounds = orbit.picture_bounds(CameraView(camera), *size)
    assert bounds == pytest.approx((*corner, 1088 * scale, 1920 * scale))


@pytest.mark.parametrize("view", VIEWS)
def test_clip_matrix_says_the_same_as_projection(view: orbit.Viewpoint, points: np.ndarray) -> None:
    hole = orbit.pinhole(view, WIDTH, HEIGHT)
    local = (points - hole.centre) @ hole.rotation.T * [1, -1, -1]
    clip = np.column_stack([local, np.ones(len(local))])
    clip = clip @ orbit.clip_from_view(hole, WIDTH, HEIGHT, 0.1, 50.0).T
    device = clip[:, :3] / clip[:, 3:]
    pixels = (device[:, :2] * [1, -1] + 1) / 2 * [WIDTH, HEIGHT]
    assert pixels == pytest.approx(orbit.project(hole, points))
    depth = -local[:, 2]
    order = np.argsort(depth)
    assert (np.diff(device[order, 2]) > 0).all()
    assert (np.abs(device[:, 2]) < 1).all()


@pytest.mark.parametrize("view", VIEWS)
@given(x=st.floats(0, WIDTH), y=st.floats(0, HEIGHT), factor=st.floats(0.7, 1.5))
def test_zoom_keeps_what_is_under_the_pointer(
    view: orbit.Viewpoint, x: float, y: float, factor: float
) -> None:
    about = view.focus if isinstance(view, OrbitView) else np.array([0.0, 1.0, 0.0])
    hole = orbit.pinhole(view, WIDTH, HEIGHT)
    under = orbit.on_plane(hole, (x, y), about)
    nearer = orbit.pinhole(orbit.zoomed(view, factor, (x, y), WIDTH, HEIGHT), WIDTH, HEIGHT)
    assert orbit.project(nearer, under) == pytest.approx([x, y], abs=1e-6)
    ratio = orbit.metres_per_pixel(hole, under) / orbit.metres_per_pixel(nearer, under)
    assert ratio == pytest.approx(factor)


@pytest.mark.parametrize("view", VIEWS)
def test_pan_follows_the_hand(view: orbit.Viewpoint) -> None:
    about = view.focus if isinstance(view, OrbitView) else np.array([0.0, 1.0, 0.0])
    before = orbit.project(orbit.pinhole(view, WIDTH, HEIGHT), about)
    moved = orbit.panned(view, 30, -14, WIDTH, HEIGHT)
    after = orbit.project(orbit.pinhole(moved, WIDTH, HEIGHT), about)
    assert after - before == pytest.approx([30, -14])


def test_orbit_stops_at_the_poles_and_keeps_the_distance() -> None:
    view = orbit.orbited(OrbitView(), 0.3, 5.0)
    assert view.elevation == pytest.approx(np.pi / 2)
    assert view.azimuth == pytest.approx(OrbitView().azimuth + 0.3)
    assert orbit.orbited(view, 0, -9.0).elevation == pytest.approx(-np.pi / 2)


def test_leaving_a_camera_stays_where_it_stood() -> None:
    rotation = np.array([[-1.0, 0, 0], [0, -1.0, 0], [0, 0, 1.0]]) @ np.diag([1.0, 1, 1])
    pitched = Rotation.from_euler("x", 12, degrees=True).as_matrix() @ rotation
    centre = np.array([0.1, 1.9, -3.0])
    matrix = np.array([[900.0, 0, 320.0], [0, 900.0, 240.0], [0, 0, 1]])
    view = CameraView(Camera("c", (640, 480), matrix, np.zeros(4), pitched, -pitched @ centre))
    about = np.array([0.0, 1.0, 0.4])
    free = orbit.as_orbit(view, about, WIDTH, HEIGHT)
    before, after = (orbit.pinhole(v, WIDTH, HEIGHT) for v in (view, free))
    assert after.centre == pytest.approx(before.centre)
    # The principal point is at (320, 240) with centres at integers, half a pixel off the middle.
    assert orbit.project(after, about) == pytest.approx(orbit.project(before, about), abs=1.0)
    assert orbit.as_orbit(free, about, WIDTH, HEIGHT) is free


@given(
    azimuth=st.floats(-3, 3), elevation=st.floats(-1.5, 1.5), aspect=st.sampled_from([0.5, 1, 2.0])
)
def test_framing_shows_everybody_and_wastes_little(
    azimuth: float, elevation: float, aspect: float
) -> None:
    points = np.random.default_rng(1).uniform([-0.4, 0.0, 2.0], [0.4, 1.8, 2.5], (37, 3))
    points[3] = np.nan
    width, height = 600 * aspect, 600
    view = orbit.framed(OrbitView(azimuth=azimuth, elevation=elevation), points, aspect)
    xy = orbit.project(orbit.pinhole(view, width, height), points)
    xy = xy[np.isfinite(xy).all(axis=1)] / [width, height]
    assert len(xy) == 36
    assert np.abs(2 * xy - 1).max() == pytest.approx(1 / orbit.MARGIN)


def test_framing_nothing_changes_nothing() -> None:
    view = OrbitView()
    assert orbit.framed(view, np.full((5, 3), np.nan), 1.0) is view


@pytest.mark.parametrize("degrees", [-170, -60, 0, 45, 90, 179])
def test_facing_is_the_way_a_turned_person_looks(degrees: float) -> None:
    """A person looking along +Z has the left hand at +X; turned about Y they look elsewhere."""
    person = np.array([[0.1, 0.9, 0.0], [-0.1, 0.95, 0.0], [0.2, 1.4, 0.02], [-0.2, 1.4, -0.02]])
    turn = Rotation.from_euler("y", degrees, degrees=True)
    looking = turn.apply([0.0, 0.0, 1.0])
    found = orbit.facing(turn.apply(person), [0, 2], [1, 3])
    assert found is not None
    assert np.array([np.sin(found), np.cos(found)]) == pytest.approx(looking[[0, 2]], abs=0.1)


def test_facing_is_unknown_without_a_pair() -> None:
    missing = np.full((4, 3), np.nan)
    assert orbit.facing(missing, [0, 2], [1, 3]) is None
    lying = np.array([[0.0, 0.2, 0.0], [0.0, -0.2, 0.0]])
    assert orbit.facing(lying, [0], [1]) is None
