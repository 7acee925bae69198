"""One pane under a real mouse and keyboard: select, drag, place, zoom, and what it says."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QContextMenuEvent, QImage, QPainter, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from pipeline.data import edits
from pipeline.data.history import Place
from pipeline.data.source import Flag
from simspine_viewer import pane_header
from simspine_viewer.palette import PREVIEW
from simspine_viewer.pane_canvas import REST_MS, ZOOM_RANGE
from simspine_viewer.pane_transform import PaneTransform
from simspine_viewer.picture import NO_FRAME, Picture
from simspine_viewer.theme import contrast
from simspine_viewer.video_pane import VideoPane
from tests.viewer.fakes import BYSTANDER, SIZE, Bench, open_bench

pytestmark = pytest.mark.gui

LEFT = Qt.MouseButton.LeftButton
NAME = "right_wrist"


def picture_of(frame: int, size: tuple[int, int] = SIZE, **more: object) -> Picture:
    width, height = size
    pixels = np.full((height, width, 4), 90, np.uint8)
    return Picture(frame, frame, pixels, **more)  # type: ignore[arg-type]


@pytest.fixture
def bench(qtbot: QtBot) -> Bench:
    return open_bench()


def show_pane(qtbot: QtBot, bench: Bench, view: int, size: tuple[int, int] = (700, 560)):
    pane = VideoPane(view, *bench.state)
    qtbot.addWidget(pane)
    pane.resize(*size)
    pane.show()
    qtbot.waitExposed(pane)
    pane.set_picture(picture_of(bench.cursor.frame))
    return pane


@pytest.fixture
def panes(qtbot: QtBot, bench: Bench) -> list[VideoPane]:
    return [show_pane(qtbot, bench, view) for view in range(4)]


@pytest.fixture
def pane(qtbot: QtBot, bench: Bench) -> VideoPane:
    return show_pane(qtbot, bench, 0)


def keypoint(bench: Bench) -> int:
    return bench.document.sequence.info.skeleton.index(NAME)


def on_widget(pane: VideoPane, xy: object) -> QPoint:
    x, y = pane.transform.to_widget(xy)
    return QPoint(round(x), round(y))


def where(bench: Bench, pane: VideoPane) -> QPoint:
    points = bench.document.points_at(bench.cursor.frame)
    return on_widget(pane, points.xy[pane.view, keypoint(bench)])


def empty_spot(pane: VideoPane) -> QPoint:
    return on_widget(pane, (12, 12))


def drag(pane: VideoPane, start: QPoint, by: QPoint, *, release: bool = True) -> None:
    QTest.mousePress(pane, LEFT, pos=start)
    for share in (0.3, 0.7, 1.0):
        QTest.mouseMove(pane, start + by * share)
    if release:
        QTest.mouseRelease(pane, LEFT, pos=start + by)


def pixels_of(pane: VideoPane) -> np.ndarray:
    image = pane.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    bgra = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.width(), 4)
    return bgra[..., 2::-1].astype(np.int16)


def count_of(pane: VideoPane, colour: tuple[int, int, int]) -> int:
    return int((np.abs(pixels_of(pane) - colour).max(axis=-1) < 40).sum())


# Select, drag, place


def test_press_selects_the_keypoint_and_the_view(bench: Bench, panes: list[VideoPane]) -> None:
    QTest.mouseClick(panes[2], LEFT, pos=where(bench, panes[2]))
    assert (bench.selection.keypoint, bench.selection.view) == (keypoint(bench), 2)
    assert not bench.document.history.entries


def test_press_on_nothing_selects_the_view_only(bench: Bench, panes: list[VideoPane]) -> None:
    bench.selection.set(5, 0)
    QTest.mouseClick(panes[1], LEFT, pos=empty_spot(panes[1]))
    assert (bench.selection.keypoint, bench.selection.view) == (5, 1)


def test_drag_previews_in_all_views_and_release_commits_one_step(
    bench: Bench, panes: list[VideoPane]
) -> None:
    pane, k = panes[0], keypoint(bench)
    before = bench.document.points_at(0)
    start, by = where(bench, pane), QPoint(34, -21)
    drag(pane, start, by, release=False)
    preview = bench.document.preview
    assert preview is not None
    assert (preview.view, preview.keypoint) == (0, k)
    for other in panes[1:]:
        scene = other.scene()
        assert scene is not None
        assert np.linalg.norm(scene.reprojected[k] - before.reprojected[other.view, k]) > 1
    assert all(count_of(p, PREVIEW) > 10 for p in panes)
    assert not bench.document.history.entries

    QTest.mouseRelease(pane, LEFT, pos=start + by)
    assert bench.document.preview is None
    assert len(bench.document.history.entries) == 1
    after = bench.document.points_at(0)
    moved = after.xy[0, k] - before.xy[0, k]
    assert np.allclose(moved, np.array([34, -21]) / pane.transform.scale, atol=1e-3)
    assert after.manual[0, k]
    assert np.linalg.norm(after.xyz[k] - before.xyz[k]) > 0.005

    bench.document.undo()
    assert np.array_equal(bench.document.points_at(0).xy, before.xy)


def test_a_point_does_not_jump_to_the_pointer(bench: Bench, pane: VideoPane) -> None:
    k, before = keypoint(bench), bench.document.points_at(0)
    drag(pane, where(bench, pane) + QPoint(5, 3), QPoint(30, 0))
    moved = bench.document.points_at(0).xy[0, k] - before.xy[0, k]
    assert np.allclose(moved, [30 / pane.transform.scale, 0], atol=1e-3)


def test_a_hand_that_trembles_moves_nothing(bench: Bench, pane: VideoPane) -> None:
    drag(pane, where(bench, pane), QPoint(2, 2))
    assert bench.document.preview is None
    assert not bench.document.history.entries
    assert bench.selection.keypoint == keypoint(bench)


def test_escape_drops_the_drag_until_the_next_press(bench: Bench, pane: VideoPane) -> None:
    start = where(bench, pane)
    drag(pane, start, QPoint(40, 10), release=False)
    assert bench.document.preview is not None
    QTest.keyClick(pane, Qt.Key.Key_Escape)
    assert bench.document.preview is None
    QTest.mouseMove(pane, start + QPoint(60, 30))
    assert bench.document.preview is None
    QTest.mouseRelease(pane, LEFT, pos=start + QPoint(60, 30))
    assert not bench.document.history.entries
    drag(pane, start, QPoint(40, 10))
    assert len(bench.document.history.entries) == 1


def test_another_frame_drops_the_drag(bench: Bench, pane: VideoPane) -> None:
    start = where(bench, pane)
    drag(pane, start, QPoint(40, 10), release=False)
    bench.cursor.set_frame(1)
    pane.set_picture(picture_of(1))
    QTest.mouseMove(pane, start + QPoint(60, 30))
    QTest.mouseRelease(pane, LEFT, pos=start + QPoint(60, 30))
    assert bench.document.preview is None
    assert not bench.document.history.entries


def test_a_drag_dropped_by_somebody_else_stays_dropped(bench: Bench, pane: VideoPane) -> None:
    start = where(bench, pane)
    drag(pane, start, QPoint(40, 10), release=False)
    bench.editor.cancel()
    QTest.mouseMove(pane, start + QPoint(60, 30))
    assert bench.document.preview is None
    QTest.mouseRelease(pane, LEFT, pos=start + QPoint(60, 30))
    assert not bench.document.history.entries


def test_points_of_a_picture_that_is_not_current_cannot_be_moved(
    bench: Bench, pane: VideoPane
) -> None:
    start = where(bench, pane)
    bench.cursor.set_frame(2)
    assert pane.frame == 0
    drag(pane, start, QPoint(40, 10))
    assert bench.selection.keypoint == keypoint(bench)
    assert not bench.document.history.entries


def test_placing_puts_the_selected_keypoint_where_the_press_is(
    bench: Bench, panes: list[VideoPane]
) -> None:
    k, pane = keypoint(bench), panes[1]
    bench.selection.set(k, 0)
    bench.editor.set_placing(True)
    assert pane.cursor().shape() == Qt.CursorShape.CrossCursor
    target = np.array([30.0, 40.0])
    QTest.mousePress(pane, LEFT, pos=on_widget(pane, target))
    assert bench.document.preview is not None
    QTest.mouseRelease(pane, LEFT, pos=on_widget(pane, target))
    points = bench.document.points_at(0)
    assert points.manual[1, k]
    assert np.abs(points.xy[1, k] - target).max() <= 0.5 / pane.transform.scale + 1e-6
    assert len(bench.document.history.entries) == 1
    QTest.keyClick(pane, Qt.Key.Key_Escape)
    assert not bench.editor.placing
    assert pane.cursor().shape() != Qt.CursorShape.CrossCursor


def test_a_missing_point_is_taken_by_its_cross(bench: Bench, pane: VideoPane) -> None:
    k = keypoint(bench)
    start = where(bench, pane)
    document = bench.document
    document.commit("x", edits.delete_point(document.sequence, 0, 0, [0], k), Place(0))
    assert np.isnan(document.points_at(0).xy[0, k]).all()
    drag(pane, start, QPoint(20, 8))
    points = document.points_at(0)
    assert points.manual[0, k]
    assert np.isfinite(points.xy[0, k]).all()


def test_somebody_else_can_be_clicked(qtbot: QtBot, bench: Bench, pane: VideoPane) -> None:
    points = bench.document.points_at(0)
    others, own = points.others[BYSTANDER][0], points.xy[0]
    apart = np.linalg.norm(others[:, None] - own[None], axis=-1).min(axis=1)
    apart[((others < 0) | (others > np.array(SIZE))).any(axis=-1)] = 0
    far = int(apart.argmax())
    with qtbot.waitSignal(pane.person_clicked) as signal:
        QTest.mouseClick(pane, LEFT, pos=on_widget(pane, others[far]))
    assert signal.args == [BYSTANDER]
    assert bench.selection.keypoint == -1


def test_hidden_overlay_cannot_be_edited(bench: Bench, pane: VideoPane) -> None:
    pane.set_options(type(pane.options)(visible=False))
    drag(pane, where(bench, pane), QPoint(40, 10))
    assert not bench.document.history.entries


def test_menu_is_asked_for_at_the_keypoint(qtbot: QtBot, bench: Bench, pane: VideoPane) -> None:
    at = where(bench, pane)
    event = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, at, pane.mapToGlobal(at))
    with qtbot.waitSignal(pane.menu_requested) as signal:
        QApplication.sendEvent(pane, event)
    assert signal.args == [pane.mapToGlobal(at), keypoint(bench)]
    assert bench.selection.keypoint == keypoint(bench)


def test_double_click_asks_to_enlarge(qtbot: QtBot, pane: VideoPane) -> None:
    with qtbot.waitSignal(pane.enlarge_requested) as signal:
        QTest.mouseDClick(pane, LEFT, pos=empty_spot(pane))
    assert signal.args == [0]


# Zoom and position


def wheel(pane: VideoPane, at: QPoint, notches: int) -> None:
    event = QWheelEvent(
        QPointF(at),
        QPointF(pane.mapToGlobal(at)),
        QPoint(),
        QPoint(0, 120 * notches),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(pane, event)


def test_zoom_keeps_the_pixel_under_the_pointer(pane: VideoPane) -> None:
    at = QPoint(211, 305)
    pixel = pane.transform.to_picture((211, 305))
    for notches in (1, 4, -2, 7):
        wheel(pane, at, notches)
        assert np.allclose(pane.transform.to_picture((211, 305)), pixel)
    for notches, limit in ((60, ZOOM_RANGE[1]), (-90, ZOOM_RANGE[0])):
        wheel(pane, at, notches)
        assert pane.transform.scale == pytest.approx(limit)


@pytest.mark.parametrize(
    ("button", "modifier"),
    [
        (Qt.MouseButton.MiddleButton, Qt.KeyboardModifier.NoModifier),
        (LEFT, Qt.KeyboardModifier.AltModifier),
    ],
)
def test_pan_moves_the_picture_with_the_pointer(
    bench: Bench, pane: VideoPane, button: Qt.MouseButton, modifier: Qt.KeyboardModifier
) -> None:
    start = where(bench, pane)
    pixel = pane.transform.to_picture((start.x(), start.y()))
    QTest.mousePress(pane, button, modifier, start)
    QTest.mouseMove(pane, start + QPoint(25, 40))
    QTest.mouseRelease(pane, button, modifier, start + QPoint(25, 40))
    moved = pane.transform.to_picture((start.x() + 25, start.y() + 40))
    assert np.allclose(moved, pixel)
    assert bench.selection.keypoint == -1
    assert not bench.document.history.entries


def test_picture_fits_until_it_is_zoomed_and_again_after_f(pane: VideoPane) -> None:
    fitted_scale = pane.transform.scale
    pane.resize(350, 280)
    assert pane.transform.scale < 0.6 * fitted_scale
    pane.resize(700, 560)
    assert pane.transform.scale == pytest.approx(fitted_scale)
    wheel(pane, QPoint(300, 300), 3)
    zoomed = pane.transform
    pane.set_picture(picture_of(1))
    assert pane.transform == zoomed
    QTest.keyClick(pane, Qt.Key.Key_F)
    assert pane.transform.scale == pytest.approx(fitted_scale)


def test_resizing_a_zoomed_pane_keeps_the_middle(pane: VideoPane) -> None:
    wheel(pane, QPoint(150, 200), 6)
    middle = pane.picture_area().center()
    pixel = pane.transform.to_picture((middle.x(), middle.y()))
    pane.resize(400, 500)
    middle = pane.picture_area().center()
    assert np.allclose(pane.transform.to_picture((middle.x(), middle.y())), pixel)


@pytest.mark.parametrize("corner", [(0, 0), (1071, 1911)])
@pytest.mark.parametrize("scale", [4, 16, 64])
def test_single_pixels_are_sharp_when_enlarged(
    qtbot: QtBot, pane: VideoPane, scale: int, corner: tuple[int, int]
) -> None:
    noise = np.random.default_rng(3).integers(0, 255, (1920, 1080, 4), dtype=np.uint8)
    pane.set_picture(Picture(0, 0, noise))
    column, row = corner
    top = int(pane.picture_area().top())
    pane.set_transform(PaneTransform(scale, (8 - column * scale, top + 16 - row * scale)))
    pane.set_options(type(pane.options)(visible=False))
    qtbot.wait(REST_MS + 40)
    drawn = pixels_of(pane)[top + 16 : top + 16 + 8 * scale, 8 : 8 + 8 * scale]
    block = noise[row : row + 8, column : column + 8, 2::-1]
    assert np.array_equal(drawn, np.kron(block, np.ones((scale, scale, 1), np.uint8)))


def test_a_reduced_picture_is_averaged_at_rest(qtbot: QtBot, pane: VideoPane) -> None:
    checks = np.zeros((1200, 1600, 4), np.uint8)
    checks[::2, ::2] = checks[1::2, 1::2] = 255
    pane.set_picture(Picture(0, 0, checks))
    pane.set_options(type(pane.options)(visible=False))
    qtbot.wait(REST_MS + 40)
    middle = pixels_of(pane)[250:350, 300:400]
    assert middle.min() > 100
    assert middle.max() < 155


# What the pane says


def texts(pane: VideoPane) -> list[str]:
    return [item.text for item in pane.header_items()]


def test_strip_names_camera_frame_and_residual(bench: Bench, pane: VideoPane) -> None:
    assert texts(pane) == ["cam01", "frame 0", "median 0.0 px"]
    pane.set_picture(Picture(0, 7, picture_of(0).pixels))
    assert "video 7" in texts(pane)


def test_a_missing_frame_and_a_suspect_one_have_badges(pane: VideoPane) -> None:
    pane.set_picture(Picture(0, reason=NO_FRAME))
    assert texts(pane)[-1] == "no frame"
    pane.grab()
    pane.set_picture(picture_of(0, suspect=True))
    assert "suspect" in texts(pane)
    pane.set_picture(Picture(0, 0, reason="/somewhere/long/cam01.mp4: this is not a video file."))
    assert "unreadable" in texts(pane)


def test_a_size_other_than_the_calibration_s_is_said_and_nothing_rescaled(
    bench: Bench, pane: VideoPane
) -> None:
    xy = pane.scene().xy
    pane.set_picture(picture_of(0, size=(SIZE[0] - 8, SIZE[1])))
    badge = pane.header_items()[-1]
    assert badge.kind == "warning"
    assert "632 × 480" in badge.tooltip
    assert "640 × 480" in badge.tooltip
    assert np.array_equal(pane.scene().xy, xy, equal_nan=True)


def test_a_late_picture_is_announced_and_the_badge_goes(
    qtbot: QtBot, bench: Bench, pane: VideoPane
) -> None:
    bench.cursor.set_frame(3)
    assert "decoding…" not in texts(pane)
    qtbot.waitUntil(lambda: "decoding…" in texts(pane))
    assert "frame 0" in texts(pane)
    pane.set_picture(picture_of(3))
    assert "decoding…" not in texts(pane)
    assert "frame 3" in texts(pane)


def test_no_text_of_the_strip_is_cut_off(qtbot: QtBot, bench: Bench) -> None:
    pane = show_pane(qtbot, bench, 0, (200, 300))
    pane.set_picture(picture_of(0, size=(632, 480), suspect=True))
    items = pane.header_items()
    for width in range(pane.minimumSizeHint().width(), 700, 23):
        rects = pane_header.place_items(items, pane.font(), width)
        for k, rect in enumerate(rects):
            assert rect.left() >= 0
            assert rect.right() <= width
            assert not any(rect.intersects(other) for other in rects[k + 1 :])


def test_strip_is_readable() -> None:
    for text, background in pane_header.COLOURS.values():
        assert contrast(text, background) >= 4.5


def test_tooltip_describes_the_keypoint_under_the_pointer(bench: Bench, pane: VideoPane) -> None:
    at = where(bench, pane)
    text = pane.tooltip_at((at.x(), at.y()))
    assert "RWrist" in text
    assert "score 0.90" in text
    assert "residual 0.0 px" in text
    document, k = bench.document, keypoint(bench)
    patches = edits.toggle_flag(document.sequence, 0, 0, [0], k, Flag.OCCLUDED)
    document.commit("x", patches, Place(0))
    assert "occluded" in pane.tooltip_at((at.x(), at.y()))
    spot = empty_spot(pane)
    assert pane.tooltip_at((spot.x(), spot.y())) == ""


def test_pane_of_a_closed_document_is_empty_and_unharmed(bench: Bench, pane: VideoPane) -> None:
    at = where(bench, pane)
    bench.document.close()
    pane.grab()
    drag(pane, at, QPoint(30, 10))
    wheel(pane, at, 2)
    assert pane.scene() is None


def test_accessible_name(pane: VideoPane) -> None:
    assert pane.accessibleName() == "Video of cam01"


HIDPI_SCRIPT = """
import numpy as np
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
app = QApplication([])
from simspine_viewer.palette import SIDE_COLOUR
from simspine_viewer.picture import Picture
from simspine_viewer.video_pane import VideoPane
from tests.viewer.fakes import SIZE, open_bench
bench = open_bench()
pane = VideoPane(0, *bench.state)
pane.resize(500, 400)
pane.show()
pane.set_picture(Picture(0, 0, np.full((SIZE[1], SIZE[0], 4), 90, np.uint8)))
k = bench.document.sequence.info.skeleton.index("right_wrist")
x, y = pane.transform.to_widget(bench.document.points_at(0).xy[0, k])
image = pane.grab().toImage()
assert image.width() == 500 * pane.devicePixelRatioF() != 500, image.width()
ratio = pane.devicePixelRatioF()
colour = image.pixelColor(round(x * ratio - 0.5), round(y * ratio - 0.5))
near = np.abs(np.array(colour.getRgb()[:3]) - SIDE_COLOUR["right"]).max()
assert near < 60, colour.getRgb()
for offset, hit in ((9, k), (-9, k)):
    bench.selection.set(-1)
    QTest.mouseClick(pane, Qt.MouseButton.LeftButton, pos=QPoint(round(x), round(y) + offset))
    assert bench.selection.keypoint == hit, (offset, bench.selection.keypoint)
"""


@pytest.mark.parametrize("factor", ["1.5", "2"])
def test_what_is_seen_is_what_is_hit_on_dense_screens(factor: str) -> None:
    root = Path(__file__).resolve().parents[2]
    environment = {**os.environ, "QT_SCALE_FACTOR": factor, "QT_QPA_PLATFORM": "offscreen"}
    done = subprocess.run(
        [sys.executable, "-c", HIDPI_SCRIPT],
        cwd=root,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_pane_paints_on_any_device(bench: Bench, pane: VideoPane) -> None:
    image = QImage(1400, 1120, QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(2.0)
    image.fill(0)
    with QPainter(image) as painter:
        pane.paint(painter, 2.0)
    k = keypoint(bench)
    x, y = pane.transform.to_widget(bench.document.points_at(0).xy[0, k])
    red, green, blue, _ = image.pixelColor(round(2 * x - 0.5), round(2 * y - 0.5)).getRgb()
    assert red > 200 > green
    assert blue < 60
