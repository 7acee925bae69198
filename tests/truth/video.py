"""Test videos whose every frame carries its own number in its pixels, and a reader of that number.

They are made with the ffmpeg command line, and :func:`ffmpeg_codes` decodes a whole file with it,
so that the reader under test (PyAV, seeking) is compared with another program (no seeking).
"""

from __future__ import annotations

import functools
import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

WIDTH, HEIGHT = 192, 128
_CELL = 24  # pixels; three blocks of 8x8, so that the middle of a cell survives coarse coding
_COLUMNS, _ROWS = 8, 2  # 16 cells: 11 bits of number, 5 of check
_NUMBER_BITS = 11
_CHECK_MODULUS = 31

Image = NDArray[np.uint8]


def require_ffmpeg() -> str:
    """The ffmpeg executable; without one the test fails where CI=true and is skipped elsewhere."""
    executable = shutil.which("ffmpeg")
    if executable is None:
        message = "the ffmpeg command line is not installed"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    return executable


@functools.cache
def passthrough() -> list[str]:
    """The option for "one output frame per displayed frame"; its name changed in ffmpeg 5.1."""
    banner = run_ffmpeg(["-version"]).decode(errors="replace")
    version = re.match(r"ffmpeg version n?(\d+)\.(\d+)", banner)
    is_old = version is not None and (int(version[1]), int(version[2])) < (5, 1)
    return ["-vsync", "passthrough"] if is_old else ["-fps_mode", "passthrough"]


def _bits(number: int) -> list[int]:
    if not 0 <= number < 2**_NUMBER_BITS:
        raise ValueError(f"{number} does not fit in {_NUMBER_BITS} bits")
    # +1, so that neither an all-black nor an all-white picture reads as a number.
    word = number << 5 | (7 * number + 1) % _CHECK_MODULUS
    return [word >> bit & 1 for bit in range(_COLUMNS * _ROWS)]


@functools.cache
def _texture() -> Image:
    coarse = np.random.default_rng(5).integers(40, 216, (HEIGHT // 4, WIDTH // 4), dtype=np.uint8)
    return np.kron(coarse, np.ones((4, 4), np.uint8))


def coded_frame(number: int) -> Image:
    """(HEIGHT, WIDTH) gray picture: the number's bar code over a moving texture."""
    image = np.roll(_texture(), (number * 2, number * 3), axis=(0, 1)).copy()
    for cell, bit in enumerate(_bits(number)):
        row, column = divmod(cell, _COLUMNS)
        image[
            row * _CELL : (row + 1) * _CELL,
            column * _CELL : (column + 1) * _CELL,
        ] = 235 if bit else 16
    return image


def read_code(image: NDArray[np.uint8]) -> int | None:
    """The number in a (HEIGHT, WIDTH[, channels]) picture, or None where its check fails."""
    gray = image if image.ndim == 2 else image[..., 1]
    if gray.shape != (HEIGHT, WIDTH):
        return None
    area = gray[: _ROWS * _CELL, : _COLUMNS * _CELL]
    middles = area.reshape(_ROWS, _CELL, _COLUMNS, _CELL)[:, 6:18, :, 6:18].mean(axis=(1, 3))
    # Half-lit cells mean two frames blended into each other, which is not a number.
    if np.any(np.abs(middles - 128) < 32):
        return None
    word = sum(int(bit) << k for k, bit in enumerate((middles > 128).ravel()))
    number = word >> 5
    return number if word & 31 == (7 * number + 1) % _CHECK_MODULUS else None


def run_ffmpeg(
    arguments: Sequence[str | Path], stdin: bytes = b"", *, is_lenient: bool = False
) -> bytes:
    """Standard output of one ffmpeg run; RuntimeError with ffmpeg's own words if it fails.

    A lenient run may end with an error after giving what it could, as on damaged files.
    """
    command = [require_ffmpeg(), "-v", "error", "-y", *map(str, arguments)]
    # Bytes given as input replace the terminal, which ffmpeg would otherwise read commands from.
    done = subprocess.run(command, input=stdin, capture_output=True, check=False)
    if done.returncode != 0 and not is_lenient:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.decode(errors='replace')}")
    return done.stdout


def encode(path: Path, numbers: Iterable[int], *options: str, rate: int = 50) -> Path:
    """Write a video of the given frame numbers, encoded with ``options`` of ffmpeg."""
    raw = b"".join(coded_frame(number).tobytes() for number in numbers)
    source = ["-f", "rawvideo", "-pix_fmt", "gray", "-s", f"{WIDTH}x{HEIGHT}", "-r", str(rate)]
    run_ffmpeg([*source, "-i", "-", "-threads", "1", *options, path], stdin=raw)
    return path


def remux(source: Path, target: Path, *options: str, start: float = 0.0) -> Path:
    """Copy the coded stream into another container, from ``start`` seconds on."""
    cut = ["-ss", str(start)] if start else []
    run_ffmpeg([*cut, "-i", source, "-c", "copy", *options, target])
    return target


def truncate(source: Path, target: Path, share: float) -> Path:
    """Copy only the first ``share`` of a file's bytes."""
    data = source.read_bytes()
    target.write_bytes(data[: int(len(data) * share)])
    return target


def ffmpeg_codes(path: Path) -> list[int | None]:
    """The numbers in all frames of a file, in display order, decoded by the ffmpeg command line."""
    output = ["-f", "rawvideo", "-pix_fmt", "gray", "-"]
    raw = run_ffmpeg(["-i", path, "-map", "0:v:0", *passthrough(), *output], is_lenient=True)
    frames = np.frombuffer(raw, np.uint8).reshape(-1, HEIGHT, WIDTH)
    return [read_code(frame) for frame in frames]
