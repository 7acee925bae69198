"""Menus and tool bar, made from the table of commands."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QDockWidget, QMainWindow, QMenu, QToolBar, QWhatsThis

from simspine_viewer.actions import ActionTable
from simspine_viewer.commands.table import COMMANDS, MENUS
from simspine_viewer.settings import Settings

# Where the first letter is taken or another is the custom.
MNEMONICS = {"People": "Pe&ople"}


def add_commands(menu: QMenu, table: ActionTable, name: str) -> None:
    """Put the commands of one menu of the table into ``menu``, those of a group into a submenu."""
    groups: dict[str, QMenu] = {}
    helper = _HelpOnKey(menu)
    for command in COMMANDS:
        if command.menu == name:
            target = groups.get(command.group, menu)
            if command.after_separator:
                target.addSeparator()  # before a new submenu, where this is its first command
            if command.group and command.group not in groups:
                target = groups[command.group] = menu.addMenu(command.group)
                target.aboutToShow.connect(table.refresh)
                target.installEventFilter(helper)
            target.addAction(table.actions[command.id])
    menu.installEventFilter(helper)


class _HelpOnKey(QObject):
    """F1 on a menu entry says what it does and what its key is."""

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if (
            event.type() == QEvent.Type.KeyPress
            and isinstance(event, QKeyEvent)
            and event.key() in (Qt.Key.Key_F1, Qt.Key.Key_Help)
            and isinstance(watched, QMenu)
        ):
            action = watched.activeAction()
            if action is not None and action.whatsThis():
                at = watched.actionGeometry(action).topRight()
                QWhatsThis.showText(watched.mapToGlobal(at), action.whatsThis(), watched)
            return True
        return super().eventFilter(watched, event)


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
