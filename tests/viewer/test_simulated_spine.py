"""The simulated body in panes and in the 3D view: where, when, and following a drag."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QImage, QPainter
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from pipeline.data.camera import Camera
from simspine_viewer.overlay import OverlayOptions
from simspine_viewer.overlay_scene import SpineCurve
from simspine_viewer.overlay_spine import level_at, paint_spine
from simspine_viewer.palette import BONE
from simspine_viewer.pane_transform import PaneTransform
from simspine_viewer.pose import Pose
from simspine_viewer.spine_levels import keypoint_column, spine_levels
from simspine_viewer.stages import NOT_SIMULATED, Stage
from tests.viewer.fakes import Bench, make_sequence, open_bench
from tests.viewer.pane_stand import drag, keypoint, pixels_of, show_pane, where
from tests.viewer.simulated import posed
from tests.viewer.view3d_stand import Scenes, Stand

pytestmark = [pytest.mark.gui, pytest.mark.opensim]

VIEW = 1


class Simulated:
    """A document's simulator that tests move by hand."""

    def __init__(self, bench: Bench) -> None:
        self.bench, self.pose = bench, posed()
        bench.document.pose_source = lambda frame: self.pose if frame == 0 else None

    def move(self, pose: Pose) -> None:
        self.pose = pose
        self.bench.document.pose_changed.emit()


@pytest.fixture
def bench() -> Bench:
    return open_bench(make_sequence(n_frames=2))


@pytest.fixture
def simulated(bench: Bench) -> Simulated:
    return Simulated(bench)


def projected(camera: Camera, xyz: np.ndarray) -> np.ndarray:
    """By OpenCV, which shares no line with ours."""
    rotation = cv2.Rodrigues(camera.rotation)[0]
    xy, _ = cv2.projectPoints(xyz, rotation, camera.translation, camera.matrix, camera.distortion)
    return np.asarray(xy[:, 0])


def test_the_levels_lie_where_the_camera_sees_them(
    qtbot: QtBot, bench: Bench, simulated: Simulated
) -> None:
    pane = show_pane(qtbot, bench, VIEW)
    sequence = bench.document.sequence
    scene = pane.scene()
    assert scene is not None
    assert scene.spine is not None
    levels = spine_levels(simulated.pose, keypoint_column(sequence.info.skeleton))
    assert levels is not None
    expected = projected(sequence.cameras[VIEW], levels.xyz)
    assert np.abs(scene.spine.xy - expected).max() < 1e-6
    assert not scene.spine.strong
    at = pane.transform.to_widget(expected[levels.names.index("T7")])
    off = at + np.array([1.5, 1.0])  # of a hand
    assert level_at(scene.spine, pane.transform, tuple(off)) == "T7"
    assert level_at(scene.spine, pane.transform, (1.0, 1.0)) == ""


@pytest.mark.parametrize(
    ("options", "spine"),
    [
        (OverlayOptions(), "thin"),
        (OverlayOptions(spine=False), "none"),
        (OverlayOptions(stage=Stage.DETECTED), "none"),
        (OverlayOptions(stage=Stage.TRIANGULATED), "none"),
        (OverlayOptions(stage=Stage.FINAL), "none"),
        (OverlayOptions(stage=Stage.MODEL), "strong"),
    ],
)
def test_when_the_spine_is_drawn(
    qtbot: QtBot, bench: Bench, simulated: Simulated, options: OverlayOptions, spine: str
) -> None:
    pane = show_pane(qtbot, bench, VIEW)
    pane.set_options(options)
    scene = pane.scene()
    assert scene is not None
    found = "none" if scene.spine is None else "strong" if scene.spine.strong else "thin"
    assert found == spine
    bench.editor.parts.set_hidden("spine", True)
    assert pane.scene().spine is None  # type: ignore[union-attr]


