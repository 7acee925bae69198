"""Edits over a range of frames change what they say, nothing else, and undo restores all."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.data import edits, range_edits
from pipeline.data.observations import observations
from pipeline.data.source import Flag
from tests.viewer.fakes import ANNOTATED, make_sequence

FRAMES = np.arange(2, 5)
VIEWS, KEYPOINT = [1], 7


def _everything(sequence) -> dict[str, np.ndarray]:
    names = ("manual2d.xy", "manual2d.flags", "manual3d.xyz")
    return {name: sequence.read(name, track=ANNOTATED) for name in names}


def _apply(sequence, patches) -> None:
    for patch in patches:
        sequence.apply(patch)


@pytest.mark.parametrize(
    "edit", [range_edits.delete_range, range_edits.occlude_range, range_edits.revert_range]
)
def test_the_inverse_restores_every_value(edit) -> None:
    sequence = make_sequence(n_frames=8, bystander=False)
    _apply(sequence, edits.place_point(sequence, ANNOTATED, 3, 1, KEYPOINT, (9.0, 8.0)))
    _apply(sequence, edits.toggle_flag(sequence, ANNOTATED, 4, [1], KEYPOINT, Flag.ABSENT))
    _apply(sequence, edits.place_point_3d(sequence, ANNOTATED, 2, KEYPOINT, (0.1, 1.0, 0.2)))
    before = _everything(sequence)
    patches = edit(sequence, ANNOTATED, FRAMES, VIEWS, KEYPOINT)
    assert patches
    _apply(sequence, patches)
    changed = _everything(sequence)
    assert any(not np.array_equal(changed[n], before[n], equal_nan=True) for n in before)
    for patch in reversed(patches):
        sequence.apply(patch.inverse())
    for name, values in _everything(sequence).items():
        np.testing.assert_array_equal(values, before[name], err_msg=name)


def test_delete_takes_exactly_the_range_in_one_view() -> None:
    sequence = make_sequence(n_frames=8, bystander=False)
    before = observations(sequence, ANNOTATED)
    _apply(sequence, range_edits.delete_range(sequence, ANNOTATED, FRAMES, VIEWS, KEYPOINT))
    after = observations(sequence, ANNOTATED)
    gone = np.isfinite(before.xy[..., 0]) & ~np.isfinite(after.xy[..., 0])
    expected = np.zeros_like(gone)
    expected[2:5, 1, KEYPOINT] = True
    np.testing.assert_array_equal(gone, expected)


def test_delete_leaves_frames_without_the_point_alone() -> None:
    sequence = make_sequence(n_frames=8, bystander=False)
    _apply(sequence, edits.delete_point(sequence, ANNOTATED, 3, VIEWS, KEYPOINT))
    patches = range_edits.delete_range(sequence, ANNOTATED, FRAMES, VIEWS, KEYPOINT)
    assert {f for patch in patches for f in patch.frames.tolist()} == {2, 4}


def test_revert_brings_the_detections_back() -> None:
    sequence = make_sequence(n_frames=8, bystander=False)
    start = observations(sequence, ANNOTATED)
    for frame in FRAMES:
        _apply(
            sequence, edits.place_point(sequence, ANNOTATED, int(frame), 1, KEYPOINT, (1.0, 2.0))
        )
    _apply(sequence, edits.place_point(sequence, ANNOTATED, 5, 1, KEYPOINT, (1.0, 2.0)))
    _apply(sequence, range_edits.revert_range(sequence, ANNOTATED, FRAMES, VIEWS, KEYPOINT))
    after = observations(sequence, ANNOTATED)
    np.testing.assert_array_equal(after.xy[:5], start.xy[:5])
    assert after.manual[5, 1, KEYPOINT], "outside the range the work stays"


def test_occluded_takes_absent_back_and_keeps_placed_points() -> None:
    sequence = make_sequence(n_frames=8, bystander=False)
    _apply(sequence, edits.toggle_flag(sequence, ANNOTATED, 2, VIEWS, KEYPOINT, Flag.ABSENT))
    _apply(sequence, edits.place_point(sequence, ANNOTATED, 3, 1, KEYPOINT, (1.0, 2.0)))
    _apply(sequence, range_edits.occlude_range(sequence, ANNOTATED, FRAMES, VIEWS, KEYPOINT))
    after = observations(sequence, ANNOTATED)
    assert (after.flags[2:5, 1, KEYPOINT] == Flag.OCCLUDED).all()
    assert after.manual[3, 1, KEYPOINT]


@pytest.mark.parametrize("edit", [range_edits.revert_range])
def test_nothing_to_do_gives_no_patches(edit) -> None:
    sequence = make_sequence(n_frames=8, bystander=False)
    assert edit(sequence, ANNOTATED, FRAMES, VIEWS, KEYPOINT) == ()
    _apply(sequence, range_edits.occlude_range(sequence, ANNOTATED, FRAMES, VIEWS, KEYPOINT))
    assert range_edits.occlude_range(sequence, ANNOTATED, FRAMES, VIEWS, KEYPOINT) == ()
