"""A 3D view of a synthetic recording that counts its pictures, and what a hand does to it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from simspine_viewer import orbit_camera as orbit
from simspine_viewer.orbit_camera import OrbitView
from simspine_viewer.scene3d import Scene3D
from simspine_viewer.view3d import View3D
from tests.viewer.fakes import Bench

LEFT, NO_KEYS = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
KEYPOINT = 9


class Scenes:
    """Makes scenes that count their pictures."""

    def __init__(self) -> None:
        self.made: list[Scene3D] = []
        self.pictures = 0
        self.samples: list[int] = []

    def __call__(self, dark: bool) -> Scene3D:
        scenes = self

        class Counting(Scene3D):
            def render(
                self, hole: orbit.Pinhole, width: int, height: int, samples: int = 1
            ) -> NDArray[np.uint8]:
                scenes.pictures += 1
                scenes.samples.append(samples)
                return super().render(hole, width, height, samples)

        self.made.append(Counting(dark=dark))
        return self.made[-1]


class Stand:
    """A view of a synthetic recording."""

    def __init__(self, bench: Bench, scenes: Scenes) -> None:
        self.bench, self.scenes = bench, scenes
        self.view = View3D(*bench.state, factory=scenes)
        self.view.resize(400, 400)

    def show(self, qtbot: QtBot) -> None:
        self.view.show()
        qtbot.waitUntil(lambda: self.scenes.pictures > 0)

    def xyz(self, keypoint: int = KEYPOINT) -> NDArray[np.float64]:
        frame = self.bench.cursor.frame
        return self.bench.document.points_at(frame).xyz[keypoint].copy()

    def pixel(self, keypoint: int = KEYPOINT) -> QPoint:
        return QPointF(*self.view.project(self.xyz(keypoint))).toPoint()

    def empty_spot(self) -> QPoint:
        """A pixel far from all keypoints."""
        xy = self.view.project(self.bench.document.points_at(self.bench.cursor.frame).xyz)
        grid = np.stack(np.meshgrid(np.arange(60, 340, 10), np.arange(60, 340, 10)), -1)
        gap = np.nanmin(np.linalg.norm(grid.reshape(-1, 1, 2) - xy, axis=-1), axis=1)
        assert gap.max() > 14
        return QPoint(*map(int, grid.reshape(-1, 2)[np.argmax(gap)]))

    def drag(self, start: QPoint, by: tuple[int, int], keys: Qt.KeyboardModifier = NO_KEYS) -> None:
        """Press and move in steps; the button stays down."""
        QTest.mousePress(self.view, LEFT, keys, start)
        for part in (0.25, 0.5, 0.75, 1.0):
            QTest.mouseMove(self.view, start + QPoint(round(part * by[0]), round(part * by[1])))

    def release(self, start: QPoint, by: tuple[int, int]) -> None:
        QTest.mouseRelease(self.view, LEFT, NO_KEYS, start + QPoint(*by))

    @property
    def n_edits(self) -> int:
        return len(self.bench.document.history.entries)

    def orbit_view(self) -> OrbitView:
        view = self.view.viewpoints.current
        assert isinstance(view, OrbitView)
        return view


def has_text(view: View3D) -> bool:
    """Whether anything is written in the middle of the widget."""
    image = view.grab().toImage()
    middle = {
        image.pixel(x, y)
        for x in range(100, 300)
        for y in range(image.height() // 2 - 25, image.height() // 2 + 25)
    }
    return len(middle) > 4


def wheel(view: View3D, at: QPoint, angle: int) -> None:
    event = QWheelEvent(
        QPointF(at),
        QPointF(view.mapToGlobal(at)),
        QPoint(),
        QPoint(0, angle),
        Qt.MouseButton.NoButton,
        NO_KEYS,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(view, event)
