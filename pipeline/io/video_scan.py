"""One pass over the packets of a video stream: what is displayed, and its keyframes."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field

import av
from av.container import InputContainer
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from pipeline.io.video_bitstream import (
    is_closed_keyframe,
    is_decodable_leading,
    mpeg4_vop_kinds,
)
from pipeline.io.video_frames import NO_TIMESTAMP


@dataclass(slots=True)
class Keyframe:
    """A keyframe as stored: its timestamps and the packets and displayed frames before it."""

    pts: int
    dts: int
    packet: int
    frame: int  # by counting, used in ordinal mode only
    is_clean: bool
    is_countable: bool  # all from here on is shown after all before, so that counting works
    lead: int = 0


@dataclass(slots=True)
class PacketScan:
    """What one pass over the packets found; ``pts`` and ``dts`` are those of displayed frames."""

    count: int = 0
    pts: list[int] = field(default_factory=list)
    dts: list[int] = field(default_factory=list)
    keyframes: list[Keyframe] = field(default_factory=list)
    first_frame: VideoFrame | None = None
    is_packed: bool = False
    is_in_lead: bool = False  # right after a keyframe, where pictures shown before it are stored
    error: str = ""


def scan_packets(container: InputContainer, stream: VideoStream) -> PacketScan:
    """Read all packets of a stream, or those up to the first that cannot be read.

    No picture is decoded but the first one, which tells size and rotation.
    """
    found = PacketScan()
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


def _add(found: PacketScan, packet: Packet[VideoStream], stream: VideoStream) -> None:
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


def _try_decode(stream: VideoStream, packet: Packet[VideoStream] | None) -> VideoFrame | None:
    # A damaged packet fails; the pass goes on to the first intact one.
    with contextlib.suppress(av.FFmpegError):
        return next(iter(stream.decode(packet)), None)
    return None


def _keyframe(packet: Packet[VideoStream], found: PacketScan, codec: VideoCodecContext) -> Keyframe:
    is_countable = not codec.codec.reorder or codec.name == "mpeg4"
    if codec.name in ("h264", "hevc"):
        is_countable = is_closed_keyframe(bytes(packet), codec.name, codec.extradata)
    return Keyframe(
        pts=_stamp(packet.pts),
        dts=_stamp(packet.dts),
        packet=found.count,
        frame=len(found.pts),
        is_clean=codec.name != "h264" or is_countable,
        is_countable=is_countable,
    )


def _shows_before(
    packet: Packet[VideoStream], keyframe: Keyframe, codec: VideoCodecContext
) -> bool:
    if codec.name == "mpeg4":
        return mpeg4_vop_kinds(bytes(packet))[:1] == [True]
    if packet.pts is None:  # Matroska's demuxer gives such a picture no time at all
        return keyframe.pts != NO_TIMESTAMP and packet.dts is None
    return packet.pts < keyframe.pts


def _is_shown(
    packet: Packet[VideoStream], found: PacketScan, is_lead: bool, codec: VideoCodecContext
) -> bool:
    if packet.is_discard or not found.keyframes:  # cut away by an edit list; undecodable
        return False
    if codec.name == "vp8" and not memoryview(packet)[0] >> 4 & 1:  # show_frame, RFC 6386 9.1
        return False
    if is_lead and len(found.keyframes) == 1:
        return is_decodable_leading(bytes(packet), codec.name, codec.extradata)
    return True
