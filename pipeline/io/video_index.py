"""Which frames a video file shows, when, and where its decoding may start.

Frame ``i`` is the ``i``-th displayed frame, by presentation time; never ``fps * time``.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Literal

import numpy as np
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from pipeline.data.errors import Finding, UserError
from pipeline.io.video_open import open_video
from pipeline.io.video_scan import NO_TIMESTAMP, Keyframe, PacketScan, scan_packets

IntArray = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class VideoIndex:
    """The displayed frames and keyframes of one video file.

    Parameters
    ----------
    path : Path
        The video file.
    codec : str
        FFmpeg's name of the coding, such as ``"h264"``.
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
        """Average displayed frames per second; 0 for a single frame."""
        seconds = float((self.pts[-1] - self.pts[0]) * self.time_base)
        return (self.frame_count - 1) / seconds if seconds > 0 else 0.0

    def keyframe_before(self, frame: int) -> int:
        """Position in the ``key_*`` arrays of the last keyframe that leads to a frame."""
        return max(0, int(np.searchsorted(self.key_frame, frame, side="right")) - 1)

    def frame_of(self, pts: int | None) -> int | None:
        """The displayed frame with exactly this timestamp; None where there is none."""
        if pts is None:
            return None
        frame = int(np.searchsorted(self.pts, pts))
        return frame if frame < self.frame_count and self.pts[frame] == pts else None


def index_video(path: Path) -> VideoIndex:
    """Index a video file in one pass over its packets; only the first frame is decoded.

    Parameters
    ----------
    path : Path
        The video file.

    Returns
    -------
    VideoIndex
        A file that is cut off or damaged is indexed as far as it can be read, with a finding.

    Raises
    ------
    UserError
        One sentence naming the file and the cause, where no frame can be had.
    """
    container, stream = open_video(path)
    with container:
        packets = scan_packets(container, stream)
        if packets.count == 0:
            raise UserError(f"{path}: the video holds no frames.")
        if packets.first_frame is None or not packets.pts:
            raise UserError(f"{path}: none of the video's frames can be decoded.")
        is_avi = "avi" in container.format.name.split(",")
        return _index(path, is_avi, stream, packets, packets.first_frame)


def _index(
    path: Path, is_avi: bool, stream: VideoStream, packets: PacketScan, frame: VideoFrame
) -> VideoIndex:
    is_ordinal = is_avi or not _has_usable_pts(packets)
    time_base = stream.time_base or Fraction(1, 1000)
    if is_ordinal:
        pts, time_base = _ordinal_times(packets.dts, stream, time_base)
    else:
        pts = np.sort(np.array(packets.pts, np.int64))
    keyframes = _ordinal_starts(packets) if is_ordinal else packets.keyframes
    key_pts = np.array([key.pts for key in keyframes], np.int64)
    if is_ordinal:
        key_frame = np.array([key.frame for key in keyframes], np.int64)
    else:
        key_frame = np.searchsorted(pts, key_pts).astype(np.int64)
        key_frame[0] = 0  # whatever is shown before the first keyframe is decoded from it
    rotation, findings = _rotation(path, frame)
    # The header of AVI files written by FFmpeg counts fields, not frames.
    findings += _completeness(path, 0 if is_avi else stream.frames, packets)
    is_turned = rotation in (90, 270)
    return VideoIndex(
        path=path,
        codec=stream.codec_context.name,
        mode="ordinal" if is_ordinal else "pts",
        time_base=time_base,
        pts=pts,
        key_pts=key_pts,
        key_dts=np.array([key.dts for key in keyframes], np.int64),
        key_frame=key_frame,
        key_packet=np.array([key.packet for key in keyframes], np.int64),
        key_is_clean=np.array([key.is_clean for key in keyframes], np.bool_),
        key_lead=np.array([key.lead if is_ordinal else 0 for key in keyframes], np.int64),
        width=frame.height if is_turned else frame.width,
        height=frame.width if is_turned else frame.height,
        rotation=rotation,
        findings=tuple(findings),
    )


def _has_usable_pts(packets: PacketScan) -> bool:
    # Keyframes out of order: two recordings joined, each with its own clock.
    key_pts = [key.pts for key in packets.keyframes]
    return (
        NO_TIMESTAMP not in packets.pts
        and len(set(packets.pts)) == len(packets.pts)
        and bool(np.all(np.diff(key_pts) > 0))
    )


def _ordinal_times(
    dts: list[int], stream: VideoStream, time_base: Fraction
) -> tuple[IntArray, Fraction]:
    """Display times where presentation timestamps are of no use: the grid of decode times."""
    times = np.array(dts, np.int64)
    if NO_TIMESTAMP not in dts and np.all(np.diff(times) > 0):
        return times, time_base
    rate = stream.average_rate or stream.guessed_rate or Fraction(25)
    return np.arange(len(dts), dtype=np.int64), Fraction(1) / Fraction(rate)


def _ordinal_starts(packets: PacketScan) -> list[Keyframe]:
    """Keyframes from which counting the decoded frames gives the right number."""
    if packets.is_packed:  # two pictures in one packet, the next one empty: only from the start
        return packets.keyframes[:1]
    first = packets.keyframes[0]
    return [key for key in packets.keyframes if key.is_countable or key is first]


def _rotation(path: Path, frame: VideoFrame) -> tuple[int, list[Finding]]:
    clockwise = -frame.rotation % 360
    if clockwise in (0, 90, 180, 270):
        return clockwise, []
    message = f"{path}: the video asks to be shown turned by {clockwise} degrees, which is ignored."
    return 0, [Finding("warning", "video-rotation", message, path)]


def _completeness(path: Path, announced: int, packets: PacketScan) -> list[Finding]:
    if packets.count < announced:
        message = (
            f"{path}: the video is cut off; it holds {packets.count} of the {announced} frames"
            " that its header announces."
        )
        return [Finding("warning", "video-cut-off", message, path)]
    if packets.error:
        message = f"{path}: reading stopped at frame {len(packets.pts)} ({packets.error})."
        return [Finding("warning", "video-damaged", message, path)]
    return []
