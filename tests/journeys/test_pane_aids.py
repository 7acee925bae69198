"""The aids in the pictures, used as a person would: keys and mouse in the real window."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from pipeline.geometry.swaps import chain_pairs
from simspine_viewer.adjust_popup import AdjustPopup
from simspine_viewer.adjustments import AS_IT_IS
from simspine_viewer.follow import Follow
from simspine_viewer.loupe_key import HOLD_MS
from simspine_viewer.main_window import MainWindow
from simspine_viewer.palette import PALETTES
from simspine_viewer.parts_dialog import PartsDialog
from simspine_viewer.stages import MISSING, NO_LABELS, NOT_SIMULATED, TITLES, Stage
from simspine_viewer.swap_dialog import SwapDialog
from tests.viewer.small import small_project
from tests.viewer.window import at_keypoint, drag, main_window, open_and_settle, settle, wait_until

pytestmark = pytest.mark.gui

VIEW, FRAME = 1, 5
LEFT = Qt.MouseButton.LeftButton
Key, Modifier = Qt.Key, Qt.KeyboardModifier


@pytest.fixture
def window(qtbot, tmp_path: Path) -> Iterator[MainWindow]:
    with main_window((1600, 900)) as made:
        open_and_settle(made, small_project(tmp_path))
        made.time.set_frame(FRAME)
        settle(made)
        made.selection.set(made.document.sequence.info.skeleton.index("LKnee"), VIEW)
        yield made


def picture(window: MainWindow, view: int = VIEW) -> np.ndarray:
    QTest.qWait(200)
    image = window.grid.panes[view].grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    bgra = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.width(), 4)
    return bgra[..., 2::-1].astype(int)


def press(window: MainWindow, key: Qt.Key, *modifiers: Qt.KeyboardModifier) -> None:
    held = Modifier.NoModifier
    for modifier in modifiers:
        held |= modifier
    QTest.keyClick(window, key, held)


def top_level(kind: type):  # type: ignore[no-untyped-def]
    (found,) = (w for w in QApplication.topLevelWidgets() if isinstance(w, kind) and w.isVisible())
    activate(found)
    return found


def activate(widget: QWidget) -> None:
    """What a window system does with the window that is on top."""
    widget.activateWindow()
    QTest.qWait(30)


def test_the_loupe_shows_single_pixels_and_never_covers_a_dragged_point(
    window: MainWindow,
) -> None:
    pane, keypoint = window.grid.panes[VIEW], window.selection.keypoint
    at = at_keypoint(window, VIEW, keypoint)
    QTest.mouseMove(pane, at + QPoint(30, 30))
    plain = picture(window)
    press(window, Key.Key_Z)
    assert window.grid.options.loupe
    changed = np.abs(picture(window) - plain).max(axis=-1) > 0
    assert changed[at.y() + 30, at.x() + 45]
    drag(pane, at, at + QPoint(12, 8), release=False)
    QTest.qWait(30)
    end = at + QPoint(12, 8)
    before = picture(window)
    press(window, Key.Key_Z)
    covered = np.abs(picture(window) - before).max(axis=-1) > 0
    assert covered.sum() > 2000
    assert not covered[end.y() - 9 : end.y() + 10, end.x() - 9 : end.x() + 10].any()
    QTest.mouseRelease(pane, LEFT, pos=end)
    assert window.document.history.position == 1
    press(window, Key.Key_Z, Modifier.ControlModifier)
    assert not window.document.history.can_undo


def test_the_loupe_goes_when_its_key_was_held(window: MainWindow) -> None:
    QTest.keyPress(window, Key.Key_Z)
    assert window.grid.options.loupe
    QTest.qWait(HOLD_MS + 60)
    QTest.keyRelease(window, Key.Key_Z)
    assert not window.grid.options.loupe
    press(window, Key.Key_Z)  # a tap stays
    assert window.grid.options.loupe
    assert window.table.actions["loupe"].isChecked()


def test_all_views_close_up_on_the_keypoint_and_back(window: MainWindow) -> None:
    keypoint, panes = window.selection.keypoint, window.grid.panes
    before = [pane.transform for pane in panes]
    press(window, Key.Key_C)
    points, cameras = window.document.points_at(FRAME), window.document.sequence.cameras
    sizes = []
    for view, pane in enumerate(panes):
        middle = pane.picture_area().center()
        xy = points.xy[view, keypoint]
        xy = xy if np.isfinite(xy).all() else points.reprojected[view, keypoint]
        assert np.allclose(pane.transform.to_widget(xy), (middle.x(), middle.y()), atol=1e-6)
        depth = cameras[view].rotation[2] @ points.xyz[keypoint] + cameras[view].translation[2]
        sizes.append(pane.transform.scale * cameras[view].matrix[0, 0] / depth)
    assert np.ptp(sizes) < 0.05 * np.mean(sizes), "a metre is equally large in every view"
    press(window, Key.Key_C)
    assert [pane.transform for pane in panes] == before
    assert all(pane.is_fitted for pane in panes)


@pytest.mark.parametrize("follow", [Follow.KEYPOINT, Follow.PERSON])
def test_following_keeps_the_place_in_panes_and_3d(window: MainWindow, follow: Follow) -> None:
    pane, keypoint = window.grid.panes[VIEW], window.selection.keypoint
    keys = (Modifier.ShiftModifier,)
    if follow is Follow.PERSON:
        keys = (Modifier.ShiftModifier, Modifier.ControlModifier)
    else:
        press(window, Key.Key_C)
    press(window, Key.Key_F, *keys)
    assert window.grid.follow is follow

    def place() -> tuple[np.ndarray, np.ndarray]:
        points = window.document.points_at(window.time.frame)
        xy, xyz = points.xy[VIEW], points.xyz
        if follow is Follow.KEYPOINT:
            return pane.transform.to_widget(xy[keypoint]), window.view3d.project(xyz[keypoint])
        handles = np.where(np.isfinite(xy), xy, points.reprojected[VIEW])
        known = np.isfinite(xyz).all(axis=1)
        middle = window.view3d.project(np.median(xyz[known], axis=0))
        return pane.transform.to_widget(np.nanmedian(handles, axis=0)), middle

    QTest.qWait(100)
    (was, was_3d), offset = place(), pane.transform.offset
    for _ in range(3):
        press(window, Key.Key_Right)
        settle(window)
    assert window.time.frame == FRAME + 3
    now, now_3d = place()
    assert np.allclose(now, was, atol=1e-6)
    assert np.allclose(now_3d, was_3d, atol=2.0)
    assert pane.transform.offset != offset
    press(window, Key.Key_F, *keys)
    assert window.grid.follow is Follow.NOTHING


def test_brightness_from_the_header_is_seen_kept_and_taken_back(window: MainWindow) -> None:
    pane = window.grid.panes[VIEW]
    dark = picture(window).mean()
    items, rects = pane._placed_header()
    (rect,) = (r for i, r in zip(items, rects, strict=True) if i.action == "adjust")
    QTest.mouseClick(pane, LEFT, pos=rect.center().toPoint())
    popup = top_level(AdjustPopup)
    QTest.keyClick(popup.brightness, Key.Key_PageUp)
    QTest.keyClick(popup.brightness, Key.Key_PageUp)
    QTest.keyClick(popup, Key.Key_Escape)
    assert window.grid.adjustments.of(VIEW).brightness == 20
    assert picture(window).mean() > dark + 10
    assert "◐ adjusted" in [item.text for item in pane.header_items()]
    assert "◐ adjusted" not in [item.text for item in window.grid.panes[0].header_items()]
    project = window.document.project
    assert project is not None
    assert project.state("adjustments", {})[str(VIEW)]["brightness"] == 20
    assert not window.document.history.can_undo, "what is seen is no edit"
    activate(window)
    press(window, Key.Key_B, Modifier.ShiftModifier)
    assert window.grid.adjustments.of(VIEW) == AS_IT_IS
    assert abs(picture(window).mean() - dark) < 0.5


def test_hidden_parts_are_neither_drawn_nor_hit_and_locked_ones_stay(window: MainWindow) -> None:
    pane, keypoint, parts = window.grid.panes[VIEW], window.selection.keypoint, window.editor.parts
    at = at_keypoint(window, VIEW, keypoint)
    before = picture(window)
    press(window, Key.Key_B, Modifier.ControlModifier)
    dialog = top_level(PartsDialog)
    QTest.keyClick(dialog.locked["left-leg"], Key.Key_Space)
    assert parts.is_locked("left-leg")
    activate(window)
    drag(pane, at, at + QPoint(25, 5))
    assert not window.document.history.can_undo
    assert "locked" in window.statusBar().currentMessage()
    for key in (Key.Key_Delete, Key.Key_O, Key.Key_R):
        press(window, key)
    press(window, Key.Key_Left, Modifier.AltModifier)
    assert not window.document.history.can_undo
    activate(dialog)
    QTest.keyClick(dialog.shown["left-leg"], Key.Key_Space)
    assert pane.keypoint_at((at.x(), at.y())) != keypoint
    assert (np.abs(picture(window) - before).max(axis=-1) > 40).sum() > 40
    assert np.isnan(window.view3d._feed.xyz()[keypoint]).all()
    QTest.mouseClick(dialog.everything, LEFT)
    assert not parts.hidden
    assert not parts.locked
    dialog.close()
    drag(pane, at, at + QPoint(25, 5))
    assert window.document.history.position == 1


def test_a_trail_is_drawn_in_the_panes_and_in_3d(window: MainWindow) -> None:
    plain = picture(window)
    press(window, Key.Key_T)
    scene = window.grid.panes[VIEW].scene()
    assert scene is not None
    assert scene.trail is not None
    keypoint, n_frames = window.selection.keypoint, window.document.sequence.n_frames
    assert scene.trail.offset.tolist() == list(range(-FRAME, n_frames - FRAME))
    for offset in (-2, 0, 3):
        xy = window.document.points_at(FRAME + offset).xy[VIEW, keypoint]
        assert np.allclose(scene.trail.places[scene.trail.offset == offset][0], xy)
    assert (picture(window) != plain).any()
    path = window.view3d._feed.trail()
    assert path is not None
    now = path.places[path.offset == 0][0]
    assert np.allclose(now, window.document.points_at(FRAME).xyz[keypoint], atol=1e-5)
    press(window, Key.Key_T, Modifier.ShiftModifier)
    assert window.settings.trail_frames == 30
    press(window, Key.Key_T)
    assert window.grid.options.trail == 0


def test_stages_are_gone_through_with_a_key_and_named_in_every_pane(window: MainWindow) -> None:
    pane, keypoint = window.grid.panes[VIEW], window.selection.keypoint
    points = window.document.points_at(FRAME)

    def shown() -> np.ndarray:
        scene = pane.scene()
        assert scene is not None
        assert scene.legend in (
            TITLES[window.grid.options.stage],
            MISSING,
            NOT_SIMULATED,
            NO_LABELS,
        )
        return scene.xy[keypoint]

    assert np.allclose(shown(), points.xy[VIEW, keypoint])
    press(window, Key.Key_S)
    assert window.grid.options.stage is Stage.DETECTED
    assert np.allclose(shown(), points.xy[VIEW, keypoint])
    assert np.isnan(pane.scene().reprojected).all()  # type: ignore[union-attr]
    assert np.isnan(window.view3d._feed.xyz()).all()
    press(window, Key.Key_S)
    assert np.allclose(shown(), points.reprojected[VIEW, keypoint])
    assert np.allclose(window.view3d._feed.xyz()[keypoint], points.xyz[keypoint])
    press(window, Key.Key_S)
    assert window.grid.options.stage is Stage.MODEL
    assert np.isnan(shown()).all()  # nobody has simulated anything
    press(window, Key.Key_S)
    assert window.grid.options.stage is Stage.FINAL
    shown()
    press(window, Key.Key_S)
    assert window.grid.options.stage is Stage.LABELS
    assert np.isnan(shown()).all()
    press(window, Key.Key_S)
    assert window.grid.options.stage is Stage.WORK


def test_colours_for_the_colour_blind_everywhere_and_remembered(window: MainWindow) -> None:
    window.table.actions["palette-okabe-ito"].trigger()
    own = PALETTES["okabe-ito"].left
    at = at_keypoint(window, VIEW, window.document.sequence.info.skeleton.index("LElbow"))
    colour = picture(window)[at.y() - 2 : at.y() + 3, at.x() - 2 : at.x() + 3].reshape(-1, 3)
    assert (np.abs(colour - own).max(axis=1) < 60).any()
    row = window.document.sequence.info.skeleton.index("LElbow")
    item = window.inspector.keypoints.item(row, 0)
    assert item is not None
    swatch = item.data(Qt.ItemDataRole.DecorationRole)
    middle = swatch.pixelColor(swatch.width() // 2, swatch.height() // 2).getRgb()[:3]
    assert np.abs(np.array(middle) - own).max() < 20
    assert type(window.settings).load().palette == "okabe-ito"


def test_uncertainty_is_an_ellipse_around_the_point(window: MainWindow) -> None:
    pane, keypoint = window.grid.panes[VIEW], window.selection.keypoint
    press(window, Key.Key_U)
    scene = pane.scene()
    assert scene is not None
    assert scene.ellipse is not None
    points = window.document.points_at(FRAME)
    assert np.allclose(scene.ellipse.mean(axis=0), points.reprojected[VIEW, keypoint], atol=0.05)
    camera = window.document.sequence.cameras[VIEW]
    depth = camera.rotation[2] @ points.xyz[keypoint] + camera.translation[2]
    longest = np.linalg.norm(scene.ellipse - scene.ellipse.mean(axis=0), axis=1).max()
    # Never longer than the standard deviation along the longest axis, seen side-on.
    assert 0.1 < longest <= 1.1 * points.sigma[keypoint] / 1000 * camera.matrix[0, 0] / depth
    press(window, Key.Key_U)
    assert pane.scene().ellipse is None  # type: ignore[union-attr]


def test_left_and_right_are_swapped_with_a_key_and_taken_back(window: MainWindow) -> None:
    document, keypoint = window.document, window.selection.keypoint
    other = document.sequence.info.skeleton.index("RKnee")
    before = document.points_at(FRAME)
    press(window, Key.Key_W)
    assert document.history.position == 1
    after = document.points_at(FRAME)
    assert np.allclose(after.xy[VIEW, keypoint], before.xy[VIEW, other], equal_nan=True)
    assert np.allclose(after.xy[VIEW, other], before.xy[VIEW, keypoint], equal_nan=True)
    press(window, Key.Key_Z, Modifier.ControlModifier)
    assert np.array_equal(document.points_at(FRAME).xy, before.xy, equal_nan=True)
    window.editor.parts.set_locked("right-leg", True)
    press(window, Key.Key_W)
    assert not document.history.can_undo
    assert "locked" in window.statusBar().currentMessage()


def test_a_suggested_swap_is_gone_to_and_made_in_one_step(window: MainWindow) -> None:
    document = window.document
    ranges = [{"start": 3, "stop": 6, "view": 2, "chain": "legs", "gain_px": 31.0}]
    press(window, Key.Key_W, Modifier.ShiftModifier)
    dialog = top_level(SwapDialog)
    wait_until(lambda: not dialog.running)
    dialog._show(ranges)
    activate(dialog)
    left, right = chain_pairs(document.sequence.info.skeleton, "legs")[0]
    before = document.points_at(4)
    QTest.mouseClick(dialog.go_button, LEFT)
    assert (window.time.frame, window.selection.view) == (3, 2)
    QTest.mouseClick(dialog.swap_button, LEFT)
    assert document.history.position == 1
    assert dialog.table.rowCount() == 0
    assert np.allclose(document.points_at(4).xy[2, left], before.xy[2, right], equal_nan=True)
    dialog.close()
    activate(window)
    press(window, Key.Key_Z, Modifier.ControlModifier)
    assert np.array_equal(document.points_at(4).xy, before.xy, equal_nan=True)
