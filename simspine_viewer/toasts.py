"""Quiet messages in a corner of the window, with what can be done about them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QMainWindow,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

WIDTH = 400
MARGIN = 12
STAYS_MS = 12_000


@dataclass(frozen=True, slots=True)
class Act:
    """A button of a message; the message goes once it was pressed."""

    text: str
    run: Callable[[], None]


class Toast(QFrame):
    """One message. It goes by itself unless it is ``sticky``."""

    gone = Signal()

    def __init__(
        self, parent: QWidget, text: str, acts: tuple[Act, ...], sticky: bool, bad: bool
    ) -> None:
        super().__init__(parent)
        self.setObjectName("toast")
        self.setProperty("bad", bad)
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.label = QLabel(text)
        self.label.setTextFormat(Qt.TextFormat.PlainText)
        self.label.setWordWrap(True)
        self.buttons: dict[str, QPushButton] = {}
        row = QHBoxLayout()
        row.addStretch(1)
        for act in (*acts, Act("Dismiss", lambda: None)):
            button = QPushButton(act.text)
            button.setAutoDefault(False)
            button.clicked.connect(lambda _=False, chosen=act: self._do(chosen))
            self.buttons[act.text] = button
            row.addWidget(button)
        box = QVBoxLayout(self)
        box.addWidget(self.label)
        box.addLayout(row)
        if not sticky:
            QTimer.singleShot(STAYS_MS, self, self.go)

    def _do(self, act: Act) -> None:
        self.go()
        act.run()

    def go(self) -> None:
        """Leave the window."""
        self.hide()
        self.gone.emit()
        self.deleteLater()


class Toasts(QObject):
    """The messages of a window, the newest at the bottom."""

    def __init__(self, window: QMainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._toasts: list[Toast] = []
        window.installEventFilter(self)

    @property
    def shown(self) -> list[Toast]:
        """Messages that are there now, the oldest first."""
        return list(self._toasts)

    def show(self, text: str, *acts: Act, sticky: bool = False, bad: bool = False) -> Toast:
        """Show a message; ``sticky`` ones stay until somebody has read them."""
        toast = Toast(self._window, text, acts, sticky, bad)
        self._toasts.append(toast)
        toast.gone.connect(lambda: self._forget(toast))
        toast.show()
        self._place()
        return toast

    def _forget(self, toast: Toast) -> None:
        if toast in self._toasts:
            self._toasts.remove(toast)
            self._place()

    def _place(self) -> None:
        status = self._window.statusBar()
        bottom = self._window.height() - status.height() - MARGIN
        for toast in reversed(self.shown):
            width = min(WIDTH, self._window.width() - 2 * MARGIN)
            layout = toast.layout()
            assert layout is not None
            height = max(layout.totalHeightForWidth(width), layout.totalSizeHint().height())
            toast.setGeometry(self._window.width() - width - MARGIN, bottom - height, width, height)
            toast.raise_()
            bottom -= height + 6

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize:
            self._place()
        return False
