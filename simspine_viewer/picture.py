"""What a view shows at one instant: decoded pixels and what they are, or why there are none."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

NO_FRAME = "no frame at this instant"
NO_VIDEO = "no video"
NOT_DECODABLE = "this frame cannot be decoded"

Size = tuple[int, int]


class Tier(Enum):
    """Where the pixels of a picture come from."""

    EXACT = "exact"
    PROXY = "proxy"  # of the same frame, smaller and coarser
    KEYFRAME = "keyframe"  # of the keyframe before the frame, while that is being decoded


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """One view at one frame of the sequence.

    Parameters
    ----------
    frame : int
        Frame on the sequence axis.
    video_frame : int
        Displayed frame of the view's own video, -1 where there is none.
    pixels : (H, W, 4) uint8 array or None
        Blue, green, red and an unused byte; never written to. H and W may be smaller than the
        video's own size: positions are pixels of ``source_size`` all the same.
    reason : str
        Why there are no pixels: :data:`NO_FRAME`, :data:`NO_VIDEO`, :data:`NOT_DECODABLE`, or the
        sentence that says why the video cannot be read. Empty where there are pixels.
    suspect : bool
        The video is damaged shortly before this frame, so the pixels may show something older.
    tier : Tier
        What the pixels are.
    shown_frame : int
        Displayed frame of the video whose pixels these are, where it is not ``video_frame``.
    video_size : (int, int) or None
        Width and height of the video as displayed, where the pixels are of another size.
    """

    frame: int
    video_frame: int = -1
    pixels: NDArray[np.uint8] | None = None
    reason: str = ""
    suspect: bool = False
    tier: Tier = Tier.EXACT
    shown_frame: int = -1
    video_size: Size | None = None

    @property
    def source_size(self) -> Size | None:
        """Width and height in which positions are given; None without pixels."""
        if self.pixels is None:
            return None
        return self.video_size or (self.pixels.shape[1], self.pixels.shape[0])

    @property
    def is_full(self) -> bool:
        """Whether nothing better is to be had: the frame itself at the video's own size."""
        if self.pixels is None:
            return True
        own = (self.pixels.shape[1], self.pixels.shape[0])
        return self.tier is Tier.EXACT and own == self.source_size

    @property
    def frames_early(self) -> int:
        """How many video frames the pixels are older than ``video_frame``; 0 for the frame."""
        return self.video_frame - self.shown_frame if self.tier is Tier.KEYFRAME else 0

    @property
    def is_own(self) -> bool:
        """Whether the pixels are of this very frame, so that positions may be read off them."""
        return self.frames_early == 0
