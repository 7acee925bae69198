"""What the pictures show and how the window looks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simspine_viewer.commands import aids
from simspine_viewer.commands.command import Command, always, is_open, several_views
from simspine_viewer.theme import apply_theme, theme_for

if TYPE_CHECKING:
    from simspine_viewer.main_window import MainWindow


def zoom(window: MainWindow, factor: float) -> None:
    """Zoom the active view."""
    window.grid.panes[window.selection.view].zoom(factor)


def toggle_epipolar(window: MainWindow) -> None:
    """Show or hide the epipolar curves."""
    window.settings.show_epipolar = not window.settings.show_epipolar
    window.settings.save()
    aids.apply_settings(window)


def toggle_names(window: MainWindow) -> None:
    """Show or hide the keypoints' names."""
    window.settings.show_names = not window.settings.show_names
    window.settings.save()
    aids.apply_settings(window)


def toggle_overlay(window: MainWindow) -> None:
    """Show the bare pictures, or the points again."""
    window.grid.set_overlay_visible(not window.grid.options.visible)


def set_theme(window: MainWindow, choice: str) -> None:
    """Change the appearance and remember it."""
    window.settings.theme = choice
    window.settings.save()
    theme = theme_for(choice, window.app)
    apply_theme(theme, window.app)
    window.set_theme(theme)


COMMANDS: tuple[Command, ...] = (
    Command("fit", "View", "Fit Pictures", "Show the whole picture in every pane.",
            lambda w: w.grid.fit_all(), ("F",), group="Zoom"),
    Command("zoom-in", "View", "Zoom In", "A closer look at the active view.",
            lambda w: zoom(w, 1.25), ("+", "="), group="Zoom"),
    Command("zoom-out", "View", "Zoom Out", "More of the active view.",
            lambda w: zoom(w, 0.8), ("-",), group="Zoom"),
    Command("enlarge", "View", "Enlarge View", "One pane large, or all again.",
            lambda w: w.grid.enlarge(w.selection.view), ("Return",), several_views,
            group="Zoom"),
    Command("epipolar", "View", "Epipolar Curves", "Where the selected point can be in each view.",
            toggle_epipolar, ("E",), is_open, lambda w: w.settings.show_epipolar,
            tool="Epipolar", group="Overlay", after_separator=True),
    Command("overlay", "View", "Hide Overlay", "Show the bare pictures.",
            toggle_overlay, ("H",), is_open, lambda w: not w.grid.options.visible,
            group="Overlay"),
    Command("names", "View", "Keypoint Names", "Write its name at every point.",
            toggle_names, ("K",), is_open, lambda w: w.settings.show_names, group="Overlay"),
    *aids.COMMANDS,
    Command("light", "View", "Light", "Light appearance.", lambda w: set_theme(w, "light"),
            (), always, lambda w: w.settings.theme == "light", group="Appearance",
            after_separator=True),
    Command("dark", "View", "Dark", "Dark appearance.", lambda w: set_theme(w, "dark"),
            (), always, lambda w: w.settings.theme == "dark", group="Appearance"),
    Command("system", "View", "As the System", "Follow the desktop's appearance.",
            lambda w: set_theme(w, "system"), (), always, lambda w: w.settings.theme == "system",
            group="Appearance"),
)  # fmt: skip
