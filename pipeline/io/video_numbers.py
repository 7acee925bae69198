"""What tells our frame numbers from those that other programs give the same video."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

from pipeline.io.image_files import IMAGE_SEQUENCE
from pipeline.io.video_frames import VideoIndex

# Codings that store pictures in another order than they are shown in.
_REORDERED = ("h264", "hevc", "mpeg4", "mpeg2video", "vc1")


@dataclass(frozen=True, slots=True)
class DecodeFingerprint:
    """How a video's frames were counted; two programs that agree in it number them alike.

    Parameters
    ----------
    frame_count : int
        Displayed frames.
    packet_count : int
        Stored pictures, those hidden by an edit list included.
    first_pts_s : float
        Presentation time of frame 0 in seconds.
    pts_sha256 : str
        SHA-256 of the times between frames, as little-endian 64-bit microseconds.
    """

    frame_count: int
    packet_count: int
    first_pts_s: float
    pts_sha256: str

    def __str__(self) -> str:
        hidden = self.packet_count - self.frame_count
        return (
            f"{self.frame_count} frames shown, {hidden} hidden, first at {self.first_pts_s:.6f} s,"
            f" times {self.pts_sha256[:16]}"
        )


def decode_fingerprint(index: VideoIndex) -> DecodeFingerprint:
    """How the frames of a video were counted."""
    # Whole microseconds, so that it does not depend on the unit that a container counts time in.
    steps = np.rint(np.diff(index.times) * 1e6).astype("<i8")
    return DecodeFingerprint(
        index.frame_count,
        index.packet_count,
        float(index.times[0]),
        hashlib.sha256(steps.tobytes()).hexdigest(),
    )


def frame_number_warning(index: VideoIndex) -> str | None:
    """One sentence where programs that count or compute frame numbers get others; else None.

    OpenCV, for one, takes the stored pictures for the displayed ones, computes a frame from its
    time and an average rate, and finds none exactly in a transport stream.
    """
    name = index.path.name
    if index.container == IMAGE_SEQUENCE:
        return None
    hidden = index.packet_count - index.frame_count
    if hidden > 0:
        return (
            f"{name} stores {index.packet_count} pictures but shows {index.frame_count}; programs"
            f" that count stored ones, such as OpenCV, number its frames up to {hidden} higher."
        )
    if "mpegts" in index.container.split(","):
        return (
            f"{name} is a transport stream, in which most programs, such as OpenCV, do not find"
            " a frame by its number exactly."
        )
    off = _off_by_time(index)
    if off:
        return (
            f"{name} has a variable frame rate; programs that compute frame numbers from times,"
            f" such as OpenCV, are off by up to {off}."
        )
    if index.mode == "ordinal" and index.codec in _REORDERED:
        return (
            f"{name} tells no times for its frames; some programs count them in stored instead"
            " of displayed order."
        )
    return None


def _off_by_time(index: VideoIndex) -> int:
    """Most frames by which a number computed from time and average rate differs."""
    times = index.times - index.times[0]
    by_time = np.rint(times * index.fps)
    return int(np.max(np.abs(by_time - np.arange(index.frame_count))))
