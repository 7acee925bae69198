"""The table of commands as ``QAction`` objects, kept in step with the program's state."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QAction, QKeySequence

from simspine_viewer import keymap
from simspine_viewer.commands.command import Command, reason, state_of
from simspine_viewer.commands.table import COMMANDS

if TYPE_CHECKING:
    from simspine_viewer.main_window import MainWindow


class ActionTable(QObject):
    """One ``QAction`` per command, by its id.

    Signals
    -------
    keys_changed : other keys hold now.
    """

    keys_changed = Signal()

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self.commands = COMMANDS
        self.actions: dict[str, QAction] = {}
        self.keys: dict[str, tuple[str, ...]] = {}
        for command in self.commands:
            action = QAction(command.text, window)
            action.setObjectName(command.id)
            action.setShortcutContext(Qt.ShortcutContext.WindowShortcut)
            action.setStatusTip(command.help)
            action.setCheckable(command.checked is not None)
            action.setAutoRepeat(command.checked is None)  # a held key would flicker
            action.triggered.connect(lambda _=False, c=command: self.run(c))
            self.actions[command.id] = action
        self.set_keys()

    def run(self, command: Command) -> None:
        """Do what a command does; a failing that the user can understand is said."""
        self._window.guarded(lambda: command.run(self._window))
        self.refresh()

    def set_keys(self) -> None:
        """Take the keys from the settings: preset and the user's changes."""
        settings = self._window.settings
        own = keymap.from_text(settings.own_keys)
        self.keys = keymap.bindings(self.commands, settings.key_preset, own)
        for command in self.commands:
            action, keys = self.actions[command.id], self.keys[command.id]
            action.setShortcuts([QKeySequence(key) for key in keys])
            shown = self.key_text(command)
            action.setToolTip(
                f"{command.help} ({keymap.native(keys[0])})" if keys else command.help
            )
            action.setWhatsThis(
                f"<p><b>{escape(command.text)}</b></p><p>{escape(command.help)}</p>"
                f"<p>{'Key: ' + escape(shown) if shown else 'It has no key.'}</p>"
            )
        self.keys_changed.emit()

    def key_text(self, command: Command) -> str:
        """The keys of a command as this platform writes them, with commas between."""
        return ", ".join(keymap.native(key) for key in self.keys[command.id])

    def with_keys(self, text: str) -> str:
        """A text with the first key of a command where it says ``{key:id of the command}``.

        A command without a key is named instead.
        """
        for command in self.commands:
            mark = f"{{key:{command.id}}}"
            if mark in text:
                keys = self.keys[command.id]
                shown = keymap.native(keys[0]) if keys else f"“{command.text}” in the menus"
                text = text.replace(mark, shown)
        return text

    def text_of(self, command: Command) -> str:
        """What a command is called now."""
        label = command.label(self._window) if command.label else ""
        return label or command.text

    def reason(self, command: Command) -> str:
        """Why a command cannot be used now; empty where it can."""
        return reason(command, state_of(self._window))

    def refresh(self) -> None:
        """Enable, disable, name and check the actions for the state as it is now."""
        state = state_of(self._window)
        for command in self.commands:
            action = self.actions[command.id]
            enabled = command.when(state)
            action.setEnabled(enabled)
            if command.checked is not None:  # what has no effect now does not look active
                action.setChecked(enabled and command.checked(self._window))
            if command.label is not None:
                text = command.label(self._window)
                action.setVisible(bool(text))
                action.setText((text or command.text).replace("&", "&&"))
