"""The page of the preferences on which keys are changed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from simspine_viewer import apply_settings, dialogs, keymap
from simspine_viewer.preferences_pages import Page

if TYPE_CHECKING:
    from simspine_viewer.main_window import MainWindow

_MODIFIERS = (Qt.Key.Key_Control, Qt.Key.Key_Shift, Qt.Key.Key_Alt, Qt.Key.Key_Meta,
              Qt.Key.Key_AltGr, Qt.Key.Key_unknown)  # fmt: skip


class KeyRecorder(QPushButton):
    """Takes the next key that is pressed, with its modifiers; Escape takes none."""

    recorded = Signal(str)

    def __init__(self) -> None:
        super().__init__("Record Key")
        self.setCheckable(True)
        self.setAutoDefault(False)
        self.setToolTip("Press this, then the new key. Escape leaves the key as it is.")
        self.toggled.connect(self._show)
        self.installEventFilter(self)

    def _show(self, on: bool) -> None:
        self.setText("Press a Key…" if on else "Record Key")

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if not self.isChecked():
            return False
        if event.type() == QEvent.Type.FocusOut:
            self.setChecked(False)
        elif event.type() == QEvent.Type.ShortcutOverride:
            event.accept()
            return True
        elif event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            self._take(event)
            return True
        return event.type() == QEvent.Type.KeyRelease

    def _take(self, event: QKeyEvent) -> None:
        if event.key() in _MODIFIERS:
            return
        self.setChecked(False)
        if event.key() != Qt.Key.Key_Escape:
            key = QKeySequence(event.keyCombination())
            self.recorded.emit(key.toString(QKeySequence.SequenceFormat.PortableText))

    def focusNextPrevChild(self, next: bool) -> bool:
        return False if self.isChecked() else super().focusNextPrevChild(next)


class KeysPage(Page):
    """Every command with its keys, a search, a recorder, presets, and files of keys."""

    title = "Keys"
    fields = ("key_preset", "own_keys")

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        QWidget().setLayout(self.form)  # this page is no form
        self._build_list()
        self._build_buttons()
        self._lay_out()
        self._wanted = ""
        self._fill()
        self._forget_conflict()
        window.table.keys_changed.connect(self._fill)

    def _build_list(self) -> None:
        self.preset = QComboBox()
        self.preset.addItems(list(keymap.PRESETS))
        self.preset.setToolTip("Keys as in another program; your own changes stay on top.")
        self.preset.setAccessibleName("Preset of keys")
        self.preset.textActivated.connect(self._choose_preset)
        self.search = QLineEdit()
        self.search.setPlaceholderText("Search by name or key")
        self.search.setAccessibleName("Search commands by name or key")
        self.search.textChanged.connect(lambda _: self._filter())
        self.list = QTableWidget(0, 2)
        self.list.setHorizontalHeaderLabels(["Command", "Keys"])
        self.list.setAccessibleName("Commands and keys")
        self.list.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.list.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.list.setTabKeyNavigation(False)
        self.list.verticalHeader().hide()
        header = self.list.horizontalHeader()
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        self.list.currentCellChanged.connect(lambda *_: self._forget_conflict())

    def _build_buttons(self) -> None:
        window = self.window_
        self.record = KeyRecorder()
        self.record.recorded.connect(self._recorded)
        self.clear, self.reset, self.reset_all, self.export, self.load = (
            QPushButton(text) for text in ("No Key", "Reset", "Reset All", "Export…", "Import…")
        )
        self.clear.clicked.connect(lambda: self._give(()))
        self.reset.clicked.connect(self._reset)
        self.reset_all.clicked.connect(self.restore_defaults)
        self.export.clicked.connect(lambda: window.guarded(self._export))
        self.load.clicked.connect(lambda: window.guarded(self._import))
        self.conflict = QLabel()
        self.conflict.setWordWrap(True)
        self.conflict.setProperty("role", "warning")
        self.take = QPushButton("Take It")
        self.take.clicked.connect(self._take)

    def _lay_out(self) -> None:
        top, middle, bottom = QHBoxLayout(), QHBoxLayout(), QHBoxLayout()
        top.addWidget(QLabel("Keys as in"))
        top.addWidget(self.preset)
        top.addWidget(self.search, 1)
        middle.addWidget(self.conflict, 1)
        middle.addWidget(self.take)
        buttons = (self.record, self.clear, self.reset, self.reset_all, self.export, self.load)
        for button in (*buttons, self.take):
            button.setAutoDefault(False)
        for button in buttons:
            bottom.addWidget(button)
        bottom.addStretch(1)
        box = QVBoxLayout(self)
        box.addLayout(top)
        box.addWidget(self.list, 1)
        box.addLayout(middle)
        box.addLayout(bottom)

    # The list

    def _fill(self) -> None:
        table, row = self.window_.table, self.list.currentRow()
        self.list.setRowCount(len(table.commands))
        for at, command in enumerate(table.commands):
            where = f"{command.menu} ▸ {command.group}" if command.group else command.menu
            name = QTableWidgetItem(f"{where} ▸ {command.text}")
            name.setToolTip(command.help)
            self.list.setItem(at, 0, name)
            self.list.setItem(at, 1, QTableWidgetItem(table.key_text(command)))
        self.list.setCurrentCell(max(row, 0), 0)
        self.preset.setCurrentText(self.settings.key_preset)
        self._filter()

    def _filter(self) -> None:
        wanted = self.search.text().casefold()
        for row in range(self.list.rowCount()):
            index = self.list.model().index
            texts = [str(index(row, column).data()).casefold() for column in (0, 1)]
            self.list.setRowHidden(row, not any(wanted in text for text in texts))

    def reload(self) -> None:
        self._fill()
        self._forget_conflict()

    def apply(self) -> None:
        apply_settings.save_keys(self.window_)

    def select(self, command_id: str) -> None:
        """Bring the row of a command into view."""
        ids = [command.id for command in self.window_.table.commands]
        self.list.setCurrentCell(ids.index(command_id), 0)

    def _id(self) -> str:
        return self.window_.table.commands[self.list.currentRow()].id

    def _text(self, command_id: str) -> str:
        return next(c.text for c in self.window_.table.commands if c.id == command_id)

    # Changing keys

    def _choose_preset(self, name: str) -> None:
        self.set("key_preset", name)
        self._forget_conflict()  # the asked key may belong to another command now

    def _recorded(self, key: str) -> None:
        other = keymap.holder(self.window_.table.keys, key, self._id())
        if not other:
            self._give((key,))
            return
        self._wanted = key
        self.conflict.setText(
            f"{keymap.native(key)} is the key of “{self._text(other)}”. "
            f"Take it for “{self._text(self._id())}”?"
        )
        self.conflict.setVisible(True)
        self.take.setVisible(True)
        self.take.setFocus()

    def _take(self) -> None:
        self._give((self._wanted,))

    def _forget_conflict(self) -> None:
        self._wanted = ""
        self.conflict.setVisible(False)
        self.take.setVisible(False)

    def _give(self, keys: tuple[str, ...]) -> None:
        """These keys for the command of the current row; others that had them lose them."""
        own, name = keymap.from_text(self.settings.own_keys), self._id()
        for key in keys:
            other = keymap.holder(self.window_.table.keys, key, name)
            if other:
                had = self.window_.table.keys[other]
                own[other] = tuple(one for one in had if one != key)
        own[name] = keys
        self.set("own_keys", keymap.to_text(own))
        self._forget_conflict()

    def _reset(self) -> None:
        own = keymap.from_text(self.settings.own_keys)
        own.pop(self._id(), None)
        self.set("own_keys", keymap.to_text(own))

    # Files

    def _export(self) -> None:
        path = dialogs.ask_keys_file(self, save=True)
        if path is not None:
            own = keymap.from_text(self.settings.own_keys)
            keymap.write_keys(path, self.settings.key_preset, own)
            self.window_.say(f"Keys are written to {path.name}.")

    def _import(self) -> None:
        path = dialogs.ask_keys_file(self, save=False)
        if path is not None:
            self.import_file(path)

    def import_file(self, path: Path) -> None:
        """Take preset and changes from a file; UserError where it is none."""
        self.settings.key_preset, own = keymap.read_keys(path)
        self.settings.own_keys = keymap.to_text(own)
        self.apply()
