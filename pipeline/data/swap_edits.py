"""Left and right exchanged in one view over some frames, as one transaction."""

from __future__ import annotations

from collections.abc import Sequence as Items

import numpy as np
from numpy.typing import NDArray

from pipeline.data.edits import Patches
from pipeline.data.observations import observations
from pipeline.data.patch import Patch
from pipeline.data.sequence import Sequence
from pipeline.data.source import Flag

_HIDDEN = np.uint8(Flag.OCCLUDED) | np.uint8(Flag.ABSENT)


def swap_sides(
    sequence: Sequence,
    track: int,
    frames: NDArray[np.intp],
    view: int,
    pairs: Items[tuple[int, int]],
) -> Patches:
    """Give each left keypoint what was seen of the right one, and the other way round.

    What was exchanged counts as placed by a person from then on: a person said which side it is.
    Where one of the two was not seen, the other becomes the unseen one and its detection is
    rejected; marks of occlusion and absence change sides as well. Placements in 3D stay.

    Parameters
    ----------
    sequence : Sequence
    track : int
    frames : (F,) int array
    view : int
    pairs : sequence of (left, right) keypoints

    Returns
    -------
    tuple of Patch
        At most two; empty where nothing is known of any of the keypoints.
    """
    stored = np.array([frame for frame in frames if _is_stored(sequence, frame, view)], np.intp)
    if not len(stored) or not len(pairs):
        return ()
    seen = observations(sequence, track, stored)
    own = [keypoint for pair in pairs for keypoint in pair]
    other = [keypoint for left, right in pairs for keypoint in (right, left)]
    new_xy = seen.xy[:, view][:, other]  # (F, 2P, 2)
    there = np.isfinite(new_xy[..., 0])
    was = np.isfinite(seen.xy[:, view][:, own][..., 0])
    flags = seen.flags[:, view][:, other] & _HIDDEN
    flags = flags | np.where(was & ~there, np.uint8(Flag.REJECTED), np.uint8(0))
    touched = there | was | (flags != 0) | ((seen.flags[:, view][:, own] & _HIDDEN) != 0)
    frame, column = np.nonzero(touched)
    if not len(frame):
        return ()
    places = np.stack(
        [stored[frame], np.full_like(frame, view), np.array(own, np.intp)[column]], axis=-1
    )
    index = sequence.stored_index(places)
    patches = (
        sequence.patch("manual2d.xy", index, new_xy[frame, column], track),
        sequence.patch("manual2d.flags", index, flags[frame, column], track),
    )
    return tuple(patch for patch in patches if not _changes_nothing(patch))


def _is_stored(sequence: Sequence, frame: int, view: int) -> bool:
    """Whether the picture shown at a frame has a row in which something can be kept."""
    return len(sequence.stored_index([(frame, view, 0)])) > 0


def _changes_nothing(patch: Patch) -> bool:
    return patch.is_empty() or bool(np.array_equal(patch.old, patch.new, equal_nan=True))
