"""A pose model is added and looks for the person: undone, stopped, killed, refused."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMessageBox

from pipeline.data.observations import detections
from simspine_viewer import dialogs
from simspine_viewer.detect_dialog import DetectDialog
from simspine_viewer.detecting import WORKER
from simspine_viewer.main_window import MainWindow
from simspine_viewer.models_dialog import ModelsDialog
from simspine_viewer.pane_text import keypoint_tooltip
from simspine_viewer.video_pane import VideoPane
from tests.journeys.coded_recording import N_VIEWS, N, coded_project
from tests.truth.tiny_pose_network import tiny_checkpoint
from tests.truth.video import HEIGHT, WIDTH
from tests.viewer.window import main_window, open_and_settle, settle, wait_until

pytestmark = pytest.mark.gui

LONG = 60_000
VIEW, KEYPOINT, FRAME = 1, 5, 30


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the models are kept."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(autouse=True)
def _at_home(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(home))  # also for a worker that is started anew


@pytest.fixture(scope="module")
def window(
    qapp: QApplication, home: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[MainWindow]:
    """A window with a recording, and one small model on this computer."""
    folder = tmp_path_factory.mktemp("detect")
    with pytest.MonkeyPatch.context() as patch, main_window() as made:
        patch.setenv("XDG_DATA_HOME", str(home))
        open_and_settle(made, coded_project(folder))
        made.time.set_frame(FRAME)
        settle(made)
        made.models.add(str(tiny_checkpoint(folder / "Tiny.pth")))
        wait_until(lambda: bool(made.models.there), LONG)
        yield made


@pytest.fixture
def dialog(window: MainWindow) -> Iterator[DetectDialog]:
    window.table.actions["detect"].trigger()
    (made,) = window.findChildren(DetectDialog)
    wait_until(lambda: not window.models.listing, LONG)
    window.time.set_frame(FRAME)
    settle(window)
    yield made
    made.close()
    wait_until(lambda: not window.findChildren(DetectDialog))


@pytest.fixture
def models(window: MainWindow) -> Iterator[ModelsDialog]:
    window.table.actions["models"].trigger()
    (made,) = window.findChildren(ModelsDialog)
    wait_until(lambda: not window.models.listing, LONG)
    yield made
    made.close()
    wait_until(lambda: not window.findChildren(ModelsDialog))


def seen(window: MainWindow) -> np.ndarray:
    """(N, V, K, 2) detections of the annotated person."""
    document = window.document
    return np.asarray(detections(document.sequence, document.person)[0])


def differ(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """(N, V) whether any point of a picture is another one."""
    return ~np.isclose(one, other, equal_nan=True).all(axis=(2, 3))


def done(window: MainWindow) -> None:
    wait_until(lambda: window.detecting.job is None, LONG)
    settle(window)


def choose(dialog: DetectDialog, title: str) -> None:
    place = dialog.frames_box.findText(title)
    assert place >= 0
    dialog.frames_box.setCurrentIndex(place)


def test_a_frame_is_detected_and_undone_and_placed_points_stay(
    window: MainWindow, dialog: DetectDialog
) -> None:
    document, before = window.document, seen(window)
    window.selection.set(keypoint=KEYPOINT, view=VIEW)
    window.editor.drag_in_view(VIEW, KEYPOINT, np.array([50.0, 60.0]))
    window.editor.release()
    position = document.history.position
    choose(dialog, f"Frame {FRAME}")
    dialog.button.click()
    assert dialog.button.text() == "Cancel"
    assert not dialog.model_box.isEnabled()
    done(window)
    # What a random network finds in one view may be somebody else for the others.
    assert f" of {N_VIEWS} pictures" in dialog.doing.text()
    assert "on CPU" in dialog.doing.text()
    assert document.history.position == position + 1
    after = seen(window)
    changed = differ(after, before)
    assert f"found in {changed[FRAME].sum()} of" in dialog.doing.text()
    assert changed[FRAME].sum() >= 2
    assert not np.delete(changed, FRAME, axis=0).any()
    np.testing.assert_allclose(
        document.points_at(FRAME).xy[VIEW, KEYPOINT], (50.0, 60.0), atol=0.01
    )
    document.undo()
    np.testing.assert_array_equal(seen(window), before)
    document.undo()


def test_one_view_and_a_range(window: MainWindow, dialog: DetectDialog) -> None:
    before = seen(window)
    window.frame_range.set(10, 14)
    choose(dialog, "The range 10 to 13")
    dialog.views_box.setCurrentIndex(1 + VIEW)
    dialog.button.click()
    done(window)
    changed = differ(seen(window), before)
    assert changed[10:14, VIEW].all()
    assert changed.sum() == 4
    window.document.undo()
    window.frame_range.clear()


def test_what_was_found_before_a_stop_is_kept(window: MainWindow, dialog: DetectDialog) -> None:
    before, heard = seen(window), []
    window.jobs.told.connect(lambda *event: heard.append(event))
    choose(dialog, f"All {N} frames")
    dialog.views_box.setCurrentIndex(0)
    dialog.button.click()
    wait_until(lambda: len(heard) > 4, LONG)
    assert "per second on CPU" in dialog.doing.text()
    dialog.button.click()
    done(window)
    changed = differ(seen(window), before).sum()
    assert 0 < changed < N * N_VIEWS
    window.document.undo()
    np.testing.assert_array_equal(seen(window), before)


def test_a_killed_worker_is_said_and_the_next_run_works(
    window: MainWindow, dialog: DetectDialog
) -> None:
    heard: list[object] = []
    window.jobs.told.connect(lambda *event: heard.append(event))
    choose(dialog, f"All {N} frames")
    dialog.button.click()
    wait_until(lambda: len(heard) > 4, LONG)
    worker = window.jobs.worker(WORKER)
    assert worker is not None
    assert worker.pid is not None
    os.kill(worker.pid, signal.SIGKILL)
    done(window)
    assert dialog.doing.text()
    assert "found in" not in dialog.doing.text()
    window.document.undo()
    window.time.set_frame(FRAME)
    choose(dialog, f"Frame {FRAME}")
    dialog.button.click()
    done(window)
    assert f" of {N_VIEWS} pictures" in dialog.doing.text()
    window.document.undo()


def drag(window: MainWindow, view: int, box: tuple[float, float, float, float]) -> None:
    """With the mouse, in the pane, from corner to corner."""
    pane = window.grid.panes[view]
    ends = pane.transform.to_widget(np.reshape(box, (2, 2)))
    start, stop = (QPointF(*end.tolist()).toPoint() for end in ends)
    target = pane.childAt(start) or pane
    QTest.mousePress(target, Qt.MouseButton.LeftButton, pos=start)
    QTest.mouseMove(target, (start + stop) / 2)
    QTest.mouseMove(target, stop)
    QTest.mouseRelease(target, Qt.MouseButton.LeftButton, pos=stop)


def pixels(pane: VideoPane) -> np.ndarray:
    image = pane.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    return np.frombuffer(image.constBits(), np.uint8).copy()


def test_a_drawn_box_is_looked_into(window: MainWindow, dialog: DetectDialog) -> None:
    boxes, document = window.boxes, window.document
    keypoint = window.selection.keypoint
    assert dialog.where.text() == "Where their points are"
    dialog.draw.click()
    assert "Drag a box" in dialog.where.text()
    drag(window, VIEW, (40.0, 30.0, 42.0, 33.0))  # a slip of the hand
    assert not boxes.boxes
    assert boxes.drawing
    drag(window, VIEW, (60.0, 80.0, 20.0, 10.0))
    assert boxes.boxes == {(FRAME, VIEW): pytest.approx((20.0, 10.0, 60.0, 80.0), abs=2.0)}
    assert not boxes.drawing
    name = document.sequence.cameras[VIEW].name
    assert dialog.where.text() == f"Box in {name}, frame {FRAME}"
    before = seen(window)
    choose(dialog, f"Frame {FRAME}")
    dialog.views_box.setCurrentIndex(dialog.views_box.findText(name))
    dialog.button.click()
    done(window)
    assert differ(seen(window), before)[FRAME, VIEW]
    # A small random network sees something inside of what it is shown.
    left, top, right, bottom = boxes.boxes[FRAME, VIEW]
    found = seen(window)[FRAME, VIEW]
    found = found[np.isfinite(found[:, 0])]
    margin = 0.5 * np.array([right - left, bottom - top])
    assert (found > np.array([left, top]) - margin).all()
    assert (found < np.array([right, bottom]) + margin).all()
    # What the model says of its points is drawn with U, and told.
    assert window.grid.panes[VIEW].scene().spread is None  # type: ignore[union-attr]
    window.table.actions["ellipse"].trigger()
    scene = window.grid.panes[VIEW].scene()
    assert scene is not None
    assert scene.spread is not None
    known = np.isfinite(scene.spread).all(axis=1)
    assert known.any()
    assert not known[scene.manual | ~scene.observed].any()
    assert "the detector's SD" in keypoint_tooltip(scene, int(np.flatnonzero(known)[0]))
    bare = pixels(window.grid.panes[VIEW])
    window.table.actions["ellipse"].trigger()
    assert (pixels(window.grid.panes[VIEW]) != bare).any()
    assert window.grid.panes[0].scene().spread is None  # type: ignore[union-attr]
    window.table.actions["undo"].trigger()
    assert not differ(seen(window), before).any()
    assert window.selection.keypoint == keypoint
    # Out of the frames that were asked for: one sentence.
    window.time.set_frame(FRAME + 1)
    choose(dialog, f"Frame {FRAME + 1}")
    dialog.button.click()
    done(window)
    assert f"The box in {name} at frame {FRAME}" in dialog.doing.text()
    dialog.forget.click()
    assert not boxes.boxes


def test_drawing_is_left_and_boxes_are_forgotten(window: MainWindow) -> None:
    boxes = window.boxes
    window.table.actions["detect"].trigger()
    (dialog,) = window.findChildren(DetectDialog)
    dialog.draw.click()
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    assert dialog.isVisible()
    assert not boxes.drawing
    dialog.draw.click()
    window.time.set_frame(FRAME + 2)
    settle(window)
    drag(window, 0, (10.0, 10.0, 500.0, 500.0))  # ends outside of the picture
    (box,) = boxes.boxes.values()
    assert box[2:] == pytest.approx((WIDTH - 1.0, HEIGHT - 1.0))
    dialog.close()
    wait_until(lambda: not window.findChildren(DetectDialog))
    assert not boxes.boxes
    drag(window, 0, (10.0, 10.0, 60.0, 60.0))
    assert not boxes.boxes


def test_models_are_checked_refused_and_removed(
    window: MainWindow,
    models: ModelsDialog,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    assert models.entry is not None
    assert models.entry["name"] == "tiny", "what can be used comes first"
    assert not models.get_button.isEnabled()
    models.check_button.click()
    wait_until(lambda: "is unchanged" in models.doing.text(), LONG)
    broken = tmp_path / "broken.pth"
    broken.write_bytes(b"no checkpoint")
    monkeypatch.setattr(dialogs, "ask_file", lambda *_: broken)
    models.add_button.click()
    wait_until(lambda: str(broken) in models.doing.text(), LONG)
    wait_until(lambda: window.models.job() is None and not window.models.listing, LONG)
    models.remove_button.click()
    wait_until(lambda: "was removed" in models.doing.text(), LONG)
    own = "simspine-detector"  # comes with the program and stays
    wait_until(lambda: [one["name"] for one in window.models.there] == [own], LONG)
    window.table.actions["detect"].trigger()
    (dialog,) = window.findChildren(DetectDialog)
    assert dialog.model_box.currentData() == own
    dialog.close()


def test_a_licence_that_is_not_accepted_brings_nothing(
    window: MainWindow, models: ModelsDialog, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def refuse(box: QMessageBox) -> int:
        asked.append(box.text())
        return 0

    monkeypatch.setattr(QMessageBox, "exec", refuse)
    entry = next(one for one in window.models.entries if one["non_commercial"])
    titles = [models.table.item(row, 0).text() for row in range(models.table.rowCount())]
    models.table.selectRow(titles.index(entry["title"]))
    assert models.entry == entry
    assert models.get_button.isEnabled()
    models.get_button.click()
    assert len(asked) == 1
    assert entry["title"] in asked[0]
    assert window.models.job() is None
