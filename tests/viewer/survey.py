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
from simspine_viewer import dialogs, help_pages, preferences
from simspine_viewer.commands import file, view
from simspine_viewer.diagnostics_dialog import show_diagnostics
from simspine_viewer.keys_page import KeysPage
from simspine_viewer.layout_dialog import LayoutDialog
from simspine_viewer.layouts import BUILT_IN
from simspine_viewer.main_window import MainWindow
from simspine_viewer.pane_layout import Arrangement
from simspine_viewer.plan_dialog import PlanDialog
from simspine_viewer.toasts import Act
from simspine_viewer.tour import STEPS, Tour
from simspine_viewer.training_set_dialog import Annotated, TrainingSetDialog
from simspine_viewer.tuning_dialog import TuningDialog
from simspine_viewer.window_docks import HIDDEN
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
        for bar_menu in list(entries.values()):
            entries |= {a.text(): a.menu() for a in bar_menu.actions() if a.menu()}
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
        pages = (
            help_pages.show_manual, help_pages.show_shortcuts, help_pages.show_words,
            help_pages.show_keypoints, help_pages.show_about, show_diagnostics,
            lambda window: LayoutDialog(window).open(),
        )  # fmt: skip
        for show in pages:
            show(window)
            (page,) = [d for d in window.findChildren(QDialog) if d.isVisible()]
            self.look(page.windowTitle(), page)
            page.close()
            QTest.qWait(5)
        window.say_error(f"{recording / 'balancing.simspine'} could not be read: no such file.")
        (box,) = [d for d in window.findChildren(QDialog) if d.isVisible()]
        self.look("message", box)
        box.close()

    def preferences(self) -> None:
        dialog = preferences.show(self.window)
        for title, page in dialog.pages.items():
            dialog.show_page(title)
            self.look(f"preferences, {title}", dialog)
            if isinstance(page, KeysPage):
                page.select("next")
                page.record.recorded.emit("R")
                self.look("preferences, a key that another has", dialog)
        dialog.close()

    def aids(self) -> None:
        """What lies over the window: palette, messages, the tour; and the layouts."""
        window = self.window
        for typed in ("", "frame", "12", "qqqqq"):
            window.command_palette.ask()
            window.command_palette.search.setText(typed)
            self.look(f"palette “{typed}”", window)
            window.command_palette.leave()
        long = "SIMSPINE Viewer ended unexpectedly the last time. Everything up to "
        acts = [Act(text, lambda: None) for text in ("Reopen Project", "Show Report")]
        toast = window.toasts.show(f"{long}2026-11-22 17:02:31 is saved in b.simspine.", *acts)
        self.look("message in the corner", toast)
        toast.go()
        tour = Tour(window)
        for step in range(len(STEPS)):
            tour.go(step)
            self.look(f"tour, step {step}", tour)
        tour.end()
        for layout in BUILT_IN:
            window.layouts.apply(layout)
            settle(window)
            self.look(f"layout {layout.name}", window)
        window.layouts.apply(BUILT_IN[0])
        window.layouts.set_panes(Arrangement.ROW)
        self.look("panes in a row", window)
        window.layouts.apply(BUILT_IN[0])

    def panels(self, place: str) -> None:
        for name in self.window.docks:
            if name != "timeline":
                self.window.show_panel(name)
                self.look(f"{place}, {name}", self.window)
                if name in HIDDEN:
                    self.window.docks[name].hide()
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
        asked = TrainingSetDialog(recording, document.sequence, Annotated(0, (0, 2)), window)
        asked.show()
        asked.path.setText(str(recording))
        found.look("training set", asked)
        asked.close()
        tuning = TuningDialog(document, window.models, window.tuning, window)
        tuning.show()
        found.look("fine-tuning", tuning)
        tuning.close()
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
        found.preferences()
        found.aids()
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
