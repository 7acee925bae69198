"""Damaged and cut off videos: what is left is shown, and what may be wrong is marked."""

from __future__ import annotations

import random

import numpy as np
import pytest

from pipeline.io.video import VideoReader
from pipeline.io.video_index import index_video
from tests.truth.video import read_code
from tests.truth.video_kinds import DAMAGED_FROM, N_FRAMES, ZEROED_AT, VideoKinds


def test_a_cut_off_file_shows_what_is_left_of_it(kinds: VideoKinds) -> None:
    left = kinds.codes("truncated")
    with VideoReader(kinds["truncated"]) as reader:
        count = reader.index.frame_count
        assert 0 <= count - len(left) <= 3
        expected = [*left, *[None] * (count - len(left))]
        frames = random.Random(1).sample(range(count), 60)
        frames += [count - 1, count - 2, count - 1]
        for frame in frames:
            image = reader.get(frame)
            if image is None:
                assert frame >= count - 4
            else:
                assert read_code(image) == expected[frame] == frame


def test_frames_after_damage_are_suspect_up_to_the_next_keyframe(kinds: VideoKinds) -> None:
    with VideoReader(kinds["b_frames"]) as sound, VideoReader(kinds["damaged"]) as reader:
        wrong, missing, suspect = [], [], []
        for frame in random.Random(3).sample(range(N_FRAMES), 120):
            image, truth = reader.get(frame), sound.get(frame)
            assert truth is not None
            if image is None:
                missing.append(frame)
            elif np.abs(image.astype(int) - truth).mean() > 1:
                wrong.append(frame)
            if reader.suspect(frame):
                suspect.append(frame)
        assert wrong  # the damage shows at all
        assert set(wrong) <= set(suspect)
        assert set(suspect) | set(missing) <= set(range(DAMAGED_FROM - 8, 500))
        assert len(missing) <= 1


# Each with its sound version, and the keyframes around the picture that was damaged.
ZEROED = {
    "damaged_vp9": ("vp9", 60, 120),
    "damaged_hevc": ("hevc", 60, 120),
    "damaged_open_gop": ("open_gop", 100, 150),
    "damaged_av1": ("av1", 60, 120),
}


@pytest.mark.parametrize("kind", ZEROED)
def test_no_wrong_frame_goes_unmarked(kinds: VideoKinds, kind: str) -> None:
    source, keyframe, next_keyframe = ZEROED[kind]
    index = index_video(kinds[kind])
    assert {keyframe, next_keyframe} <= set(index.key_frame.tolist())
    wrong = set()
    with VideoReader(kinds[source]) as sound, VideoReader(kinds[kind]) as reader:
        frames = list(range(ZEROED_AT - 25, min(ZEROED_AT + 95, index.frame_count)))
        order = [*frames[20:60], *random.Random(kind).sample(frames, 40), *frames]
        for frame in order:
            image, truth = reader.get(frame), sound.get(frame)
            assert truth is not None
            if image is None or np.abs(image.astype(int) - truth).mean() > 1:
                wrong.add(frame)
                assert image is None or reader.suspect(frame), frame
        marked = {frame for frame in frames if reader.suspect(frame)}
    assert wrong
    # Of an open group, some frames before the next keyframe are stored after it, and the other
    # way round.
    assert marked <= set(range(keyframe - 8, next_keyframe + 8))
    assert len(marked) < 60
