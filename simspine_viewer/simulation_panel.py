"""The simulation panel: what is asked of the simulator, what came out, and the frame's angles."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QElapsedTimer, QSignalBlocker, QTimer
from PySide6.QtWidgets import (
    QComboBox,
    QFormLayout,
    QHBoxLayout,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from simspine_viewer.curves_data import ANGLES
from simspine_viewer.document import Document
from simspine_viewer.file_box import FileBox
from simspine_viewer.poses import Poses
from simspine_viewer.selection import Selection
from simspine_viewer.simulation_controls import (
    number_box,
    text_label,
    value_of,
    value_table,
    with_unit,
)
from simspine_viewer.simulation_weights import PartWeights
from simspine_viewer.simulations import SimulationChoice, Simulations
from simspine_viewer.stage_shares import Shares, shares_of
from simspine_viewer.time_cursor import TimeCursor

if TYPE_CHECKING:
    from simspine_viewer.pose import Pose

# Bounds of what may be asked for; below the first value a spin box says "unknown".
HEIGHTS, MASSES, CUTOFFS = (0.5, 2.5), (5.0, 300.0), (1.0, 20.0)
VARIANTS = {"core": "11 free angles", "extended": "13 free angles"}
ENGINES = {"fast": "Our own", "opensim": "OpenSim’s, slow"}
STAGES = ("Seen in pictures", "Triangulated", "Solved over time", "Body model")
SHOWN_MS = 100  # numbers follow a drag and play this often


class SimulationPanel(QWidget):
    """Scales a body model to the annotated person and shows what it says of the frame."""

    def __init__(
        self,
        document: Document,
        cursor: TimeCursor,
        selection: Selection,
        simulations: Simulations,
        poses: Poses,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._document, self._cursor, self._selection = document, cursor, selection
        self._simulations, self._poses = simulations, poses
        box = QVBoxLayout(self)
        box.setContentsMargins(6, 6, 6, 6)
        box.addLayout(self._asked())
        self.weights = PartWeights(simulations)
        box.addWidget(self.weights)
        box.addLayout(self._run())
        self.result = text_label("muted")
        box.addWidget(self.result)
        self.heading = text_label("heading")
        box.addWidget(self.heading)
        self.angles, lines = value_table(tuple(name for name, _ in ANGLES.values()))
        box.addLayout(lines)
        self.keypoint = text_label("heading")
        box.addWidget(self.keypoint)
        self.shares, lines = value_table(STAGES)
        box.addLayout(lines)
        self.verdict = text_label("warning")
        box.addWidget(self.verdict)
        box.addStretch(1)
        self._shown = QElapsedTimer()
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.timeout.connect(self._show_frame)
        simulations.changed.connect(self.refresh)
        for signal in (
            cursor.moved, selection.changed, document.preview_changed,
            document.pose_changed, document.changed,
        ):  # fmt: skip
            signal.connect(self._frame_changed)
        self.refresh()

    def _asked(self) -> QFormLayout:
        self.height_box = number_box(HEIGHTS, 0.01, "m", "Stature", 2)
        self.height_box.setToolTip(
            "Bounds the size of every segment. Unknown: taken from the long bones."
        )
        self.mass_box = number_box(MASSES, 1.0, "kg", "Mass", 1)
        self.mass_box.setToolTip("Unknown: follows from the size of the segments.")
        self.variant_box = QComboBox()
        for name, title in VARIANTS.items():
            self.variant_box.addItem(title, name)
        self.variant_box.setToolTip(
            "How freely the spine bends: with 13 angles, lower and upper thorax and neck bend"
            " apart. More freedom needs better points."
        )
        self.cutoff_box = number_box(CUTOFFS, 0.5, "Hz", "Smoothing", 1, unknown=False)
        self.cutoff_box.setToolTip("Motion faster than this is taken for noise in the labels.")
        self.model_box = FileBox("Our own", "Choose a body model", "OpenSim models (*.osim)")
        self.model_box.setAccessibleName("Model")
        self.markers_box = FileBox(
            "The model’s own", "Choose markers for the model", "OpenSim marker sets (*.xml)"
        )
        self.markers_box.setAccessibleName("Markers")
        self.engine_box = QComboBox()
        for name, title in ENGINES.items():
            self.engine_box.addItem(title, name)
        self.engine_box.setToolTip(
            "What solves the frames. OpenSim’s own solver takes some hundred times longer; while a"
            " point is dragged ours is used."
        )
        self.form = form = QFormLayout()
        form.addRow("Model", self.model_box)
        form.addRow("Markers", self.markers_box)
        form.addRow("Solver", self.engine_box)
        form.addRow("Stature", self.height_box)
        form.addRow("Mass", self.mass_box)
        form.addRow("Spine", self.variant_box)
        form.addRow("Smoothing", self.cutoff_box)
        for file in (self.model_box, self.markers_box):
            file.chosen.connect(self._take)
        for chosen in (self.variant_box, self.engine_box):
            chosen.activated.connect(self._take)
        for number in (self.height_box, self.mass_box, self.cutoff_box):
            number.valueChanged.connect(self._take)
        return form

    def _run(self) -> QHBoxLayout:
        self.button = QPushButton("Simulate")
        self.button.clicked.connect(self._pressed)
        self.bar = QProgressBar()
        self.bar.setRange(0, 1000)
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(8)
        line = QHBoxLayout()
        line.addWidget(self.button)
        line.addWidget(self.bar, 1)
        line.addStretch(0)
        return line

    def _take(self) -> None:
        """What the controls ask for is kept with the project."""
        if not self._document.is_open:
            return
        self._simulations.set_choice(
            SimulationChoice(
                self.variant_box.currentData(),
                value_of(self.height_box),
                value_of(self.mass_box),
                self.cutoff_box.value(),
                self._simulations.choice.weights,
                self.model_box.file,
                self.markers_box.file,
                self.engine_box.currentData(),
            )
        )

    def _pressed(self) -> None:
        if self._simulations.job is None:
            self._simulations.start()
        else:
            self._simulations.cancel()

    def refresh(self) -> None:
        """Show what is asked for and what there is."""
        simulations, is_open = self._simulations, self._document.is_open
        choice, job, subject = simulations.choice, simulations.job, simulations.subject
        for control, value in (
            (self.height_box, choice.height), (self.mass_box, choice.mass),
            (self.cutoff_box, choice.cutoff),
        ):  # fmt: skip
            with QSignalBlocker(control):
                control.setValue(control.minimum() if value is None else value)
        self.variant_box.setCurrentIndex(self.variant_box.findData(choice.variant))
        self.engine_box.setCurrentIndex(self.engine_box.findData(choice.engine))
        self.model_box.show_file(choice.model)
        self.markers_box.show_file(choice.marker_set)
        self.form.setRowVisible(self.markers_box, bool(choice.model))
        self.form.setRowVisible(self.variant_box, not choice.model)
        for box in (
            self.height_box, self.mass_box, self.cutoff_box, self.variant_box, self.engine_box,
            self.model_box, self.markers_box,
        ):  # fmt: skip
            box.setEnabled(is_open and job is None)
        self.weights.refresh(is_open and job is None)
        again = "Simulate" if subject is None else "Simulate anew"
        self.button.setText("Cancel" if job is not None else again)
        self.button.setEnabled(is_open)
        self.bar.setVisible(job is not None)
        if job is not None:
            self.bar.setValue(round(1000 * job.fraction))
            self.result.setText(f"{job.text}…")
        else:
            self.result.setText(_said(is_open, simulations))
        self._show_frame()

    def _frame_changed(self) -> None:
        """One step is shown at once; of many in a row some, and the last."""
        since = self._shown.elapsed() if self._shown.isValid() else SHOWN_MS
        if since >= SHOWN_MS:
            self._show_frame()
        elif not self._later.isActive():
            self._later.start(SHOWN_MS - since)

    def showEvent(self, event) -> None:  # type: ignore[no-untyped-def]
        super().showEvent(event)
        self._show_frame()

    def _show_frame(self) -> None:
        if not self.isVisible():
            return
        self._shown.start()
        document, frame = self._document, self._cursor.frame
        there = document.is_open and frame < document.sequence.n_frames
        pose = document.pose_at(frame) if there else None
        self._show_angles(pose, frame)
        keypoint = self._selection.keypoint if there else -1
        chosen = keypoint >= 0 and pose is not None
        for label in (self.keypoint, *self.shares):
            label.setVisible(chosen)
        self.verdict.setVisible(False)
        if chosen:
            points, subject = document.points_at(frame), self._poses.subject
            dragged = document.preview
            if dragged is not None and dragged.frame != frame:
                dragged = None
            self._show_shares(shares_of(points, pose, subject, keypoint, dragged), keypoint)

    def _show_angles(self, pose: Pose | None, frame: int) -> None:
        for label in (self.heading, *self.angles):
            label.setVisible(pose is not None)
        if pose is None:
            return
        from pipeline.kinematics.angles import beyond_limits, intervertebral_angles, posture

        bodies = pose.ground_from_body[None]
        found = posture(pose.model, bodies)
        live = ", in the drag" if pose.live else ""
        self.heading.setText(f"Frame {frame}{live}")
        rows = zip(self.angles[::2], self.angles[1::2], ANGLES.items(), strict=True)
        for label, value, (name, (title, unit)) in rows:
            number = float(getattr(found, name)[0])
            scale = 1000.0 if unit == "mm" else 180.0 / np.pi
            value.setText(with_unit(number * scale, unit))
            value.setAccessibleName(title)
            for part in (label, value):  # a model may lack the vertebrae that an angle is of
                part.setVisible(bool(np.isfinite(number)))
        between = intervertebral_angles(pose.model, bodies)
        beyond = int((beyond_limits(between) > 0.0).sum())
        if beyond:
            joints = "joint goes" if beyond == 1 else "joints go"
            self.heading.setText(f"{self.heading.text()}: {beyond} {joints} beyond the usual")

    def _show_shares(self, shares: Shares, keypoint: int) -> None:
        name = self._document.sequence.info.skeleton.keypoints[keypoint].marker
        self.keypoint.setText(f"{name}: what each stage leaves")
        for value, text in zip(
            self.shares[1::2],
            (
                with_unit(shares.seen, "px"),
                with_unit(shares.triangulated, "mm", "±"),
                with_unit(shares.smoothed, "mm", "moved "),
                with_unit(shares.model, "mm", "off by "),
            ),
            strict=True,
        ):
            value.setText(text)
        if shares.cannot_follow:
            self.verdict.setText(
                f"The model cannot follow this point: it stays {shares.model:.0f} mm away, and more"
                f" than {shares.expected:.0f} mm is not chance. Either the point is wrong, or this"
                " body is built otherwise."
            )
            self.verdict.setVisible(True)


def _said(is_open: bool, simulations: Simulations) -> str:
    subject = simulations.subject
    if simulations.failure:
        return simulations.failure
    if not is_open:
        return "Open a recording to simulate the person in it."
    if subject is None:
        return (
            "A body model with 24 vertebrae is scaled to the person and follows the points."
            " It gives angles, the parts of the spine that nobody saw, and labels that a body can"
            " have."
        )
    report = subject.report
    text = (
        f"Scaled on {report['frames']} frames, {report['mass']:.0f} kg. Half of its points lie"
        f" within {1000 * report['median_error']:.0f} mm of the measured ones."
    )
    text = " ".join((text, *report.get("notes", ())))
    return f"{text} What is asked for has changed since." if simulations.is_outdated else text
