"""The dialog that compares two pose models, or one with the detections that are there."""

from __future__ import annotations

import math
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QHeaderView,
    QLabel,
    QProgressBar,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from simspine_viewer.comparing import PRESENT, Comparing
from simspine_viewer.detecting import Models
from simspine_viewer.document import Document
from simspine_viewer.frame_range import FrameRange
from simspine_viewer.person_box import PersonBoxes
from simspine_viewer.selection import Selection
from simspine_viewer.time_cursor import TimeCursor

FIGURES = (
    ("Pictures with the person", "pictures", "{:.0f}", "", ""),
    ("Points in such a picture", "points", "{:.1f}", "", "With a score above 0.3."),
    ("Points of the spine's column", "column", "{:.1f}", "", "Likewise."),
    ("Off the other views, median", "heldout", "{:.1f} px", "heldout_n",
     "From where the other views agree; of the points that both found."),
    ("Off placed points, median", "placed", "{:.1f} px", "placed_n",
     "From points that a person placed; of those that both found."),
    ("Pictures in a second", "per_second", "{:.1f}", "", "On this computer."),
)  # fmt: skip
FURTHEST = ("Frame", "View", "Keypoint", "Apart")
MEANING = (
    "Nothing is changed. While this is open, frames that were looked at show the points of both:"
    " rings the first, squares the second."
)


