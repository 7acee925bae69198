"""What the timeline says in words: of a lane, a marker, a frame."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QPointF

from simspine_viewer import lanes as lane_list
from simspine_viewer.lanes import Lane
from simspine_viewer.settings import Settings

if TYPE_CHECKING:
    from simspine_viewer.timeline import Timeline

NEAR = 6.0  # pixels around a marker's flag in which it speaks


def lane_help(lane: Lane, settings: Settings) -> str:
    """What a lane shows and when it is bad (rich text)."""
    threshold, _ = lane_list.limits(lane, settings)
    bad = ""
    if threshold is not None:
        side = "below" if lane.low_is_bad else "above"
        bad = f"<br>Red {side} {lane_list.value_text(lane, threshold)}."
    return f"<p><b>{lane.title}</b><br>{lane.help}{bad}</p>"


def words_at(timeline: Timeline, at: QPointF, settings: Settings) -> str:
    """What there is to say about a position: a lane, a marker or a frame."""
    zone = timeline.zone_at(at)
    if zone == "label":
        how = "<p>Drag to move it; right button for other lanes.</p>"
        return lane_help(timeline.lanes()[timeline.row_at(at.y())], settings) + how
    if zone == "strip":
        return "The whole recording. The bright part is what the lanes show; drag it."
    axis = timeline.axis()
    close = [m for f, m in timeline.markers.all.items() if abs(axis.centre(f) - at.x()) <= NEAR]
    if zone == "ruler" and close:
        marker = min(close, key=lambda m: abs(axis.centre(m.frame) - at.x()))
        return f"Frame {marker.frame}: {marker.text or 'marker without a note'}"
    return timeline.describe(timeline.frame_at(at.x()))


def frame_words(timeline: Timeline, frame: int, fps: float) -> str:
    """Some lines on a frame: number, time and what the lanes say."""
    store = timeline.store
    if timeline.signals is None or not 0 <= frame < store.n_frames:
        return ""
    lines = [f"Frame {frame}, {frame / fps:.3f} s"]
    for lane in timeline.lanes():
        if lane.id == "markers":
            marker = timeline.markers.all.get(frame)
            lines += [f"Marker: {marker.text}"] if marker and marker.text else []
            continue
        value = timeline.value_at(lane, frame)
        said = lane_list.value_text(lane, value) if np.isfinite(value) else "none"
        if not store.known(lane)[frame]:
            said = "not computed yet"
        lines.append(f"{lane.title}: {said}")
    return "\n".join(lines)
