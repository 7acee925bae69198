"""The 3D view under a real mouse and keyboard: looking around, and moving a keypoint."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from simspine_viewer import orbit_camera as orbit
from simspine_viewer.orbit_camera import CameraView
from tests.viewer.fakes import make_sequence, open_bench
from tests.viewer.view3d_stand import KEYPOINT, LEFT, NO_KEYS, Scenes, Stand, wheel

pytestmark = pytest.mark.gui


@pytest.fixture
def stand(qtbot: QtBot) -> Iterator[Stand]:
    made = Stand(open_bench(), Scenes())
    qtbot.addWidget(made.view)
    yield made
    made.view.close()


# Looking


def test_mouse_and_wheel_navigate(stand: Stand, qtbot: QtBot) -> None:
    stand.show(qtbot)
    start, spot = stand.orbit_view(), stand.empty_spot()
    stand.drag(spot, (60, 20))
    stand.release(spot, (60, 20))
    turned = stand.orbit_view()
    assert turned.azimuth < start.azimuth
    assert turned.elevation > start.elevation
    assert turned.focus == pytest.approx(start.focus)
    before = stand.view.project(turned.focus)
    stand.drag(spot, (30, -20), Qt.KeyboardModifier.ShiftModifier)
    stand.release(spot, (30, -20))
    assert stand.view.project(turned.focus) - before == pytest.approx([30, -20])
    under = orbit.on_plane(
        orbit.pinhole(stand.orbit_view(), 400, 400), (100, 300), stand.orbit_view().focus
    )
    wheel(stand.view, QPoint(100, 300), 240)
    assert stand.orbit_view().distance < 0.8 * turned.distance
    assert stand.view.project(under) == pytest.approx([100, 300])
    QTest.mouseDClick(stand.view, LEFT, NO_KEYS, stand.empty_spot())
    assert stand.orbit_view().azimuth == turned.azimuth
    assert stand.orbit_view().distance == pytest.approx(start.distance, rel=0.3)
    assert stand.n_edits == 0


def test_in_a_camera_the_wheel_enlarges_and_a_drag_leaves(stand: Stand, qtbot: QtBot) -> None:
    stand.show(qtbot)
    stand.view.view_camera(0)
    centre = stand.bench.document.sequence.cameras[0].centre
    wheel(stand.view, QPoint(200, 200), 360)
    view = stand.view.viewpoints.current
    assert isinstance(view, CameraView)
    assert view.zoom > 1.4
    spot = stand.empty_spot()
    QTest.mousePress(stand.view, LEFT, NO_KEYS, spot)
    QTest.mouseMove(stand.view, spot + QPoint(0, 1))
    QTest.mouseRelease(stand.view, LEFT, NO_KEYS, spot + QPoint(0, 1))
    assert stand.view.viewpoints.through == -1
    hole = orbit.pinhole(stand.orbit_view(), 400, 400)
    assert hole.centre == pytest.approx(centre, abs=0.1)


def test_f_frames_and_arrows_are_left_to_the_window(stand: Stand, qtbot: QtBot) -> None:
    stand.show(qtbot)
    wheel(stand.view, QPoint(10, 10), 1200)
    near = stand.orbit_view().distance
    QTest.keyClick(stand.view, Qt.Key.Key_F)
    assert stand.orbit_view().distance > 2 * near
    heard: list[int] = []

    class Window(QWidget):
        def keyPressEvent(self, event) -> None:  # type: ignore[no-untyped-def]
            heard.append(event.key())

    window = Window()
    qtbot.addWidget(window)
    stand.view.setParent(window)
    QTest.keyClick(stand.view, Qt.Key.Key_Right)
    QTest.keyClick(stand.view, Qt.Key.Key_Escape)
    assert heard == [Qt.Key.Key_Right, Qt.Key.Key_Escape]
    stand.view.setParent(None)


def test_the_pointer_says_what_can_be_grabbed(stand: Stand, qtbot: QtBot) -> None:
    stand.show(qtbot)
    plain = stand.view.cursor().shape()
    QTest.mouseMove(stand.view, stand.pixel())
    assert stand.view.cursor().shape() == Qt.CursorShape.PointingHandCursor
    QTest.mouseMove(stand.view, stand.empty_spot())
    assert stand.view.cursor().shape() == plain
    QTest.mouseMove(stand.view, stand.pixel())
    QApplication.sendEvent(stand.view, QEvent(QEvent.Type.Leave))
    assert stand.view.cursor().shape() == plain
    assert stand.bench.selection.keypoint == -1


# Editing


def test_a_press_selects_and_changes_nothing(stand: Stand, qtbot: QtBot) -> None:
    stand.show(qtbot)
    at = stand.pixel()
    stand.drag(at, (2, 1))
    stand.release(at, (2, 1))
    assert stand.bench.selection.keypoint == KEYPOINT
    assert stand.bench.document.preview is None
    assert stand.n_edits == 0


def test_a_drag_previews_and_commits_once(stand: Stand, qtbot: QtBot) -> None:
    stand.show(qtbot)
    at, before = stand.pixel(), stand.xyz()
    expected_pixel = stand.view.project(before) + np.array([40, -25])
    hole = orbit.pinhole(stand.view.viewpoints.current, 400, 400)
    stand.drag(at, (40, -25))
    preview = stand.bench.document.preview
    assert preview is not None
    assert (preview.view, preview.keypoint) == (-1, KEYPOINT)
    assert stand.xyz() == pytest.approx(before)
    assert stand.n_edits == 0
    stand.release(at, (40, -25))
    assert stand.bench.document.preview is None
    assert stand.n_edits == 1
    assert np.linalg.norm(stand.view.project(stand.xyz()) - expected_pixel) < 0.5
    assert (stand.xyz() - before) @ hole.forward == pytest.approx(0.0, abs=1e-4)
    stand.bench.document.undo()
    assert stand.xyz() == pytest.approx(before, abs=1e-6)


@pytest.mark.parametrize("how", ["escape", "another frame", "hidden"])
def test_a_drag_given_up_changes_nothing(stand: Stand, qtbot: QtBot, how: str) -> None:
    stand.show(qtbot)
    at, before = stand.pixel(), stand.xyz()
    stand.drag(at, (40, -25))
    assert stand.bench.document.preview is not None
    if how == "escape":
        QTest.keyClick(stand.view, Qt.Key.Key_Escape)
    elif how == "hidden":
        stand.view.hide()
    else:
        stand.bench.cursor.set_frame(1)
    assert stand.bench.document.preview is None
    QTest.mouseMove(stand.view, at + QPoint(60, 0))
    stand.release(at, (60, 0))
    assert stand.bench.document.preview is None
    assert stand.n_edits == 0
    stand.bench.cursor.set_frame(0)
    assert stand.xyz() == pytest.approx(before)


def test_what_is_missing_cannot_be_grabbed(qtbot: QtBot) -> None:
    sequence = make_sequence()
    gone = [(frame, view, 0, KEYPOINT) for frame in range(5) for view in range(4)]
    sequence.apply(sequence.patch("instances2d.xy", gone, np.nan))
    stand = Stand(open_bench(sequence), Scenes())
    qtbot.addWidget(stand.view)
    stand.bench.selection.set(keypoint=KEYPOINT)
    stand.show(qtbot)
    assert np.isnan(stand.xyz()).all()
    stand.view.view_front()
    stand.bench.cursor.set_frame(3)
    qtbot.wait(80)
    spot = stand.empty_spot()
    stand.drag(spot, (30, 0))
    stand.release(spot, (30, 0))
    assert stand.n_edits == 0
    stand.view.close()
