"""The 3D view as a user meets it: what it shows, and what mouse and keys do to the recording."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QPalette, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QTabWidget, QWidget
from pytestqt.qtbot import QtBot

from pipeline.geometry import projection
from simspine_viewer import orbit_camera as orbit
from simspine_viewer import stage_mesh
from simspine_viewer.orbit_camera import CameraView, OrbitView
from simspine_viewer.scene3d import Scene3D
from simspine_viewer.view3d import STILL_MS, View3D
from simspine_viewer.view3d_overlay import length_text, nice_length
from tests.viewer.fakes import Bench, make_sequence, open_bench

pytestmark = pytest.mark.gui

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


@pytest.fixture
def stand(qtbot: QtBot) -> Iterator[Stand]:
    made = Stand(open_bench(), Scenes())
    qtbot.addWidget(made.view)
    yield made
    made.view.close()


# Life


def test_nothing_open_costs_nothing_and_says_what_to_do(stand: Stand, qtbot: QtBot) -> None:
    stand.bench.document.close()
    stand.view.show()
    qtbot.wait(80)
    assert not stand.scenes.made
    assert _has_text(stand.view)


def test_the_scene_is_made_when_first_seen(stand: Stand, qtbot: QtBot) -> None:
    """Not in a hidden tab, not before the first paint, and once only."""
    tabs = QTabWidget()
    qtbot.addWidget(tabs)
    tabs.addTab(QWidget(), "other")
    tabs.addTab(stand.view, "3D")
    tabs.show()
    stand.bench.cursor.set_frame(1)
    qtbot.wait(80)
    assert not stand.scenes.made
    tabs.setCurrentIndex(1)
    assert not stand.scenes.made
    qtbot.waitUntil(lambda: stand.scenes.pictures > 0)
    tabs.setCurrentIndex(0)
    tabs.setCurrentIndex(1)
    stand.bench.cursor.set_frame(2)
    qtbot.wait(80)
    assert len(stand.scenes.made) == 1
    stand.view.setParent(None)


def test_a_hidden_view_does_not_draw_and_catches_up(stand: Stand, qtbot: QtBot) -> None:
    stand.show(qtbot)
    qtbot.wait(STILL_MS + 120)
    stand.view.hide()
    before = stand.scenes.pictures
    stand.bench.cursor.set_frame(3)
    stand.bench.selection.set(keypoint=4)
    qtbot.wait(STILL_MS + 80)
    assert stand.scenes.pictures == before
    stand.view.show()
    qtbot.waitUntil(lambda: stand.scenes.pictures > before)


def test_a_clean_view_rests_after_one_smooth_picture(stand: Stand, qtbot: QtBot) -> None:
    stand.show(qtbot)
    qtbot.waitUntil(lambda: stand.scenes.samples[-1] == 2)
    before = stand.scenes.pictures
    qtbot.wait(2 * STILL_MS)
    stand.view.update()  # repainting shows the picture it has
    qtbot.wait(60)
    assert stand.scenes.pictures == before


def test_many_changes_make_few_pictures(stand: Stand, qtbot: QtBot) -> None:
    stand.show(qtbot)
    qtbot.wait(STILL_MS + 120)
    before = stand.scenes.pictures
    for keypoint in range(30):
        stand.bench.selection.set(keypoint=keypoint)
        stand.bench.cursor.set_frame(keypoint % 5)
    qtbot.waitUntil(lambda: stand.scenes.pictures > before)
    assert stand.scenes.pictures == before + 1


def test_without_opengl_the_view_says_why_and_the_rest_works(
    qtbot: QtBot, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(dark: bool) -> Scene3D:
        raise RuntimeError("no OpenGL driver was found")

    bench = open_bench()
    view = View3D(*bench.state, factory=broken)
    qtbot.addWidget(view)
    view.resize(400, 400)
    view.show()
    qtbot.waitUntil(lambda: "cannot draw" in caplog.text)
    bench.cursor.set_frame(2)
    view.view_front()
    QTest.mouseClick(view, LEFT, NO_KEYS, QPoint(200, 200))
    qtbot.wait(80)
    assert caplog.text.count("no OpenGL driver was found") <= 2  # message and traceback, once
    assert _has_text(view)
    assert bench.cursor.frame == 2
    view.close()


def test_closing_frees_the_scene_at_once(qtbot: QtBot) -> None:
    gone: list[int] = []
    bench = open_bench()

    def observed(dark: bool) -> Scene3D:
        scene = Scene3D(dark=dark)
        scene._window.AddObserver("DeleteEvent", lambda *_: gone.append(1))
        return scene

    for n in range(20):
        view = View3D(*bench.state, factory=observed)
        qtbot.addWidget(view)
        view.resize(60, 60)
        view.show()
        qtbot.waitUntil(lambda view=view: view.has_picture)
        assert len(gone) == n
        view.close()
        assert len(gone) == n + 1
        view.close()


def test_another_recording_and_none_are_shown(stand: Stand, qtbot: QtBot) -> None:
    stand.show(qtbot)
    stand.view.view_camera(1)
    before = stand.scenes.pictures
    other = open_bench(make_sequence(n_frames=2, n_views=2)).project
    stand.bench.document.open(other)  # type: ignore[arg-type]
    stand.bench.cursor.set_range(2, 50.0)
    qtbot.waitUntil(lambda: stand.scenes.pictures > before)
    assert stand.view.viewpoints.title == ""
    xy = stand.view.project(stand.bench.document.points_at(0).xyz)
    assert ((xy > 0) & (xy < 400)).all()
    stand.bench.document.close()
    qtbot.wait(60)
    assert _has_text(stand.view)


# Looking


def test_the_person_is_framed_at_first(stand: Stand, qtbot: QtBot) -> None:
    stand.show(qtbot)
    xy = stand.view.project(stand.bench.document.points_at(0).xyz)
    assert ((xy > 0) & (xy < 400)).all()
    assert np.ptp(xy, axis=0).max() > 240


def test_presets_look_from_where_they_say(stand: Stand, qtbot: QtBot) -> None:
    """The right hand of somebody seen from the front is on the left."""
    stand.show(qtbot)
    skeleton = stand.bench.document.sequence.info.skeleton
    xyz = stand.bench.document.points_at(0).xyz
    pairs = [
        (skeleton.index(f"left_{j}"), skeleton.index(f"right_{j}")) for j in ("hip", "shoulder")
    ]
    left = sum(xyz[a] - xyz[b] for a, b in pairs) * [1, 0, 1]
    left /= np.linalg.norm(left)
    forward = np.cross(left, [0.0, 1.0, 0.0])

    def sight() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        hole = orbit.pinhole(stand.view.viewpoints.current, 400, 400)
        return hole.forward, hole.rotation[0]

    stand.view.view_front()
    assert sight()[0] == pytest.approx(-forward, abs=1e-9)
    assert sight()[1] == pytest.approx(left, abs=1e-9)
    stand.view.view_side()
    assert sight()[0] == pytest.approx(left, abs=1e-9)
    stand.view.view_top()
    assert sight()[0] == pytest.approx([0, -1, 0], abs=1e-9)
    assert sight()[1] == pytest.approx(-left, abs=1e-9)
    assert stand.view.viewpoints.title == "Top"


def test_through_a_camera_agrees_with_its_projection(stand: Stand, qtbot: QtBot) -> None:
    """Where the lens bends nothing: at the point the cameras look at."""
    stand.show(qtbot)
    stand.view.view_camera(2)
    camera = stand.bench.document.sequence.info.cameras[2]
    assert stand.view.viewpoints.title == "Through cam03"
    scale = 400 / 640
    expected = (projection.project(camera, [0.0, 1.0, 0.0]) + 0.5) * scale
    found = stand.view.project(np.array([0.0, 1.0, 0.0]))
    assert found == pytest.approx(expected + np.array([0, (400 - 480 * scale) / 2]), abs=0.01)
    stand.view.view_camera(99)
    assert stand.view.viewpoints.through == 2


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
    _wheel(stand.view, QPoint(100, 300), 240)
    assert stand.orbit_view().distance < 0.8 * turned.distance
    assert stand.view.project(under) == pytest.approx([100, 300])
    QTest.mouseDClick(stand.view, LEFT, NO_KEYS, stand.empty_spot())
    assert stand.orbit_view().azimuth == turned.azimuth
    assert stand.orbit_view().distance == pytest.approx(start.distance, rel=0.3)
    assert stand.n_edits == 0


def test_in_a_camera_the_wheel_enlarges_and_a_drag_leaves(stand: Stand, qtbot: QtBot) -> None:
    stand.show(qtbot)
    stand.view.view_camera(0)
    centre = stand.bench.document.sequence.info.cameras[0].centre
    _wheel(stand.view, QPoint(200, 200), 360)
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
    _wheel(stand.view, QPoint(10, 10), 1200)
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


def test_a_frame_without_anybody_is_no_error(qtbot: QtBot) -> None:
    sequence = make_sequence(n_frames=2)
    where = np.argwhere(np.isfinite(sequence.read("instances2d.score")))
    sequence.apply(sequence.patch("instances2d.xy", where, np.nan))
    stand = Stand(open_bench(sequence), Scenes())
    qtbot.addWidget(stand.view)
    stand.show(qtbot)
    for look in (stand.view.view_front, stand.view.view_top, stand.view.frame_person):
        look()
    QTest.mouseClick(stand.view, LEFT, NO_KEYS, QPoint(200, 200))
    qtbot.wait(80)
    assert stand.bench.selection.keypoint == -1
    stand.view.close()


# Appearance


def test_light_and_dark_follow_the_palette(stand: Stand, qtbot: QtBot) -> None:
    stand.show(qtbot)
    for colour, appearance in (("#f0f0f0", stage_mesh.LIGHT), ("#101010", stage_mesh.DARK)):
        palette = QPalette()
        palette.setColor(QPalette.ColorRole.Window, QColor(colour))
        before = stand.scenes.pictures
        stand.view.setPalette(palette)
        qtbot.waitUntil(lambda before=before: stand.scenes.pictures > before)
        assert stand.view.grab().toImage().pixelColor(399, 3).getRgb()[:3] == appearance.ground


def test_the_view_has_a_name(stand: Stand) -> None:
    assert stand.view.accessibleName() == "3D view"


def test_scale_bars_have_round_lengths() -> None:
    assert [nice_length(x) for x in (0.0999, 0.1, 0.24, 0.5, 3.0, 19.0)] == pytest.approx(
        [0.05, 0.1, 0.2, 0.5, 2.0, 10.0]
    )
    assert [length_text(x) for x in (2.0, 0.5, 0.02, 0.005)] == ["2 m", "50 cm", "2 cm", "5 mm"]


def test_the_view_loads_without_vtk() -> None:
    """The window shows before VTK is loaded."""
    code = "import sys, simspine_viewer.view3d; print([m for m in sys.modules if 'vtk' in m])"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == "[]"


SHARP = """
import numpy as np
from PySide6.QtWidgets import QApplication
from PySide6.QtTest import QTest
from simspine_viewer.view3d import View3D
from tests.viewer.fakes import make_sequence, open_bench
app = QApplication([])
sequence = make_sequence()
wrist = sequence.info.skeleton.index("left_wrist")
others = [(0, v, 0, k) for v in range(4) for k in range(37) if k != wrist]
sequence.apply(sequence.patch("instances2d.xy", others, np.nan))
bench = open_bench(sequence)
view = View3D(*bench.state)
view.resize(301, 301)
view.show()
while not view.has_picture:
    QTest.qWait(20)
