"""Pictures become what a detector is taught with: people cut out, turned, recoloured, hidden."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.data.skeleton import Skeleton
from pipeline.models.crop import MEAN, input_from_image
from pipeline.models.detector import mirror_partners
from pipeline.models.detector_config import DetectorTraining
from pipeline.models.variants import Codec

FloatArray = NDArray[np.float64]
Picture = NDArray[np.uint8]

# Keeps these draws apart from those of the same seed that drew the pictures.
_STREAM = 11
_WIDEST = 3.0
_GRAIN_ROOM = 64


class Pictures(Protocol):
    """N pictures with a person in each, as :class:`pipeline.io.picture_set.PictureSet` has them."""

    @property
    def xy(self) -> FloatArray: ...
    @property
    def visibility(self) -> NDArray[np.uint8]: ...
    @property
    def boxes(self) -> FloatArray: ...
    @property
    def skeleton(self) -> Skeleton: ...
    def picture(self, number: int) -> Picture: ...
    def __len__(self) -> int: ...


@dataclass(frozen=True, slots=True, eq=False)
class DetectorBatch:
    """Crops and where the keypoints are in them.

    ``crops`` (N, h, w, 3) RGB; ``xy`` (N, K, 2) pixels of the crop; ``weight`` (N, K), 0 for what
    is not labelled or not in the crop.
    """

    crops: Picture
    xy: FloatArray
    weight: NDArray[np.float32]


def taught_batch(
    pictures: Pictures, training: DetectorTraining, size: tuple[int, int], number: int
) -> DetectorBatch:
    """Batch ``number`` of a training: a function of the pictures, the settings and the number.

    Every picture is used once before any is used again, in an order drawn anew each time.
    """
    parts = []
    for place in range(number * training.batch, (number + 1) * training.batch):
        epoch, at = divmod(place, len(pictures))
        order = np.random.default_rng([training.seed, _STREAM, epoch]).permutation(len(pictures))
        rng = np.random.default_rng([training.seed, _STREAM, epoch, at])
        parts.append(_taught(pictures, int(order[at]), training, size, rng))
    return _joined(parts)


def plain_batch(
    pictures: Pictures, chosen: NDArray[np.intp], size: tuple[int, int], codec: Codec
) -> DetectorBatch:
    """Pictures as they are cut out when keypoints are looked for."""
    parts = []
    for number in chosen.tolist():
        way = input_from_image(pictures.boxes[number], size, codec)
        crop = cv2.warpAffine(pictures.picture(number), way, size, flags=cv2.INTER_LINEAR)
        xy = pictures.xy[number] @ way[:, :2].T + way[:, 2]
        parts.append((np.asarray(crop, np.uint8), xy, _weights(xy, size)))
    return _joined(parts)


def _joined(
    parts: list[tuple[Picture, FloatArray, NDArray[np.float32]]],
) -> DetectorBatch:
    crops, xy, weight = (np.stack(values) for values in zip(*parts, strict=True))
    return DetectorBatch(crops, np.nan_to_num(xy), weight)


def _weights(xy: FloatArray, size: tuple[int, int]) -> NDArray[np.float32]:
    with np.errstate(invalid="ignore"):
        inside = ((xy > -0.5) & (xy < np.array(size) - 0.5)).all(axis=-1)
    return np.asarray(inside, np.float32)


def _taught(
    pictures: Pictures,
    number: int,
    training: DetectorTraining,
    size: tuple[int, int],
    rng: np.random.Generator,
) -> tuple[Picture, FloatArray, NDArray[np.float32]]:
    way = _way(pictures.boxes[number], training, size, rng)
    xy = pictures.xy[number]
    if rng.random() < 0.5:
        way = np.array([[-1.0, 0.0, size[0] - 1.0], [0.0, 1.0, 0.0]]) @ np.vstack([way, [0, 0, 1]])
        xy = xy[mirror_partners(pictures.skeleton)]
    border = MEAN if rng.random() < 0.5 else (0, 0, 0)
    crop = np.asarray(
        cv2.warpAffine(
            pictures.picture(number), way, size, flags=cv2.INTER_LINEAR, borderValue=border
        ),
        np.uint8,
    )
    xy = xy @ way[:, :2].T + way[:, 2]
    crop = _recoloured(crop, training.colours, rng)
    if rng.random() < training.hide:
        crop = _hidden(crop, rng)
    return crop, xy, _weights(xy, size)


def _way(
    box: FloatArray, training: DetectorTraining, size: tuple[int, int], rng: np.random.Generator
) -> FloatArray:
    """(2, 3) transform from the picture into the crop."""
    way = input_from_image(box, size, "simcc")
    scale = math.exp(training.zoom * rng.standard_normal())
    if rng.random() < training.wide:
        scale /= rng.uniform(1.0, _WIDEST)
    # A third stays upright: most people are filmed so.
    angle = 0.0 if rng.random() < 1 / 3 else math.radians(training.turn) * rng.standard_normal()
    c, s = scale * math.cos(angle), scale * math.sin(angle)
    turn = np.array([[c, -s], [s, c]])
    middle = 0.5 * (np.array(size) - 1.0)
    shift = training.shift * rng.standard_normal(2) * np.array(size) / min(scale, 1.0)
    offset = middle + scale * shift - turn @ middle
    return np.column_stack([turn @ way[:, :2], turn @ way[:, 2] + offset])


def _recoloured(crop: Picture, amount: float, rng: np.random.Generator) -> Picture:
    """Other light, other colours, and what lenses, sensors and codecs take away."""
    if amount == 0.0:
        return crop
    saturation, contrast = (
        1.0 + rng.uniform(-amount, amount),
        1.0 + 0.6 * rng.uniform(-amount, amount),
    )
    if rng.random() < 0.15 * amount:
        saturation = 0.0
    gain = (1.0 + 0.5 * rng.uniform(-amount, amount)) * (
        1.0 + 0.25 * rng.uniform(-amount, amount, 3)
    )
    mixed = saturation * np.eye(3) + (1.0 - saturation) / 3.0
    offset = gain * 128.0 * (1.0 - contrast) + 40.0 * rng.uniform(-amount, amount)
    change = np.column_stack([contrast * gain[:, None] * mixed, offset])
    out = np.asarray(cv2.transform(crop, change), np.uint8)
    if rng.random() < 0.5 * amount:
        out = np.asarray(cv2.GaussianBlur(out, (0, 0), rng.uniform(0.3, 1.4)), np.uint8)
    if rng.random() < 0.6 * amount:
        height, width = out.shape[:2]
        y, x = rng.integers(0, _GRAIN_ROOM, 2)
        grain = _grain(height, width)[y : y + height, x : x + width]
        strong = cv2.multiply(grain, rng.uniform(0.1, 1.0), dtype=cv2.CV_16S)
        out = np.asarray(cv2.add(out, strong, dtype=cv2.CV_8U), np.uint8)
    return out


@cache
def _grain(height: int, width: int) -> NDArray[np.int16]:
    """(height + room, width + room, 3) of a standard deviation of 10."""
    shape = (height + _GRAIN_ROOM, width + _GRAIN_ROOM, 3)
    noise = np.random.default_rng(_STREAM).standard_normal(shape, np.float32)
    return np.asarray(np.round(10.0 * noise)).astype(np.int16)


def _hidden(crop: Picture, rng: np.random.Generator) -> Picture:
    """A rectangle of one colour, or of another part of the picture, over a part of the crop."""
    height, width = crop.shape[:2]
    h, w = (int(side * rng.uniform(0.08, 0.35)) for side in (height, width))
    top, left = rng.integers(0, height - h), rng.integers(0, width - w)
    out = crop.copy()
    if rng.random() < 0.5:
        out[top : top + h, left : left + w] = rng.integers(0, 256, 3)
    else:
        y, x = rng.integers(0, height - h), rng.integers(0, width - w)
        out[top : top + h, left : left + w] = crop[y : y + h, x : x + w]
    return out
