"""Every frame read by seeking is the displayed one: bar codes in the pixels, and ffmpeg's order."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from pipeline.io.video import Interrupted, VideoReader
from pipeline.io.video_index import index_video
from tests.truth.video import HEIGHT, WIDTH, read_code
from tests.truth.video_kinds import N_FRAMES, SHOWN, VideoKinds

OFTEN_TESTED = ("b_frames", "variable_rate", "edit_list", "open_gop", "transport_stream")
# Kinds that take another way through the code; benchmarks/video_accuracy.py goes through all.
BRIEFLY_TESTED = (
    *("open_gop_ts", "open_gop_cut_ts", "open_gop_cut_mkv", "matroska", "late_start", "avi"),
    *("avi_mpeg4", "avi_mjpeg", "fragmented", "elementary", "vp8", "vp9", "hevc", "hevc_open_gop"),
    *("hevc_ts", "av1", "mpeg2", "mov_mjpeg", "pyramid", "gradual_refresh"),
)


def _wrong(reader: VideoReader, frames: list[int], expected: list[int]) -> list[tuple[int, object]]:
    """The frames that were not had, or do not carry the expected number, with what they carry."""
    wrong: list[tuple[int, object]] = []
    for frame in frames:
        image = reader.get(frame)
        code = None if image is None else read_code(image)
        if code != expected[frame]:
            wrong.append((frame, code))
    return wrong


def _check(kinds: VideoKinds, kind: str, n_seeks: int) -> None:
    shown = list(SHOWN[kind])
    assert kinds.codes(kind) == shown  # ffmpeg's command line shows the same
    with VideoReader(kinds[kind]) as reader:
        assert reader.index.frame_count == len(shown)
        generator = random.Random(kind)
        seeks = [generator.randrange(len(shown)) for _ in range(n_seeks)]
        assert _wrong(reader, seeks, shown) == []
        assert not any(reader.suspect(frame) for frame in range(len(shown)))


@pytest.mark.parametrize("kind", OFTEN_TESTED)
def test_60_random_seeks(kinds: VideoKinds, kind: str) -> None:
    _check(kinds, kind, n_seeks=60)


@pytest.mark.parametrize("kind", BRIEFLY_TESTED)
def test_random_seeks(kinds: VideoKinds, kind: str) -> None:
    _check(kinds, kind, n_seeks=15)


@pytest.mark.parametrize("kind", ["b_frames", "open_gop", "avi", "avi_mpeg4", "vp9"])
def test_stepping_either_way_and_turning_round(kinds: VideoKinds, kind: str) -> None:
    shown = list(SHOWN[kind])
    # Twelve frames are less than a chunk: forgetting some is exercised, too.
    for keep_bytes in (1 << 28, 12 * WIDTH * HEIGHT * 3 // 2):
        with VideoReader(kinds[kind], keep_bytes=keep_bytes) as reader:
            walk = [*range(120, 180), *range(179, 20, -1), *range(21, 60), *range(198, 140, -3)]
            assert _wrong(reader, walk, shown) == []


def test_the_whole_file_in_order_then_the_end_again(kinds: VideoKinds) -> None:
    shown = list(range(N_FRAMES))
    with VideoReader(kinds["b_frames"]) as reader:
        assert _wrong(reader, shown, shown) == []
        assert _wrong(reader, [N_FRAMES - 1, N_FRAMES - 2, 0], shown) == []


def test_frame_threads_give_the_same_frames(kinds: VideoKinds) -> None:
    shown = list(range(N_FRAMES))
    with VideoReader(kinds["b_frames"], thread_type="FRAME", thread_count=2) as reader:
        seeks = random.Random(7).choices(shown, k=40)
        assert _wrong(reader, [*seeks, *range(240, 260), *range(259, 200, -1)], shown) == []


def test_a_picture_is_ready_to_draw(kinds: VideoKinds) -> None:
    with VideoReader(kinds["b_frames"]) as reader:
        image = reader.get(3)
        assert image is not None
        assert image.shape == (HEIGHT, WIDTH, 4)
        assert image.dtype == np.uint8
        assert image.flags.c_contiguous
        assert image.flags.writeable
        assert np.all(image[..., 3] == 255)
        image[:] = 0  # the caller's own: the next one is not touched
        assert _wrong(reader, [3], list(range(N_FRAMES))) == []


def test_sizes_that_no_block_divides(kinds: VideoKinds) -> None:
    with VideoReader(kinds["odd_size"]) as reader:
        image = reader.get(17)
        assert image is not None
        assert image.shape == (HEIGHT - 1, WIDTH - 1, 4)
        assert image.flags.c_contiguous
        padded = np.pad(image, ((0, 1), (0, 1), (0, 0)))
        assert read_code(padded) == 17


def test_no_frame_outside_the_video(kinds: VideoKinds) -> None:
    with VideoReader(kinds["b_frames"]) as reader:
        assert reader.get(-1) is None
        assert reader.get(N_FRAMES) is None
        assert reader.get(N_FRAMES - 1) is not None


def test_a_reader_takes_an_index_and_closes_twice(kinds: VideoKinds) -> None:
    index = index_video(kinds["b_frames"])
    reader = VideoReader(kinds["b_frames"], index)
    assert reader.index is index
    reader.close()
    reader.close()


@pytest.mark.realdata
def test_real_videos_seek_to_what_a_sequential_decode_gives(balancing: Path) -> None:
    sizes = []
    for path in sorted((balancing / "videos").iterdir()):
        with VideoReader(path) as reader:
            index = reader.index
            sizes.append((index.width, index.height))
            assert index.frame_count == 100
            assert index.mode == "pts"
            assert index.findings == ()
            assert index.fps == pytest.approx(60.0)
            sequential = [_summary(reader.get(frame)) for frame in range(100)]
        assert len(set(sequential)) > 90  # the pictures differ, so that a wrong one is noticed
        with VideoReader(path, index) as reader:
            for frame in random.Random(path.name).sample(range(100), 3):
                assert _summary(reader.get(frame)) == sequential[frame]
    assert sizes == [(1080, 1920), (1080, 1920), (1088, 1920), (1088, 1920)]


def _summary(image: np.ndarray | None) -> bytes:
    assert image is not None
    return image[::16, ::16, 1].tobytes()


class _StopAfter:
    """Says stop once it was asked so many times."""

    def __init__(self, n_asked: int) -> None:
        self.left = n_asked

    def __call__(self) -> bool:
        self.left -= 1
        return self.left < 0


@pytest.mark.parametrize("kind", ["b_frames", "open_gop", "avi", "vp9", "damaged"])
def test_interrupted_reading_goes_on_or_turns_elsewhere(kinds: VideoKinds, kind: str) -> None:
    generator = random.Random(kind)
    with VideoReader(kinds[kind]) as steady, VideoReader(kinds[kind]) as reader:
        count = reader.index.frame_count
        n_interruptions = 0
        for _ in range(12):
            frame = generator.randrange(count)
            while True:
                try:
                    image = reader.get(frame, _StopAfter(generator.randrange(1, 40)))
                    break
                except Interrupted:
                    n_interruptions += 1
                    if generator.random() < 0.4:  # another frame is wanted now
                        frame = generator.randrange(count)
            expected = steady.get(frame)
            assert (image is None) == (expected is None)
            assert image is None or expected is None or np.array_equal(image, expected)
            assert reader.suspect(frame) >= steady.suspect(frame)
    assert n_interruptions > 5


def test_one_step_at_a_time_still_arrives(kinds: VideoKinds) -> None:
    with VideoReader(kinds["b_frames"]) as reader:
        n_interruptions = 0
        image = None
        while image is None and n_interruptions < 300:
            try:
                image = reader.get(240, lambda: True)
            except Interrupted:
                n_interruptions += 1
    assert image is not None
    assert read_code(image) == 240
    assert n_interruptions > 50


@pytest.mark.parametrize(
    "kind", ["b_frames", "edit_list", "open_gop", "avi", "avi_mpeg4", "hevc_open_gop", "vp9"]
)
def test_the_keyframe_before_is_the_keyframe(kinds: VideoKinds, kind: str) -> None:
    shown = list(SHOWN[kind])
    with VideoReader(kinds[kind]) as reader:
        starts = reader.index.key_frame
        for frame in random.Random(kind).sample(range(len(shown)), 12):
            snap = reader.keyframe(frame)
            if kind == "edit_list" and frame < starts[1]:
                assert snap is None  # the first keyframe is hidden
                continue
            assert snap is not None
            number, image = snap
            assert number == starts[starts <= frame].max()
            assert read_code(image) == shown[number]
        # The position in between is kept: stepping on from it is not disturbed.
        assert _wrong(reader, [100, 101], shown) == []
        reader.keyframe(len(shown) - 1)
        assert _wrong(reader, [102], shown) == []


def test_a_gradual_refresh_has_one_whole_keyframe(kinds: VideoKinds) -> None:
    with VideoReader(kinds["gradual_refresh"]) as reader:
        snap = reader.keyframe(30)
        assert snap is not None
        assert snap[0] == 0
        assert read_code(snap[1]) == 0
        for frame in (130, 199):
            snap = reader.keyframe(frame)
            assert snap is None or read_code(snap[1]) == snap[0]


@pytest.mark.parametrize("kind", ["b_frames", "avi", "open_gop"])
def test_frames_decoded_ahead_are_there_when_stepping_back(kinds: VideoKinds, kind: str) -> None:
    shown = list(SHOWN[kind])
    keep_bytes = 40 * WIDTH * HEIGHT * 3 // 2
    n_waits = 0
    with VideoReader(kinds[kind], keep_bytes=keep_bytes) as reader:
        assert reader.get(300) is not None
        for frame in range(300, 160, -1):
            for _ in range(200):
                try:
                    reader.prefetch_before(frame, _StopAfter(5))
                    break
                except Interrupted:
                    continue
            try:  # asked to stop before the first packet: only what is there comes
                image = reader.get(frame - 1, lambda: True)
            except Interrupted:
                n_waits += 1
                image = reader.get(frame - 1)
            assert image is not None
            assert read_code(image) == shown[frame - 1]
        assert n_waits == 0
        assert _wrong(reader, [*range(165, 175), 20], shown) == []


def test_decoding_ahead_stops_at_the_first_frame(kinds: VideoKinds) -> None:
    with VideoReader(kinds["b_frames"]) as reader:
        reader.prefetch_before(0)
        reader.prefetch_before(1)
        reader.prefetch_before(1)
        assert _wrong(reader, [0, 1], list(range(N_FRAMES))) == []
