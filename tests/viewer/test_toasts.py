"""Messages in the corner: inside the window, none over another, gone when read."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMainWindow

from simspine_viewer.toasts import Act, Toasts

pytestmark = pytest.mark.gui

LONG = "Export of a recording with a long name: the disk is full, and nothing was written. " * 2


@pytest.fixture
def window(qtbot) -> QMainWindow:
    window = QMainWindow()
    qtbot.addWidget(window)
    window.resize(700, 500)
    window.statusBar()
    window.show()
    return window


def test_they_stand_in_the_corner_one_above_the_other(window: QMainWindow) -> None:
    toasts = Toasts(window)
    for text in ("Short.", LONG, "Another."):
        toasts.show(text, Act("Show File", lambda: None), sticky=True)
    for size in ((700, 500), (420, 480)):
        window.resize(*size)
        QTest.qWait(5)
        rects = [toast.geometry() for toast in toasts.shown]
        assert [toast.label.text() for toast in toasts.shown] == ["Short.", LONG, "Another."]
        for k, rect in enumerate(rects):
            assert window.rect().contains(rect)
            assert rect.bottom() < window.statusBar().y()
            assert not any(rect.intersects(other) for other in rects[k + 1 :])
        assert rects[0].top() < rects[1].top() < rects[2].top()
        for toast in toasts.shown:
            assert toast.label.height() >= toast.label.heightForWidth(toast.label.width())


def test_a_button_acts_once_and_the_others_move_down(window: QMainWindow) -> None:
    toasts, done = Toasts(window), []
    first = toasts.show("First.", sticky=True)
    second = toasts.show("Second.", Act("Retry", lambda: done.append(1)), sticky=True)
    place = second.geometry()
    second.buttons["Retry"].setFocus()
    QTest.keyClick(second.buttons["Retry"], Qt.Key.Key_Space)
    assert done == [1]
    assert toasts.shown == [first]
    QTest.qWait(20)
    assert first.geometry().bottom() == place.bottom()
    QTest.mouseClick(first.buttons["Dismiss"], Qt.MouseButton.LeftButton)
    assert toasts.shown == []


def test_only_what_is_not_sticky_goes_by_itself(
    window: QMainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("simspine_viewer.toasts.STAYS_MS", 1)
    toasts = Toasts(window)
    stays = toasts.show("Failed.", sticky=True, bad=True)
    toasts.show("Done.")
    QTest.qWait(60)
    assert toasts.shown == [stays]


def test_text_is_plain(window: QMainWindow) -> None:
    toast = Toasts(window).show("<b>walk & co</b>.trc", sticky=True)
    assert toast.label.textFormat() == Qt.TextFormat.PlainText
