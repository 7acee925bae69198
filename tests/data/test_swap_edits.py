"""Exchanging left and right in one view: values change sides, and undo restores all."""

from __future__ import annotations

import numpy as np

from pipeline.data import edits
from pipeline.data.observations import observations
from pipeline.data.skeleton import project_skeleton
from pipeline.data.source import Flag
from pipeline.data.swap_edits import swap_sides
from pipeline.geometry.swaps import chain_pairs
from tests.viewer.fakes import ANNOTATED, make_sequence

SKELETON = project_skeleton()
LEGS = chain_pairs(SKELETON, "legs")
VIEW, FRAMES = 2, np.array([1, 2])
LEFT, RIGHT = SKELETON.index("left_knee"), SKELETON.index("right_knee")


def _apply(sequence, patches) -> None:
    for patch in patches:
        sequence.apply(patch)


def test_the_sides_change_places_in_that_view_and_those_frames_only() -> None:
    sequence = make_sequence(n_frames=4)
    before = observations(sequence, ANNOTATED)
    patches = swap_sides(sequence, ANNOTATED, FRAMES, VIEW, LEGS)
    assert len(patches) <= 2
    _apply(sequence, patches)
    after = observations(sequence, ANNOTATED)
    for left, right in LEGS:
        for a, b in ((left, right), (right, left)):
            assert np.allclose(after.xy[FRAMES, VIEW, a], before.xy[FRAMES, VIEW, b])
            assert after.manual[FRAMES, VIEW, a].all()
    untouched = np.ones(before.xy.shape[:3], bool)
    untouched[np.ix_(FRAMES, [VIEW], [k for pair in LEGS for k in pair])] = False
    assert np.array_equal(after.xy[untouched], before.xy[untouched], equal_nan=True)
    assert not after.manual[untouched].any()
    _apply(sequence, tuple(patch.inverse() for patch in reversed(patches)))
    restored = observations(sequence, ANNOTATED)
    assert np.array_equal(restored.xy, before.xy, equal_nan=True)
    assert not restored.manual.any()


def test_what_was_not_seen_changes_sides_too() -> None:
    sequence = make_sequence(n_frames=4)
    _apply(sequence, edits.delete_point(sequence, ANNOTATED, 1, [VIEW], LEFT))
    _apply(sequence, edits.toggle_flag(sequence, ANNOTATED, 2, [VIEW], LEFT, Flag.OCCLUDED))
    before = observations(sequence, ANNOTATED)
    _apply(sequence, swap_sides(sequence, ANNOTATED, FRAMES, VIEW, LEGS))
    after = observations(sequence, ANNOTATED)
    assert np.allclose(after.xy[FRAMES, VIEW, LEFT], before.xy[FRAMES, VIEW, RIGHT])
    assert np.isnan(after.xy[FRAMES, VIEW, RIGHT]).all()
    assert after.flags[2, VIEW, RIGHT] & Flag.OCCLUDED
    assert not after.flags[2, VIEW, LEFT] & Flag.OCCLUDED


def test_twice_is_where_it_was() -> None:
    sequence = make_sequence(n_frames=4)
    before = observations(sequence, ANNOTATED)
    for _ in range(2):
        _apply(sequence, swap_sides(sequence, ANNOTATED, FRAMES, VIEW, LEGS))
    assert np.allclose(observations(sequence, ANNOTATED).xy, before.xy, equal_nan=True)


def test_nothing_to_exchange_is_no_step() -> None:
    sequence = make_sequence(n_frames=4)
    assert swap_sides(sequence, ANNOTATED, FRAMES, VIEW, ()) == ()
    assert swap_sides(sequence, 17, FRAMES, VIEW, LEGS) == ()
