"""Panes for 1 to 8 views: arranged for large pictures, switching together, enlarged singly."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from simspine_viewer.pane_grid import PaneGrid
from simspine_viewer.pane_layout import GAP, best_columns, cells, picture_scale
from simspine_viewer.picture import Picture
from simspine_viewer.theme import LIGHT
from tests.viewer.fakes import BYSTANDER, Bench, make_sequence, open_bench

pytestmark = pytest.mark.gui

PORTRAIT, LANDSCAPE = (1080, 1920), (1920, 1080)


def pictures(frame: int, sizes: list[tuple[int, int]]) -> tuple[Picture, ...]:
    return tuple(
        Picture(frame, frame, np.full((height // 8, width // 8, 4), frame, np.uint8))
        for width, height in sizes
    )


def open_grid(qtbot: QtBot, n: int, size: tuple[int, int] = (1000, 700)) -> tuple[Bench, PaneGrid]:
    bench = open_bench(make_sequence(2, n))
    grid = PaneGrid(*bench.state)
    qtbot.addWidget(grid)
    grid.resize(*size)
    grid.set_views(n)
    grid.show()
    qtbot.waitExposed(grid)
    return bench, grid


@pytest.mark.parametrize(
    ("size", "count", "area", "columns"),
    [
        (PORTRAIT, 4, (1200, 700), 4),
        (PORTRAIT, 2, (900, 700), 2),
        (LANDSCAPE, 4, (1200, 700), 2),
        (LANDSCAPE, 2, (600, 900), 1),
        (LANDSCAPE, 8, (1400, 500), 4),
        (LANDSCAPE, 1, (700, 700), 1),
    ],
)
def test_arrangement_follows_the_pictures(
    size: tuple[int, int], count: int, area: tuple[int, int], columns: int
) -> None:
    assert best_columns([size] * count, area, 22.0) == columns


@pytest.mark.parametrize("count", range(1, 9))
def test_no_other_arrangement_shows_larger_pictures(count: int) -> None:
    generator = np.random.default_rng(count)
    for _ in range(40):
        width, height = (int(v) for v in generator.integers(200, 2000, 2))
        area = (int(generator.integers(300, 2000)), int(generator.integers(300, 1500)))
        sizes = [(width, height)] * count
        chosen = picture_scale(best_columns(sizes, area, 22.0), sizes, area, 22.0)
        others = [picture_scale(n, sizes, area, 22.0) for n in range(1, count + 1)]
        assert chosen == pytest.approx(max(others))


def test_a_little_resizing_does_not_rearrange() -> None:
    sizes = [(1000, 1000)] * 4
    before = best_columns(sizes, (1000, 1000), 0.0)
    assert before == 2
    for width in (1010, 1040, 990, 960):
        assert best_columns(sizes, (width, 1000), 0.0, before) == 2


@pytest.mark.parametrize("count", range(1, 9))
def test_cells_fill_the_grid_without_overlap(count: int) -> None:
    area = QRect(0, 0, 997, 613)
    for columns in range(1, count + 1):
        rects = cells(count, columns, area)
        assert len(rects) == count
        for k, rect in enumerate(rects):
            assert area.contains(rect)
            assert not any(rect.intersects(other) for other in rects[k + 1 :])
        if count % columns == 0:
            covered = sum((r.width() + GAP) * (r.height() + GAP) for r in rects)
            assert covered == (area.width() + GAP) * (area.height() + GAP)


@pytest.mark.parametrize("count", [1, 4, 8])
def test_every_view_has_a_visible_pane_large_enough_for_its_texts(qtbot: QtBot, count: int) -> None:
    _, grid = open_grid(qtbot, count, (1366, 700))
    assert len(grid.panes) == count
    for pane in grid.panes:
        assert pane.isVisible()
        assert grid.rect().contains(pane.geometry())
        assert pane.width() >= pane.minimumSizeHint().width()


def test_panes_switch_together(qtbot: QtBot) -> None:
    _, grid = open_grid(qtbot, 4)
    grid.set_pictures(1, pictures(1, [LANDSCAPE] * 4))
    assert [pane.frame for pane in grid.panes] == [1] * 4
    grid.set_pictures(0, pictures(0, [LANDSCAPE] * 3))  # of a recording that is gone
    assert [pane.frame for pane in grid.panes] == [1] * 4


def test_portrait_pictures_rearrange_the_panes(qtbot: QtBot) -> None:
    _, grid = open_grid(qtbot, 4)
    assert grid.columns == 2
    grid.set_pictures(0, pictures(0, [PORTRAIT] * 4))
    assert grid.columns == 4


def test_double_click_enlarges_and_again_returns(qtbot: QtBot) -> None:
    bench, grid = open_grid(qtbot, 4)
    heard: list[int] = []
    grid.enlarged_changed.connect(heard.append)
    small = grid.panes[2].width()
    QTest.mouseDClick(grid.panes[2], Qt.MouseButton.LeftButton, pos=QPoint(30, 60))
    assert [pane.isVisible() for pane in grid.panes] == [False, False, True, False]
    assert grid.panes[2].width() > 1.8 * small
    assert bench.selection.view == 2
    QTest.mouseDClick(grid.panes[2], Qt.MouseButton.LeftButton, pos=QPoint(30, 60))
    assert all(pane.isVisible() for pane in grid.panes)
    assert heard == [2, -1]


def test_escape_drops_a_drag_first_and_then_the_enlargement(qtbot: QtBot) -> None:
    bench, grid = open_grid(qtbot, 4)
    grid.enlarge(0)
    pane = grid.panes[0]
    at = pane.transform.to_widget(bench.document.points_at(0).xy[0, 3])
    start = QPoint(round(at[0]), round(at[1]))
    QTest.mousePress(pane, Qt.MouseButton.LeftButton, pos=start)
    QTest.mouseMove(pane, start + QPoint(20, 20))
    assert bench.document.preview is not None
    QTest.keyClick(pane, Qt.Key.Key_Escape)
    assert bench.document.preview is None
    assert grid.enlarged == 0
    QTest.mouseRelease(pane, Qt.MouseButton.LeftButton, pos=start)
    QTest.keyClick(pane, Qt.Key.Key_Escape)
    assert grid.enlarged == -1
    assert not bench.document.history.entries


def test_an_enlarged_pane_gives_way_to_the_view_that_is_chosen(qtbot: QtBot) -> None:
    bench, grid = open_grid(qtbot, 4)
    grid.enlarge(1)
    bench.selection.set(view=3)
    assert [pane.isVisible() for pane in grid.panes] == [False, False, False, True]


def test_the_active_pane_has_a_border(qtbot: QtBot) -> None:
    bench, grid = open_grid(qtbot, 4)
    bench.selection.set(view=1)
    colours = [pane.grab().toImage().pixelColor(1, 300).getRgb() for pane in grid.panes]
    highlight = grid.palette().highlight().color().getRgb()
    assert [colour == highlight for colour in colours] == [False, True, False, False]


def test_signals_of_the_panes_are_passed_on(qtbot: QtBot) -> None:
    _, grid = open_grid(qtbot, 4)
    with qtbot.waitSignal(grid.person_clicked) as clicked:
        grid.panes[1].person_clicked.emit(BYSTANDER)
    assert clicked.args == [BYSTANDER]
    with qtbot.waitSignal(grid.menu_requested) as asked:
        grid.panes[1].menu_requested.emit(QPoint(3, 4), 7)
    assert asked.args == [QPoint(3, 4), 7]


def test_options_reach_all_panes_also_later_ones(qtbot: QtBot) -> None:
    _, grid = open_grid(qtbot, 2)
    grid.set_epipolar(False)
    grid.set_names(True)
    grid.set_overlay_visible(False)
    grid.set_theme(LIGHT)
    grid.set_views(2)
    for pane in grid.panes:
        assert not pane.options.epipolar
        assert pane.options.names
        assert not pane.options.visible


def test_fit_all_and_another_recording(qtbot: QtBot) -> None:
    bench, grid = open_grid(qtbot, 4)
    scale = grid.panes[0].transform.scale
    for pane in grid.panes:
        pane.zoom(3)
    grid.fit_all()
    assert grid.panes[0].transform.scale == pytest.approx(scale)
    grid.set_views(0)
    grid.grab()
    assert grid.panes == ()
    bench.document.close()
    qtbot.wait(10)
