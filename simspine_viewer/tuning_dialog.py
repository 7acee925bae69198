"""The dialog that has a pose model learn from the corrected frames, and asks what to keep."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from simspine_viewer.detecting import Models
from simspine_viewer.document import Document
from simspine_viewer.target_dialog import grow
from simspine_viewer.tuning import Tuning

MEANING = (
    "A copy of the model learns from the frames in which you placed points of person {}: their"
    " final points in every view. The last fifth of these frames is not taught, but shows whether"
    " it helped. The model itself stays as it is, and nothing is kept without asking."
)
# Least and most, and how many are usual (resources/training/fine_tuning.toml).
STEPS, USUAL = (10, 5000), 240


class TuningDialog(QDialog):
    """Asks for a model and follows the run; closing it lets the run go on."""

    def __init__(
        self, document: Document, models: Models, tuning: Tuning, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._document, self._models, self._tuning = document, models, tuning
        self._kept = False
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Fine-Tune a Pose Model")
        self.resize(500, 230)
        self.model_box = QComboBox()
        form = QFormLayout()
        form.addRow("Model", self.model_box)
        self.steps = QSpinBox()
        self.steps.setRange(*STEPS)
        self.steps.setValue(USUAL)
        self.steps.setSingleStep(20)
        self.steps.setToolTip("More steps take longer; the best state on the way is what is kept.")
        form.addRow("Steps", self.steps)
        self.meaning, self.doing, self.outcome = QLabel(), QLabel(), QLabel()
        for label in (self.meaning, self.doing, self.outcome):
            label.setWordWrap(True)
        for label in (self.meaning, self.doing):
            label.setProperty("role", "muted")
        self.bar = QProgressBar()
        self.bar.setRange(0, 1000)
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(8)
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        role = QDialogButtonBox.ButtonRole.ActionRole
        self.keep: QPushButton = self.buttons.addButton("Keep as a New Model", role)
        self.button: QPushButton = self.buttons.addButton("Fine-Tune", role)
        self.button.setDefault(True)
        self.keep.setAutoDefault(False)
        self.buttons.button(QDialogButtonBox.StandardButton.Close).setAutoDefault(False)
        self.button.clicked.connect(self._pressed)
        self.keep.clicked.connect(self._keep)
        self.buttons.rejected.connect(self.reject)
        box = QVBoxLayout(self)
        box.addLayout(form)
        box.addWidget(self.meaning)
        box.addWidget(self.outcome)
        box.addStretch(1)
        for widget in (self.bar, self.doing, self.buttons):
            box.addWidget(widget)
        models.changed.connect(self._list)
        models.said.connect(self.doing.setText)
        models.failed.connect(self._not_kept)
        tuning.changed.connect(self._changed)
        tuning.progressed.connect(self._progress)
        tuning.failed.connect(self.doing.setText)
        document.closed.connect(self.reject)
        models.want()
        self._list()

    def _list(self) -> None:
        """The models that are here."""
        chosen = self.model_box.currentData()
        self.model_box.clear()
        for entry in self._models.there:
            self.model_box.addItem(str(entry["title"]), entry["name"])
        if self.model_box.count():
            self.model_box.setCurrentIndex(max(self.model_box.findData(chosen), 0))
        self.refresh()

    def _changed(self) -> None:
        if self._tuning.job is None and self._tuning.result is not None:
            self.doing.clear()
        self.refresh()

    def refresh(self) -> None:
        """Show whether a run is under way, and what the last one came to."""
        if not self._document.is_open:
            return
        running, found = self._tuning.job is not None, self._tuning.result
        self.meaning.setText(MEANING.format(self._document.person + 1))
        for widget in (self.model_box, self.steps):
            widget.setEnabled(not running)
        self.button.setText("Cancel" if running else "Fine-Tune")
        self.button.setEnabled(running or self.model_box.count() > 0)
        self.bar.setVisible(running)
        self.outcome.setVisible(found is not None)
        self.keep.setVisible(self._tuning.weights is not None)
        self.keep.setEnabled(not self._kept)
        if running:
            self._progress()
        if found is not None:
            before, after = (found[when]["error_px"] for when in ("before", "after"))
            taught = f"{found['taught']} pictures of {found['frames']} corrected frames"
            self.outcome.setText(
                f"It learnt from {taught}. In the {found['judged']} pictures of the last ones its"
                f" points were {before:.2f} px from yours before and {after:.2f} px after (pixels"
                " of the network's input)."
                + ("" if found["better"] else " It did not get better, so nothing was kept.")
            )
        grow(self)

    def _progress(self) -> None:
        job = self._tuning.job
        if job is not None:
            self.bar.setValue(round(1000 * job.fraction))
            self.doing.setText(job.text)

    def _pressed(self) -> None:
        if self._tuning.job is not None:
            self._tuning.cancel()
            return
        self._kept = False
        self.doing.clear()
        self._tuning.start(
            self.model_box.currentData(), self.model_box.currentText(), self.steps.value()
        )

    def _keep(self) -> None:
        weights = self._tuning.weights
        if weights is not None:
            self._kept = True
            self._models.add(str(weights))
            self.refresh()

    def _not_kept(self, sentence: str) -> None:
        self._kept = False
        self.doing.setText(sentence)
        self.refresh()
