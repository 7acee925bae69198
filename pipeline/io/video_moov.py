"""The index of a plain MP4 or MOV file from its table of frames, which takes milliseconds.

FFmpeg's demuxer is asked for a few packets to see that it gives them the same times; wherever
anything is unusual or differs there is no index, and a pass over all packets is needed.
"""

from __future__ import annotations

import contextlib
import itertools
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from pipeline.io.mp4_table import Mp4Table, read_table
from pipeline.io.video_bitstream import is_closed_keyframe
from pipeline.io.video_frames import VideoIndex
from pipeline.io.video_open import open_container
from pipeline.io.video_picture import shown_as

# Codings for which a table says all; others need a look into every packet (video_scan).
_CODECS = ("h264", "hevc", "av1", "vp9", "mjpeg", "prores", "ffv1", "png", "dnxhd", "rawvideo")
_N_COMPARED = 4
# Packets fed until the first picture comes out: H.264 and HEVC hold back at most 16.
_MAX_DELAY = 20


def index_by_moov(path: Path) -> VideoIndex | None:
    """Index a plain MP4 or MOV file; None for all other files.

    Raises
    ------
    UserError
        One sentence naming the file and the cause, where it cannot be opened.
    """
    container, stream = open_container(path)
    with container:
        if (
            "mov" not in container.format.name.split(",")
            or stream.codec_context.codec.canonical_name not in _CODECS
        ):
            return None
        table = read_table(path)
        if table is None or len(container.streams.video) != 1:
            return None
        shift = _shift(table)
        if shift is None or not _agrees(container, stream, table, shift):
            return None
        frame = _first_frame(container, stream)
        return None if frame is None else _index(path, container, stream, table, shift, frame)


def _shift(table: Mp4Table) -> int | None:
    """What is taken off all times; None where the table hides pictures or mixes up their order."""
    pts = table.pts
    key_pts = pts[table.keyframe]
    is_plain = (
        bool(np.all(np.diff(np.sort(pts)) > 0))  # np.unique takes 20 times as long
        and bool(np.all(np.diff(key_pts) > 0))
        and pts[0] == pts.min()  # shown before the first keyframe: only some decode
    )
    if not is_plain:
        return None
    if table.edit is None:
        return 0
    edit = table.edit
    if edit.start != pts.min() or edit.start + edit.duration <= pts.max():
        return None
    return edit.start - edit.delay


def _agrees(container: InputContainer, stream: VideoStream, table: Mp4Table, shift: int) -> bool:
    """Whether FFmpeg gives the packets at some keyframes the same times, and the last one, too."""
    if stream.time_base != Fraction(1, table.timescale):
        return False
    keys = table.keyframe
    for key in sorted({0, int(keys[len(keys) // 2]), int(keys[-1])}):
        try:
            container.seek(int(table.pts[key]) - shift, stream=stream, backward=True)
            packets = list(itertools.islice(container.demux(stream), _N_COMPARED))
        except av.FFmpegError:
            return False
        # A seek may land at an earlier keyframe: what is compared is wherever it did.
        (sample,) = np.nonzero(table.offset == packets[0].pos)
        if not packets[0].size or len(sample) != 1:
            return False
        for k, packet in enumerate((p for p in packets if p.size), int(sample[0])):
            if k >= len(table.pts):
                return False
            given = (packet.pts, packet.dts, packet.pos, packet.size, packet.is_keyframe)
            times = (table.pts[k] - shift, table.dts[k] - shift)
            stored = (*times, table.offset[k], table.size[k], bool(np.isin(k, keys)))
            if given != stored or packet.is_discard:
                return False
    return True


def _first_frame(container: InputContainer, stream: VideoStream) -> VideoFrame | None:
    container.seek(0, stream=stream, backward=True)
    stream.thread_count = 1
    for count, packet in enumerate(container.demux(stream)):
        # A damaged packet fails; the next one may not.
        with contextlib.suppress(av.FFmpegError):
            for frame in stream.decode(packet):
                return frame
        if count > _MAX_DELAY:
            break
    return None


def _index(
    path: Path,
    container: InputContainer,
    stream: VideoStream,
    table: Mp4Table,
    shift: int,
    frame: VideoFrame,
) -> VideoIndex:
    shown = shown_as(path, frame, stream)
    pts = np.sort(table.pts - shift)
    key_pts = table.pts[table.keyframe] - shift
    codec = stream.codec_context
    is_clean = np.ones(len(key_pts), np.bool_)
    if codec.name == "h264":
        is_clean = _closed(path, table, codec.extradata)
    return VideoIndex(
        path=path,
        codec=codec.codec.canonical_name,
        mode="pts",
        time_base=Fraction(1, table.timescale),
        pts=pts,
        key_pts=key_pts,
        key_dts=table.dts[table.keyframe] - shift,
        key_frame=np.searchsorted(pts, key_pts).astype(np.int64),
        key_packet=table.keyframe,
        key_is_clean=is_clean,
        key_lead=np.zeros(len(key_pts), np.int64),
        width=shown.width,
        height=shown.height,
        rotation=shown.rotation,
        findings=shown.findings,
        is_mirrored=shown.is_mirrored,
        container=container.format.name,
        packet_count=len(pts),
    )


def _closed(path: Path, table: Mp4Table, extradata: bytes | None) -> NDArray[np.bool_]:
    closed = np.zeros(len(table.keyframe), np.bool_)
    with path.open("rb") as handle:
        for key, sample in enumerate(table.keyframe):
            handle.seek(int(table.offset[sample]))
            data = handle.read(int(table.size[sample]))
            closed[key] = is_closed_keyframe(data, "h264", extradata)
    return closed
