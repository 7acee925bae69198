"""Walks through everything the window can show and collects text that does not fit.

Usage, for another scale factor, in a process of its own:
``python -m tests.viewer.survey WIDTH HEIGHT THEME RECORDING``; prints one problem per line, last
the number of texts that were looked at.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QMenu, QWidget

from pipeline.data import edits
from pipeline.data.history import Place
from pipeline.io.recording import recognise
from simspine_viewer import dialogs, help_pages
from simspine_viewer.commands import file, view
from simspine_viewer.main_window import MainWindow
from simspine_viewer.plan_dialog import PlanDialog
from tests.viewer.text_fit import count_texts, menu_problems, misfits
from tests.viewer.window import main_window, open_and_settle, settle


class Survey:
    """What was found, each with the place it was found in."""

    def __init__(self, window: MainWindow) -> None:
        self.window = window
        self.problems: list[str] = []
        self.looked_at = 0

    def look(self, place: str, widget: QWidget) -> None:
        QTest.qWait(20)
        self.problems += [f"{place}: {text}" for text in misfits(widget)]
        self.looked_at += count_texts(widget)

    def menus(self, place: str) -> None:
        entries = {a.text(): a.menu() for a in self.window.menuBar().actions()}
        for title, menu in entries.items():
            assert isinstance(menu, QMenu)
            menu.popup(self.window.rect().topLeft())
            QTest.qWait(5)
            self.problems += [f"{place}, menu {title}: {text}" for text in menu_problems(menu)]
            if menu.height() > self.window.height():
                self.problems.append(f"{place}, menu {title} is {menu.height()} high")
            menu.close()

    def dialogs(self, recording: Path) -> None:
        window = self.window
        plan = recognise(recording)
        for name, dialog in (
            ("open dialog", PlanDialog(plan, window.theme, window)),
            ("no calibration", PlanDialog(replace(plan, calibration=None), window.theme, window)),
            ("export", dialogs.ExportDialog(recording / "balancing.simspine", window)),
        ):
            dialog.show()
            self.look(name, dialog)
            dialog.close()
        for show in (help_pages.show_shortcuts, help_pages.show_keypoints, help_pages.show_about):
            show(window)
            (page,) = [d for d in window.findChildren(QDialog) if d.isVisible()]
            self.look(page.windowTitle(), page)
            page.close()
            QTest.qWait(5)
        window.say_error(f"{recording / 'balancing.simspine'} could not be read: no such file.")
        (box,) = [d for d in window.findChildren(QDialog) if d.isVisible()]
        self.look("message", box)
        box.close()

    def panels(self, place: str) -> None:
        for name in self.window.docks:
            if name != "timeline":
                self.window.show_panel(name)
                self.look(f"{place}, {name}", self.window)
        self.window.show_panel("inspector")


def survey(size: tuple[int, int], theme: str, recording: Path) -> Survey:
    """The empty window, one that is busy, every panel and dialog, and the recording at work."""
    with main_window(size) as window:
        found = Survey(window)
        view.set_theme(window, theme)
        found.panels("empty")
        window.settings.remember(recording / "a folder with a long name" / "balancing.simspine")
        (recording / "a folder with a long name").mkdir()
        (recording / "a folder with a long name" / "balancing.simspine").touch()
        window.welcome.reload()
        window.welcome.set_busy("Making the demo recording. This happens once.")
        found.look("busy", window)
        found.dialogs(recording)
        open_and_settle(window, recording)
        found.menus("open")
        document, n_frames = window.document, window.time.n_frames
        for keypoint in range(0, document.sequence.n_keypoints, 6):
            window.selection.set(keypoint=keypoint, view=keypoint % document.sequence.n_views)
            window.time.set_frame(keypoint * (n_frames - 1) // document.sequence.n_keypoints)
            found.look(f"keypoint {keypoint}", window)
        patches = edits.place_point(document.sequence, document.person, 40, 1, 18, (500.0, 500.0))
        document.commit("Move Neck in cam_02", patches, Place(40, 1, 18, document.person))
        flags = edits.toggle_flag(document.sequence, document.person, 40, [1], 18, 1)
        document.commit("Mark Neck occluded in cam_02", flags, Place(40, 1, 18, document.person))
        document.undo()
        document.redo()
        settle(window)
        found.menus("edited")
        found.panels("edited")
        file.export(window, dialogs.ExportChoice("trc", recording / "out of this.trc"))
        settle(window)
        found.panels("exported")
        window.editor.set_placing(True)
        window.grid.enlarge(1)
        found.look("one pane large", window)
        return found


def main() -> None:
    QApplication([])
    width, height, theme, recording = sys.argv[1:]
    found = survey((int(width), int(height)), theme, Path(recording))
    print("\n".join([*found.problems, str(found.looked_at)]))


if __name__ == "__main__":
    main()
