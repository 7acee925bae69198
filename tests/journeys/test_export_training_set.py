"""A training set from the window: asked for, written in the background, stopped, refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QDialogButtonBox

from pipeline.data import edits
from pipeline.data.history import Place
from pipeline.io.picture_set import read_picture_set
from pipeline.jobs.messages import Cancelled, Done
from pipeline.synthesis.demo import make_demo
from simspine_viewer import training_set_dialog
from simspine_viewer.main_window import MainWindow
from simspine_viewer.training_set_dialog import Annotated, TrainingSetChoice, TrainingSetDialog
from tests.viewer.window import main_window, open_and_settle, wait_until

pytestmark = pytest.mark.gui

N, LONG = 40, 240_000


@pytest.fixture(scope="module")
def window(tmp_path_factory: pytest.TempPathFactory, qapp) -> Iterator[MainWindow]:
    folder = tmp_path_factory.mktemp("demo") / "demo"
    make_demo(folder, n_frames=N, size=(480, 480), n_views=3, render=False)
    with main_window() as window:
        open_and_settle(window, folder)
        yield window


def _dialog(window: MainWindow) -> TrainingSetDialog:
    project = window.document.project
    assert project is not None
    return TrainingSetDialog(project.path, window.document.sequence, Annotated(0, (5, 15)), window)


def _ask(monkeypatch: pytest.MonkeyPatch, choice: TrainingSetChoice | None) -> None:
    monkeypatch.setattr(training_set_dialog, "ask_training_set", lambda *_, **__: choice)


def test_the_dialog_counts_what_is_chosen(window: MainWindow, tmp_path: Path) -> None:
    dialog = _dialog(window)
    dialog.path.setText(str(tmp_path / "set"))
    assert dialog.choice() == TrainingSetChoice(tmp_path / "set", None, (5, 15), 4, False)
    assert dialog.number.text() == "At most 9"
    dialog.every.setValue(3)
    assert dialog.number.text() == "At most 12"
    dialog.corrected.setChecked(True)
    assert dialog.number.text() == "At most 30"
    assert not dialog.every.isEnabled()
    dialog.frames.setCurrentIndex(1)
    assert dialog.number.text() == f"At most {3 * N}"
    dialog.views.setCurrentIndex(2)
    assert dialog.number.text() == f"At most {N}"
    chosen = TrainingSetChoice(tmp_path / "set", ("cam_2",), (0, N), 1, True)
    assert dialog.choice() == chosen


def test_a_folder_that_exists_is_named_and_a_file_refused(
    window: MainWindow, tmp_path: Path
) -> None:
    dialog = _dialog(window)
    ok = dialog.buttons.button(QDialogButtonBox.StandardButton.Ok)
    assert ok.isEnabled()
    dialog.path.setText(str(tmp_path))
    assert "an earlier training set will be replaced" in dialog.problem.text()
    assert ok.isEnabled()
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    dialog.path.setText(str(tmp_path / "file"))
    assert dialog.problem.text() == "file is a file."
    assert not ok.isEnabled()


def test_corrected_frames_are_written(
    window: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = window.document
    patches = edits.place_point(document.sequence, 0, 7, 1, 13, (50.0, 60.0))
    document.commit("Place point", patches, Place(7, 1, 13, 0))
    out = tmp_path / "set"
    _ask(monkeypatch, TrainingSetChoice(out, ("cam_2",), (0, N), 1, True))
    window.table.actions["export-training-set"].trigger()
    wait_until(lambda: not window.jobs.running, LONG)
    assert isinstance(window.jobs.jobs[-1].ending, Done), window.jobs.jobs[-1].text
    found = read_picture_set(out)
    assert [path.name for path in found.files] == ["cam_2_000007.jpg"]
    assert found.xy[0, 13].tolist() == [50.0, 60.0]
    assert window.statusBar().currentMessage() == "Export set: 1 picture written."
    assert window.jobs.jobs[-1].files == [str(out)]


def test_a_stopped_one_leaves_nothing(
    window: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _ask(monkeypatch, TrainingSetChoice(tmp_path / "set", None, (0, N), 1, False))
    window.table.actions["export-training-set"].trigger()
    state = window.jobs.running[-1]
    assert state.job.task == "training_set"
    wait_until(lambda: state.text.startswith("Writing"), LONG)
    window.jobs.cancel(state.job.id)
    wait_until(lambda: not state.running, LONG)
    assert isinstance(state.ending, Cancelled)
    assert not list(tmp_path.glob("*set*"))


def test_a_folder_of_other_things_is_said_and_kept(
    window: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr(window, "say_error", said.append)
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "mine.txt").write_text("kept", encoding="utf-8")
    _ask(monkeypatch, TrainingSetChoice(tmp_path / "set", None, (0, N), 10, False))
    window.table.actions["export-training-set"].trigger()
    wait_until(lambda: not window.jobs.running, LONG)
    assert len(said) == 1
    assert "was not replaced" in said[0]
    assert (tmp_path / "set" / "mine.txt").read_text(encoding="utf-8") == "kept"


def test_no_answer_writes_nothing(window: MainWindow, monkeypatch: pytest.MonkeyPatch) -> None:
    _ask(monkeypatch, None)
    before = len(window.jobs.jobs)
    window.table.actions["export-training-set"].trigger()
    assert len(window.jobs.jobs) == before


def test_what_came_of_it_is_one_sentence() -> None:
    result = {"pictures": 12, "left_out": {"without a 3D point": 3, "that show little": 2}}
    assert training_set_dialog.told(result) == (
        "12 pictures written, 5 left out: 3 without a 3D point; 2 that show little."
    )
