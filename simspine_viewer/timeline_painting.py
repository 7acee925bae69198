"""What the timeline draws: lanes with names, flags, the selected range, cursor and overview."""

from __future__ import annotations

from dataclasses import replace
from itertools import zip_longest

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen, QPolygonF

from simspine_viewer import lanes as lane_list
from simspine_viewer.frame_range import FrameRange
from simspine_viewer.lane_store import LaneStore
from simspine_viewer.lanes import Lane
from simspine_viewer.markers import Markers, colour_of
from simspine_viewer.settings import Settings
from simspine_viewer.theme import Theme
from simspine_viewer.timeline_axis import Axis, TimeView
from simspine_viewer.timeline_lanes import columns, lane_picture
from simspine_viewer.timeline_ruler import RULER

FLAG = 7.0  # pixels


def labels(
    painter: QPainter,
    rects: list[tuple[str, QRectF]],
    active: int,
    lanes: list[QRectF],
    theme: Theme,
) -> None:
    """Names of the lanes; the one that commands act on has a bar beside it."""
    for row, (name, rect) in enumerate(rects):
        painter.fillRect(lanes[row], QColor(theme.field))
        if row == active:
            bar = QRectF(rect.left() - 6, rect.top() + 3, 3, rect.height() - 6)
            painter.fillRect(bar, QColor(theme.accent))
        painter.setPen(QColor(theme.text if row == active else theme.muted))
        painter.drawText(rect, Qt.AlignmentFlag.AlignVCenter, name)


def lane(
    painter: QPainter,
    shown: Lane,
    rect: QRectF,
    axis: Axis,
    store: LaneStore,
    limits: tuple[float | None, float],
    ratio: float,
    theme: Theme,
) -> None:
    """The values of one lane, hatched where they are not known, and its threshold."""
    threshold, full = limits
    values = store.values[shown.id]
    if full <= 0:
        finite = values[np.isfinite(values)]
        full = float(finite.max(initial=0.0)) or 1.0
        if shown.counts and store.body is not None:  # a share of what there is, not of the worst
            full = max(full, float(store.body.given.sum()))
    size = max(round(rect.width() * ratio), 1), max(round(rect.height() * ratio), 1)
    across = columns(axis.first, axis.span, size[0], store.n_frames)
    worst = across.worst(values, low=shown.low_is_bad)
    unknown = across.any(~store.known(shown))
    picture = lane_picture(
        shown, worst, unknown, (threshold, full), size, ratio, theme, axis.step * ratio
    )
    painter.drawImage(rect, picture)
    if threshold is not None and 0 < threshold < full:
        y = rect.bottom() - (rect.height() - 2) * threshold / full
        painter.setPen(QPen(QColor(theme.bad), 1, Qt.PenStyle.DotLine))
        painter.drawLine(QPointF(rect.left(), y), QPointF(rect.right(), y))


def marker_lane(
    painter: QPainter, rect: QRectF, axis: Axis, markers: Markers, theme: Theme
) -> None:
    """Markers with as much of their notes as fits before the next one."""
    metrics = QFontMetricsF(painter.font())
    frames = sorted(markers.all)
    painter.save()
    painter.setClipRect(rect)
    for frame, after in zip_longest(frames, frames[1:]):
        left = axis.centre(frame)
        right = rect.right() if after is None else axis.centre(after)
        if right < rect.left() or left > rect.right():
            continue
        colour = QColor(colour_of(markers.all[frame].colour))
        painter.fillRect(QRectF(left - 1, rect.top(), 3, rect.height()), colour)
        room = right - left - 12
        if room > 24 and markers.all[frame].text:
            line = " ".join(markers.all[frame].text.split())
            text = metrics.elidedText(line, Qt.TextElideMode.ElideRight, room)
            painter.setPen(QColor(theme.text))
            painter.drawText(
                QRectF(left + 6, rect.top(), room, rect.height()),
                Qt.AlignmentFlag.AlignVCenter,
                text,
            )
    painter.restore()


