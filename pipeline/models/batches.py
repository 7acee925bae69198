"""What all detectors share: people cut out, seen in batches that fit the device, mapped back."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from pipeline.data.errors import UserError
from pipeline.data.skeleton import Skeleton
from pipeline.models.crop import crop, input_from_image, to_image
from pipeline.models.decode import Decoded, Refinement, decode_heatmaps, decode_simcc
from pipeline.models.variants import NetworkSpec

FloatArray = NDArray[np.floating]
Picture = NDArray[np.uint8]

#: Crops at once, by kind of device. A CPU gains nothing from more than the four views of a
#: recording; a card wants to be filled.
BATCH = {"cpu": 4, "mps": 16, "cuda": 64}


@dataclass(frozen=True, slots=True, eq=False)
class Detections:
    """Keypoints of N people in pixels of their pictures, whole numbers at pixel centres.

    ``points`` (N, K, 2), not a number where nothing was found; ``scores`` (N, K); ``sd``
    (N, K, 2), standard deviation of x and y (see :mod:`pipeline.models.decode`).
    """

    points: FloatArray
    scores: FloatArray
    sd: FloatArray


class Detector(ABC):
    """A pose network that sees crops of people, and the batch that fits on its device.

    ``spec`` is the network's, ``skeleton`` names its keypoints in their order. ``device_title`` is
    where it runs, for people; ``batch`` how many crops are seen at once, which halves when memory
    runs out; ``notes`` says so in sentences.
    """

    def __init__(
        self,
        spec: NetworkSpec,
        skeleton: Skeleton,
        device_title: str,
        batch: int,
        refine: Refinement,
    ) -> None:
        if spec.n_keypoints != len(skeleton):
            raise UserError(
                f"This {spec.variant} finds {spec.n_keypoints} keypoints, but "
                f"{skeleton.title} has {len(skeleton)}."
            )
        self.spec = spec
        self.skeleton = skeleton
        self.device_title = device_title
        self.batch = batch
        self.notes: list[str] = []
        self._refine = refine

    @abstractmethod
    def _forward(self, crops: Picture) -> tuple[FloatArray, ...]:
        """What the network says of (n, h, w, 3) RGB crops; MemoryError and such may be raised."""

    def _is_out_of_memory(self, error: BaseException) -> bool:
        """Whether an error of :meth:`_forward` means that fewer crops may fit."""
        return isinstance(error, MemoryError)

    def _let_go(self) -> None:  # noqa: B027  (most devices hold nothing)
        """Give back what the device still holds of a batch that did not fit."""

    def detect(self, people: Iterable[tuple[Picture, FloatArray]]) -> Detections:
        """Keypoints of each person.

        Parameters
        ----------
        people : iterable of (picture, box)
            RGB picture (H, W, 3), 8 bits, and the corners x, y, x, y of the person in it, pixels
            (see :func:`whole_picture`). Taken one batch at a time, so a generator may decode
            video.

        Raises
        ------
        UserError
            If not even one crop fits into the device's memory.
        """
        parts = list(self.batches(people))
        if not parts:
            k = self.spec.n_keypoints
            return Detections(np.empty((0, k, 2)), np.empty((0, k)), np.empty((0, k, 2)))
        return Detections(
            np.concatenate([p.points for p in parts]),
            np.concatenate([p.scores for p in parts]),
            np.concatenate([p.sd for p in parts]),
        )

    def batches(self, people: Iterable[tuple[Picture, FloatArray]]) -> Iterator[Detections]:
        """As :meth:`detect`, one batch after another, to tell progress and to be stopped."""
        waiting = iter(people)
        while group := list(islice(waiting, self.batch)):
            size, codec = self.spec.input_size, self.spec.codec
            boxes = [np.asarray(box, dtype=np.float64) for _, box in group]
            ways = [input_from_image(box, size, codec) for box in boxes]
            crops = np.stack(
                [crop(picture, way, size) for (picture, _), way in zip(group, ways, strict=True)]
            )
            found = self._decoded(self._outputs(crops))
            scales = np.stack([np.diag(way[:, :2]) for way in ways])
            yield Detections(
                np.stack([to_image(p, way) for p, way in zip(found.points, ways, strict=True)]),
                found.scores,
                found.sd / scales[:, None],
            )

    def _outputs(self, crops: Picture) -> tuple[FloatArray, ...]:
        """What the network says of crops (n, h, w, 3), in as many steps as memory asks for."""
        parts: list[tuple[FloatArray, ...]] = []
        done = 0
        while done < len(crops):
            try:
                parts.append(self._forward(crops[done : done + self.batch]))
            except (RuntimeError, MemoryError) as error:
                if not self._is_out_of_memory(error):
                    raise
                self._halve(len(crops) - done, error)
                continue
            done += self.batch
        return tuple(np.concatenate(part) for part in zip(*parts, strict=True))

    def _halve(self, tried: int, error: BaseException) -> None:
        tried = min(tried, self.batch)
        if tried == 1:
            raise UserError(
                f"{self.spec.variant} does not fit into the memory of {self.device_title}, not "
                "even with one picture at a time."
            ) from error
        self.batch = tried // 2
        self.notes.append(
            f"The memory of {self.device_title} was too small for {tried} pictures at a time; "
            f"going on with {self.batch}."
        )
        self._let_go()

    def _decoded(self, outputs: tuple[FloatArray, ...]) -> Decoded:
        if self.spec.codec == "simcc":
            return decode_simcc(outputs[0], outputs[1], self._refine)
        return decode_heatmaps(outputs[0], self.spec.codec, self.spec.input_size, self._refine)


def whole_picture(picture: Picture) -> FloatArray:
    """The box to take where nobody knows where the person is."""
    return np.array((0.0, 0.0, picture.shape[1], picture.shape[0]))
