"""Undo, redo and preferences of the person who works."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simspine_viewer import apply_settings, dialogs
from simspine_viewer.commands.command import Command, State, always

if TYPE_CHECKING:
    from simspine_viewer.main_window import MainWindow


def can_undo(state: State) -> bool:
    """There is a step to take back."""
    return state.is_open and state.can_undo


def can_redo(state: State) -> bool:
    """There is a step to do again."""
    return state.is_open and state.can_redo


def undo_label(window: MainWindow) -> str:
    """Undo, and what it would take back."""
    document = window.document
    if not document.is_open or not document.history.can_undo:
        return "Undo"
    return f"Undo {document.history.entries[document.history.position - 1].label}"


def redo_label(window: MainWindow) -> str:
    """Redo, and what it would do again."""
    document = window.document
    if not document.is_open or not document.history.can_redo:
        return "Redo"
    return f"Redo {document.history.entries[document.history.position].label}"


def ask_threshold(window: MainWindow) -> None:
    """Ask for the residual above which a point is suspicious."""
    value = dialogs.ask_number(
        window, "Error Threshold", "Residual above which a point is suspicious (px):",
        window.settings.error_threshold, (1.0, 500.0),
    )  # fmt: skip
    if value is not None:
        window.settings.error_threshold = value
        apply_settings.save_editing(window)


def ask_author(window: MainWindow) -> None:
    """Ask for the name that is written with each edit."""
    name = dialogs.ask_text(
        window, "Annotator Name", "Name written with your edits:", window.settings.author
    )
    if name:
        window.settings.author = name
        apply_settings.save_editing(window)


def show_preferences(window: MainWindow) -> None:
    """Show the preferences beside the window."""
    from simspine_viewer import preferences  # not at start

    preferences.show(window)


def show_palette(window: MainWindow) -> None:
    """Find a command, keypoint or frame by typing."""
    window.command_palette.ask()


COMMANDS: tuple[Command, ...] = (
    Command("undo", "Edit", "Undo", "Take the last step back and go there.",
            lambda w: w.document.undo(), ("Ctrl+Z",), can_undo, tool="Undo", label=undo_label),
    Command("redo", "Edit", "Redo", "Do the step again and go there.",
            lambda w: w.document.redo(), ("Ctrl+Shift+Z", "Ctrl+Y"), can_redo,
            tool="Redo", label=redo_label),
    Command("palette", "Edit", "Find a Command…", "Find a command, keypoint or frame by typing.",
            show_palette, ("Ctrl+Shift+P", "Ctrl+K"), always, after_separator=True),
    Command("threshold", "Edit", "Error Threshold…", "Residual above which a point is suspicious.",
            ask_threshold, (), always, after_separator=True),
    Command("author", "Edit", "Annotator Name…", "The name written with each of your edits.",
            ask_author, (), always),
    Command("preferences", "Edit", "Preferences…", "Appearance, editing, video, keys.",
            show_preferences, ("Ctrl+,",), always),
)  # fmt: skip
