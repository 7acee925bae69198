"""A point placed in many frames at once leaves alone what a person did."""

from __future__ import annotations

import numpy as np

from pipeline.data import edits
from pipeline.data.place_edits import is_worked_on, place_points
from pipeline.data.sequence import Sequence
from pipeline.data.source import Flag
from tests.data.recordings import small_sequence

VIEW, KEYPOINT, TRACK = 1, 3, 0
FRAMES = np.arange(2, 8)
XY = np.stack([np.arange(6.0), np.full(6, 5.0)], axis=-1)


def _apply(sequence: Sequence, patches: edits.Patches) -> None:
    for patch in patches:
        sequence.apply(patch)


def test_every_free_frame_gets_its_point() -> None:
    sequence = small_sequence()
    _apply(sequence, edits.delete_point(sequence, TRACK, 5, [VIEW], KEYPOINT))
    patches = place_points(sequence, TRACK, FRAMES, VIEW, KEYPOINT, XY)
    _apply(sequence, patches)
    np.testing.assert_array_equal(
        sequence.read("manual2d.xy", FRAMES, TRACK)[:, VIEW, KEYPOINT], XY
    )
    assert not sequence.read("manual2d.flags", FRAMES, TRACK)[:, VIEW, KEYPOINT].any()
    other = sequence.read("manual2d.xy", track=TRACK)
    other[FRAMES, VIEW, KEYPOINT] = np.nan
    assert np.isnan(other).all()
    _apply(sequence, tuple(patch.inverse() for patch in reversed(patches)))
    flags = sequence.read("manual2d.flags", FRAMES, TRACK)[:, VIEW, KEYPOINT]
    assert flags.tolist() == [0, 0, 0, Flag.REJECTED, 0, 0]


def test_what_a_person_did_stays() -> None:
    sequence = small_sequence()
    _apply(sequence, edits.place_point(sequence, TRACK, 3, VIEW, KEYPOINT, (70.0, 71.0)))
    _apply(sequence, edits.toggle_flag(sequence, TRACK, 4, [VIEW], KEYPOINT, Flag.OCCLUDED))
    _apply(sequence, edits.place_point_3d(sequence, TRACK, 6, KEYPOINT, (0.1, 0.2, 0.3)))
    done = is_worked_on(sequence, TRACK, FRAMES, VIEW, KEYPOINT)
    assert done.tolist() == [False, True, True, False, True, False]
    _apply(sequence, place_points(sequence, TRACK, FRAMES, VIEW, KEYPOINT, XY))
    now = sequence.read("manual2d.xy", FRAMES, TRACK)[:, VIEW, KEYPOINT]
    np.testing.assert_array_equal(now[[0, 3, 5]], XY[[0, 3, 5]])
    np.testing.assert_array_equal(now[1], (70.0, 71.0))
    assert np.isnan(now[[2, 4]]).all()
    assert sequence.read("manual3d.xyz", [6], TRACK)[0, KEYPOINT, 0] == np.float32(0.1)


def test_nothing_is_left_to_place() -> None:
    sequence = small_sequence()
    _apply(sequence, place_points(sequence, TRACK, FRAMES, VIEW, KEYPOINT, XY))
    assert place_points(sequence, TRACK, FRAMES, VIEW, KEYPOINT, XY + 1.0) == ()
