"""Numbered pictures (PNG, JPEG, TIFF ...) in a folder, read as one video: a frame per file."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from types import TracebackType

import cv2
import numpy as np

from pipeline.data.errors import Finding, UserError
from pipeline.io.image_files import IMAGE_SEQUENCE, image_files, picture_number
from pipeline.io.video_frames import VideoIndex
from pipeline.io.video_picture import Image


def index_images(path: Path) -> VideoIndex:
    """The index of a folder or pattern of pictures, of which only the first is read.

    Raises
    ------
    UserError
        There are no pictures, or the first one cannot be read.
    """
    files = image_files(path)
    if not files:
        raise UserError(f"{path}: there are no numbered pictures.")
    image = _read(files[0])
    if image is None:
        raise UserError(f"{files[0]}: the picture cannot be read.")
    n_frames = len(files)
    frames = np.arange(n_frames, dtype=np.int64)
    return VideoIndex(
        path=path,
        codec=files[0].suffix.lower().removeprefix("."),
        mode="ordinal",
        time_base=Fraction(1),
        pts=frames,
        key_pts=frames,
        key_dts=frames,
        key_frame=frames,
        key_packet=frames,
        key_is_clean=np.ones(n_frames, np.bool_),
        key_lead=np.zeros(n_frames, np.int64),
        width=image.shape[1],
        height=image.shape[0],
        findings=_gaps(path, files),
        container=IMAGE_SEQUENCE,
        packet_count=n_frames,
    )


def _gaps(path: Path, files: tuple[Path, ...]) -> tuple[Finding, ...]:
    numbers = [picture_number(file) for file in files]
    missing = numbers[-1] - numbers[0] + 1 - len(numbers)
    if missing <= 0:
        return ()
    message = (
        f"{path}: {missing} of the pictures from number {numbers[0]} to {numbers[-1]} are missing;"
        " the others are taken as one frame after the other."
    )
    return (Finding("warning", "image-gaps", message, path),)


def _read(file: Path) -> Image | None:
    try:
        # Not cv2.imread, which does not find names outside the code page on Windows.
        data = np.fromfile(file, np.uint8)
        image = cv2.imdecode(data, cv2.IMREAD_COLOR) if len(data) else None
    except (OSError, cv2.error):
        return None
    return None if image is None else np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2BGRA), np.uint8)


class ImageSequenceReader:
    """Numbered pictures with the interface of :class:`pipeline.io.video.VideoReader`."""

    def __init__(self, path: Path, index: VideoIndex | None = None) -> None:
        self.index = index_images(path) if index is None else index
        self._files = image_files(path)

    def __enter__(self) -> ImageSequenceReader:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Nothing is held open."""

    def get(self, frame: int, should_stop: Callable[[], bool] | None = None) -> Image | None:
        """(height, width, 4) BGRA; None where the file cannot be read or is of another size."""
        del should_stop  # one file is read whole
        if not 0 <= frame < min(self.index.frame_count, len(self._files)):
            return None
        image = _read(self._files[frame])
        if image is None or image.shape[:2] != (self.index.height, self.index.width):
            return None
        return image

    def suspect(self, frame: int) -> bool:
        """Whether a frame may show wrong content: files fail or are whole."""
        del frame
        return False

    def keyframe(self, frame: int) -> tuple[int, Image] | None:
        """The frame itself: each one stands alone."""
        image = self.get(frame)
        return None if image is None else (frame, image)

    def prefetch_before(self, frame: int, should_stop: Callable[[], bool] | None = None) -> None:
        """Nothing to do: stepping back costs no more than stepping on."""
        del frame, should_stop
