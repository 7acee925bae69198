"""Pictures are shown as the file asks: turned, mirrored, of its pixels' shape or with a word."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pipeline.io.video import VideoReader
from pipeline.io.video_index import index_video
from tests.truth.video import HEIGHT, WIDTH, read_code
from tests.truth.video_kinds import VideoKinds

# How each kind is brought back to how it is stored, from the matrix in the file alone: x' = ax + cy
# and y' = bx + dy say where a stored point is shown.
STORED_FROM_SHOWN: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "turned": np.rot90,
    "turned_180": lambda shown: shown[::-1, ::-1],
    "turned_270": lambda shown: np.rot90(shown, -1),
    "mirrored": lambda shown: shown[:, ::-1],
    "upside_down": lambda shown: shown[::-1],
    "transposed": lambda shown: shown.swapaxes(0, 1),
    "anti_transposed": lambda shown: shown[::-1, ::-1].swapaxes(0, 1),
}


@pytest.mark.parametrize("kind", STORED_FROM_SHOWN)
def test_a_picture_is_shown_as_its_matrix_asks(kinds: VideoKinds, kind: str) -> None:
    with VideoReader(kinds[kind]) as reader:
        image = reader.get(300)
        assert image is not None
        assert image.shape == (reader.index.height, reader.index.width, 4)
        assert image.flags.c_contiguous
        stored = STORED_FROM_SHOWN[kind](image)
        assert stored.shape == (HEIGHT, WIDTH, 4)
        assert read_code(stored) == 300
        assert reader.index.findings == ()


def test_a_matrix_that_is_no_quarter_turn_is_named_and_left_out(
    kinds: VideoKinds, tmp_path: Path
) -> None:
    data = bytearray(kinds["turned"].read_bytes())
    matrix = data.index(b"tkhd") + 44
    data[matrix : matrix + 4] = (40000).to_bytes(4, "big")
    path = tmp_path / "skewed.mp4"
    path.write_bytes(data)
    index = index_video(path)
    assert "video-rotation" in {finding.code for finding in index.findings}
    assert (index.width, index.height, index.rotation) == (WIDTH, HEIGHT, 0)


def test_pixels_that_are_not_square_are_named(kinds: VideoKinds) -> None:
    index = index_video(kinds["pixel_aspect"])
    (finding,) = index.findings
    assert finding.code == "video-pixel-aspect"
    assert "64:45" in finding.message
    assert (index.width, index.height) == (WIDTH, HEIGHT)
