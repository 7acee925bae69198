"""Hands changed preferences to everything that depends on them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simspine_viewer.commands import aids
from simspine_viewer.theme import apply_theme, set_text_size, theme_for

if TYPE_CHECKING:
    from simspine_viewer.main_window import MainWindow


def save_editing(window: MainWindow) -> None:
    """Keep the preferences; threshold, author and what is drawn hold from now on."""
    window.settings.save()
    aids.apply_settings(window)
    window.timeline.update()
    window.inspector.refresh()
    if window.document.project is not None:
        window.document.project.author = window.settings.author
    window.table.refresh()


def save_appearance(window: MainWindow) -> None:
    """Keep the preferences; theme, colours and text size hold from now on."""
    window.settings.save()
    theme = theme_for(window.settings.theme, window.app)
    apply_theme(theme, window.app)
    set_text_size(window.settings.text_size, window.app)
    window.set_theme(theme)
    aids.apply_settings(window)


def save_keys(window: MainWindow) -> None:
    """Keep the preferences; the keys hold from now on, in menus, tooltips and help."""
    window.settings.save()
    window.table.set_keys()
