"""The small window over a pane in which brightness, contrast and gamma of its picture are set."""

from __future__ import annotations

import math

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtGui import QHideEvent
from PySide6.QtWidgets import (
    QDialog,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSlider,
    QVBoxLayout,
    QWidget,
)

from simspine_viewer.adjustments import (
    AS_IT_IS,
    BRIGHTNESS,
    CONTRAST,
    GAMMA,
    Adjustment,
    Adjustments,
)


class AdjustPopup(QDialog):
    """Sliders for one view; every move is seen at once, Escape closes it."""

    def __init__(
        self, adjustments: Adjustments, view: int, n_views: int, name: str, parent: QWidget
    ) -> None:
        super().__init__(parent)
        self._adjustments, self._view, self._n_views = adjustments, view, n_views
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(f"How {name} Is Shown")
        title = QLabel(f"How {name} is shown")
        title.setProperty("role", "heading")
        note = QLabel("Only what you see changes, never the data.")
        note.setProperty("role", "muted")
        box, grid = QVBoxLayout(self), QGridLayout()
        box.addWidget(title)
        box.addWidget(note)
        box.addLayout(grid)
        self.brightness = self._slider(grid, 0, "&Brightness", BRIGHTNESS)
        self.contrast = self._slider(grid, 1, "&Contrast", CONTRAST)
        # In hundredths of the exponent of two, so that twice as light is as far as half as light.
        self.gamma = self._slider(grid, 2, "&Gamma", (-232, 232))
        self.values = tuple(QLabel() for _ in range(3))
        widest = self.fontMetrics().horizontalAdvance("+100 %")
        for row, label in enumerate(self.values):
            label.setMinimumWidth(widest + 8)
            label.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            grid.addWidget(label, row, 2)
        self.reset = QPushButton("&Reset")
        self.reset.setAutoDefault(False)
        self.reset.clicked.connect(lambda: self._set(AS_IT_IS))
        self.everywhere = QPushButton("Same in &All Views")
        self.everywhere.setAutoDefault(False)
        self.everywhere.clicked.connect(self._set_everywhere)
        buttons = QHBoxLayout()
        buttons.addWidget(self.reset)
        buttons.addStretch()
        buttons.addWidget(self.everywhere)
        box.addLayout(buttons)
        self._show()
        self.brightness.setFocus()

    def _slider(self, grid: QGridLayout, row: int, text: str, limits: tuple[int, int]) -> QSlider:
        slider = QSlider(Qt.Orientation.Horizontal)
        slider.setRange(*limits)
        slider.setPageStep(10)
        slider.setMinimumWidth(180)
        slider.setAccessibleName(text.replace("&", ""))
        slider.valueChanged.connect(self._moved)
        label = QLabel(text)
        label.setBuddy(slider)
        grid.addWidget(label, row, 0)
        grid.addWidget(slider, row, 1)
        return slider

    def _moved(self) -> None:
        gamma = min(max(2.0 ** (self.gamma.value() / 100), GAMMA[0]), GAMMA[1])
        own = Adjustment(self.brightness.value(), self.contrast.value(), round(gamma, 3))
        self._adjustments.set(self._view, own)
        self._write(own)

    def _set(self, adjustment: Adjustment) -> None:
        self._adjustments.set(self._view, adjustment)
        self._show()

    def _set_everywhere(self) -> None:
        own = self._adjustments.of(self._view)
        for view in range(self._n_views):
            self._adjustments.set(view, own)

    def _show(self) -> None:
        own = self._adjustments.of(self._view)
        with (
            QSignalBlocker(self.brightness),
            QSignalBlocker(self.contrast),
            QSignalBlocker(self.gamma),
        ):
            self.brightness.setValue(own.brightness)
            self.contrast.setValue(own.contrast)
            self.gamma.setValue(_hundredths(own.gamma))
        self._write(own)

    def _write(self, own: Adjustment) -> None:
        texts = f"{own.brightness:+d} %", f"{own.contrast:+d} %", f"{own.gamma:.2f}"
        for label, text in zip(self.values, texts, strict=True):
            label.setText(text)

    def hideEvent(self, event: QHideEvent) -> None:
        self._adjustments.save()
        super().hideEvent(event)


def _hundredths(gamma: float) -> int:
    return round(100 * math.log2(gamma))
