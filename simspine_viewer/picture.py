"""What a view shows at one instant: decoded pixels, or the reason why there are none."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

NO_FRAME = "no frame at this instant"
NO_VIDEO = "no video"
NOT_DECODABLE = "this frame cannot be decoded"


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
        Blue, green, red and an unused byte; never written to.
    reason : str
        Why there are no pixels: :data:`NO_FRAME`, :data:`NO_VIDEO`, :data:`NOT_DECODABLE`, or the
        sentence that says why the video cannot be read. Empty where there are pixels.
    suspect : bool
        The video is damaged shortly before this frame, so the pixels may show something older.
    """

    frame: int
    video_frame: int = -1
    pixels: NDArray[np.uint8] | None = None
    reason: str = ""
    suspect: bool = False
