"""One keypoint placed in one view in many frames at once, as one transaction."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pipeline.data.edits import Patches
from pipeline.data.sequence import Sequence
from pipeline.data.source import Flag

_SAID = np.uint8(Flag.OCCLUDED) | np.uint8(Flag.ABSENT)


def is_worked_on(
    sequence: Sequence, track: int, frames: NDArray[np.intp], view: int, keypoint: int
) -> NDArray[np.bool_]:
    """(F,) frames in which a person placed the point here or in 3D, or said that it is hidden."""
    xy = sequence.read_pictures("manual2d.xy", frames, track)[:, view, keypoint, 0]
    flags = sequence.read_pictures("manual2d.flags", frames, track)[:, view, keypoint]
    in_3d = sequence.read("manual3d.xyz", frames, track)[:, keypoint, 0]
    return np.asarray(np.isfinite(xy) | np.isfinite(in_3d) | ((flags & _SAID) != 0), np.bool_)


def place_points(
    sequence: Sequence,
    track: int,
    frames: NDArray[np.intp],
    view: int,
    keypoint: int,
    xy: ArrayLike,
) -> Patches:
    """Put a keypoint into one view in several frames, but nowhere over what a person did.

    Parameters
    ----------
    sequence : Sequence
    track, view, keypoint : int
    frames : (F,) int array
        Frames whose pictures lie outside the recording as it was imported are left out.
    xy : (F, 2) array
        Pixels.

    Returns
    -------
    tuple of Patch
        Empty where every frame was worked on already.
    """
    places = np.stack(
        [frames, np.full_like(frames, view), np.full_like(frames, keypoint)], axis=-1
    ).reshape(-1, 3)
    stored = np.array([len(sequence.stored_index(place[None])) > 0 for place in places], np.bool_)
    free = stored & ~is_worked_on(sequence, track, frames, view, keypoint)
    if not free.any():
        return ()
    index = sequence.stored_index(places[free])
    flags = sequence.layer("manual2d.flags", track).get(index)
    patches = (
        sequence.patch("manual2d.xy", index, np.asarray(xy, np.float64)[free], track),
        sequence.patch("manual2d.flags", index, flags & ~np.uint8(Flag.REJECTED), track),
    )
    return tuple(patch for patch in patches if not patch.is_empty())
