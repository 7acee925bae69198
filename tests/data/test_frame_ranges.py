"""Ranges cover what is wanted, once, nearest to the cursor first."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.data.frame_ranges import n_frames_in, nearest_first


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.booleans(), min_size=1, max_size=80),
    st.integers(0, 79),
    st.integers(1, 30),
    st.one_of(st.none(), st.integers(1, 40)),
)
def test_all_that_is_wanted_and_nothing_else(
    wanted: list[bool], frame: int, length: int, most: int | None
) -> None:
    mask = np.array(wanted)
    frame = min(frame, len(mask) - 1)
    ranges = nearest_first(mask, frame, length)
    assert ((ranges[:, 1] - ranges[:, 0]) > 0).all()
    assert ((ranges[:, 1] - ranges[:, 0]) <= length).all()
    frames = [f for start, stop in ranges.tolist() for f in range(start, stop)]
    assert sorted(frames) == np.flatnonzero(mask).tolist()
    assert n_frames_in(ranges) == mask.sum()
    away = [min(abs(f - frame) for f in range(start, stop)) for start, stop in ranges.tolist()]
    assert away == sorted(away)
    some = nearest_first(mask, frame, length, most)
    assert some.tolist() == ranges[: len(some)].tolist()
    if most is not None and len(some) < len(ranges):
        assert most <= n_frames_in(some) < most + length


def test_the_cursor_is_amid_its_range() -> None:
    (first, *_) = nearest_first(np.ones(1000, bool), 500, 200).tolist()
    assert first == [400, 600]
