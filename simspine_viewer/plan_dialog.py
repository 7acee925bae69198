"""The Open dialog: which video and which detections belong to which camera, to be mended here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QHeaderView,
    QLabel,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from pipeline.data.errors import UserError
from pipeline.data.skeleton import load_skeleton, shipped_skeletons
from pipeline.io.recording import RecordingPlan, ViewPlan
from simspine_viewer.panels import FindingsPanel
from simspine_viewer.plan_mending import (
    all_views,
    fault,
    mended,
    offered_files,
    with_other_calibration,
)
from simspine_viewer.theme import Theme

UPS = {"z": "Z is up (Pose2Sim, Qualisys, Human3.6M)", "y": "Y is up", "-y": "Y is down"}


class PlanDialog(QDialog):
    """Shows a plan and lets it be changed; :meth:`plan` is the answer."""

    def __init__(self, plan: RecordingPlan, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(f"Open “{plan.name}”")
        self.resize(820, 560)
        self._plan = plan
        self._views: tuple[ViewPlan, ...] = ()
        self._calibration_fault = ""
        self._videos, self._detections = offered_files(plan)
        found = [p for p in (plan.calibration, *plan.alternatives) if p is not None]
        named = [(_short(path, plan.root), path) for path in found]
        self.calibration = _combo(named or [("none found", None)])
        self.up = _combo([(text, key) for key, text in UPS.items()], plan.up)
        skeletons = [(load_skeleton(name).title, name) for name in shipped_skeletons()]
        self.skeleton = _combo([("Recognise from the files", None), *skeletons], plan.skeleton)
        self.table = QTableWidget(0, 3)
        self.table.setHorizontalHeaderLabels(["Camera", "Video", "Detections"])
        self.table.verticalHeader().hide()
        self.table.horizontalHeader().setDefaultAlignment(
            Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        )
        self.table.setSelectionMode(QTableWidget.SelectionMode.NoSelection)
        self.table.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.table.setShowGrid(False)
        self.table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        self.findings = FindingsPanel()
        self.findings.set_theme(theme)
        self.findings.setMaximumHeight(170)
        self.problem = QLabel()
        self.problem.setProperty("role", "warning")
        self.problem.setWordWrap(True)
        self.buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Open | QDialogButtonBox.StandardButton.Cancel
        )
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        form = QFormLayout()
        form.addRow("Calibration", self.calibration)
        form.addRow("Up axis of its world", self.up)
        form.addRow("Skeleton of the detections", self.skeleton)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        box = QVBoxLayout(self)
        box.addWidget(QLabel("Check that each camera has its own video and detections."))
        box.addWidget(self.table, 1)
        box.addLayout(form)
        box.addWidget(QLabel("Findings"))
        box.addWidget(self.findings)
        box.addWidget(self.problem)
        box.addWidget(self.buttons)
        self.calibration.currentIndexChanged.connect(self._other_calibration)
        self._fill()

    def _fill(self) -> None:
        self._views = all_views(self._plan)
        self.table.setRowCount(len(self._views))
        for row, view in enumerate(self._views):
            camera = QTableWidgetItem(view.camera)
            camera.setFlags(Qt.ItemFlag.ItemIsEnabled)
            self.table.setItem(row, 0, camera)
            for column, options, chosen in (
                (1, self._videos, view.video),
                (2, self._detections, view.detections),
            ):
                named = [(_short(path, self._plan.root), path) for path in options]
                combo = _combo([("none", None), *named], chosen)
                combo.setAccessibleName(f"{('Video', 'Detections')[column - 1]} of {view.camera}")
                combo.currentIndexChanged.connect(self._check)
                self.table.setCellWidget(row, column, combo)
                self.table.setRowHeight(row, combo.sizeHint().height() + 4)
        self._check()

    def _other_calibration(self) -> None:
        """Read the chosen calibration, keeping what was mended as far as its cameras allow."""
        self._calibration_fault = ""
        try:
            self._plan = with_other_calibration(
                self.plan(), self.calibration.currentData(), self._videos, self._detections
            )
        except UserError as error:
            self._calibration_fault = str(error)
            self._check()
            return
        self._fill()

    def _check(self) -> None:
        """Say what is wrong before anything is read; only a sound plan can be opened."""
        plan = self.plan()
        problem = self._calibration_fault or fault(plan)
        self.findings.set_findings(plan.findings)
        self.problem.setText(problem)
        self.problem.setVisible(bool(problem))
        self.buttons.button(QDialogButtonBox.StandardButton.Open).setEnabled(not problem)

    def plan(self) -> RecordingPlan:
        """The plan as it stands in the dialog."""
        views = [
            ViewPlan(view.camera, self._choice(row, 1), self._choice(row, 2), view.sync)
            for row, view in enumerate(self._views)
        ]
        up, skeleton = self.up.currentData(), self.skeleton.currentData()
        return replace(mended(self._plan, views), up=up, skeleton=skeleton)

    def _choice(self, row: int, column: int) -> Path | None:
        combo = self.table.cellWidget(row, column)
        assert isinstance(combo, QComboBox)
        path = combo.currentData()
        return path if isinstance(path, Path) else None


def ask_plan(parent: QWidget, plan: RecordingPlan, theme: Theme) -> RecordingPlan | None:
    """Show a plan; the mended plan, or None if it was not to be opened."""
    dialog = PlanDialog(plan, theme, parent)
    return dialog.plan() if dialog.exec() == QDialog.DialogCode.Accepted else None


def _short(path: Path, root: Path) -> str:
    return str(path.relative_to(root)) if path.is_relative_to(root) else path.name


def _combo(options: Iterable[tuple[str, object]], chosen: object = None) -> QComboBox:
    combo = QComboBox()
    for text, data in options:
        combo.addItem(text, data)
        if data == chosen:  # QComboBox.findData compares Python objects by identity
            combo.setCurrentIndex(combo.count() - 1)
    return combo
