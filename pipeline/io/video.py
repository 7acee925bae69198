"""Any frame of a video, exactly, as a picture ready to draw.

Frame ``i`` is the ``i``-th displayed frame of the file (:mod:`pipeline.io.video_index`).
"""

from __future__ import annotations

from pathlib import Path
from types import TracebackType

import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from pipeline.io.video_decode import FrameDecoder, ThreadType
from pipeline.io.video_index import VideoIndex, index_video

Image = NDArray[np.uint8]

# H.264 and HEVC hold back at most 16 pictures for reordering (max_dec_frame_buffering).
_MAX_REORDER = 16
# Median back-step is shortest with chunks of about 64 frames (measured for 16, 32, 64 and 125).
_CHUNK_FRAMES = 64
_MIN_KEPT = 4
# Decoding on over this many frames is not slower than seeking to a keyframe among them.
_SEEK_COST = 4


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
        self._keep_bytes = keep_bytes
        # Kept as decoded: 1.5 bytes per pixel instead of the 4 of a picture, so 2.7 times as many
        # frames per refill; converting one (1.5 ms at 1080 x 1920) is a fifth of decoding it.
        self._kept: dict[int, VideoFrame] = {}
        self._frame_bytes = max(1, self.index.width * self.index.height * 3 // 2)
        self._missing: set[int] = set()
        self._last_asked = -1

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
        self._kept.clear()
        for decoder in self._decoders.values():
            decoder.close()

    def get(self, frame: int) -> Image | None:
        """The ``frame``-th displayed frame.

        Returns
        -------
        (height, width, 4) uint8 array, or None
            Blue, green, red, 255; C-contiguous, of the displayed size, and the caller's own.
            None where there is no such frame or it cannot be decoded.
        """
        if not 0 <= frame < self.index.frame_count or frame in self._missing:
            return None
        picture = self._kept.get(frame)
        if picture is None:
            picture = self._decode(frame)
        self._last_asked = frame
        if picture is None:
            self._missing.add(frame)
            return None
        return _bgra(picture, self.index.rotation)

    def suspect(self, frame: int) -> bool:
        """Whether a frame already asked for may show wrong content.

        True for a damaged frame that FFmpeg patched with older content, and for those that
        follow a decoding error, up to the next keyframe. Codings without redundancy, such as
        VP9, give no sign of damage.
        """
        return frame in self._suspects

    def _decode(self, frame: int) -> VideoFrame | None:
        first = frame
        if 0 < self._last_asked - frame <= self._chunk_frames:
            first = max(0, frame - self._chunk_frames + 1)
        keyframe = self.index.keyframe_before(frame)
        if self._continues_to(frame, keyframe):
            picture = self._decode_on(frame, first)
            if picture is not None:
                return picture
        # From a recovery point that is not an instantaneous refresh the picture may need some
        # frames to build up; then the keyframe before it leads there.
        for start in dict.fromkeys((keyframe, max(0, keyframe - 1))):
            is_strict = bool(self.index.key_is_clean[start])
            picture = self._decode_from(start, frame, first, is_strict=is_strict)
            if picture is not None:
                return picture
        picture = self._decode_from(keyframe, frame, first, is_strict=False)
        if picture is not None:
            self._decoder.distrust()
            # Pictures fed ahead of this one are not known by number, but are no more than these.
            ahead = frame + _MAX_REORDER
            self._suspects.update(range(frame, min(ahead, self._end_of_group(keyframe))))
        return picture

    def _end_of_group(self, keyframe: int) -> int:
        starts = self.index.key_frame
        return int(starts[keyframe + 1]) if keyframe + 1 < len(starts) else self.index.frame_count

    def _decode_from(
        self, keyframe: int, frame: int, first: int, *, is_strict: bool
    ) -> VideoFrame | None:
        self._decoder = self._switched(is_strict)
        self._decoder.start(keyframe)
        return self._decode_on(frame, first)

    def _switched(self, is_strict: bool) -> FrameDecoder:
        if is_strict not in self._decoders:
            self._decoders[is_strict] = FrameDecoder(
                self.index, *self._threads, is_strict=is_strict, suspects=self._suspects
            )
        return self._decoders[is_strict]

    def _continues_to(self, frame: int, keyframe: int) -> bool:
        decoder = self._decoder
        position = decoder.position
        if position < 0 or decoder.has_ended or frame <= position:
            return False
        if keyframe != decoder.keyframe and not decoder.is_strict:
            # Back to strictness after damage, where a clean start allows it.
            return not bool(self.index.key_is_clean[keyframe])
        return position >= int(self.index.key_frame[keyframe]) - _SEEK_COST

    def _decode_on(self, frame: int, first: int) -> VideoFrame | None:
        decoder = self._decoder
        while not decoder.has_ended and decoder.position < frame + _MAX_REORDER:
            for number, picture in decoder.step(skip_before=first):
                self._keep(number, picture, around=frame)
            if frame in self._kept:
                return self._kept[frame]
        return None

    @property
    def _chunk_frames(self) -> int:
        return max(_MIN_KEPT, min(_CHUNK_FRAMES, self._keep_bytes // self._frame_bytes))

    def _keep(self, number: int, picture: VideoFrame, around: int) -> None:
        self._kept[number] = picture
        self._frame_bytes = max(1, sum(plane.buffer_size for plane in picture.planes))
        while len(self._kept) > self._chunk_frames:
            del self._kept[max(self._kept, key=lambda kept: abs(kept - around))]


def _bgra(picture: VideoFrame, rotation: int) -> Image:
    # One thread: with several, swscale's slices overwrite the first pixels of each other's rows
    # where the width is not a multiple of 16 (seen at 1080 x 1920).
    image = np.asarray(picture.to_ndarray(format="bgra", threads=1), np.uint8)
    if any(part.is_alpha for part in picture.format.components):
        image[..., 3] = 255
    # Rows are padded where FFmpeg's alignment wants it.
    return np.ascontiguousarray(np.rot90(image, -rotation // 90) if rotation else image)
