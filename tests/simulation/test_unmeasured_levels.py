"""Levels nobody placed, of a person whose column is not the model's, through the whole chain."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.opensim


def test_neighbours_tell_a_level_better_than_the_model_alone_or_a_cubic(tmp_path: Path) -> None:
    from benchmarks.held_out_levels import COLUMN, neutral_places
    from benchmarks.unmeasured_levels import held_out, person

    one, at = person(2), neutral_places()
    errors = [held_out(one, COLUMN.index(name), at, tmp_path) for name in ("Spine_02", "Spine_05")]
    model, alone, label, cubic, said = np.sqrt(np.mean(np.square(errors), axis=0))
    assert label < 0.98 * alone
    assert label < 0.95 * model
    assert label < cubic
    assert 0.5 < said / label < 2.5


def test_a_level_placed_now_and_then_is_told_in_between(tmp_path: Path) -> None:
    from benchmarks.unmeasured_levels import between_placed, person

    before, now = between_placed(person(2), tmp_path)
    assert now < 0.6 * before
    assert now < 0.006
