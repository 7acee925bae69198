"""Decoding a video from one of its keyframes on, each picture coming out with its frame number."""

from __future__ import annotations

import contextlib
import errno
from collections import deque
from collections.abc import Iterator
from typing import Literal

import av
import numpy as np
from av.container import InputContainer
from av.packet import Packet
from av.video.frame import PictureType, VideoFrame
from av.video.stream import VideoStream

from pipeline.io.video_bitstream import has_hole
from pipeline.io.video_frames import NO_TIMESTAMP, VideoIndex
from pipeline.io.video_open import open_container

ThreadType = Literal["SLICE", "FRAME", "AUTO"]

# In H.264 a picture with nal_ref_idc 0 is referred to by none. HEVC's "sub-layer non-reference"
# pictures, which FFmpeg skips by the same option, may be referred to by higher temporal layers.
_CODECS_WITH_SKIPPING = ("h264",)


class FrameDecoder:
    """A position in a video that only moves forward, from a keyframe given to :meth:`start`.

    ``keyframe`` is that keyframe, ``position`` the last displayed frame that came out (-1: none).
    ``met_os_error``: reading failed in a way that may have nothing to do with the file's content,
    such as on a network share that is away. (Demuxers say the same of some files that are cut off.)

    Parameters
    ----------
    index : VideoIndex
        The file's index.
    thread_type, thread_count
        FFmpeg's decoding threads.
    is_strict : bool
        Damaged pictures fail. Otherwise FFmpeg patches most of them with older content, without a
        mark; but from a keyframe that is no clean start (``VideoIndex.key_is_clean``),
        strictness fails sound pictures, too.
    suspects : set of int
        Kept up to date: displayed frames that a decoding error came before, in stored order,
        since the last keyframe.
    """

    def __init__(
        self,
        index: VideoIndex,
        thread_type: ThreadType,
        thread_count: int,
        *,
        is_strict: bool,
        suspects: set[int],
    ) -> None:
        self._index = index
        self.is_strict = is_strict
        self._thread_type = thread_type
        self._thread_count = thread_count
        self._recent: deque[int] = deque(maxlen=thread_count if thread_type != "SLICE" else 1)
        self._seek_attempt = 0
        self._suspects = suspects
        self.met_os_error = False
        self._open()

    def _open(self) -> None:
        self._container: InputContainer
        self._stream: VideoStream
        self._container, self._stream = open_container(self._index.path)
        self._stream.thread_type = self._thread_type
        self._stream.thread_count = self._thread_count
        if self.is_strict:
            self._stream.codec_context.options = {"err_detect": "explode+crccheck"}
        self._reorder_depth = self._stream.codec_context.reorder_depth
        self._packets: Iterator[Packet[VideoStream]] = iter(())
        self._reset(0)

    def _reset(self, keyframe: int) -> None:
        self.keyframe = keyframe
        self.position = -1
        self.has_ended = False
        self._first = int(self._index.key_frame[keyframe])
        self._next_output = self._first  # ordinal mode: the number of the next picture
        self._next_input = self._first  # ordinal mode: the number of the next packet
        self._lead = int(self._index.key_lead[keyframe])  # ordinal mode: packets to leave out
        self._key_pts: int | None = None  # pts mode: while pictures shown before it are stored
        self._is_at_start = True
        self._is_damaged = False
        self._was_damaged = False
        self._is_count_lost = False
        self._recent.clear()

    def close(self) -> None:
        """Close the file; may be called twice."""
        self._container.close()

    def start(self, keyframe: int) -> None:
        """Move to a keyframe (position in the index's ``key_*`` arrays)."""
        packet = self._seek(keyframe)
        if packet is None:
            packet = self._read_from_start(keyframe)
        # A seek resets what the decoder has learnt about reordering, and it would then drop
        # pictures of B pyramids as coming too late.
        self._stream.codec_context.reorder_depth = self._reorder_depth
        self._reset(keyframe)
        if packet is None:
            self.has_ended = True
        else:
            self._packets = _chained(packet, self._packets)

    def _seek(self, keyframe: int) -> Packet[VideoStream] | None:
        """The keyframe's packet, found by a seek; None where none of the container's seeks hits."""
        index = self._index
        wanted = (index.key_pts if index.mode == "pts" else index.key_dts)[keyframe]
        if wanted == NO_TIMESTAMP:
            return None
        # By pts first: by dts, an edit list shifts the seek to one keyframe too early. Transport
        # streams, cut at any packet, need dts, and some files an earlier start.
        earlier = index.key_dts[max(keyframe - 1, 0)]
        targets = [index.key_pts[keyframe], index.key_dts[keyframe], earlier]
        for attempt in sorted(range(len(targets)), key=lambda k: k != self._seek_attempt):
            if targets[attempt] == NO_TIMESTAMP:
                continue
            packet = self._seek_to(int(targets[attempt]), int(wanted))
            if packet is not None:
                self._seek_attempt = attempt
                return packet
        return None

    def _seek_to(self, target: int, wanted: int) -> Packet[VideoStream] | None:
        try:
            self._container.seek(target, stream=self._stream, backward=True)
        except av.FFmpegError as error:
            self._note(error)
            return None
        self._packets = self._container.demux(self._stream)
        with self._noting():
            for packet in self._packets:
                if not packet.is_keyframe:
                    continue
                stamp = packet.pts if self._index.mode == "pts" else packet.dts
                if stamp == wanted:
                    return packet
                if stamp is None or stamp > wanted:
                    return None
        return None

    def _read_from_start(self, keyframe: int) -> Packet[VideoStream] | None:
        """The keyframe's packet by counting packets from the file's first one."""
        self._container.close()
        self._open()
        self._packets = self._container.demux(self._stream)
        wanted = int(self._index.key_packet[keyframe])
        with self._noting():
            for count, packet in enumerate(p for p in self._packets if p.size):
                if count == wanted:
                    return packet
        return None

    def _note(self, error: av.FFmpegError) -> None:
        # A seek that finds no place fails with EPERM: FFmpeg's functions return -1 then.
        self.met_os_error |= isinstance(error, OSError) and error.errno != errno.EPERM

    @contextlib.contextmanager
    def _noting(self) -> Iterator[None]:
        try:
            yield
        except av.FFmpegError as error:
            self._note(error)

    def distrust(self) -> None:
        """Count what is decoded from here to the next keyframe as suspect."""
        self._is_damaged = True

    def forget(self) -> None:
        """Be nowhere, so that the next frame is decoded from a keyframe."""
        self.position = -1

    def keyframe_only(self, keyframe: int) -> VideoFrame | None:
        """The picture of a keyframe alone; None where it is none or damaged.

        Leaves the decoder nowhere, to be started anew.
        """
        self.start(keyframe)
        packet = self._next_packet()
        pictures = []
        # A damaged keyframe fails; that there is no picture then says so.
        with self._noting():
            pictures += self._stream.decode(packet)
        with self._noting():
            pictures += self._stream.decode(None)  # without waiting for those it is reordered with
        self.has_ended = True
        self.forget()
        for picture in pictures:
            # A recovery point of a gradual refresh is no whole picture.
            if picture.pict_type == PictureType.I and not picture.is_corrupt:
                return picture
        return None

    def step(self, skip_before: int) -> list[tuple[int, VideoFrame]]:
        """Decode one packet; the pictures that came out, each with its frame number.

        Parameters
        ----------
        skip_before : int
            Displayed frames before this one are not wanted: what no other picture refers to is
            not decoded.

        Returns
        -------
        list of (int, VideoFrame)
            At the end of the file the decoder's last pictures, and ``has_ended`` is set.
        """
        packet = self._next_packet()
        if packet is None:
            return self._outputs(None)
        is_lead = self._is_lead(packet)
        frame = self._frame_of(packet)
        if is_lead and self._is_at_start and (frame is None or frame < self._first):
            return []  # refers to pictures from before the start
        if frame is not None:
            self._recent.append(frame)
        self._set_skipping(frame is not None and frame < skip_before)
        self._is_damaged |= packet.is_corrupt or self._has_hole(packet)
        outputs = self._outputs(packet)
        if self._is_damaged or (is_lead and self._was_damaged):
            self._suspects.update(self._recent)
        elif frame is not None and self.is_strict:
            self._suspects.discard(frame)
        return outputs

    def _has_hole(self, packet: Packet[VideoStream]) -> bool:
        codec = self._stream.codec_context
        return has_hole(bytes(packet), self._index.codec, codec.extradata)

    def _is_lead(self, packet: Packet[VideoStream]) -> bool:
        """Whether a packet is stored after the last keyframe, but shown before it."""
        if packet.is_keyframe:
            self._is_at_start = self._key_pts is None and self._is_at_start
            self._was_damaged = self._is_damaged
            self._is_damaged = False
            self._key_pts = packet.pts if self._index.mode == "pts" else None
            return False
        if self._key_pts is None or packet.pts is None or packet.pts > self._key_pts:
            self._key_pts = None
            self._is_at_start = False
            return False
        return True

    def _next_packet(self) -> Packet[VideoStream] | None:
        try:
            for packet in self._packets:
                if packet.size == 0:
                    continue
                if self._lead and not packet.is_keyframe:
                    self._lead -= 1
                    continue
                return packet
        except av.FFmpegError as error:
            self._note(error)
            # The index ends where reading stops, too.
            self._packets = iter(())
        self.has_ended = True
        return None

    def _frame_of(self, packet: Packet[VideoStream]) -> int | None:
        """The frame number that a packet will show as; by stored order in ordinal mode."""
        if self._index.mode == "pts":
            return self._index.frame_of(packet.pts)
        frame = self._next_input
        self._next_input += not packet.is_discard
        packet.pts = frame  # comes out with the picture
        return frame

    def _set_skipping(self, is_skipping: bool) -> None:
        codec = self._stream.codec_context
        if self._index.mode == "pts" and codec.name in _CODECS_WITH_SKIPPING:
            wanted: Literal["NONREF", "DEFAULT"] = "NONREF" if is_skipping else "DEFAULT"
            if codec.skip_frame != wanted:
                codec.skip_frame = wanted

    def _outputs(self, packet: Packet[VideoStream] | None) -> list[tuple[int, VideoFrame]]:
        try:
            pictures = self._stream.decode(packet)
        except av.FFmpegError:
            self._is_damaged = True
            self._is_count_lost = True
            return []
        numbered = []
        for picture in pictures:
            frame = self._number(picture)
            if frame is not None and frame >= self._first:
                self.position = max(self.position, frame)
                numbered.append((frame, picture))
        return numbered

    def _number(self, picture: VideoFrame) -> int | None:
        index = self._index
        if index.mode == "pts":
            return index.frame_of(picture.pts)
        stored = picture.pts
        if self._reorder_depth == 0:  # shown in stored order
            return stored
        if stored is not None and self._is_count_lost:
            # After a picture was lost, counting holds again from the next keyframe on.
            key = int(np.searchsorted(index.key_frame, stored))
            if key < len(index.key_frame) and index.key_frame[key] == stored:
                self._next_output = stored
                self._is_count_lost = False
        if self._is_count_lost:
            return None
        frame = self._next_output
        self._next_output += 1
        return frame if frame < index.frame_count else None


def _chained(
    first: Packet[VideoStream], rest: Iterator[Packet[VideoStream]]
) -> Iterator[Packet[VideoStream]]:
    yield first
    yield from rest
