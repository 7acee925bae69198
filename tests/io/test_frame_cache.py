"""The picture cache: its byte bound, its order of forgetting, several threads at once."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from pipeline.io.frame_cache import FrameCache


def _image(value: int, n_bytes: int = 100) -> np.ndarray:
    return np.full(n_bytes, value, np.uint8)


def test_the_least_recently_used_goes_first() -> None:
    cache = FrameCache(300)
    for frame in range(3):
        cache.put(0, frame, _image(frame))
    assert cache.get(0, 0) is not None  # used: 1 is now the oldest
    cache.put(0, 3, _image(3))
    assert cache.get(0, 1) is None
    assert [cache.get(0, frame) is not None for frame in (0, 2, 3)] == [True] * 3
    assert cache.used_bytes == 300


def test_a_picture_put_again_is_counted_once() -> None:
    cache = FrameCache(300)
    cache.put(1, 5, _image(1))
    cache.put(1, 5, _image(2, 150))
    held = cache.get(1, 5)
    assert held is not None
    assert held[0] == 2
    assert (len(cache), cache.used_bytes) == (1, 150)


def test_a_picture_beyond_the_bound_is_not_kept_and_drops_nothing_else() -> None:
    cache = FrameCache(300)
    cache.put(0, 0, _image(0))
    cache.put(0, 1, _image(1, 301))
    assert cache.get(0, 1) is None
    assert cache.get(0, 0) is not None


def test_one_view_can_be_cleared() -> None:
    cache = FrameCache(1000)
    for view in range(2):
        for frame in range(3):
            cache.put(view, frame, _image(frame))
    cache.clear(0)
    assert cache.get(0, 1) is None
    assert cache.get(1, 1) is not None
    assert cache.used_bytes == 300
    cache.clear()
    assert (len(cache), cache.used_bytes) == (0, 0)


def test_threads_at_once_keep_the_bound_and_the_count() -> None:
    cache = FrameCache(2000)

    def work(seed: int) -> int:
        generator = random.Random(seed)
        mismatches = 0
        for _ in range(3000):
            view, frame = generator.randrange(4), generator.randrange(40)
            image = cache.get(view, frame)
            mismatches += image is not None and int(image[0]) != frame
            cache.put(view, frame, _image(frame, generator.randrange(1, 200)))
        return mismatches

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(work, range(4))) == 0
    held = [cache.get(view, frame) for view in range(4) for frame in range(40)]
    assert cache.used_bytes == sum(image.nbytes for image in held if image is not None) <= 2000