class CompareDialog(QDialog):
    """Asks for two models and some frames; shows figures of both, and where they differ most."""

    def __init__(
        self,
        document: Document,
        cursor: TimeCursor,
        selection: Selection,
        frames: FrameRange,
        models: Models,
        comparing: Comparing,
        boxes: PersonBoxes,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._document, self._cursor, self._selection = document, cursor, selection
        self._range, self._models = frames, models
        self._comparing, self._boxes = comparing, boxes
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Compare Pose Models")
        self.resize(560, 620)
        self.first_box, self.second_box, self.frames_box = QComboBox(), QComboBox(), QComboBox()
        form = QFormLayout()
        form.addRow("First ○", self.first_box)
        form.addRow("Second □", self.second_box)
        form.addRow("Frames", self.frames_box)
        self.figures = _table(("", "First ○", "Second □"), "Figures of both models")
        self.figures.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        head = self.figures.horizontalHeader()
        head.setSectionResizeMode(0, QHeaderView.ResizeMode.ResizeToContents)
        self.furthest = _table(FURTHEST, "Where the models differ most")
        self.furthest.itemSelectionChanged.connect(self._go)
        self.bar = QProgressBar()
        self.bar.setRange(0, 1000)
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(8)
        self.doing, self.meaning = QLabel(), QLabel(MEANING)
        for label in (self.doing, self.meaning):
            label.setWordWrap(True)
            label.setProperty("role", "muted")
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        self.button = QPushButton("Compare")
        self.button.clicked.connect(self._pressed)
        self.buttons.addButton(self.button, QDialogButtonBox.ButtonRole.ActionRole)
        self.button.setDefault(True)
        self.buttons.button(QDialogButtonBox.StandardButton.Close).setAutoDefault(False)
        self.buttons.rejected.connect(self.reject)
        box = QVBoxLayout(self)
        box.addLayout(form)
        box.addWidget(self.figures)
        box.addWidget(QLabel("Where they differ most"))
        box.addWidget(self.furthest, 1)
        for widget in (self.bar, self.doing, self.meaning, self.buttons):
            box.addWidget(widget)
        models.changed.connect(self._list)
        comparing.changed.connect(self.refresh)
        comparing.progressed.connect(self._progress)
        comparing.failed.connect(self.doing.setText)
        comparing.said.connect(self.doing.setText)
        frames.changed.connect(self._fill_frames)
        cursor.moved.connect(self._fill_frames)
        document.closed.connect(self.reject)
        models.want()
        self._fill_frames()
        self._list()

    def _list(self) -> None:
        """The models that are here, and what is there now."""
        there = [(str(one["title"]), str(one["name"])) for one in self._models.there]
        entries = [("Present detections", PRESENT), *there]
        for place, box in enumerate((self.first_box, self.second_box)):
            chosen = box.currentData()
            box.clear()
            for title, name in entries:
                box.addItem(title, name)
            found = -1 if chosen is None else box.findData(chosen)
            box.setCurrentIndex(found if found >= 0 else min(place, len(entries) - 1))
        self.refresh()

    def _fill_frames(self, *_: object) -> None:
        if not self._document.is_open:
            return
        n, now = self._document.sequence.n_frames, self._cursor.frame
        choices = [(f"20 of all {n} frames" if n > 20 else f"All {n} frames", (0, n))]
        choices.append((f"Frame {now}", (now, now + 1)))
        if self._range:
            first, stop = self._range.start, self._range.stop
            some = "20 frames of the range" if stop - first > 20 else "The range"
            choices.append((f"{some} {first} to {stop - 1}", (first, stop)))
        place = max(self.frames_box.currentIndex(), 0)
        self.frames_box.clear()
        for title, span in choices:
            self.frames_box.addItem(title, span)
        self.frames_box.setCurrentIndex(min(place, len(choices) - 1))

    def refresh(self) -> None:
        """Show whether a run is under way, and what the last one came to."""
        running = self._comparing.job is not None
        for widget in (self.first_box, self.second_box, self.frames_box):
            widget.setEnabled(not running)
        self.button.setText("Cancel" if running else "Compare")
        self.button.setEnabled(running or bool(self._models.there))
        self.bar.setVisible(running)
        if running:
            self.doing.clear()
            self._progress()
        found = self._comparing.result
        if found is None:
            for table in (self.figures, self.furthest):
                table.setRowCount(0)
            self.figures.setHorizontalHeaderLabels(["", "First ○", "Second □"])
        elif not running:
            self.doing.setText(f"{found['asked']} pictures were looked at.")
            self._show(found)

    def _show(self, found: dict[str, Any]) -> None:
        one, other = found["figures"]
        heads = [f"{mark} {one_of['title']}" for mark, one_of in (("○", one), ("□", other))]
        self.figures.setHorizontalHeaderLabels(["", *heads])
        self.figures.setRowCount(len(FIGURES))
        for row, (title, name, form, count, meaning) in enumerate(FIGURES):
            texts = [title]
            for figures in (one, other):
                value = figures[name]
                of = f" (of {figures[count]})" if count else ""
                texts.append("–" if math.isnan(value) else form.format(value) + of)
            for column, text in enumerate(texts):
                item = QTableWidgetItem(text)
                item.setToolTip(meaning)
                self.figures.setItem(row, column, item)
        height = self.figures.horizontalHeader().height() + 4
        self.figures.setFixedHeight(height + len(FIGURES) * self.figures.rowHeight(0))
        names = [camera.name for camera in self._document.sequence.cameras]
        points = self._document.sequence.info.skeleton.keypoints
        self.furthest.setRowCount(len(found["furthest"]))
        for row, (frame, view, keypoint, apart) in enumerate(found["furthest"]):
            texts = [str(frame), names[view], points[keypoint].marker, f"{apart:.1f} px"]
            for column, text in enumerate(texts):
                self.furthest.setItem(row, column, QTableWidgetItem(text))

    def _go(self) -> None:
        """To the picture and the keypoint of the chosen row."""
        rows, found = self.furthest.selectionModel().selectedRows(), self._comparing.result
        if rows and found is not None:
            frame, view, keypoint, _ = found["furthest"][rows[0].row()]
            self._cursor.set_frame(frame)
            self._selection.set(keypoint, view)

    def _progress(self) -> None:
        job = self._comparing.job
        if job is not None:
            self.bar.setValue(round(1000 * job.fraction))
            self.doing.setText(job.text)

    def _pressed(self) -> None:
        if self._comparing.job is not None:
            self._comparing.cancel()
            return
        models = (self.first_box.currentData(), self.second_box.currentData())
        if models[0] == models[1]:
            self.doing.setText("Choose two different models.")
            return
        boxes = [(*place, *box) for place, box in self._boxes.boxes.items()]
        self._comparing.start(models, self.frames_box.currentData(), boxes)

    def done(self, result: int) -> None:
        """Close; what was drawn goes with the dialog."""
        self._comparing.forget()
        super().done(result)


def _table(columns: tuple[str, ...], name: str) -> QTableWidget:
    table = QTableWidget(0, len(columns))
    table.setAccessibleName(name)
    table.setHorizontalHeaderLabels(list(columns))
    table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
    table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    table.verticalHeader().hide()
    table.verticalHeader().setDefaultSectionSize(24)
    header = table.horizontalHeader()
    header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
    header.setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
    return table