def test_the_simulated_stage_shows_all_markers_of_the_model(
    qtbot: QtBot, bench: Bench, simulated: Simulated
) -> None:
    pane = show_pane(qtbot, bench, VIEW)
    pane.set_options(OverlayOptions(stage=Stage.MODEL))
    scene = pane.scene()
    assert scene is not None
    assert scene.legend == "Simulated"
    camera = bench.document.sequence.cameras[VIEW]
    assert np.abs(scene.handles - projected(camera, simulated.pose.markers)).max() < 1e-6
    bench.document.pose_source = None
    bench.document.pose_changed.emit()
    scene = pane.scene()
    assert scene is not None
    assert scene.legend == NOT_SIMULATED
    assert np.isnan(scene.handles).all()


@pytest.mark.parametrize("stage", [Stage.WORK, Stage.MODEL])
def test_the_body_follows_a_drag(
    qtbot: QtBot, bench: Bench, simulated: Simulated, stage: Stage
) -> None:
    """Although all that a drag leaves alone is painted once and kept."""
    pane, dragged = show_pane(qtbot, bench, VIEW), show_pane(qtbot, bench, VIEW + 1)
    at = where(bench, dragged)
    for each in (pane, dragged):
        each.set_options(OverlayOptions(stage=stage))
    if stage is Stage.MODEL:
        scene = dragged.scene()
        assert scene is not None
        handle = scene.handles[keypoint(bench)]
        at = QPointF(*dragged.transform.to_widget(handle)).toPoint()
    drag(dragged, at, QPoint(25, -10), release=False)
    assert bench.document.preview is not None
    before = pixels_of(pane)
    simulated.move(posed(0.5, live=True))
    after = pixels_of(pane)
    scene = pane.scene()
    assert scene is not None
    assert scene.spine is not None
    x, y = pane.transform.to_widget(scene.spine.xy[scene.spine.names.index("T3")])
    patch = (slice(int(y) - 4, int(y) + 5), slice(int(x) - 4, int(x) + 5))
    assert np.abs(after[patch] - before[patch]).max() > 60
    if stage is Stage.MODEL:
        marker = bench.document.sequence.info.skeleton.index("left_elbow")
        x, y = pane.transform.to_widget(scene.handles[marker])
        assert np.abs(after[int(y), int(x)] - before[int(y), int(x)]).max() > 60
    QTest.mouseRelease(dragged, Qt.MouseButton.LeftButton, pos=at + QPoint(25, -10))


def test_the_curve_is_painted_with_room_for_its_ticks(qtbot: QtBot) -> None:
    def painted(step: float) -> np.ndarray:
        xy = np.stack([np.full(9, 60.0), 10.0 + step * np.arange(9)], axis=-1)
        xy[4] = np.nan
        curve = SpineCurve(tuple("abcdefghi"), xy, np.arange(9) == 2)
        image = QImage(120, 200, QImage.Format.Format_RGB32)
        image.fill(0)
        with QPainter(image) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            paint_spine(painter, curve, PaneTransform(), QRectF(0, 0, 120, 200))
        bgra = np.frombuffer(image.constBits(), np.uint8).reshape(200, 120, 4)
        return np.abs(bgra[..., 2::-1].astype(int) - BONE).max(axis=-1) < 90

    wide = painted(20.0)
    rows = wide.sum(axis=1)
    assert rows[20] < rows[30] < rows[50]  # between levels, at one, at the first of a region
    assert rows[90] == 0  # nothing where a level is not known
    assert wide.any(axis=1)[12:65].all()
    narrow = painted(3.0)
    assert narrow[:, 64:].sum() == 0  # no room for ticks


def test_nothing_is_painted_far_outside(qtbot: QtBot) -> None:
    xy = np.array([[1e9, 1e9], [np.nan, 5.0], [np.inf, 0.0]])
    image = QImage(50, 50, QImage.Format.Format_RGB32)
    image.fill(0)
    with QPainter(image) as painter:
        curve = SpineCurve(("a", "b", "c"), xy, np.zeros(3, bool))
        paint_spine(painter, curve, PaneTransform(), QRectF(0, 0, 50, 50))
    assert not np.frombuffer(image.constBits(), np.uint8).reshape(50, 50, 4)[..., :3].any()


