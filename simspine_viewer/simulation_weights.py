"""The folded section of the simulation panel: how much each part of the body counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtWidgets import QFormLayout, QToolButton, QVBoxLayout, QWidget

from simspine_viewer.simulation_controls import NumberBox

if TYPE_CHECKING:
    from simspine_viewer.simulations import Simulations

# As pipeline.kinematics.part_weights has them, which loads the solver's modules.
TITLES = {"head": "Head", "column": "Column", "arms": "Arms", "pelvis": "Pelvis", "legs": "Legs"}
HIGHEST = 10.0


class PartWeights(QWidget):
    """Boxes from 0 to 10 for the parts of the body, hidden until they are asked for."""

    def __init__(self, simulations: Simulations, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._simulations = simulations
        self.fold = QToolButton()
        self.fold.setText("Weights by part")
        self.fold.setCheckable(True)
        self.fold.setAutoRaise(True)
        self.fold.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.fold.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.fold.setToolTip("How much each part of the body counts")
        self.boxes = {part: _box(title) for part, title in TITLES.items()}
        self.rows = QWidget()
        form = QFormLayout(self.rows)
        form.setContentsMargins(0, 0, 0, 0)
        for part, title in TITLES.items():
            form.addRow(title, self.boxes[part])
            self.boxes[part].valueChanged.connect(self._take)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.fold)
        column.addWidget(self.rows)
        self.fold.toggled.connect(self._unfold)
        self._unfold(False)

    def refresh(self, enabled: bool) -> None:
        """Show what is asked for."""
        weights = self._simulations.choice.weights
        for part, box in self.boxes.items():
            with QSignalBlocker(box):
                box.setValue(weights.get(part, 1.0))
            box.setEnabled(enabled)

    def _unfold(self, shown: bool) -> None:
        self.rows.setVisible(shown)
        self.fold.setArrowType(Qt.ArrowType.DownArrow if shown else Qt.ArrowType.RightArrow)

    def _take(self) -> None:
        self._simulations.set_weights({part: box.value() for part, box in self.boxes.items()})


def _box(title: str) -> NumberBox:
    box = NumberBox()
    box.setRange(0.0, HIGHEST)
    box.setDecimals(1)
    box.setSingleStep(0.5)
    box.setKeyboardTracking(False)
    box.setAccessibleName(f"Weight: {title}")
    box.setToolTip(
        "How much the points of this part count: 1 is usual, 0 leaves them out. Every frame is"
        " solved anew."
    )
    return box
