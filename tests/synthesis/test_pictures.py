"""The painted pictures agree with the camera model that the calibration states."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from pipeline.data.camera import Camera, CameraGroup
from pipeline.data.skeleton import project_skeleton
from pipeline.geometry.projection import project, project_views
from pipeline.synthesis import body
from pipeline.synthesis.cameras import pixels, ring_of_cameras
from pipeline.synthesis.detector import seen
from pipeline.synthesis.figure import build_figure
from pipeline.synthesis.motion import scene
from pipeline.synthesis.render import Lit, backdrop, light_figure, paint, sketch
from pipeline.synthesis.room import HALF_SIDE, TILE, paint_room

SIZE = (640, 640)
TIMES = np.array([0.0, 1.3, 3.05, 5.0, 7.0])


@pytest.fixture(scope="module")
def cameras() -> CameraGroup:
    return ring_of_cameras(8, SIZE)


@pytest.fixture(scope="module")
def posed() -> body.Posed:
    return body.pose(scene(TIMES))


@pytest.fixture(scope="module")
def lit(posed: body.Posed) -> list[Lit]:
    return [
        light_figure(build_figure(), r, o)
        for r, o in zip(posed.rotation, posed.origin, strict=True)
    ]


def test_projection_agrees_with_the_geometry_package(cameras: CameraGroup) -> None:
    xyz = np.random.default_rng(3).uniform([-1, 0, -1], [1, 2, 1], (500, 3))
    own = np.stack([pixels(camera, xyz) for camera in cameras], axis=1)
    np.testing.assert_allclose(own, project_views(cameras, xyz), atol=1e-8)


def test_the_figure_stays_in_every_picture(cameras: CameraGroup) -> None:
    xyz = body.keypoints(body.pose(scene(np.arange(0.0, 8.0, 0.05))))
    xy = project_views(cameras, xyz)
    assert xy.min() > 5.0
    assert xy.max() < 634.0


@pytest.mark.parametrize("view", [0, 2, 7])
def test_floor_tiles_meet_where_the_lens_puts_them(cameras: CameraGroup, view: int) -> None:
    camera = cameras[view]
    grey = cv2.cvtColor(paint_room(camera), cv2.COLOR_RGB2GRAY)
    inner = np.arange(-HALF_SIDE + 2 * TILE, HALF_SIDE - TILE, TILE)
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


def _red_centre(picture: np.ndarray, near: np.ndarray) -> np.ndarray | None:
    column, row = np.round(near).astype(int)
    patch = picture[row - 5 : row + 6, column - 5 : column + 6].astype(int)
    red = patch[..., 0] - np.maximum(patch[..., 1], patch[..., 2])
    weight = np.clip(red - 75, 0, None).astype(float)
    if weight.sum() < 60:
        return None
    y, x = np.mgrid[-5:6, -5:6]
    return np.array([column + (weight * x).sum() / weight.sum(),
                     row + (weight * y).sum() / weight.sum()])  # fmt: skip


@pytest.mark.parametrize("view", [0, 1])
def test_true_spine_points_lie_on_their_marks_in_the_picture(
    cameras: CameraGroup, posed: body.Posed, lit: list[Lit], view: int
) -> None:
    camera = cameras[view]
    scenery = backdrop(camera)
    xyz = body.keypoints(posed)
    errors = []
    for i, one in enumerate(lit):
        picture = paint(scenery, one)
        for k in project_skeleton().column[:-2]:
            true = project(camera, xyz[i, k])
            centre = _red_centre(picture, true)
            if centre is not None:
                errors.append(np.linalg.norm(centre - true))
    # Seven marks at five instants; some turn away when the figure bends or turns.
    assert len(errors) > 20
    assert max(errors) < 1.5
    assert np.median(errors) < 0.5


def test_every_visible_joint_lies_on_the_figure(
    cameras: CameraGroup, posed: body.Posed, lit: list[Lit]
) -> None:
    xyz = body.keypoints(posed)
    for camera in cameras.cameras[:3]:
        scenery = backdrop(camera)
        for i, one in enumerate(lit):
            picture = paint(scenery, one)
            changed = np.abs(picture.astype(int) - scenery.picture).max(axis=2) > 12
            # Keypoints on the skin may fall on its outline.
            figure = cv2.dilate(changed.astype(np.uint8), np.ones((7, 7), np.uint8))
            column, row = np.round(project(camera, xyz[i])).astype(int).T
            assert figure[row, column].mean() > 0.97


def test_figure_has_no_holes(cameras: CameraGroup, lit: list[Lit]) -> None:
    scenery = backdrop(cameras[1])
    empty = replace(scenery, picture=np.zeros_like(scenery.picture))
    figure = paint(empty, lit[0]).max(axis=2) > 20
    closed = cv2.morphologyEx(figure.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    filled = np.count_nonzero(closed) - np.count_nonzero(figure)
    assert np.count_nonzero(figure) > 15000
    assert filled < 0.01 * np.count_nonzero(figure)


def test_cameras_see_the_sides_they_face(cameras: CameraGroup, posed: body.Posed) -> None:
    skeleton = project_skeleton()
    visible = seen(cameras, posed, body.keypoints(posed))[0]
    column = list(skeleton.column[:-1])
    assert visible[0][column].all()
    assert visible[1][column].all()
    assert visible[7][column].all()
    assert not visible[6][column].any()
    assert visible[6, skeleton.index("nose")]
    assert not visible[7, skeleton.index("nose")]


def test_pictures_of_odd_cameras() -> None:
    camera: Camera = ring_of_cameras(1, (130, 96))[0]
    assert paint_room(camera).shape == (96, 130, 3)
    posed = body.pose(scene(np.array([0.0])))
    one = light_figure(build_figure(), posed.rotation[0], posed.origin[0])
    assert paint(backdrop(camera), one).shape == (96, 130, 3)
    xy = project(camera, body.keypoints(posed)[0])
    drawn = sketch(camera, project_skeleton(), xy, 3)
    assert drawn.shape == (96, 130, 3)
    assert np.ptp(drawn[..., 0]) > 80


@pytest.mark.parametrize("count", [0, 9])
def test_there_are_one_to_eight_views(count: int) -> None:
    with pytest.raises(ValueError, match="1 to 8"):
        ring_of_cameras(count, SIZE)
