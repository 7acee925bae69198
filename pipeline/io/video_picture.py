"""From a decoded picture to the one that is shown: upright, and ready to draw."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from av.sidedata.sidedata import SideData
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from pipeline.data.errors import Finding

Image = NDArray[np.uint8]

# Degrees clockwise by the first two entries of a matrix that only turns (ISO/IEC 14496-12, 8.3.2).
_CLOCKWISE = {(1, 0): 0, (0, 1): 90, (-1, 0): 180, (0, -1): 270}
_FIXED_POINT = 1 << 16
# Cameras write quarter turns with the rounding of their sensors' angles.
_ROUNDING = 0.02


@dataclass(frozen=True, slots=True)
class Shown:
    """How a stored picture is shown: mirrored (left and right swapped), then turned clockwise."""

    width: int
    height: int
    rotation: int
    is_mirrored: bool
    findings: tuple[Finding, ...]


def shown_as(path: Path, frame: VideoFrame, stream: VideoStream) -> Shown:
    """Size and position of a video's pictures as displayed, from its first one."""
    findings = []
    rotation, is_mirrored = 0, False
    matrix = frame.side_data.get("DISPLAYMATRIX")
    if isinstance(matrix, SideData):
        known = _orthogonal(np.frombuffer(bytes(matrix), np.int32)[[0, 1, 3, 4]])
        if known is None:
            message = (
                f"{path}: the video asks to be shown turned by {-frame.rotation % 360} degrees or"
                " distorted, which is ignored."
            )
            findings.append(Finding("warning", "video-rotation", message, path))
        else:
            rotation, is_mirrored = known
    aspect = stream.sample_aspect_ratio or Fraction(1)
    if aspect not in (0, 1):
        message = (
            f"{path}: the video's pixels are not square ({aspect.numerator}:{aspect.denominator});"
            " it is shown as stored, and points are counted in stored pixels."
        )
        findings.append(Finding("warning", "video-pixel-aspect", message, path))
    is_turned = rotation in (90, 270)
    return Shown(
        width=frame.height if is_turned else frame.width,
        height=frame.width if is_turned else frame.height,
        rotation=rotation,
        is_mirrored=is_mirrored,
        findings=tuple(findings),
    )


def _orthogonal(matrix: NDArray[np.int32]) -> tuple[int, bool] | None:
    """Clockwise degrees and mirroring of a matrix's a, b, c, d; None where it is neither."""
    values = matrix / _FIXED_POINT
    if np.max(np.abs(values)) < _ROUNDING:  # written by some programs for "nothing to be done"
        return 0, False
    rounded = np.rint(values).astype(int)
    if np.max(np.abs(values - rounded)) > _ROUNDING:
        return None
    a, b, c, d = (int(value) for value in rounded)
    determinant = a * d - b * c
    if abs(determinant) != 1 or abs(a) + abs(b) != 1:
        return None
    is_mirrored = determinant < 0
    return _CLOCKWISE[(-a, -b) if is_mirrored else (a, b)], is_mirrored


def upright(image: Image, rotation: int, is_mirrored: bool) -> Image:
    """A stored (height, width[, channels]) picture as it is shown; C-contiguous."""
    if is_mirrored:
        image = image[:, ::-1]
    return np.ascontiguousarray(np.rot90(image, -rotation // 90) if rotation else image)


def bgra(picture: VideoFrame, rotation: int = 0, is_mirrored: bool = False) -> Image:
    """(height, width, 4) blue, green, red, 255 of a decoded picture, upright and C-contiguous."""
    # One thread: with several, swscale's slices overwrite the first pixels of each other's rows
    # where the width is not a multiple of 16 (seen at 1080 x 1920).
    made = picture.reformat(format="bgra", threads=1)
    plane = made.planes[0]
    # The frame's own memory, which the array keeps alive: a copy would take half as long as making
    # it, and hold up all threads. Rows are padded where FFmpeg's alignment wants it.
    rows = np.frombuffer(memoryview(plane), np.uint8)[: made.height * plane.line_size]
    rows = rows.reshape(made.height, plane.line_size)[:, : 4 * made.width]
    image = rows.reshape(made.height, made.width, 4)
    if any(part.is_alpha for part in picture.format.components):
        image = image.copy()  # it may be the decoder's own
        image[..., 3] = 255
    return upright(image, rotation, is_mirrored)
