"""Curves: the right values in the right frames, gaps, marks, pins, files; the frame by mouse."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from pipeline.data import edits
from pipeline.data.errors import UserError
from pipeline.data.history import Place
from pipeline.geometry.fuse import track_lengths
from pipeline.geometry.reconstruct import solve_points3d
from simspine_viewer.curve_store import BLOCK
from simspine_viewer.curves import Curves
from simspine_viewer.curves_names import CurveNames
from simspine_viewer.curves_plot import MANY, Curve
from simspine_viewer.settings import Settings
from simspine_viewer.theme import DARK, LIGHT
from simspine_viewer.time_aids import TimeAids
from tests.viewer.fakes import ANNOTATED, BYSTANDER, Bench, body, make_sequence, open_bench
from tests.viewer.long_recording import empty_sequence
from tests.viewer.window import wait_until

pytestmark = pytest.mark.gui

KEYPOINT, N = 7, 40


def _solve(bench: Bench) -> None:
    frames = np.arange(bench.document.sequence.n_frames)
    sequence = bench.document.sequence
    bench.document.land(solve_points3d(sequence, ANNOTATED, frames), frames, sequence.revision)


def _drawn(panel: Curves) -> None:
    wait_until(lambda: panel.store.complete and not panel._draw_timer.isActive())


def _curves(qtbot, bench: Bench) -> Curves:
    aids = TimeAids(bench.document, bench.cursor, bench.selection)
    panel = Curves(aids, bench.selection, Settings(), lambda: 80.0, lambda: None)
    panel.aids = aids
    qtbot.addWidget(panel)
    panel.resize(900, 400)
    panel.show()
    _drawn(panel)
    return panel


@pytest.fixture
def bench() -> Bench:
    made = open_bench(make_sequence(n_frames=N, bystander=False))
    _solve(made)
    made.selection.set(keypoint=KEYPOINT, view=2)
    return made


def _line(panel: Curves, row: int) -> tuple[np.ndarray, np.ndarray]:
    """The points of the longest line of a plot."""
    import pyqtgraph as pg

    items = [i for i in panel.plot.plots[row].items if isinstance(i, pg.PlotDataItem)]
    return max((i.getOriginalDataset() for i in items), key=lambda data: len(data[0]))


def test_positions_are_the_points_in_millimetres_in_the_middle_of_their_frames(
    qtbot, bench: Bench
) -> None:
    panel = _curves(qtbot, bench)
    truth = np.array([body(f)[KEYPOINT] + (0.0, 0.03, 0.0) for f in range(N)]) * 1000
    for axis in range(3):
        x, y = _line(panel, axis)
        np.testing.assert_allclose(x, np.arange(N) + 0.5)
        np.testing.assert_allclose(y, truth[:, axis], atol=2.0)
    panel.toggle("speed")
    _, speed = _line(panel, 3)
    np.testing.assert_allclose(speed[1:-1], 0.01 * 50.0, rtol=0.1)
    assert np.isnan(speed[[0, -1]]).all()


def test_gaps_are_gaps_and_edited_frames_are_marked(qtbot, bench: Bench) -> None:
    import pyqtgraph as pg

    panel = _curves(qtbot, bench)
    document = bench.document
    track_lengths(document.sequence, ANNOTATED)  # known, as once the worker has solved something
    views = list(range(4))
    patches = edits.delete_point(document.sequence, ANNOTATED, 20, views, KEYPOINT)
    document.commit("Delete", patches, Place(20, -1, KEYPOINT, ANNOTATED))
    patches = edits.place_point(document.sequence, ANNOTATED, 25, 0, KEYPOINT, (300.0, 200.0))
    document.commit("Place", patches, Place(25, 0, KEYPOINT, ANNOTATED))
    stale_at, both = document.sequence.stamps.stale_at, np.array([20, 25])
    wait_until(lambda: not stale_at("fused", ANNOTATED, both).any())
    _drawn(panel)
    _, y = _line(panel, 0)
    assert np.flatnonzero(np.isnan(y)).tolist() == [20]
    marks = [i for i in panel.plot.plots[0].items if isinstance(i, pg.PlotDataItem)]
    diamonds = [i for i in marks if i.opts["symbol"] == "d"]
    # The final points bridge frame 20, so that there is where to mark it.
    assert [i.getOriginalDataset()[0].tolist() for i in diamonds] == [[20.5, 25.5]]
    document.undo()
    document.undo()
    _drawn(panel)
    assert np.isfinite(_line(panel, 0)[1]).all()


def test_what_is_older_than_a_change_is_a_gap_until_it_is_solved_anew(qtbot, bench: Bench) -> None:
    panel = _curves(qtbot, bench)
    document, fields = bench.document, ("x", "residual", "sigma")
    document.commit("Shift", edits.set_sync(document.sequence, 1, 1.0, 0.0), Place(0))
    _drawn(panel)
    values = panel.store.values(KEYPOINT)
    assert all(np.isnan(values[name]).all() for name in fields)
    assert np.isfinite(values["picture_x"]).any(), "what was seen is known"
    _solve(bench)
    _drawn(panel)
    values = panel.store.values(KEYPOINT)
    assert all(np.isfinite(values[name]).sum() >= N - 1 for name in fields)


def test_final_curves_have_a_gap_as_far_as_an_edit_reaches(qtbot) -> None:
    n = 2 * BLOCK
    sequence = empty_sequence(n)
    frames = np.arange(n)
    final = sequence.patch("fused.xyz", [(f, KEYPOINT) for f in frames], 1.0, ANNOTATED)
    sequence.land((final,), frames, 0)
    bench = open_bench(sequence)
    bench.selection.set(keypoint=KEYPOINT)
    panel = _curves(qtbot, bench)
    values = panel.store.values(KEYPOINT)
    assert np.isfinite(values["final_x"]).all()
    patches = edits.place_point(sequence, BYSTANDER, BLOCK - 5, 0, KEYPOINT, (9.0, 9.0))
    for patch in (*patches, sequence.patch("assignment.track", [(BLOCK - 5, 0, 0)], BYSTANDER)):
        bench.document.changed.emit(sequence.apply(patch))
    _drawn(panel)
    gap = np.flatnonzero(np.isnan(panel.store.values(KEYPOINT)["final_x"]))
    assert gap.tolist() == list(range(BLOCK - 20, BLOCK + 11))
    bench.document.close()


def test_picture_curves_are_of_the_active_view(qtbot, bench: Bench) -> None:
    panel = _curves(qtbot, bench)
    for quantity in ("picture_x", "x", "y", "z"):
        panel.toggle(quantity)
    assert panel.shown() == ["picture_x"]
    seen = np.array([bench.document.points_at(f).xy for f in range(N)])
    np.testing.assert_allclose(_line(panel, 0)[1], seen[:, 2, KEYPOINT, 0], rtol=1e-6)
    bench.selection.set(view=0)
    _drawn(panel)
    np.testing.assert_allclose(_line(panel, 0)[1], seen[:, 0, KEYPOINT, 0], rtol=1e-6)


def test_the_selection_is_followed_and_pins_stay(qtbot, bench: Bench) -> None:
    panel = _curves(qtbot, bench)
    QTest.mouseClick(panel.pin, Qt.MouseButton.LeftButton)
    bench.selection.set(keypoint=3)
    assert panel.keypoints() == [KEYPOINT, 3]
    markers = bench.document.sequence.info.skeleton.markers
    assert markers[3] in panel.names.text()
    assert markers[KEYPOINT] in panel.names.text()
    bench.selection.set(keypoint=KEYPOINT)
    QTest.mouseClick(panel.pin, Qt.MouseButton.LeftButton)
    bench.selection.set(keypoint=3)
    assert panel.keypoints() == [3]


def test_a_click_and_a_drag_in_a_plot_move_the_frame(qtbot, bench: Bench) -> None:
    panel = _curves(qtbot, bench)
    box = panel.plot.plots[1].getViewBox()
    viewport = panel.plot.viewport()

    def at(frame: int) -> QPoint:
        scene = box.mapViewToScene(box.viewRange() and _point(frame + 0.5, box.viewRange()[1]))
        return panel.plot.mapFromScene(scene)

    QTest.mouseClick(viewport, Qt.MouseButton.LeftButton, pos=at(12))
    assert bench.cursor.frame == 12
    assert [line.value() for line in panel.plot._lines] == [12.5] * 3
    QTest.mousePress(viewport, Qt.MouseButton.LeftButton, pos=at(12))
    for frame in (18, 24, 30):
        QTest.mouseMove(viewport, at(frame), delay=20)
    QTest.mouseRelease(viewport, Qt.MouseButton.LeftButton, pos=at(30))
    assert bench.cursor.frame == 30


def _point(x: float, y_range: list[float]):
    from PySide6.QtCore import QPointF

    return QPointF(x, sum(y_range) / 2)


def test_time_is_that_of_the_timeline(qtbot, bench: Bench) -> None:
    panel = _curves(qtbot, bench)
    panel.aids.view.show(10, 12)
    _drawn(panel)
    for plot in panel.plot.plots:
        np.testing.assert_allclose(plot.getViewBox().viewRange()[0], [10, 22])
    x, _ = _line(panel, 0)
    assert (x[0], x[-1]) == (9.5, 22.5), "no more than is visible is drawn"


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=lambda theme: theme.name)
def test_it_is_drawn_in_both_themes(qtbot, bench: Bench, theme) -> None:
    panel = _curves(qtbot, bench)
    panel.set_theme(theme)
    picture = panel.plot.grab().toImage()
    colours = {
        picture.pixelColor(x, y).name()
        for x in range(0, picture.width(), 3)
        for y in range(0, picture.height(), 3)
    }
    assert theme.panel in colours
    assert theme.field in colours
    panel.copy_picture()
    assert QApplication.clipboard().pixmap().size() == panel.plot.size()


def test_the_file_has_the_values_of_the_range(qtbot, bench: Bench, tmp_path: Path) -> None:
    panel = _curves(qtbot, bench)
    panel.aids.range.set(5, 9)
    target = tmp_path / "curves.csv"
    panel.save_csv(target)
    rows = list(csv.DictReader(io.StringIO(target.read_text())))
    assert [row["frame"] for row in rows] == ["5", "6", "7", "8"]
    marker = bench.document.sequence.info.skeleton.markers[KEYPOINT]
    xyz = bench.document.sequence.read("points3d.xyz", track=ANNOTATED)[:, KEYPOINT] * 1000
    written = [float(row[f"{marker}_y_mm"]) for row in rows]
    np.testing.assert_allclose(written, xyz[5:9, 1], atol=1e-3)
    assert float(rows[1]["time_s"]) == pytest.approx(6 / 50)
    with pytest.raises(UserError, match="could not be written"):
        panel.save_csv(tmp_path)
    bench.selection.set(keypoint=-1)
    with pytest.raises(UserError, match="No keypoint is selected"):
        panel.save_csv(target)


def test_a_long_recording_is_read_where_it_is_looked_at(qtbot) -> None:
    bench = open_bench(empty_sequence(180_000, n_views=4))
    bench.selection.set(keypoint=KEYPOINT)
    aids = TimeAids(bench.document, bench.cursor, bench.selection)
    panel = Curves(aids, bench.selection, Settings(), lambda: 80.0, lambda: None)
    qtbot.addWidget(panel)
    aids.view.show(100_000, 500)
    panel.show()
    assert not panel.store.complete
    read = np.flatnonzero(np.isfinite(panel.store.values(KEYPOINT)["edited"]))
    assert len(read)
    assert read.min() < 100_500
    assert read.max() > 100_000
    bench.document.close()


@pytest.mark.parametrize("width", [40, 120, 200, 400, 900])
def test_names_have_room_or_are_counted(qtbot, width: int) -> None:
    names = CurveNames()
    qtbot.addWidget(names)
    names.resize(width, 24)
    markers = [f"Marker{i}" for i in range(6)]
    names.name(dict.fromkeys(markers, "#4a9eff"), "solid: final", "#a3adbb")
    assert names.toolTip().split("\n") == [*markers, "solid: final"]
    assert names.sizeHint().width() <= width
    written = [marker for marker in markers if marker in names.text()]
    assert written == markers[: len(written)]
    assert ("+ " in names.text()) == (0 < len(written) < len(markers))
    assert (len(written) == len(markers)) == (width >= 900)
    assert written or width < 120


def test_many_visible_frames_are_drawn(qtbot, bench: Bench) -> None:
    panel = _curves(qtbot, bench)
    values = np.sin(np.arange(2.0 * MANY) / 50)
    panel.plot.draw(0, [Curve("#ff0000", 0, values)])
    QApplication.processEvents()
    drawn = _line(panel, 0)
    assert len(drawn[0]) == len(values)
    assert np.array_equal(drawn[1], values)
