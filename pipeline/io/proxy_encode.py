"""Making one segment of a proxy: a small, quickly sought copy of some frames of a video."""

from __future__ import annotations

import contextlib
import os
import time
import uuid
from collections.abc import Callable, Generator
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from av.container import OutputContainer
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange
from av.video.stream import VideoStream

from pipeline.data.errors import UserError
from pipeline.io.atomic import sync_to_disk
from pipeline.io.image_sequence import ImageSequenceReader
from pipeline.io.proxy_sidecar import SegmentFacts, facts_as_text, sidecar_of
from pipeline.io.proxy_store import proxy_key, proxy_size
from pipeline.io.video import Interrupted
from pipeline.io.video_index import VideoIndex
from pipeline.io.video_picture import Image, upright
from pipeline.io.video_reader import FrameReader, open_video

GROUP = 10
"""A keyframe every this many frames: a random one costs 4 ms, at a fifth of an all-intra's size."""

# Options by coding, the first that this FFmpeg can write is taken. No B frames and no loop filter:
# what is decoded most often is decoded fastest.
_CODINGS = {
    "libx264": {
        "preset": "ultrafast",
        "tune": "fastdecode",
        "crf": "23",
        "x264-params": f"keyint={GROUP}:min-keyint={GROUP}:scenecut=0:bframes=0:threads=1",
    },
    "mjpeg": {"qmin": "4", "qmax": "4"},
}
# A request to stop is heard at least this often, in seconds.
_PATIENCE = 0.1
# Kept while going forward: no more than what reordering hands over at once.
_KEEP_BYTES = 16 << 20
_PLANAR = ("yuv420p", "yuvj420p")

Progress = Generator[float, None, None]


def encode_segment(
    path: Path,
    index: VideoIndex,
    start: int,
    stop: int,
    out: Path,
    should_stop: Callable[[], bool] | None = None,
    *,
    reader: FrameReader | None = None,
) -> Progress:
    """Write frames ``start`` to ``stop`` of a video as a segment, frame by frame, and its facts.

    Parameters
    ----------
    path : Path
        The video.
    index : VideoIndex
        Its index.
    start, stop : int
        First displayed frame, and the one after the last.
    out : Path
        The segment, which takes its place whole or not at all; its folder is made.
    should_stop : callable, optional
        Asked before each packet. Once it is true nothing is written and the generator ends.
    reader : FrameReader, optional
        To read from; by going on from segment to segment it need not seek.

    Yields
    ------
    float
        Share of the frames done, about every tenth of a second, so that closing the generator
        stops the work as fast.

    Raises
    ------
    UserError
        The segment cannot be written, or the video cannot be opened, or not all along the way: a
        disk that was gone for a moment must not leave frames without a picture for good.
    """
    if not 0 <= start < stop <= index.frame_count:
        raise ValueError(f"no frames {start} to {stop} in a video of {index.frame_count}")
    own = open_video(path, index, keep_bytes=_KEEP_BYTES) if reader is None else reader
    part = out.with_name(f".{out.name}.{uuid.uuid4().hex[:8]}.part")
    try:
        key = proxy_key(path)
        out.parent.mkdir(parents=True, exist_ok=True)
        segment = _Writer(part, index)
        try:
            is_whole = yield from _copy(own, segment, start, stop, should_stop)
        finally:
            segment.close()
        if not is_whole:
            return
        if segment.n_packets != stop - start:
            raise RuntimeError(f"{segment.n_packets} packets for frames {start} to {stop}")
        facts = segment.facts(start, stop, own)
        if proxy_key(path) != key or _can_be_had(path, index, facts.missing):
            raise UserError(
                f"{path}: the video was replaced, or could not be read for a while, while its"
                " proxy was made."
            )
        sync_to_disk(part)
        _put_in_place(part, out, facts)
    except (OSError, av.FFmpegError) as error:
        raise UserError(f"{out} could not be written ({error.strerror or error}).") from error
    finally:
        # Gone if all went well; what cannot be removed is swept up later.
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        if reader is None:
            own.close()


