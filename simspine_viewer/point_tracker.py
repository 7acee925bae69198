"""The selected keypoint followed through the video of the active view, as one undo step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject

from pipeline.data.history import Place
from pipeline.data.observations import observations
from pipeline.data.place_edits import is_worked_on, place_points
from pipeline.jobs.messages import Done
from simspine_viewer.editor import Editor
from simspine_viewer.frame_range import FrameRange
from simspine_viewer.job_manager import JobManager, JobState

TASK = "track_keypoint"
MOST_FRAMES = 200  # without a selected range: more than a point is usually followed without a look


@dataclass(frozen=True, slots=True, eq=False)
class _Request:
    """What a job was sent for; ``meets`` is a frame with a point of the user's own at its end."""

    project: object
    track: int
    view: int
    keypoint: int
    frames: NDArray[np.intp]
    time_axes: object
    meets: int | None


class PointTracker(QObject):
    """Sends the pictures to be looked at to the worker, and commits what comes back.

    A point that a person placed ends the search: it is compared with, never written over.

    Parameters
    ----------
    editor : Editor
    chosen : FrameRange
        Where it holds the cursor, the point is followed to its end.
    jobs : JobManager
    say : callable
        Told one sentence for every ending.
    """

    def __init__(
        self,
        editor: Editor,
        chosen: FrameRange,
        jobs: JobManager,
        say: Callable[[str], None],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._editor, self._chosen, self._jobs, self._say = editor, chosen, jobs, say
        self._sent: dict[int, _Request] = {}
        jobs.finished.connect(self._finished)

    @property
    def running(self) -> bool:
        return bool(self._sent)

    def start(self, direction: int) -> None:
        """Follow the selected keypoint from the current frame on (1) or back (-1)."""
        editor, document = self._editor, self._editor.document
        view, keypoint = editor.selection.view, editor.selection.keypoint
        if keypoint < 0 or not document.is_open or not editor.may_change(keypoint):
            return
        sequence, frame = document.sequence, editor.cursor.frame
        name, camera = self._name(keypoint), sequence.cameras[view].name
        xy = document.points_at(frame).xy[view, keypoint]
        video = sequence.info.videos[view].path
        if video is None:
            self._say(f"{camera} has no video to follow {name} in.")
            return
        if not np.isfinite(xy).all():
            self._say(f"Place {name} in {camera} first: there is nothing to follow.")
            return
        frames, meets = self._frames(frame, direction)
        numbers = [sequence.syncs[view].video_frame(int(at)) for at in frames]
        if None in numbers:
            frames, meets = frames[: numbers.index(None)], None
        if len(frames) - (meets is not None) < 2:
            self._say(f"There is no free frame beside this one to follow {name} into.")
            return
        arguments = {
            "video": str(video),
            "pictures": numbers[: len(frames)],
            "xy": [float(value) for value in xy],
        }
        title = f"Track {name} in {camera}"
        # Not the media worker's: it may be busy with copies of videos for minutes.
        job = self._jobs.submit(TASK, title, arguments, sequence.revision)
        self._sent[job] = _Request(
            document.project, document.person, view, keypoint, frames, sequence.syncs, meets
        )
        self._say(f"Following {name} in {camera}…")

    def _frames(self, frame: int, direction: int) -> tuple[NDArray[np.intp], int | None]:
        """Frames to go through, the current one first, and the user's own point they end at."""
        sequence, chosen = self._editor.document.sequence, self._chosen
        if chosen and chosen.start <= frame < chosen.stop:
            end = chosen.stop if direction > 0 else chosen.start - 1
        elif direction > 0:
            end = min(frame + MOST_FRAMES + 1, sequence.n_frames)
        else:
            end = max(frame - MOST_FRAMES - 1, -1)
        frames = np.arange(frame, end, direction, dtype=np.intp)
        view, keypoint = self._editor.selection.view, self._editor.selection.keypoint
        track = self._editor.document.person
        done = is_worked_on(sequence, track, frames, view, keypoint)[1:]
        if not done.any():
            return frames, None
        stop = int(np.argmax(done)) + 1
        placed = bool(observations(sequence, track, frames[[stop]]).manual[0, view, keypoint])
        return frames[: stop + placed], int(frames[stop]) if placed else None

    def _finished(self, state: JobState) -> None:
        request = self._sent.pop(state.job.id, None)
        if request is None:
            return
        document = self._editor.document
        name = self._name(request.keypoint) if document.is_open else ""
        if not document.is_open or document.project is not request.project:
            return
        if not isinstance(state.ending, Done):
            self._say(f"{name} was not followed: {state.text.rstrip('.')}.")
            return
        if document.sequence.syncs != request.time_axes:
            self._say(f"{name} was not followed: the time axis has changed meanwhile.")
            return
        self._land(request, state.ending.result["xy"], str(state.ending.result["reason"]))

    def _land(self, request: _Request, found: list[tuple[float, float]], reason: str) -> None:
        document, keypoint = self._editor.document, request.keypoint
        if not self._editor.may_change(keypoint):
            return
        sequence = document.sequence
        frames = request.frames[1 : len(found) + 1]
        xy = np.asarray(found, np.float64).reshape(-1, 2)
        name, camera = self._name(keypoint), sequence.cameras[request.view].name
        gap = ""
        if request.meets is not None and len(frames) and frames[-1] == request.meets:
            own = observations(sequence, request.track, frames[-1:]).xy[0, request.view, keypoint]
            gap = _gap(float(np.linalg.norm(xy[-1] - own)), request.meets)
            frames, xy = frames[:-1], xy[:-1]
        patches = place_points(sequence, request.track, frames, request.view, keypoint, xy)
        if patches:
            first, last = int(frames.min()), int(frames.max())
            where = f"{name} in {camera}, frames {first} to {last}"
            place = Place(int(frames[-1]), request.view, keypoint, request.track)
            document.commit(f"Track {where}", patches, place)
            told = f"Followed {where}"
        else:
            told = f"{name} in {camera} was not followed"
        stopped = request.frames[min(len(found) + 1, len(request.frames) - 1)]
        self._say(f"{told}{gap}." if not reason else f"{told}: at frame {stopped} {reason}.")

    def _name(self, keypoint: int) -> str:
        return self._editor.document.sequence.info.skeleton.keypoints[keypoint].marker


def _gap(pixels: float, frame: int) -> str:
    known = "not known" if np.isnan(pixels) else f"{pixels:.1f} px"
    return f"; from the point placed at frame {frame} it comes out {known} away"
