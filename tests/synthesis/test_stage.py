"""What is drawn agrees with the camera that the calibration states, and with what is in front."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from pipeline.data.camera import Camera, CameraGroup
from pipeline.data.errors import UserError
from pipeline.data.skeleton import project_skeleton
from pipeline.geometry.projection import project
from pipeline.synthesis.cameras import cameras_around, ring_of_cameras
from pipeline.synthesis.clips import Set, grounded, render_clip, truth_of
from pipeline.synthesis.demo import demo_person
from pipeline.synthesis.demo_scene import scene
from pipeline.synthesis.looks import Person
from pipeline.synthesis.people import bone_quaternions
from pipeline.synthesis.raster import fill
from pipeline.synthesis.rendered import render_recording
from pipeline.synthesis.rooms import make_room, paint_room
from pipeline.synthesis.stage import CameraTraits, camera_places, cast, photograph, stand, view
from pipeline.synthesis.things import box, joined_things

SIZE = (640, 640)
NAMES = project_skeleton().names
TIMES = np.array([0.0, 1.3, 3.05, 5.0, 7.0])
NOTHING = joined_things([])


@pytest.fixture(scope="module")
def cameras() -> CameraGroup:
    return ring_of_cameras(8, SIZE)


@pytest.fixture(scope="module")
def person() -> Person:
    return demo_person()


@pytest.fixture(scope="module")
def poses(person: Person) -> np.ndarray:
    return grounded(person, scene(person.model, TIMES))


def test_points_are_projected_as_the_geometry_package_does(cameras: CameraGroup) -> None:
    xyz = np.random.default_rng(3).uniform([-1, 0, -1], [1, 2, 1], (500, 3))
    for camera in cameras:
        places = camera_places(camera, xyz.astype(np.float32))
        np.testing.assert_allclose(places[:, :2], project(camera, xyz), atol=2e-3)
        depth = xyz @ camera.rotation[2] + camera.translation[2]
        np.testing.assert_allclose(1.0 / places[:, 2], depth, rtol=1e-5)


def test_triangles_are_filled_as_a_search_through_all_samples_says() -> None:
    rng = np.random.default_rng(0)
    places = np.concatenate([rng.uniform(0, 24, (90, 2)), rng.uniform(0.2, 0.5, (90, 1))], axis=1)
    faces = np.arange(90, dtype=np.int32).reshape(30, 3)
    near, which = np.zeros((44, 44), np.float32), np.zeros((44, 44), np.int32)
    fill(places.astype(np.float32), faces, 1, 2, 2, True, near, which)
    # The other way: barycentric coordinates of every sample by solving for them.
    y, x = np.mgrid[0:44, 0:44]
    u, v = 1 + (x - 0.5) / 2, 2 + (y - 0.5) / 2
    best = np.zeros((44, 44))
    for a, b, c in places[faces]:
        system = np.array([[a[0], b[0], c[0]], [a[1], b[1], c[1]], [1, 1, 1]])
        part = np.linalg.solve(system, np.stack([u.ravel(), v.ravel(), np.ones(u.size)]))
        inside = (part >= 0.0).all(axis=0).reshape(u.shape)
        depth = (np.array([a[2], b[2], c[2]]) @ part).reshape(u.shape)
        best = np.where(inside, np.maximum(best, depth), best)
    assert (np.abs(best - near) > 1e-4).mean() < 0.002  # samples on an edge
    assert ((which > 0) == (near > 0)).all()


def test_what_a_lens_cannot_show_is_black(cameras: CameraGroup) -> None:
    wide = np.array([[70.0, 0.0, 60.0], [0.0, 70.0, 60.0], [0.0, 0.0, 1.0]])
    lens = np.array([0.028, -0.0112, 0.0, 0.0])  # has no solution in the far corner
    camera = replace(cameras[0], size=(288, 384), matrix=wide, distortion=lens)
    picture, floor_at = paint_room(camera, make_room(), fine=1)
    assert np.isfinite(picture).all()
    assert (picture[-8:, -8:] == 0.0).all()
    assert np.isnan(floor_at[-8:, -8:]).all()
    assert (picture[50:70, 50:70] > 0.0).all()


@pytest.mark.parametrize("number", [0, 2, 7])
def test_floor_tiles_meet_where_the_lens_puts_them(cameras: CameraGroup, number: int) -> None:
    camera, tile, half = cameras.cameras[number], 0.5, 4.0
    picture, floor_at = paint_room(camera, make_room())
    grey = np.clip(255.0 * np.sqrt(picture.mean(axis=2)), 0, 255).astype(np.uint8)
    inner = np.arange(-half + 2 * tile, half - tile, tile)
    corners = np.array([[x, 0.0, z] for x in inner for z in inner])
    corners = corners[np.linalg.norm(corners - camera.centre, axis=1) < 5.5]
    expected = project(camera, corners)
    margin = np.all((expected > 20) & (expected < 620), axis=1)
    expected, corners = expected[margin], corners[margin]
    assert len(expected) > 8
    found = expected.astype(np.float32).reshape(-1, 1, 2) + 1.0
    stop = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 100, 1e-4)
    cv2.cornerSubPix(grey, found, (4, 4), (-1, -1), stop)
    error = np.linalg.norm(found[:, 0] - expected, axis=1)
    assert np.median(error) < 0.15
    assert np.percentile(error, 95) < 0.6
    # The check bites: without the lens the tiles would be elsewhere.
    straight = project(replace(camera, distortion=np.zeros(5)), corners)
    assert np.linalg.norm(straight - found[:, 0], axis=1).max() > 4.0
    # And the floor knows where it is.
    row, column = 600, 320
    there = np.array([[floor_at[row, column, 0], 0.0, floor_at[row, column, 1]]])
    np.testing.assert_allclose(project(camera, there)[0], [column, row], atol=0.01)


def _empty_and_full(
    camera: Camera, person: Person, pose: np.ndarray, things: object = NOTHING
) -> tuple[np.ndarray, np.ndarray]:
    room = make_room()
    there = view(camera, room, CameraTraits(noise=0.0, vignette=0.0))
    actors = cast(person, things, room)  # type: ignore[arg-type]
    mesh = stand(actors, bone_quaternions(person.model, pose[None])[0])
    return there.plain, photograph(there, actors, [mesh], np.random.default_rng(0))


def test_every_keypoint_lies_on_the_person(
    cameras: CameraGroup, person: Person, poses: np.ndarray
) -> None:
    truth = truth_of(person, poses, cameras, NOTHING)
    for v, camera in enumerate(cameras.cameras[:3]):
        for i, pose in enumerate(poses):
            empty, full = _empty_and_full(camera, person, pose)
            changed = np.abs(full.astype(int) - empty).max(axis=2) > 10
            figure = cv2.dilate(changed.astype(np.uint8), np.ones((5, 5), np.uint8))
            column, row = np.round(truth.xy[i, v]).astype(int).T
            assert figure[row, column].mean() > 0.97


def test_the_person_has_no_holes_and_throws_a_shadow(
    cameras: CameraGroup, person: Person, poses: np.ndarray
) -> None:
    empty, full = _empty_and_full(cameras.cameras[1], person, poses[0])
    darker = empty.astype(int).sum(axis=2) - full.astype(int).sum(axis=2)
    floor = np.s_[480:]
    assert (darker[floor] > 60).sum() > 1500
    skin = (np.abs(full.astype(int) - empty).max(axis=2) > 12).astype(np.uint8)
    closed = cv2.morphologyEx(skin, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    assert skin.sum() > 15000
    assert closed.sum() - skin.sum() < 0.02 * skin.sum()


def test_faces_look_ahead_and_spines_backward(
    cameras: CameraGroup, person: Person, poses: np.ndarray
) -> None:
    visible = truth_of(person, poses[:1], cameras, NOTHING).visible[0]
    column = list(project_skeleton().column[:-1])
    for back in (0, 1, 7):
        assert visible[back][column].all()
        assert not visible[back, NAMES.index("nose")]
    assert not visible[6][column].any()
    assert visible[6, NAMES.index("nose")]
    assert visible[6, NAMES.index("left_eye")]


def test_what_stands_before_somebody_hides_them(person: Person, poses: np.ndarray) -> None:
    camera = ring_of_cameras(7, SIZE).cameras[6]  # from the front
    group = CameraGroup((camera,))
    clear = truth_of(person, poses[:1], group, NOTHING)
    low = clear.xyz[0, :, 1] < 0.6
    towards = camera.centre * [1.0, 0.0, 1.0]
    towards /= np.linalg.norm(towards)
    middle = clear.xyz[0].mean(axis=0) + 0.6 * towards
    screen = box(
        middle * [1, 0, 1] - [0.3, 0.0, 0.6], middle * [1, 0, 1] + [0.3, 0.75, 0.6], (90, 60, 40)
    )
    behind = truth_of(person, poses[:1], group, screen)
    assert clear.visible[0, 0, low].any()
    assert not behind.visible[0, 0, low].any()
    assert behind.visible[0, 0, NAMES.index("nose")]
    _, bare = _empty_and_full(camera, person, poses[0])
    _, hidden = _empty_and_full(camera, person, poses[0], screen)
    column, row = np.round(clear.xy[0, 0, NAMES.index("left_knee")]).astype(int)
    assert np.abs(bare[row, column].astype(int) - hidden[row, column]).max() > 20


def test_points_outside_the_picture_are_not_seen(person: Person, poses: np.ndarray) -> None:
    camera = ring_of_cameras(7, SIZE).cameras[6]
    matrix = camera.matrix.copy()
    matrix[1, 2] -= 260.0
    moved = replace(camera, matrix=matrix)
    truth = truth_of(person, poses[:1], CameraGroup((moved,)), NOTHING)
    above = truth.xy[0, 0, :, 1] < -0.5
    assert 3 < above.sum() < 30
    assert not truth.visible[0, 0, above].any()


def test_clips_repeat_themselves_and_blur_what_moves(
    person: Person, poses: np.ndarray, cameras: CameraGroup
) -> None:
    two = CameraGroup(cameras.cameras[:2])
    course = grounded(person, scene(person.model, 0.7 + np.arange(3) / 30.0))

    def made(where: Set, seed: int = 1) -> list[np.ndarray]:
        clip = render_clip(person, course, two, where, rate=30.0, seed=seed)
        return [picture for pictures, _ in clip for picture in pictures]

    still = Set(make_room())
    first, again, other = made(still), made(still), made(still, seed=2)
    assert len(first) == 6
    for a, b in zip(first, again, strict=True):
        np.testing.assert_array_equal(a, b)
    assert np.abs(first[0].astype(int) - other[0]).max() > 0  # its grain
    quiet = CameraTraits(noise=0.0)
    sharp = made(Set(make_room(), traits=quiet))
    soft = made(Set(make_room(), traits=quiet, shutter=0.9, instants=4))
    edges = [
        cv2.Laplacian(cv2.cvtColor(one[2], cv2.COLOR_RGB2GRAY), cv2.CV_64F).std()
        for one in (sharp, soft)
    ]
    assert edges[1] < 0.97 * edges[0]


def test_a_ring_of_cameras_sees_everything(person: Person, poses: np.ndarray) -> None:
    xyz = truth_of(person, poses, ring_of_cameras(1, SIZE), NOTHING).xyz
    for seed in range(5):
        ring = cameras_around(5, (1280, 720), xyz.reshape(-1, 3), np.random.default_rng(seed))
        for camera in ring:
            xy = project(camera, xyz)
            assert xy.min() > 0.0
            assert (xy.max(axis=(0, 1)) < [1279, 719]).all()
            assert np.ptp(xy[0, :, 1]) > 0.35 * 720
    with pytest.raises(ValueError, match="at least one view"):
        cameras_around(0, SIZE, xyz[0], np.random.default_rng(0))


@pytest.mark.parametrize("motion", ["walking", "sitting-down", "random"])
def test_drawn_recordings_keep_somebody_in_view_and_clear_of_things(
    tmp_path: Path, motion: str
) -> None:
    made = render_recording(
        tmp_path / motion, motion, n_frames=40, n_views=3, size=(160, 90), seed=8, render=False
    )
    truth = made.truth
    assert truth.xy.min() > 0.0
    assert (truth.xy.max(axis=(0, 1, 2)) < [159, 89]).all()
    assert truth.visible.mean() > 0.35
    assert truth.xyz[..., 1].min() > -0.02


def test_motions_that_are_not_there_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no motion 'flying'"):
        render_recording(tmp_path / "x", "flying")
    with pytest.raises(UserError, match="1 to 16 cameras"):
        render_recording(tmp_path / "x", "walking", n_views=0)
