"""Lanes fill in slices, near the cursor first; what is not known yet is not shown as empty."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtGui import QColor

from pipeline.geometry.reconstruct import solve_points3d
from simspine_viewer.lane_store import BLOCK, LaneStore
from simspine_viewer.lanes import BY_ID, LANES, chosen, limits, moved, toggled, value_text
from simspine_viewer.settings import Settings
from simspine_viewer.theme import DARK
from simspine_viewer.timeline_lanes import lane_picture
from tests.viewer.fakes import ANNOTATED, Bench, make_sequence, open_bench
from tests.viewer.long_recording import empty_sequence
from tests.viewer.window import wait_until

pytestmark = pytest.mark.gui


def _store(bench: Bench, *lanes: str) -> LaneStore:
    store = LaneStore(bench.document, bench.cursor, bench.selection, bench.document)
    store.want([BY_ID[name] for name in lanes])
    return store


def _solved(bench: Bench) -> None:
    frames = np.arange(bench.document.sequence.n_frames)
    sequence = bench.document.sequence
    bench.document.land(solve_points3d(sequence, ANNOTATED, frames), frames, sequence.revision)


def test_an_hour_at_50_fps_opens_at_once_and_fills_from_the_cursor(qtbot) -> None:
    bench = open_bench(empty_sequence(180_000, n_views=4))
    bench.cursor.set_frame(90_000)
    store = _store(bench)
    store.reload()
    known = store.known(BY_ID["edited"]).copy()
    assert 0 < known.sum() < 20_000, "one slice, not all"
    near = np.flatnonzero(known)
    assert near.min() <= 90_000 <= near.max()
    assert near.max() - near.min() == known.sum() - 1, "around the cursor without holes"
    wait_until(lambda: store.known(BY_ID["edited"]).sum() > 2 * known.sum())
    bench.cursor.set_frame(10)
    wait_until(lambda: store.known(BY_ID["edited"])[10])
    bench.document.close()


def test_only_lanes_that_are_shown_are_computed(qtbot) -> None:
    bench = open_bench(make_sequence(n_frames=10))
    _solved(bench)
    store = _store(bench, "residual")
    store.reload()
    assert store.complete
    assert np.isnan(store.values["jump"]).all()
    store.want([BY_ID["jump"], BY_ID["sigma"]])
    wait_until(lambda: store.complete)
    assert np.isfinite(store.values["jump"][1:-1]).all()
    assert np.isfinite(store.values["sigma"]).all()
    bench.selection.set(keypoint=4)
    wait_until(lambda: store.complete)
    own = store.values["speed"].copy()
    bench.selection.set(keypoint=-1)
    wait_until(lambda: store.complete)
    assert (store.values["speed"][1:-1] >= own[1:-1] - 1e-9).all()


def test_stale_points_are_not_known(qtbot) -> None:
    bench = open_bench(make_sequence(n_frames=6))
    store = _store(bench, "residual", "confidence")
    store.reload()
    assert not store.known(BY_ID["residual"]).any()
    assert store.known(BY_ID["confidence"]).all()
    _solved(bench)
    assert store.known(BY_ID["residual"]).all()


def test_many_frames_that_change_are_computed_later_and_shown_until_then(qtbot) -> None:
    n = 3 * BLOCK
    bench = open_bench(empty_sequence(n))
    store = _store(bench, "edited")
    store.reload()
    wait_until(lambda: store.complete)
    sequence = bench.document.sequence
    index = np.stack([np.arange(n), np.zeros(n, int), np.full(n, 3)], -1)
    change = sequence.apply(sequence.patch("manual2d.flags", index, 1, ANNOTATED))
    bench.document.changed.emit(change)
    assert store.known(BY_ID["edited"]).all()
    wait_until(lambda: store.complete)
    assert (store.values["edited"] == 1).all()


def test_unknown_columns_are_hatched_and_known_ones_are_not() -> None:
    lane, size = BY_ID["missing"], (200, 20)
    unknown = np.arange(200) >= 100
    picture = lane_picture(lane, np.zeros(200), unknown, (None, 37.0), size, 1.0, DARK)
    field = QColor(DARK.field).rgb()
    drawn = [any(picture.pixel(x, y) != field for y in range(20)) for x in range(200)]
    assert not any(drawn[:100])
    assert all(drawn[100:])


def test_beyond_goes_by_the_direction_of_the_lane(qtbot) -> None:
    bench = open_bench(make_sequence(n_frames=5))
    _solved(bench)
    store = _store(bench, "residual", "confidence")
    store.reload()
    store.values["residual"][:] = [1, 40, np.nan, 30, 31]
    store.values["confidence"][:] = [0.9, 0.2, np.nan, 0.3, 0.1]
    assert np.flatnonzero(store.beyond("residual", 30.0)).tolist() == [1, 4]
    assert np.flatnonzero(store.beyond("confidence", 0.3)).tolist() == [1, 4]
    store.values["edited"][:] = [0, 0, 2, 0, 0]
    assert np.flatnonzero(store.beyond("edited", None)).tolist() == [2]


def test_every_lane_says_what_it_is_and_settings_choose_them() -> None:
    assert len({lane.id for lane in LANES}) == len(LANES)
    for lane in LANES:
        assert lane.help.endswith("."), lane.id
        assert lane.title
    settings = Settings(lanes=["jump", "nonsense", "jump", "edited"], error_threshold=12.0)
    assert [lane.id for lane in chosen(settings)] == ["jump", "edited"]
    assert [lane.id for lane in chosen(Settings())] == [
        "residual", "confidence", "edited", "missing",
    ]  # fmt: skip
    assert limits(BY_ID["residual"], settings) == (12.0, 24.0)
    two = chosen(settings)
    assert toggled(two, BY_ID["sigma"]) == ["jump", "edited", "sigma"]
    assert toggled(two[:1], two[0]) == ["jump"], "the last lane stays"
    assert moved(two, two[0], 1) == ["edited", "jump"]
    assert value_text(BY_ID["limb"], 12.34) == "12.3%"
    assert value_text(BY_ID["speed"], 1.25) == "1.2 m/s"
