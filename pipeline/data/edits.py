"""What a person can do to a recording, each as the patches of one transaction."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Sequence as Items
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pipeline.data.camera import Camera, CameraGroup, rotation_vector
from pipeline.data.errors import UserError
from pipeline.data.notes import MARKERS, encoded
from pipeline.data.observations import track_ids
from pipeline.data.patch import Patch
from pipeline.data.sequence import Sequence
from pipeline.data.source import Flag

Patches = tuple[Patch, ...]

# A pose that comes back from its rotation vector differs from the imported one by rounding only.
_SAME_POSE = 1e-12


def _changed(*patches: Patch) -> Patches:
    return tuple(patch for patch in patches if not patch.is_empty())


def _flags(
    sequence: Sequence, track: int, frame: int, views: Items[int], keypoint: int
) -> tuple[NDArray[np.intp], NDArray[np.uint8]]:
    places = np.array([(frame, view, keypoint) for view in views], np.intp).reshape(-1, 3)
    index = sequence.stored_index(places)
    return index, sequence.layer("manual2d.flags", track).get(index)


def _without_3d(sequence: Sequence, track: int, frame: int, keypoint: int) -> Patch:
    return sequence.patch("manual3d.xyz", [(frame, keypoint)], np.nan, track)


def place_point(
    sequence: Sequence, track: int, frame: int, view: int, keypoint: int, xy: ArrayLike
) -> Patches:
    """Put a keypoint at ``xy`` (2,) px in one view. A 3D placement of it is taken back.

    UserError where a corrected time axis shows a picture that lay outside the recording when it
    was imported: nothing can be stored with it.
    """
    index, flags = _flags(sequence, track, frame, [view], keypoint)
    if not len(index):
        raise UserError(
            f"The picture of {sequence.cameras[view].name} at frame {frame} lies outside the "
            "recording as it was imported, so that no point can be placed in it."
        )
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


def set_cameras(sequence: Sequence, cameras: CameraGroup) -> Patches:
    """Let the poses of ``cameras`` be in force; a view posed as it was imported is reset.

    ValueError for other cameras than the recording's, in another order, or with other intrinsics.
    """
    imported = sequence.info.cameras
    if cameras.names != imported.names:
        raise ValueError(f"cameras {cameras.names} are not {imported.names}")
    poses = sequence.read("cameras.pose")
    for view, (new, old) in enumerate(zip(cameras, imported, strict=True)):
        if not (
            np.array_equal(new.matrix, old.matrix)
            and np.array_equal(new.distortion, old.distortion)
        ):
            raise ValueError(f"only the pose of {new.name} can be changed")
        if _same_pose(new, old):
            poses[view] = np.nan
        elif not _same_pose(new, sequence.cameras[view]):
            poses[view] = *rotation_vector(new.rotation), *new.translation
    index = np.arange(sequence.n_views)[:, None]
    return _changed(sequence.patch("cameras.pose", index, poses))


def _same_pose(a: Camera, b: Camera) -> bool:
    return bool(
        np.allclose(a.rotation, b.rotation, rtol=0, atol=_SAME_POSE)
        and np.allclose(a.translation, b.translation, rtol=0, atol=_SAME_POSE)
    )


def reset_cameras(sequence: Sequence) -> Patches:
    """Let the cameras be in force that were imported."""
    return set_cameras(sequence, sequence.info.cameras)


def set_sync(sequence: Sequence, view: int, offset: float, drift: float) -> Patches:
    """Correct the time axis of a view against the imported one; 0 and 0 resets it.

    Parameters
    ----------
    sequence : Sequence
    view : int
    offset : float
        Video frames added; with a fraction, the picture nearest in time is shown.
    drift : float
        Video frames per sequence frame added. ValueError where time would stand or run backwards.
    """
    imported = sequence.info.syncs[view]
    rate = imported.rate + imported.drift + drift
    if not (np.isfinite(offset) and np.isfinite(rate) and rate > 0):
        raise ValueError(f"offset {offset} and drift {drift} make no time axis")
    value = (offset, drift) if offset or drift else np.nan
    return _changed(sequence.patch("cameras.sync", [(view,)], value))


def set_note(sequence: Sequence, frame: int, marker: int, text: str) -> Patches:
    """Put a marker (0: none, else 1 to 6) and a text on a frame, in place of what is there.

    UserError where the text takes more than ``NOTE_BYTES`` bytes of UTF-8.
    """
    if not 0 <= marker <= MARKERS:
        raise ValueError(f"there is no marker {marker}")
    return _changed(
        sequence.patch("notes.marker", [(frame,)], marker),
        sequence.patch("notes.text", [(frame,)], encoded(text)),
    )


_MOVING = ("detected2d.points", "manual2d.xy", "manual2d.flags", "manual3d.xyz")


def merge_tracks(sequence: Sequence, into: int, other: int) -> Patches:
    """Make two tracks one person.

    Manual work on ``other``, and what models found of it, moves over where ``into`` has none.
    """
    theirs = [index[values == other] for index, values in _assigned(sequence)]
    patches = [sequence.patch("assignment.track", _joined(theirs, 3), into)]
    for name in _MOVING:
        moving, clearing = [], []
        own = sequence.layer(name, into)
        for index, _ in _given(sequence, name, other):
            clearing.append(index)
            free = ~_is_given(own.get(index))
            if name == "manual2d.flags":
                # What was said of the other's point must not hide one that a person placed here.
                free &= ~_is_given(sequence.layer("manual2d.xy", into).get(index))
            moving.append(index[free])
        patches += _moved_over(sequence, name, other, into, moving, clearing)
    return _changed(*patches)


def split_track(sequence: Sequence, track: int, frame: int) -> Patches:
    """Give everything of a track from ``frame`` on to a new track."""
    new = int(track_ids(sequence).max(initial=-1)) + 1
    first = np.array([sequence.first_row_from(view, frame) for view in range(sequence.n_views)])

    def later(index: NDArray[np.intp], by_view: bool) -> NDArray[np.intp]:
        return index[index[:, 0] >= (first[index[:, 1]] if by_view else frame)]

    theirs = [later(index[values == track], True) for index, values in _assigned(sequence)]
    patches = [sequence.patch("assignment.track", _joined(theirs, 3), new)]
    for name in _MOVING:
        moving = [
            later(index, name != "manual3d.xyz") for index, _ in _given(sequence, name, track)
        ]
        patches += _moved_over(sequence, name, track, new, moving, moving)
    return _changed(*patches)


def _is_given(values: NDArray[Any]) -> NDArray[np.bool_]:
    """Where a person gave a value: a flag, or coordinates."""
    given = values != 0 if values.dtype == np.uint8 else np.isfinite(values[..., 0])
    return np.asarray(given, np.bool_)


def _positions(
    condition: NDArray[np.bool_], first: int
) -> tuple[NDArray[np.intp], tuple[NDArray[np.intp], ...]]:
    """Index (N, D) in the layer where a condition on a part holds, and where that is in the part.

    ``first`` is the part's first row.
    """
    where = np.nonzero(condition)
    return np.stack([where[0] + first, *where[1:]], axis=-1), where


def _assigned(sequence: Sequence) -> Iterator[tuple[NDArray[np.intp], NDArray[Any]]]:
    """Index (N, 3) and track (N,) of the assigned instances of each stored part."""
    for first, chunk in sequence.layer("assignment.track").chunks():
        index, where = _positions(chunk >= 0, first)
        yield index, chunk[where]


def _given(
    sequence: Sequence, name: str, track: int
) -> Iterator[tuple[NDArray[np.intp], NDArray[Any]]]:
    """Index (N, D) and value of what a person gave in each stored part of a layer."""
    for first, chunk in sequence.layer(name, track).chunks():
        index, where = _positions(_is_given(chunk), first)
        yield index, chunk[where]


def _joined(parts: list[NDArray[np.intp]], columns: int) -> NDArray[np.intp]:
    return np.concatenate([np.zeros((0, columns), np.intp), *parts])


def _moved_over(
    sequence: Sequence,
    name: str,
    source: int,
    target: int,
    moving: list[NDArray[np.intp]],
    clearing: list[NDArray[np.intp]],
) -> list[Patch]:
    """Values of ``moving`` go to another track; those of ``clearing`` go from their own."""
    store = sequence.layer(name, source)
    columns = 2 if name == "manual3d.xyz" else 3
    index = _joined(moving, columns)
    return [
        sequence.patch(name, index, store.get(index), target),
        sequence.patch(name, _joined(clearing, columns), store.fill, source),
    ]
