"""Pictures of a person cut out as the networks were trained on them, and the way back.

Places are in pixels with whole numbers at pixel centres, in the picture and in the crop alike.
Pictures are RGB: mean and standard deviation are those of the colours in that order, against which
SpinePose's own library feeds BGR.
"""

from __future__ import annotations

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pipeline.models.variants import Codec

FloatArray = NDArray[np.float64]

# ImageNet's, in the units of 8-bit colours (mmpose's PoseDataPreprocessor).
MEAN = (123.675, 116.28, 103.53)
STD = (58.395, 57.12, 57.375)
PADDING = 1.25


def input_from_image(box: FloatArray, size: tuple[int, int], codec: Codec) -> FloatArray:
    """Transform from a picture into the network's input for the person in a box.

    Parameters
    ----------
    box : array (4,)
        x and y of the upper left and the lower right corner, pixels.
    size : (w, h)
        The network's input.
    codec : str
        ``udp`` networks were trained with the box on the first and last pixel's centre, the
        others with it on the input's size.

    Returns
    -------
    array (2, 3)
        The box, 1.25 times as large and grown to the input's proportions about its centre.
    """
    corner, opposite = box[:2], box[2:]
    centre = (corner + opposite) / 2
    width, height = np.maximum((opposite - corner) * PADDING, 1.0)
    aspect = size[0] / size[1]
    grown = np.array((max(width, height * aspect), max(height, width / aspect)))
    scale = (np.array(size) - (1 if codec == "udp" else 0)) / grown
    shift = scale * (grown / 2 - centre)
    return np.array([[scale[0], 0.0, shift[0]], [0.0, scale[1], shift[1]]])


def crop(picture: NDArray[np.uint8], transform: FloatArray, size: tuple[int, int]) -> NDArray:
    """(h, w, 3) of a picture (H, W, 3), bilinear, black outside of it."""
    return np.asarray(cv2.warpAffine(picture, transform, size, flags=cv2.INTER_LINEAR))


def to_image(points: FloatArray, transform: FloatArray) -> FloatArray:
    """Points (..., 2) in the input, in pixels of the picture."""
    return np.asarray((points - transform[:, 2]) / np.diag(transform[:, :2]))


def normalised(crops: Tensor) -> Tensor:
    """(N, h, w, 3) 8-bit RGB to the (N, 3, h, w) that networks see, on the same device."""
    mean = torch.tensor(MEAN, device=crops.device)
    std = torch.tensor(STD, device=crops.device)
    return ((crops.float() - mean) / std).permute(0, 3, 1, 2)
