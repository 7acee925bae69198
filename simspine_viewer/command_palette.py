"""The command palette: type a few letters, get commands, keypoints and frames."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QColor, QKeyEvent, QPalette
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHeaderView,
    QLabel,
    QLineEdit,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
)

from pipeline.data.errors import UserError
from simspine_viewer import fuzzy
from simspine_viewer.commands.command import reason, state_of
from simspine_viewer.dialogs import parse_frame

if TYPE_CHECKING:
    from simspine_viewer.main_window import MainWindow

WIDTH = 720
ROWS = 12  # as many as are seen at once
MOST = 60  # as many as are listed
SKIPPED = ("palette",)  # what makes no sense to look up here


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that can be chosen; ``missing`` says why it cannot be at this moment."""

    title: str
    kind: str
    help: str
    run: Callable[[], None]
    keys: str = ""
    missing: str = ""


def entries(window: MainWindow, typed: str) -> list[Entry]:
    """What matches some letters, the best first; what cannot be done now comes after the rest."""
    frame = _frame_entry(window, typed)
    ranked = []
    for entry in (*_commands(window), *_keypoints(window)):
        found = fuzzy.score(typed, entry.title)
        if found is None and _names(entry, typed):
            found = 0.0
        if found is not None:
            ranked.append((bool(entry.missing), -found, entry))
    ranked.sort(key=lambda item: item[:2])
    return [*frame, *(entry for _, _, entry in ranked)][:MOST]


def _names(entry: Entry, typed: str) -> bool:
    """Whether all words that were typed occur, the menu's name among them."""
    text = f"{entry.kind} {entry.title}".casefold()
    return all(word in text for word in typed.casefold().split())


def _commands(window: MainWindow) -> list[Entry]:
    table, state = window.table, state_of(window)
    found = []
    for command in table.commands:
        if command.id in SKIPPED or not table.actions[command.id].isVisible():
            continue
        where = f"{command.menu} ▸ {command.group}" if command.group else command.menu
        keys, missing = table.key_text(command), reason(command, state)
        run = partial(table.run, command)
        found.append(Entry(table.text_of(command), where, command.help, run, keys, missing))
    return found


def _keypoints(window: MainWindow) -> list[Entry]:
    if not window.document.is_open:
        return []
    select = window.selection.set
    return [
        Entry(k.marker, "Keypoint", f"Select it. {k.name}: {k.definition}", partial(select, index))
        for index, k in enumerate(window.document.sequence.info.skeleton.keypoints)
    ]


def _frame_entry(window: MainWindow, typed: str) -> list[Entry]:
    """“120” or “2.5 s” as a place in time."""
    text = typed.strip()
    if not text[:1].isdigit() or not window.document.is_open:
        return []
    try:
        frame = parse_frame(text, window.time)
    except UserError:
        return []
    return [
        Entry(
            f"Go to frame {frame}",
            "Frame",
            f"{frame / window.time.fps:.3f} s into the recording.",
            lambda: window.time.set_frame(frame),
        )
    ]


class CommandPalette(QFrame):
    """Lies over the upper part of the window until something is chosen, or Escape."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._entries: list[Entry] = []
        self.setObjectName("palette")
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.setAutoFillBackground(True)
        self.search = QLineEdit()
        self.search.setPlaceholderText("Command, keypoint such as LHip, or frame such as 120")
        self.search.setAccessibleName("Search commands, keypoints and frames")
        self.search.textChanged.connect(self._fill)
        self.search.installEventFilter(self)
        self.list = QTableWidget(0, 3)
        self.list.setAccessibleName("What matches")
        self.list.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.list.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setShowGrid(False)
        self.list.setWordWrap(False)
        self.list.verticalHeader().hide()
        self.list.horizontalHeader().hide()
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        sections = QHeaderView.ResizeMode
        self.list.horizontalHeader().setSectionResizeMode(0, sections.Stretch)
        self.list.horizontalHeader().setSectionResizeMode(1, sections.ResizeToContents)
        self.list.horizontalHeader().setSectionResizeMode(2, sections.ResizeToContents)
        self.list.itemClicked.connect(lambda item: self._choose(item.row()))
        self.list.currentCellChanged.connect(lambda *_: self._explain())
        self.help = QLabel()
        self.help.setWordWrap(True)
        self.help.setProperty("role", "muted")
        box = QVBoxLayout(self)
        box.setContentsMargins(8, 8, 8, 8)
        for widget in (self.search, self.list, self.help):
            box.addWidget(widget)
        self.hide()
        window.installEventFilter(self)

    def ask(self) -> None:
        """Show the palette, empty; hide it where it is shown."""
        if self.isVisible():
            self.leave()
            return
        self.search.clear()
        self._fill()
        self._place()
        self.show()
        self.raise_()
        self.search.setFocus()

    def leave(self) -> None:
        """Go back to the window."""
        self.hide()
        self._window.setFocus()

    def _place(self) -> None:
        row = self.list.verticalHeader().defaultSectionSize()
        room = self._window.rect()
        self.list.setFixedHeight(min(ROWS * row + 4, room.height() // 2))
        width = min(WIDTH, room.width() - 20)
        self.resize(width, self.sizeHint().height())
        top = self._window.menuBar().height() + 8
        self.move((room.width() - width) // 2, top)

    def _fill(self) -> None:
        self._entries = entries(self._window, self.search.text())
        self.list.setRowCount(len(self._entries))
        muted = self.palette().color(QPalette.ColorRole.PlaceholderText)
        text = self.palette().color(QPalette.ColorRole.Text)
        for row, entry in enumerate(self._entries):
            texts = (entry.title, entry.missing or entry.kind, entry.keys)
            for column, words in enumerate(texts):
                item = QTableWidgetItem(words)
                item.setForeground(QColor(muted if entry.missing or column else text))
                self.list.setItem(row, column, item)
        if self._entries:
            self.list.setCurrentCell(0, 0)
            self.list.scrollToTop()
        self._explain()

    def _explain(self) -> None:
        entry = self._current()
        if entry is None:
            self.help.setText("Nothing is called like this.")
        else:
            self.help.setText(f"{entry.help} {entry.missing}".strip())

    def _current(self) -> Entry | None:
        row = self.list.currentRow()
        return self._entries[row] if 0 <= row < len(self._entries) else None

    def _choose(self, row: int) -> None:
        entry = self._entries[row] if 0 <= row < len(self._entries) else None
        if entry is not None and not entry.missing:
            self.leave()
            entry.run()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self._window:
            if event.type() == QEvent.Type.Resize and self.isVisible():
                self._place()
            return False
        if event.type() == QEvent.Type.FocusOut:
            self.hide()
        elif isinstance(event, QKeyEvent):
            if event.type() == QEvent.Type.ShortcutOverride:
                event.accept()  # the window's single-letter keys are letters here
                return True
            if event.type() == QEvent.Type.KeyPress:
                return self._key(event)
        return False

    def _key(self, event: QKeyEvent) -> bool:
        steps = {
            Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1,
            Qt.Key.Key_PageDown: ROWS, Qt.Key.Key_PageUp: -ROWS,
        }  # fmt: skip
        key = Qt.Key(event.key())
        if key in steps:
            last = len(self._entries) - 1
            self.list.setCurrentCell(min(max(self.list.currentRow() + steps[key], 0), last), 0)
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._choose(self.list.currentRow())
        elif key == Qt.Key.Key_Escape:
            self.leave()
        else:
            return False
        return True
