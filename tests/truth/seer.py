"""A detector that knows the truth: it reads from a picture which one it is.

So what it is shown, and through which box, is all that the code under test can get wrong.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from pipeline.data.skeleton import project_skeleton
from pipeline.models.batches import Detections, Detector
from pipeline.models.variants import NetworkSpec
from tests.truth.video import read_code

FloatArray = NDArray[np.float64]
SHIFT = 200  # between the numbers of two views
SD = 0.75


def overlap(a: FloatArray, b: FloatArray) -> float:
    """Intersection over union of two boxes."""
    low, high = np.maximum(a[:2], b[:2]), np.minimum(a[2:], b[2:])
    inner = float(np.prod(np.maximum(high - low, 0)))
    return inner / (float(np.prod(a[2:] - a[:2])) + float(np.prod(b[2:] - b[:2])) - inner)


class Seer(Detector):
    """Says where the person is who is in the middle of a box, as networks do.

    ``looks`` is every (frame, view, box); in pictures of ``blind`` nobody is found, and in those of
    ``confused`` somebody else.
    """

    def __init__(self, people: FloatArray, batch: int = 4, forget: int | None = None) -> None:
        """``people`` (P, T, V, K, 2) px; ``forget``: more crops at once do not fit."""
        spec = NetworkSpec("seer", people.shape[3], (64, 96), "simcc")
        super().__init__(spec, project_skeleton(), "the mind's eye", batch, "subbin")
        self.people = people
        self.looks: list[tuple[int, int, FloatArray]] = []
        self.sizes: list[int] = []
        self.blind: set[tuple[int, int]] = set()
        self.confused: dict[tuple[int, int], int] = {}
        self._forget = forget

    def _forward(self, crops: NDArray[np.uint8]) -> tuple[NDArray[np.floating], ...]:
        raise NotImplementedError

    def batches(
        self, people: Iterable[tuple[NDArray[np.uint8], FloatArray]]
    ) -> Iterator[Detections]:
        waiting = list(people)
        while waiting:
            if self._forget is not None and min(self.batch, len(waiting)) > self._forget:
                self.batch = self._forget
                self.notes.append("Too much at once; going on with less.")
            group, waiting = waiting[: self.batch], waiting[self.batch :]
            self.sizes.append(len(group))
            seen = [self._one(picture, box) for picture, box in group]
            points = np.stack([one[0] for one in seen])
            scores = np.stack([one[1] for one in seen])
            yield Detections(points, scores, np.full(points.shape, SD))

    def _one(self, picture: NDArray[np.uint8], box: FloatArray) -> tuple[FloatArray, FloatArray]:
        code = read_code(picture)
        assert code is not None, "the picture is of no frame at all"
        view, frame = divmod(code, SHIFT)
        self.looks.append((frame, view, np.asarray(box)))
        boxes = [
            np.concatenate([np.nanmin(xy, axis=0), np.nanmax(xy, axis=0)])
            for xy in self.people[:, frame, view]
        ]
        away = [np.linalg.norm((one[:2] + one[2:] - box[:2] - box[2:]) / 2) for one in boxes]
        best = self.confused.get((frame, view), int(np.argmin(away)))
        sees = overlap(boxes[best], box) > 0.02 and (frame, view) not in self.blind
        score = 0.9 if sees else 0.05
        xy = self.people[best, frame, view]
        return xy, np.full(len(xy), score)
