"""What a model found, gathered as it comes and put into a sequence in steps that can be undone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.data.detection_edits import set_detections
from pipeline.data.edits import Patches
from pipeline.data.history import Place
from pipeline.data.sequence import Sequence


class Landing:
    """Found points of one track that are not in the sequence yet.

    Parameters
    ----------
    most : int
        Pictures of one step.
    """

    def __init__(self, most: int = 2000) -> None:
        self._most = most
        self._track = -1
        self._frames: list[NDArray[np.intp]] = []
        self._views: list[NDArray[np.intp]] = []
        self._points: list[NDArray[np.float32]] = []

    def __len__(self) -> int:
        return sum(map(len, self._frames))

    def add(
        self,
        track: int,
        frames: NDArray[np.intp],
        views: NDArray[np.intp],
        points: NDArray[np.float32],
    ) -> bool:
        """Take what an event brought; True where a step is full and is to be committed."""
        self._track = track
        self._frames.append(frames)
        self._views.append(views)
        self._points.append(points)
        return len(self) >= self._most

    def patches(self, sequence: Sequence) -> tuple[Patches, Place]:
        """One gesture of all that was gathered, and where it is; then nothing is gathered any more.

        A picture that was found twice has what was found last.
        """
        if not self._frames:
            return (), Place(track=self._track)
        frames, views = np.concatenate(self._frames), np.concatenate(self._views)
        points = np.concatenate(self._points)
        _, last = np.unique(np.stack([frames, views])[:, ::-1], axis=1, return_index=True)
        kept = np.sort(len(frames) - 1 - last)
        place = Place(_only(frames), _only(views), -1, self._track)
        self._frames, self._views, self._points = [], [], []
        return set_detections(sequence, self._track, frames[kept], views[kept], points[kept]), place


def _only(values: NDArray[np.intp]) -> int:
    """The value they all have, -1 where there are several: undo then goes to no place."""
    first = int(values[0])
    return first if (values == first).all() else -1