ratio = view.devicePixelRatioF()
image = view._image
assert (image.width(), image.height()) == (int(np.ceil(301 * ratio)),) * 2, image.size()
assert image.devicePixelRatio() == ratio
at = view.project(bench.document.points_at(0).xyz[wrist]) * ratio
shown = np.array(image.constBits()).reshape(image.height(), image.width(), 4).astype(int)
x, y = np.round(at).astype(int)
r = int(20 * ratio)
near = shown[y - r : y + r, x - r : x + r]
rows, columns = np.nonzero(near[..., 1] > 80 + np.maximum(near[..., 0], near[..., 2]))
found = np.array([columns.mean() + 0.5 + x - r, rows.mean() + 0.5 + y - r])
assert np.linalg.norm(found - at) < 1.0, (found, at)
view.close()
print("sharp", ratio)
"""


@pytest.mark.parametrize("ratio", ["1.5", "2"])
def test_pixels_are_exact_on_dense_screens(ratio: str) -> None:
    """In a process of its own: the ratio is fixed when the application starts."""
    done = subprocess.run(
        [sys.executable, "-c", SHARP],
        env={**os.environ, "QT_SCALE_FACTOR": ratio},
        cwd=Path(__file__).resolve().parents[2],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["sharp", str(float(ratio))]


def _has_text(view: View3D) -> bool:
    """Whether anything is written in the middle of the widget."""
    image = view.grab().toImage()
    middle = {
        image.pixel(x, y)
        for x in range(100, 300)
        for y in range(image.height() // 2 - 25, image.height() // 2 + 25)
    }
    return len(middle) > 4


def _wheel(view: View3D, at: QPoint, angle: int) -> None:
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
