"""What a window does that is too small for everything: panels beside the pictures fold away.

A laptop of 1366 x 768 pixels at a scale of 200 % has 683 x 384 points.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtWidgets import QDialog, QMenu, QSizePolicy, QToolButton

from simspine_viewer.window_docks import BELOW, RIGHT_WIDTH, fit_below

if TYPE_CHECKING:
    from simspine_viewer.main_window import MainWindow

# Points; with less, panels take more than a third of the width, or the pictures are lower than
# what stands around them.
NARROW, LOW = 900, 480
FRAME, EDGE = 36, 4  # points that a window manager adds above a dialog, and on other sides


class SmallWindow(QObject):
    """Folds panels while the window is small, and keeps dialogs within the screen.

    A folded panel is shown by View > Panels, by its key, or by the button at the end of the menu
    bar that is there meanwhile. All come back when the window is large again.
    """

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self.small = False
        self.folded: set[str] = set()
        self._button = QToolButton(window)
        self._button.setText("Panels")
        self._button.setToolTip("Panels that are folded away because the window is small")
        self._button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(self._button)
        for dock in window.docks.values():
            menu.addAction(dock.toggleViewAction())
        self._button.setMenu(menu)
        self._button.hide()
        window.menuBar().setCornerWidget(self._button)
        for name, dock in window.docks.items():
            if name not in BELOW:
                dock.visibilityChanged.connect(self._make_room)
        # Heights are given to docks that stand where they will, so after the window's own layout.
        self._fit = QTimer(self)
        self._fit.setSingleShot(True)
        self._fit.setInterval(0)
        self._fit.timeout.connect(self._share)
        window.stack.currentChanged.connect(self._only_shown_page)
        window.installEventFilter(self)

    def _only_shown_page(self) -> None:
        """The empty page asks for no room while a recording is shown."""
        page = self._window.welcome
        shown = self._window.stack.currentWidget() is page
        policy = QSizePolicy.Policy.Preferred if shown else QSizePolicy.Policy.Ignored
        page.setSizePolicy(policy, policy)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize and watched is self._window:
            self._check()
        elif event.type() == QEvent.Type.ChildPolished and watched is self._window:
            child = event.child()  # type: ignore[attr-defined]
            if isinstance(child, QDialog):
                child.installEventFilter(self)
        elif event.type() == QEvent.Type.Show and isinstance(watched, QDialog):
            keep_on_screen(watched)
        return super().eventFilter(watched, event)

    def _check(self) -> None:
        window = self._window
        small = window.width() < NARROW or window.height() < LOW
        if small and self.small:
            self._fit.start()
        elif small:
            self.fold()
        elif self.small:
            self._unfold()

    def fold(self) -> None:
        """Fold the panels that are shown, where the window is small; after a layout, for one."""
        window = self._window
        self.small = window.width() < NARROW or window.height() < LOW
        self.folded = set()
        window.docks["inspector"].setMinimumWidth(0 if self.small else RIGHT_WIDTH)
        if self.small:
            for name, dock in window.docks.items():
                if name not in BELOW and not dock.isFloating() and not dock.isHidden():
                    self.folded.add(name)
                    dock.hide()
            self._fit.start()
        self._button.setVisible(self.small)

    def _unfold(self) -> None:
        window, first = self._window, self._window.docks["inspector"]
        self.small = False
        first.setMinimumWidth(RIGHT_WIDTH)
        for name in self.folded:
            window.docks[name].show()
        if "inspector" in self.folded:
            first.raise_()
        self.folded = set()
        self._button.hide()
        self._fit.start()

    def _make_room(self, shown: bool) -> None:
        """A panel shown in a small window leaves the pictures what they need."""
        if self.small and shown:
            self._fit.start()

    def _share(self) -> None:
        window = self._window
        fit_below(window)
        left = window.width() - window.splitter.minimumSizeHint().width()
        beside = [
            dock
            for name, dock in window.docks.items()
            if name not in BELOW and dock.isVisible() and not dock.isFloating()
        ]
        if beside:
            width = min(RIGHT_WIDTH, left) if self.small else RIGHT_WIDTH
            window.resizeDocks(beside, [width] * len(beside), Qt.Orientation.Horizontal)


def keep_on_screen(dialog: QDialog) -> None:
    """Make a dialog no larger than the screen it is on, as far as its contents allow."""
    room = dialog.screen().availableGeometry()
    room.adjust(EDGE, FRAME, -EDGE, -EDGE)
    most = room.size()
    if dialog.width() > most.width() or dialog.height() > most.height():
        dialog.resize(dialog.size().boundedTo(most))
    place = dialog.geometry()
    place.moveRight(min(place.right(), room.right()))
    place.moveBottom(min(place.bottom(), room.bottom()))
    place.moveLeft(max(place.left(), room.left()))
    place.moveTop(max(place.top(), room.top()))
    if place != dialog.geometry():
        dialog.setGeometry(place)
