"""Gestures on points: press selects, drag previews, release commits one undo step, Escape drops."""

from __future__ import annotations

from collections.abc import Sequence as Items

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal

from pipeline.data import edits
from pipeline.data.errors import UserError
from pipeline.data.history import Place
from pipeline.data.source import Flag
from pipeline.data.swap_edits import swap_sides
from pipeline.geometry.projection import project_views
from pipeline.geometry.reconstruct import solve_point
from simspine_viewer.document import Document, Preview
from simspine_viewer.parts import Parts
from simspine_viewer.selection import Selection
from simspine_viewer.time_cursor import TimeCursor
from simspine_viewer.trails import Trails

FloatArray = NDArray[np.float64]


class Editor(QObject):
    """Turns gestures of panes and commands of menus into transactions of the document.

    ``placing`` is the mode in which a click on an empty spot of a picture puts the selected
    keypoint there.

    Signals
    -------
    placing_changed(on) : that mode was entered or left.
    refused(sentence) : something was not done because a part of the body is locked.
    """

    placing_changed = Signal(bool)
    refused = Signal(str)

    def __init__(
        self,
        document: Document,
        cursor: TimeCursor,
        selection: Selection,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.document, self.cursor, self.selection = document, cursor, selection
        self.parts, self.trails = Parts(document, self), Trails(document)
        self.placing = False
        cursor.moved.connect(self.cancel)

    @property
    def dragging(self) -> bool:
        return self.document.preview is not None

    def set_placing(self, placing: bool) -> None:
        """Enter or leave the mode in which a click places the selected keypoint."""
        if placing != self.placing:
            self.placing = placing
            self.placing_changed.emit(placing)

    def may_change(self, keypoint: int) -> bool:
        """Whether a keypoint is not locked; says so where it is."""
        if keypoint not in self.parts.locked:
            return True
        part = self.parts.part_of(keypoint)
        title = part.title if part is not None else ""
        self.refused.emit(f"{self._name(keypoint)} is locked ({title}). Unlock it in Body Parts.")
        return False

    def drag_in_view(self, view: int, keypoint: int, xy: FloatArray) -> None:
        """Preview the keypoint at ``xy`` (2,) px of one view; nothing if it is locked."""
        if keypoint in self.parts.locked:
            return
        document = self.document
        points = document.points_at(self.cursor.frame)
        observed, score = points.xy[:, keypoint].copy(), points.score[:, keypoint].copy()
        manual = points.manual[:, keypoint].copy()
        observed[view], score[view], manual[view] = xy, 1.0, True
        cameras = document.sequence.cameras
        xyz, sigma = solve_point(cameras, observed, score, manual)
        reprojected = project_views(cameras, xyz)
        residual = np.linalg.norm(observed - reprojected, axis=-1)
        document.set_preview(
            Preview(self.cursor.frame, view, keypoint, observed, xyz, reprojected, residual, sigma)
        )

    def drag_in_3d(self, keypoint: int, xyz: FloatArray) -> None:
        """Preview the keypoint at ``xyz`` (3,) world metres; nothing if it is locked."""
        if keypoint in self.parts.locked:
            return
        document = self.document
        points = document.points_at(self.cursor.frame)
        observed = points.xy[:, keypoint]
        cameras = document.sequence.cameras
        reprojected = project_views(cameras, xyz)
        residual = np.linalg.norm(observed - reprojected, axis=-1)
        document.set_preview(
            Preview(self.cursor.frame, -1, keypoint, observed, xyz, reprojected, residual, 0.0)
        )

    def release(self) -> None:
        """Commit the drag under way as one undo step."""
        preview, document = self.document.preview, self.document
        if preview is None:
            return
        document.set_preview(None)
        sequence, track, name = document.sequence, document.person, self._name(preview.keypoint)
        place = Place(preview.frame, preview.view, preview.keypoint, track)
        if preview.view < 0:
            patches = edits.place_point_3d(
                sequence, track, preview.frame, preview.keypoint, preview.xyz
            )
            document.commit(f"Move {name} in 3D", patches, place)
            return
        view = preview.view
        try:
            patches = edits.place_point(
                sequence, track, preview.frame, view, preview.keypoint, preview.xy[view]
            )
        except UserError as error:
            document.failed.emit(str(error))
            return
        had = np.isfinite(document.points_at(preview.frame).xy[view, preview.keypoint, 0])
        camera = sequence.cameras[view].name
        document.commit(f"{'Move' if had else 'Place'} {name} in {camera}", patches, place)

    def nudge(self, dx: float, dy: float) -> None:
        """Move the selected keypoint by whole pixels in the active view, one undo step each.

        A keypoint that is not observed there starts from where its 3D point falls.
        """
        keypoint, view, frame = self.selection.keypoint, self.selection.view, self.cursor.frame
        if keypoint < 0 or not self.document.is_open or not self.may_change(keypoint):
            return
        points = self.document.points_at(frame)
        xy = points.xy[view, keypoint]
        start = xy if np.isfinite(xy).all() else points.reprojected[view, keypoint]
        if np.isfinite(start).all():
            self.drag_in_view(view, keypoint, start + np.array([dx, dy]))
            self.release()

    def cancel(self) -> None:
        """Drop the drag under way; nothing was written."""
        self.document.set_preview(None)

    def delete(self, *, all_views: bool = False) -> None:
        """Remove the selected keypoint in the active view, or in all of them."""
        views, where = self._views(all_views)
        self._commit(f"Delete {{}} in {where}", edits.delete_point, views)

    def revert(self, *, all_views: bool = False) -> None:
        """Take back what was done by hand to the selected keypoint: the detection returns."""
        views, where = self._views(all_views)
        self._commit(f"Revert {{}} in {where}", edits.revert_point, views)

    def toggle(self, flag: Flag, *, all_views: bool = False) -> None:
        """Mark or unmark the selected keypoint as occluded or absent."""
        if self.selection.keypoint < 0 or not self.document.is_open:
            return
        views, where = self._views(all_views)
        flags = self.document.points_at(self.cursor.frame).flags[views, self.selection.keypoint]
        verb = "Unmark" if np.all(flags & flag) else "Mark"
        word = (flag.name or "").lower()
        self._commit(f"{verb} {{}} {word} in {where}", edits.toggle_flag, views, flag)

    def swap_sides(
        self, frames: NDArray[np.intp], view: int, pairs: Items[tuple[int, int]], limbs: str
    ) -> bool:
        """Exchange left and right keypoints in one view, as one undo step.

        Returns whether something was changed: nothing is where a keypoint is locked.
        """
        if not pairs or not all(self.may_change(k) for pair in pairs for k in pair):
            return False
        document = self.document
        patches = swap_sides(document.sequence, document.person, frames, view, pairs)
        camera = document.sequence.cameras[view].name
        place = Place(int(frames[0]), view, pairs[0][0], document.person)
        document.commit(f"Swap left and right {limbs} in {camera}", patches, place)
        return bool(patches)

    def _commit(self, label: str, edit, views: list[int], *args: object) -> None:  # type: ignore[no-untyped-def]
        keypoint, frame = self.selection.keypoint, self.cursor.frame
        if keypoint < 0 or not self.document.is_open or not self.may_change(keypoint):
            return
        track = self.document.person
        patches = edit(self.document.sequence, track, frame, views, keypoint, *args)
        place = Place(frame, views[0] if len(views) == 1 else -1, keypoint, track)
        self.document.commit(label.format(self._name(keypoint)), patches, place)

    def _views(self, all_views: bool) -> tuple[list[int], str]:
        cameras = self.document.sequence.cameras
        if all_views:
            return list(range(len(cameras))), "all views"
        return [self.selection.view], cameras[self.selection.view].name

    def _name(self, keypoint: int) -> str:
        return self.document.sequence.info.skeleton.keypoints[keypoint].marker