def test_bones_come_with_a_pose_and_go_with_it(
    qtbot: QtBot, bench: Bench, simulated: Simulated
) -> None:
    stand = Stand(bench, Scenes())
    qtbot.addWidget(stand.view)
    view, feed = stand.view, stand.view._feed
    stand.show(qtbot)
    qtbot.waitUntil(lambda: feed.shows_bones)
    qtbot.waitUntil(lambda: stand.scenes.samples[-1] == 2)  # at rest
    with_bones = view.grab().toImage()
    simulated.move(posed(0.3))
    qtbot.waitUntil(lambda: view.grab().toImage() != with_bones)
    for options in (OverlayOptions(bones=False), OverlayOptions(stage=Stage.DETECTED)):
        view.set_options(options)
        qtbot.waitUntil(lambda: not feed.shows_bones)
        view.set_options(OverlayOptions())
        qtbot.waitUntil(lambda: feed.shows_bones)
    bench.cursor.set_frame(1)  # not simulated
    qtbot.waitUntil(lambda: not feed.shows_bones)


def test_a_level_is_named_under_the_pointer(
    qtbot: QtBot, bench: Bench, simulated: Simulated
) -> None:
    stand = Stand(bench, Scenes())
    qtbot.addWidget(stand.view)
    stand.show(qtbot)
    feed, gestures = stand.view._feed, stand.view._gestures
    qtbot.waitUntil(lambda: feed.shows_bones)
    bench.editor.parts.set_hidden("head", True)
    levels = feed.levels()
    assert levels is not None
    points = stand.view.project(feed.xyz())
    places = stand.view.project(levels.xyz)
    gaps = np.nanmin(np.linalg.norm(points[:, None] - places, axis=-1), axis=0)
    level = int(gaps.argmax())
    assert gaps[level] > 10
    QTest.mouseMove(stand.view, QPointF(*places[level]).toPoint())
    assert gestures.hover == -1
    assert levels.names[gestures.hover_level] == levels.names[level]
    QTest.mouseMove(stand.view, stand.pixel())
    assert (gestures.hover >= 0, gestures.hover_level) == (True, -1)


def test_the_points_in_3d_are_those_of_the_stage(
    qtbot: QtBot, bench: Bench, simulated: Simulated
) -> None:
    stand = Stand(bench, Scenes())
    qtbot.addWidget(stand.view)
    feed = stand.view._feed
    feed.set_options(OverlayOptions(stage=Stage.MODEL))
    assert np.array_equal(feed.xyz(), simulated.pose.markers)
    assert np.isnan(feed.sigma(3))
    trail = bench.editor.trails.in_3d(3, 0, 5, Stage.MODEL)
    assert np.array_equal(trail.places[0], simulated.pose.markers[3])
    assert np.isnan(trail.places[1]).all()  # the second frame has no pose
    simulated.move(replace(simulated.pose, markers=simulated.pose.markers + 0.01))
    trail = bench.editor.trails.in_3d(3, 0, 5, Stage.MODEL)
    assert np.array_equal(trail.places[0], simulated.pose.markers[3])


def test_a_marker_moved_within_the_body_is_painted_anew(
    qtbot: QtBot, bench: Bench, simulated: Simulated
) -> None:
    """Nothing else tells the kept picture of the points that it is out of date."""
    pane, dragged = show_pane(qtbot, bench, VIEW), show_pane(qtbot, bench, VIEW + 1)
    at = where(bench, dragged)
    drag(dragged, at, QPoint(25, -10), release=False)
    assert bench.document.preview is not None
    pane.set_options(OverlayOptions(stage=Stage.MODEL, spine=False))
    before, inner = pixels_of(pane), bench.document.sequence.info.skeleton.index("spine_03")
    markers = simulated.pose.markers.copy()
    markers[inner, 1] += 0.03
    simulated.move(replace(simulated.pose, markers=markers, live=True))
    assert (pixels_of(pane) != before).any()
    QTest.mouseRelease(dragged, Qt.MouseButton.LeftButton, pos=at + QPoint(25, -10))
