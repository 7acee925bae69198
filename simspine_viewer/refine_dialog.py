"""The dialog that refines the cameras from the annotated person and shows what that would change.

It stays open beside the window while a job works; nothing changes before Apply.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHeaderView,
    QLabel,
    QProgressBar,
    QSizePolicy,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from pipeline.data import edits
from pipeline.data.camera import CameraGroup
from pipeline.data.history import Place
from pipeline.data.patch import Change
from pipeline.jobs.messages import Done, Failed
from simspine_viewer.document import Document
from simspine_viewer.job_manager import JobManager, JobState
from simspine_viewer.quality_monitor import QualityMonitor

TASK = "refine_cameras"
LABEL = "Refine cameras"
COLUMNS = (
    ("Camera", ""),
    ("Moved", "How far the camera moves, in millimetres."),
    ("Turned", "By how much the camera turns, in degrees."),
    (
        "Held-out error",
        "The distance between this camera's points and where the other cameras expect them, in "
        "pixels: the middle value over frames that were not used for refining.",
    ),
    (
        "Time offset",
        "By how many frames this camera's video is late. “Clear”: the points agree much better "
        "there than two frames earlier or later. “Weak”: somewhat better. “Not known”: the person "
        "moves too little to tell.",
    ),
)
MEANING = (
    "The poses of the cameras are fitted to the person's own points; lenses, scale and floor stay "
    "as they are. Do not trust it in parts of the room where the person never was, or where many "
    "points are wrong in the same way."
)
READ_ONLY = "This project is open for looking only; nothing can be applied."
KEPT = "Your calibration file is not changed, and Edit ▸ Undo takes the step back."
OUTDATED = "Cameras or time axes have changed meanwhile; close this and refine again."


class RefineDialog(QDialog):
    """Starts the job when shown; :meth:`apply` makes its result one undo step."""

    def __init__(
        self,
        document: Document,
        jobs: JobManager,
        monitor: QualityMonitor,
        place: Place,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._document, self._jobs, self._place = document, jobs, place
        self.result_data: dict[str, Any] | None = None
        self._job_id: int | None = None
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(f"Refine Cameras from Person {place.track + 1}")
        self.resize(720, 470)
        self.alarm = _text(monitor.alarm.sentence if monitor.alarm else "", "warning")
        self.alarm.setVisible(bool(self.alarm.text()))
        self.progress = QProgressBar()
        self.progress.setRange(0, 1000)
        self.progress.setAccessibleName("How far refining has come")
        self.doing = _text("", "muted")
        self.table = _table()
        self.summary = _text("")
        self.notes = _text("", "warning")
        self.buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Apply | QDialogButtonBox.StandardButton.Close
        )
        self.apply_button = self.buttons.button(QDialogButtonBox.StandardButton.Apply)
        self.close_button = self.buttons.button(QDialogButtonBox.StandardButton.Close)
        self.apply_button.clicked.connect(self.apply)
        self.buttons.rejected.connect(self.reject)
        box = QVBoxLayout(self)
        for widget in (self.alarm, self.progress, self.doing):
            box.addWidget(widget)
        box.addWidget(self.table, 100)
        box.addStretch(1)
        for widget in (self.summary, self.notes, _text(f"{MEANING} {KEPT}", "muted")):
            box.addWidget(widget)
        box.addWidget(self.buttons)
        jobs.changed.connect(self._show_progress)
        jobs.finished.connect(self._finished)
        document.closed.connect(self.reject)
        document.person_changed.connect(self._other_person)
        document.changed.connect(self._check_cameras)
        self._start()

    @property
    def running(self) -> bool:
        """True while the job is at work."""
        return self._job_id is not None

    def _other_person(self, _: int) -> None:
        self.reject()

    def _check_cameras(self, change: Change) -> None:
        """What was fitted to other cameras or time axes must not be applied to these."""
        if change.group != "cameras" or self._is_current():
            return
        self.apply_button.setEnabled(False)
        self.apply_button.setToolTip(OUTDATED)
        self.notes.setText(OUTDATED)
        self.notes.show()

    def _is_current(self) -> bool:
        sequence = self._document.sequence
        return (sequence.cameras, sequence.syncs) == self._fitted_to

    def _start(self) -> None:
        project = self._document.project
        assert project is not None
        self.apply_button.setEnabled(False)
        self.close_button.setText("Cancel")
        self.doing.setText("Starting")
        self.table.hide()
        sequence = self._document.sequence
        self._fitted_to = (sequence.cameras, sequence.syncs)
        self._job_id = self._jobs.submit(
            TASK,
            f"Refine cameras from person {self._place.track + 1}",
            {"project": str(project.path), "track": self._place.track},
            self._document.sequence.revision,
        )

    def _show_progress(self) -> None:
        state = next((s for s in self._jobs.running if s.job.id == self._job_id), None)
        if state is not None:
            self.progress.setValue(round(1000 * state.fraction))
            self.doing.setText(state.text)

    def _finished(self, state: JobState) -> None:
        if state.job.id != self._job_id:
            return
        self._job_id = None
        self.progress.hide()
        self.doing.hide()
        self.close_button.setText("Close")
        if isinstance(state.ending, Done):
            self.result_data = state.ending.result
            self._show_result(state.ending.result)
        elif isinstance(state.ending, Failed):
            self.notes.setText(state.ending.message)
        else:
            self.notes.setText("Refining was cancelled; nothing was changed.")
        self.notes.setVisible(bool(self.notes.text()))

    def _show_result(self, result: dict[str, Any]) -> None:
        self.table.show()
        self.table.setRowCount(len(result["cameras"]))
        for row, camera in enumerate(result["cameras"]):
            texts = (
                camera["name"],
                f"{camera['moved_mm']:.1f} mm",
                f"{camera['turned_deg']:.2f}°",
                f"{_pixels(camera['before'])} → {_pixels(camera['after'])}",
                timing_text(camera),
            )
            for column, text in enumerate(texts):
                self.table.setItem(row, column, QTableWidgetItem(text))
        self.summary.setText(_summary(result))
        self.notes.setText("\n".join(_notes(result)))
        project = self._document.project
        locked = project is not None and project.read_only
        self.apply_button.setEnabled(result["accepted"] and not locked and self._is_current())
        self.apply_button.setToolTip(
            "Use the cameras as listed: one step that can be undone." if result["accepted"] else
            result["reason"]
        )  # fmt: skip
        if result["accepted"]:
            self.apply_button.setDefault(True)
            self.apply_button.setFocus()
        if not self._is_current():
            self.notes.setText(OUTDATED)
        if locked:
            self.notes.setText(f"{READ_ONLY}\n{self.notes.text()}".strip())

    def apply(self) -> None:
        """Let the refined cameras be in force, as one undo step."""
        if self.result_data is None or not self.result_data["accepted"]:
            return
        if not self._is_current():
            return
        sequence = self._document.sequence
        cameras = CameraGroup(
            tuple(
                replace(
                    camera,
                    rotation=np.array(found["rotation"]),
                    translation=np.array(found["translation"]),
                )
                for camera, found in zip(sequence.cameras, self.result_data["cameras"], strict=True)
            )
        )
        self._document.commit(LABEL, edits.set_cameras(sequence, cameras), self._place)
        self.accept()

    def done(self, result: int) -> None:
        """Close, whichever way; a job under way is cancelled."""
        if self._job_id is not None:
            self._jobs.cancel(self._job_id)
            self._job_id = None
        super().done(result)


def timing_text(camera: dict[str, Any]) -> str:
    """What is known of a camera's time, in words."""
    if camera["verdict"] == "none":
        return "not known"
    offset = int(camera["offset"])
    if offset == 0:
        return f"in step ({camera['verdict']})"
    frames = "1 frame" if abs(offset) == 1 else f"{abs(offset)} frames"
    return f"{frames} {'late' if offset > 0 else 'early'} ({camera['verdict']})"


