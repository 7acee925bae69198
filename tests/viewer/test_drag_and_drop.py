"""A folder or project dropped on the window is opened; anything else is said or let pass."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMessageBox, QWidget

from simspine_viewer.dropping import DropHint
from tests.viewer.small import small_project, small_recording
from tests.viewer.window import main_window, settle, wait_until

pytestmark = pytest.mark.gui


def _data(*paths: Path | str) -> QMimeData:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(p)) if isinstance(p, Path) else QUrl(p) for p in paths])
    return data


def _drop(window: QWidget, data: QMimeData) -> bool:
    """Enter and drop, as the platform does; whether the drop was taken."""
    buttons, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    centre = window.rect().center()
    enter = QDragEnterEvent(centre, Qt.DropAction.CopyAction, data, buttons, keys)
    enter.ignore()
    QApplication.sendEvent(window, enter)
    if not enter.isAccepted():
        return False
    drop = QDropEvent(QPointF(centre), Qt.DropAction.CopyAction, data, buttons, keys)
    drop.ignore()
    QApplication.sendEvent(window, drop)
    return drop.isAccepted()


def test_a_folder_is_opened(qtbot, tmp_path: Path) -> None:
    folder = small_recording(tmp_path)
    with main_window() as window:
        assert _drop(window, _data(folder))
        wait_until(lambda: window.document.is_open)
        settle(window)
        assert window.document.project is not None
        assert window.document.project.path.parent == folder


def test_another_project_takes_its_place(qtbot, tmp_path: Path) -> None:
    paths = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        paths.append(small_project(tmp_path / name))
    with main_window() as window:
        for path in paths:
            assert _drop(window, _data(path))
            wait_until(
                lambda path=path: window.document.is_open and window.document.project.path == path
            )
            settle(window)
    for path in paths:
        assert not path.with_name(path.name + ".lock").exists()


def test_what_is_no_file_is_let_pass(qtbot) -> None:
    with main_window() as window:
        text = QMimeData()
        text.setText("hello")
        assert not _drop(window, text)
        assert not _drop(window, _data("https://example.org/walk.mp4"))
        QTest.qWait(20)
        assert not window.findChildren(QMessageBox)


def test_what_is_no_recording_is_said(qtbot, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("hello")
    with main_window() as window:
        assert _drop(window, _data(tmp_path / "notes.txt"))
        wait_until(lambda: bool(window.findChildren(QMessageBox)))
        (box,) = window.findChildren(QMessageBox)
        assert "notes.txt" in box.text()
        assert not window.document.is_open


def test_a_hint_says_what_letting_go_does(qtbot, tmp_path: Path) -> None:
    with main_window() as window:
        hint = window.findChild(DropHint)
        enter = QDragEnterEvent(
            window.rect().center(), Qt.DropAction.CopyAction,
            data := _data(tmp_path / "walk", tmp_path / "b", tmp_path / "c"),
            Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier,
        )  # fmt: skip
        QApplication.sendEvent(window, enter)
        assert data.hasUrls()
        assert hint.isVisible()
        assert hint.text == "Drop to open walk and 2 more"
        assert hint.geometry() == window.rect()
        QApplication.sendEvent(window, QDragLeaveEvent())
        assert not hint.isVisible()


def test_a_video_opens_its_recording_and_says_so(qtbot, tmp_path: Path) -> None:
    project = small_project(tmp_path)
    video = sorted(project.parent.rglob("*.mp4"))[0]
    with main_window() as window:
        assert _drop(window, _data(video, tmp_path / "gone.txt"))
        wait_until(lambda: window.document.is_open)
        assert window.document.project is not None
        assert window.document.project.path == project
        (toast,) = window.toasts.shown
        assert f"{video.name} belongs to the recording walk" in toast.label.text()
        assert "gone.txt does not exist" in toast.label.text()
        assert not window.findChild(DropHint).isVisible()
