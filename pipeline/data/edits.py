"""What a person can do to a recording, each as the patches of one transaction."""

from __future__ import annotations

from collections.abc import Sequence as Items

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pipeline.data.observations import track_ids
from pipeline.data.patch import Patch
from pipeline.data.sequence import Sequence
from pipeline.data.source import Flag

Patches = tuple[Patch, ...]


def _changed(*patches: Patch) -> Patches:
    return tuple(patch for patch in patches if not patch.is_empty())


def _flags(
    sequence: Sequence, track: int, frame: int, views: Items[int], keypoint: int
) -> tuple[NDArray[np.intp], NDArray[np.uint8]]:
    index = np.array([(frame, view, keypoint) for view in views], np.intp).reshape(-1, 3)
    return index, sequence.layer("manual2d.flags", track).get(index)


def _without_3d(sequence: Sequence, track: int, frame: int, keypoint: int) -> Patch:
    return sequence.patch("manual3d.xyz", [(frame, keypoint)], np.nan, track)


def place_point(
    sequence: Sequence, track: int, frame: int, view: int, keypoint: int, xy: ArrayLike
) -> Patches:
    """Put a keypoint at ``xy`` (2,) px in one view. A 3D placement of it is taken back."""
    index, flags = _flags(sequence, track, frame, [view], keypoint)
    kept = flags & ~np.uint8(Flag.ABSENT | Flag.REJECTED)
    return _changed(
        sequence.patch("manual2d.xy", index, xy, track),
        sequence.patch("manual2d.flags", index, kept, track),
        _without_3d(sequence, track, frame, keypoint),
    )


def delete_point(
    sequence: Sequence, track: int, frame: int, views: Items[int], keypoint: int
) -> Patches:
    """Remove a keypoint in some views: a placed point goes, a detection is rejected."""
    index, flags = _flags(sequence, track, frame, views, keypoint)
    return _changed(
        sequence.patch("manual2d.xy", index, np.nan, track),
        sequence.patch("manual2d.flags", index, flags | Flag.REJECTED, track),
        _without_3d(sequence, track, frame, keypoint),
    )


def revert_point(
    sequence: Sequence, track: int, frame: int, views: Items[int], keypoint: int
) -> Patches:
    """Take back everything a person did to a keypoint in some views: the detection returns."""
    index, _ = _flags(sequence, track, frame, views, keypoint)
    return _changed(
        sequence.patch("manual2d.xy", index, np.nan, track),
        sequence.patch("manual2d.flags", index, 0, track),
        _without_3d(sequence, track, frame, keypoint),
    )


def toggle_flag(
    sequence: Sequence, track: int, frame: int, views: Items[int], keypoint: int, flag: Flag
) -> Patches:
    """Mark or unmark a keypoint as occluded or absent: on unless it is on in all the views.

    A point is either hidden in a picture or not in it at all: marking one takes the other back.
    """
    index, flags = _flags(sequence, track, frame, views, keypoint)
    if np.all(flags & flag):
        return _changed(sequence.patch("manual2d.flags", index, flags & ~np.uint8(flag), track))
    other = Flag.ABSENT if flag == Flag.OCCLUDED else Flag.OCCLUDED
    new = (flags & ~np.uint8(other)) | np.uint8(flag)
    return _changed(sequence.patch("manual2d.flags", index, new, track))


def place_point_3d(
    sequence: Sequence, track: int, frame: int, keypoint: int, xyz: ArrayLike
) -> Patches:
    """Put a keypoint at ``xyz`` (3,) world metres; it stands there whatever the views say."""
    return _changed(sequence.patch("manual3d.xyz", [(frame, keypoint)], xyz, track))


def ignore_track(sequence: Sequence, track: int, ignored: bool) -> Patches:
    """Hide a person who is not to be annotated, or bring one back."""
    return _changed(sequence.patch("tracks.ignored", [(track,)], int(ignored)))


def merge_tracks(sequence: Sequence, into: int, other: int) -> Patches:
    """Make two tracks one person. Manual work on ``other`` moves over where ``into`` has none."""
    assigned = sequence.read("assignment.track")
    patches = [sequence.patch("assignment.track", np.argwhere(assigned == other), into)]
    placed = np.isfinite(sequence.read("manual2d.xy", track=into)[..., 0])
    for name in ("manual2d.xy", "manual2d.flags", "manual3d.xyz"):
        theirs, own = sequence.read(name, track=other), sequence.read(name, track=into)
        given = theirs != 0 if name.endswith("flags") else np.isfinite(theirs[..., 0])
        # What was said of the other's point must not hide one that a person placed here.
        free = (own == 0) & ~placed if name.endswith("flags") else ~np.isfinite(own[..., 0])
        moving = np.argwhere(given & free)
        clearing = np.argwhere(given)
        if len(moving):
            patches.append(sequence.patch(name, moving, theirs[tuple(moving.T)], into))
        if len(clearing):
            empty = 0 if name.endswith("flags") else np.nan
            patches.append(sequence.patch(name, clearing, empty, other))
    return _changed(*patches)


def split_track(sequence: Sequence, track: int, frame: int) -> Patches:
    """Give everything of a track from ``frame`` on to a new track."""
    new = int(track_ids(sequence).max(initial=-1)) + 1
    assigned = sequence.read("assignment.track")
    where = np.argwhere(assigned == track)
    patches = [sequence.patch("assignment.track", where[where[:, 0] >= frame], new)]
    for name in ("manual2d.xy", "manual2d.flags", "manual3d.xyz"):
        own = sequence.read(name, track=track)
        given = own != 0 if name.endswith("flags") else np.isfinite(own[..., 0])
        moving = np.argwhere(given)
        moving = moving[moving[:, 0] >= frame]
        if len(moving):
            empty = 0 if name.endswith("flags") else np.nan
            patches.append(sequence.patch(name, moving, own[tuple(moving.T)], new))
            patches.append(sequence.patch(name, moving, empty, track))
    return _changed(*patches)
