"""The dialog that asks for a training set: views, frames and folder; and what is said of one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QFormLayout,
    QLabel,
    QSpinBox,
    QWidget,
)

from pipeline.data.sequence import Sequence
from simspine_viewer.target_dialog import TargetDialog

# Offered at first: pictures that follow each other look alike.
_EVERY = 10
_MOST = 1000


@dataclass(frozen=True, slots=True)
class TrainingSetChoice:
    """What is to be written; ``views`` None for all, ``frames``: first and one after the last."""

    path: Path
    views: tuple[str, ...] | None
    frames: tuple[int, int]
    every: int
    corrected_only: bool


@dataclass(frozen=True, slots=True)
class Annotated:
    """The annotated person, the selected range of frames if any, and if they have a body model."""

    person: int = 0
    selected: tuple[int, int] | None = None
    has_model: bool = False


class TrainingSetDialog(TargetDialog):
    """Views, frames and folder of a training set."""

    def __init__(
        self,
        project: Path,
        sequence: Sequence,
        who: Annotated,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(project.parent, parent)
        self.setWindowTitle(f"Export Training Set of Person {who.person + 1}")
        self.views = QComboBox()
        fill_views(self.views, sequence)
        self.frames = QComboBox()
        n_frames = sequence.n_frames
        if who.selected is not None:
            first, stop = who.selected
            self.frames.addItem(f"The range {first} to {stop - 1}", who.selected)
        self.frames.addItem(f"All {n_frames} frames", (0, n_frames))
        self.every = QSpinBox()
        self.every.setRange(1, _MOST)
        self.every.setValue(min(_EVERY, max(1, n_frames // _EVERY)))
        self.every.setToolTip(
            "1 takes every frame, 10 every tenth: pictures that follow each other look alike."
        )
        self.corrected = QCheckBox("Only frames with corrections")
        self.corrected.setToolTip("Those in which a point of this person was placed or flagged.")
        self.number = QLabel()
        form = QFormLayout()
        form.addRow("Views", self.views)
        form.addRow("Frames", self.frames)
        form.addRow("One frame in", self.every)
        form.addRow("", self.corrected)
        form.addRow("Pictures", self.number)
        form.addRow("To", self.target_line())
        points = "final points and body model put together" if who.has_model else "the final points"
        note = QLabel(
            f"Pictures with this person's labels in them, in COCO's form: {points}, projected; "
            "what you placed in a view goes first. Points behind the person's own body are marked "
            "as hidden. Pictures whose labels are not to be trusted are left out."
        )
        self.lay_out(form, note)
        for changed in (
            self.views.currentIndexChanged, self.frames.currentIndexChanged,
            self.every.valueChanged, self.corrected.toggled,
        ):  # fmt: skip
            changed.connect(self._count)
        self._count()
        self.path.setText(str(self.folder / f"{project.stem}_training_set"))

    def _count(self) -> None:
        choice = self.choice()
        first, stop = choice.frames
        n_views = self.views.count() - 1 if choice.views is None else 1
        at_most = n_views * -(-(stop - first) // choice.every)
        self.number.setText(f"At most {at_most}")
        self.every.setEnabled(not choice.corrected_only)

    def is_folder(self) -> bool:
        """A set is a folder."""
        return True

    def replaced(self, name: str) -> str:
        """What becomes of a folder that exists."""
        return (
            f"{name} exists: an earlier training set will be replaced, a folder of other things is "
            "left alone."
        )

    def choice(self) -> TrainingSetChoice:
        """The answer; no corrected frame is passed over."""
        corrected = self.corrected.isChecked()
        return TrainingSetChoice(
            self.target(),
            self.views.currentData(),
            self.frames.currentData(),
            1 if corrected else self.every.value(),
            corrected,
        )


def fill_views(box: QComboBox, sequence: Sequence) -> None:
    """Offer all views that have a video, and each of them: a tuple of names, None for all."""
    names = [
        camera.name
        for camera, video in zip(sequence.cameras, sequence.info.videos, strict=True)
        if video.path is not None
    ]
    box.addItem(f"All {len(names)} views with a video", None)
    for name in names:
        box.addItem(name, (name,))


def ask_training_set(
    parent: QWidget, project: Path, sequence: Sequence, who: Annotated
) -> TrainingSetChoice | None:
    """Which set is to be written."""
    dialog = TrainingSetDialog(project, sequence, who, parent)
    return dialog.choice() if dialog.exec() == QDialog.DialogCode.Accepted else None


def told(result: dict[str, Any]) -> str:
    """One sentence on what a set came to, of the job's result."""
    left_out: dict[str, int] = result["left_out"]
    number = result["pictures"]
    written = f"{number} picture{'s' * (number != 1)} written"
    if not left_out:
        return f"{written}."
    reasons = "; ".join(f"{n} {words}" for words, n in left_out.items())
    return f"{written}, {sum(left_out.values())} left out: {reasons}."
