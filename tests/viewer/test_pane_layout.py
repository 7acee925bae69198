"""Panes in a row and in a strip: all are there, none overlap, the active one is the large one."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QRect

from simspine_viewer.pane_layout import Arrangement, PaneNeeds, arranged

PORTRAIT, LANDSCAPE = (1080, 1920), (1920, 1080)


@pytest.mark.parametrize("arrangement", list(Arrangement))
@pytest.mark.parametrize("count", range(1, 9))
def test_no_overlap_and_all_inside(arrangement: Arrangement, count: int) -> None:
    generator = np.random.default_rng(count)
    for _ in range(30):
        width, height = (int(v) for v in generator.integers(500, 2400, 2))
        sizes = tuple(PORTRAIT if v else LANDSCAPE for v in generator.integers(0, 2, count))
        needs, active = PaneNeeds(sizes, 22.0, 90.0), int(generator.integers(0, count))
        area = QRect(3, 5, width, height)
        rects, _ = arranged(arrangement, needs, area, active)
        assert len(rects) == count
        for k, rect in enumerate(rects):
            assert area.contains(rect), (rect, area)
            assert rect.width() > 30
            assert rect.height() > 30
            assert not any(rect.intersects(other) for other in rects[k + 1 :])


@pytest.mark.parametrize("size", [PORTRAIT, LANDSCAPE])
@pytest.mark.parametrize("area", [(1500, 700), (700, 900)])
def test_the_active_pane_is_far_larger(size: tuple[int, int], area: tuple[int, int]) -> None:
    needs = PaneNeeds((size,) * 4, 22.0, 90.0)
    for active in range(4):
        rects, _ = arranged(Arrangement.STRIP, needs, QRect(0, 0, *area), active)
        areas = [r.width() * r.height() for r in rects]
        assert areas[active] > 2 * max(a for k, a in enumerate(areas) if k != active)


def test_the_strip_is_where_it_costs_the_big_picture_least() -> None:
    def strip_is_beside(size: tuple[int, int], area: tuple[int, int]) -> bool:
        needs = PaneNeeds((size,) * 3, 22.0, 90.0)
        rects, _ = arranged(Arrangement.STRIP, needs, QRect(0, 0, *area), 0)
        return rects[0].height() == area[1]

    assert strip_is_beside(PORTRAIT, (1500, 700))
    assert not strip_is_beside(LANDSCAPE, (900, 1200))


def test_a_row_breaks_before_its_texts_do_not_fit() -> None:
    needs = PaneNeeds((LANDSCAPE,) * 8, 22.0, 120.0)
    rects, _ = arranged(Arrangement.ROW, needs, QRect(0, 0, 1400, 600), 0)
    assert len({rect.y() for rect in rects}) == 1
    rects, _ = arranged(Arrangement.ROW, needs, QRect(0, 0, 600, 600), 0)
    assert all(rect.width() >= 120 for rect in rects)
    assert len({rect.y() for rect in rects}) == 2


def test_a_grid_cuts_its_texts_before_its_pictures_become_tiny() -> None:
    """Four upright pictures on a small screen: in two rows they would be 100 points high."""
    needs = PaneNeeds((PORTRAIT,) * 4, 84.0, 126.0)
    rects, columns = arranged(Arrangement.GRID, needs, QRect(0, 0, 465, 300), 0)
    assert columns == 4
    assert all(100 <= rect.width() < 126 for rect in rects)
    # With a little more room the texts are kept whole.
    rects, columns = arranged(Arrangement.GRID, needs, QRect(0, 0, 520, 300), 0)
    assert columns == 4
    assert all(rect.width() >= 126 for rect in rects)
    # Where little is gained, the texts win.
    needs = PaneNeeds((LANDSCAPE,) * 4, 22.0, 126.0)
    _, columns = arranged(Arrangement.GRID, needs, QRect(0, 0, 465, 300), 0)
    assert columns == 2


def test_one_view_has_everything() -> None:
    needs = PaneNeeds((LANDSCAPE,), 22.0)
    for arrangement in Arrangement:
        rects, _ = arranged(arrangement, needs, QRect(0, 0, 800, 600), 0)
        assert rects == [QRect(0, 0, 800, 600)]


def test_an_active_view_that_is_gone_shows_another() -> None:
    needs = PaneNeeds((LANDSCAPE,) * 2, 22.0)
    rects, _ = arranged(Arrangement.STRIP, needs, QRect(0, 0, 800, 600), 7)
    assert rects[1].width() * rects[1].height() > rects[0].width() * rects[0].height()
