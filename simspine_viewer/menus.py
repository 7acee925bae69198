"""Menus and tool bar, made from the table of commands."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDockWidget, QMainWindow, QMenu, QToolBar

from simspine_viewer.actions import ActionTable
from simspine_viewer.commands.table import COMMANDS, MENUS
from simspine_viewer.settings import Settings

# Where the first letter is taken or another is the custom.
MNEMONICS = {"People": "Pe&ople"}


def add_commands(menu: QMenu, table: ActionTable, name: str) -> None:
    """Put the commands of one menu of the table into ``menu``."""
    for command in COMMANDS:
        if command.menu == name:
            if command.after_separator:
                menu.addSeparator()
            menu.addAction(table.actions[command.id])


def build_menus(
    window: QMainWindow,
    table: ActionTable,
    docks: Iterable[QDockWidget],
    settings: Settings,
    open_path: Callable[[Path], None],
) -> None:
    """Fill the menu bar of a window."""
    menus = {}
    for name in MENUS:
        menu = menus[name] = window.menuBar().addMenu(MNEMONICS.get(name, f"&{name}"))
        add_commands(menu, table, name)
        menu.aboutToShow.connect(table.refresh)
    recent = QMenu("Open Recent", window)
    recent.aboutToShow.connect(lambda: _fill_recent(recent, settings, open_path))
    menus["File"].insertMenu(table.actions["save"], recent)
    panels = menus["View"].addMenu("Panels")
    for dock in docks:
        panels.addAction(dock.toggleViewAction())


def _fill_recent(menu: QMenu, settings: Settings, open_path: Callable[[Path], None]) -> None:
    menu.clear()
    for entry in settings.recent:
        action = menu.addAction(entry.replace("&", "&&"))
        action.setEnabled(Path(entry).exists())
        action.triggered.connect(lambda _=False, path=Path(entry): open_path(path))
    if not settings.recent:
        menu.addAction("Nothing opened yet").setEnabled(False)


def build_toolbar(table: ActionTable) -> QToolBar:
    """A tool bar of the commands that have a word for it."""
    toolbar = QToolBar("Tools")
    toolbar.setObjectName("tools")
    toolbar.setMovable(False)
    toolbar.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
    previous = ""
    for command in COMMANDS:
        if command.tool:
            if previous and command.menu != previous:
                toolbar.addSeparator()
            previous = command.menu
            action = table.actions[command.id]
            action.setIconText(command.tool)
            toolbar.addAction(action)
    return toolbar
