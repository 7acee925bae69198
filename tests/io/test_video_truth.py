"""The test videos' bar code itself: it must be readable, and must notice what is not a number."""

from __future__ import annotations

import numpy as np

from tests.truth.video import HEIGHT, WIDTH, coded_frame, read_code


def test_every_number_reads_back() -> None:
    assert [read_code(coded_frame(number)) for number in range(2**11)] == list(range(2**11))


def test_coarse_coding_is_survived() -> None:
    noise = np.random.default_rng(2).normal(0, 25, (HEIGHT, WIDTH))
    noisy = np.clip(coded_frame(700) + noise, 0, 255).astype(np.uint8)
    assert read_code(noisy) == 700


def test_what_is_no_number_is_not_read_as_one() -> None:
    blend = (coded_frame(255).astype(int) + coded_frame(256)) // 2
    assert read_code(blend.astype(np.uint8)) is None
    for level in (0, 255):
        assert read_code(np.full((HEIGHT, WIDTH), level, np.uint8)) is None
    assert read_code(np.zeros((HEIGHT, WIDTH + 1), np.uint8)) is None
    shifted = np.roll(coded_frame(300), 24, axis=1)
    assert read_code(shifted) is None
