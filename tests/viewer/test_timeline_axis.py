"""The visible part of the time axis: zoom, pan, following the cursor, and what the ruler says."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtGui import QFontMetricsF
from PySide6.QtWidgets import QApplication

from simspine_viewer.timeline_axis import (
    LEAST_SPAN,
    Axis,
    TimeView,
    frame_spacing,
    second_spacing,
    time_text,
)
from simspine_viewer.timeline_lanes import columns
from simspine_viewer.timeline_ruler import frame_labels, second_labels

pytestmark = pytest.mark.gui


def _view(n_frames: int = 1000, first: float = 0.0, span: float | None = None) -> TimeView:
    view = TimeView()
    view.set_axis(n_frames)
    if span is not None:
        view.show(first, span)
    return view


@pytest.mark.parametrize("anchor", [0.0, 250.5, 499.0, 1000.0])
def test_zoom_keeps_what_is_under_the_pointer(anchor: float) -> None:
    view = _view()
    for factor in (1.25, 2.0, 4.0):
        share = (anchor - view.first) / view.span
        view.zoom(factor, anchor)
        assert (anchor - view.first) / view.span == pytest.approx(share)
    assert view.span == pytest.approx(100.0)
    view.zoom(0.01, anchor)
    assert view.whole
    assert (view.first, view.span) == (0.0, 1000.0)


def test_neither_zoom_nor_pan_leaves_the_recording() -> None:
    view = _view()
    view.zoom(1e9, 999.9)
    assert view.span == LEAST_SPAN
    view.pan(5000)
    assert view.first + view.span == 1000.0
    assert view.stop == 1000
    view.pan(-5000)
    assert (view.first, view.start) == (0.0, 0)
    tiny = _view(3)
    tiny.zoom(100, 1.5)
    assert (tiny.first, tiny.span) == (0.0, 3.0)


def test_a_frame_out_of_sight_is_brought_into_view_by_pages_while_playing() -> None:
    view = _view(1000, 100.0, 50.0)
    for frame in range(100, 150):
        view.keep_visible(frame, page=True)
        assert view.first == 100.0, "nothing moves while the cursor is visible"
    view.keep_visible(150, page=True)
    assert view.first == pytest.approx(147.5)
    view.keep_visible(147, page=True)
    assert view.first + view.span == pytest.approx(149.5)
    view.show(100.0, 50.0)
    view.keep_visible(151)
    assert view.first == pytest.approx(107.0), "just so far that it is clear of the edge"


def test_positions_and_pixels_are_inverse() -> None:
    axis = Axis(80.0, 900.0, 123.25, 60.0)
    for place in (123.25, 130.0, 183.2):
        assert axis.position_at(axis.edge(place)) == pytest.approx(place)
    assert axis.centre(130) == pytest.approx(axis.edge(130) + axis.step / 2)


def test_spacings_are_round_and_wide_enough() -> None:
    for step in (0.001, 0.013, 0.5, 3.0, 70.0):
        spacing = frame_spacing(step, 64.0)
        assert spacing * step >= 64.0
        assert str(spacing).rstrip("0") in ("1", "2", "5")
        assert second_spacing(step, 50.0, 64.0) * 50.0 * step >= 64.0


@pytest.mark.parametrize(
    ("seconds", "spacing", "text"),
    [(0.0, 1, "0 s"), (12.25, 0.05, "12.25 s"), (62.5, 0.5, "1:02.5"), (59.9996, 0.5, "1:00.0"),
     (600, 60, "10:00"), (0.004, 0.001, "0.004 s")],
)  # fmt: skip
def test_times_are_as_fine_as_they_are_apart(seconds: float, spacing: float, text: str) -> None:
    assert time_text(seconds, spacing) == text


@pytest.mark.parametrize("span", [8.0, 40.0, 333.3, 1000.0])
def test_labels_lie_where_they_say(qtbot, span: float) -> None:
    view = _view(1000, 400.0 if span < 500 else 0.0, span)
    axis, metrics = Axis(80.0, 900.0, view.first, view.span), QFontMetricsF(QApplication.font())
    frames = frame_labels(view, axis, metrics, 990.0)
    assert len(frames) >= 5
    for label in frames:
        assert axis.position_at(label.x) == pytest.approx(int(label.text) + 0.5)
    if span == 8.0:
        assert [label.text for label in frames] == [str(f) for f in range(400, 408)]
    for label in second_labels(view, axis, metrics, 990.0, 50.0):
        minutes, _, rest = label.text.removesuffix(" s").rpartition(":")
        seconds = 60 * int(minutes or 0) + float(rest)
        assert axis.position_at(label.x) == pytest.approx(seconds * 50.0 + 0.5, abs=0.02)


@pytest.mark.parametrize("n_frames", [1, 7, 900, 180_000])
@pytest.mark.parametrize("zoomed", [1.0, 3.7, 60.0])
def test_no_visible_frame_falls_between_columns(n_frames: int, zoomed: float) -> None:
    view = _view(n_frames)
    view.zoom(zoomed, n_frames * 0.37)
    across = columns(view.first, view.span, 700, n_frames)
    rng = np.random.default_rng(1)
    for frame in rng.integers(view.start, view.stop, 20):
        values = np.zeros(n_frames)
        values[frame] = 1.0
        shown = np.flatnonzero(across.worst(values))
        inside = view.first <= frame and frame + 1 <= view.first + view.span
        assert len(shown) or not inside
        if len(shown):
            place = (frame + 0.5 - view.first) / view.span * 700
            assert abs(shown.mean() + 0.5 - place) <= max(700 / view.span, 1.0)
