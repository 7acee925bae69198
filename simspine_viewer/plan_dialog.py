"""The Open dialog: which video and which detections belong to which camera, to be mended here."""

from __future__ import annotations

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
from pipeline.io.recording import RecordingPlan, ViewPlan, with_calibration
from simspine_viewer.panels import FindingsPanel
from simspine_viewer.theme import Theme

UPS = {"z": "Z is up (Pose2Sim, Qualisys, Human3.6M)", "y": "Y is up", "-y": "Y is down"}


class PlanDialog(QDialog):
    """Shows a plan and lets it be changed; :meth:`plan` is the answer."""

    def __init__(self, plan: RecordingPlan, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(f"Open {plan.name}")
        self.resize(820, 560)
        self._plan = plan
        self._videos = [view.video for view in plan.views if view.video]
        self._detections = [view.detections for view in plan.views if view.detections]
        found = [p for p in (plan.calibration, *plan.alternatives) if p is not None]
        self.calibration = _combo([(_short(path, plan.root), path) for path in found])
        self.up = _combo([(text, key) for key, text in UPS.items()])
        self.up.setCurrentIndex(max(self.up.findData(plan.up), 0))
        skeletons = [(load_skeleton(name).title, name) for name in shipped_skeletons()]
        self.skeleton = _combo([("Recognise from the files", None), *skeletons])
        self.skeleton.setCurrentIndex(max(self.skeleton.findData(plan.skeleton), 0))
        self.table = QTableWidget(0, 3)
        self.table.setHorizontalHeaderLabels(["Camera", "Video", "Detections"])
        self.table.verticalHeader().hide()
        self.table.setSelectionMode(QTableWidget.SelectionMode.NoSelection)
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
        form.addRow("World", self.up)
        form.addRow("Skeleton of the detections", self.skeleton)
        box = QVBoxLayout(self)
        box.addWidget(QLabel("Check that each camera has its own video and detections."))
        box.addWidget(self.table, 1)
        box.addLayout(form)
        box.addWidget(QLabel("Noticed"))
        box.addWidget(self.findings)
        box.addWidget(self.problem)
        box.addWidget(self.buttons)
        self.calibration.currentIndexChanged.connect(self._other_calibration)
        self._fill()

    def _fill(self) -> None:
        self.table.setRowCount(len(self._plan.views))
        for row, view in enumerate(self._plan.views):
            camera = QTableWidgetItem(view.camera)
            camera.setFlags(Qt.ItemFlag.ItemIsEnabled)
            self.table.setItem(row, 0, camera)
            for column, options, chosen in (
                (1, self._videos, view.video),
                (2, self._detections, view.detections),
            ):
                named = [(_short(path, self._plan.root), path) for path in options]
                combo = _combo([("none", None), *named])
                combo.setCurrentIndex(max(combo.findData(chosen), 0))
                combo.setAccessibleName(f"{('Video', 'Detections')[column - 1]} of {view.camera}")
                combo.currentIndexChanged.connect(self._check)
                self.table.setCellWidget(row, column, combo)
        self.table.resizeRowsToContents()
        self.findings.set_findings(self._plan.findings)
        self._check()

    def _other_calibration(self) -> None:
        try:
            self._plan = with_calibration(self._plan, self.calibration.currentData())
        except UserError as error:
            self.problem.setText(str(error))
            self._allow(False)
            return
        self._fill()

    def _check(self) -> None:
        """One video for two cameras is a mistake; say so before anything is read."""
        views = self.plan().views
        for kind in ("video", "detections"):
            used = [getattr(view, kind) for view in views if getattr(view, kind) is not None]
            twice = {path for path in used if used.count(path) > 1}
            if twice:
                name = sorted(path.name for path in twice)[0]
                self.problem.setText(f"{name} is given to two cameras.")
                self._allow(False)
                return
        if self._plan.calibration is None:
            self.problem.setText(
                "There is no calibration here; 3D needs one (.toml or Qualisys .qca.txt)."
            )
        else:
            self.problem.setText("")
        self._allow(self._plan.calibration is not None)

    def _allow(self, allowed: bool) -> None:
        self.buttons.button(QDialogButtonBox.StandardButton.Open).setEnabled(allowed)

    def plan(self) -> RecordingPlan:
        """The plan as it stands in the dialog."""
        views = []
        for row, view in enumerate(self._plan.views):
            video, detections = (self._choice(row, column) for column in (1, 2))
            views.append(ViewPlan(view.camera, video, detections, view.sync))
        return replace(
            self._plan,
            views=tuple(views),
            up=self.up.currentData(),
            skeleton=self.skeleton.currentData(),
        )

    def _choice(self, row: int, column: int) -> Path | None:
        combo = self.table.cellWidget(row, column)
        assert isinstance(combo, QComboBox)
        return combo.currentData()


def ask_plan(parent: QWidget, plan: RecordingPlan, theme: Theme) -> RecordingPlan | None:
    """Show a plan; the mended plan, or None if it was not to be opened."""
    dialog = PlanDialog(plan, theme, parent)
    return dialog.plan() if dialog.exec() == QDialog.DialogCode.Accepted else None


def _short(path: Path, root: Path) -> str:
    return str(path.relative_to(root)) if path.is_relative_to(root) else path.name


def _combo(options: list[tuple[str, object]]) -> QComboBox:
    combo = QComboBox()
    for text, data in options:
        combo.addItem(text, data)
    return combo
