"""A synthetic recording held in memory, and a project for it that writes nothing to disk."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.data.camera import Camera, CameraGroup, SyncMap
from pipeline.data.errors import Finding
from pipeline.data.history import History, Place, Transaction
from pipeline.data.patch import Change, Patch
from pipeline.data.sequence import RecordingInfo, Sequence, VideoRef
from pipeline.data.skeleton import project_skeleton
from pipeline.geometry.projection import project_views
from simspine_viewer.document import Document
from simspine_viewer.editor import Editor
from simspine_viewer.selection import Selection
from simspine_viewer.time_cursor import TimeCursor

SIZE = (640, 480)
ANNOTATED, BYSTANDER = 0, 1


class FakeProject:
    """What :class:`pipeline.io.project.Project` does, in memory."""

    def __init__(self, sequence: Sequence) -> None:
        self.sequence = sequence
        self.history = History()
        self.path = Path("fake.simspine")
        self.author = "tester"
        self.read_only = False
        self.findings: tuple[Finding, ...] = ()
        self.recording: dict[str, Any] = {}
        self.closed = False
        self._state: dict[str, Any] = {}

    def state(self, key: str, default: Any = None) -> Any:
        return self._state.get(key, default)

    def set_state(self, key: str, value: Any) -> None:
        self._state[key] = value

    def _apply(self, patches: tuple[Patch, ...]) -> tuple[Change, ...]:
        return tuple(self.sequence.apply(patch) for patch in patches)

    def commit(self, label: str, patches: tuple[Patch, ...], place: Place) -> tuple[Change, ...]:
        self.history.push(Transaction(label, patches, place, self.author, time.time()))
        return self._apply(patches)

    def undo(self) -> tuple[Transaction, tuple[Change, ...]]:
        transaction = self.history.undo()
        return transaction, self._apply(transaction.inverse())

    def redo(self) -> tuple[Transaction, tuple[Change, ...]]:
        transaction = self.history.redo()
        return transaction, self._apply(transaction.patches)

    def close(self) -> None:
        self.closed = True


def ring_of_cameras(n: int, size: tuple[int, int] = SIZE, focal: float = 900.0) -> CameraGroup:
    """``n`` cameras on a circle of 3.5 m around the origin, looking at 1 m height, Y up."""
    cameras = []
    for k in range(n):
        angle = 0.3 + 2 * np.pi * k / n
        centre = np.array([3.5 * np.sin(angle), 1.2, 3.5 * np.cos(angle)])
        forward = np.array([0.0, 1.0, 0.0]) - centre
        forward /= np.linalg.norm(forward)
        right = np.cross(forward, [0.0, 1.0, 0.0])
        right /= np.linalg.norm(right)
        rotation = np.stack([right, np.cross(forward, right), forward])
        matrix = np.array([[focal, 0, size[0] / 2], [0, focal, size[1] / 2], [0, 0, 1.0]])
        distortion = np.array([-0.08, 0.02, 0.0005, -0.0003])
        cameras.append(
            Camera(f"cam{k + 1:02d}", size, matrix, distortion, rotation, -rotation @ centre)
        )
    return CameraGroup(tuple(cameras))


def body(frame: int) -> NDArray[np.float64]:
    """(37, 3) keypoints in a grid as large as a person, drifting from frame to frame."""
    k = np.arange(len(project_skeleton()))
    x = (k % 6 - 2.5) * 0.16 + 0.01 * frame
    y = 0.2 + (k // 6) * 0.27
    return np.stack([x, y, 0.15 * np.sin(1.7 * k)], axis=-1)


def make_sequence(
    n_frames: int = 5,
    n_views: int = 4,
    size: tuple[int, int] = SIZE,
    videos: tuple[VideoRef, ...] | None = None,
    bystander: bool = True,
) -> Sequence:
    """A recording of the moving grid, detected exactly, with somebody else 0.9 m beside it."""
    cameras, skeleton = ring_of_cameras(n_views, size), project_skeleton()
    references = videos or tuple(VideoRef(None, size, 0) for _ in range(n_views))
    info = RecordingInfo(
        "fake",
        50.0,
        n_frames,
        cameras,
        references,
        tuple(SyncMap(n_frames=video.n_frames) for video in references),
        skeleton,
        2,
    )
    sequence = Sequence(info)
    people = [(ANNOTATED, 0.0)] + ([(BYSTANDER, 0.9)] if bystander else [])
    for person, shift in people:
        for frame in range(n_frames):
            xyz = body(frame) + np.array([shift, 0.03, 0.0])
            xy = project_views(cameras, xyz).swapaxes(0, 1)
            _write(sequence, "instances2d.xy", frame, person, xy)
            _write(sequence, "instances2d.score", frame, person, 0.9)
            for view in range(n_views):
                index = (frame, view, person)
                sequence.apply(sequence.patch("assignment.track", index, person))
    return sequence


def _write(sequence: Sequence, layer: str, frame: int, person: int, values: Any) -> None:
    n_views, n_keypoints = sequence.n_views, sequence.n_keypoints
    view, keypoint = np.divmod(np.arange(n_views * n_keypoints), n_keypoints)
    index = np.stack([np.full_like(view, frame), view, np.full_like(view, person), keypoint], -1)
    flat = np.reshape(values, (-1, 2)) if np.ndim(values) else values
    sequence.apply(sequence.patch(layer, index, flat))


@dataclass(eq=False)
class Bench:
    """The window's state objects around an open document."""

    document: Document
    cursor: TimeCursor
    selection: Selection
    editor: Editor
    project: FakeProject

    @property
    def state(self) -> tuple[Document, TimeCursor, Selection, Editor]:
        """What panes and panels are constructed with."""
        return self.document, self.cursor, self.selection, self.editor


def open_bench(sequence: Sequence | None = None) -> Bench:
    """A document with a synthetic recording open in it."""
    project = FakeProject(sequence or make_sequence())
    document, cursor, selection = Document(), TimeCursor(), Selection()
    document.open(project)  # type: ignore[arg-type]
    info = project.sequence.info
    cursor.set_range(info.n_frames, info.fps)
    return Bench(document, cursor, selection, Editor(document, cursor, selection), project)
