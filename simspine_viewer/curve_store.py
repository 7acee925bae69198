"""Values of single keypoints over time, read in blocks while the window is idle."""

from __future__ import annotations

import time
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, QTimer, Signal

from pipeline.data.derived import read_current
from pipeline.data.layers import INPUTS, NO_TRACK, reach_of
from pipeline.data.observations import observations
from pipeline.data.patch import Change
from simspine_viewer.document import Document
from simspine_viewer.timeline_axis import TimeView

FloatArray = NDArray[np.float64]

BLOCK = 256  # frames read at once, as many as a chunk of the layers has
SLICE_S = 0.008
REST_MS = 4
SAY_MS = 150
SPATIAL = ("x", "y", "z", "final_x", "final_y", "final_z", "residual", "sigma", "final_sigma",
           "model")  # fmt: skip
PICTURE = ("picture_x", "picture_y", "edited")


class CurveStore(QObject):
    """(T,) arrays of the wanted keypoints, what is visible first.

    Fields: ``x``, ``y``, ``z`` triangulated and ``final_x``, ``final_y``, ``final_z`` fused, mm;
    ``residual`` px; ``sigma``, ``final_sigma`` mm; ``model`` mm, the body model's distance from
    the final point; ``picture_x``, ``picture_y`` px in the active view; ``edited`` 1 where a person
    placed or marked the keypoint in some view, else 0. NaN where there is nothing, nothing has been
    read yet, or something changed and it is not solved anew yet.
    """

    changed = Signal()

    def __init__(self, document: Document, view: TimeView, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._document, self._view = document, view
        self._values: dict[int, dict[str, FloatArray]] = {}
        self._pending: dict[int, NDArray[np.bool_]] = {}
        self._camera = 0
        self._n_frames = 0
        self._said = 0.0
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._slice)
        document.opened.connect(self.reload)
        document.closed.connect(self._clear)
        document.person_changed.connect(lambda _: self.reload())
        document.changed.connect(self._changed)

    @property
    def complete(self) -> bool:
        """True once everything wanted has been read."""
        return not any(pending.any() for pending in self._pending.values())

    def values(self, keypoint: int) -> dict[str, FloatArray]:
        """Fields of a wanted keypoint."""
        return self._values[keypoint]

    def want(self, keypoints: Iterable[int], camera: int) -> None:
        """Say which keypoints are shown, and in which view's picture."""
        if not self._document.is_open:
            return
        self._n_frames = self._document.sequence.n_frames
        n_blocks = -(-self._n_frames // BLOCK)
        if camera != self._camera:
            self._camera = camera
            self._pending = {k: np.ones(n_blocks, bool) for k in self._pending}
        wanted = list(dict.fromkeys(keypoints))
        for gone in set(self._values) - set(wanted):
            del self._values[gone], self._pending[gone]
        for new in (k for k in wanted if k not in self._values):
            fields = (*SPATIAL, *PICTURE)
            self._values[new] = {name: np.full(self._n_frames, np.nan) for name in fields}
            self._pending[new] = np.ones(n_blocks, bool)
        if not self.complete:
            self._slice()

    def reload(self) -> None:
        """Read everything anew."""
        wanted, camera = list(self._values), self._camera
        self._clear()
        self.want(wanted, camera)

    def read_now(self, start: int, stop: int) -> None:
        """Read some frames before this returns."""
        for block in range(start // BLOCK, -(-stop // BLOCK)):
            for keypoint, pending in self._pending.items():
                if pending[block]:
                    self._read(keypoint, block)

    def _clear(self) -> None:
        self._timer.stop()
        self._values, self._pending = {}, {}
        self.changed.emit()

    def _changed(self, change: Change) -> None:
        if change.group in ("tracks", "notes") or not self._pending:
            return
        if change.track not in (NO_TRACK, self._document.person):
            return
        blocks = np.unique(self._touched(change) // BLOCK)
        for pending in self._pending.values():
            pending[blocks] = True
        self._slice()

    def _touched(self, change: Change) -> NDArray[np.intp]:
        """Frames that read differently, with those whose derived values are stale by them."""
        if change.group == "cameras":
            return np.arange(self._n_frames)
        if change.group in INPUTS or not len(change.frames):
            return change.frames
        reach = max(reach_of(group, self._document.sequence.info.fps) for group in INPUTS)
        around = np.concatenate([change.frames + shift for shift in (-reach, 0, reach)])
        return np.asarray(np.clip(around, 0, self._n_frames - 1), np.intp)

    def _slice(self) -> None:
        until = time.perf_counter() + SLICE_S
        middle = int(self._view.first + self._view.span / 2) // BLOCK
        while time.perf_counter() < until and not self.complete:
            keypoint, block = min(
                ((k, b) for k, pending in self._pending.items() for b in _nearest(pending, middle)),
                key=lambda kb: abs(kb[1] - middle),
            )
            self._pending[keypoint][block] = False
            with self._document.telling():
                self._read(keypoint, block)
        if self.complete or time.monotonic() - self._said > SAY_MS * 1e-3:
            self._said = time.monotonic()
            self.changed.emit()
        if not self.complete:
            self._timer.start(REST_MS)

    def _read(self, keypoint: int, block: int) -> None:
        sequence, person = self._document.sequence, self._document.person
        values = self._values[keypoint]
        start, stop = block * BLOCK, min((block + 1) * BLOCK, self._n_frames)
        rows = slice(start, stop)
        for field in values.values():
            field[rows] = np.nan
        for layer, prefix in (("points3d", ""), ("fused", "final_")):
            xyz = read_current(sequence, f"{layer}.xyz", rows, person)[:, keypoint] * 1000.0
            for axis, name in enumerate("xyz"):
                values[prefix + name][rows] = xyz[:, axis]
            sigma = read_current(sequence, f"{layer}.sigma", rows, person)
            values[f"{prefix}sigma"][rows] = sigma[:, keypoint]
        final = np.stack([values[f"final_{axis}"][rows] for axis in "xyz"], axis=-1)
        body = read_current(sequence, "kinematics.xyz", rows, person)[:, keypoint] * 1000.0
        values["model"][rows] = np.linalg.norm(body - final, axis=-1)
        residual = read_current(sequence, "points3d.residual", rows, person)
        values["residual"][rows] = residual[:, keypoint]
        seen = observations(sequence, person, np.arange(start, stop))
        xy = seen.xy[:, self._camera, keypoint]
        values["picture_x"][rows], values["picture_y"][rows] = xy[:, 0], xy[:, 1]
        placed = np.isfinite(sequence.read("manual3d.xyz", rows, person)[:, keypoint, 0])
        touched = (seen.manual | (seen.flags != 0))[:, :, keypoint].any(axis=1) | placed
        values["edited"][rows] = touched
        self._pending[keypoint][block] = False


def _nearest(pending: NDArray[np.bool_], middle: int) -> list[int]:
    waiting = np.flatnonzero(pending)
    return [int(waiting[np.abs(waiting - middle).argmin()])] if len(waiting) else []
