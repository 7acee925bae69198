"""Two pose models are compared on the same pictures, seen in them, and stopped."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from PySide6.QtWidgets import QApplication

from simspine_viewer.compare_dialog import FIGURES, CompareDialog
from simspine_viewer.comparing import PRESENT
from simspine_viewer.main_window import MainWindow
from tests.journeys.coded_recording import N_VIEWS, coded_project
from tests.truth.tiny_pose_network import tiny_checkpoint
from tests.viewer.window import main_window, open_and_settle, settle, wait_until

pytestmark = pytest.mark.gui

LONG = 60_000
FRAME = 30


@pytest.fixture(scope="module")
def window(qapp: QApplication, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MainWindow]:
    """A window with a recording, and one small model on this computer."""
    folder = tmp_path_factory.mktemp("compare")
    with pytest.MonkeyPatch.context() as patch, main_window() as made:
        patch.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("home")))
        open_and_settle(made, coded_project(folder))
        made.models.add(str(tiny_checkpoint(folder / "Tiny.pth")))
        wait_until(lambda: bool(made.models.there), LONG)
        yield made


@pytest.fixture
def dialog(window: MainWindow) -> Iterator[CompareDialog]:
    window.time.set_frame(FRAME)
    window.table.actions["compare-models"].trigger()
    (made,) = window.findChildren(CompareDialog)
    wait_until(lambda: not window.models.listing, LONG)
    settle(window)
    yield made
    if made in window.findChildren(CompareDialog):
        made.close()
    wait_until(lambda: not window.findChildren(CompareDialog))


def pixels(window: MainWindow, view: int) -> np.ndarray:
    image = window.grid.panes[view].grab().toImage()
    return np.frombuffer(image.constBits(), np.uint8).copy()


def test_a_model_is_compared_with_what_is_there(window: MainWindow, dialog: CompareDialog) -> None:
    position, revision = window.document.history.position, window.document.sequence.revision
    assert dialog.first_box.currentData() == PRESENT
    assert dialog.second_box.currentText() == "tiny"
    assert dialog.frames_box.currentText() == "20 of all 120 frames"
    bare = pixels(window, 0)
    dialog.button.click()
    assert dialog.button.text() == "Cancel"
    wait_until(lambda: window.comparing.job is None, LONG)
    found = window.comparing.result
    assert found is not None
    assert dialog.doing.text() == f"{20 * N_VIEWS} pictures were looked at."
    # All of the demo's detections are there, nearly all of them sure.
    assert dialog.figures.rowCount() == len(FIGURES)
    head = dialog.figures.horizontalHeaderItem(1)
    assert head is not None
    assert head.text() == "○ present detections"
    assert float(dialog.figures.item(1, 1).text()) > 20.0
    assert dialog.figures.item(5, 1).text() == "–"
    assert float(dialog.figures.item(5, 2).text()) > 0.0
    # The rows of the list go from the largest distance down, and lead there.
    apart = [row[3] for row in found["furthest"]]
    assert apart == sorted(apart, reverse=True)
    assert len(apart) > 1
    dialog.furthest.selectRow(1)
    settle(window)
    frame, view, keypoint, _ = found["furthest"][1]
    chosen = window.selection
    assert (window.time.frame, chosen.view, chosen.keypoint) == (frame, view, keypoint)
    both = window.comparing.points_at(frame, view)
    assert both is not None
    assert np.linalg.norm(both[0][keypoint, :2] - both[1][keypoint, :2]) == pytest.approx(apart[1])
    with_marks = pixels(window, view)
    seen = set(map(int, found["frames"]))
    between = next(f for f in range(window.document.sequence.n_frames) if f not in seen)
    assert window.comparing.points_at(between, view) is None
    # Nothing was written, and nothing stays drawn.
    assert window.document.history.position == position
    assert window.document.sequence.revision == revision
    dialog.close()
    wait_until(lambda: not window.findChildren(CompareDialog))
    assert window.comparing.result is None
    assert (pixels(window, view) != with_marks).any()
    window.time.set_frame(FRAME)
    window.selection.set(keypoint=-1)
    settle(window)
    assert pixels(window, 0).shape == bare.shape


def test_the_same_twice_is_not_compared(window: MainWindow, dialog: CompareDialog) -> None:
    dialog.first_box.setCurrentIndex(1)
    dialog.second_box.setCurrentIndex(1)
    dialog.button.click()
    assert dialog.doing.text() == "Choose two different models."
    assert window.comparing.job is None


def test_a_run_is_stopped(window: MainWindow, dialog: CompareDialog) -> None:
    dialog.button.click()
    job = window.comparing.job
    assert job is not None
    wait_until(lambda: job.fraction > 0.0, LONG)  # the model is loaded after that
    dialog.button.click()
    wait_until(lambda: window.comparing.job is None, LONG)
    assert window.comparing.result is None
    assert dialog.figures.rowCount() == 0
    assert dialog.button.text() == "Compare"
