"""Any frame of a video, exactly, as a picture ready to draw.

Frame ``i`` is the ``i``-th displayed frame of the file (:mod:`pipeline.io.video_frames`).
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from pathlib import Path
from types import TracebackType
from typing import TypeVar

from av.video.frame import VideoFrame

from pipeline.io.video_decode import FrameDecoder, ThreadType
from pipeline.io.video_frames import Interrupted, VideoIndex
from pipeline.io.video_index import index_video
from pipeline.io.video_open import is_readable
from pipeline.io.video_picture import Image, bgra

__all__ = ["Image", "Interrupted", "VideoReader"]

T = TypeVar("T")
Steps = Generator[None, None, T]
"""Work that may be left off between any two of its steps, and gone on with."""

# H.264 and HEVC hold back at most 16 pictures for reordering (max_dec_frame_buffering).
_MAX_REORDER = 16
# Median back-step is shortest with chunks of about 64 frames (measured for 16, 32, 64 and 125).
_CHUNK_FRAMES = 64
_MIN_KEPT = 4
# Decoding on over this many frames is not slower than seeking to a keyframe among them.
_SEEK_COST = 4
# Earlier keyframes tried where one gives no whole picture (gradual refresh).
_KEYFRAMES_TRIED = 3


class VideoReader:
    """Random access to the displayed frames of one video file, from one thread only.

    Parameters
    ----------
    path : Path
        The video file.
    index : VideoIndex, optional
        Its index, if there is one already.
    thread_type, thread_count
        FFmpeg's decoding threads: one thread where several videos are shown side by side,
        ``"FRAME"`` with more where there is only one.
    keep_bytes : int
        Bound on the decoded frames kept around the last one, so that stepping back does not
        decode the same group of pictures again for each step.

    Raises
    ------
    UserError
        Where the file cannot be opened or indexed.
    """

    def __init__(
        self,
        path: Path,
        index: VideoIndex | None = None,
        *,
        thread_type: ThreadType = "SLICE",
        thread_count: int = 1,
        keep_bytes: int = 128 << 20,
    ) -> None:
        self.index = index_video(path) if index is None else index
        self._threads = (thread_type, thread_count)
        self._suspects: set[int] = set()
        self._decoders: dict[bool, FrameDecoder] = {}  # by strictness, opened when needed
        self._decoder = self._switched(is_strict=bool(self.index.key_is_clean[0]))
        self._snapper: FrameDecoder | None = None
        self._snap: tuple[int, VideoFrame] | None = None
        self._keep_bytes = keep_bytes
        # Kept as decoded: 1.5 bytes per pixel instead of the 4 of a picture, so 2.7 times as many
        # frames per refill; converting one (1.5 ms at 1080 x 1920) is a fifth of decoding it.
        self._kept: dict[int, VideoFrame] = {}
        self._frame_bytes = max(1, self.index.width * self.index.height * 3 // 2)
        self._missing: set[int] = set()
        self._last_asked = -1
        # What was interrupted, by what it was for.
        self._work: tuple[tuple[str, int], Steps[VideoFrame | None]] | None = None

    def __enter__(self) -> VideoReader:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; may be called twice."""
        self._drop_work()
        self._kept.clear()
        self._snap = None
        self._close_decoders()

    def get(self, frame: int, should_stop: Callable[[], bool] | None = None) -> Image | None:
        """The ``frame``-th displayed frame.

        Parameters
        ----------
        frame : int
            Displayed frame.
        should_stop : callable, optional
            Asked before each packet that is decoded, so every few milliseconds; but for the
            first one when what was interrupted is asked for again.

        Returns
        -------
        (height, width, 4) uint8 array, or None
            Blue, green, red, 255; C-contiguous, of the displayed size, and the caller's own.
            None where there is no such frame or it cannot be decoded.

        Raises
        ------
        Interrupted
            ``should_stop`` returned true. The same frame asked for again goes on from there.
        UserError
            The file cannot be opened any more; asked again, it is tried again.
        """
        picture = self.decoded(frame, should_stop)
        return None if picture is None else self._upright(picture)

    def decoded(
        self, frame: int, should_stop: Callable[[], bool] | None = None
    ) -> VideoFrame | None:
        """As :meth:`get`, but as stored: neither turned nor converted."""
        if not 0 <= frame < self.index.frame_count or frame in self._missing:
            return None
        picture = self._kept.get(frame)
        if picture is None:
            first = frame
            if 0 < self._last_asked - frame <= self._chunk_frames:
                first = max(0, frame - self._chunk_frames + 1)
            picture = self._run(("get", frame), self._decode(frame, first, frame), should_stop)
            if picture is None and self._met_os_error():
                self._close_decoders()  # a share that was away: opened again, it may be there
                picture = self._run(("get", frame), self._decode(frame, first, frame), should_stop)
        self._last_asked = frame
        if picture is None:
            self._remember_missing(frame)
        return picture

    def _met_os_error(self) -> bool:
        return any(decoder.met_os_error for decoder in self._decoders.values())

    def _remember_missing(self, frame: int) -> None:
        """Only where it is the content that has no such frame, not the way to the file."""
        if not self._met_os_error() or is_readable(self.index.path):
            self._missing.add(frame)
        else:
            self._close_decoders()

    def _close_decoders(self) -> None:
        for decoder in (*self._decoders.values(), self._snapper):
            if decoder is not None:
                decoder.forget()
                decoder.close()
        self._decoders, self._snapper = {}, None

    def keyframe(self, frame: int) -> tuple[int, Image] | None:
        """The last keyframe at or before a frame, which is had much faster than the frame itself.

        Returns
        -------
        (int, (height, width, 4) uint8 array), or None
            Its frame number and picture. None where it is hidden by an edit list, or damaged.
        """
        key = self.index.keyframe_before(frame)
        for earlier in range(key, max(-1, key - _KEYFRAMES_TRIED), -1):
            number = self.index.keyframe_number(earlier)
            if number is None:
                continue
            picture = self._kept.get(number)
            if picture is None and self._snap is not None and self._snap[0] == number:
                picture = self._snap[1]
            if picture is None:
                picture = self._snapped(earlier)
            if picture is not None:
                self._snap = (number, picture)
                return number, self._upright(picture)
        return None

    def prefetch_before(self, frame: int, should_stop: Callable[[], bool] | None = None) -> None:
        """Decode frames before one ahead of time, so that stepping back does not wait for them.

        Does nothing while enough of them are there; meant to be called again and again in idle
        time. What was decoded before an interruption is kept.

        Raises
        ------
        Interrupted
            ``should_stop`` returned true.
        """
        lowest = min(frame, self.index.frame_count)
        while lowest > 0 and (lowest - 1 in self._kept or lowest - 1 in self._missing):
            lowest -= 1
        half = self._capacity // 2
        if lowest <= 0 or frame - lowest >= half:
            return
        target = lowest - 1
        first = max(0, lowest - min(half, _CHUNK_FRAMES))
        steps = self._decode(target, first, frame)
        if self._run(("before", target), steps, should_stop) is None:
            self._remember_missing(target)

    def suspect(self, frame: int) -> bool:
        """Whether a frame already asked for may show wrong content.

        True for a damaged frame that FFmpeg patched with older content, and for those that
        follow a decoding error, up to the next keyframe. VP8, VP9 and AV1 decode most damaged data
        without a sign; of that only parts that were zeroed are known.
        """
        return frame in self._suspects

    def _upright(self, picture: VideoFrame) -> Image:
        return bgra(picture, self.index.rotation, self.index.is_mirrored)

    def _run(
        self,
        purpose: tuple[str, int],
        steps: Steps[VideoFrame | None],
        should_stop: Callable[[], bool] | None,
    ) -> VideoFrame | None:
        # One step at least when asked again, so that however impatient a caller is, it arrives.
        is_asked_again = self._work is not None and self._work[0] == purpose
        if self._work is not None and is_asked_again:
            steps = self._work[1]
        else:
            self._drop_work()
        self._work = None
        while True:
            if not is_asked_again and should_stop is not None and should_stop():
                self._work = (purpose, steps)
                raise Interrupted
            is_asked_again = False
            try:
                next(steps)
            except StopIteration as end:
                picture: VideoFrame | None = end.value
                return picture
            except Exception:
                self._close_decoders()  # what could not be opened again must be, next time
                raise

    def _drop_work(self) -> None:
        if self._work is not None:
            self._work[1].close()
            self._work = None

    def _decode(self, frame: int, first: int, last: int) -> Steps[VideoFrame | None]:
        """Decode up to a frame; those from ``first`` to ``last`` are wanted, too."""
        keyframe = self.index.keyframe_before(frame)
        if self._continues_to(frame, keyframe):
            picture = yield from self._decode_on(frame, first, last)
            if picture is not None:
                return picture
        # From a recovery point that is not an instantaneous refresh the picture may need some
        # frames to build up; then the keyframe before it leads there.
        for start in dict.fromkeys((keyframe, max(0, keyframe - 1))):
            self._start(start, is_strict=bool(self.index.key_is_clean[start]))
            picture = yield from self._decode_on(frame, first, last)
            if picture is not None:
                return picture
        self._start(keyframe, is_strict=False)
        try:
            picture = yield from self._decode_on(frame, first, last)
        except GeneratorExit:
            self._decoder.forget()  # what comes next would not be marked
            raise
        if picture is not None:
            self._decoder.distrust()
            # Pictures fed ahead of this one are not known by number, but are no more than these.
            ahead = frame + _MAX_REORDER
            self._suspects.update(range(frame, min(ahead, self._end_of_group(keyframe))))
        return picture

    def _end_of_group(self, keyframe: int) -> int:
        starts = self.index.key_frame
        return int(starts[keyframe + 1]) if keyframe + 1 < len(starts) else self.index.frame_count

    def _start(self, keyframe: int, *, is_strict: bool) -> None:
        self._decoder = self._switched(is_strict)
        self._decoder.start(keyframe)

    def _switched(self, is_strict: bool) -> FrameDecoder:
        if is_strict not in self._decoders:
            self._decoders[is_strict] = FrameDecoder(
                self.index, *self._threads, is_strict=is_strict, suspects=self._suspects
            )
        return self._decoders[is_strict]

    def _snapped(self, keyframe: int) -> VideoFrame | None:
        if self._snapper is None:
            # Not the decoder in use: that one may be about to go on from where it is.
            self._snapper = FrameDecoder(self.index, "SLICE", 1, is_strict=False, suspects=set())
        picture = self._snapper.keyframe_only(keyframe)
        if picture is None and self._snapper.met_os_error:
            self._snapper.close()
            self._snapper = None
        return picture

    def _continues_to(self, frame: int, keyframe: int) -> bool:
        decoder = self._decoder
        position = decoder.position
        if position < 0 or decoder.has_ended or frame <= position:
            return False
        if keyframe != decoder.keyframe and not decoder.is_strict:
            # Back to strictness after damage, where a clean start allows it.
            return not bool(self.index.key_is_clean[keyframe])
        return position >= int(self.index.key_frame[keyframe]) - _SEEK_COST

    def _decode_on(self, frame: int, first: int, last: int) -> Steps[VideoFrame | None]:
        decoder = self._decoder
        while not decoder.has_ended and decoder.position < frame + _MAX_REORDER:
            for number, picture in decoder.step(skip_before=first):
                self._keep(number, picture, first if last > frame else frame, last)
            if frame in self._kept:
                return self._kept[frame]
            yield
        return None

    @property
    def _capacity(self) -> int:
        return max(_MIN_KEPT, min(2 * _CHUNK_FRAMES, self._keep_bytes // self._frame_bytes))

    @property
    def _chunk_frames(self) -> int:
        return min(_CHUNK_FRAMES, self._capacity)

    def _keep(self, number: int, picture: VideoFrame, low: int, high: int) -> None:
        """Keep a picture, dropping those farthest from ``low`` to ``high``."""
        self._kept[number] = picture
        self._frame_bytes = max(1, sum(plane.buffer_size for plane in picture.planes))
        while len(self._kept) > self._capacity:
            del self._kept[max(self._kept, key=lambda kept: max(low - kept, kept - high))]
