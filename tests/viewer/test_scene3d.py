"""The scene draws where the arithmetic says, hides what is missing, and frees what it took."""

from __future__ import annotations

import gc
import logging
import os
import subprocess
import sys
from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.data.camera import Camera
from pipeline.data.skeleton import project_skeleton
from simspine_viewer import orbit_camera as orbit
from simspine_viewer import stage_mesh
from simspine_viewer.orbit_camera import CameraView, OrbitView
from simspine_viewer.scene3d import Scene3D
from tests.viewer.fakes import ring_of_cameras
from tests.viewer.test_orbit_camera import made_camera

FloatArray = NDArray[np.float64]

SKELETON = project_skeleton()
WRIST = SKELETON.index("left_wrist")
WIDTH, HEIGHT = 420, 300
NOWHERE = np.full((37, 3), np.nan)
LOOK = orbit.pinhole(OrbitView(), WIDTH, HEIGHT)


@pytest.fixture
def scene() -> Iterator[Scene3D]:
    made = Scene3D()
    made.set_recording((), SKELETON)
    yield made
    made.close()


@pytest.fixture
def person() -> FloatArray:
    return np.random.default_rng(3).uniform([-0.4, 0.2, -0.4], [0.4, 1.7, 0.4], (37, 3))


def only(keypoint: int, at: tuple[float, float, float]) -> FloatArray:
    xyz = NOWHERE.copy()
    xyz[keypoint] = at
    return xyz


