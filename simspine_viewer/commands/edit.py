"""Undo, redo and preferences of the person who works."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simspine_viewer import dialogs
from simspine_viewer.commands.command import Command, State, always

if TYPE_CHECKING:
    from simspine_viewer.main_window import MainWindow


def can_undo(state: State) -> bool:
    """There is a step to take back."""
    return state.is_open and state.can_undo


def can_redo(state: State) -> bool:
    """There is a step to do again."""
    return state.is_open and state.can_redo


def ask_threshold(window: MainWindow) -> None:
    """Ask for the residual above which a point is suspicious."""
    value = dialogs.ask_number(
        window, "Error Threshold", "Residual above which a point is suspicious (px):",
        window.settings.error_threshold, (1.0, 500.0),
    )  # fmt: skip
    if value is not None:
        window.settings.error_threshold = value
        window.settings.save()
        window.timeline.update()
        window.inspector.refresh()


def ask_author(window: MainWindow) -> None:
    """Ask for the name that is written with each edit."""
    name = dialogs.ask_text(
        window, "Annotator Name", "Name written with your edits:", window.settings.author
    )
    if name:
        window.settings.author = name
        window.settings.save()
        if window.document.project is not None:
            window.document.project.author = name


COMMANDS: tuple[Command, ...] = (
    Command("undo", "Edit", "Undo", "Take the last step back and go there.",
            lambda w: w.document.undo(), ("Ctrl+Z",), can_undo, tool="Undo"),
    Command("redo", "Edit", "Redo", "Do the step again and go there.",
            lambda w: w.document.redo(), ("Ctrl+Shift+Z", "Ctrl+Y"), can_redo,
            tool="Redo"),
    Command("threshold", "Edit", "Error Threshold…", "Residual above which a point is suspicious.",
            ask_threshold, (), always, after_separator=True),
    Command("author", "Edit", "Annotator Name…", "The name written with each of your edits.",
            ask_author, (), always),
)  # fmt: skip
