"""What helps to use the program."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QWhatsThis

from simspine_viewer import help_pages
from simspine_viewer.commands.command import Command, always, is_open

if TYPE_CHECKING:
    from simspine_viewer.main_window import MainWindow


def start_tour(window: MainWindow) -> None:
    """Point at the parts of the window, one after the other."""
    from simspine_viewer.tour import Tour  # not at start

    Tour(window)


def show_diagnostics(window: MainWindow) -> None:
    """What a report of a problem needs, to look at and copy."""
    from simspine_viewer import diagnostics_dialog  # not at start

    diagnostics_dialog.show_diagnostics(window)


def whats_this(window: MainWindow) -> None:
    """The next click explains what it hits."""
    QWhatsThis.enterWhatsThisMode()
    window.say("Click a button or an entry to have it explained; Escape ends this.")


COMMANDS: tuple[Command, ...] = (
    Command("manual", "Help", "Manual", "How everything is done.",
            help_pages.show_manual, (), always),
    Command("shortcuts", "Help", "Keys and Commands", "All commands with their keys.",
            help_pages.show_shortcuts, ("F1", "?"), always),
    Command("whats-this", "Help", "What Is This?",
            "Click anything to have it explained; F1 does so on a menu entry.",
            whats_this, ("Shift+F1",), always),
    Command("tour", "Help", "Tour", "A walk through the parts of the window.",
            start_tour, (), is_open),
    Command("words", "Help", "Words", "What residual, RMS, median, track and others mean.",
            help_pages.show_words, (), always, after_separator=True),
    Command("keypoints", "Help", "Keypoint Definitions", "What each keypoint means anatomically.",
            help_pages.show_keypoints, (), always),
    Command("diagnostics", "Help", "Copy Diagnostics…",
            "What a report of a problem needs, shown before it is copied.",
            show_diagnostics, (), always, after_separator=True),
    Command("licences", "Help", "Licences", "The licences of everything the program is made of.",
            help_pages.show_licences, (), always),
    Command("about", "Help", "About SIMSPINE Viewer", "Version and licence.",
            help_pages.show_about, (), always),
)  # fmt: skip
