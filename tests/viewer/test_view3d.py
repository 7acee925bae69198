"""What the 3D view shows, when it draws, and from where the person is seen."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtCore import QPoint
from PySide6.QtGui import QColor, QPalette
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QTabWidget, QWidget
from pytestqt.qtbot import QtBot

from pipeline.geometry import projection
from simspine_viewer import orbit_camera as orbit
from simspine_viewer import stage_mesh
from simspine_viewer.scene3d import Scene3D
from simspine_viewer.view3d import STILL_MS, View3D
from simspine_viewer.view3d_overlay import length_text, nice_length
from tests.viewer.fakes import make_sequence, open_bench
from tests.viewer.view3d_stand import LEFT, NO_KEYS, Scenes, Stand, has_text

pytestmark = pytest.mark.gui


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
    assert has_text(stand.view)


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
    assert has_text(view)
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
    assert has_text(stand.view)


# Looking


def test_the_person_is_framed_at_first(stand: Stand, qtbot: QtBot) -> None:
    stand.show(qtbot)
    xy = stand.view.project(stand.bench.document.points_at(0).xyz)
    assert ((xy > 0) & (xy < 400)).all()
    assert np.ptp(xy, axis=0).max() > 240


@pytest.mark.parametrize("looking_at", ["person", "elsewhere"])
def test_a_person_who_leaves_the_view_is_brought_back(
    stand: Stand, qtbot: QtBot, looking_at: str
) -> None:
    """Who had them in sight goes on seeing them; who looked elsewhere is left alone."""
    stand.show(qtbot)
    view, size = stand.view.viewpoints, (400, 400)
    start = view.centre()
    (middle,) = stand.view.project(start[None])
    view.zoom(200.0, middle, size)
    assert isinstance(view.current, orbit.OrbitView)
    if looking_at == "elsewhere":
        view.pan(300.0, 0.0, size)
    focus = view.current.focus.copy()
    stand.scenes.pictures = 0
    stand.bench.cursor.set_frame(4)
    qtbot.waitUntil(lambda: stand.scenes.pictures > 0)
    assert np.linalg.norm(view.centre() - start) > 0.02, "the person has moved"
    (xy,) = stand.view.project(view.centre()[None])
    if looking_at == "person":
        assert xy == pytest.approx([200.0, 200.0], abs=1.0)
    else:
        assert view.current.focus == pytest.approx(focus)


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
    camera = stand.bench.document.sequence.cameras[2]
    assert stand.view.viewpoints.title == "Through cam03"
    scale = 400 / 640
    expected = (projection.project(camera, [0.0, 1.0, 0.0]) + 0.5) * scale
    found = stand.view.project(np.array([0.0, 1.0, 0.0]))
    assert found == pytest.approx(expected + np.array([0, (400 - 480 * scale) / 2]), abs=0.01)
    stand.view.view_camera(99)
    assert stand.view.viewpoints.through == 2


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
