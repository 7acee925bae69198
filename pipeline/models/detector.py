"""Keypoints of people in pictures: cut out, seen in batches, decoded, mapped back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pipeline.data.errors import UserError
from pipeline.data.skeleton import Skeleton
from pipeline.models.crop import crop, input_from_image, normalised, to_image
from pipeline.models.decode import Decoded, Refinement, decode_heatmaps, decode_simcc
from pipeline.models.devices import choose_device, device_title, is_out_of_memory
from pipeline.models.fused import ready
from pipeline.models.network import Output, PoseNetwork

FloatArray = NDArray[np.floating]
Picture = NDArray[np.uint8]

# A CPU gains nothing from more than the four views of a recording; a card wants to be filled.
_BATCH = {"cpu": 4, "mps": 16, "cuda": 64}


@dataclass(frozen=True, slots=True, eq=False)
class Detections:
    """Keypoints of N people in pixels of their pictures, whole numbers at pixel centres.

    ``points`` (N, K, 2), not a number where nothing was found; ``scores`` (N, K); ``sd``
    (N, K, 2), standard deviation of x and y (see :mod:`pipeline.models.decode`).
    """

    points: FloatArray
    scores: FloatArray
    sd: FloatArray


class PoseDetector:
    """A network on a device, and the batch that fits there.

    ``device`` is where it runs and ``device_title`` its name for people; ``batch`` how many crops
    are seen at once, which halves when memory runs out; ``notes`` says so in sentences.
    """

    def __init__(
        self,
        network: PoseNetwork,
        skeleton: Skeleton,
        device: str = "auto",
        *,
        batch: int | None = None,
        flip: bool = False,
        refine: Refinement = "subbin",
    ) -> None:
        """Move a network to a device.

        Parameters
        ----------
        network : PoseNetwork
            Left as it is; a copy runs.
        skeleton : Skeleton
            Its keypoints in the network's order.
        device : str
            ``auto``, ``cuda``, ``mps`` or ``cpu``.
        batch : int, optional
            Crops at once.
        flip : bool
            See each crop mirrored too and average, as mmpose does when it evaluates.
        refine : str
            See :mod:`pipeline.models.decode`.

        Raises
        ------
        UserError
            If the network has other keypoints or the device is not there.
        """
        self.spec = network.spec
        if self.spec.n_keypoints != len(skeleton):
            raise UserError(
                f"This {self.spec.variant} finds {self.spec.n_keypoints} keypoints, but "
                f"{skeleton.title} has {len(skeleton)}."
            )
        self.device = choose_device(device)
        self.device_title = device_title(self.device)
        self.batch = batch or _BATCH[self.device.type]
        self.notes: list[str] = []
        self._refine = refine
        self._partners = torch.from_numpy(mirror_partners(skeleton)) if flip else None
        self._network = ready(network, self.device)

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
            found = self._decoded(self._outputs(torch.from_numpy(crops)))
            scales = np.stack([np.diag(way[:, :2]) for way in ways])
            yield Detections(
                np.stack([to_image(p, way) for p, way in zip(found.points, ways, strict=True)]),
                found.scores,
                found.sd / scales[:, None],
            )

    def _outputs(self, crops: Tensor) -> tuple[FloatArray, ...]:
        """What the network says of crops (n, h, w, 3), in as many steps as memory asks for."""
        parts: list[tuple[FloatArray, ...]] = []
        done = 0
        while done < len(crops):
            try:
                parts.append(self._forward(crops[done : done + self.batch]))
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
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
        if self.device.type == "cuda":
            torch.cuda.empty_cache()

    def _forward(self, crops: Tensor) -> tuple[FloatArray, ...]:
        pictures = normalised(crops.to(self.device)).to(memory_format=torch.channels_last)
        with torch.inference_mode():
            out = self._run(pictures)
            if self._partners is not None:
                mirrored = self._run(mirrored_pictures(pictures, self.spec.codec))
                back = mirrored_back(mirrored, self._partners.to(self.device))
                out = tuple((a + b) / 2 for a, b in zip(out, back, strict=True))
        return tuple(part.cpu().numpy() for part in out)

    def _run(self, pictures: Tensor) -> tuple[Tensor, ...]:
        """One pass; on CUDA in half precision, but for the head of SimCC.

        That head squares its attention, which half precision may not hold, and its peaks would be
        rounded; it is a few percent of the work.
        """
        half = self.device.type == "cuda"
        with torch.autocast(self.device.type, torch.float16, enabled=half):
            features = self._network.backbone(pictures)
        sharp = self.spec.codec == "simcc"
        with torch.autocast(self.device.type, torch.float16, enabled=half and not sharp):
            out: Output = self._network.head(features.float())
        parts = out if isinstance(out, tuple) else (out,)
        return tuple(part.float() for part in parts)

    def _decoded(self, outputs: Sequence[FloatArray]) -> Decoded:
        if self.spec.codec == "simcc":
            return decode_simcc(outputs[0], outputs[1], self._refine)
        return decode_heatmaps(outputs[0], self.spec.codec, self.spec.input_size, self._refine)


def whole_picture(picture: Picture) -> FloatArray:
    """The box to take where nobody knows where the person is."""
    return np.array((0.0, 0.0, picture.shape[1], picture.shape[0]))


def mirror_partners(skeleton: Skeleton) -> NDArray[np.intp]:
    """(K,) index of each keypoint's partner on the other side, of a middle one its own."""
    other = {"left": "right", "right": "left"}
    return np.array(
        [
            skeleton.index(k.name.replace(k.side, other[k.side], 1)) if k.side in other else i
            for i, k in enumerate(skeleton.keypoints)
        ],
        dtype=np.intp,
    )


def mirrored_pictures(pictures: Tensor, codec: str) -> Tensor:
    """Pictures (N, 3, h, w) mirrored so that the mirrored cells lie on the cells.

    Cell i of an ``msra`` heatmap lies at 4·i pixels, so a picture mirrored about its own middle
    is three pixels off, which are moved here. mmpose moves the heatmap by a whole cell instead.
    """
    flipped = pictures.flip(-1)
    if codec != "msra":
        return flipped
    return torch.cat((flipped[..., 3:], flipped[..., -1:].expand(-1, -1, -1, 3)), dim=-1)


def mirrored_back(outputs: Sequence[Tensor], partners: Tensor) -> tuple[Tensor, ...]:
    """What was seen in mirrored pictures, as if seen in the pictures themselves.

    Bin b lies at b/2 pixels, so mirrored rows of bins are one bin off: x lands on bin 2x+1. It is
    moved back here, which mmpose leaves undone; an average with it is a quarter pixel off.
    """
    first = outputs[0].flip(-1)
    if len(outputs) == 2:
        first = torch.cat((first[..., 1:], first[..., -1:]), dim=-1)
    return tuple(part[:, partners] for part in (first, *outputs[1:]))
