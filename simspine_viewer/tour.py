"""A short tour of the window: callouts that point at the real things."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, Qt
from PySide6.QtGui import QColor, QKeyEvent, QPainter, QPaintEvent, QPalette, QPen, QRegion
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

if TYPE_CHECKING:
    from simspine_viewer.main_window import MainWindow

WIDTH = 380
GAP = 14  # between a callout and what it points at


@dataclass(frozen=True, slots=True)
class Step:
    """What is said, and what it is about; ``{key:id}`` in the text is the key of a command."""

    title: str
    text: str
    widget: Callable[[MainWindow], QWidget]


STEPS = (
    Step(
        "The pictures",
        "All cameras show the same moment. Drag a point to correct it: its 3D position and the "
        "other pictures follow. The wheel zooms, a double click makes one picture large.",
        lambda w: w.grid,
    ),
    Step(
        "The 3D view",
        "The person, triangulated from all views. Drag to turn, wheel to zoom. A point can be "
        "moved here too.",
        lambda w: w.view3d,
    ),
    Step(
        "The timeline",
        "Drag here to move through time; {key:play} plays. Where the residual is red, the views "
        "disagree: {key:next-error} goes to the next such frame and selects its worst point.",
        lambda w: w.timeline,
    ),
    Step(
        "The inspector",
        "Every keypoint, how far each view is from the 3D point, and what can be done about it.",
        lambda w: w.docks["inspector"],
    ),
    Step(
        "Everything can be undone",
        "Each step is on disk at once, and {key:undo} takes it back, even after the program was "
        "closed. History lists all steps.",
        lambda w: w.toolbar,
    ),
    Step(
        "Find anything",
        "{key:palette} finds commands, keypoints and frames by a few letters. {key:shortcuts} "
        "lists all keys; the manual and this tour are in Help.",
        lambda w: w.menuBar(),
    ),
)


class Tour(QWidget):
    """Darkens the window but for one part at a time; arrows, Return and Escape work too."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self.step = 0
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Tour")
        self.box = QFrame(self)
        self.box.setObjectName("callout")
        self.box.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.title, self.text, self.count = QLabel(), QLabel(), QLabel()
        self.title.setProperty("role", "heading")
        self.text.setWordWrap(True)
        self.count.setProperty("role", "muted")
        self.skip, self.back, self.next = (QPushButton(t) for t in ("Skip", "Back", "Next"))
        self.skip.clicked.connect(self.end)
        self.back.clicked.connect(lambda: self.go(self.step - 1))
        self.next.clicked.connect(lambda: self.go(self.step + 1))
        row = QHBoxLayout()
        row.addWidget(self.count, 1)
        for button in (self.skip, self.back, self.next):
            button.setAutoDefault(False)
            button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            row.addWidget(button)
        box = QVBoxLayout(self.box)
        for widget in (self.title, self.text):
            box.addWidget(widget)
        box.addLayout(row)
        window.installEventFilter(self)
        self.setGeometry(window.rect())
        self.show()
        self.raise_()
        self.setFocus()
        self.go(0)

    def go(self, step: int) -> None:
        """Show a step; past the last one the tour ends."""
        if step >= len(STEPS):
            self.end()
            return
        self.step = max(step, 0)
        now = STEPS[self.step]
        self.title.setText(now.title)
        self.text.setText(self._window.table.with_keys(now.text))
        self.count.setText(f"{self.step + 1} of {len(STEPS)}")
        self.back.setEnabled(self.step > 0)
        self.next.setText("Done" if self.step == len(STEPS) - 1 else "Next")
        self._place()

    def end(self) -> None:
        """Leave; it does not come again by itself."""
        self._window.removeEventFilter(self)
        self._window.settings.tour_seen = True
        self._window.settings.save()
        self.hide()
        self.deleteLater()
        self._window.setFocus()

    def target(self) -> QRect:
        """What the step is about, in the window; empty where that is not shown."""
        widget = STEPS[self.step].widget(self._window)
        if not widget.isVisible() or widget.window() is not self._window:
            return QRect()
        return QRect(widget.mapTo(self._window, QPoint()), widget.size())

    def _place(self) -> None:
        """Put the callout beside what it is about, where there is most room, else over it."""
        self.setGeometry(self._window.rect())
        layout = self.box.layout()
        assert layout is not None
        width = min(WIDTH, self.width() - 2 * GAP)
        size = QRect(0, 0, width, layout.totalHeightForWidth(width))
        target, room = self.target(), self.rect().adjusted(GAP, GAP, -GAP, -GAP)
        centre = (target if target.isValid() else room).center()
        size.moveCenter(centre)
        if target.isValid():
            below, above = room.bottom() - target.bottom(), target.top() - room.top()
            right, left = room.right() - target.right(), target.left() - room.left()
            if max(below, above) > size.height() + GAP:
                if below >= above:
                    size.moveTop(target.bottom() + GAP)
                else:
                    size.moveBottom(target.top() - GAP)
            elif max(right, left) > size.width() + GAP:
                if right >= left:
                    size.moveLeft(target.right() + GAP)
                else:
                    size.moveRight(target.left() - GAP)
        size.moveLeft(min(max(size.left(), room.left()), room.right() - size.width()))
        size.moveTop(min(max(size.top(), room.top()), room.bottom() - size.height()))
        self.box.setGeometry(size)
        self.update()

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ShortcutOverride:
            event.accept()  # the window's keys wait until the tour is over
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = event.key()
        if key in (Qt.Key.Key_Right, Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.go(self.step + 1)
        elif key in (Qt.Key.Key_Left, Qt.Key.Key_Backspace):
            self.go(self.step - 1)
        elif key == Qt.Key.Key_Escape:
            self.end()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.Resize, QEvent.Type.LayoutRequest):
            self._place()
        return False

    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            target = self.target()
            shade = QRegion(self.rect())
            if target.isValid():
                shade = shade.subtracted(QRegion(target))
            painter.setClipRegion(shade)
            painter.fillRect(self.rect(), QColor(0, 0, 0, 150))
            painter.setClipping(False)
            if target.isValid():
                painter.setPen(QPen(self.palette().color(QPalette.ColorRole.Highlight), 2))
                painter.drawRect(target.adjusted(1, 1, -2, -2))
