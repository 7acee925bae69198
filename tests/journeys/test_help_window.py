"""Reading the manual: contents, the search with its keys, links and the way back."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton

from simspine_viewer.help_window import HelpWindow
from simspine_viewer.main_window import MainWindow
from tests.viewer.text_fit import misfits
from tests.viewer.window import click, wait_until

pytestmark = pytest.mark.gui

Key = Qt.Key
CTRL, SHIFT, LEFT = (
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.MouseButton.LeftButton,
)


def shown(window: MainWindow, command: str) -> HelpWindow:
    window.table.actions[command].trigger()
    (page,) = [d for d in window.findChildren(HelpWindow) if d.isVisible()]
    wait_until(page.isActiveWindow)
    return page


def marked(page: HelpWindow) -> str:
    """The text of the current match."""
    return page._matches[page._current].selectedText()


def top_line(page: HelpWindow) -> str:
    at = page.page.cursorForPosition(page.page.viewport().rect().topLeft())
    return at.block().text().strip()


def test_the_contents_lead_to_the_chapters(window: MainWindow) -> None:
    page = shown(window, "manual")
    titles = [page.contents.item(row).text().strip() for row in range(page.contents.count())]
    assert titles[:3] == ["Manual", "Open a recording", "A first look"]
    assert page.contents.currentRow() == 0
    row = titles.index("Cameras")
    item = page.contents.item(row)
    QTest.mouseClick(
        page.contents.viewport(), LEFT, pos=page.contents.visualItemRect(item).center()
    )
    assert top_line(page) == "Cameras"
    page.contents.setFocus()
    QTest.keyClick(page.contents, Key.Key_Down)
    assert top_line(page) == titles[row + 1]
    page.page.setFocus()
    for _ in range(3):
        QTest.keyClick(page.page, Key.Key_PageDown)
    assert page.contents.currentRow() > row + 1, "the contents follow the page"
    assert not misfits(page)


def test_words_are_found_by_keyboard_alone(window: MainWindow) -> None:
    page = shown(window, "manual")
    before = window.view3d.viewpoints.title
    QTest.keyClick(page.page, Key.Key_F, CTRL)
    assert page.search.hasFocus()
    assert window.view3d.viewpoints.title == before, "Ctrl+F of the main window waits"
    QTest.keyClicks(page.search, "PROXIES")
    n = len(page._matches)
    assert n > 4
    assert page.found.text() == f"1 of {n}"
    assert marked(page).casefold() == "proxies"
    assert page.contents.currentItem().text().strip() == "Scrub and play", "the match's chapter"
    assert page.page.viewport().rect().contains(page.page.cursorRect())
    QTest.keyClick(page.search, Key.Key_F3)
    QTest.keyClick(page.search, Key.Key_Return)
    assert page.found.text() == f"3 of {n}"
    QTest.keyClick(page.search, Key.Key_F3, SHIFT)
    QTest.keyClick(page.search, Key.Key_Return, SHIFT)
    QTest.keyClick(page.search, Key.Key_Return, SHIFT)
    assert page.found.text() == f"{n} of {n}", "round at the ends"
    assert page.page.viewport().rect().contains(page.page.cursorRect())
    click(page.next_button)
    assert page.found.text() == f"1 of {n}"
    click(page.previous_button)
    assert page.found.text() == f"{n} of {n}"
    QTest.keyClicks(page.search, "xyz")
    assert page.found.text() == "Not found"
    assert not page.next_button.isEnabled()
    QTest.keyClick(page.search, Key.Key_Escape)
    assert page.isVisible()
    assert page.search.text() == page.found.text() == ""
    assert not page.page.extraSelections()
    assert page.page.hasFocus()
    QTest.keyClick(page.page, Key.Key_Escape)
    assert not page.isVisible()


def test_a_search_goes_along_to_another_page(window: MainWindow) -> None:
    page = shown(window, "manual")
    QTest.keyClick(page.page, Key.Key_F3)
    assert page.search.hasFocus(), "without a word F3 asks for one"
    QTest.keyClicks(page.search, "TRC")
    here = page.found.text()
    page.page.setSource(page.page.source().resolved("export-formats.md"))
    assert page.found.text() not in ("", "Not found", here)
    back = next(b for b in page.findChildren(QPushButton) if b.text() == "Back")
    click(back)
    assert page.contents.item(0).text() == "Manual"
    assert page.found.text().endswith(here.split()[-1])


@pytest.mark.parametrize(("command", "has_contents"), [("words", False), ("shortcuts", True)])
def test_other_pages_can_be_searched_too(
    window: MainWindow, command: str, has_contents: bool
) -> None:
    page = shown(window, command)
    assert page.contents.isVisible() == has_contents
    if has_contents:
        assert page.contents.item(0).text() == "File"
        assert page.contents.currentRow() == 0
    QTest.keyClick(page.page, Key.Key_F, CTRL)
    QTest.keyClicks(page.search, "residual")
    assert page.found.text().startswith("1 of ")
    assert not misfits(page)
