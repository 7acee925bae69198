"""One way to open whatever shows the frames of a view: a video file or numbered pictures."""

from __future__ import annotations

from pathlib import Path

from pipeline.io.image_files import is_image_sequence
from pipeline.io.image_sequence import ImageSequenceReader
from pipeline.io.video import VideoReader
from pipeline.io.video_decode import ThreadType
from pipeline.io.video_index import VideoIndex

FrameReader = VideoReader | ImageSequenceReader


def open_video(
    path: Path,
    index: VideoIndex | None = None,
    *,
    thread_type: ThreadType = "SLICE",
    thread_count: int = 1,
    keep_bytes: int = 128 << 20,
) -> FrameReader:
    """A reader of a video file, or of a folder or pattern of numbered pictures.

    The parameters are those of :class:`pipeline.io.video.VideoReader`.

    Raises
    ------
    UserError
        One sentence naming the file and the cause, where no frame can be had.
    """
    if is_image_sequence(path):
        return ImageSequenceReader(path, index)
    return VideoReader(
        path, index, thread_type=thread_type, thread_count=thread_count, keep_bytes=keep_bytes
    )
