"""Shows the window in a layout, and keeps the user's own layouts."""

from __future__ import annotations

import binascii
from base64 import b64decode, b64encode
from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QByteArray, QObject, Qt, Signal
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QToolBar, QVBoxLayout, QWidget

from pipeline.data.errors import UserError
from simspine_viewer import layouts
from simspine_viewer.layouts import BUILT_IN, Layout
from simspine_viewer.pane_layout import Arrangement
from simspine_viewer.small_window import SmallWindow
from simspine_viewer.window_docks import place_docks

if TYPE_CHECKING:
    from simspine_viewer.main_window import MainWindow

_SPLIT = 10_000  # parts the middle is divided into; the splitter makes widths of them


class SecondWindow(QWidget):
    """A window of its own for what else stands in the middle of the main one."""

    closing = Signal()

    def __init__(self, owner: MainWindow, widget: QWidget, title: str) -> None:
        super().__init__(owner, Qt.WindowType.Window)
        self.setWindowTitle(f"{title} — SIMSPINE Viewer")
        self.setObjectName("second")
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.addWidget(widget)
        widget.show()
        # Keys belong to the window that has the focus; both are to have them.
        self.addActions(list(owner.table.actions.values()))

    def place(self, owner: MainWindow) -> None:
        """Fill the screen the main window is not on; over the main window where there is one."""
        screens = [screen for screen in owner.app.screens() if screen is not owner.screen()]
        room = (screens[0] if screens else owner.screen()).availableGeometry()
        if screens:
            self.setGeometry(room)
            self.showMaximized()
            return
        self.resize(min(960, room.width() * 2 // 3), min(680, room.height() * 2 // 3))
        self.move(room.center() - self.rect().center())
        self.show()

    def closeEvent(self, event: QCloseEvent) -> None:
        self.closing.emit()
        super().closeEvent(event)


class LayoutManager(QObject):
    """The layout the window is in, and the user's own ones."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self.small = SmallWindow(window)
        self.shows = "both"
        self.second: SecondWindow | None = None
        self.apart: str = ""
        self._sizes: list[int] = []  # of the splitter, before something left it
        self.own: tuple[Layout, ...] = layouts.from_text(window.settings.own_layouts)
        window.document.opened.connect(self._show_second)
        window.document.closed.connect(self._hide_second)

    # What is shown

    def apply(self, layout: Layout) -> None:
        """Show the window in a layout."""
        window = self._window
        self.set_apart(layout.apart)
        self.set_shows(layout.shows)
        window.grid.set_arrangement(layout.panes)
        window.splitter.setSizes(
            [layout.split * _SPLIT // 100, (100 - layout.split) * _SPLIT // 100]
        )
        if not layout.state or not window.restoreState(_bytes(layout.state)):
            place_docks(window)
        if layout.docks is not None:
            for name, dock in window.docks.items():
                dock.setVisible(name in layout.docks)
            if layout.front in layout.docks and layout.front in window.docks:
                window.docks[layout.front].raise_()
        for bar in window.findChildren(QToolBar):
            bar.setVisible(layout.toolbar)
        self.small.fold()
        window.table.refresh()

    def current(self, name: str = "") -> Layout:
        """The layout the window is in."""
        window = self._window
        sizes = window.splitter.sizes()
        share = round(100 * sizes[0] / sum(sizes)) if len(sizes) == 2 and all(sizes) else 72
        folded = self.small.folded
        shown = tuple(n for n, dock in window.docks.items() if not dock.isHidden() or n in folded)
        front = next(
            (name for name in shown if not window.docks[name].visibleRegion().isEmpty()), ""
        )
        bars = window.findChildren(QToolBar)
        return Layout(
            name,
            self.shows,
            window.grid.arrangement,
            self.apart,
            min(max(share, 1), 99),
            shown,
            front,
            not bars or not bars[0].isHidden(),
            b64encode(bytes(window.saveState().data())).decode("ascii"),
        )

    def set_shows(self, shows: str) -> None:
        """Show pictures, 3D or both in the middle; what stands apart stays there."""
        self.shows = shows
        window = self._window
        if self.apart != "pictures":
            window.grid.setVisible(shows != "3d" or self.apart == "3d")
        if self.apart != "3d":
            window.view3d.setVisible(shows != "pictures" or self.apart == "pictures")

    def set_panes(self, panes: Arrangement) -> None:
        """Arrange the pictures in another way, and show them if they were not."""
        if self.shows == "3d":
            self.set_shows("both")
        self._window.grid.set_arrangement(panes)

    def set_apart(self, what: str) -> None:
        """Give “pictures” or “3d” a window of its own; empty brings back what had one."""
        if what == self.apart:
            return
        window = self._window
        if self.second is not None:
            second, self.second = self.second, None
            window.splitter.insertWidget(0, window.grid)
            window.splitter.insertWidget(1, window.view3d)
            window.splitter.setSizes(self._sizes)
            second.hide()
            second.deleteLater()
        self.apart = what
        if what:
            self._sizes = window.splitter.sizes()
            widget = window.grid if what == "pictures" else window.view3d
            title = "Pictures" if what == "pictures" else "3D"
            self.second = SecondWindow(window, widget, title)
            self.second.closing.connect(self.bring_back)
            self._show_second()
        self.set_shows(self.shows)
        window.table.refresh()

    def bring_back(self) -> None:
        """End the window of its own."""
        self.set_apart("")

    def _show_second(self) -> None:
        if self.second is not None and self._window.document.is_open:
            self.second.place(self._window)

    def _hide_second(self) -> None:
        if self.second is not None:
            self.second.hide()

    # The user's own

    def save(self, name: str) -> None:
        """Keep the layout as it is under a name; one of that name is replaced."""
        name = self._free_name(name)
        kept = [layout for layout in self.own if layout.name != name]
        self._keep((*kept, self.current(name)))

    def rename(self, old: str, new: str) -> None:
        """Give one of the user's own layouts another name."""
        new = self._free_name(new)
        if new != old and any(layout.name == new for layout in self.own):
            raise UserError(f"There is a layout “{new}” already.")
        self._keep(tuple(replace(one, name=new) if one.name == old else one for one in self.own))

    def delete(self, name: str) -> None:
        """Forget one of the user's own layouts."""
        self._keep(tuple(layout for layout in self.own if layout.name != name))

    def _free_name(self, name: str) -> str:
        name = layouts.clean_name(name)
        if not name:
            raise UserError("A layout needs a name.")
        if any(name.casefold() == layout.name.casefold() for layout in BUILT_IN):
            raise UserError(f"“{name}” is a built-in layout; take another name.")
        return name

    def _keep(self, own: tuple[Layout, ...]) -> None:
        self.own = own
        self._window.settings.own_layouts = layouts.to_text(own)
        self._window.settings.save()
        self._window.table.refresh()

    # Between sessions

    def remember(self) -> None:
        """Write the layout into the settings."""
        self._window.settings.layout = layouts.to_text((self.current("last"),))
        self._window.settings.save()

    def restore(self) -> None:
        """Show the window as it was left; nothing where that was never written or is damaged."""
        for layout in layouts.from_text(self._window.settings.layout):
            self.apply(layout)


def _bytes(text: str) -> QByteArray:
    try:
        return QByteArray(b64decode(text, validate=True))
    except (binascii.Error, ValueError):
        return QByteArray()
