"""Any frame of a video from its proxy, where there is one."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

import av
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame

from pipeline.io.mp4_table import IntArray, h264_header, read_table
from pipeline.io.proxy_sidecar import SegmentFacts, read_facts
from pipeline.io.proxy_store import ProxyStore, segment_of, segment_range
from pipeline.io.video_index import VideoIndex
from pipeline.io.video_picture import Image, bgra

# Tables of so many segments are held: 8 KB each.
_MAX_TABLES = 32


@dataclass(frozen=True, slots=True, eq=False)
class _Segment:
    """An opened segment; its file is not held open, so that it can be deleted at any time."""

    path: Path
    facts: SegmentFacts
    header: bytes
    offset: IntArray
    size: IntArray


class ProxyReader:
    """Random access to a video's proxy, from one thread only.

    Parameters
    ----------
    store : ProxyStore
        Where its segments lie; those made later are seen as soon as they are there.
    key : str
        What they are known by (:func:`pipeline.io.proxy_store.proxy_key`).
    index : VideoIndex
        The video's index.
    """

    def __init__(self, store: ProxyStore, key: str, index: VideoIndex) -> None:
        self._store = store
        self._key = key
        self._index = index
        self._segments: OrderedDict[int, _Segment] = OrderedDict()
        self._codec: tuple[tuple[str, bytes], VideoCodecContext] | None = None
        # The group of pictures decoded last: (segment, its number there), and its pictures so far.
        self._group: tuple[int, int] = (-1, -1)
        self._pictures: list[VideoFrame] = []

    def has(self, frame: int) -> bool:
        """Whether the segment of a frame is there (the frame may still be one without picture)."""
        if not 0 <= frame < self._index.frame_count:
            return False
        segment = segment_of(frame)
        return segment in self._segments or self._store.has(self._key, segment)

    def get(self, frame: int) -> Image | None:
        """(height, width, 4) BGRA of the proxy's size, the caller's own; None where not had."""
        segment = self._segment(frame)
        if segment is None or frame in segment.facts.missing:
            return None
        position = frame - segment.facts.start
        try:
            picture = self._decoded(segment_of(frame), segment, position)
        except (OSError, av.FFmpegError):  # deleted or damaged: the video itself is there
            self._forget(frame, segment)
            return None
        return bgra(picture)

    def suspect(self, frame: int) -> bool:
        """Whether the video's frame may show wrong content (damage), as told when it was made."""
        segment = self._segment(frame)
        return segment is not None and frame in segment.facts.suspect

    def undecodable(self, frame: int) -> bool:
        """Whether the frame is known not to be decodable; then the video has no picture either."""
        segment = self._segment(frame)
        return segment is not None and frame in segment.facts.missing

    def close(self) -> None:
        """Let go of everything; may be called twice."""
        self._segments.clear()
        self._pictures.clear()
        self._group = (-1, -1)
        self._codec = None

    def _segment(self, frame: int) -> _Segment | None:
        if not 0 <= frame < self._index.frame_count:
            return None
        number = segment_of(frame)
        known = self._segments.get(number)
        if known is not None:
            self._segments.move_to_end(number)
            return known
        if not self._store.has(self._key, number):
            return None
        path = self._store.segment_path(self._key, number)
        opened = self._opened(path, number)
        if opened is None:
            # Damaged, or half of another version's: it is made anew.
            self._store.delete_segment(self._key, number)
            return None
        self._store.touch(self._key, number)
        self._segments[number] = opened
        while len(self._segments) > _MAX_TABLES:
            self._segments.popitem(last=False)
        return opened

    def _opened(self, path: Path, number: int) -> _Segment | None:
        try:
            facts = read_facts(path)
            table = read_table(path)
        except (OSError, ValueError):
            return None
        wanted = segment_range(number, self._index.frame_count)
        if table is None or (facts.start, facts.stop) != wanted:
            return None
        if len(table.offset) != facts.stop - facts.start:
            return None
        return _Segment(path, facts, h264_header(table), table.offset, table.size)

    def _forget(self, frame: int, segment: _Segment) -> None:
        del self._segments[segment_of(frame)]
        self._group = (-1, -1)
        if segment.path.exists():
            self._store.delete_segment(self._key, segment_of(frame))

    def _decoded(self, number: int, segment: _Segment, position: int) -> VideoFrame:
        group, within = divmod(position, segment.facts.group)
        if self._group != (number, group):
            self._group = (-1, -1)
            self._pictures.clear()
            self._begin(segment.facts.codec, segment.header)
            self._group = (number, group)
        if within >= len(self._pictures):
            first = group * segment.facts.group + len(self._pictures)
            self._decode(segment, first, position + 1)
        return self._pictures[within]

    def _begin(self, name: str, header: bytes) -> None:
        if self._codec is None or self._codec[0] != (name, header):
            codec = av.CodecContext.create(name, "r")
            if not isinstance(codec, VideoCodecContext):
                raise RuntimeError(f"{name} is no coding of videos")
            if header:
                codec.extradata = header
            codec.thread_count = 1
            self._codec = (name, header), codec
        else:
            self._codec[1].flush_buffers()

    def _decode(self, segment: _Segment, first: int, stop: int) -> None:
        if self._codec is None:
            raise RuntimeError("no decoder")
        codec = self._codec[1]
        with segment.path.open("rb") as handle:
            for position in range(first, stop):
                handle.seek(int(segment.offset[position]))
                packet = Packet(handle.read(int(segment.size[position])))
                # Without B frames a picture comes out for each packet that goes in.
                pictures = codec.decode(packet)
                if len(pictures) != 1:
                    raise av.InvalidDataError(0, f"{len(pictures)} pictures from one packet")
                self._pictures += pictures