def flags(painter: QPainter, axis: Axis, markers: Markers, theme: Theme) -> None:
    """A flag on the ruler for each marker; those of one pixel are one."""
    taken: set[int] = set()
    painter.save()
    painter.setClipRect(QRectF(axis.left - FLAG, 0, axis.width + 2 * FLAG, RULER))
    for frame, marker in markers.all.items():
        x = axis.centre(frame)
        if round(x) in taken or not axis.left - FLAG <= x <= axis.left + axis.width + FLAG:
            continue
        taken.add(round(x))
        colour = QColor(colour_of(marker.colour))
        painter.setPen(QPen(colour, 1.5))
        painter.drawLine(QPointF(x, 2), QPointF(x, RULER - 1))
        painter.setPen(QPen(QColor(theme.panel), 1))
        painter.setBrush(colour)
        painter.drawRect(QRectF(x - FLAG - 1, 2, FLAG + 1, FLAG))
    painter.restore()


def selected_range(
    painter: QPainter, axis: Axis, chosen: FrameRange, bottom: float, theme: Theme
) -> None:
    """The selected frames, over ruler and lanes, with an edge on both sides."""
    left = max(axis.edge(chosen.start), axis.left)
    right = min(axis.edge(chosen.stop), axis.left + axis.width)
    if right < left:
        return
    fill = QColor(theme.accent)
    fill.setAlpha(40)
    painter.fillRect(QRectF(left, 0, max(right - left, 1.0), bottom), fill)
    painter.setPen(QPen(QColor(theme.accent), 1))
    for frame, towards in ((chosen.start, 4), (chosen.stop, -4)):
        x = axis.edge(frame)
        if left <= x <= right:
            painter.drawLine(QPointF(x, 0), QPointF(x, bottom))
            painter.drawLine(QPointF(x, 1), QPointF(x + towards, 1))


def cursor(painter: QPainter, axis: Axis, frame: int, bottom: float, theme: Theme) -> None:
    """The current frame: a line with a head, and its column where columns are wide."""
    x = axis.centre(frame)
    if not axis.left - 1 <= x <= axis.left + axis.width + 1:
        return
    colour = QColor(theme.accent)
    if axis.step > 4:
        fill = QColor(colour)
        fill.setAlpha(40)
        painter.fillRect(QRectF(axis.edge(frame), RULER, axis.step, bottom - RULER), fill)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(colour, 1.5))
    painter.drawLine(QPointF(x, RULER - 4), QPointF(x, bottom))
    painter.setBrush(colour)
    painter.setPen(Qt.PenStyle.NoPen)
    y = RULER - 3
    painter.drawPolygon(QPolygonF([QPointF(x - 6, y - 8), QPointF(x + 6, y - 8), QPointF(x, y)]))
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)


def overview(
    painter: QPainter,
    rect: QRectF,
    store: LaneStore,
    settings: Settings,
    ratio: float,
    theme: Theme,
) -> None:
    """Where the whole recording is off: its residual, small."""
    residual = replace(lane_list.BY_ID["residual"], colour="line")
    size = max(round(rect.width() * ratio), 1), max(round(rect.height() * ratio), 1)
    across = columns(0.0, float(max(store.n_frames, 1)), size[0], store.n_frames)
    worst = across.worst(store.values["residual"])
    limits = lane_list.limits(residual, settings)
    unknown = np.zeros(size[0], bool)
    painter.drawImage(rect, lane_picture(residual, worst, unknown, limits, size, ratio, theme))


def strip_window(
    painter: QPainter, rect: QRectF, whole: Axis, view: TimeView, frame: int, theme: Theme
) -> None:
    """The part of the overview that the lanes show, and where the cursor is."""
    left, right = whole.edge(view.first), whole.edge(view.first + view.span)
    if not view.whole:
        shade = QColor(theme.panel)
        shade.setAlpha(150)
        painter.fillRect(QRectF(rect.left(), rect.top(), left - rect.left(), rect.height()), shade)
        painter.fillRect(QRectF(right, rect.top(), rect.right() - right, rect.height()), shade)
        window = QRectF(left, rect.top(), max(right - left, 4.0), rect.height() - 1)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(QColor(theme.accent), 1))
        painter.drawRect(window)
    painter.fillRect(
        QRectF(whole.centre(frame) - 1, rect.top(), 2, rect.height()), QColor(theme.accent)
    )
