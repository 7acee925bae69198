"""A pose network run over frames and views of one person, as a generator of events.

Where the person was known, pictures of many frames and views are looked at in one batch. The rest
is gone through in order of time, forward and then backward, each box handed on by what was found in
the frame beside it or, by the calibration, in other views.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pipeline.data.detection_edits import in_project_skeleton
from pipeline.data.sequence import Sequence
from pipeline.geometry.person_boxes import box_of_points, windows
from pipeline.jobs.detection_boxes import Place, Rows, Whereabouts
from pipeline.jobs.detection_pictures import Pictures
from pipeline.jobs.messages import Detected, Event, Pace, Progress, Remark

if TYPE_CHECKING:
    from pipeline.models.batches import Detector  # loads PyTorch

FloatArray = NDArray[np.float64]
Events = Generator[Event, None, None]
Look = tuple[int, int, FloatArray]

# Frames whose boxes are read together: decoded pictures of so many are kept for a second look.
_BLOCK = 16
# Longest time between two events, so that a job stops soon when asked to.
_EVENT_S = 0.4
# Frames in which somebody is looked for where nothing at all is known, spread over the recording.
_STARTS = 5


@dataclass(frozen=True, slots=True, eq=False)
class DetectionPlan:
    """What is looked at.

    Parameters
    ----------
    track : int
        Whose points they are.
    frames : (n,) int array
        Ascending.
    views : tuple of int
    boxes : mapping
        Of (frame, view): boxes (4,) that a person gave, px; each is carried on through time in its
        view, whatever was known there before.
    """

    track: int
    frames: NDArray[np.intp]
    views: tuple[int, ...]
    boxes: Mapping[Place, FloatArray] = field(default_factory=dict)


@dataclass(slots=True)
class Tally:
    """What a run came to so far: pictures asked for, looked at, and with the person found."""

    total: int
    looked: int = 0
    found: int = 0
    seconds: float = 0.0

    @property
    def per_second(self) -> float:
        """Pictures looked at in a second."""
        return self.looked / self.seconds if self.seconds > 0 else 0.0


class DetectionRun:
    """One pass of a network over a plan; ``tally`` says what it came to."""

    def __init__(self, job_id: int, sequence: Sequence, detector: Detector, plan: DetectionPlan):
        self.tally = Tally(len(plan.frames) * len(plan.views))
        self._job_id = job_id
        self._plan = plan
        self._detector = detector
        self._mapping = detector.skeleton.mapping_onto(sequence.info.skeleton)
        self._where = Whereabouts(sequence, plan.track, plan.boxes)
        self._pictures = Pictures(sequence)
        self._sizes = [video.size for video in sequence.info.videos]
        self._left: set[Place] = set()

    def events(self) -> Events:
        """Look at everything; found points come as ``Detected``, in the project's skeleton."""
        with self._pictures:
            frames = self._plan.frames
            start = yield from self._start()
            yield from self._pass(frames[start:])
            self._left |= {(f, v) for f in frames[:start].tolist() for v in self._plan.views}
            behind = sorted({frame for frame, _ in self._left}, reverse=True)
            yield from self._pass(np.array(behind, np.intp), again=True)
            yield self._pace()

    def _start(self) -> Generator[Event, None, int]:
        """Position of the frame to start from: where the person is known, or was found now."""
        frames, views = self._plan.frames, self._plan.views
        maybe = np.flatnonzero(self._where.seen_somewhere(frames))
        for first in range(0, len(maybe), _BLOCK):
            block = maybe[first : first + _BLOCK]
            self._where.read(frames[block])
            yield Progress(self._job_id, 0.0, "Finding out where the person is")
            places: list[int] = block.tolist()
            for at in places:
                frame = int(frames[at])
                known = [view for view in views if self._where.known(frame, view) is not None]
                if known:
                    if len(known) == 1 and len(views) > 1:
                        yield from self._spread(frame, known[0])
                    return at
        for at in np.unique(np.linspace(0, len(frames) - 1, _STARTS).astype(np.intp)).tolist():
            frame = int(frames[at])
            self._where.read(frames[at : at + 1])
            yield from self._search(frame, views)
            if self._where.is_found(frame):
                return int(at)
        return 0

    def _spread(self, frame: int, view: int) -> Events:
        """From the only view in which the person is known at a frame into the others."""
        box = self._where.known(frame, view)
        assert box is not None
        yield from self._look([(frame, view, box)], known=True)
        others = tuple(other for other in self._plan.views if other != view)
        yield from self._search(frame, others)

    def _search(self, frame: int, views: Iterable[int]) -> Events:
        """Look for the person where nothing is known of a view: once roughly, then closely."""
        for view in views:
            box = self._where.seen_by_others(frame, view)
            if box is None:
                box = self._where.guessed(frame, view)
            boxes = windows(self._sizes[view]) if box is None else [box]
            rough = yield from self._rows([(frame, view, one) for one in boxes])
            rows = [row for _, row in rough]
            if not rows:
                continue
            best = max(rows, key=lambda row: float(np.nan_to_num(row[:, 2]).mean()))
            near = box_of_points(best[:, :2], best[:, 2])
            if np.isfinite(near).all():
                fine = yield from self._rows([(frame, view, near)])
                for place, row in fine:
                    if self._where.agrees(*place, row) and self._where.note(*place, row, False):
                        yield from self._told([(place, row)])

    def _pass(self, frames: NDArray[np.intp], again: bool = False) -> Events:
        for first in range(0, len(frames), _BLOCK):
            block = frames[first : first + _BLOCK]
            self._where.read(np.sort(block))
            wanted = [
                (frame, view)
                for frame in block.tolist()
                for view in self._plan.views
                if not again or (frame, view) in self._left
            ]
            waiting = {place for place in wanted if not self._where.has(*place)}
            self._pictures.expect(place for place in wanted if place in waiting)
            yield self._progress()
            sure = [
                (*place, box)
                for place in wanted
                if place in waiting and (box := self._where.known(*place)) is not None
            ]
            for looks in _whole_frames(sure, self._detector.batch):
                yield from self._look(looks, known=True)
            waiting -= {(frame, view) for frame, view, _ in sure}
            for frame in block.tolist():
                # By what is found in two views, a third one may be found in the second round.
                for _ in range(2):
                    looks = [
                        (f, view, box)
                        for f, view in sorted(waiting)
                        if f == frame and (box := self._where.carried(f, view)) is not None
                    ]
                    yield from self._look(looks, known=False)
                    waiting -= {(f, view) for f, view, _ in looks}
            if not again:
                self._left |= waiting
                self._where.come_back(frame for frame, _ in waiting)
            yield self._progress()

    def _look(self, looks: list[Look], known: bool) -> Events:
        """Look, see to it that it is one person, and tell."""
        if not looks:
            return
        rows = yield from self._rows(looks)
        kept = {place: row for place, row in rows if self._where.note(*place, row, known)}
        for frame in sorted({frame for frame, _ in kept}):
            odd = self._where.odd_one(frame)
            if odd is None or kept.pop((frame, odd), None) is None:
                continue
            self._where.forget(frame, odd)
            box = self._where.seen_by_others(frame, odd)
            again = [] if box is None else (yield from self._rows([(frame, odd, box)]))
            for place, row in again:
                if self._where.note(*place, row, True):
                    kept[place] = row
                    if self._where.odd_one(frame) == odd:
                        self._where.forget(*place)
                        del kept[place]
        yield from self._told(list(kept.items()))

    def _told(self, rows: list[tuple[Place, Rows]]) -> Events:
        if not rows:
            return
        places = np.array([place for place, _ in rows], np.intp)
        self.tally.found += len(rows)
        yield Detected(
            self._job_id,
            self._plan.track,
            places[:, 0],
            places[:, 1],
            np.stack([row for _, row in rows]),
        )

    def _rows(self, looks: list[Look]) -> Generator[Event, None, list[tuple[Place, Rows]]]:
        """What the network says of boxes in pictures that are there, one batch after another."""
        seen: list[Place] = []

        def people() -> Iterator[tuple[NDArray[np.uint8], FloatArray]]:
            for frame, view, box in looks:
                picture = self._pictures.get(frame, view)
                if picture is not None:
                    seen.append((frame, view))
                    yield picture, box

        rows: list[Rows] = []
        detector, tally = self._detector, self.tally
        n_notes = len(detector.notes)
        started = time.perf_counter()
        for found in detector.batches(people()):
            rows.extend(in_project_skeleton(found.points, found.scores, found.sd, self._mapping))
            took = time.perf_counter() - started
            n = len(found.points)
            tally.seconds += took
            tally.looked += n
            if took > _EVENT_S and n > 1 and n >= detector.batch:
                detector.batch = max(1, int(n * _EVENT_S / took))
            for note in detector.notes[n_notes:]:
                yield Remark(self._job_id, note)
            n_notes = len(detector.notes)
            yield self._progress()
            started = time.perf_counter()
        return list(zip(seen, rows, strict=True))

    def _progress(self) -> Progress:
        tally = self.tally
        seen = min(tally.looked, tally.total)  # some are looked at twice
        text = f"{seen} of {tally.total} pictures, {tally.per_second:.1f} per second"
        share = seen / max(tally.total, 1)
        return Progress(self._job_id, share, text)

    def _pace(self) -> Pace:
        detector = self._detector
        return Pace(self._job_id, detector.device_title, detector.batch, self.tally.per_second)


def _whole_frames(looks: list[Look], most: int) -> Iterator[list[Look]]:
    """Looks in parts of at most a batch, but all views of a frame in the same part."""
    part: list[Look] = []
    for _, group in itertools.groupby(looks, key=lambda look: look[0]):
        frame = list(group)
        if part and len(part) + len(frame) > most:
            yield part
            part = []
        part += frame
    if part:
        yield part
