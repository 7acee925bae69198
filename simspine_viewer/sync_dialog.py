"""The dialog in which each camera's video is shifted in time, by hand or as estimated."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QDoubleSpinBox,
    QGridLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from pipeline.data import edits
from pipeline.data.history import Place
from pipeline.data.patch import Patch
from pipeline.jobs.messages import Done, Failed
from simspine_viewer.document import Document
from simspine_viewer.job_manager import JobManager, JobState
from simspine_viewer.refine_dialog import TASK, timing_text

LABEL = "Synchronise cameras"
PER = 1000  # a drift is shown as video frames per so many frames of the recording
OFFSET_HELP = (
    "Frames of this camera's video to skip: positive where the video is late, that is, where "
    "it shows things later than the other cameras."
)
DRIFT_HELP = (
    "Frames that this camera's video gains on the others every 1000 frames, where its clock runs "
    "fast or slow. It is not estimated."
)
MEANING = (
    "Pictures move in time, and everything detected or placed in them moves with them. Offsets are "
    "estimated from the person's movement while the cameras are refined at each offset, because a "
    "camera that stands elsewhere than the calibration says can look like one that is late."
)


class SyncDialog(QDialog):
    """Shows the corrections in force; Apply makes the changed ones one undo step."""

    def __init__(
        self, document: Document, jobs: JobManager, place: Place, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._document, self._jobs, self._place = document, jobs, place
        self._job_id: int | None = None
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Synchronise Cameras")
        self.resize(640, 400)
        self.offsets: list[QDoubleSpinBox] = []
        self.drifts: list[QDoubleSpinBox] = []
        self.verdicts: list[QLabel] = []
        grid = QGridLayout()
        for column, (title, help_text) in enumerate(
            (
                ("Camera", ""),
                ("Offset", OFFSET_HELP),
                (f"Drift per {PER} frames", DRIFT_HELP),
                (
                    "Estimated from here",
                    "What the person's movement says of the pictures as shown.",
                ),
            )
        ):
            header = QLabel(title)
            header.setProperty("role", "muted")
            header.setToolTip(help_text)
            grid.addWidget(header, 0, column)
        for view, camera in enumerate(document.sequence.cameras):
            self._add_row(grid, view + 1, camera.name)
        grid.setColumnStretch(3, 1)
        grid.setHorizontalSpacing(16)
        self.estimate_button = QPushButton("Estimate")
        self.estimate_button.setToolTip("Find the offsets from the person's movement.")
        self.estimate_button.clicked.connect(self.estimate)
        self.estimate_button.setAutoDefault(False)
        self.doing = QLabel()
        self.doing.setWordWrap(True)
        self.doing.setProperty("role", "muted")
        meaning = QLabel(MEANING)
        meaning.setWordWrap(True)
        meaning.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        meaning.setProperty("role", "muted")
        self.buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Apply | QDialogButtonBox.StandardButton.Close
        )
        self.buttons.addButton(self.estimate_button, QDialogButtonBox.ButtonRole.ActionRole)
        self.apply_button = self.buttons.button(QDialogButtonBox.StandardButton.Apply)
        self.apply_button.clicked.connect(self.apply)
        self.apply_button.setDefault(True)
        self.buttons.button(QDialogButtonBox.StandardButton.Close).setAutoDefault(False)
        self.buttons.rejected.connect(self.reject)
        box = QVBoxLayout(self)
        box.addLayout(grid)
        box.addStretch(1)
        for widget in (self.doing, meaning, self.buttons):
            box.addWidget(widget)
        jobs.changed.connect(self._show_progress)
        jobs.finished.connect(self._finished)
        document.closed.connect(self.reject)
        document.history_changed.connect(self.reload)
        self.reload()

    def _add_row(self, grid: QGridLayout, row: int, name: str) -> None:
        camera, verdict = QLabel(name), QLabel()
        offset, drift = QDoubleSpinBox(), QDoubleSpinBox()
        offset.setRange(-100_000.0, 100_000.0)
        offset.setDecimals(1)
        offset.setSuffix(" frames")
        offset.setToolTip(OFFSET_HELP)
        offset.setAccessibleName(f"Offset of {name} in frames")
        drift.setRange(-100.0, 100.0)
        drift.setDecimals(3)
        drift.setSingleStep(0.01)
        drift.setToolTip(DRIFT_HELP)
        drift.setAccessibleName(f"Drift of {name} in frames per {PER}")
        for column, widget in enumerate((camera, offset, drift, verdict)):
            grid.addWidget(widget, row, column)
        for box, boxes in ((offset, self.offsets), (drift, self.drifts)):
            box.valueChanged.connect(lambda _: self._refresh())
            boxes.append(box)
        self.verdicts.append(verdict)

    @property
    def running(self) -> bool:
        """True while offsets are being estimated."""
        return self._job_id is not None

    def reload(self) -> None:
        """Show the corrections that are in force."""
        if not self._document.is_open:
            return
        for view, (offset, drift) in enumerate(self._in_force()):
            self.offsets[view].setValue(offset)
            self.drifts[view].setValue(drift * PER)
            self.verdicts[view].clear()
        self._refresh()

    def _in_force(self) -> list[tuple[float, float]]:
        """Offset in video frames and drift in video frames per frame, as added by a person."""
        sequence = self._document.sequence
        return [
            (now.offset - imported.offset, now.drift - imported.drift)
            for now, imported in zip(sequence.syncs, sequence.info.syncs, strict=True)
        ]

    def _patches(self) -> tuple[Patch, ...]:
        """What Apply would change; the boxes round, so only boxes that were touched count."""
        patches: list[Patch] = []
        for view, (offset, drift) in enumerate(self._in_force()):
            wanted_offset, wanted_drift = (
                self.offsets[view].value(),
                self.drifts[view].value() / PER,
            )
            if abs(wanted_offset - offset) < 0.051:
                wanted_offset = offset
            if abs(wanted_drift - drift) < 0.51e-3 / PER:
                wanted_drift = drift
            if (wanted_offset, wanted_drift) != (offset, drift):
                patches += edits.set_sync(
                    self._document.sequence, view, wanted_offset, wanted_drift
                )
        return tuple(patches)

    def _refresh(self) -> None:
        self.apply_button.setEnabled(not self.running and bool(self._patches()))
        self.estimate_button.setText("Cancel Estimate" if self.running else "Estimate")

    def estimate(self) -> None:
        """Start estimating, or stop it."""
        project = self._document.project
        if self._job_id is not None:
            self._jobs.cancel(self._job_id)
        elif project is not None:
            self.reload()  # the estimate is for the pictures as they are shown now
            self._job_id = self._jobs.submit(
                TASK,
                f"Estimate offsets from person {self._place.track + 1}",
                {"project": str(project.path), "track": self._place.track},
                self._document.sequence.revision,
            )
            self._refresh()

    def _show_progress(self) -> None:
        state = next((s for s in self._jobs.running if s.job.id == self._job_id), None)
        if state is not None:
            self.doing.setText(f"{state.fraction:.0%} {state.text}")

    def _finished(self, state: JobState) -> None:
        if state.job.id != self._job_id:
            return
        self._job_id = None
        self.doing.setText("")
        if isinstance(state.ending, Done):
            self._show_estimates(state.ending.result["cameras"])
        elif isinstance(state.ending, Failed):
            self.doing.setText(state.ending.message)
        self._refresh()

    def _show_estimates(self, cameras: list[dict[str, Any]]) -> None:
        syncs = self._document.sequence.syncs
        for view, camera in enumerate(cameras):
            self.verdicts[view].setText(timing_text(camera))
            frames = camera["offset"] * (syncs[view].rate + syncs[view].drift)
            self.offsets[view].setValue(self._in_force()[view][0] + frames)
        if all(camera["verdict"] == "none" for camera in cameras):
            self.doing.setText("The person moves too little, or is seen too little, to tell.")
        elif not any(camera["offset"] for camera in cameras):
            self.doing.setText("The cameras are in step.")

    def apply(self) -> None:
        """Let the offsets and drifts be in force, as one undo step."""
        self._document.commit(LABEL, self._patches(), self._place)

    def done(self, result: int) -> None:
        """Close, whichever way; an estimate under way is cancelled."""
        if self._job_id is not None:
            self._jobs.cancel(self._job_id)
            self._job_id = None
        super().done(result)
