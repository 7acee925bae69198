"""Finds text that is elided, clipped or wider than its place, from font metrics alone."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator
from typing import Any

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QTextDocument
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QComboBox,
    QDockWidget,
    QHeaderView,
    QLabel,
    QListView,
    QMenu,
    QMenuBar,
    QPushButton,
    QStatusBar,
    QTabBar,
    QTableView,
    QToolBar,
    QToolButton,
    QWidget,
)

from simspine_viewer.pane_header import fitting, item_width
from simspine_viewer.timeline import Timeline
from simspine_viewer.video_pane import VideoPane

# resources/style.qss: left and right padding of tabs, header sections and cells.
TAB, SECTION, CELL = 8, 10, 8
BREAK = re.compile(r"(?<=[\s/])")  # where Qt may break a line


def misfits(root: QWidget) -> list[str]:
    """A sentence for each text below ``root`` (and in its menus) that does not fit."""
    found = []
    for widget in [root, *root.findChildren(QWidget)]:
        if widget.isVisible() and not _behind_a_tab(widget):
            found += [f"{_name(widget)}: {problem}" for problem in _problems(widget)]
    return found


def _behind_a_tab(widget: QWidget) -> bool:
    """Qt keeps docks that are not in front out of the window, and calls them visible."""
    dock: QWidget | None = widget
    while dock is not None and not isinstance(dock, QDockWidget):
        dock = dock.parentWidget()
    return dock is not None and dock.visibleRegion().isEmpty()


def count_texts(root: QWidget) -> int:
    """How many widgets with text of their own were there to be looked at."""
    kinds = (QLabel, QAbstractButton, QTabBar, QHeaderView, QAbstractItemView, QComboBox)
    return sum(w.isVisible() for w in root.findChildren(QWidget) if isinstance(w, kinds))


def _name(widget: QWidget) -> str:
    return f"{type(widget).__name__} {widget.objectName() or widget.accessibleName()}".strip()


def _problems(widget: QWidget) -> Iterator[str]:
    for kind, check in CHECKS:
        if isinstance(widget, kind):
            yield from check(widget)
            break
    if isinstance(widget, (QLabel, QPushButton)) and widget.text() and not widget.isWindow():
        yield from _inside_parents(widget)


def _inside_parents(widget: QWidget) -> Iterator[str]:
    """A layout that is too tight pushes a widget out of its parent, which then cuts it off."""
    parent = widget.parentWidget()
    if not parent.rect().contains(widget.geometry()):
        yield f"{widget.geometry()} is cut off by {_name(parent)} {parent.rect()}"


def _advance(widget: QWidget, text: str) -> float:
    return QFontMetricsF(widget.font()).horizontalAdvance(text)


def _label(label: QLabel) -> Iterator[str]:
    text = label.text()
    if not text:
        return
    room = label.contentsRect().size()
    if text.startswith("<"):
        document = QTextDocument()
        document.setDefaultFont(label.font())
        document.setHtml(text)
        document.setDocumentMargin(0)
        text = document.toPlainText()
    if not label.wordWrap():
        if label.sizeHint().width() > label.width() or label.sizeHint().height() > label.height():
            yield f"“{text}” needs {_size(label.sizeHint())}, has {_size(label.size())}"
        return
    widest = max(BREAK.split(text), key=lambda word: _advance(label, word.rstrip()))
    if _advance(label, widest.rstrip()) > room.width() + 0.5:
        yield f"the word “{widest}” is wider than {room.width()}"
    if label.heightForWidth(label.width()) > label.height():
        yield f"“{text}” needs {label.heightForWidth(label.width())}, has {label.height()}"


def _tabs(tabs: QTabBar) -> Iterator[str]:
    for i in range(tabs.count()):
        text, rect = tabs.tabText(i), tabs.tabRect(i)
        if _advance(tabs, text) + TAB > rect.width() + 0.5:
            yield f"tab “{text}” needs {_advance(tabs, text) + TAB:.0f}, has {rect.width()}"
        if not tabs.rect().contains(rect):
            yield f"tab “{text}” is scrolled out of sight"


def _header(header: QHeaderView) -> Iterator[str]:
    if header.orientation() != Qt.Orientation.Horizontal:
        return
    for i in range(header.count()):
        text = str(header.model().headerData(i, Qt.Orientation.Horizontal))
        needed = _advance(header, text) + SECTION
        if needed > header.sectionSize(i) + 0.5:
            yield f"“{text}” needs {needed:.0f}, has {header.sectionSize(i)}"


def _table(table: QTableView) -> Iterator[str]:
    model, view = table.model(), table.viewport().rect()
    metrics = QFontMetricsF(table.font())
    for row in range(model.rowCount()):
        for column in range(model.columnCount()):
            index = model.index(row, column)
            text, rect = index.data(), table.visualRect(index)
            if not text or not view.intersects(rect):
                continue
            icon = 0
            if index.data(Qt.ItemDataRole.DecorationRole) is not None:
                icon = table.iconSize().width() + 22
            needed = metrics.horizontalAdvance(text) + CELL + max(icon, 0)
            if needed > rect.width() + 0.5:
                yield f"cell “{text}” needs {needed:.0f}, has {rect.width()}"
            if rect.right() > view.right():
                yield f"cell “{text}” is out of sight"
            if metrics.height() > rect.height():
                yield f"cell “{text}” needs height {metrics.height():.0f}, has {rect.height()}"


def _list(table: QListView) -> Iterator[str]:
    model, view = table.model(), table.viewport().rect()
    for row in range(model.rowCount()):
        index = model.index(row, 0)
        text, rect = index.data(), table.visualRect(index)
        if not text or not view.intersects(rect):
            continue
        font = index.data(Qt.ItemDataRole.FontRole) or table.font()
        metrics = QFontMetricsF(font)
        # The delegate leaves a margin of one more than the focus frame on both sides.
        room = min(rect.right(), view.right()) - max(rect.left(), 0) - 2 * 3
        if table.wordWrap():
            flags = Qt.TextFlag.TextWordWrap.value
            need = metrics.boundingRect(QRect(0, 0, room, 10_000), flags, text)
            width, height = need.width(), need.height()
        else:
            width, height = metrics.horizontalAdvance(text), metrics.height()
        if width > room + 0.5:
            yield f"line “{text}” needs {width:.0f}, has {room}"
        if height > rect.height() + 0.5:
            yield f"line “{text}” needs height {height:.0f}, has {rect.height()}"


def _combo(combo: QComboBox) -> Iterator[str]:
    arrow = 28  # Fusion's arrow and frame
    needed = _advance(combo, combo.currentText()) + arrow
    if needed > combo.width() + 0.5 or combo.height() < combo.fontMetrics().height():
        yield f"“{combo.currentText()}” needs {needed:.0f}, has {_size(combo.size())}"


def _button(button: QAbstractButton) -> Iterator[str]:
    hint = button.sizeHint()
    if button.text() and (hint.width() > button.width() or hint.height() > button.height()):
        yield f"“{button.text()}” needs {_size(hint)}, has {_size(button.size())}"


def _menu_bar(bar: QMenuBar) -> Iterator[str]:
    for action in bar.actions():
        text, rect = action.text().replace("&", ""), bar.actionGeometry(action)
        if _advance(bar, text) > rect.width() or not bar.rect().contains(rect):
            yield f"“{text}” does not fit {rect}"


def menu_problems(menu: QMenu) -> Iterator[str]:
    """Entries too wide for their menu, and a menu too tall for the main window's height."""
    for action in menu.actions():
        if action.isSeparator() or not action.isVisible():
            continue
        keys = action.shortcut().toString()
        # style.qss: 22 px before and 26 px after; a text and its key never touch.
        needed = _advance(menu, action.text()) + 48 + (_advance(menu, keys) + 8 if keys else 0)
        if needed > menu.actionGeometry(action).width() + 0.5:
            yield (
                f"entry “{action.text()}” {keys} needs {needed:.0f}, "
                f"has {menu.actionGeometry(action).width()}"
            )


