"""Correcting points with real keys and clicks: placing, flags, deleting, going to what is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMessageBox

from pipeline.data.source import Flag, Source
from pipeline.geometry.projection import project_views
from simspine_viewer import dialogs
from simspine_viewer.commands import file
from simspine_viewer.main_window import MainWindow
from tests.viewer.fakes import open_bench
from tests.viewer.small import N_FRAMES, small_project
from tests.viewer.window import at_pixel, main_window, open_and_settle, settle

pytestmark = pytest.mark.gui

POINT = 18  # Neck


@pytest.fixture(scope="module")
def shared(qapp, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[MainWindow, Path]]:
    """One window for all these tests: opening it takes longer than most of them."""
    folder = tmp_path_factory.mktemp("editor")
    with pytest.MonkeyPatch.context() as patched:
        for variable in ("XDG_CONFIG_HOME", "XDG_DATA_HOME"):
            patched.setenv(variable, str(folder / variable))
        path = small_project(folder)
        with main_window((1600, 900)) as made:
            yield made, path


@pytest.fixture
def window(shared: tuple[MainWindow, Path]) -> Iterator[MainWindow]:
    """The window on a recording without edits, whatever the last test did."""
    made, path = shared
    if not made.document.is_open:
        open_and_settle(made, path)
    made.activateWindow()
    made.settings.error_threshold = 30.0
    made.selection.set(keypoint=-1, view=0)
    made.time.set_frame(4)
    settle(made)
    yield made
    made.editor.set_placing(False)
    for box in made.findChildren(QMessageBox):
        box.close()
    while made.document.is_open and made.document.history.can_undo:
        made.document.undo()
    made.statusBar().clearMessage()
    settle(made)


def _key(window: MainWindow, key: Qt.Key, keys=Qt.KeyboardModifier.NoModifier) -> None:
    QTest.keyClick(window, key, keys)


def _click(window: MainWindow, view: int, xy: np.ndarray) -> None:
    pane = window.grid.panes[view]
    QTest.mouseClick(pane, Qt.MouseButton.LeftButton, pos=at_pixel(window, view, xy))


def _delete_everywhere(window: MainWindow, keypoint: int) -> np.ndarray:
    """Take a keypoint away in all views; where it was in 3D."""
    xyz = window.document.points_at(window.time.frame).xyz[keypoint].copy()
    window.selection.set(keypoint=keypoint, view=0)
    _key(window, Qt.Key.Key_Delete, Qt.KeyboardModifier.ShiftModifier)
    return xyz


def test_a_missing_point_stands_in_all_views_after_the_second_click(window: MainWindow) -> None:
    document = window.document
    xyz = _delete_everywhere(window, POINT)
    cameras = document.sequence.cameras
    pixels = project_views(cameras, xyz)
    gone = document.points_at(4)
    assert np.isnan(gone.xyz[POINT]).all()
    assert gone.source[POINT] == Source.NONE
    _key(window, Qt.Key.Key_P)
    assert window.editor.placing
    assert window.status.mode.text()
    _click(window, 0, pixels[0])
    one = document.points_at(4)
    assert one.manual[0, POINT]
    assert np.isnan(one.xyz[POINT]).all(), "one view is no 3D"
    assert np.isnan(one.xy[1:, POINT]).all()
    _click(window, 2, pixels[2])
    two = document.points_at(4)
    assert two.source[POINT] == Source.MANUAL_2D
    step = 1 / window.grid.panes[0].transform.scale  # picture pixels in a screen pixel
    assert np.linalg.norm(two.xyz[POINT] - xyz) < 0.02 * step
    assert np.isfinite(two.reprojected[:, POINT]).all(), "it stands in all views"
    off = np.linalg.norm(two.reprojected[:, POINT] - pixels, axis=-1)
    assert (off < 3 * step).all()
    assert document.history.position == 3
    _key(window, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert np.isnan(document.points_at(4).xyz[POINT]).all()
    _key(window, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert not document.points_at(4).manual.any()


@pytest.mark.parametrize(
    ("key", "flag"), [(Qt.Key.Key_O, Flag.OCCLUDED), (Qt.Key.Key_X, Flag.ABSENT)]
)
def test_flags_by_key(window: MainWindow, key: Qt.Key, flag: Flag) -> None:
    document = window.document
    window.selection.set(keypoint=POINT, view=2)
    before = document.points_at(4)
    _key(window, key)
    after = document.points_at(4)
    changed = np.argwhere(after.flags != before.flags).tolist()
    assert changed == [[2, POINT]]
    assert after.flags[2, POINT] & flag
    name = "occluded" if flag is Flag.OCCLUDED else "absent"
    assert window.table.actions[name].isChecked()
    _key(window, key)
    assert not document.points_at(4).flags.any()
    assert document.history.position == 2
    _key(window, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert document.points_at(4).flags[2, POINT] & flag
    _key(window, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    np.testing.assert_allclose(document.points_at(4).xyz, before.xyz, atol=1e-6)


def test_an_absent_point_takes_no_part_in_3d(window: MainWindow) -> None:
    document = window.document
    window.selection.set(keypoint=POINT, view=1)
    points = document.points_at(4)
    window.editor.drag_in_view(1, POINT, points.xy[1, POINT] + 12)
    window.editor.release()
    pulled = document.points_at(4).xyz[POINT].copy()
    _key(window, Qt.Key.Key_X)
    without = document.points_at(4).xyz[POINT]
    assert np.linalg.norm(without - pulled) > 1e-4


def test_delete_and_revert_in_one_and_in_all_views(window: MainWindow) -> None:
    document = window.document
    shift = Qt.KeyboardModifier.ShiftModifier
    before = document.points_at(4)
    window.selection.set(keypoint=POINT, view=1)
    _key(window, Qt.Key.Key_Delete)
    assert np.isnan(document.points_at(4).xy[1, POINT]).all()
    assert np.isfinite(document.points_at(4).xy[[0, 2, 3], POINT]).all()
    _key(window, Qt.Key.Key_Delete, shift)
    assert np.isnan(document.points_at(4).xy[:, POINT]).all()
    _key(window, Qt.Key.Key_R)
    assert np.isfinite(document.points_at(4).xy[1, POINT]).all()
    assert np.isnan(document.points_at(4).xy[[0, 2, 3], POINT]).all()
    _key(window, Qt.Key.Key_R, shift)
    np.testing.assert_array_equal(document.points_at(4).xy, before.xy)
    np.testing.assert_allclose(document.points_at(4).xyz, before.xyz, atol=1e-6)
    assert [e.label.split()[0] for e in document.history.entries] == ["Delete"] * 2 + ["Revert"] * 2
    for _ in range(4):
        _key(window, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    np.testing.assert_array_equal(document.points_at(4).flags, before.flags)


def test_next_and_previous_keypoint_and_view(window: MainWindow) -> None:
    n = window.document.sequence.n_keypoints
    seen = []
    for _ in range(n + 1):
        _key(window, Qt.Key.Key_Down)
        seen.append(window.selection.keypoint)
    assert seen == [*range(n), 0]
    _key(window, Qt.Key.Key_Up)
    assert window.selection.keypoint == n - 1
    assert window.inspector.title.text().startswith(
        window.document.sequence.info.skeleton.keypoints[n - 1].marker
    )
    views = []
    for _ in range(5):
        _key(window, Qt.Key.Key_V)
        views.append(window.selection.view)
    assert views == [1, 2, 3, 0, 1]


def test_to_the_next_frame_without_the_keypoint(window: MainWindow) -> None:
    document = window.document
    window.selection.set(keypoint=0, view=0)
    settle(window)
    missing = np.isnan(document.sequence.read("points3d.xyz", track=document.person)[:, 0, 0])
    for frame in (2, 9):
        window.time.set_frame(frame)
        _delete_everywhere(window, 0)
        missing[frame] = True
    window.time.set_frame(0)
    visited = []
    for _ in range(int(missing[1:].sum())):
        _key(window, Qt.Key.Key_7)
        visited.append(window.time.frame)
    assert visited == (np.flatnonzero(missing[1:]) + 1).tolist()
    last = window.time.frame
    _key(window, Qt.Key.Key_7)
    assert window.time.frame == last
    assert window.statusBar().currentMessage() == "No later frame lacks the keypoint."
    _key(window, Qt.Key.Key_7, Qt.KeyboardModifier.ControlModifier)
    assert window.time.frame == visited[-2]


def test_to_the_next_frame_above_the_threshold(window: MainWindow) -> None:
    document = window.document
    window.settings.error_threshold = 40.0
    signals = window.timeline.signals
    assert signals is not None
    window.time.set_frame(8)
    points = document.points_at(8)
    window.editor.drag_in_view(3, POINT, points.xy[3, POINT] + 150)
    window.editor.release()
    bad = np.flatnonzero(np.nan_to_num(signals.residual) > 40.0)
    assert 8 in bad
    window.time.set_frame(7)
    window.selection.set(keypoint=0, view=0)
    _key(window, Qt.Key.Key_J)
    assert window.time.frame == 8
    residual = document.points_at(8).residual
    worst = np.unravel_index(np.nanargmax(residual), residual.shape)
    assert (window.selection.view, window.selection.keypoint) == worst
    window.time.set_frame(9)
    _key(window, Qt.Key.Key_J, Qt.KeyboardModifier.ShiftModifier)
    assert window.time.frame == 8
    window.settings.error_threshold = 1e6
    _key(window, Qt.Key.Key_J)
    assert window.statusBar().currentMessage() == "No later frame is above the error threshold."


def test_to_the_next_edited_frame(window: MainWindow) -> None:
    for frame in (2, 6, 10):
        window.time.set_frame(frame)
        window.selection.set(keypoint=POINT, view=0)
        window.editor.toggle(Flag.OCCLUDED)
    window.time.set_frame(0)
    for frame in (2, 6, 10, 10):
        _key(window, Qt.Key.Key_Period)
        assert window.time.frame == frame
    for frame in (6, 2, 2):
        _key(window, Qt.Key.Key_Comma)
        assert window.time.frame == frame
    for _ in range(3):
        window.document.undo()
    _key(window, Qt.Key.Key_Period)
    assert window.statusBar().currentMessage() == "No later frame has been edited."


def test_go_to_a_frame_or_time(window: MainWindow, monkeypatch: pytest.MonkeyPatch) -> None:
    fps = window.time.fps
    for text, frame in (("7", 7), (f"{3 / fps:.4f} s", 3), ("999", N_FRAMES - 1), ("", 11)):
        monkeypatch.setattr(dialogs, "ask_text", lambda *a, text=text: text or None)
        _key(window, Qt.Key.Key_G, Qt.KeyboardModifier.ControlModifier)
        assert window.time.frame == frame
    monkeypatch.setattr(dialogs, "ask_text", lambda *a: "soon")
    _key(window, Qt.Key.Key_G, Qt.KeyboardModifier.ControlModifier)
    (box,) = [b for b in window.findChildren(QMessageBox) if b.isVisible()]
    assert "“soon” is neither a frame" in box.text()
    assert window.time.frame == 11


def test_escape_and_a_move_in_time_drop_a_drag(qtbot) -> None:
    bench = open_bench()
    editor, document = bench.editor, bench.document
    for drop in (editor.cancel, lambda: bench.cursor.set_frame(bench.cursor.frame + 1)):
        editor.drag_in_view(0, 3, np.array([50.0, 60.0]))
        assert editor.dragging
        drop()
        assert not editor.dragging
        editor.release()
        assert not document.history.can_undo


def test_a_drag_in_3d_stands_and_a_placement_takes_it_back(qtbot) -> None:
    bench = open_bench()
    editor, document = bench.editor, bench.document
    target = document.points_at(0).xyz[5] + 0.05
    editor.drag_in_3d(5, target)
    editor.release()
    points = document.points_at(0)
    np.testing.assert_allclose(points.xyz[5], target, atol=1e-6)
    assert points.source[5] == Source.MANUAL_3D
    editor.drag_in_view(1, 5, points.xy[1, 5] + 1)
    editor.release()
    assert document.points_at(0).source[5] == Source.MANUAL_2D
    document.undo()
    np.testing.assert_allclose(document.points_at(0).xyz[5], target, atol=1e-6)


def test_placing_ends_when_the_recording_is_closed(window: MainWindow) -> None:
    window.selection.set(keypoint=POINT)
    _key(window, Qt.Key.Key_P)
    file.close_recording(window)
    assert not window.editor.placing
    assert window.status.mode.text() == ""


def test_a_nudge_moves_one_pixel_and_is_one_step(window: MainWindow) -> None:
    document, keypoint, view = window.document, 18, 1
    window.selection.set(keypoint=keypoint, view=view)
    done = document.history.position
    before = document.points_at(window.time.frame).xy[view, keypoint].copy()
    _key(window, Qt.Key.Key_Right, Qt.KeyboardModifier.AltModifier)
    _key(window, Qt.Key.Key_Up, Qt.KeyboardModifier.AltModifier)
    assert document.history.position == done + 2
    points = document.points_at(window.time.frame)
    np.testing.assert_allclose(points.xy[view, keypoint], before + np.array([1, -1]), atol=1e-3)
    assert points.manual[view, keypoint]
    document.undo()
    document.undo()
    np.testing.assert_array_equal(document.points_at(window.time.frame).xy[view, keypoint], before)


def test_another_person_drops_a_drag(window: MainWindow) -> None:
    """The gesture began on one person; it must not land on another."""
    document, keypoint = window.document, 18
    done = document.history.position
    window.editor.drag_in_view(0, keypoint, np.array([50.0, 60.0]))
    person = document.person
    document.set_person(person + 1)
    assert document.preview is None
    window.editor.release()
    document.set_person(person)
    assert document.history.position == done
