"""Colours and shapes that carry meaning, the same in every view.

Left, right and midline follow MMPose's and SpinePose's colours; a shape per side says the same
without colour, whatever palette is chosen.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pipeline.data.skeleton import Side

RGB = tuple[int, int, int]
Shape = Literal["circle", "triangle", "diamond"]


@dataclass(frozen=True, slots=True)
class Palette:
    """Colours of the three sides, ``id`` for the settings and ``title`` for people."""

    id: str
    title: str
    left: RGB
    right: RGB
    mid: RGB

    def of(self, side: Side) -> RGB:
        """Colour of one side."""
        return {"left": self.left, "right": self.right, "mid": self.mid}[side]


# Okabe and Ito, "Color Universal Design" (2008): bluish green, vermillion and sky blue stay apart
# for all three kinds of colour blindness. High contrast: yellow, magenta and white differ in
# lightness as well.
PALETTES: dict[str, Palette] = {
    palette.id: palette
    for palette in (
        Palette("standard", "Green, orange, blue", (0, 255, 0), (255, 128, 0), (51, 153, 255)),
        Palette("okabe-ito", "Colour-blind safe (Okabe–Ito)", (0, 158, 115), (213, 94, 0),
                (86, 180, 233)),
        Palette("high-contrast", "High contrast", (255, 235, 0), (235, 60, 235), (255, 255, 255)),
    )
}  # fmt: skip
STANDARD = PALETTES["standard"]


def palette_of(name: str) -> Palette:
    """The palette of a setting; the standard one where there is none of that name."""
    return PALETTES.get(name, STANDARD)


SIDE_COLOUR: dict[Side, RGB] = {
    "left": STANDARD.left,
    "right": STANDARD.right,
    "mid": STANDARD.mid,
}
SIDE_SHAPE: dict[Side, Shape] = {"left": "circle", "right": "triangle", "mid": "diamond"}

SELECTED: RGB = (255, 255, 255)
PREVIEW: RGB = (255, 64, 255)
EPIPOLAR: RGB = (255, 220, 64)
MANUAL: RGB = (255, 255, 255)
OTHER_PERSON: RGB = (150, 150, 150)
BONE: RGB = (244, 226, 190)  # what is simulated; ticks tell it from white without colour
BAD: RGB = (255, 72, 72)

LOW_SCORE = 0.3  # Pose2Sim's likelihood threshold: below it a detection is not used by peers
