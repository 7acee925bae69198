"""The window of a help page: contents on the left, a search over the page, a way back."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtGui import (
    QKeyEvent,
    QKeySequence,
    QPalette,
    QShortcut,
    QShowEvent,
    QTextCharFormat,
    QTextCursor,
    QTextFormat,
)
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QPushButton,
    QScrollBar,
    QSplitter,
    QTextBrowser,
    QTextEdit,
    QVBoxLayout,
    QWidget,
)

SIZE = (940, 640)
FEW = 3  # headings below which a list of contents is no help
MARKED = 110  # opacity of a match that is not the current one, of 255


class HelpWindow(QDialog):
    """One page of help; the main window stays usable beside it.

    Ctrl+F goes to the search, F3 and Shift+F3 (or Return and Shift+Return there) to the next and
    previous match, round at the ends; Escape ends the search, then closes.
    """

    def __init__(self, title: str, html: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(title)
        room = parent.screen().availableGeometry()
        self.resize(min(SIZE[0], room.width() - 20), min(SIZE[1], room.height() - 60))
        self._headings: list[int] = []  # where they begin; blocks die with the page they are of
        self._matches: list[QTextCursor] = []
        self._current = -1
        self.page = QTextBrowser()
        self.page.setOpenExternalLinks(True)
        self.page.setAccessibleName(title)
        self.contents = QListWidget()
        self.contents.setAccessibleName("Contents")
        self.contents.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._build_search()
        self._lay_out()
        self._connect()
        self.page.setHtml(html)
        self._page_changed()
        self.page.setFocus()

    def _build_search(self) -> None:
        self.search = QLineEdit()
        self.search.setPlaceholderText("Find on this page")
        self.search.setAccessibleName("Find on this page")
        find = QKeySequence(QKeySequence.StandardKey.Find)
        self.search.setToolTip(f"Words to find on this page ({_native(find)})")
        self.search.setClearButtonEnabled(True)
        self.found = QLabel()
        self.found.setProperty("role", "muted")
        self.found.setMinimumWidth(self.fontMetrics().horizontalAdvance("888 of 888 "))
        self.previous_button, self.next_button = QPushButton("Previous"), QPushButton("Next")
        previous, next_ = QKeySequence("Shift+F3"), QKeySequence("F3")
        self.previous_button.setToolTip(f"The match before ({_native(previous)})")
        self.next_button.setToolTip(f"The match after ({_native(next_)})")
        for keys, act in ((find, self._to_search), (next_, self.next), (previous, self.previous)):
            QShortcut(keys, self).activated.connect(act)

    def _lay_out(self) -> None:
        close = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        close.rejected.connect(self.reject)
        back = close.addButton("Back", QDialogButtonBox.ButtonRole.ResetRole)
        back.setToolTip("To the page before (Alt+Left)")
        back.clicked.connect(self.page.backward)
        back.hide()  # until a link was followed
        self.page.backwardAvailable.connect(back.setVisible)
        buttons = (self.previous_button, self.next_button, back)
        for button in (*buttons, close.button(QDialogButtonBox.StandardButton.Close)):
            button.setAutoDefault(False)  # Return goes to the next match
        line = QHBoxLayout()
        line.addWidget(self.search, 1)
        for widget in (self.found, self.previous_button, self.next_button):
            line.addWidget(widget)
        self.splitter = QSplitter(Qt.Orientation.Horizontal)
        self.splitter.addWidget(self.contents)
        self.splitter.addWidget(self.page)
        self.splitter.setStretchFactor(1, 1)
        self.splitter.setChildrenCollapsible(False)
        box = QVBoxLayout(self)
        box.addLayout(line)
        box.addWidget(self.splitter, 1)
        box.addWidget(close)

    def _connect(self) -> None:
        self.previous_button.clicked.connect(self.previous)
        self.next_button.clicked.connect(self.next)
        self.search.textChanged.connect(lambda _: self._find())
        self.contents.currentRowChanged.connect(self._to_heading)
        self.contents.itemClicked.connect(lambda _: self._to_heading(self.contents.currentRow()))
        self.page.sourceChanged.connect(lambda _: self._page_changed())
        self.page.verticalScrollBar().valueChanged.connect(lambda _: self._show_where())

    # The page and its contents

    def _page_changed(self) -> None:
        """Another page is shown: list its headings, and search in it."""
        found, block = [], self.page.document().begin()
        while block.isValid():
            level, text = block.blockFormat().headingLevel(), block.text().strip()
            if level and text:
                found.append((block.position(), level, text))
            block = block.next()
        self._headings = [position for position, _, _ in found]
        least = min((level for _, level, _ in found), default=0)
        with QSignalBlocker(self.contents):
            self.contents.clear()
            for _, level, text in found:
                self.contents.addItem("   " * (level - least) + text)
        wide = self.contents.sizeHintForColumn(0) + 28
        self.contents.setVisible(len(self._headings) >= FEW)
        self.contents.setMaximumWidth(max(wide, 120))
        self.splitter.setSizes([wide, max(self.width() - wide, wide)])
        self._show_where()
        self._find()

    def _top(self, position: int) -> int:
        """Where a heading stands, in pixels from the top of the page."""
        document = self.page.document()
        cursor = QTextCursor(document)
        cursor.setPosition(min(position, document.characterCount() - 1))  # a page is being changed
        return self.page.cursorRect(cursor).top() + self._bar.value()

    @property
    def _bar(self) -> QScrollBar:
        return self.page.verticalScrollBar()

    def _to_heading(self, row: int) -> None:
        if 0 <= row < len(self._headings):
            with QSignalBlocker(self._bar):  # a short last chapter cannot come to the top
                self._bar.setValue(self._top(self._headings[row]) - 4)
            self.page.viewport().update()

    def _show_where(self) -> None:
        """Select in the contents the heading under which the top of the page is."""
        here = self._bar.value() + 8
        above = [row for row, at in enumerate(self._headings) if self._top(at) <= here]
        with QSignalBlocker(self.contents):
            self.contents.setCurrentRow(above[-1] if above else 0)

    # The search

    def _to_search(self) -> None:
        self.search.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.search.selectAll()

    def _find(self) -> None:
        """Mark all matches and go to the first one from the top of what is visible."""
        wanted, document = self.search.text(), self.page.document()
        self._matches, self._current = [], -1
        at = document.find(wanted) if wanted else QTextCursor()
        while not at.isNull():
            self._matches.append(at)
            at = document.find(wanted, at)
        if self._matches:
            top = self.page.cursorForPosition(self.page.viewport().rect().topLeft()).position()
            later = [i for i, m in enumerate(self._matches) if m.selectionStart() >= top]
            self._current = later[0] if later else 0
        self._show_match()

    def next(self) -> None:
        """To the next match, from the last one to the first."""
        self._step(1)

    def previous(self) -> None:
        """To the match before, from the first one to the last."""
        self._step(-1)

    def _step(self, direction: int) -> None:
        if self._matches:
            self._current = (self._current + direction) % len(self._matches)
            self._show_match()
        elif not self.search.text():
            self._to_search()

    def _show_match(self) -> None:
        n, wanted = len(self._matches), self.search.text()
        self.found.setText(f"{self._current + 1} of {n}" if n else "Not found" if wanted else "")
        for button in (self.previous_button, self.next_button):
            button.setEnabled(n > 0)
        colours = self.palette()
        marks = []
        for row, cursor in enumerate(self._matches):
            mark, colour = QTextEdit.ExtraSelection(), colours.color(QPalette.ColorRole.Highlight)
            form = QTextCharFormat()
            if row == self._current:
                form.setForeground(colours.color(QPalette.ColorRole.HighlightedText))
                form.setProperty(QTextFormat.Property.FontWeight, 700)
            else:
                colour.setAlpha(MARKED)
            form.setBackground(colour)
            mark.cursor, mark.format = cursor, form
            marks.append(mark)
        self.page.setExtraSelections(marks)
        if self._current >= 0:
            here = QTextCursor(self._matches[self._current])
            here.clearSelection()
            self.page.setTextCursor(here)
            self._bring_in(here)

    def _bring_in(self, match: QTextCursor) -> None:
        """Scroll where a match is not well inside the page; select its chapter."""
        at, height = self.page.cursorRect(match).top(), self.page.viewport().height()
        if not 0.1 * height <= at <= 0.8 * height:
            self._bar.setValue(self._bar.value() + at - height // 3)
        before = [at for at in self._headings if at <= match.position()]
        with QSignalBlocker(self.contents):
            self.contents.setCurrentRow(max(len(before) - 1, 0))

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._show_where()  # only now is it known where the headings are

    # Keys

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Return in the search goes on, with Shift back; Escape ends the search, then closes."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.search.hasFocus():
            back = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
            self._step(-1 if back else 1)
        elif event.key() == Qt.Key.Key_Escape and (self.search.text() or self.search.hasFocus()):
            self.search.clear()
            self.page.setFocus()
        else:
            super().keyPressEvent(event)


def _native(keys: QKeySequence) -> str:
    return keys.toString(QKeySequence.SequenceFormat.NativeText)
