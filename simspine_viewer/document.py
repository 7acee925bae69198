"""The open project as the window sees it: one place to change it, signals for everything else."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, QTimer, Signal

from pipeline.data.errors import UserError
from pipeline.data.history import History, Place, Transaction
from pipeline.data.layers import reach_of
from pipeline.data.observations import track_ids
from pipeline.data.patch import Change, Patch
from pipeline.data.sequence import Sequence
from pipeline.geometry.fuse import known_lengths, remember_lengths, solve_fused
from pipeline.geometry.reconstruct import solve_points3d
from pipeline.geometry.track_limbs import LimbLengths, same_lengths
from pipeline.io.project import Project
from simspine_viewer.frame_points import FramePoints, Preview, nothing_known, read_points
from simspine_viewer.pose import Pose

# Edits that touch at most this many frames are re-solved before the next event is handled
# (37 points in 4 views take well under a millisecond a frame); larger ones go to the worker.
INLINE_FRAMES = 50
# The final points take some tens of milliseconds: they follow once an edit has been drawn, and
# once a series of edits (undo held down) rests.
FUSE_MS = 60

__all__ = ["INLINE_FRAMES", "Document", "FramePoints", "Preview"]


class Document(QObject):
    """Holds the open project; every change goes through :meth:`commit`, :meth:`undo`, :meth:`redo`.

    Signals
    -------
    opened, closed : a project was opened or is about to close.
    changed(Change) : values read differently now (authored or derived).
    history_changed : undo and redo possibilities changed.
    person_changed(int) : another track is being annotated.
    preview_changed : :attr:`preview` moved, appeared or went.
    pose_changed : :meth:`pose_at` may answer differently for the frame that is shown; many times a
        second while a drag is solved live.
    place_visited(Place) : undo or redo acted there; take the user to it.
    failed(str) : a change could not be written, in one sentence; nothing was changed.
    unreadable(str) : a part of the project's file cannot be read, in one sentence, said once.
    """

    opened = Signal()
    closed = Signal()
    changed = Signal(object)
    history_changed = Signal()
    person_changed = Signal(int)
    preview_changed = Signal()
    pose_changed = Signal()
    place_visited = Signal(object)
    failed = Signal(str)
    unreadable = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.project: Project | None = None
        self.person = 0
        self.preview: Preview | None = None
        # Who simulates: the pose of the annotated person in a frame, None where there is none yet.
        self.pose_source: Callable[[int], Pose | None] | None = None
        self._cached: FramePoints | None = None
        self._cached_key: tuple[int, int] | None = None
        self._told: set[str] = set()
        self._edited: list[NDArray[np.intp]] = []
        self._solved_with: dict[int, LimbLengths] = {}  # by track: what ``fused`` was made with
        self._after_edit = QTimer(self)
        self._after_edit.setSingleShot(True)
        self._after_edit.setInterval(FUSE_MS)
        self._after_edit.timeout.connect(self._fuse_edited)

    @property
    def is_open(self) -> bool:
        return self.project is not None

    @property
    def sequence(self) -> Sequence:
        """The open sequence; RuntimeError when nothing is open."""
        return self._open_project().sequence

    @property
    def history(self) -> History:
        return self._open_project().history

    def _open_project(self) -> Project:
        if self.project is None:
            raise RuntimeError("no project is open")
        return self.project

    def open(self, project: Project) -> None:
        """Show a project; the one that was open is closed first."""
        self.close()
        self.project = project
        self.person = int(project.state("person", 0))
        self.opened.emit()
        self.history_changed.emit()

    def close(self) -> None:
        """Close the open project, if any; everything in it is already on disk."""
        if self.project is None:
            return
        self.closed.emit()
        project, self.project = self.project, None
        self._after_edit.stop()
        self._edited.clear()
        self._solved_with.clear()
        self._told.clear()
        self.preview = self._cached = self._cached_key = None
        project.close()
        self.history_changed.emit()

    def commit(self, label: str, patches: tuple[Patch, ...], place: Place) -> None:
        """Apply one gesture durably; :attr:`failed` says so if the project cannot be written."""
        if not patches:
            return
        try:
            changes = self._open_project().commit(label, patches, place)
        except UserError as error:
            self.failed.emit(str(error))
            return
        self._after(changes)
        self.history_changed.emit()

    def undo(self) -> None:
        """Take the last gesture back and go where it was."""
        self._travel(self._open_project().undo)

    def redo(self) -> None:
        """Do the last undone gesture again and go where it was."""
        self._travel(self._open_project().redo)

    def _travel(self, step: Callable[[], tuple[Transaction, tuple[Change, ...]]]) -> None:
        try:
            transaction, changes = step()
        except UserError as error:
            self.failed.emit(str(error))
            return
        if transaction.place.track >= 0:
            self.set_person(transaction.place.track)
        self._after(changes)
        self.history_changed.emit()
        self.place_visited.emit(transaction.place)

    def _after(self, changes: tuple[Change, ...]) -> None:
        """Re-solve what a small change made stale, then tell everybody."""
        self._cached_key = None
        self.set_preview(None)
        for change in changes:
            if change.track == self.person and len(change.frames) <= INLINE_FRAMES:
                with self.telling():
                    self._solve_inline(change.frames)
        for change in changes:
            self.changed.emit(change)

    def _solve_inline(self, frames: NDArray[np.intp]) -> None:
        patches = solve_points3d(self.sequence, self.person, frames)
        self.land(patches, frames, self.sequence.revision)
        self._edited.append(frames)
        self._after_edit.start()

    def _fuse_edited(self) -> None:
        """Let the final points follow an edit, unless so many are stale that the worker is due.

        It is due as well where limb lengths are not known: measuring them takes half a second.
        """
        sequence = self.sequence
        lengths = known_lengths(sequence, self.person)
        reach = reach_of("fused", sequence.info.fps)
        edited = np.unique(np.concatenate(self._edited))[:, None]
        self._edited.clear()
        near = np.unique(np.clip(edited + np.arange(-reach, reach + 1), 0, sequence.n_frames - 1))
        stale = near[sequence.stamps.stale_at("fused", self.person, near)]
        if lengths is not None and 0 < len(stale) <= INLINE_FRAMES + 2 * reach:
            with self.telling():
                patches = solve_fused(sequence, self.person, stale, lengths)
                self.land(patches, stale, sequence.revision)

    def learn_lengths(self, track: int, lengths: LimbLengths) -> None:
        """Take over a person's limb lengths, as measured from the present state.

        People merged or split have other limbs, and all of their final points depend on them, not
        only those of frames that changed hands. Where lengths differ by what matters, all go stale.
        """
        sequence = self.sequence
        remember_lengths(sequence, track, lengths)
        if same_lengths(self._solved_with.setdefault(track, lengths), lengths):
            return
        self._solved_with[track] = lengths
        for group in ("fused", "kinematics"):
            self.forget_derived(group, track)

    def forget_derived(self, group: str, track: int) -> None:
        """Make derived values stale in all frames: what they were made with is another now."""
        sequence = self.sequence
        sequence.stamps.forget(group, track)
        self._cached_key = None
        everything = np.arange(sequence.n_frames)
        self.changed.emit(Change(group, track, everything, sequence.revision))

    def land(self, patches: tuple[Patch, ...], frames: NDArray[np.intp], base: int) -> None:
        """Apply derived values where they still hold (``Sequence.land``) and announce them."""
        changes = self.sequence.land(patches, frames, base)
        self._cached_key = None
        if changes:
            self.changed.emit(Change(changes[0].group, changes[0].track, frames, base))

    def tracks(self) -> NDArray[np.intp]:
        """Ids of the people in this recording."""
        return track_ids(self.sequence)

    def set_person(self, track: int) -> None:
        """Annotate another person; kept in the project, not an edit."""
        if track == self.person:
            return
        self.set_preview(None)  # a drag belongs to the person it began with
        self.person = track
        self._cached_key = None
        try:
            self._open_project().set_state("person", track)
        except UserError as error:
            self.failed.emit(str(error))
        self.person_changed.emit(track)

    def set_preview(self, preview: Preview | None) -> None:
        """Show what a drag would do, or stop showing it."""
        if preview is not None or self.preview is not None:
            self.preview = preview
            self.preview_changed.emit()

    def points_at(self, frame: int) -> FramePoints:
        """Points of one frame, solving its 3D now if that is stale."""
        sequence = self.sequence
        key = (frame, self.person)
        if self._cached is None or self._cached_key != key:
            self._cached = nothing_known(frame, sequence.n_views, sequence.n_keypoints)
            with self.telling():
                self._cached = read_points(sequence, self.person, frame)
            self._cached_key = key
        return self._cached

    def pose_at(self, frame: int) -> Pose | None:
        """The simulated body of the annotated person in one frame, None where there is none."""
        if self.pose_source is None or not self.is_open:
            return None
        return self.pose_source(frame)

    @contextlib.contextmanager
    def telling(self) -> Iterator[None]:
        """What cannot be read inside is told, once, and stops nothing: for painting and idle time.

        Parts of a large project's file are read when they are first used, and found damaged then.
        """
        try:
            yield
        except UserError as error:
            self.tell(str(error))

    def tell(self, sentence: str) -> None:
        """Say that something cannot be read, unless that was said of the open project."""
        if sentence not in self._told:
            self._told.add(sentence)
            self.unreadable.emit(sentence)