def _can_be_had(path: Path, index: VideoIndex, missing: tuple[int, ...]) -> bool:
    """Whether frames that had no picture have one after all, by a few of them."""
    if not missing:
        return False
    with open_video(path, index, keep_bytes=_KEEP_BYTES) as reader:
        some = {missing[0], missing[len(missing) // 2], missing[-1]}
        return any(reader.get(frame) is not None for frame in sorted(some))


def _put_in_place(part: Path, out: Path, facts: SegmentFacts) -> None:
    # The facts first: a segment is there when its video file is.
    temporary = part.with_suffix(".facts")
    try:
        temporary.write_text(facts_as_text(facts), encoding="ascii")
        os.replace(temporary, sidecar_of(out))
    finally:
        temporary.unlink(missing_ok=True)
    os.replace(part, out)


def _copy(
    reader: FrameReader,
    segment: _Writer,
    start: int,
    stop: int,
    should_stop: Callable[[], bool] | None,
) -> Generator[float, None, bool]:
    """Whether all frames were copied; not so if it was to stop."""
    told = time.monotonic()
    for frame in range(start, stop):
        while True:
            due = told + _PATIENCE

            def is_due(due: float = due) -> bool:
                return time.monotonic() >= due or (should_stop is not None and should_stop())

            try:
                image = _small(reader, frame, segment.size, is_due)
                break
            except Interrupted:
                if should_stop is not None and should_stop():
                    return False
                yield (frame - start) / (stop - start)
                told = time.monotonic()
        segment.add(frame, image)
    segment.finish()
    yield 1.0
    return True


def _small(
    reader: FrameReader, frame: int, size: tuple[int, int], should_stop: Callable[[], bool]
) -> VideoFrame | None:
    """A frame of the proxy's size, upright; None where the video has no picture."""
    if isinstance(reader, ImageSequenceReader):
        if should_stop():
            raise Interrupted
        image = reader.get(frame)
        if image is None:
            return None
        small = _shrunk(image[..., :3], *size)
        return VideoFrame.from_ndarray(small, "bgr24").reformat(format="yuv420p", threads=1)
    picture = reader.decoded(frame, should_stop)
    if picture is None:
        return None
    index = reader.index
    if picture.format.name not in _PLANAR:
        picture = picture.reformat(format="yuv420p", threads=1)
    turned = index.rotation in (90, 270)
    width, height = size[::-1] if turned else size
    planes = []
    for plane, (w, h) in zip(
        picture.planes, ((width, height), *2 * [(width // 2, height // 2)]), strict=True
    ):
        # Each plane by itself: FFmpeg's own scaler takes three times as long.
        stored = np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)
        small = _shrunk(stored[:, : plane.width], w, h)
        planes.append(upright(small, index.rotation, index.is_mirrored))
    return _frame_of(planes, picture)


def _shrunk(image: Image, width: int, height: int) -> Image:
    # By halves first, then linearly: averaging over areas that are not whole pixels takes eight
    # times as long (7.9 instead of 1.0 ms from 1000 x 1000 to 720 x 720).
    while image.shape[1] >= 2 * width and image.shape[0] >= 2 * height:
        half = (image.shape[1] // 2, image.shape[0] // 2)
        even = np.ascontiguousarray(image[: 2 * half[1], : 2 * half[0]])
        image = np.asarray(cv2.resize(even, half, interpolation=cv2.INTER_AREA), np.uint8)
    small = cv2.resize(image, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(small, np.uint8)


def _frame_of(planes: list[Image], like: VideoFrame) -> VideoFrame:
    height, width = planes[0].shape
    joined = np.concatenate([plane.ravel() for plane in planes]).reshape(height * 3 // 2, width)
    # "yuvj420p" is yuv420p with its range said in the name.
    frame = VideoFrame.from_ndarray(joined, "yuv420p")
    frame.color_range = ColorRange.JPEG if like.format.name == "yuvj420p" else like.color_range
    frame.colorspace = like.colorspace
    return frame


class _Writer:
    """A segment being written."""

    def __init__(self, path: Path, index: VideoIndex) -> None:
        self.size = proxy_size(index)
        self.n_packets = 0
        self._missing: list[int] = []
        self._waiting = 0  # frames without a picture before the first one that has one
        self._last: VideoFrame | None = None
        self._n_frames = 0
        rate = Fraction(index.fps or 25).limit_denominator(1001)
        self._rate = rate if rate > 0 else Fraction(25)
        self._container: OutputContainer = av.open(str(path), "w", format="mp4")
        self._stream: VideoStream | None = None

    def _open(self, like: VideoFrame) -> VideoStream:
        coding = next(name for name in _CODINGS if name in av.codecs_available)
        stream = self._container.add_stream(coding, self._rate, options=_CODINGS[coding])
        if not isinstance(stream, VideoStream):
            raise RuntimeError(f"{coding} is no coding of videos")
        stream.width, stream.height = self.size
        codec = stream.codec_context
        codec.time_base = 1 / self._rate
        codec.thread_count = 1
        codec.max_b_frames = 0
        is_jpeg = coding == "mjpeg"
        codec.gop_size = 1 if is_jpeg else GROUP
        stream.pix_fmt = "yuvj420p" if is_jpeg else "yuv420p"
        codec.color_range = ColorRange.JPEG if is_jpeg else like.color_range
        codec.colorspace = like.colorspace
        return stream

    def add(self, frame: int, picture: VideoFrame | None) -> None:
        """Write a frame; without a picture the last one again."""
        if picture is None:
            self._missing.append(frame)
            picture = self._last
            if picture is None:
                self._waiting += 1
                return
        if self._stream is None:
            self._stream = self._open(picture)
        for _ in range(self._waiting + 1):
            self._encode(picture)
        self._waiting = 0
        self._last = picture

    def finish(self) -> None:
        """Write what is held back; the file is whole after :meth:`close`."""
        if self._waiting:  # no frame has a picture
            width, height = self.size
            self._waiting -= 1
            black = np.zeros((height, width, 3), np.uint8)
            missing = self._missing.copy()
            self.add(-1, VideoFrame.from_ndarray(black, "bgr24").reformat(format="yuv420p"))
            self._missing = missing
        if self._stream is not None:
            self._mux(self._stream.encode(None))

    def _encode(self, picture: VideoFrame) -> None:
        if self._stream is None:
            raise RuntimeError("no stream to write to")
        picture.pts = self._n_frames
        picture.time_base = 1 / self._rate
        self._n_frames += 1
        self._mux(self._stream.encode(picture))

    def _mux(self, packets: list[av.Packet]) -> None:
        for packet in packets:
            self.n_packets += 1
            self._container.mux(packet)

    def facts(self, start: int, stop: int, reader: FrameReader) -> SegmentFacts:
        """What is to be known of the segment."""
        if self._stream is None:
            raise RuntimeError("an empty segment has no facts")
        codec = self._stream.codec_context
        return SegmentFacts(
            start,
            stop,
            "mjpeg" if codec.name == "mjpeg" else "h264",
            codec.gop_size,
            tuple(self._missing),
            tuple(frame for frame in range(start, stop) if reader.suspect(frame)),
        )

    def close(self) -> None:
        """Write the table of frames and close the file."""
        self._container.close()
