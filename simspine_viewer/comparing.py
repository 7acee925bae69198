"""Two pose models on the same pictures: the run that compares them, and both drawn over a pane."""

from __future__ import annotations

from collections.abc import Sequence as Items
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QLineF, QObject, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from pipeline.jobs.messages import Done, Event, Failed, Remark
from simspine_viewer.detecting import WORKER
from simspine_viewer.document import Document
from simspine_viewer.job_manager import JobManager, JobState
from simspine_viewer.one_job import OneJob
from simspine_viewer.video_pane import VideoPane

TASK = "compare_models"
#: In place of a model: the detections that are there now.
PRESENT = ""
#: Of the first and the second; apart in lightness and hue from each other and from the skeleton.
COLOURS = (QColor(255, 224, 64), QColor(232, 92, 232))
_HALO = QColor(0, 0, 0, 170)
_RADIUS = 4.0
_LOW = 0.3  # below it a point is not drawn, as it is not counted


class Comparing(QObject):
    """Runs two models over some frames of the annotated person; nothing is written.

    Signals
    -------
    changed : a run began or ended, or its result was forgotten.
    progressed : there is more to say of it.
    failed(sentence) : why it ended early.
    said(sentence) : what the user should know of it.
    """

    changed = Signal()
    progressed = Signal()
    failed = Signal(str)
    said = Signal(str)

    def __init__(self, document: Document, jobs: JobManager, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self._run = OneJob(jobs, self)
        self.result: dict[str, Any] | None = None
        self._run.told.connect(self._told)
        self._run.ended.connect(self._finished)
        self._run.progressed.connect(self.progressed)
        document.closed.connect(self.forget)
        document.person_changed.connect(self.forget)

    @property
    def job(self) -> JobState | None:
        """The run under way."""
        return self._run.state

    def start(
        self,
        models: tuple[str, str],
        frames: tuple[int, int],
        boxes: Items[tuple[float, ...]] = (),
    ) -> None:
        """Compare two models, :data:`PRESENT` for neither, on frames spread over some.

        Parameters
        ----------
        frames : (int, int)
            The first and the one after the last.
        boxes : sequence of (frame, view, left, top, right, bottom)
            Where a person says that the annotated person is, px.
        """
        document, project = self._document, self._document.project
        if project is None or self.job is not None:
            return
        args: dict[str, Any] = {
            "project": str(project.path),
            "track": document.person,
            "models": models,
            "frames": frames,
            "boxes": list(boxes),
        }
        self.result = None
        self._run.start(TASK, "Compare pose models", args, document.sequence.revision, WORKER)
        self.changed.emit()

    def cancel(self) -> None:
        """Stop a run under way."""
        self._run.cancel()

    def forget(self) -> None:
        """Stop, and draw nothing any more."""
        if self.job is not None or self.result is not None:
            self._run.drop()
            self.result = None
            self.changed.emit()

    def points_at(self, frame: int, view: int) -> tuple[NDArray[np.float32], ...] | None:
        """(K, 3) x, y (px) and score of both in a picture; None where it was not looked at."""
        found = self.result
        if found is None or view not in found["views"]:
            return None
        row = int(np.searchsorted(found["frames"], frame))
        if row >= len(found["frames"]) or found["frames"][row] != frame:
            return None
        column = found["views"].index(view)
        return tuple(points[row, column] for points in found["points"])

    def _told(self, event: Event) -> None:
        if isinstance(event, Remark):
            self.said.emit(event.text)

    def _finished(self, state: JobState) -> None:
        if isinstance(state.ending, Done):
            self.result = state.ending.result
        elif isinstance(state.ending, Failed):
            self.failed.emit(state.ending.message)
        self.changed.emit()


class ComparisonLayer(QWidget):
    """Lies over a pane and draws the points of both: rings the first, squares the second."""

    def __init__(self, pane: VideoPane, comparing: Comparing) -> None:
        super().__init__(pane)
        self._pane, self._comparing = pane, comparing
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        comparing.changed.connect(self._on_changed)
        pane.installEventFilter(self)
        self._on_changed()

    def _on_changed(self) -> None:
        self.setVisible(self._comparing.result is not None)
        self.setGeometry(self._pane.rect())

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize:
            self.setGeometry(self._pane.rect())
        return super().eventFilter(watched, event)

    def paintEvent(self, event: QPaintEvent) -> None:
        pane = self._pane
        both = self._comparing.points_at(pane.frame, pane.view)
        if both is None:
            return
        places = [
            np.where(points[:, 2:] > _LOW, pane.transform.to_widget(points[:, :2]), np.nan)
            for points in both
        ]
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setClipRect(pane.picture_area())
        for one, other in zip(*(place.tolist() for place in places), strict=True):
            if np.isfinite([*one, *other]).all():
                line = QLineF(QPointF(*one), QPointF(*other))
                for colour, width in ((_HALO, 3.0), (QColor(255, 255, 255, 210), 1.0)):
                    painter.setPen(QPen(colour, width))
                    painter.drawLine(line)
        for place, colour, is_round in zip(places, COLOURS, (True, False), strict=True):
            self._draw(painter, place[np.isfinite(place[:, 0])].tolist(), colour, is_round)
        painter.end()

    def _draw(
        self, painter: QPainter, places: list[list[float]], colour: QColor, is_round: bool
    ) -> None:
        for x, y in places:
            rect = QRectF(x - _RADIUS, y - _RADIUS, 2 * _RADIUS, 2 * _RADIUS)
            for stroke, width in ((_HALO, 3.4), (colour, 1.6)):
                painter.setPen(QPen(stroke, width))
                (painter.drawEllipse if is_round else painter.drawRect)(rect)
