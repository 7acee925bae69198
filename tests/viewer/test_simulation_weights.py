"""The folded weights of the simulation panel."""

from __future__ import annotations

from pipeline.kinematics.part_weights import HIGHEST, PARTS
from simspine_viewer import simulation_weights
from simspine_viewer.simulations import _choice_of


def test_the_panel_offers_the_parts_there_are() -> None:
    assert tuple(simulation_weights.TITLES) == tuple(PARTS)
    assert simulation_weights.HIGHEST == HIGHEST


def test_a_stored_choice_without_weights_or_with_damaged_ones_is_read() -> None:
    assert _choice_of({"variant": "extended"}).weights == {}
    damaged = _choice_of({"variant": "extended", "weights": 3})
    assert (damaged.variant, damaged.weights) == ("extended", {})
