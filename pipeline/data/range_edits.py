"""What a person can do to one keypoint over a range of frames, each as one transaction."""

from __future__ import annotations

from collections.abc import Sequence as Items

import numpy as np
from numpy.typing import NDArray

from pipeline.data.edits import Patches
from pipeline.data.observations import observations
from pipeline.data.patch import Patch
from pipeline.data.sequence import Sequence
from pipeline.data.source import Flag


def _index(frames: NDArray[np.intp], views: Items[int], keypoint: int) -> NDArray[np.intp]:
    """(F * V, 3) frame, view and keypoint for some frames and views."""
    frame, view = np.meshgrid(frames, np.asarray(views, np.intp), indexing="ij")
    return np.stack([frame.ravel(), view.ravel(), np.full(frame.size, keypoint)], axis=-1)


def _only_changed(patch: Patch) -> Patch:
    """The patch without the places where it changes nothing; NaN equals NaN."""
    flat_old = patch.old.reshape(len(patch.index), -1)
    flat_new = patch.new.reshape(len(patch.index), -1)
    same = flat_old == flat_new
    if np.issubdtype(patch.old.dtype, np.floating):
        same |= np.isnan(flat_old) & np.isnan(flat_new)
    keep = ~same.all(axis=1)
    return Patch(patch.layer, patch.index[keep], patch.old[keep], patch.new[keep], patch.track)


def _changed(*patches: Patch) -> Patches:
    return tuple(part for part in map(_only_changed, patches) if len(part.index))


def _without_3d(sequence: Sequence, track: int, frames: NDArray[np.intp], keypoint: int) -> Patch:
    index = np.stack([frames, np.full_like(frames, keypoint)], axis=-1)
    return sequence.patch("manual3d.xyz", index, np.nan, track)


def revert_range(
    sequence: Sequence, track: int, frames: NDArray[np.intp], views: Items[int], keypoint: int
) -> Patches:
    """Take back everything a person did to a keypoint in some frames and views.

    Parameters
    ----------
    sequence : Sequence
    track : int
    frames : (F,) int array
        Frames of the range.
    views : sequence of int
    keypoint : int

    Returns
    -------
    tuple of Patch
        Only the values that change; empty where nobody has worked on the range.
    """
    index = sequence.stored_index(_index(frames, views, keypoint))
    return _changed(
        sequence.patch("manual2d.xy", index, np.nan, track),
        sequence.patch("manual2d.flags", index, 0, track),
        _without_3d(sequence, track, frames, keypoint),
    )


def occlude_range(
    sequence: Sequence, track: int, frames: NDArray[np.intp], views: Items[int], keypoint: int
) -> Patches:
    """Mark a keypoint as occluded in some frames and views; as :func:`revert_range`.

    It was in the picture then, so that a mark of absence is taken back.
    """
    index = sequence.stored_index(_index(frames, views, keypoint))
    flags = sequence.layer("manual2d.flags", track).get(index)
    new = (flags & ~np.uint8(Flag.ABSENT)) | np.uint8(Flag.OCCLUDED)
    return _changed(sequence.patch("manual2d.flags", index, new, track))


def delete_range(
    sequence: Sequence, track: int, frames: NDArray[np.intp], views: Items[int], keypoint: int
) -> Patches:
    """Remove a keypoint in some frames and views; as :func:`revert_range`.

    A placed point goes and a detection is rejected; frames without either stay as they are.
    """
    seen = np.isfinite(observations(sequence, track, frames).xy[:, list(views), keypoint, 0])
    places = _index(frames, views, keypoint)[seen.ravel()]
    index = sequence.stored_index(places)
    if not len(index):
        return ()
    flags = sequence.layer("manual2d.flags", track).get(index)
    return _changed(
        sequence.patch("manual2d.xy", index, np.nan, track),
        sequence.patch("manual2d.flags", index, flags | np.uint8(Flag.REJECTED), track),
        _without_3d(sequence, track, np.unique(places[:, 0]), keypoint),
    )
