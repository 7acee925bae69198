"""What one pane shows: the picture at any zoom, the strip, tooltips, and all of it sharp."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QImage, QPainter
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from pipeline.data import edits
from pipeline.data.history import Place
from pipeline.data.source import Flag
from simspine_viewer import pane_header
from simspine_viewer.pane_canvas import REST_MS, ZOOM_RANGE
from simspine_viewer.pane_transform import PaneTransform
from simspine_viewer.picture import NO_FRAME, Picture
from simspine_viewer.theme import contrast
from simspine_viewer.video_pane import VideoPane
from tests.viewer.fakes import SIZE, Bench, open_bench
from tests.viewer.pane_stand import (
    drag,
    empty_spot,
    keypoint,
    picture_of,
    pixels_of,
    show_pane,
    wheel,
    where,
)

pytestmark = pytest.mark.gui


@pytest.fixture
def bench(qtbot: QtBot) -> Bench:
    return open_bench()


@pytest.fixture
def pane(qtbot: QtBot, bench: Bench) -> VideoPane:
    return show_pane(qtbot, bench, 0)


# Zoom and position


def test_zoom_keeps_the_pixel_under_the_pointer(pane: VideoPane) -> None:
    at = QPoint(211, 305)
    pixel = pane.transform.to_picture((211, 305))
    for notches in (1, 4, -2, 7):
        wheel(pane, at, notches)
        assert np.allclose(pane.transform.to_picture((211, 305)), pixel)
    for notches, limit in ((60, ZOOM_RANGE[1]), (-90, ZOOM_RANGE[0])):
        wheel(pane, at, notches)
        assert pane.transform.scale == pytest.approx(limit)


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
    assert texts(pane) == ["cam01", "frame 0", "median 0.0 px", "◐"]
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


@pytest.mark.parametrize("size", [(128, 70), (121, 216), (92, 250), (360, 200), (700, 500)])
def test_a_small_pane_keeps_its_picture_and_tells_the_rest(
    qtbot: QtBot, bench: Bench, size: tuple[int, int]
) -> None:
    pane = show_pane(qtbot, bench, 0, size)
    pane.set_picture(picture_of(0, size=(632, 480), suspect=True))
    items, font = pane.header_items(), pane.font()
    shown = pane_header.fitting(items, font, *size)
    rects = pane_header.place_items(shown, font, size[0])
    assert pane_header.header_height(rects, font) <= max(0.3 * size[1], 22)
    assert all(rect.right() <= size[0] for rect in rects)
    told = {text for item in shown for text in (item.text, *item.tooltip.split("\n"))}
    assert {item.text for item in items} <= told, "what is not shown is in a tooltip"
    if size == (700, 500):
        assert shown == items


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
