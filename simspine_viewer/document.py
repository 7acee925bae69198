"""The open project as the window sees it: one place to change it, signals for everything else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, QTimer, Signal

from pipeline.data.errors import UserError
from pipeline.data.history import History, Place, Transaction
from pipeline.data.layers import LAYERS, reach_of
from pipeline.data.observations import detections, observations, track_ids
from pipeline.data.patch import Change, Patch
from pipeline.data.sequence import Sequence
from pipeline.geometry.fuse import solve_fused
from pipeline.geometry.projection import project_views
from pipeline.geometry.reconstruct import solve_points3d
from pipeline.io.project import Project
from simspine_viewer.frame_points import FramePoints, Preview

# Edits that touch at most this many frames are re-solved before the next event is handled
# (37 points in 4 views take well under a millisecond a frame); larger ones go to the worker.
INLINE_FRAMES = 50
# The final points take some tens of milliseconds: they follow once an edit has been drawn, and
# once a series of edits (undo held down) rests.
FUSE_MS = 60

FloatArray = NDArray[np.float64]

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
    place_visited(Place) : undo or redo acted there; take the user to it.
    failed(str) : a change could not be written, in one sentence; nothing was changed.
    """

    opened = Signal()
    closed = Signal()
    changed = Signal(object)
    history_changed = Signal()
    person_changed = Signal(int)
    preview_changed = Signal()
    place_visited = Signal(object)
    failed = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.project: Project | None = None
        self.person = 0
        self.preview: Preview | None = None
        self._cached: FramePoints | None = None
        self._cached_key: tuple[int, int] | None = None
        self._edited: list[NDArray[np.intp]] = []
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
                self._solve_inline(change.frames)
        for change in changes:
            self.changed.emit(change)

    def _solve_inline(self, frames: NDArray[np.intp]) -> None:
        patches = solve_points3d(self.sequence, self.person, frames)
        self.land(patches, frames, self.sequence.revision)
        self._edited.append(frames)
        self._after_edit.start()

    def _fuse_edited(self) -> None:
        """Let the final points follow an edit, unless so many are stale that the worker is due."""
        sequence = self.sequence
        reach = reach_of("fused", sequence.info.fps)
        edited = np.unique(np.concatenate(self._edited))[:, None]
        self._edited.clear()
        near = np.unique(np.clip(edited + np.arange(-reach, reach + 1), 0, sequence.n_frames - 1))
        stale = near[sequence.stamps.stale_at("fused", self.person, near)]
        if 0 < len(stale) <= INLINE_FRAMES + 2 * reach:
            self.land(solve_fused(sequence, self.person, stale), stale, sequence.revision)

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
        if self._cached is not None and self._cached_key == key:
            return self._cached
        rows = np.array([frame])
        seen = observations(sequence, self.person, rows)
        derived, fused = self._derived_at(frame), self._fused_at(frame)
        xyz = derived["points3d.xyz"].astype(float)
        reprojected = project_views(sequence.cameras, xyz).swapaxes(0, 1)
        ignored = sequence.read("tracks.ignored", self.tracks()).astype(bool)
        others = {
            int(track): detections(sequence, int(track), rows)[0][0]
            for track, hidden in zip(self.tracks(), ignored, strict=True)
            if track != self.person and not hidden
        }
        self._cached = FramePoints(
            frame,
            seen.xy[0],
            seen.score[0],
            seen.manual[0],
            seen.flags[0],
            xyz,
            reprojected,
            np.linalg.norm(seen.xy[0] - reprojected, axis=-1),
            derived["points3d.residual"].astype(float),
            derived["points3d.sigma"].astype(float),
            derived["points3d.source"],
            others,
            fused["fused.xyz"].astype(float),
            fused["fused.sigma"].astype(float),
            fused["fused.source"],
        )
        self._cached_key = key
        return self._cached

    def _derived_at(self, frame: int) -> dict[str, NDArray[Any]]:
        """The ``points3d`` layers of one frame, solved for the moment where they are stale."""
        sequence, rows = self.sequence, np.array([frame])
        if sequence.stamps.stale_at("points3d", self.person, rows)[0]:
            patches = solve_points3d(sequence, self.person, rows)
            return {patch.layer: patch.new for patch in patches}
        return {name: sequence.read(name, rows, self.person)[0] for name in _layers_of("points3d")}

    def _fused_at(self, frame: int) -> dict[str, NDArray[Any]]:
        """The ``fused`` layers of one frame, empty where they are stale."""
        sequence, rows = self.sequence, np.array([frame])
        names = _layers_of("fused")
        if not sequence.stamps.stale_at("fused", self.person, rows)[0]:
            return {name: sequence.read(name, rows, self.person)[0] for name in names}
        stores = {name: sequence.layer(name, self.person) for name in names}
        return {
            name: np.full(store.shape[1:], store.fill, store.dtype)
            for name, store in stores.items()
        }


def _layers_of(group: str) -> list[str]:
    return [spec.name for spec in LAYERS.values() if spec.group == group]
