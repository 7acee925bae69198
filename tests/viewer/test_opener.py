"""Opening what cannot be opened: one sentence, and what was open stays open and usable."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMessageBox

from pipeline.io.project import Project
from simspine_viewer.main_window import MainWindow
from tests.viewer.holder import held
from tests.viewer.small import N_FRAMES, small_project, small_recording
from tests.viewer.window import main_window, open_and_settle, settle, wait_until

pytestmark = pytest.mark.gui


@pytest.fixture
def opened(qtbot, tmp_path: Path) -> Iterator[MainWindow]:
    """A window in which a project is open, with an edit."""
    (tmp_path / "good").mkdir()
    with main_window() as window:
        open_and_settle(window, small_project(tmp_path / "good"))
        window.selection.set(keypoint=5, view=0)
        window.editor.delete()
        window.time.set_frame(7)
        yield window


def _boxes(window: MainWindow) -> list[QMessageBox]:
    return [box for box in window.findChildren(QMessageBox) if box.isVisible()]


def _said(window: MainWindow) -> str:
    """The one sentence of the one message; the message is then closed by a key."""
    (box,) = _boxes(window)
    text = box.text()
    assert text.endswith(".")
    assert "\n" not in text
    assert "Traceback" not in text
    QTest.keyClick(box, Qt.Key.Key_Escape)
    assert not box.isVisible()
    window.activateWindow()  # as a window manager does; the offscreen platform has none
    return text


def _is_untouched(window: MainWindow, project: Project) -> None:
    """The project that was open still is, where it was, and takes edits."""
    document = window.document
    assert document.project is project
    assert (document.history.position, window.time.frame) == (1, 7)
    assert window.stack.currentWidget() is window.splitter
    settle(window)
    QTest.keyClick(window, Qt.Key.Key_Right)
    assert window.time.frame == 8
    window.editor.delete()
    assert document.history.position == 2


def _empty_folder(tmp_path: Path) -> Path:
    (tmp_path / "empty").mkdir()
    return tmp_path / "empty"


def _missing(tmp_path: Path) -> Path:
    return tmp_path / "nowhere"


def _missing_project(tmp_path: Path) -> Path:
    return tmp_path / "nowhere.simspine"


def _text_file(tmp_path: Path) -> Path:
    path = tmp_path / "notes.txt"
    path.write_text("not a recording")
    return path


def _text_as_project(tmp_path: Path) -> Path:
    path = tmp_path / "notes.simspine"
    path.write_text("not a project" * 1000)
    return path


def _empty_project(tmp_path: Path) -> Path:
    path = tmp_path / "hollow.simspine"
    path.touch()
    return path


def _folder_as_project(tmp_path: Path) -> Path:
    path = tmp_path / "folder.simspine"
    path.mkdir()
    return path


def _truncated_project(tmp_path: Path) -> Path:
    (tmp_path / "cut").mkdir()
    path = small_project(tmp_path / "cut")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 3])
    return path


def _without_calibration(tmp_path: Path) -> Path:
    (tmp_path / "flat").mkdir()
    folder = small_recording(tmp_path / "flat")
    for path in folder.rglob("*.toml"):
        path.unlink()
    return folder


BAD = (
    _empty_folder, _missing, _missing_project, _text_file, _text_as_project, _empty_project,
    _folder_as_project, _truncated_project, _without_calibration,
)  # fmt: skip


def test_what_cannot_be_opened_leaves_what_is_open(opened: MainWindow, tmp_path: Path) -> None:
    project = opened.document.project
    assert project is not None
    for make in BAD:
        path = make(tmp_path)
        opened.open_path(path)
        assert path.name in _said(opened), make.__name__
        assert opened.document.project is project
        assert str(path) not in opened.settings.recent
    _is_untouched(opened, project)


@pytest.mark.parametrize("make", [_empty_folder, _truncated_project])
def test_the_empty_window_stays_usable(qtbot, tmp_path: Path, make) -> None:
    with main_window() as window:
        window.open_path(make(tmp_path))
        _said(window)
        assert window.stack.currentWidget() is window.welcome
        assert window.welcome.open_button.isEnabled()
        (tmp_path / "good").mkdir()
        open_and_settle(window, small_project(tmp_path / "good"))
        assert window.stack.currentWidget() is window.splitter


def test_an_import_that_fails_in_the_background(opened: MainWindow, tmp_path: Path) -> None:
    (tmp_path / "bad").mkdir()
    folder = small_recording(tmp_path / "bad")
    shutil.rmtree(folder / "pose")
    for path in folder.rglob("*.mp4"):
        path.write_bytes(b"")
    project = opened.document.project
    opened.open_path(folder)
    assert opened.opener.busy
    wait_until(lambda: not opened.opener.busy)
    assert "walk" in _said(opened)
    assert project is not None
    _is_untouched(opened, project)
    assert not list(folder.glob("*.simspine*"))


def test_a_broken_video_does_not_stop_the_others(qtbot, tmp_path: Path) -> None:
    folder = small_recording(tmp_path)
    videos = sorted(folder.rglob("*.mp4"))
    videos[1].write_bytes(videos[1].read_bytes()[:300])
    with main_window() as window:
        open_and_settle(window, folder)
        pictures = [pane.picture_size is not None and pane.is_current for pane in window.grid.panes]
        assert len(pictures) == 4
        notes = [line.text() for line in window.findings_panel.lines]
        assert any(videos[1].name in line and "Error:" in line for line in notes), notes
        assert window.document.sequence.info.videos[1].path is None
        assert [v.n_frames for v in window.document.sequence.info.videos] == [
            N_FRAMES, 0, N_FRAMES, N_FRAMES,
        ]  # fmt: skip
        assert not _boxes(window)
        assert np.isfinite(window.document.points_at(3).xyz[5]).all()


def test_a_folder_opened_twice_at_once_is_read_once(qtbot, tmp_path: Path) -> None:
    folder = small_recording(tmp_path)
    with main_window() as window:
        window.open_path(folder)
        window.open_path(folder)
        assert len(window.jobs.running) == 1
        wait_until(lambda: window.document.is_open)
        settle(window)
        assert not _boxes(window)


def test_what_is_open_already_stays_open(opened: MainWindow) -> None:
    project = opened.document.project
    assert project is not None
    for path in (project.path, project.path.parent):
        opened.open_path(path)
        assert opened.document.project is project
        assert "open already" in opened.statusBar().currentMessage()
    _is_untouched(opened, project)


def _answer(button: QMessageBox.StandardButton, said: list[str]) -> None:
    """Answer the next question as with the mouse, once it is there."""

    def press() -> None:
        box = QApplication.activeModalWidget()
        assert isinstance(box, QMessageBox)
        said.append(box.text())
        QTest.mouseClick(box.button(button), Qt.MouseButton.LeftButton)
        box.parentWidget().activateWindow()

    QTimer.singleShot(0, press)


def test_a_locked_project_can_be_looked_at(qtbot, tmp_path: Path) -> None:
    path, said = small_project(tmp_path), []
    with main_window() as window, held(path):
        _answer(QMessageBox.StandardButton.Yes, said)
        open_and_settle(window, path)
        assert "is already open" in said[0]
        assert "looking only" in said[0]
        assert "(looking only)" in window.windowTitle()
        assert np.isfinite(window.document.points_at(3).xyz[5]).all()
        before = window.document.points_at(0).flags.copy()
        window.selection.set(keypoint=5, view=0)
        QTest.keyClick(window, Qt.Key.Key_Delete)
        assert "takes no changes" in _said(window)
        np.testing.assert_array_equal(window.document.points_at(0).flags, before)
        assert not window.document.history.can_undo
        window.time.set_frame(4)
    with Project.open(path) as project:
        assert not project.history.can_undo
        assert project.state("frame", 0) == 0


def test_a_locked_project_can_be_left_alone(opened: MainWindow, tmp_path: Path) -> None:
    (tmp_path / "locked").mkdir()
    path, said = small_project(tmp_path / "locked"), []
    project = opened.document.project
    with held(path):
        _answer(QMessageBox.StandardButton.No, said)
        opened.open_path(path)
    assert len(said) == 1
    assert not _boxes(opened)
    assert project is not None
    _is_untouched(opened, project)


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="permission bits")
def test_a_folder_that_takes_no_files(qtbot, tmp_path: Path, monkeypatch) -> None:
    folder = small_recording(tmp_path)
    # Permission bits do not hold for an administrator, who may be running this.
    monkeypatch.setattr("pipeline.io.project_path._takes_files", lambda path: path != folder)
    with main_window() as window:
        open_and_settle(window, folder)
        project = window.document.project
        assert project is not None
        assert folder not in project.path.parents
        assert not list(folder.glob("*.simspine*"))
        window.selection.set(keypoint=5, view=0)
        window.editor.delete()
    with main_window() as window:
        open_and_settle(window, folder)
        assert window.document.history.position == 1, "it is found again"


def test_recent_files_open_from_the_menu_and_the_welcome_page(qtbot, tmp_path: Path) -> None:
    paths = []
    for name in ("a & b", "c"):
        (tmp_path / name).mkdir()
        paths.append(small_project(tmp_path / name))
    with main_window() as window:
        window.opener.attended = True  # what nobody is there to see is not remembered
        for path in paths:
            open_and_settle(window, path)
        assert window.settings.recent == [str(path) for path in reversed(paths)]
        window.document.close()
        assert window.stack.currentWidget() is window.welcome
        assert window.welcome.recent.count() == 2
        centre = window.welcome.recent.visualItemRect(window.welcome.recent.item(1)).center()
        QTest.mouseClick(window.welcome.recent.viewport(), Qt.MouseButton.LeftButton, pos=centre)
        wait_until(lambda: window.document.is_open)
        assert window.document.project is not None
        assert window.document.project.path == paths[0]
        settle(window)
        shutil.rmtree(paths[1].parent)
        (recent,) = [
            action.menu()
            for action in window.menuBar().actions()[0].menu().actions()
            if action.text() == "Open Recent"
        ]
        recent.aboutToShow.emit()
        entries = {a.text(): a.isEnabled() for a in recent.actions()}
        assert entries == {str(paths[0]).replace("&", "&&"): True, str(paths[1]): False}


@pytest.mark.skipif(os.name == "nt", reason="resource limits")
def test_a_full_disk_is_said_and_nothing_moves(tmp_path: Path) -> None:
    path = small_project(tmp_path)
    done = subprocess.run(
        [sys.executable, "-m", "tests.viewer.full_disk", str(path)],
        cwd=Path(__file__).resolve().parents[2],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    report = json.loads(done.stdout.splitlines()[-1])
    (sentence,) = report["said"]
    assert str(path) in sentence
    assert "disk" in sentence
    with Project.open(path) as project:
        assert project.history.position == 2
        stored = project.sequence.read("manual2d.xy", [0], 0)[0, 0, report["keypoint"]]
        np.testing.assert_allclose(stored, report["xy"], atol=1e-3)
