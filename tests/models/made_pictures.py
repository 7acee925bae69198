"""Pictures whose keypoints are seen at a glance, to teach a network with in a moment."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.data.skeleton import Skeleton, load_skeleton


@dataclass
class MadePictures:
    """``count`` pictures of grey noise with a disc of its own colour at each keypoint of COCO."""

    count: int
    seed: int = 0
    size: int = 120
    skeleton: Skeleton = field(default_factory=lambda: load_skeleton("coco_17"))

    def __post_init__(self) -> None:
        rng = np.random.default_rng(self.seed)
        k = len(self.skeleton)
        self.xy: NDArray[np.float64] = rng.uniform(10, self.size - 10, (self.count, k, 2))
        self.visibility = np.full((self.count, k), 2, np.uint8)
        low, high = self.xy.min(axis=1), self.xy.max(axis=1)
        self.boxes: NDArray[np.float64] = np.concatenate([low, high], axis=1)
        self._colours = np.random.default_rng(1).integers(0, 256, (k, 3)).tolist()

    def __len__(self) -> int:
        return self.count

    def picture(self, number: int) -> NDArray[np.uint8]:
        rng = np.random.default_rng([self.seed, number])
        out = rng.integers(100, 140, (self.size, self.size, 3)).astype(np.uint8)
        for (x, y), colour in zip(self.xy[number], self._colours, strict=True):
            cv2.circle(out, (round(x), round(y)), 4, colour, -1)
        return out
