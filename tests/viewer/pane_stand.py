"""Video panes of a synthetic recording, and what a hand does to them."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QImage, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from simspine_viewer.picture import Picture
from simspine_viewer.video_pane import VideoPane
from tests.viewer.fakes import SIZE, Bench

LEFT = Qt.MouseButton.LeftButton
NAME = "right_wrist"


def picture_of(frame: int, size: tuple[int, int] = SIZE, **more: object) -> Picture:
    width, height = size
    pixels = np.full((height, width, 4), 90, np.uint8)
    return Picture(frame, frame, pixels, **more)  # type: ignore[arg-type]


def show_pane(
    qtbot: QtBot, bench: Bench, view: int, size: tuple[int, int] = (700, 560)
) -> VideoPane:
    pane = VideoPane(view, *bench.state)
    qtbot.addWidget(pane)
    pane.resize(*size)
    pane.show()
    qtbot.waitExposed(pane)
    pane.set_picture(picture_of(bench.cursor.frame))
    return pane


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
