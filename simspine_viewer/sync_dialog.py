"""The dialog in which each camera's video is shifted in time, by hand or as estimated."""

from __future__ import annotations

import math
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
from pipeline.jobs.messages import Done, Ending
from simspine_viewer.dialog_job import DialogJob
from simspine_viewer.document import Document
from simspine_viewer.job_manager import JobManager
from simspine_viewer.refine_dialog import TASK, timing_text

LABEL = "Synchronise cameras"
# Offsets are judged by cameras predicted from two others, as for refining.
MIN_CAMERAS = 3
ESTIMATE_HELP = "Find the offsets from the person's movement."
TOO_FEW = (
    "Needs three cameras or more: with two, nothing tells which of them is late. Set the offset by "
    "eye at a fast movement."
)
OUTDATED = "Cameras, time axes or people have changed meanwhile; estimate again."
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
        self._document, self._place = document, place
        self._shown: list[tuple[float, float]] = []  # in force when the boxes were last set
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
            self._add_row(grid, view, camera.name)
        grid.setColumnStretch(3, 1)
        grid.setHorizontalSpacing(16)
        self.estimate_button = QPushButton("Estimate")
        self.can_estimate = len(document.sequence.cameras) >= MIN_CAMERAS
        self.estimate_button.setToolTip(ESTIMATE_HELP if self.can_estimate else TOO_FEW)
        self.estimate_button.clicked.connect(self.estimate)
        self.estimate_button.setAutoDefault(False)
        self.doing = QLabel()
        self._job = DialogJob(document, jobs, self.doing, self)
        self._job.ended.connect(self._ended)
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
        document.history_changed.connect(self.reload)
        self.reload()

    def _add_row(self, grid: QGridLayout, view: int, name: str) -> None:
        camera, verdict = QLabel(name), QLabel()
        offset, drift = QDoubleSpinBox(), QDoubleSpinBox()
        offset.setRange(-100_000.0, 100_000.0)
        offset.setDecimals(1)
        offset.setSuffix(" frames")
        offset.setToolTip(OFFSET_HELP)
        offset.setAccessibleName(f"Offset of {name} in frames")
        drift.setDecimals(3)
        imported = self._document.sequence.info.syncs[view]
        drift.setRange(*_drifts(imported.rate + imported.drift))
        drift.setSingleStep(0.01)
        drift.setToolTip(DRIFT_HELP)
        drift.setAccessibleName(f"Drift of {name} in frames per {PER}")
        for column, widget in enumerate((camera, offset, drift, verdict)):
            grid.addWidget(widget, view + 1, column)
        for box, boxes in ((offset, self.offsets), (drift, self.drifts)):
            box.valueChanged.connect(lambda _: self._refresh())
            boxes.append(box)
        self.verdicts.append(verdict)

    @property
    def running(self) -> bool:
        """True while offsets are being estimated."""
        return self._job.running

    def reload(self) -> None:
        """Show the corrections that are in force where they are others than before.

        What was typed for other cameras, and not applied yet, stays.
        """
        if not self._document.is_open:
            return
        now = self._in_force()
        before, self._shown = self._shown, now
        for view, (offset, drift) in enumerate(now):
            if not before or before[view] != (offset, drift):
                self.drifts[view].setMinimum(min(self.drifts[view].minimum(), drift * PER))
                self.offsets[view].setValue(offset)
                self.drifts[view].setValue(drift * PER)
        if before != now:
            for verdict in self.verdicts:
                verdict.clear()
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
        self.estimate_button.setEnabled(self.can_estimate)

    def estimate(self) -> None:
        """Start estimating, or stop it."""
        if self.running:
            self._job.cancel()
        else:
            track = self._place.track
            self._job.start(TASK, f"Estimate offsets from person {track + 1}", track)
            self._refresh()

    def _ended(self, ending: Ending) -> None:
        if isinstance(ending, Done) and not self._job.is_current():
            self.doing.setText(OUTDATED)
        elif isinstance(ending, Done):
            self._show_estimates(ending.result["cameras"])
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


def _drifts(rate: float) -> tuple[float, float]:
    """Least and largest drift to choose from, so that time never stands or runs backwards."""
    return -min(100.0, math.floor(0.9 * rate * PER * 1e3) / 1e3), 100.0
