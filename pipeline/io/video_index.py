"""Which frames a video file shows, when, and where its decoding may start.

Frame ``i`` is the ``i``-th displayed frame, by presentation time; never ``fps * time``.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Literal

import av
import numpy as np
from av.container import InputContainer
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from pipeline.data.errors import Finding, UserError
from pipeline.io.video_bitstream import (
    is_closed_keyframe,
    is_decodable_leading,
    mpeg4_vop_kinds,
)
from pipeline.io.video_open import open_video

IntArray = NDArray[np.int64]

NO_TIMESTAMP = int(np.iinfo(np.int64).min)
"""Stands for a missing timestamp in integer arrays, as AV_NOPTS_VALUE does in FFmpeg."""


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
        return self.pts * float(self.time_base)

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


@dataclass(slots=True)
class _Keyframe:
    pts: int
    dts: int
    packet: int
    frame: int  # by counting, used in ordinal mode only
    is_closed: bool
    lead: int = 0


@dataclass(slots=True)
class _Packets:
    """What one pass over the packets found; ``pts`` and ``dts`` are those of displayed frames."""

    count: int = 0
    pts: list[int] = field(default_factory=list)
    dts: list[int] = field(default_factory=list)
    keyframes: list[_Keyframe] = field(default_factory=list)
    first_frame: VideoFrame | None = None
    is_packed: bool = False
    is_in_lead: bool = False  # right after a keyframe, where pictures shown before it are stored
    error: str = ""


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
        packets = _scan(container, stream)
        if packets.count == 0:
            raise UserError(f"{path}: the video holds no frames.")
        if packets.first_frame is None or not packets.pts:
            raise UserError(f"{path}: none of the video's frames can be decoded.")
        is_avi = "avi" in container.format.name.split(",")
        return _index(path, is_avi, stream, packets, packets.first_frame)


def _scan(container: InputContainer, stream: VideoStream) -> _Packets:
    found = _Packets()
    stream.thread_count = 1
    try:
        for packet in container.demux(stream):
            if packet.size:
                _add(found, packet, stream)
    except av.FFmpegError as error:
        found.error = error.strerror or str(error)
    if found.first_frame is None and found.keyframes:
        found.first_frame = _try_decode(stream, None)
    return found


def _add(found: _Packets, packet: Packet, stream: VideoStream) -> None:
    codec = stream.codec_context
    is_mpeg4 = codec.name == "mpeg4"
    is_lead = False
    if packet.is_keyframe:
        found.keyframes.append(_keyframe(packet, found, codec))
        found.is_in_lead = True
    elif found.is_in_lead:
        is_lead = found.is_in_lead = _shows_before(packet, found.keyframes[-1], codec)
    if is_mpeg4 and not found.is_packed:
        found.is_packed = len(mpeg4_vop_kinds(bytes(packet))) > 1
    if found.keyframes and found.first_frame is None:
        found.first_frame = _try_decode(stream, packet)
    if _is_shown(packet, found, is_lead, codec):
        found.pts.append(_stamp(packet.pts))
        found.dts.append(_stamp(packet.dts))
        if is_lead and is_mpeg4:
            found.keyframes[-1].frame += 1
    if is_lead and is_mpeg4:
        found.keyframes[-1].lead += 1
    found.count += 1


def _stamp(timestamp: int | None) -> int:
    return NO_TIMESTAMP if timestamp is None else timestamp


def _try_decode(stream: VideoStream, packet: Packet | None) -> VideoFrame | None:
    # A damaged packet fails; the pass goes on to the first intact one.
    with contextlib.suppress(av.FFmpegError):
        return next(iter(stream.decode(packet)), None)
    return None


def _keyframe(packet: Packet, found: _Packets, codec: VideoCodecContext) -> _Keyframe:
    is_closed = not codec.codec.reorder or codec.name == "mpeg4"
    if codec.name in ("h264", "hevc"):
        is_closed = is_closed_keyframe(bytes(packet), codec.name, codec.extradata)
    return _Keyframe(_stamp(packet.pts), _stamp(packet.dts), found.count, len(found.pts), is_closed)


def _shows_before(packet: Packet, keyframe: _Keyframe, codec: VideoCodecContext) -> bool:
    if codec.name == "mpeg4":
        return mpeg4_vop_kinds(bytes(packet))[:1] == [True]
    if packet.pts is None:  # Matroska's demuxer gives such a picture no time at all
        return keyframe.pts != NO_TIMESTAMP and packet.dts is None
    return packet.pts < keyframe.pts


def _is_shown(packet: Packet, found: _Packets, is_lead: bool, codec: VideoCodecContext) -> bool:
    if packet.is_discard or not found.keyframes:  # cut away by an edit list; undecodable
        return False
    if codec.name == "vp8" and not memoryview(packet)[0] >> 4 & 1:  # show_frame, RFC 6386 9.1
        return False
    if is_lead and len(found.keyframes) == 1:
        return is_decodable_leading(bytes(packet), codec.name, codec.extradata)
    return True


def _index(
    path: Path, is_avi: bool, stream: VideoStream, packets: _Packets, frame: VideoFrame
) -> VideoIndex:
    is_ordinal = is_avi or NO_TIMESTAMP in packets.pts or len(set(packets.pts)) < len(packets.pts)
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
        key_lead=np.array([key.lead if is_ordinal else 0 for key in keyframes], np.int64),
        width=frame.height if is_turned else frame.width,
        height=frame.width if is_turned else frame.height,
        rotation=rotation,
        findings=tuple(findings),
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


def _ordinal_starts(packets: _Packets) -> list[_Keyframe]:
    """Keyframes from which counting the decoded frames gives the right number."""
    if packets.is_packed:  # two pictures in one packet, the next one empty: only from the start
        return packets.keyframes[:1]
    first = packets.keyframes[0]
    return [key for key in packets.keyframes if key.is_closed or key is first]


def _rotation(path: Path, frame: VideoFrame) -> tuple[int, list[Finding]]:
    clockwise = -frame.rotation % 360
    if clockwise in (0, 90, 180, 270):
        return clockwise, []
    message = f"{path}: the video asks to be shown turned by {clockwise} degrees, which is ignored."
    return 0, [Finding("warning", "video-rotation", message, path)]


def _completeness(path: Path, announced: int, packets: _Packets) -> list[Finding]:
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
