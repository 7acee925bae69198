"""What is decoded ahead of play waits in the queue for as long as it is expected."""

from __future__ import annotations

import numpy as np

from simspine_viewer.picture import Picture
from simspine_viewer.play_queue import DEPTH, PlayQueue, depth


def test_only_what_is_expected_is_kept() -> None:
    queue = PlayQueue()
    queue.expect([3, 4])
    for frame in (2, 3, 4, 5):
        queue.put(0, Picture(frame))
    assert [frame for frame in range(7) if queue.get(0, frame)] == [3, 4]
    assert queue.get(1, 3) is None
    assert queue.missing(0) == []
    assert queue.missing(1) == [3, 4]
    queue.expect([4, 5])
    assert queue.get(0, 3) is None
    assert queue.missing(0) == [5]
    queue.expect(())
    assert queue.get(0, 4) is None


def test_large_pictures_are_fewer() -> None:
    assert depth([]) == DEPTH
    assert depth([Picture(0, pixels=np.zeros((8, 8, 4), np.uint8))] * 4) == DEPTH
    huge = np.broadcast_to(np.uint8(0), (4000, 4000, 4))
    assert 2 <= depth([Picture(0, pixels=huge)] * 4) < DEPTH
