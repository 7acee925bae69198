"""Boxes, texts and tables of the simulation panel."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QDoubleSpinBox, QGridLayout, QLabel

NOTHING = "–"


class NumberBox(QDoubleSpinBox):
    """A box that keeps Return for itself: it ends typing, and enlarges no picture meanwhile."""

    def event(self, event: QEvent) -> bool:
        if (
            event.type() == QEvent.Type.ShortcutOverride
            and isinstance(event, QKeyEvent)
            and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        ):
            event.accept()
            return True
        return super().event(event)


def with_unit(value: float, unit: str, before: str = "") -> str:
    """A number with its unit, or a dash where it is none."""
    if not np.isfinite(value):
        return NOTHING
    number = f"{value:.1f}" if abs(value) < 100 else f"{value:.0f}"
    number = "0.0" if number == "-0.0" else number.replace("-", "−")
    return f"{before}{number}{'' if unit == '°' else ' '}{unit}"


def text_label(role: str) -> QLabel:
    """A text of several lines that can be selected, in a role of the theme."""
    label = QLabel()
    label.setWordWrap(True)
    label.setProperty("role", role)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return label


def value_table(titles: tuple[str, ...]) -> tuple[list[QLabel], QGridLayout]:
    """Rows of a title and a value: their labels in turn, and the layout."""
    grid = QGridLayout()
    grid.setVerticalSpacing(2)
    grid.setColumnStretch(0, 1)
    labels = []
    for row, title in enumerate(titles):
        name, value = QLabel(title), QLabel(NOTHING)
        value.setAlignment(Qt.AlignmentFlag.AlignRight)
        value.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        grid.addWidget(name, row, 0)
        grid.addWidget(value, row, 1)
        labels += [name, value]
    return labels, grid


def number_box(
    bounds: tuple[float, float], step: float, unit: str, name: str, digits: int,
    *, unknown: bool = True,
) -> QDoubleSpinBox:  # fmt: skip
    """A number with a unit; below its first value it says “unknown”, where it may."""
    box = NumberBox()
    box.setDecimals(digits)
    box.setRange(bounds[0] - (step if unknown else 0.0), bounds[1])
    box.setSingleStep(step)
    box.setSuffix(f" {unit}")
    box.setKeyboardTracking(False)
    box.setAccessibleName(name)
    if unknown:
        box.setSpecialValueText("unknown")
    return box


def value_of(box: QDoubleSpinBox) -> float | None:
    """The number of a box; None where it says “unknown”."""
    return None if box.value() == box.minimum() else box.value()