def _tool_bar(bar: QToolBar) -> Iterator[str]:
    more = bar.findChild(QToolButton, "qt_toolbar_ext_button")
    if more is not None and more.isVisible():
        yield "some buttons are behind the extension arrow"


def _status_bar(bar: QStatusBar) -> Iterator[str]:
    labels = [w for w in bar.findChildren(QLabel) if w.isVisible() and w.text()]
    right = min((w.mapTo(bar, w.rect().topLeft()).x() for w in labels), default=bar.width())
    needed = _advance(bar, bar.currentMessage()) + 6
    if needed > right:
        yield f"“{bar.currentMessage()}” needs {needed:.0f}, has {right}"


def _dock(dock: QDockWidget) -> Iterator[str]:
    if dock.titleBarWidget() is not None:
        return
    buttons = [b for b in dock.findChildren(QAbstractButton) if b.parentWidget() is dock]
    right = min((b.x() for b in buttons if b.isVisible()), default=dock.width())
    needed = 1.1 * _advance(dock, dock.windowTitle()) + 12  # it is written in bold
    if needed > right:
        yield f"title “{dock.windowTitle()}” needs {needed:.0f}, has {right}"


def _pane(pane: VideoPane) -> Iterator[str]:
    shown = fitting(pane.header_items(), pane.font(), pane.width(), pane.height())
    for item in shown:
        if item_width(item, pane.font()) > pane.width():
            yield f"“{item.text}” is wider than the pane ({pane.width()})"


def _timeline(timeline: Timeline) -> Iterator[str]:
    for text, rect in timeline.label_rects():
        if _advance(timeline, text) > rect.width() or not timeline.rect().contains(rect.toRect()):
            yield f"lane “{text}” does not fit {rect}"
    labels = timeline.ruler_labels()
    metrics = QFontMetricsF(timeline.ruler_font())
    for frame, rect in labels:
        inside = timeline.rect().adjusted(0, 0, 1, 1).contains(rect.toRect())
        if metrics.horizontalAdvance(str(frame)) > rect.width() + 0.5 or not inside:
            yield f"frame number {frame} does not fit {rect}"
    for (a, left), (b, right) in itertools.pairwise(labels):
        if left.right() > right.left():
            yield f"frame numbers {a} and {b} overlap"


def _size(size: QSize) -> str:
    return f"{size.width()}×{size.height()}"


CHECKS: tuple[tuple[Any, Callable[[Any], Iterator[str]]], ...] = (
    (QLabel, _label),
    (QTabBar, _tabs),
    (QHeaderView, _header),
    (QTableView, _table),
    (QListView, _list),
    (QComboBox, _combo),
    ((QPushButton, QToolButton), _button),
    (QMenuBar, _menu_bar),
    (QMenu, menu_problems),
    (QToolBar, _tool_bar),
    (QStatusBar, _status_bar),
    (QDockWidget, _dock),
    (VideoPane, _pane),
    (Timeline, _timeline),
)
