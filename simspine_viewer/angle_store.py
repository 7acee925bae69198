"""Angles of the annotated person's body model over time, computed in blocks while idle."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, QTimer, Signal

from pipeline.data.derived import read_current
from pipeline.data.patch import Change
from simspine_viewer.curves_data import Angle, quantity_of
from simspine_viewer.document import Document
from simspine_viewer.timeline_axis import TimeView

if TYPE_CHECKING:
    from pipeline.kinematics.subject import Subject

BLOCK = 64  # frames computed at once: some milliseconds
SLICE_S = 0.008
REST_MS = 4
SAY_MS = 150
# Frames between which it hardly changes how angles hang on coordinates.
SD_EVERY = 16


class AngleStore(QObject):
    """Wanted angles with their SDs, what is visible first; NaN where poses are not up to date.

    ``subject`` gives the annotated person's body model, None where none is there and ready.
    """

    changed = Signal()

    def __init__(
        self,
        document: Document,
        view: TimeView,
        subject: Callable[[], Subject | None],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._document, self._view, self._subject_of = document, view, subject
        self._subject: Subject | None = None
        self.values: dict[str, Angle] = {}
        self._pending: NDArray[np.bool_] = np.zeros(0, bool)
        self._said = 0.0
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._slice)
        document.opened.connect(self._clear)
        document.closed.connect(self._clear)
        document.person_changed.connect(lambda _: self._clear())
        document.changed.connect(self._changed)
        document.pose_changed.connect(self._pose_changed)

    @property
    def has_model(self) -> bool:
        """Whether there is anything to compute angles of."""
        return self._subject_of() is not None

    @property
    def complete(self) -> bool:
        """True once everything wanted has been computed."""
        return not self._pending.any()

    def want(self, names: Iterable[str]) -> None:
        """Say which angles are shown."""
        wanted = tuple(names)
        if not self._document.is_open or self._subject_of() is None:
            return
        if self._subject is not self._subject_of() or set(wanted) - set(self.values):
            n_frames = self._document.sequence.n_frames
            self._subject = self._subject_of()
            self.values = {
                name: Angle(
                    np.full(n_frames, np.nan), np.full(n_frames, np.nan), np.zeros(n_frames, bool)
                )
                for name in wanted
            }
            self._pending = np.ones(-(-n_frames // BLOCK), bool)
        if not self.complete:
            self._slice()

    def read_now(self, start: int, stop: int) -> None:
        """Compute some frames before this returns."""
        for block in range(start // BLOCK, -(-stop // BLOCK)):
            if self._pending[block]:
                self._compute(block)

    def _clear(self) -> None:
        self._timer.stop()
        self._subject, self.values, self._pending = None, {}, np.zeros(0, bool)
        self.changed.emit()

    def _pose_changed(self) -> None:
        """Another body model, or none: nothing of the old one holds."""
        if self._subject is not self._subject_of():
            self._clear()

    def _changed(self, change: Change) -> None:
        if not len(self._pending) or change.track not in (-1, self._document.person):
            return
        if change.group in ("tracks", "notes", "fused", "points3d"):
            return
        frames = change.frames
        if change.group == "cameras":
            frames = np.arange(self._document.sequence.n_frames)
        elif change.group != "kinematics":  # an edit: what hangs on it is stale
            stamps = self._document.sequence.stamps
            frames = np.flatnonzero(stamps.stale("kinematics", self._document.person))
        self._pending[np.unique(frames // BLOCK)] = True
        if not self._timer.isActive():
            self._timer.start(REST_MS)

    def _slice(self) -> None:
        until, middle = time.perf_counter() + SLICE_S, (self._view.start + self._view.stop) // 2
        while time.perf_counter() < until and not self.complete:
            waiting = np.flatnonzero(self._pending)
            self._compute(int(waiting[np.abs(waiting - middle // BLOCK).argmin()]))
        if self.complete or time.monotonic() - self._said > SAY_MS * 1e-3:
            self._said = time.monotonic()
            self.changed.emit()
        if not self.complete:
            self._timer.start(REST_MS)

    def _compute(self, block: int) -> None:
        from pipeline.kinematics.angle_sigma import angle_values, angles_known
        from pipeline.kinematics.measured import read_measured

        document = self._document
        self._pending[block] = False
        rows = slice(block * BLOCK, min((block + 1) * BLOCK, document.sequence.n_frames))
        for angle in self.values.values():
            angle.values[rows] = angle.sigma[rows] = np.nan
            angle.seen[rows] = False
        if self._subject is None:
            return
        model, names = self._subject.model, tuple(self.values)
        frames = np.arange(rows.start, rows.stop)
        with document.telling():
            coordinates, sigma = (
                read_current(document.sequence, f"kinematics.{what}", rows, document.person)[
                    :, : model.n_coordinates
                ].astype(np.float64)
                for what in ("coordinates", "sigma")
            )
            known = np.isfinite(coordinates).all(axis=1)
            if not known.any():
                return
            measured = read_measured(document.sequence, document.person, frames)
            found = angle_values(model, coordinates[known], names)
            how = angles_known(self._subject, measured, coordinates, sigma, names, SD_EVERY)
            for n, (name, angle) in enumerate(self.values.items()):
                scale = _scale(name)
                angle.values[frames[known]] = scale * found[:, n]
                angle.sigma[rows] = np.where(known, scale * how.sigma[:, n], np.nan)
                angle.seen[rows] = how.seen[:, n]


def _scale(name: str) -> float:
    """From radians to degrees, or from metres to millimetres."""
    quantity = quantity_of(name)
    return 1000.0 if quantity is not None and quantity.unit == "mm" else 180.0 / np.pi
