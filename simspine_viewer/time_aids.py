"""What the timeline, the curves and the commands on time share: view, range, lanes, markers."""

from __future__ import annotations

from PySide6.QtCore import QObject

from pipeline.quality.heldout import per_frame
from simspine_viewer.document import Document
from simspine_viewer.frame_range import FrameRange
from simspine_viewer.lane_store import LaneStore
from simspine_viewer.markers import Markers
from simspine_viewer.quality_monitor import QualityMonitor
from simspine_viewer.selection import Selection
from simspine_viewer.time_cursor import TimeCursor
from simspine_viewer.timeline_axis import TimeView


class TimeAids(QObject):
    """One of each for a window, following its time cursor."""

    def __init__(
        self,
        document: Document,
        cursor: TimeCursor,
        selection: Selection | None = None,
        monitor: QualityMonitor | None = None,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.document, self.cursor, self.monitor = document, cursor, monitor
        self.view = TimeView(self)
        self.range = FrameRange(self)
        self.lanes = LaneStore(document, cursor, selection, self)
        self.markers = Markers(document, cursor, self)
        cursor.range_changed.connect(self._set_axis)
        cursor.moved.connect(lambda frame: self.view.keep_visible(frame, page=cursor.playing))
        if monitor is not None:
            monitor.changed.connect(self._sampled)
        self.range.changed.connect(self._set_loop)
        if document.is_open:
            self.markers.reload()
            self.lanes.reload()
        self._set_axis()

    def _set_axis(self) -> None:
        self.view.set_axis(self.cursor.n_frames)
        self.range.set_axis(self.cursor.n_frames)

    def _set_loop(self) -> None:
        chosen = self.range
        self.cursor.set_loop_range((chosen.start, chosen.stop) if chosen else None)

    def _sampled(self) -> None:
        monitor = self.monitor
        if monitor is not None and monitor.errors is not None:
            frames, errors = monitor.measured
            self.lanes.set_sampled("heldout", frames, per_frame(errors))
