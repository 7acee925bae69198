"""The path of one keypoint through the frames around the one that is shown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.data.derived import read_current
from pipeline.data.observations import observations
from pipeline.geometry.projection import project_views
from simspine_viewer.document import Document
from simspine_viewer.palette import RGB
from simspine_viewer.stages import Stage

FloatArray = NDArray[np.float64]

LENGTHS = (5, 15, 30, 60)  # frames on either side
_POSES = "poses"
_SOLVED = {
    Stage.FINAL: "fused.xyz",
    Stage.LABELS: "kinematics.label_xyz",
    Stage.MODEL: _POSES,
}
_LANDING = ("points3d.xyz", "fused.xyz", "kinematics.label_xyz")
# Apart for colour-blind eyes as well: Okabe and Ito's sky blue and orange.
PAST: RGB = (86, 180, 233)
FUTURE: RGB = (230, 159, 0)


@dataclass(frozen=True, slots=True, eq=False)
class Trail:
    """Places (n, D) in order of time with their ``offset`` (n,) in frames from the one shown."""

    places: FloatArray
    offset: NDArray[np.intp]

    @property
    def fading(self) -> FloatArray:
        """(n - 1,) opacity of each piece, 1 beside the frame shown and falling to a tenth."""
        away = np.abs(self.offset[:-1] + self.offset[1:]) / 2.0
        return np.asarray(1.0 - 0.9 * away / max(float(away.max(initial=1.0)), 1.0))


def frames_around(frame: int, n_frames: int, length: int) -> NDArray[np.intp]:
    """The frames from ``length`` before to ``length`` after, as far as there are such."""
    return np.arange(max(frame - length, 0), min(frame + length, n_frames - 1) + 1)


class Trails:
    """Paths of the selected keypoint; asked by all views, read from the recording once."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._known: dict[tuple[object, ...], tuple[NDArray[np.intp], FloatArray]] = {}
        document.pose_changed.connect(self._on_pose_changed)

    def _on_pose_changed(self) -> None:
        """A drag solved live changes the frame shown alone: its trail waits for the release."""
        if self._document.preview is None:
            self._known.clear()

    def in_3d(self, keypoint: int, frame: int, length: int, stage: Stage) -> Trail:
        """Path in the world, metres; NaN where a frame has no such point, or a stale one."""
        layer = _SOLVED.get(stage, "points3d.xyz")

        def read(frames: NDArray[np.intp]) -> FloatArray:
            document = self._document
            if layer == _POSES:
                return _markers(document, keypoint, frames)
            places = read_current(document.sequence, layer, frames, document.person)
            return np.asarray(places[:, keypoint], float)

        return self._trail(("3d", layer, keypoint, frame, length), read)

    def in_view(self, view: int, keypoint: int, frame: int, length: int, stage: Stage) -> Trail:
        """Path in one view, px: of what was seen there, or of the 3D points of a stage."""
        seen = stage in (Stage.WORK, Stage.DETECTED)
        path = None if seen else self.in_3d(keypoint, frame, length, stage)

        def read(frames: NDArray[np.intp]) -> FloatArray:
            sequence = self._document.sequence
            if path is not None:
                return project_views(sequence.cameras, path.places)
            return observations(sequence, self._document.person, frames).xy[:, :, keypoint]

        whole = self._trail(("2d", seen or stage, keypoint, frame, length), read)
        return Trail(whole.places[:, view], whole.offset)

    def _trail(
        self, what: tuple[object, ...], read: Callable[[NDArray[np.intp]], FloatArray]
    ) -> Trail:
        document, (frame, length) = self._document, what[-2:]
        assert isinstance(frame, int)
        assert isinstance(length, int)
        sequence, person = document.sequence, document.person
        # Derived values land without a new revision of the sequence.
        landed = [sequence.layer(name, person).n_writes for name in _LANDING]
        key = (*what, person, id(sequence), sequence.revision, *landed)
        if key not in self._known:
            if len(self._known) > 8:  # of the frame before: never asked for again
                self._known.clear()
            frames = frames_around(frame, sequence.n_frames, length)
            nothing = frames[:0]
            self._known[key] = (nothing, read(nothing))
            with document.telling():
                self._known[key] = (frames - frame, read(frames))
        offset, places = self._known[key]
        return Trail(places, offset)


def _markers(document: Document, keypoint: int, frames: NDArray[np.intp]) -> FloatArray:
    """Where the simulated body has a keypoint (n, 3) m; NaN in frames without a pose."""
    poses = [document.pose_at(frame) for frame in frames.tolist()]
    nowhere = np.full(3, np.nan)
    places = [nowhere if pose is None else pose.markers[keypoint] for pose in poses]
    return np.array(places).reshape(-1, 3)
