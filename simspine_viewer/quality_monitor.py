"""The held-out-camera error of the annotated person, kept up to date while the window is idle."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, QTimer, Signal

from pipeline.data.patch import Change
from pipeline.quality.calibration_alarm import CalibrationAlarm, calibration_alarm
from pipeline.quality.heldout import ViewErrors, heldout_block, summary
from simspine_viewer.document import Document

# Frames spread over the recording stand for all of it: the median of 200 frames with 37 points in
# 4 views rests on thousands of detections.
SAMPLED = 200
SLICE = 4  # frames measured between two looks at the event queue, about 20 ms
QUIET_MS = 800


class QualityMonitor(QObject):
    """Predicts each view from the others, a few frames at a time.

    :attr:`errors` is the result, :attr:`alarm` what it says of the calibration; both are None while
    nothing is open or nothing has been measured yet.

    Signals
    -------
    changed : there are other results, or none any more.
    alarmed(CalibrationAlarm) : a camera is off; once for each recording that is opened.
    """

    changed = Signal()
    alarmed = Signal(object)

    def __init__(self, document: Document, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self.errors: ViewErrors | None = None
        self.alarm: CalibrationAlarm | None = None
        self._has_alarmed = False
        self._frames: NDArray[np.intp] = np.zeros(0, np.intp)
        self._values = np.zeros((0, 0, 0))
        self._waiting: list[int] = []
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._measure)
        document.opened.connect(self._opened)
        document.closed.connect(self._stop)
        document.person_changed.connect(lambda _: self._start())
        document.changed.connect(self._again)

    @property
    def busy(self) -> bool:
        return bool(self._waiting)

    @property
    def measured(self) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        """The sampled frames (n,) and their errors (n, V, K) px, NaN where nothing is counted."""
        return self._frames, self._values

    def _opened(self) -> None:
        self._has_alarmed = False
        self._start()

    def _start(self) -> None:
        sequence = self._document.sequence
        n = min(SAMPLED, sequence.n_frames)
        self._frames = np.unique(np.linspace(0, sequence.n_frames - 1, n).astype(np.intp))
        self._values = np.full((len(self._frames), sequence.n_views, sequence.n_keypoints), np.nan)
        self._waiting = list(range(len(self._frames)))
        self.errors = self.alarm = None
        self.changed.emit()
        self._timer.start(QUIET_MS)

    def _stop(self) -> None:
        self._timer.stop()
        self._waiting = []
        self.errors = self.alarm = None
        self.changed.emit()

    def _again(self, change: Change) -> None:
        if change.group in ("points3d", "fused", "tracks", "manual3d", "notes"):
            return  # the error depends on observations only
        touched = np.flatnonzero(np.isin(self._frames, change.frames))
        self._waiting = sorted({*self._waiting, *touched.tolist()})
        if self._waiting:
            self._timer.start(QUIET_MS)

    def _measure(self) -> None:
        part, self._waiting = self._waiting[:SLICE], self._waiting[SLICE:]
        document, frames = self._document, self._frames[part]
        self._values[part] = np.nan
        with document.telling():
            self._values[part] = heldout_block(document.sequence, document.person, frames)
        if self._waiting:
            self._timer.start(0)
        else:
            self.errors = summary([self._values])
            self.alarm = calibration_alarm(document.sequence.cameras, self._values)
            self.changed.emit()
            if self.alarm.alarmed and not self._has_alarmed:
                self._has_alarmed = True
                self.alarmed.emit(self.alarm)