def _summary(result: dict[str, Any]) -> str:
    if result["after"] is None:
        return ""
    before, after = result["before"], result["after"]
    return (
        f"Fitted to {result['points']} points in {len(result['frames'])} frames. In "
        f"{result['checked_frames']} other frames the error goes from {before:.1f} to {after:.1f} "
        f"px ({_change(before, after)})."
    )


def _change(before: float, after: float) -> str:
    share = 1.0 - after / before if before > 0 else 0.0
    return f"{abs(share):.0%} {'less' if share >= 0 else 'more'}"


def _notes(result: dict[str, Any]) -> list[str]:
    notes = [result["reason"]] if result["reason"] else []
    return [*notes, *result["cautions"]]


def _pixels(error: float | None) -> str:
    return "–" if error is None else f"{error:.1f} px"


def _text(text: str, role: str = "") -> QLabel:
    label = QLabel(text)
    label.setWordWrap(True)
    label.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    if role:
        label.setProperty("role", role)
    return label


def _table() -> QTableWidget:
    table = QTableWidget(0, len(COLUMNS))
    table.setAccessibleName("What refining does to each camera")
    for column, (title, help_text) in enumerate(COLUMNS):
        header = QTableWidgetItem(title)
        header.setToolTip(help_text)
        header.setTextAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        table.setHorizontalHeaderItem(column, header)
    table.verticalHeader().hide()
    table.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
    table.setSelectionMode(QTableWidget.SelectionMode.NoSelection)
    table.setShowGrid(False)
    table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
    table.horizontalHeader().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
    table.horizontalHeader().setMinimumSectionSize(90)
    return table
