"""Brightness, contrast and gamma with which each view is shown; the data are never touched."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal

from pipeline.data.errors import UserError
from simspine_viewer.document import Document

STATE = "adjustments"
BRIGHTNESS, CONTRAST, GAMMA = (-100, 100), (-100, 100), (0.2, 5.0)


@dataclass(frozen=True, slots=True)
class Adjustment:
    """How a picture is shown: ``brightness`` and ``contrast`` in percent, ``gamma`` above 1
    lightens the dark parts."""

    brightness: int = 0
    contrast: int = 0
    gamma: float = 1.0


AS_IT_IS = Adjustment()


@lru_cache(maxsize=64)
def lookup(adjustment: Adjustment) -> NDArray[np.uint8]:
    """(256,) what each value of a channel is shown as."""
    value = (np.arange(256) / 255.0) ** (1.0 / adjustment.gamma)
    share = adjustment.contrast / 100.0
    slope = 1.0 + share if share < 0 else 1.0 + 3.0 * share
    value = (value - 0.5) * slope + 0.5 + adjustment.brightness / 200.0
    return np.asarray(np.clip(np.rint(255.0 * value), 0, 255), np.uint8)


def adjusted(pixels: NDArray[np.uint8], adjustment: Adjustment) -> NDArray[np.uint8]:
    """A picture (H, W, 4) as it is to be shown; the same array where nothing is adjusted."""
    if adjustment == AS_IT_IS:
        return pixels
    import cv2  # not at start

    return np.asarray(cv2.LUT(pixels, lookup(adjustment)), np.uint8)


class Adjustments(QObject):
    """The adjustment of every view, kept in the project.

    Signals
    -------
    changed(view) : a view is to be shown otherwise; -1 for all of them.
    """

    changed = Signal(int)

    def __init__(self, document: Document, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self._of: dict[int, Adjustment] = {}
        document.opened.connect(self._load)
        document.closed.connect(self._of.clear)
        if document.is_open:
            self._load()

    def of(self, view: int) -> Adjustment:
        """How a view is shown."""
        return self._of.get(view, AS_IT_IS)

    def set(self, view: int, adjustment: Adjustment) -> None:
        """Show a view otherwise; :meth:`save` keeps it."""
        if adjustment == self.of(view):
            return
        if adjustment == AS_IT_IS:
            del self._of[view]
        else:
            self._of[view] = adjustment
        self.changed.emit(view)

    def reset(self) -> None:
        """Show all views as they are."""
        self._of.clear()
        self.save()
        self.changed.emit(-1)

    def save(self) -> None:
        """Keep the adjustments in the project."""
        project = self._document.project
        if project is None or project.read_only:
            return
        try:
            project.set_state(STATE, {str(view): asdict(own) for view, own in self._of.items()})
        except UserError as error:
            self._document.failed.emit(str(error))

    def _load(self) -> None:
        project = self._document.project
        state = project.state(STATE, {}) if project is not None else {}
        self._of.clear()
        if isinstance(state, dict):
            read = {view: _from_state(own) for view, own in state.items()}
            self._of.update({int(view): own for view, own in read.items() if own != AS_IT_IS})
        self.changed.emit(-1)


def _from_state(state: Any) -> Adjustment:
    """An adjustment from a project; as it is where that is damaged."""
    if not isinstance(state, dict):
        return AS_IT_IS
    limits = {"brightness": BRIGHTNESS, "contrast": CONTRAST, "gamma": GAMMA}
    values = {}
    for name, (low, high) in limits.items():
        number = state.get(name, getattr(AS_IT_IS, name))
        if not isinstance(number, (int, float)) or not math.isfinite(number):
            return AS_IT_IS
        values[name] = min(max(number, low), high)
    return Adjustment(int(values["brightness"]), int(values["contrast"]), float(values["gamma"]))
