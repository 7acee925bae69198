"""Every frame read by seeking is the displayed one: bar codes in the pixels, and ffmpeg's order."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from pipeline.io.video import VideoReader
from pipeline.io.video_index import index_video
from tests.truth.video import HEIGHT, WIDTH, read_code, require_ffmpeg
from tests.truth.video_kinds import DAMAGED_FROM, N_FRAMES, VideoKinds

# What each kind shows, known from how it was made: frames from the first on.
FULLY_TESTED = {
    "b_frames": range(N_FRAMES),
    "variable_rate": range(N_FRAMES),
    "edit_list": range(65, N_FRAMES),  # 1.3 s at 50 per second cut off
    "open_gop": range(N_FRAMES),
    "transport_stream": range(N_FRAMES),
}
BRIEFLY_TESTED = {
    "open_gop_ts": range(N_FRAMES),
    # Cut at the recovery point of frame 150 (in a transport stream: 200), behind which a picture
    # is stored that is shown before it and refers to what was cut off.
    "open_gop_cut_ts": range(200, N_FRAMES),
    "open_gop_cut_mkv": range(150, N_FRAMES),
    "matroska": range(N_FRAMES),
    "avi": range(N_FRAMES),
    "avi_mpeg4": range(200),
    "avi_mjpeg": range(200),
    "fragmented": range(N_FRAMES),
    "elementary": range(N_FRAMES),
    "vp9": range(200),
    "pyramid": range(200),
    "gradual_refresh": range(200),
}


@pytest.fixture(scope="module")
def kinds(tmp_path_factory: pytest.TempPathFactory) -> VideoKinds:
    require_ffmpeg()
    return VideoKinds(tmp_path_factory.mktemp("videos"))


def _wrong(reader: VideoReader, frames: list[int], expected: list[int]) -> list[tuple[int, object]]:
    """The frames that were not had, or do not carry the expected number, with what they carry."""
    wrong: list[tuple[int, object]] = []
    for frame in frames:
        image = reader.get(frame)
        code = None if image is None else read_code(image)
        if code != expected[frame]:
            wrong.append((frame, code))
    return wrong


def _check(kinds: VideoKinds, kind: str, shown: list[int], n_seeks: int) -> None:
    assert kinds.codes(kind) == shown  # ffmpeg's command line shows the same
    with VideoReader(kinds[kind]) as reader:
        assert reader.index.frame_count == len(shown)
        generator = random.Random(kind)
        seeks = [generator.randrange(len(shown)) for _ in range(n_seeks)]
        assert _wrong(reader, seeks, shown) == []
        assert not any(reader.suspect(frame) for frame in range(len(shown)))


@pytest.mark.parametrize("kind", FULLY_TESTED)
def test_300_random_seeks(kinds: VideoKinds, kind: str) -> None:
    _check(kinds, kind, list(FULLY_TESTED[kind]), n_seeks=300)


@pytest.mark.parametrize("kind", BRIEFLY_TESTED)
def test_random_seeks(kinds: VideoKinds, kind: str) -> None:
    _check(kinds, kind, list(BRIEFLY_TESTED[kind]), n_seeks=40)


@pytest.mark.parametrize("kind", ["b_frames", "open_gop", "avi", "avi_mpeg4", "vp9"])
def test_stepping_either_way_and_turning_round(kinds: VideoKinds, kind: str) -> None:
    shown = list((FULLY_TESTED | BRIEFLY_TESTED)[kind])
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


def test_a_turned_video_is_shown_turned(kinds: VideoKinds) -> None:
    with VideoReader(kinds["turned"]) as reader:
        assert (reader.index.width, reader.index.height) == (HEIGHT, WIDTH)
        image = reader.get(300)
        assert image is not None
        assert image.shape == (WIDTH, HEIGHT, 4)
        assert image.flags.c_contiguous
        assert read_code(np.rot90(image)) == 300  # rot90 turns back, counterclockwise


def test_no_frame_outside_the_video(kinds: VideoKinds) -> None:
    with VideoReader(kinds["b_frames"]) as reader:
        assert reader.get(-1) is None
        assert reader.get(N_FRAMES) is None
        assert reader.get(N_FRAMES - 1) is not None


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
        for frame in random.Random(3).sample(range(N_FRAMES), 200):
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
            for frame in random.Random(path.name).sample(range(100), 6):
                assert _summary(reader.get(frame)) == sequential[frame]
    assert sizes == [(1080, 1920), (1080, 1920), (1088, 1920), (1088, 1920)]


def _summary(image: np.ndarray | None) -> bytes:
    assert image is not None
    return image[::16, ::16, 1].tobytes()
