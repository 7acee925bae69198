"""Where somebody was in a recording, kept in its project: frame, view, keypoint, zoom."""

from __future__ import annotations

import logging
import math
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QTimer

from pipeline.data.errors import UserError
from simspine_viewer.pane_transform import PaneTransform, fitted

if TYPE_CHECKING:
    from simspine_viewer.main_window import MainWindow
    from simspine_viewer.video_pane import VideoPane

_SCALES = (0.01, 10_000.0)  # enlargements over the whole picture that a zoom can have

# A program that is killed forgets no more than this of where its user was.
KEEP_MS = 3000

log = logging.getLogger(__name__)


class PlaceKeeper(QObject):
    """Writes the place down from time to time, so that it survives the end of the program."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(KEEP_MS)
        self._timer.timeout.connect(self._keep)
        window.time.moved.connect(self._moved)
        window.selection.changed.connect(self._moved)
        window.document.closed.connect(self._timer.stop)

    def _moved(self, _: int = 0) -> None:
        if self._window.document.is_open and not self._timer.isActive():
            self._timer.start()

    def _keep(self) -> None:
        if self._window.time.playing or self._window.editor.dragging:
            self._timer.start()
        else:
            remember(self._window)


def remember(window: MainWindow) -> None:
    """Write the place into the open project, if there is one that may be written."""
    project = window.document.project
    if project is None or project.read_only:
        return
    try:
        project.set_state("frame", window.time.frame)
        project.set_state("keypoint", window.selection.keypoint)
        project.set_state("view", window.selection.view)
        project.set_state("zoom", [_zoom(pane) for pane in window.grid.panes])
    except UserError as error:  # a lost position is no reason to keep anybody from leaving
        log.warning("%s", error)


def restore(window: MainWindow) -> None:
    """Go where the open project was left; whatever is missing or damaged starts as new."""
    project, sequence = window.document.project, window.document.sequence
    assert project is not None
    view = _whole(project.state("view", 0), 0, sequence.n_views - 1)
    keypoint = _whole(project.state("keypoint", -1), -1, sequence.n_keypoints - 1)
    window.selection.set(keypoint=keypoint, view=view)
    window.time.set_frame(_whole(project.state("frame", 0), 0, sequence.n_frames - 1))
    zooms = project.state("zoom", [])
    if isinstance(zooms, list) and len(zooms) == len(window.grid.panes):
        for pane, zoom in zip(window.grid.panes, zooms, strict=True):
            _set_zoom(pane, zoom)


def _whole(value: Any, low: int, high: int) -> int:
    """A whole number within limits; the nearest to zero that there is where it is none."""
    number = value if isinstance(value, int) else max(low, min(0, high))
    return max(low, min(number, high))


def _whole_picture(pane: VideoPane) -> PaneTransform:
    area = pane.picture_area()
    return fitted(pane.picture_size, (area.x(), area.y(), area.width(), area.height()))


def _zoom(pane: VideoPane) -> list[float] | None:
    """Enlargement over the whole picture, and the pixel in the middle; None: the whole picture."""
    area, whole = pane.picture_area(), _whole_picture(pane)
    centre = area.center()
    # A fitted picture keeps a few points free for the border of the active pane.
    shift = math.dist(pane.transform.offset, whole.offset)
    if abs(pane.transform.scale / whole.scale - 1) < 0.05 and shift < 8:
        return None
    x, y = pane.transform.to_picture((centre.x(), centre.y())).tolist()
    return [pane.transform.scale / whole.scale, x, y]


def _set_zoom(pane: VideoPane, zoom: Any) -> None:
    if not (
        isinstance(zoom, list)
        and len(zoom) == 3
        and all(isinstance(number, (int, float)) and math.isfinite(number) for number in zoom)
        and _SCALES[0] <= zoom[0] <= _SCALES[1]
    ):
        return
    centre = pane.picture_area().center()
    scale = zoom[0] * _whole_picture(pane).scale
    offset = (centre.x() - (zoom[1] + 0.5) * scale, centre.y() - (zoom[2] + 0.5) * scale)
    pane.set_transform(PaneTransform(scale, offset))
