"""Colours and shapes that carry meaning, the same in every view.

Left, right and midline follow MMPose's and SpinePose's colours; a shape per side says the same
without colour.
"""

from __future__ import annotations

from typing import Literal

from pipeline.data.skeleton import Side

RGB = tuple[int, int, int]

SIDE_COLOUR: dict[Side, RGB] = {
    "left": (0, 255, 0),
    "right": (255, 128, 0),
    "mid": (51, 153, 255),
}

Shape = Literal["circle", "triangle", "diamond"]
SIDE_SHAPE: dict[Side, Shape] = {"left": "circle", "right": "triangle", "mid": "diamond"}

SELECTED: RGB = (255, 255, 255)
PREVIEW: RGB = (255, 64, 255)
EPIPOLAR: RGB = (255, 220, 64)
MANUAL: RGB = (255, 255, 255)
OTHER_PERSON: RGB = (150, 150, 150)
BAD: RGB = (255, 72, 72)

LOW_SCORE = 0.3  # Pose2Sim's likelihood threshold: below it a detection is not used by peers
