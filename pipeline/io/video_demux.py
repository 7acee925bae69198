"""The index of any video file that FFmpeg can read, from one pass over its packets."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
from av.video.stream import VideoStream

from pipeline.data.errors import Finding, UserError
from pipeline.io.video_frames import NO_TIMESTAMP, IntArray, VideoIndex
from pipeline.io.video_open import open_container
from pipeline.io.video_picture import Shown, shown_as
from pipeline.io.video_scan import Keyframe, PacketScan, scan_packets


def index_by_demux(path: Path) -> VideoIndex:
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
    container, stream = open_container(path)
    with container:
        packets = scan_packets(container, stream)
        if packets.count == 0:
            raise UserError(f"{path}: the video holds no frames.")
        if packets.first_frame is None or not packets.pts:
            raise UserError(f"{path}: none of the video's frames can be decoded.")
        is_avi = "avi" in container.format.name.split(",")
        shown = shown_as(path, packets.first_frame, stream)
        return _index(path, is_avi, container.format.name, stream, packets, shown)


def _index(
    path: Path, is_avi: bool, container: str, stream: VideoStream, packets: PacketScan, shown: Shown
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
    # The header of AVI files written by FFmpeg counts fields, not frames.
    findings = _completeness(path, 0 if is_avi else stream.frames, packets)
    return VideoIndex(
        path=path,
        codec=stream.codec_context.codec.canonical_name,
        mode="ordinal" if is_ordinal else "pts",
        time_base=time_base,
        pts=pts,
        key_pts=key_pts,
        key_dts=np.array([key.dts for key in keyframes], np.int64),
        key_frame=key_frame,
        key_packet=np.array([key.packet for key in keyframes], np.int64),
        key_is_clean=np.array([key.is_clean for key in keyframes], np.bool_),
        key_lead=np.array([key.lead if is_ordinal else 0 for key in keyframes], np.int64),
        width=shown.width,
        height=shown.height,
        rotation=shown.rotation,
        findings=(*shown.findings, *findings),
        is_mirrored=shown.is_mirrored,
        container=container,
        packet_count=packets.count,
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
