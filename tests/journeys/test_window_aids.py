"""Palette, keys, preferences, tour, help and diagnostics, by mouse and keyboard."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPushButton, QTextBrowser, QWidget

from simspine_viewer import __main__ as program
from simspine_viewer import desktop, dialogs, preferences
from simspine_viewer.commands import file
from simspine_viewer.diagnostics_dialog import DiagnosticsDialog
from simspine_viewer.keys_page import KeysPage
from simspine_viewer.main_window import MainWindow
from simspine_viewer.preferences import PreferencesDialog
from simspine_viewer.settings import Settings
from simspine_viewer.tour import STEPS, Tour
from tests.viewer.small import small_project
from tests.viewer.window import click, main_window, wait_until

pytestmark = pytest.mark.gui

CTRL, SHIFT, ALT = (
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.AltModifier,
)
LEFT = Qt.MouseButton.LeftButton


# Palette


def test_the_palette_finds_commands_keypoints_and_frames(window: MainWindow) -> None:
    palette, skeleton = window.command_palette, window.document.sequence.info.skeleton
    for typed, done in (
        ("lhip", lambda: window.selection.keypoint == skeleton.index("LHip")),
        ("7", lambda: window.time.frame == 7),
        ("3d in a second", lambda: window.layouts.apart == "3d"),
        ("3d in a second", lambda: window.layouts.apart == ""),
    ):
        QTest.keyClick(window, Qt.Key.Key_P, CTRL | SHIFT)
        assert palette.isVisible()
        QTest.keyClicks(palette.search, typed)
        QTest.keyClick(palette.search, Qt.Key.Key_Return)
        assert not palette.isVisible()
        assert done(), typed


def test_letters_are_letters_there_and_arrows_choose(window: MainWindow) -> None:
    palette, frame = window.command_palette, window.time.frame
    QTest.keyClick(window, Qt.Key.Key_K, CTRL)
    QTest.keyClicks(palette.search, "frame")
    assert palette.search.text() == "frame"
    first = palette.list.currentRow()
    QTest.keyClick(palette.search, Qt.Key.Key_Down)
    assert palette.list.currentRow() == first + 1
    assert palette.help.text()
    QTest.keyClick(palette.search, Qt.Key.Key_Escape)
    assert not palette.isVisible()
    assert window.time.frame == frame


def test_what_cannot_be_done_is_there_with_the_reason(window: MainWindow) -> None:
    palette = window.command_palette
    QTest.keyClick(window, Qt.Key.Key_K, CTRL)
    QTest.keyClicks(palette.search, "revert to detection")
    assert palette.list.item(0, 0).text() == "Revert to Detection"
    assert palette.list.item(0, 1).text() == "Needs: a keypoint is selected."
    assert palette.list.item(0, 2).text() == "R"
    QTest.keyClick(palette.search, Qt.Key.Key_Return)
    assert palette.isVisible(), "it is not done"


# Keys


def keys_page(window: MainWindow) -> KeysPage:
    window.table.actions["preferences"].trigger()
    (dialog,) = window.findChildren(PreferencesDialog)
    wait_until(dialog.isActiveWindow)
    dialog.show_page("Keys")
    page = dialog.pages["Keys"]
    assert isinstance(page, KeysPage)
    return page


def test_a_key_is_recorded_and_works_at_once(window: MainWindow) -> None:
    page = keys_page(window)
    page.select("next")
    click(page.record)
    QTest.keyClick(page.record, Qt.Key.Key_Control)
    assert page.record.isChecked(), "a modifier alone is no key"
    QTest.keyClick(page.record, Qt.Key.Key_M, CTRL | SHIFT | ALT)
    assert window.table.keys["next"] == ("Ctrl+Alt+Shift+M",)
    assert "Ctrl+Alt+Shift+M" in window.table.actions["next"].toolTip()
    before = window.time.frame
    window.activateWindow()
    wait_until(window.isActiveWindow)
    QTest.keyClick(window, Qt.Key.Key_M, CTRL | SHIFT | ALT)
    QTest.keyClick(window, Qt.Key.Key_Right)
    assert window.time.frame == before + 1, "the new key steps, the old one no more"
    click(page.reset)
    QTest.keyClick(window, Qt.Key.Key_Right)
    assert window.time.frame == before + 2


def test_a_conflict_names_both_and_can_be_taken(window: MainWindow) -> None:
    page = keys_page(window)
    page.select("next")
    click(page.record)
    QTest.keyClick(page.record, Qt.Key.Key_R)
    assert page.conflict.isVisible()
    assert "“Revert to Detection”" in page.conflict.text()
    assert "“Next Frame”" in page.conflict.text()
    assert window.table.keys["revert"] == ("R",), "nothing is taken unasked"
    click(page.take)
    assert window.table.keys["next"] == ("R",)
    assert window.table.keys["revert"] == ()
    click(page.reset_all)
    assert window.table.keys["revert"] == ("R",)


def test_another_preset_takes_the_question_back(window: MainWindow) -> None:
    page = keys_page(window)
    page.select("next")
    click(page.record)
    QTest.keyClick(page.record, Qt.Key.Key_R)
    assert page.take.isVisible()
    page.preset.setFocus()
    QTest.keyClick(page.preset, Qt.Key.Key_Down)
    assert window.settings.key_preset == "SLEAP"
    assert not page.conflict.isVisible()
    assert not page.take.isVisible()


def test_presets_and_files_of_keys(
    window: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page, target = keys_page(window), tmp_path / "keys.json"
    monkeypatch.setattr(dialogs, "ask_keys_file", lambda *a, **k: target)
    page.preset.setFocus()
    QTest.keyClicks(page.preset, "XMALab")
    assert window.settings.key_preset == "XMALab"
    assert window.table.keys["fit"] == ("C",)
    assert "F" in window.table.keys["next"]
    click(page.export)
    assert json.loads(target.read_text())["preset"] == "XMALab"
    click(page.reset_all)
    assert window.table.keys["fit"] == ("F",)
    click(page.load)
    assert window.table.keys["fit"] == ("C",)
    target.write_text("[]")
    said: list[str] = []
    window.error_said.connect(said.append)
    click(page.load)
    assert said == ["keys.json holds no keys of SIMSPINE Viewer."]


def test_the_search_of_keys(window: MainWindow) -> None:
    page = keys_page(window)
    QTest.keyClicks(page.search, "ctrl+shift+z")
    shown = [r for r in range(page.list.rowCount()) if not page.list.isRowHidden(r)]
    assert [window.table.commands[row].id for row in shown] == ["redo"]


# Preferences


def test_preferences_hold_at_once_and_defaults_come_back(window: MainWindow) -> None:
    dialog = preferences.show(window, "Editing")
    wait_until(dialog.isActiveWindow)
    page = dialog.pages["Editing"]
    page.threshold.selectAll()
    QTest.keyClicks(page.threshold, "12")
    QTest.keyClick(page.threshold, Qt.Key.Key_Return)
    assert window.settings.error_threshold == Settings.load().error_threshold == 12
    shown = window.grid.options.epipolar
    click_box = page.epipolar
    QTest.mouseClick(click_box, LEFT, pos=QPoint(8, click_box.height() // 2))
    assert window.grid.options.epipolar != shown
    page.author.selectAll()
    QTest.keyClicks(page.author, "Ada")
    QTest.keyClick(page.author, Qt.Key.Key_Return)
    assert window.document.project is not None
    assert window.document.project.author == "Ada"
    click(dialog.buttons.button(dialog.buttons.StandardButton.RestoreDefaults))
    assert window.settings.error_threshold == 30
    assert window.grid.options.epipolar
    assert page.threshold.value() == 30
    dialog.show_page("Appearance")
    page, size = dialog.pages["Appearance"], window.font().pointSizeF()
    page.text_size.setFocus()
    page.text_size.selectAll()
    QTest.keyClicks(page.text_size, "150")
    QTest.keyClick(page.text_size, Qt.Key.Key_Return)
    wait_until(lambda: window.font().pointSizeF() == pytest.approx(1.5 * size))
    before = window.grid.options.palette
    QTest.keyClick(page.palette_, Qt.Key.Key_Down)
    assert window.grid.options.palette != before
    QTest.keyClick(page.theme, Qt.Key.Key_L)
    assert window.theme.name == "light"
    click(dialog.buttons.button(dialog.buttons.StandardButton.RestoreDefaults))
    wait_until(lambda: window.font().pointSizeF() == pytest.approx(size))
    # Letters typed in quick succession are one word to a list.
    QTest.qWait(QApplication.keyboardInputInterval() + 50)
    QTest.keyClick(page.theme, Qt.Key.Key_D)
    assert window.theme.name == "dark"
    assert preferences.show(window) is dialog, "there is one such window"


# Long work


def test_long_work_that_ends_while_elsewhere(
    window: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    shown: list[Path] = []
    monkeypatch.setattr(desktop, "tell", lambda w, title, text: told.append(text))
    monkeypatch.setattr(desktop, "show_file", shown.append)
    monkeypatch.setattr(window.notifier, "long_s", 0.0)
    elsewhere = QWidget()
    elsewhere.show()
    elsewhere.activateWindow()
    wait_until(lambda: not window.isActiveWindow())
    file.export(window, dialogs.ExportChoice("trc", tmp_path / "out.trc"))
    wait_until(lambda: bool(window.toasts.shown))
    (toast,) = window.toasts.shown
    assert told == [toast.label.text()] == ["Export out.trc: done."]
    click(toast.buttons["Show File"])
    assert shown == [tmp_path / "out.trc"]
    assert window.toasts.shown == []
    (tmp_path / "bad.trc").mkdir()
    file.export(window, dialogs.ExportChoice("trc", tmp_path / "bad.trc"))
    wait_until(lambda: bool(window.toasts.shown))
    (toast,) = window.toasts.shown
    assert "bad.trc" in toast.label.text()
    (tmp_path / "bad.trc").rmdir()
    click(toast.buttons["Retry"])
    wait_until(lambda: (tmp_path / "bad.trc").is_file() and bool(window.toasts.shown))
    click(window.toasts.shown[0].buttons["Dismiss"])
    elsewhere.close()


def test_the_title_of_a_minimised_window_says_how_far_it_is(
    window: MainWindow, tmp_path: Path
) -> None:
    title = window.windowTitle()
    window.showMinimized()
    file.export(window, dialogs.ExportChoice("csv", tmp_path / "out.csv"))
    assert window.windowTitle() == f"0 % Export out.csv — {title}"
    wait_until(lambda: not window.jobs.running)
    assert window.windowTitle() == title
    window.showNormal()
    window.resize(1366, 768)


# Tour, help, diagnostics


def test_the_tour_points_at_what_it_speaks_of(window: MainWindow) -> None:
    window.settings.tour_seen = False
    window.table.actions["tour"].trigger()
    (tour,) = window.findChildren(Tour)
    for step in range(len(STEPS)):
        QTest.qWait(1)
        assert tour.step == step
        assert tour.target().isValid()
        assert window.rect().contains(tour.box.geometry())
        if STEPS[step].title not in ("The pictures",):
            assert not tour.box.geometry().intersects(tour.target())
        assert "{" not in tour.text.text()
        if step == 2:
            QTest.keyClick(tour, Qt.Key.Key_Left)
            assert tour.step == 1
            click(tour.next)
        QTest.keyClick(tour, Qt.Key.Key_Right)
    assert not tour.isVisible()
    assert window.time.frame == 0, "keys of the window wait"
    assert Settings.load().tour_seen


def test_f1_on_a_menu_entry_explains_it(window: MainWindow) -> None:
    menu = next(a.menu() for a in window.menuBar().actions() if a.text() == "&Points")
    menu.popup(window.mapToGlobal(QPoint(50, 50)))
    action = window.table.actions["next-keypoint"]
    menu.setActiveAction(action)
    before = set(QApplication.topLevelWidgets())
    QTest.keyClick(menu, Qt.Key.Key_F1)
    QTest.qWait(5)
    fresh = [w for w in set(QApplication.topLevelWidgets()) - before if w.isVisible()]
    assert fresh, "a bubble is shown"
    assert "Select the next keypoint." in action.whatsThis()
    assert "Down" in action.whatsThis()
    for widget in fresh:
        widget.close()
    menu.close()


def test_the_manual_is_shown_in_the_program(window: MainWindow) -> None:
    window.table.actions["manual"].trigger()
    (page,) = window.findChildren(QTextBrowser)
    assert "A recording is a folder with 2 to 8 synchronised videos" in page.toPlainText()
    back = next(b for b in page.window().findChildren(QPushButton) if b.text() == "Back")
    assert not back.isVisible()
    page.setSource(page.source().resolved("export-formats.md"))
    assert "TRC" in page.toPlainText()
    click(back)
    assert "A recording is a folder" in page.toPlainText()
    assert not back.isVisible()


def test_diagnostics_are_shown_then_copied(
    window: MainWindow, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert window.document.project is not None
    monkeypatch.setenv("HOME", str(window.document.project.path.parents[1]))
    window.table.actions["diagnostics"].trigger()
    (dialog,) = window.findChildren(DiagnosticsDialog)
    text = dialog.text.toPlainText()
    for part in ("SIMSPINE Viewer", "Qt 6", "vtk", "12 frames", "4 views", "3D drawn by"):
        assert part in text
    assert str(Path.home()) not in text
    assert QGuiApplication.clipboard().text() != text
    click(dialog.copy)
    assert QGuiApplication.clipboard().text() == text


# Starting


def _start(window: MainWindow, *arguments: str) -> None:
    """What the program does once its window is there."""
    program._Start(window, program._parser().parse_args(arguments)).begin()


def test_the_last_recording_is_opened_at_start(qapp: QApplication, tmp_path: Path) -> None:
    path = small_project(tmp_path)
    settings = Settings(start="last", tour_seen=True)
    settings.remember(path)
    settings.remember(tmp_path / "gone.simspine")
    with main_window() as window:
        _start(window)
        wait_until(lambda: window.document.is_open)
        assert window.document.project is not None
        assert window.document.project.path == path
        assert not window.findChildren(Tour)


def test_the_tour_comes_with_the_first_recording_only(qapp: QApplication, tmp_path: Path) -> None:
    path = small_project(tmp_path)
    with main_window() as window:
        _start(window, str(path))
        wait_until(lambda: bool(window.findChildren(Tour)))
        (tour,) = window.findChildren(Tour)
        QTest.keyClick(tour, Qt.Key.Key_Escape)
        assert Settings.load().tour_seen
        assert not tour.isVisible()
