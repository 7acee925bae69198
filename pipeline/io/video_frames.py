"""Which frames a video file shows, when, and where its decoding may start.

Frame ``i`` is the ``i``-th displayed frame, by presentation time; never ``fps * time``.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pipeline.data.errors import Finding
from pipeline.io.image_files import IMAGE_SEQUENCE

IntArray = NDArray[np.int64]

NO_TIMESTAMP = int(np.iinfo(np.int64).min)
"""Stands for a missing timestamp in integer arrays, as AV_NOPTS_VALUE does in FFmpeg."""


class Interrupted(Exception):  # noqa: N818 (nothing went wrong)
    """Reading was stopped because ``should_stop()`` said so; asking again goes on from there."""


@dataclass(frozen=True, slots=True, eq=False)
class VideoIndex:
    """The displayed frames and keyframes of one video file.

    Parameters
    ----------
    path : Path
        The video file.
    codec : str
        FFmpeg's name of the coding, such as ``"h264"`` (not of the decoder).
    mode : {"pts", "ordinal"}
        Whether a frame is known by its presentation timestamp, or by counting from a keyframe
        (AVI, and files whose timestamps are missing or not unique).
    time_base : Fraction
        Seconds per unit of the timestamps.
    pts : (N,) int64 array
        Presentation timestamp of each displayed frame, ascending.
    key_pts, key_dts : (K,) int64 array
        Timestamps of the keyframes, in stored order; ``NO_TIMESTAMP`` where missing.
    key_frame : (K,) int64 array
        First displayed frame that can be decoded from each keyframe, ascending.
    key_packet : (K,) int64 array
        Number of packets of the stream stored before each keyframe.
    key_is_clean : (K,) bool array
        Whether decoding starts there without missing references. H.264 recovery points that are
        no IDR pictures (open groups of pictures, gradual refresh) are not clean.
    key_lead : (K,) int64 array
        Number of packets after each keyframe that must not be decoded when starting there.
    width, height : int
        Size in pixels as displayed, that is, after ``rotation``.
    rotation : {0, 90, 180, 270}
        Degrees clockwise by which the stored picture is turned for display.
    findings : tuple of Finding
        What was noticed about the file.
    is_mirrored : bool
        Whether left and right of the stored picture are swapped before it is turned.
    container : str
        FFmpeg's names of the file format, such as ``"mov,mp4,m4a,3gp,3g2,mj2"``.
    packet_count : int
        Number of coded pictures stored, hidden ones included.
    """

    path: Path
    codec: str
    mode: Literal["pts", "ordinal"]
    time_base: Fraction
    pts: IntArray
    key_pts: IntArray
    key_dts: IntArray
    key_frame: IntArray
    key_packet: IntArray
    key_is_clean: NDArray[np.bool_]
    key_lead: IntArray
    width: int
    height: int
    rotation: int = 0
    findings: tuple[Finding, ...] = ()
    is_mirrored: bool = False
    container: str = ""
    packet_count: int = 0

    @property
    def frame_count(self) -> int:
        """Number of displayed frames."""
        return len(self.pts)

    @property
    def times(self) -> NDArray[np.float64]:
        """(N,) presentation times in seconds on the file's own clock (not always from 0)."""
        return np.asarray(self.pts * float(self.time_base), np.float64)

    @property
    def fps(self) -> float:
        """Average displayed frames per second; 0 for a single frame and for numbered pictures."""
        if self.container == IMAGE_SEQUENCE:  # files carry no time
            return 0.0
        seconds = float((self.pts[-1] - self.pts[0]) * self.time_base)
        return (self.frame_count - 1) / seconds if seconds > 0 else 0.0

    def keyframe_before(self, frame: int) -> int:
        """Position in the ``key_*`` arrays of the last keyframe that leads to a frame."""
        return max(0, int(np.searchsorted(self.key_frame, frame, side="right")) - 1)

    def keyframe_number(self, key: int) -> int | None:
        """The displayed frame that a keyframe itself is; None where it is hidden."""
        if self.mode == "pts":
            return self.frame_of(int(self.key_pts[key]))
        return int(self.key_frame[key])

    def frame_of(self, pts: int | None) -> int | None:
        """The displayed frame with exactly this timestamp; None where there is none."""
        if pts is None:
            return None
        frame = int(np.searchsorted(self.pts, pts))
        return frame if frame < self.frame_count and self.pts[frame] == pts else None
