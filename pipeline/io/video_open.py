"""Opening a video file, or saying in one sentence why it cannot be opened."""

from __future__ import annotations

import os
from pathlib import Path

import av
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from pipeline.data.errors import UserError

# FFmpeg "plays" text files as a teletype and single pictures as a video of one frame.
_NOT_VIDEO_FORMATS = ("tty", "image2", "_pipe")


def open_container(path: Path) -> tuple[InputContainer, VideoStream]:
    """Open a video file and its main video stream; the caller closes the container.

    Raises
    ------
    UserError
        One sentence naming the file and the cause: missing, a folder, not readable, empty, not a
        video, no video stream, unknown codec, or an MP4 cut off before its table of frames.
    """
    if not path.exists():
        raise UserError(f"{path}: the video file does not exist.")
    if path.is_dir():
        raise UserError(f"{path}: this is a folder, not a video file.")
    if not path.is_file():
        raise UserError(f"{path}: this is not a regular file.")
    try:
        with path.open("rb") as file:
            head = file.read(12)
    except OSError as error:
        raise UserError(f"{path}: the video file cannot be read ({error.strerror}).") from error
    if not head:
        raise UserError(f"{path}: the video file is empty (0 bytes).")
    return _open(path, head)


def is_readable(path: Path) -> bool:
    """Whether a file can be read at this moment, up to its last byte."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - 1))
            return len(file.read(1)) == 1
    except OSError:
        return False


def _open(path: Path, head: bytes) -> tuple[InputContainer, VideoStream]:
    try:
        # Local files only: a playlist in disguise must not make FFmpeg open network addresses.
        # An absolute path, so that a name such as "take:1.mp4" is not read as a protocol.
        container = av.open(str(path.absolute()), options={"protocol_whitelist": "file"})
    except (av.FFmpegError, OSError, ValueError) as error:
        if head[4:8] == b"ftyp" and not _has_moov(path):
            raise UserError(
                f"{path}: the video is cut off; its table of frames (moov), which stands at the"
                " end of the file, is missing."
            ) from error
        raise UserError(f"{path}: this is not a video file that FFmpeg can read.") from error
    try:
        return container, _main_stream(path, container)
    except UserError:
        container.close()
        raise


def _main_stream(path: Path, container: InputContainer) -> VideoStream:
    if any(name in container.format.name for name in _NOT_VIDEO_FORMATS):
        raise UserError(f"{path}: this is not a video file.")
    streams = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
    if not streams:
        raise UserError(f"{path}: the file holds no video stream.")
    stream = max(streams, key=lambda s: bool(s.disposition & Disposition.default))
    if stream.codec_context is None:
        raise UserError(f"{path}: the video's coding is not known to FFmpeg.")
    return stream


def _has_moov(path: Path) -> bool:
    """Whether one of the top-level boxes of an ISO base media file (ISO/IEC 14496-12) is moov."""
    end = path.stat().st_size
    position = 0
    with path.open("rb") as file:
        while position + 8 <= end:
            file.seek(position)
            header = file.read(16)
            if header[4:8] == b"moov":
                return position + int.from_bytes(header[:4], "big") <= end
            size = int.from_bytes(header[:4], "big")
            if size == 1:  # 64-bit size follows the type
                size = int.from_bytes(header[8:16], "big")
            if size < 8:  # 0: the box reaches to the end of the file; others are damage
                return False
            position += size
    return False
