"""The values of the timeline's lanes, computed in small slices while the window is idle."""

from __future__ import annotations

import time
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, QTimer, Signal

from pipeline.data.layers import LAYERS, NO_TRACK
from pipeline.data.patch import Change
from pipeline.quality.model_signals import model_signal
from pipeline.quality.motion_signals import (
    Body,
    measure_body,
    motion_signals,
    outside_signal,
    point_signals,
)
from pipeline.quality.signals import FrameSignals, frame_signals
from simspine_viewer.document import Document
from simspine_viewer.lanes import BY_ID, LANES, Lane
from simspine_viewer.selection import Selection
from simspine_viewer.time_cursor import TimeCursor

FloatArray = NDArray[np.float64]

BLOCK = 64  # frames computed at once: 37 points in 4 views take 1 to 3 ms
SLICE_S = 0.008  # between two looks at the event queue
REST_MS, PLAYING_REST_MS = 4, 60  # between slices; play goes first
SAY_MS = 150  # the lanes are painted anew this often while they fill
BODY_MS = 1000  # quiet after which the lengths of the bones are measured again
COMPUTED = ("frames", "points", "motion", "outside", "model")
_BASE = ("residual", "confidence", "edited")
# Frames that make it worth measuring the subject again.
MANY = 50


class LaneStore(QObject):
    """One value per frame and lane, near the cursor first; :attr:`values` by lane id.

    Frames not computed yet are False in :meth:`known`. Only groups of lanes that are shown are
    computed; ``frames`` always is, as commands go by it.
    """

    changed = Signal()

    def __init__(
        self,
        document: Document,
        cursor: TimeCursor,
        selection: Selection | None = None,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._document, self._cursor, self._selection = document, cursor, selection
        self.signals: FrameSignals | None = None
        self.values: dict[str, FloatArray] = {}
        self.revision = 0
        self.body: Body | None = None
        self._wanted: tuple[str, ...] = ("frames",)
        self._known: dict[str, NDArray[np.bool_]] = {}
        self._pending: dict[str, NDArray[np.bool_]] = {}
        self._keypoint = -1
        self._said = 0.0
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._slice)
        self._body_timer = QTimer(self)
        self._body_timer.setSingleShot(True)
        self._body_timer.timeout.connect(self._measure_again)
        document.opened.connect(self.reload)
        document.closed.connect(self._clear)
        document.person_changed.connect(lambda _: self.reload())
        document.changed.connect(self._changed)
        if selection is not None:
            selection.changed.connect(self._selected)

    @property
    def n_frames(self) -> int:
        return 0 if self.signals is None else len(self.signals.residual)

    @property
    def complete(self) -> bool:
        """True once every wanted value has been computed."""
        return not any(self._pending[group].any() for group in self._active())

    def known(self, lane: Lane) -> NDArray[np.bool_]:
        """(T,) where the lane's values hold: computed, from points that are up to date."""
        known = self._known.get(lane.group)
        known = np.ones(self.n_frames, bool) if known is None else known
        if lane.group == "model" and self._document.is_open:
            stamps = self._document.sequence.stamps
            known = known & ~stamps.stale("kinematics", self._document.person)
        if lane.points and self._document.is_open:
            known = known & ~self._document.sequence.stamps.stale("points3d", self._document.person)
        return known

    def want(self, lanes: Iterable[Lane]) -> None:
        """Say which lanes are shown."""
        groups = {lane.group for lane in lanes}
        self._wanted = ("frames", *(g for g in COMPUTED[1:] if g in groups))
        self._go_on()

    def reload(self) -> None:
        """Compute everything anew; what takes longer than one slice follows when idle."""
        self._clear()
        sequence = self._document.sequence
        n = sequence.n_frames
        self.values = {lane.id: np.full(n, np.nan) for lane in LANES}
        counts = np.zeros(n, np.intp), np.zeros(n, np.intp)
        self.signals = FrameSignals(self.values["residual"], self.values["confidence"], *counts)
        self._known = {group: np.zeros(n, bool) for group in COMPUTED}
        self._pending = {group: np.ones(-(-n // BLOCK), bool) for group in COMPUTED}
        self._keypoint = -1 if self._selection is None else self._selection.keypoint
        self._slice()

    def set_sampled(self, lane: str, frames: NDArray[np.intp], values: FloatArray) -> None:
        """Values of a lane that somebody else measures, in some frames only."""
        if lane in self.values:
            self.values[lane][:] = np.nan
            self.values[lane][frames] = values
            self._say()

    def _clear(self) -> None:
        self._timer.stop()
        self._body_timer.stop()
        self.signals, self.body = None, None
        self.values, self._known, self._pending = {}, {}, {}
        self._say()

    def _active(self) -> tuple[str, ...]:
        return self._wanted if self.signals is not None else ()

    def _selected(self) -> None:
        assert self._selection is not None
        if self._selection.keypoint != self._keypoint and self.signals is not None:
            self._keypoint = self._selection.keypoint
            self._known["motion"][:] = False
            self._pending["motion"][:] = True
            if "motion" in self._wanted:
                self._slice()

    def _changed(self, change: Change) -> None:
        if self.signals is None or change.group in ("tracks", "notes"):
            return
        if change.track not in (NO_TRACK, self._document.person):
            return
        if change.group in ("fused", "kinematics"):
            self._pending["model"][np.unique(change.frames // BLOCK)] = True
            self._go_on()
            return
        if not _by_frame(change.group):  # cameras: every projection is another one now
            for group in COMPUTED:
                self._pending[group][:] = True
            self._go_on()
            return
        if change.group == "points3d" and len(change.frames) > MANY:
            self._body_timer.start(BODY_MS)
        if len(change.frames) <= BLOCK:
            around = np.unique(np.concatenate([change.frames + i for i in (-1, 0, 1)]))
            around = around[(around >= 0) & (around < self.n_frames)]
            for group in self._wanted:
                self._compute(group, around if group == "motion" else change.frames)
            for group in set(COMPUTED) - set(self._wanted):
                self._pending[group][around // BLOCK] = True
            self._say()
            return
        blocks = np.unique(change.frames // BLOCK)
        for group in COMPUTED:
            self._pending[group][blocks] = True
        self._go_on()

    def _measure_again(self) -> None:
        """The first lengths were taken from the few points there were then."""
        if self.signals is not None and self.body is not None:
            self.body = measure_body(self._document.sequence, self._document.person)
            self._pending["points"][:] = True
            self._go_on()

    def _go_on(self) -> None:
        if not self.complete and not self._timer.isActive():
            self._timer.start(PLAYING_REST_MS if self._cursor.playing else REST_MS)

    def _slice(self) -> None:
        """Blocks near the cursor first, until the time of one slice is used up."""
        until = time.perf_counter() + SLICE_S
        while time.perf_counter() < until:
            wanted = self._next_block()
            if wanted is None:
                break
            group, block = wanted
            rows = np.arange(block * BLOCK, min((block + 1) * BLOCK, self.n_frames))
            self._pending[group][block] = False
            self._compute(group, rows)
        if self.complete or time.monotonic() - self._said > SAY_MS * 1e-3:
            self._say()
        self._go_on()

    def _next_block(self) -> tuple[str, int] | None:
        here = self._cursor.frame // BLOCK
        best: tuple[int, str, int] | None = None
        for group in self._active():
            waiting = np.flatnonzero(self._pending[group])
            if len(waiting):
                block = int(waiting[np.abs(waiting - here).argmin()])
                if best is None or abs(block - here) < best[0]:
                    best = abs(block - here), group, block
        return None if best is None else best[1:]

    def _compute(self, group: str, rows: NDArray[np.intp]) -> None:
        self._known[group][rows] = False
        with self._document.telling():
            self._compute_group(group, rows)
            self._known[group][rows] = True

    def _compute_group(self, group: str, rows: NDArray[np.intp]) -> None:
        assert self.signals is not None
        sequence, person = self._document.sequence, self._document.person
        if group == "frames":
            part = frame_signals(sequence, person, rows)
            for name in _BASE:
                self.values[name][rows] = getattr(part, name)
            self.signals.missing[rows], self.signals.edited[rows] = part.missing, part.edited
        elif group == "points":
            if self.body is None:
                self.body = measure_body(sequence, person)
            for name, values in point_signals(sequence, person, rows, self.body).items():
                self.values[name][rows] = values
        elif group == "motion":
            for name, values in motion_signals(sequence, person, rows, self._keypoint).items():
                self.values[name][rows] = values
        elif group == "model":
            self.values["model"][rows] = model_signal(sequence, person, rows)
        else:
            self.values["outside"][rows] = outside_signal(sequence, person, rows)

    def _say(self) -> None:
        self.revision += 1
        self._said = time.monotonic()
        self.changed.emit()

    def beyond(self, lane: str, threshold: float | None) -> NDArray[np.bool_]:
        """(T,) where a lane is suspicious: beyond its threshold, or anything above zero."""
        values = self.values.get(lane, np.zeros(0))
        limit = 0.0 if threshold is None else threshold
        with np.errstate(invalid="ignore"):
            bad = values < limit if BY_ID[lane].low_is_bad else values > limit
        return np.asarray(bad & self.known(BY_ID[lane]))


def _by_frame(group: str) -> bool:
    return any(spec.group == group and spec.axes[0] == "frame" for spec in LAYERS.values())
