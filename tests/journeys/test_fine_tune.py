"""A pose model learns from corrected frames: stopped, finished, kept; refused without any."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication

from pipeline.synthesis.demo import make_demo
from simspine_viewer.main_window import MainWindow
from simspine_viewer.tuning import STOPPED
from simspine_viewer.tuning_dialog import TuningDialog
from tests.journeys.coded_recording import coded_project
from tests.truth.corrected import corrected_project
from tests.truth.tiny_pose_network import tiny_checkpoint
from tests.viewer.window import main_window, open_and_settle, settle, wait_until

pytestmark = pytest.mark.gui

LONG = 180_000
FRAMES = 12


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tune")
    demo = make_demo(folder / "walk", n_frames=FRAMES, size=(320, 320), render=False)
    return corrected_project(demo, folder / "walk.simspine")


@pytest.fixture(scope="module")
def window(
    qapp: QApplication, project: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[MainWindow]:
    """A window with a corrected recording, and one small model on this computer."""
    with pytest.MonkeyPatch.context() as patch, main_window() as made:
        patch.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("home")))
        open_and_settle(made, project)
        made.models.add(str(tiny_checkpoint(project.parent / "Tiny.pth")))
        wait_until(lambda: any(one["name"] == "tiny" for one in made.models.there), LONG)
        yield made


@pytest.fixture
def dialog(window: MainWindow) -> Iterator[TuningDialog]:
    window.table.actions["fine-tune"].trigger()
    (made,) = window.findChildren(TuningDialog)
    wait_until(lambda: not window.models.listing, LONG)
    settle(window)
    made.model_box.setCurrentIndex(made.model_box.findData("tiny"))
    yield made
    made.close()
    wait_until(lambda: not window.findChildren(TuningDialog))


def test_a_model_learns_and_is_kept_when_asked(window: MainWindow, dialog: TuningDialog) -> None:
    position, revision = window.document.history.position, window.document.sequence.revision
    dialog.button.click()
    assert dialog.button.text() == "Cancel"
    assert not dialog.model_box.isEnabled()
    wait_until(lambda: window.tuning.job is not None and window.tuning.job.fraction > 0.15, LONG)
    dialog.button.click()
    wait_until(lambda: window.tuning.job is None, LONG)
    assert dialog.doing.text() == STOPPED
    assert window.tuning.result is None
    assert not dialog.keep.isVisible()

    dialog.steps.setValue(10)
    dialog.button.click()
    wait_until(lambda: window.tuning.job is None, LONG)
    settle(window)
    said = dialog.outcome.text()
    assert f"pictures of {FRAMES} corrected frames" in said
    assert "before and" in said
    assert dialog.doing.text() == ""
    names = {one["name"] for one in window.models.there}
    assert "tiny-walk" not in names  # nothing is kept without asking
    assert dialog.keep.isVisible()
    dialog.keep.click()
    assert not dialog.keep.isEnabled()
    wait_until(lambda: "tiny-walk" in {one["name"] for one in window.models.there}, LONG)
    assert {one["name"] for one in window.models.there} == {*names, "tiny-walk"}
    assert window.document.history.position == position
    assert window.document.sequence.revision == revision


def test_without_corrections_it_says_so(window: MainWindow, tmp_path: Path) -> None:
    open_and_settle(window, coded_project(tmp_path))
    window.table.actions["fine-tune"].trigger()
    (dialog,) = window.findChildren(TuningDialog)
    assert not dialog.outcome.isVisible()  # of the recording before
    dialog.model_box.setCurrentIndex(dialog.model_box.findData("tiny"))
    dialog.button.click()
    wait_until(lambda: window.tuning.job is None, LONG)
    assert "nobody has corrected a point" in dialog.doing.text()
    dialog.close()
    wait_until(lambda: not window.findChildren(TuningDialog))
