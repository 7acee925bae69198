"""What is painted over a picture: where, in which colours, and that labels are never cut off."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QGuiApplication, QImage, QPainter
from pytestqt.qtbot import QtBot

from pipeline.data.skeleton import project_skeleton
from pipeline.data.source import Flag
from simspine_viewer.overlay import OverlayOptions, link_side, paint_overlay
from simspine_viewer.overlay_curves import curve_ends, curve_names
from simspine_viewer.overlay_scene import (
    HIT_RADIUS,
    EpipolarCurve,
    OverlayScene,
    epipolar_curves,
    keypoint_at,
    person_at,
    scene_of,
)
from simspine_viewer.overlay_shapes import label_rect, label_size, thinned
from simspine_viewer.palette import BAD, EPIPOLAR, MANUAL, OTHER_PERSON, PREVIEW, SIDE_COLOUR
from simspine_viewer.pane_transform import PaneTransform, fitted
from tests.truth.curves import distance_to_curve
from tests.viewer.fakes import ANNOTATED, BYSTANDER, open_bench

pytestmark = pytest.mark.gui

SKELETON = project_skeleton()
K = len(SKELETON)
LEFT, RIGHT, MID = (SKELETON.index(n) for n in ("left_knee", "right_elbow", "spine_03"))
WIDTH, HEIGHT = 200, 120
GREY = 90


def empty_scene(**changes: object) -> OverlayScene:
    nothing = np.full((K, 2), np.nan)
    scene = OverlayScene(
        SKELETON,
        nothing,
        nothing,
        np.zeros(K),
        np.full(K, np.nan),
        np.zeros(K, bool),
        np.zeros(K, np.uint8),
    )
    return replace(scene, **changes)  # type: ignore[arg-type]


def scene_with(*, score: float = 1.0, **points: tuple[float, float]) -> OverlayScene:
    """A scene with some points observed, by name."""
    xy, scores = np.full((K, 2), np.nan), np.zeros(K)
    for name, at in points.items():
        xy[SKELETON.index(name)], scores[SKELETON.index(name)] = at, score
    return empty_scene(xy=xy, score=scores)


def at(keypoint: int, value: object, dtype: type = np.uint8) -> NDArray:
    array = np.zeros(K, dtype)
    array[keypoint] = value
    return array


def painted(
    scene: OverlayScene,
    transform: PaneTransform | None = None,
    ratio: float = 1.0,
    options: OverlayOptions | None = None,
) -> NDArray[np.int16]:
    """(H, W, 3) red, green, blue in device pixels, on grey."""
    image = QImage(round(WIDTH * ratio), round(HEIGHT * ratio), QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(ratio)
    image.fill(GREY << 16 | GREY << 8 | GREY)
    with QPainter(image) as painter:
        area = QRectF(0, 0, WIDTH, HEIGHT)
        paint_overlay(painter, scene, transform or PaneTransform(), area, options)
    bgra = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.width(), 4)
    return bgra[..., 2::-1].astype(np.int16)


def colour_at(picture: NDArray, x: float, y: float, ratio: float = 1.0) -> tuple[int, int, int]:
    red, green, blue = picture[int(y * ratio), int(x * ratio)]
    return int(red), int(green), int(blue)


def count_of(picture: NDArray, colour: tuple[int, int, int], tolerance: int = 40) -> int:
    return int((np.abs(picture - colour).max(axis=-1) <= tolerance).sum())


@pytest.fixture(autouse=True)
def _application(qtbot: QtBot) -> None:
    """Fonts need a running application."""


def test_transform_has_pixel_centres_at_integers() -> None:
    transform = PaneTransform(10.0, (3.0, 4.0))
    assert np.allclose(transform.to_widget((0, 0)), (8, 9))
    assert np.allclose(transform.to_picture((3, 4)), (-0.5, -0.5))
    xy = np.random.default_rng(0).normal(0, 500, (20, 2))
    assert np.allclose(transform.to_picture(transform.to_widget(xy)), xy)


def test_fitted_picture_is_centred_and_as_large_as_possible() -> None:
    transform = fitted((100, 200), (10, 20, 300, 100))
    assert transform.scale == pytest.approx(0.5)
    corners = transform.to_widget([(-0.5, -0.5), (99.5, 199.5)])
    assert np.allclose(corners, [(135, 20), (185, 120)])


@pytest.mark.parametrize("ratio", [1.0, 1.5, 2.0])
@pytest.mark.parametrize("scale", [0.5, 1.0, 8.0])
def test_points_are_where_the_transform_puts_them(ratio: float, scale: float) -> None:
    transform = PaneTransform(scale, (11.0, 7.0))
    for name, where in (("left_knee", (60, 40)), ("right_elbow", (90, 70)), ("spine_03", (30, 80))):
        scene = scene_with(**{name: tuple(transform.to_picture(where))})
        picture = painted(scene, transform, ratio)
        side = SKELETON.keypoints[SKELETON.index(name)].side
        assert colour_at(picture, *where, ratio) == SIDE_COLOUR[side]
        drawn = np.argwhere(np.abs(picture - GREY).max(axis=-1) > 8)
        middle = (drawn.min(axis=0) + drawn.max(axis=0) + 1) / 2 / ratio
        assert np.allclose(middle[::-1], where, atol=1.6)  # a triangle's middle is a little high
        assert np.ptp(drawn, axis=0).max() < 17 * ratio


def test_every_side_has_a_shape_of_its_own() -> None:
    shapes = []
    for name in ("left_knee", "right_elbow", "spine_03"):
        picture = painted(scene_with(**{name: (60.0, 40.0)}))
        shapes.append(np.abs(picture - GREY).max(axis=-1) > 60)
    for first, second in ((0, 1), (0, 2), (1, 2)):
        assert (shapes[first] != shapes[second]).sum() > 15


def test_confidence_is_visible_and_low_confidence_outlined_in_red() -> None:
    sure, unsure = (painted(scene_with(left_knee=(60.0, 40.0), score=s)) for s in (1.0, 0.4))
    low = painted(scene_with(left_knee=(60.0, 40.0), score=0.2))
    green = SIDE_COLOUR["left"]
    assert count_of(sure, green) > 2 * count_of(unsure, green)
    assert count_of(unsure, BAD) == 0
    assert count_of(low, BAD) > 5


def test_a_point_placed_by_hand_has_a_white_ring() -> None:
    scene = scene_with(left_knee=(60.0, 40.0))
    assert count_of(painted(scene), MANUAL) == 0
    assert count_of(painted(replace(scene, manual=at(LEFT, True, bool))), MANUAL) > 10


def test_occluded_is_hollow_and_absent_is_not_drawn() -> None:
    scene = scene_with(left_knee=(60.0, 40.0))
    hollow = painted(replace(scene, flags=at(LEFT, Flag.OCCLUDED)))
    assert colour_at(hollow, 60, 40) == (GREY, GREY, GREY)
    assert count_of(hollow, SIDE_COLOUR["left"], 90) > 5
    reprojected = np.full((K, 2), np.nan)
    reprojected[LEFT] = (60, 40)
    absent = empty_scene(reprojected=reprojected, flags=at(LEFT, Flag.ABSENT))
    assert (painted(absent) == GREY).all()
    assert not (painted(replace(absent, flags=at(LEFT, 0))) == GREY).all()


def test_residual_is_a_line_to_a_cross_where_the_3d_point_appears() -> None:
    scene = scene_with(left_knee=(60.5, 40.5))
    scene.reprojected[:] = np.nan
    reprojected = scene.reprojected.copy()
    reprojected[LEFT] = (100.5, 40.5)
    scene = replace(scene, reprojected=reprojected)
    picture = painted(scene)
    for x in (70, 80, 90):
        column = np.abs(picture[36:46, x] - GREY).max(axis=-1)
        assert (column > 30).any()
        assert (column > 8).sum() <= 5  # thin
    assert count_of(picture[30:50, 95:108], SIDE_COLOUR["left"], 90) >= 6
    assert (painted(scene, options=OverlayOptions(residuals=False))[:, 75:] == GREY).all()


def test_lines_keep_their_width_at_any_zoom() -> None:
    widths = []
    for scale in (0.25, 1.0, 16.0):
        transform = PaneTransform(scale, (0.0, 0.0))
        ends = [tuple(transform.to_picture(p)) for p in ((20, 60), (180, 60))]
        picture = painted(scene_with(left_elbow=ends[0], left_wrist=ends[1]), transform)
        widths.append(int((np.abs(picture[:, 100] - GREY).max(axis=-1) > 8).sum()))
    assert widths[0] == widths[1] == widths[2]
    assert 3 <= widths[0] <= 6


def test_bones_have_the_colour_of_their_limb() -> None:
    hips, arm = (SKELETON.index("left_hip"), SKELETON.index("right_hip")), (
        SKELETON.index("neck"), SKELETON.index("left_shoulder"),
    )  # fmt: skip
    assert link_side(SKELETON, hips) == "mid"
    assert link_side(SKELETON, arm) == "left"


def test_somebody_else_is_grey_and_can_be_hidden() -> None:
    xy = np.full((K, 2), np.nan)
    xy[[SKELETON.index("left_elbow"), SKELETON.index("left_wrist")]] = [(40, 60), (150, 60)]
    scene = empty_scene(others={4: xy})
    assert count_of(painted(scene), OTHER_PERSON, 20) > 60
    assert (painted(scene, options=OverlayOptions(others=False)) == GREY).all()
    transform = PaneTransform()
    assert person_at(scene, transform, (100, 62)) == 4
    assert person_at(scene, transform, (100, 80)) == -1


def test_nothing_is_drawn_when_the_overlay_is_hidden() -> None:
    scene = replace(scene_with(left_knee=(60.0, 40.0)), selected=LEFT)
    assert (painted(scene, options=OverlayOptions(visible=False)) == GREY).all()


@pytest.mark.parametrize("x", [-5, 1, 100, 199, 260])
@pytest.mark.parametrize("y", [-5, 1, 60, 119, 160])
def test_labels_stay_inside_the_pane(x: float, y: float) -> None:
    area = QRectF(2, 20, WIDTH - 4, HEIGHT - 22)
    metrics = QFontMetricsF(QFont())
    text = "RLatissimus  123.4 px"
    box = label_rect(label_size(text, QFont().toString()), (x, y), area, 12)
    assert area.contains(box)
    assert box.width() >= metrics.horizontalAdvance(text)
    assert not box.contains(x, y)


def test_selected_keypoint_shows_its_name_and_residual() -> None:
    scene = scene_with(left_knee=(60.0, 60.0))
    plain, selected = painted(scene), painted(replace(scene, selected=LEFT))
    changed = np.argwhere((plain != selected).any(axis=-1))
    assert np.ptp(changed[:, 1]) > 40
    assert count_of(selected, (255, 255, 255)) > 40


def test_nearest_handle_is_hit_and_the_selected_one_first() -> None:
    scene = scene_with(left_knee=(60.0, 40.0), right_elbow=(66.0, 40.0))
    transform = PaneTransform(1.0, (-0.5, -0.5))
    assert keypoint_at(scene, transform, (61, 40)) == LEFT
    assert keypoint_at(scene, transform, (65, 40)) == RIGHT
    assert keypoint_at(replace(scene, selected=RIGHT), transform, (61, 40)) == RIGHT
    assert keypoint_at(scene, transform, (60 - HIT_RADIUS - 1, 40)) == -1
    zoomed = PaneTransform(10.0, (0.0, 0.0))
    assert keypoint_at(scene, zoomed, tuple(zoomed.to_widget((60.9, 40)))) == LEFT
    assert keypoint_at(scene, zoomed, tuple(zoomed.to_widget((61.5, 40)))) == -1


def test_a_point_missing_here_is_held_by_its_cross_unless_absent() -> None:
    reprojected = np.full((K, 2), np.nan)
    reprojected[MID] = (50, 50)
    scene = empty_scene(reprojected=reprojected)
    transform = PaneTransform(1.0, (-0.5, -0.5))
    assert keypoint_at(scene, transform, (52, 51)) == MID
    absent = replace(scene, flags=at(MID, Flag.ABSENT))
    assert keypoint_at(absent, transform, (52, 51)) == -1


def test_a_drag_moves_the_point_in_every_view(qtbot: QtBot) -> None:
    bench = open_bench()
    points = bench.document.points_at(0)
    target = points.xy[2, LEFT] + [12.0, -7.0]
    bench.editor.drag_in_view(2, LEFT, target)
    for view in range(4):
        scene = scene_of(points, view, SKELETON, selected=LEFT, preview=bench.document.preview)
        assert scene.moving == LEFT
        assert np.linalg.norm(scene.reprojected[LEFT] - points.reprojected[view, LEFT]) > 1
        expected = target if view == 2 else points.xy[view, LEFT]
        assert np.allclose(scene.xy[LEFT], expected)
        others = np.arange(K) != LEFT
        assert np.array_equal(scene.xy[others], points.xy[view][others])
        box = fitted((80, 80), (0, 0, WIDTH, HEIGHT))
        middle = scene.reprojected[LEFT] - 40
        shifted = box.moved(*(-middle * box.scale))
        assert count_of(painted(scene, shifted), PREVIEW) > 10
    other_frame = bench.document.points_at(1)
    stale = scene_of(other_frame, 2, SKELETON, preview=bench.document.preview)
    assert stale.moving == -1


def test_epipolar_curves_pass_through_the_point_they_come_from(qtbot: QtBot) -> None:
    bench = open_bench()
    points = bench.document.points_at(0)
    cameras = bench.document.sequence.cameras
    observed = points.xy[:, MID].copy()
    observed[3] = np.nan
    curves = epipolar_curves(cameras, 0, observed)
    assert [curve.camera for curve in curves] == ["cam02", "cam03"]
    for curve in curves:
        assert distance_to_curve(curve.xy, points.xy[0, MID]) < 0.5


def test_thinning_keeps_a_curve_in_place() -> None:
    x = np.linspace(0, 400, 64)
    for bend, most in ((0.0, 2), (3.0, 17), (40.0, 64)):
        curve = np.stack([x, bend * np.sin(x / 130)], -1)
        kept = thinned(curve)
        assert 2 <= len(kept) <= most
        assert np.abs(np.interp(x, kept[:, 0], kept[:, 1]) - curve[:, 1]).max() <= 0.3


@pytest.mark.parametrize("scale", [0.2, 1.0, 30.0, 64.0])
def test_a_curve_is_drawn_with_its_camera_at_any_zoom(scale: float) -> None:
    curve = EpipolarCurve("cam07", np.stack([np.linspace(0, 3000, 64), np.full(64, 50.0)], -1))
    bare = empty_scene(curves=(EpipolarCurve("", curve.xy),))
    named = empty_scene(curves=(curve,))
    transform = PaneTransform(scale, (100 - 1400 * scale, 60.5 - 50.5 * scale))
    line = painted(bare, transform)[:, :140]
    assert count_of(line, EPIPOLAR) >= 100
    assert count_of(painted(named, transform), EPIPOLAR) > count_of(
        painted(bare, transform), EPIPOLAR
    )


def test_scene_holds_the_other_people(qtbot: QtBot) -> None:
    bench = open_bench()
    points = bench.document.points_at(0)
    scene = scene_of(points, 1, SKELETON)
    assert set(scene.others) == {BYSTANDER}
    assert bench.document.person == ANNOTATED
    assert np.nanmax(np.abs(scene.others[BYSTANDER] - scene.xy)) > 10


def test_far_and_missing_points_are_harmless() -> None:
    xy = np.full((K, 2), np.nan)
    xy[:5] = [(1e9, 5), (-1e9, -1e9), (np.inf, 3), (20, 1e6), (30, 30)]
    scene = empty_scene(xy=xy, reprojected=xy * 2, score=np.ones(K), selected=0)
    picture = painted(scene)
    assert not (picture == GREY).all()


def test_halo_makes_points_visible_on_their_own_colour() -> None:
    image = QImage(WIDTH, HEIGHT, QImage.Format.Format_RGB32)
    image.fill(Qt.GlobalColor.green)
    before = image.copy()
    with QPainter(image) as painter:
        scene = scene_with(left_knee=(60.0, 40.0))
        paint_overlay(painter, scene, PaneTransform(), QRectF(0, 0, WIDTH, HEIGHT))
    assert image != before


@pytest.mark.parametrize("size", [(180, 130), (240, 330), (128, 50), (900, 600)])
@pytest.mark.parametrize("n_views", [4, 8])
def test_names_of_curves_never_pile_up(qtbot: QtBot, size: tuple[int, int], n_views: int) -> None:
    generator = np.random.default_rng(n_views)
    area = QRectF(0, 20, *size)
    font, named = QGuiApplication.font(), 0
    for _ in range(40):
        ends = generator.uniform(-0.5, 1.5, (n_views - 1, 2, 2)) * size
        curves = [
            EpipolarCurve(f"cam_{i:02d}", np.linspace(start, end, 64))
            for i, (start, end) in enumerate(ends)
        ]
        taken = [QRectF(*generator.uniform(0, size), 60, 18)]
        places = curve_ends(curves, PaneTransform(), area)
        names = curve_names(places, area, taken, font)
        boxes = [box for _, _, box in names]
        for k, box in enumerate(boxes):
            assert area.contains(box)
            assert not any(box.intersects(other) for other in [*boxes[k + 1 :], *taken])
        assert sum(box.width() * box.height() for box in boxes) <= 0.2 * size[0] * size[1]
        for camera, (x, y), _ in names:
            curve = next(curve for curve in curves if curve.camera == camera)
            assert distance_to_curve(curve.xy, np.array([x, y])) < 1.0
        named += len(names) == len(places)
    assert named >= 36 * (size == (900, 600)), "where there is room, every curve has its name"
