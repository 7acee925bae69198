"""The table of commands as ``QAction`` objects, kept in step with the program's state."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QAction, QKeySequence

from simspine_viewer.commands.command import Command, state_of
from simspine_viewer.commands.table import COMMANDS

if TYPE_CHECKING:
    from simspine_viewer.main_window import MainWindow


class ActionTable(QObject):
    """One ``QAction`` per command, by its id."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self.commands = COMMANDS
        self.actions: dict[str, QAction] = {}
        for command in self.commands:
            action = QAction(command.text, window)
            action.setObjectName(command.id)
            action.setShortcuts([QKeySequence(key) for key in command.keys])
            action.setShortcutContext(Qt.ShortcutContext.WindowShortcut)
            action.setStatusTip(command.help)
            action.setToolTip(_tip(command))
            action.setCheckable(command.checked is not None)
            action.triggered.connect(lambda _=False, c=command: self._run(c))
            self.actions[command.id] = action

    def _run(self, command: Command) -> None:
        self._window.guarded(lambda: command.run(self._window))
        self.refresh()

    def refresh(self) -> None:
        """Enable, disable and check the actions for the state as it is now."""
        state = state_of(self._window)
        for command in self.commands:
            action = self.actions[command.id]
            action.setEnabled(command.when(state))
            if command.checked is not None:
                action.setChecked(command.checked(self._window))
        for kind in ("undo", "redo"):
            label = self._step_label(kind)
            self.actions[kind].setText(f"{kind.title()} {label}" if label else kind.title())

    def _step_label(self, kind: str) -> str:
        """What undo or redo would do next, for its menu entry."""
        document = self._window.document
        if not document.is_open:
            return ""
        history = document.history
        if kind == "undo":
            return history.entries[history.position - 1].label if history.can_undo else ""
        return history.entries[history.position].label if history.can_redo else ""


def _tip(command: Command) -> str:
    if not command.keys:
        return command.help
    keys = QKeySequence(command.keys[0]).toString(QKeySequence.SequenceFormat.NativeText)
    return f"{command.help} ({keys})"
