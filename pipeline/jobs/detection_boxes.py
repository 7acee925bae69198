"""Where a person is in each picture of a run: what was known before, and what was found in it.

A box belongs to the track from the start and is handed on from frame to frame and from view to
view, so that identity is never guessed anew, and ends where nobody like the person is found.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from pipeline.data.observations import observations
from pipeline.data.presence import seen_in
from pipeline.data.sequence import Sequence
from pipeline.geometry.person_boxes import (
    LEAST_POINTS,
    SURE,
    box_of_points,
    boxes_from_one_view,
    boxes_from_world,
    is_in_picture,
    likeness,
    world_points,
)
from pipeline.geometry.projection import project
from pipeline.geometry.reconstruct import solve_points3d

FloatArray = NDArray[np.float64]
Rows = NDArray[np.float32]
Place = tuple[int, int]

# A box is carried on for so long without the person being found.
_CARRIED_S = 0.5
# Between two frames a person stays this much like themselves (a fifth of a second of fast walking
# at 50 frames per second is above it).
_STILL_ME = 0.05
# Less like what other views agree on, it is somebody else: a calibration that is off by 10 px
# leaves 0.9 of a person of 600 px, a neighbour half hidden by them 0.1.
_SAME_PERSON = 0.25
# Of the points that views share, so many must agree where somebody was searched for.
_MOST = 0.7
# Somebody else's known points fit better than the person's own by so much: it is somebody else.
_MUCH_MORE = 0.2


class Whereabouts:
    """Boxes of one track in the frames and views of a run."""

    def __init__(self, sequence: Sequence, track: int, given: Mapping[Place, FloatArray]) -> None:
        self._sequence, self._track = sequence, track
        self._given = dict(given)
        self._ruled = {view for _, view in given}
        self._sigmas = np.array([k.sigma for k in sequence.info.skeleton.keypoints])
        self._reach = max(1, round(_CARRIED_S * sequence.info.fps))
        self._block: dict[int, int] = {}
        self._known = np.empty((0, sequence.n_views, 4))
        self._own = np.empty((0, sequence.n_views, sequence.n_keypoints, 3))
        self._others = np.empty((0, sequence.n_views, 0, sequence.n_keypoints, 3))
        self._rows: dict[Place, Rows] = {}
        self._again: set[int] = set()
        self._trail = np.full((sequence.n_frames, sequence.n_views, 4), np.nan, np.float32)
        self._last: dict[int, tuple[int, Rows]] = {}

    def seen_somewhere(self, frames: NDArray[np.intp]) -> NDArray[np.bool_]:
        """Frames in which any view showed the person before the run, or a box was given."""
        views = seen_in(self._sequence, self._track, placed=True)
        seen = np.asarray(views.any(axis=1), np.bool_)
        seen[[frame for frame, _ in self._given]] = True
        return np.asarray(seen[frames])

    def read(self, frames: NDArray[np.intp]) -> None:
        """Look up what is known of the next frames."""
        sequence = self._sequence
        seen = observations(sequence, self._track, frames)
        boxes = box_of_points(seen.xy, seen.score)
        lacking = np.flatnonzero(~np.isfinite(boxes[..., 0]).all(axis=1))
        if len(lacking):
            solved = solve_points3d(sequence, self._track, frames[lacking])[0].new
            world = boxes_from_world(sequence.cameras, solved.reshape(len(lacking), -1, 3))
            boxes[lacking] = np.where(np.isfinite(boxes[lacking]), boxes[lacking], world)
        boxes[:, list(self._ruled)] = np.nan
        self._block = {frame: i for i, frame in enumerate(frames.tolist())}
        for (frame, view), box in self._given.items():
            if frame in self._block:
                boxes[self._block[frame], view] = box
        self._known = boxes
        self._own = np.concatenate([seen.xy, seen.score[..., None]], axis=-1)
        assigned = sequence.read_pictures("assignment.track", frames)
        theirs = (assigned >= 0) & (assigned != self._track)
        xy = sequence.read_pictures("instances2d.xy", frames)
        score = sequence.read_pictures("instances2d.score", frames)
        self._others = np.concatenate([xy, np.where(theirs[..., None], score, 0.0)[..., None]], -1)
        self._rows = {
            place: row
            for place, row in self._rows.items()
            if place[0] in self._block or place[0] in self._again
        }

    def known(self, frame: int, view: int) -> FloatArray | None:
        """The box that was known before the run, or given by a person."""
        return self._usable(self._known[self._block[frame], view], view)

    def carried(self, frame: int, view: int) -> FloatArray | None:
        """The box by what was found in this view a moment before or after, or in others now."""
        first = max(frame - self._reach, 0)
        around = self._trail[first : frame + self._reach + 1, view]
        there = np.flatnonzero(np.isfinite(around[:, 0]))
        if len(there):
            nearest = there[np.abs(there + first - frame).argmin()]
            return self._usable(around[nearest].astype(np.float64), view)
        return self.seen_by_others(frame, view)

    def seen_by_others(self, frame: int, view: int) -> FloatArray | None:
        """The box by what two or more other views show at a frame."""
        points = self._world(frame, view)
        boxes = boxes_from_world(self._sequence.cameras, points)
        return self._usable(boxes[view], view)

    def odd_one(self, frame: int) -> int | None:
        """The view in which somebody else was found than two or more others agree on."""
        for place in [place for place in self._rows if place[0] == frame]:
            points = self._world(frame, place[1])
            expected = project(self._sequence.cameras[place[1]], points)
            sure = np.where(np.isfinite(expected[:, 0]), 1.0, 0.0)
            other = np.column_stack([expected, sure])
            if 0.0 <= float(self._like(self._rows[place], other)) < _SAME_PERSON:
                return place[1]
        return None

    def forget(self, frame: int, view: int) -> None:
        """Take back what was found in a picture."""
        del self._rows[frame, view]
        self._trail[frame, view] = np.nan
        self._last.pop(view, None)

    def _world(self, frame: int, view: int) -> FloatArray:
        """(K, 3) points by what other views show at a frame."""
        others = [
            (other, row)
            for (when, other), row in self._rows.items()
            if when == frame and other != view
        ]
        if len(others) < 2:
            return np.full((self._sequence.n_keypoints, 3), np.nan)
        cameras = tuple(self._sequence.cameras[other] for other, _ in others)
        seen = np.stack([row for _, row in others])
        return world_points(cameras, seen[..., :2], np.nan_to_num(seen[..., 2]))

    def note(self, frame: int, view: int, row: Rows, by_known: bool) -> bool:
        """Remember what was found; False where it is nobody, or somebody else."""
        box = box_of_points(row[:, :2], row[:, 2])
        if not np.isfinite(box[0]):
            return False
        at = self._block[frame]
        other = float(self._like(row, self._others[at, view]).max(initial=-1.0))
        own = float(self._like(row, self._own[at, view]))
        if view not in self._ruled and other > max(own, 0.0) + _MUCH_MORE:
            return False
        if not by_known and view in self._last:
            before, then = self._last[view]
            near = abs(frame - before) <= self._reach
            if near and float(self._like(row, then[:, :3])) < _STILL_ME:
                return False
        self._rows[frame, view] = row
        self._trail[frame, view] = box
        self._last[view] = frame, row
        return True

    def guessed(self, frame: int, view: int) -> FloatArray | None:
        """The box by the person's size in the one other view that shows them at a frame."""
        for (other_frame, other), row in self._rows.items():
            if other_frame == frame:
                cameras = self._sequence.cameras
                names = self._sequence.info.skeleton.names
                boxes = boxes_from_one_view(cameras, other, row[:, :2], row[:, 2], names)
                return self._usable(boxes[view], view)
        return None

    def agrees(self, frame: int, view: int, row: Rows) -> bool:
        """Whether a row is seen as one person with what other views show at a frame."""
        others = [place for place in self._rows if place[0] == frame and place[1] != view]
        if not others:
            return True
        views = (view, *(place[1] for place in others))
        seen = np.stack([row, *(self._rows[place] for place in others)])
        cameras = tuple(self._sequence.cameras[one] for one in views)
        score = np.nan_to_num(seen[..., 2])
        points = world_points(cameras, seen[..., :2], score)
        shared = (score[0] >= SURE) & (score[1:] >= SURE).any(axis=0)
        agreed = int((np.isfinite(points[:, 0]) & shared).sum())
        return agreed >= max(LEAST_POINTS, _MOST * int(shared.sum()))

    def come_back(self, frames: Iterable[int]) -> None:
        """Remember what was found in frames that are to be looked at again."""
        self._again.update(frames)

    def has(self, frame: int, view: int) -> bool:
        """Whether the person was found in a picture."""
        return bool(np.isfinite(self._trail[frame, view, 0]))

    def is_found(self, frame: int) -> bool:
        """Whether the person was found in any view at a frame."""
        return bool(np.isfinite(self._trail[frame, :, 0]).any())

    def _like(self, row: Rows, other: NDArray[np.floating]) -> FloatArray:
        xy = np.broadcast_to(row[:, :2], (*other.shape[:-1], 2))
        score = np.broadcast_to(np.nan_to_num(row[:, 2]), other.shape[:-1])
        return likeness(xy, score, other[..., :2], other[..., 2], self._sigmas)

    def _usable(self, box: FloatArray, view: int) -> FloatArray | None:
        size = self._sequence.info.videos[view].size
        return box if np.isfinite(box).all() and is_in_picture(box, size) else None
