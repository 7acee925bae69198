"""Brightness, contrast and gamma: what they do to values, and that they are kept."""

from __future__ import annotations

import numpy as np
import pytest

from simspine_viewer.adjust_popup import AdjustPopup
from simspine_viewer.adjustments import AS_IT_IS, STATE, Adjustment, Adjustments, adjusted, lookup
from tests.viewer.fakes import open_bench
from tests.viewer.pane_stand import pixels_of, show_pane

pytestmark = pytest.mark.gui


def test_values_as_they_are_shown() -> None:
    same = np.arange(256)
    assert np.array_equal(lookup(AS_IT_IS), same)
    for one in (Adjustment(30), Adjustment(contrast=50), Adjustment(gamma=2.2), Adjustment(-40)):
        assert (np.diff(lookup(one).astype(int)) >= 0).all()
    assert lookup(Adjustment(brightness=20))[100] == pytest.approx(100 + 25.5, abs=1)
    steep = lookup(Adjustment(contrast=50)).astype(int)
    assert steep[140] - steep[116] == pytest.approx(2.5 * 24, abs=2)
    assert lookup(Adjustment(contrast=-100)).std() < 1
    assert lookup(Adjustment(gamma=2.0))[64] == pytest.approx(255 * (64 / 255) ** 0.5, abs=1)


def test_the_data_stay_as_they_are(qtbot) -> None:
    pixels = np.random.default_rng(1).integers(0, 255, (12, 9, 4), np.uint8)
    before = pixels.copy()
    assert adjusted(pixels, AS_IT_IS) is pixels
    assert (adjusted(pixels, Adjustment(50))[..., :3] >= pixels[..., :3]).all()
    assert np.array_equal(pixels, before)


def test_a_pane_shows_its_own_adjustment_at_once(qtbot) -> None:
    bench = open_bench()
    pane = show_pane(qtbot, bench, 2)
    spot = (slice(200, 220), slice(300, 320))
    before = pixels_of(pane)[spot].mean()
    pane.adjustments.set(1, Adjustment(80))
    assert pixels_of(pane)[spot].mean() == before
    pane.adjustments.set(2, Adjustment(80))
    assert pixels_of(pane)[spot].mean() > before + 60
    pane.adjustments.reset()
    assert pixels_of(pane)[spot].mean() == before


def test_adjustments_are_kept_and_damaged_ones_left_out(qtbot) -> None:
    bench = open_bench()
    adjustments = Adjustments(bench.document)
    adjustments.set(1, Adjustment(10, -20, 1.5))
    adjustments.save()
    assert Adjustments(bench.document).of(1) == Adjustment(10, -20, 1.5)
    assert Adjustments(bench.document).of(0) == AS_IT_IS
    for damaged in (3, [], {"1": 4}, {"1": {"gamma": float("nan")}}, {"1": {"gamma": "x"}}):
        bench.project.set_state(STATE, damaged)
        assert Adjustments(bench.document).of(1) == AS_IT_IS
    bench.project.set_state(STATE, {"1": {"gamma": 99.0}})
    assert Adjustments(bench.document).of(1).gamma == 5.0


def test_popup_sets_resets_and_spreads(qtbot) -> None:
    bench = open_bench()
    pane = show_pane(qtbot, bench, 0)
    popup = AdjustPopup(pane.adjustments, 0, 4, "cam01", pane)
    popup.gamma.setValue(100)
    popup.contrast.setValue(25)
    assert pane.adjustments.of(0) == Adjustment(0, 25, 2.0)
    popup.everywhere.click()
    assert pane.adjustments.of(3) == Adjustment(0, 25, 2.0)
    popup.reset.click()
    assert pane.adjustments.of(0) == AS_IT_IS
    assert popup.gamma.value() == 0
    popup.close()
