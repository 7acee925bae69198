"""A window with a small recording open, shared by the journeys of one module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog

from simspine_viewer.main_window import MainWindow
from simspine_viewer.settings import Settings
from simspine_viewer.tour import Tour
from tests.viewer.small import small_project
from tests.viewer.window import main_window, open_and_settle, wait_until


@pytest.fixture(scope="module")
def opened(qapp: QApplication, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MainWindow]:
    with main_window() as window:
        open_and_settle(window, small_project(tmp_path_factory.mktemp("aids")))
        yield window


@pytest.fixture
def window(opened: MainWindow) -> Iterator[MainWindow]:
    """The open window as it is in a new program, with what was opened in it closed again."""
    settings, new = opened.settings, Settings()
    for name in ("own_keys", "key_preset", "own_layouts", "error_threshold", "text_size"):
        setattr(settings, name, getattr(new, name))
    opened.table.set_keys()
    opened.time.set_frame(0)
    opened.selection.set(keypoint=-1, view=0)
    opened.activateWindow()
    wait_until(opened.isActiveWindow)
    opened.setFocus()
    yield opened
    for dialog in opened.findChildren(QDialog):
        dialog.close()
    for tour in opened.findChildren(Tour):
        tour.end()
    for toast in opened.toasts.shown:
        toast.go()
    opened.command_palette.hide()
    opened.layouts.own = ()
    QTest.keyClick(
        opened, Qt.Key.Key_1, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier
    )
    QTest.qWait(5)