def green(picture: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Where the glyph of a left keypoint is drawn."""
    blue, green_, red, _ = np.moveaxis(picture.astype(int), -1, 0)
    return green_ > 40 + np.maximum(blue, red)


def centroid(
    scene: Scene3D, hole: orbit.Pinhole, picture: NDArray[np.uint8], samples: int = 1
) -> FloatArray:
    """Pixels (x, y) of the glyph in a picture just drawn; pixel centres at halves."""
    scene.set_points(NOWHERE)
    without = scene.render(hole, picture.shape[1], picture.shape[0], samples)
    rows, columns = np.nonzero(green(picture) & ~green(without))
    assert len(rows) > 1
    return np.array([columns.mean() + 0.5, rows.mean() + 0.5])


@pytest.mark.parametrize(
    "view",
    [
        OrbitView(),
        OrbitView(np.array([0.2, 1.0, -0.1]), 2.4, 0.6, 3.0),
        OrbitView(np.array([0.0, 1.0, 0.0]), 0.3, np.pi / 2, 3.0),
        CameraView(made_camera()),
        CameraView(made_camera(), 3.0, np.array([0.1, 0.2])),
    ],
)
@pytest.mark.parametrize("samples", [1, 2])
def test_drawn_where_projected(scene: Scene3D, view: orbit.Viewpoint, samples: int) -> None:
    hole = orbit.pinhole(view, WIDTH, HEIGHT)
    for at in ((0.1, 1.1, 0.1), (-0.15, 1.3, -0.2), (0.2, 0.95, 0.15)):
        scene.set_points(only(WRIST, at))
        expected = orbit.project(hole, at)
        if not ((expected > 8) & (expected < [WIDTH - 8, HEIGHT - 8])).all():
            continue
        picture = scene.render(hole, WIDTH, HEIGHT, samples)
        found = centroid(scene, hole, picture, samples)
        assert np.linalg.norm(found - expected) < 1.0


def test_the_picture_is_ready_for_the_screen(scene: Scene3D) -> None:
    scene.set_points(only(WRIST, (0.0, 1.5, 0.0)))
    picture = scene.render(LOOK, WIDTH, HEIGHT)
    assert picture.shape == (HEIGHT, WIDTH, 4)
    assert picture.dtype == np.uint8
    assert picture.flags.c_contiguous
    assert (picture[..., 3] == 255).all()
    assert centroid(scene, LOOK, picture)[1] < HEIGHT / 2  # top row first


def test_a_new_size_is_a_new_picture(scene: Scene3D) -> None:
    for width, height in ((200, 200), (333, 111), (64, 400)):
        hole = orbit.pinhole(OrbitView(distance=1.5), width, height)
        scene.set_points(only(WRIST, (0.0, 1.0, 0.0)))
        picture = scene.render(hole, width, height)
        assert picture.shape == (height, width, 4)
        assert centroid(scene, hole, picture) == pytest.approx([width / 2, height / 2], abs=1.0)


def test_missing_points_are_not_drawn_and_vtk_is_silent(
    scene: Scene3D, person: FloatArray, caplog: pytest.LogCaptureFixture
) -> None:
    empty = scene.render(LOOK, WIDTH, HEIGHT)
    scene.set_points(person, selected=WRIST, sigma=20.0)
    assert (scene.render(LOOK, WIDTH, HEIGHT) != empty).any()
    for missing in range(37):
        holed = person.copy()
        holed[missing] = np.nan
        scene.set_points(holed, selected=missing, sigma=np.nan)
        scene.render(LOOK, 40, 30)
    scene.set_points(NOWHERE, selected=WRIST, sigma=np.nan, preview=(WRIST, np.full(3, np.nan)))
    assert (scene.render(LOOK, WIDTH, HEIGHT) == empty).all()
    assert not caplog.records


def test_uncertainty_is_drawn_to_scale(scene: Scene3D) -> None:
    """A sphere of 150 mm about the selected point, none without a number."""
    xyz = only(WRIST, (0.0, 1.0, 0.0))
    scene.set_points(xyz, selected=WRIST)
    plain = scene.render(LOOK, WIDTH, HEIGHT).astype(int)
    scene.set_points(xyz, selected=WRIST, sigma=150.0)
    shown = scene.render(LOOK, WIDTH, HEIGHT).astype(int)
    _, columns = np.nonzero(np.abs(shown - plain).max(axis=-1) > 6)
    width = np.ptp(columns) * orbit.metres_per_pixel(LOOK, [0.0, 1.0, 0.0])
    assert width == pytest.approx(0.3, rel=0.1)


def test_a_preview_is_drawn_at_the_new_place_with_a_trail(scene: Scene3D) -> None:
    scene.set_points(only(WRIST, (0.0, 1.0, 0.0)), preview=(WRIST, np.array([0.0, 1.3, 0.0])))
    picture = scene.render(LOOK, WIDTH, HEIGHT, 2)
    expected = orbit.project(LOOK, [0.0, 1.3, 0.0])
    assert np.linalg.norm(centroid(scene, LOOK, picture, 2) - expected) < 1.0
    blue, green_, red, _ = np.moveaxis(picture.astype(int), -1, 0)
    rows, _ = np.nonzero(np.minimum(blue, red) > green_ + 60)
    old_row = orbit.project(LOOK, [0.0, 1.0, 0.0])[1]
    assert rows.max() == pytest.approx(old_row, abs=6)
    assert rows.min() < (old_row + expected[1]) / 2


def test_appearance_and_active_camera_change_the_colours(scene: Scene3D) -> None:
    cameras = ring_of_cameras(4)
    scene.set_recording(cameras, SKELETON)
    hole = orbit.pinhole(OrbitView(elevation=0.5, distance=14.0), WIDTH, HEIGHT)
    assert tuple(scene.render(hole, WIDTH, HEIGHT)[0, 0, 2::-1]) == stage_mesh.DARK.ground
    scene.set_theme(False)
    light = scene.render(hole, WIDTH, HEIGHT)
    assert tuple(light[0, 0, 2::-1]) == stage_mesh.LIGHT.ground
    scene.set_cameras(active=2)
    marked = scene.render(hole, WIDTH, HEIGHT)
    scene.set_cameras(active=2, hidden=2)
    hidden = scene.render(hole, WIDTH, HEIGHT)
    where = orbit.project(hole, stage_mesh.frustum(cameras[2])).mean(axis=0)
    for before, after in ((light, marked), (marked, hidden)):
        rows, columns = np.nonzero((before != after).any(axis=-1))
        assert np.hypot(columns.mean() - where[0], rows.mean() - where[1]) < 8


def test_actors_are_made_once_per_recording(scene: Scene3D, person: FloatArray) -> None:
    def n_actors() -> int:
        return int(scene._renderer.GetViewProps().GetNumberOfItems())

    scene.set_recording(ring_of_cameras(4), SKELETON)
    n = n_actors()
    for frame in range(5):
        scene.set_points(person + 0.01 * frame, selected=frame, sigma=9.0)
        scene.render(LOOK, 64, 48)
        assert n_actors() == n
    scene.set_recording(ring_of_cameras(8), SKELETON)
    assert n_actors() == n
    scene.render(LOOK, 64, 48)


def test_the_floor_follows_by_whole_metres(scene: Scene3D) -> None:
    """A grid line stays a grid line where the person went 40 m away."""
    scene.set_points(only(WRIST, (40.3, 1.0, -20.2)))
    above = OrbitView(np.array([40.0, 0.0, -20.0]), 0.0, np.pi / 2, 3.0)
    picture = scene.render(orbit.pinhole(above, 301, 301), 301, 301)
    row, column = picture[150, :, :3].astype(int), picture[:, 150, :3].astype(int)
    ground = np.array(stage_mesh.DARK.ground[::-1])
    assert (np.abs(row - ground).sum(axis=-1) > 10).mean() > 0.8
    assert (np.abs(column - ground).sum(axis=-1) > 10).mean() > 0.8


def test_a_camera_frustum_shows_its_picture() -> None:
    """Corners are those of the outermost pixels' edges, as the camera projects them."""
    camera = made_camera((640, 480))
    points = stage_mesh.frustum(camera)
    image = (points[1:5] @ camera.rotation.T + camera.translation) @ camera.matrix.T
    corners = image[:, :2] / image[:, 2:]
    expected = [[-0.5, -0.5], [639.5, -0.5], [639.5, 479.5], [-0.5, 479.5]]
    assert corners == pytest.approx(np.array(expected))


def test_messages_of_vtk_go_to_the_log(
    scene: Scene3D, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    from vtkmodules.vtkFiltersGeneral import vtkWarpVector

    vtkWarpVector().Update()
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
    assert "vtkWarpVector" in caplog.text
    assert capfd.readouterr().err == ""


def test_closed_scenes_leave_nothing_behind(person: FloatArray) -> None:
    gone: list[str] = []
    cameras: list[Camera] = list(ring_of_cameras(4))
    for _ in range(20):
        made = Scene3D()
        body_actor = [made._window, made._renderer]
        for name, thing in zip(("window", "renderer"), body_actor, strict=True):
            thing.AddObserver("DeleteEvent", lambda *_, name=name: gone.append(name))
        made.set_recording(cameras, SKELETON)
        assert made._body is not None
        made._body.skin.actor.AddObserver("DeleteEvent", lambda *_: gone.append("actor"))
        made.set_points(person)
        made.render(LOOK, 32, 24)
        made.close()
        made.close()
        del made, body_actor, thing
    gc.collect()
    assert sorted(gone) == ["actor"] * 20 + ["renderer"] * 20 + ["window"] * 20


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="names Linux window classes")
def test_without_opengl_there_is_a_sentence_not_a_crash() -> None:
    code = (
        "from simspine_viewer.scene3d import Scene3D\n"
        "from simspine_viewer.offscreen import SceneUnavailableError\n"
        "for _ in range(2):\n"
        "    try:\n"
        "        Scene3D()\n"
        "    except SceneUnavailableError as error:\n"
        "        print(error)\n"
    )
    # An EGL without drivers; where OSMesa is installed, VTK can still draw.
    environment = {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "WAYLAND_DISPLAY")}
    environment |= {
        "VTK_DEFAULT_OPENGL_WINDOW": "vtkEGLRenderWindow",
        "EGL_PLATFORM": "none",
        "LIBGL_DRIVERS_PATH": "/nowhere",
        "__EGL_VENDOR_LIBRARY_FILENAMES": "/nowhere.json",
    }
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    sentences = done.stdout.strip().splitlines()
    assert sentences in ([], ["no OpenGL driver and no libOSMesa was found"] * 2)
