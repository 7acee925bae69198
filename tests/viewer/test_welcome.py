"""The empty page: what it offers, and how it says that something is being read."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from simspine_viewer.settings import Settings
from simspine_viewer.welcome import Welcome

pytestmark = pytest.mark.gui


class Asked:
    def __init__(self) -> None:
        self.opened = self.demos = 0

    def open(self) -> None:
        self.opened += 1

    def demo(self) -> None:
        self.demos += 1


def _welcome(qtbot, recent: list[str]) -> tuple[Welcome, Asked]:
    asked = Asked()
    page = Welcome(Settings(recent=recent), asked.open, asked.demo)
    qtbot.addWidget(page)
    page.resize(900, 600)
    page.show()
    return page, asked


def test_without_recent_recordings(qtbot) -> None:
    page, asked = _welcome(qtbot, [])
    assert not page.recent.isVisible()
    assert not page.recent_title.isVisible()
    assert not page.bar.isVisible()
    QTest.mouseClick(page.open_button, Qt.MouseButton.LeftButton)
    QTest.mouseClick(page.demo_button, Qt.MouseButton.LeftButton)
    assert (asked.opened, asked.demos) == (1, 1)


def test_recent_recordings_that_exist_are_listed_and_chosen(qtbot, tmp_path: Path) -> None:
    there = tmp_path / "a walk.simspine"
    there.touch()
    page, _ = _welcome(qtbot, [str(tmp_path / "gone.simspine"), str(there)])
    assert [page.recent.item(i).text() for i in range(page.recent.count())] == [
        f"a walk\n{tmp_path}"
    ]
    centre = page.recent.visualItemRect(page.recent.item(0)).center()
    with qtbot.waitSignal(page.chosen) as chosen:
        QTest.mouseClick(page.recent.viewport(), Qt.MouseButton.LeftButton, pos=centre)
    assert chosen.args == [there]
    there.unlink()
    page.reload()
    assert not page.recent.isVisible()


def test_a_click_or_return_opens(qtbot, tmp_path: Path) -> None:
    there = tmp_path / "walk.simspine"
    there.touch()
    page, _ = _welcome(qtbot, [str(there)])
    chosen: list[Path] = []
    page.chosen.connect(chosen.append)
    centre = page.recent.visualItemRect(page.recent.item(0)).center()
    QTest.mouseClick(page.recent.viewport(), Qt.MouseButton.LeftButton, pos=centre)
    assert chosen == [there]
    QTest.keyClick(page.recent, Qt.Key.Key_Return)
    assert chosen == [there, there]


def test_while_something_is_read_nothing_else_can_be_opened(qtbot, tmp_path: Path) -> None:
    (tmp_path / "walk.simspine").touch()
    page, asked = _welcome(qtbot, [str(tmp_path / "walk.simspine")])
    page.set_busy("Reading walk…")
    page.set_progress(0.25)
    assert page.busy.isVisible()
    assert page.bar.isVisible()
    assert page.bar.value() == page.bar.maximum() / 4
    assert not page.recent.isVisible()
    QTest.mouseClick(page.open_button, Qt.MouseButton.LeftButton)
    assert asked.opened == 0
    page.reload()
    assert not page.recent.isVisible()
    page.set_busy("")
    assert not page.bar.isVisible()
    assert page.recent.isVisible()
    QTest.mouseClick(page.open_button, Qt.MouseButton.LeftButton)
    assert asked.opened == 1
