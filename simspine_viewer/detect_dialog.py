"""The dialog that has a pose model look for the annotated person."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent, QShowEvent
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from simspine_viewer.detecting import Detecting, Models
from simspine_viewer.document import Document
from simspine_viewer.frame_range import FrameRange
from simspine_viewer.person_box import PersonBoxes
from simspine_viewer.settings import Settings
from simspine_viewer.target_dialog import grow
from simspine_viewer.time_cursor import TimeCursor
from simspine_viewer.training_set_dialog import fill_views

MEANING = (
    "What the model finds of {} goes before the imported detections. Placed points stay as they"
    " are, and Undo takes all of it back."
)


class DetectDialog(QDialog):
    """Asks for model, views and frames, and follows the run; closing it lets the run go on."""

    def __init__(
        self,
        document: Document,
        cursor: TimeCursor,
        frames: FrameRange,
        models: Models,
        detecting: Detecting,
        settings: Settings,
        boxes: PersonBoxes,
        show_models: Callable[[], None],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._document, self._cursor, self._range = document, cursor, frames
        self._models, self._detecting, self._settings = models, detecting, settings
        self._boxes = boxes
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Detect Keypoints")
        self.resize(460, 250)
        self.form = self._asked(show_models)
        self.bar = QProgressBar()
        self.bar.setRange(0, 1000)
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(8)
        self.doing = _muted()
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        self.button = QPushButton("Detect")
        self.button.clicked.connect(self._pressed)
        self.buttons.addButton(self.button, QDialogButtonBox.ButtonRole.ActionRole)
        self.button.setDefault(True)
        self.buttons.button(QDialogButtonBox.StandardButton.Close).setAutoDefault(False)
        self.buttons.rejected.connect(self.reject)
        self.meaning = _muted()
        box = QVBoxLayout(self)
        box.addLayout(self.form)
        box.addWidget(self.bar)
        for widget in (self.doing, self.meaning):
            box.addWidget(widget)
        box.addStretch(1)
        box.addWidget(self.buttons)
        models.changed.connect(self._list)
        for changed in (
            detecting.changed, frames.changed, document.person_changed,
            boxes.changed, boxes.drawing_changed,
        ):  # fmt: skip
            changed.connect(self.refresh)
        cursor.moved.connect(self.refresh)
        detecting.progressed.connect(self._progress)
        document.closed.connect(self.reject)
        models.want()
        fill_views(self.views_box, document.sequence)
        self._list()
        self.refresh()

    def _asked(self, show_models: Callable[[], None]) -> QFormLayout:
        self.model_box = QComboBox()
        self.model_box.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self.model_box.setMinimumContentsLength(18)
        self.model_box.currentIndexChanged.connect(self._describe)
        manage = QPushButton("Models…")
        manage.setToolTip("Get, add and remove models.")
        manage.setAutoDefault(False)
        manage.clicked.connect(show_models)
        line = QHBoxLayout()
        line.addWidget(self.model_box, 1)
        line.addWidget(manage)
        self.about = _muted()
        self.views_box, self.frames_box = QComboBox(), QComboBox()
        form = QFormLayout()
        form.addRow("Model", line)
        form.addRow("", self.about)
        form.addRow("Views", self.views_box)
        form.addRow("Frames", self.frames_box)
        form.addRow("Person", self._asked_where())
        return form

    def _asked_where(self) -> QHBoxLayout:
        self.where = QLabel()
        self.draw = QPushButton("Draw a Box")
        self.draw.setCheckable(True)
        self.draw.setToolTip("Drag a box around the person in a picture: the model looks there.")
        self.draw.toggled.connect(self._boxes.set_drawing)
        self.forget = QPushButton("Clear")
        self.forget.setToolTip("Look again where the person's points are.")
        self.forget.clicked.connect(self._boxes.clear)
        line = QHBoxLayout()
        line.addWidget(self.where, 1)
        for button in (self.draw, self.forget):
            button.setAutoDefault(False)
            line.addWidget(button)
        return line

    def _list(self) -> None:
        """The models that are here, the one used last chosen."""
        chosen = self.model_box.currentData() or self._settings.detect_model
        self.model_box.blockSignals(True)
        self.model_box.clear()
        for entry in self._models.there:
            self.model_box.addItem(str(entry["title"]), entry["name"])
        place = self.model_box.findData(chosen)
        self.model_box.setCurrentIndex(max(place, 0) if self.model_box.count() else -1)
        self.model_box.blockSignals(False)
        self._describe()
        self.refresh()

    def _entry(self) -> dict[str, Any] | None:
        name = self.model_box.currentData()
        return next((one for one in self._models.there if one["name"] == name), None)

    def _describe(self) -> None:
        entry = self._entry()
        if entry is None:
            self.form.setRowVisible(self.about, True)
            self.about.setText("Looking for models…")
            return
        known = [
            str(entry[what])
            for what in ("trained_on", "licence")
            if entry[what] and entry[what] != entry["title"]
        ]
        self.about.setText("; ".join(known))
        self.form.setRowVisible(self.about, bool(known))
        grow(self)

    def refresh(self, *_: object) -> None:
        """Show what can be asked for now, and whether a run is under way."""
        document, running = self._document, self._detecting.job is not None
        if not document.is_open:
            return
        choices: list[tuple[str, tuple[int, int]]] = [
            (f"All {document.sequence.n_frames} frames", (0, document.sequence.n_frames)),
            (f"Frame {self._cursor.frame}", (self._cursor.frame, self._cursor.frame + 1)),
        ]
        if self._range:
            first, stop = self._range.start, self._range.stop
            choices.append((f"The range {first} to {stop - 1}", (first, stop)))
        place = max(self.frames_box.currentIndex(), 0)
        self.frames_box.clear()
        for title, span in choices:
            self.frames_box.addItem(title, span)
        self.frames_box.setCurrentIndex(min(place, len(choices) - 1))
        for widget in (self.model_box, self.views_box, self.frames_box):
            widget.setEnabled(not running)
        self._show_boxes(running)
        self.meaning.setText(MEANING.format(f"person {document.person + 1}"))
        self.button.setText("Cancel" if running else "Detect")
        self.button.setEnabled(running or self._entry() is not None)
        self.bar.setVisible(running)
        if running:
            self._progress()

    def _show_boxes(self, running: bool) -> None:
        boxes = self._boxes
        names = [camera.name for camera in self._document.sequence.cameras]
        told = [f"Box in {names[view]}, frame {frame}" for frame, view in sorted(boxes.boxes)]
        if boxes.drawing:
            text = "Drag a box around them in a picture"
        elif len(told) > 1:
            text = f"In {len(told)} boxes"
        else:
            text = told[0] if told else "Where their points are"
        self.where.setText(text)
        self.where.setToolTip("\n".join(told) if len(told) > 1 else "")
        self.draw.setChecked(boxes.drawing)
        self.draw.setEnabled(not running)
        self.forget.setVisible(bool(told))
        self.forget.setEnabled(not running)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        grow(self)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and self._boxes.drawing:
            self._boxes.set_drawing(False)
        else:
            super().keyPressEvent(event)

    def done(self, result: int) -> None:
        """Close; the boxes are forgotten; a run under way has its own."""
        self._boxes.clear()
        super().done(result)

    def _progress(self) -> None:
        job = self._detecting.job
        if job is not None:
            self.bar.setValue(round(1000 * job.fraction))
            self.doing.setText(self._detecting.text)
            grow(self)

    def say(self, sentence: str) -> None:
        """Show what a run came to."""
        self.doing.setText(sentence)
        grow(self)

    def _pressed(self) -> None:
        if self._detecting.job is not None:
            self._detecting.cancel()
            return
        entry = self._entry()
        if entry is None:
            return
        self._settings.detect_model = str(entry["name"])
        self._settings.save()
        self.doing.clear()
        self._detecting.start(
            str(entry["name"]),
            str(entry["title"]),
            self.views_box.currentData(),
            self.frames_box.currentData(),
            [(*place, *box) for place, box in self._boxes.boxes.items()],
        )


def _muted() -> QLabel:
    label = QLabel()
    label.setWordWrap(True)
    label.setProperty("role", "muted")
    return label
