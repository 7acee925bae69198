"""A proxy shows what the video shows, frame by frame, and is there whole or not at all."""

from __future__ import annotations

import dataclasses
import random
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from pipeline.data.errors import UserError
from pipeline.io import proxy_encode
from pipeline.io.proxy_encode import encode_segment
from pipeline.io.proxy_reader import ProxyReader
from pipeline.io.proxy_store import SEGMENT_FRAMES, ProxyStore, segment_range
from pipeline.io.video import VideoReader
from pipeline.io.video_index import index_video
from pipeline.io.video_reader import open_video
from tests.truth.video import HEIGHT, WIDTH, read_code, run_ffmpeg
from tests.truth.video_kinds import DAMAGED_FROM, SHOWN, VideoKinds


@pytest.fixture
def store(tmp_path: Path) -> ProxyStore:
    return ProxyStore(tmp_path / "proxies")


def _proxy(store: ProxyStore, path: Path) -> ProxyReader:
    """A whole proxy of a video, known by the video's name."""
    index = index_video(path)
    with open_video(path, index) as reader:
        for segment in range(-(-index.frame_count // SEGMENT_FRAMES)):
            start, stop = segment_range(segment, index.frame_count)
            out = store.segment_path(path.name, segment)
            *_, last = encode_segment(path, index, start, stop, out, reader=reader)
            assert last == 1.0
    return ProxyReader(store, path.name, index)


@pytest.mark.parametrize("kind", ["b_frames", "edit_list", "open_gop_ts", "avi_mpeg4", "vp9"])
def test_every_frame_is_the_videos(kinds: VideoKinds, kind: str, store: ProxyStore) -> None:
    shown = list(SHOWN[kind])
    proxy = _proxy(store, kinds[kind])
    frames = [*range(len(shown)), *random.Random(kind).choices(range(len(shown)), k=60)]
    frames += range(90, 40, -1)
    for frame in frames:
        image = proxy.get(frame)
        assert image is not None
        assert read_code(image) == shown[frame]
        assert proxy.has(frame)
        assert not proxy.suspect(frame)
        assert not proxy.undecodable(frame)
    for frame in (-1, len(shown)):
        assert proxy.get(frame) is None
        assert not proxy.has(frame)


@pytest.mark.parametrize("kind", ["turned", "turned_270", "mirrored", "transposed", "odd_size"])
def test_pictures_are_upright_and_of_the_same_colours(
    kinds: VideoKinds, kind: str, store: ProxyStore
) -> None:
    proxy = _proxy(store, kinds[kind])
    with VideoReader(kinds[kind]) as reader:
        for frame in (0, 37, 150):
            image, original = proxy.get(frame), reader.get(frame)
            assert image is not None
            assert original is not None
            assert image.flags.c_contiguous
            size = (image.shape[1], image.shape[0])
            expected = cv2.resize(original, size, interpolation=cv2.INTER_AREA)
            difference = image.astype(float) - expected
            assert np.abs(difference).mean() < 6  # the coding itself, on a texture of noise
            assert np.abs(difference.mean(axis=(0, 1))).max() < 1.5
            image[:] = 0  # the caller's own
            again = proxy.get(frame)
            assert again is not None
            assert again[..., :3].any()


@pytest.mark.parametrize("options", [["-color_range", "pc"], ["-colorspace", "bt709"]])
def test_ranges_and_matrices_of_colours_are_kept(
    options: list[str], tmp_path: Path, store: ProxyStore
) -> None:
    path = tmp_path / "colours.mp4"
    _write_colours(path, options)
    proxy = _proxy(store, path)
    with VideoReader(path) as reader:
        image, original = proxy.get(5), reader.get(5)
    assert image is not None
    assert original is not None
    assert np.ptp(original[..., 0].astype(int)) > 100
    assert np.abs(image.astype(int) - original).max() <= 12


def _write_colours(path: Path, options: list[str]) -> None:
    patches = np.random.default_rng(3).integers(20, 230, (4, 6, 3), dtype=np.uint8)
    image = np.kron(patches, np.ones((32, 32, 1), np.uint8))
    source = ["-f", "rawvideo", "-pix_fmt", "bgr24", "-s", "192x128", "-r", "50", "-i", "-"]
    coding = ["-c:v", "libx264", "-preset", "ultrafast", "-qp", "8", "-pix_fmt", "yuv420p"]
    run_ffmpeg([*source, *coding, *options, path], stdin=image.tobytes() * 12)


def test_what_a_cut_off_video_lacks_is_said(kinds: VideoKinds, store: ProxyStore) -> None:
    proxy = _proxy(store, kinds["truncated"])
    with VideoReader(kinds["truncated"]) as reader:
        count = reader.index.frame_count
        for frame in range(count - 30, count):
            image = reader.get(frame)
            assert proxy.undecodable(frame) == (image is None)
            if image is None:
                assert proxy.get(frame) is None
            else:
                small = proxy.get(frame)
                assert small is not None
                assert read_code(small) == read_code(image)


def test_damage_is_marked_in_the_proxy_too(kinds: VideoKinds, store: ProxyStore) -> None:
    proxy = _proxy(store, kinds["damaged"])
    marked = [frame for frame in range(600) if proxy.suspect(frame)]
    assert set(marked) <= set(range(DAMAGED_FROM - 8, 500))
    assert len(marked) > 50


def test_without_libx264_there_are_still_proxies(
    kinds: VideoKinds, store: ProxyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(proxy_encode._CODINGS, "libx264")
    proxy = _proxy(store, kinds["vp9"])
    for frame in (0, 7, 199, 198, 60):
        image = proxy.get(frame)
        assert image is not None
        assert read_code(image) == frame


def _segment(kinds: VideoKinds, out: Path) -> Iterator[float]:
    path = kinds["b_frames"]
    return encode_segment(path, index_video(path), 100, 600, out)


def test_a_closed_generator_leaves_nothing(kinds: VideoKinds, store: ProxyStore) -> None:
    out = store.segment_path("a", 0)
    steps = _segment(kinds, out)
    assert 0.0 <= next(steps) < 1.0
    began = time.monotonic()
    steps.close()
    assert time.monotonic() - began < 5  # not after the whole segment
    assert list(out.parent.iterdir()) == []


def test_a_request_to_stop_leaves_nothing(kinds: VideoKinds, store: ProxyStore) -> None:
    path, out = kinds["b_frames"], store.segment_path("a", 0)
    asked = iter([False] * 50)
    steps = encode_segment(path, index_video(path), 0, 500, out, lambda: next(asked, True))
    assert all(share < 1.0 for share in steps)
    assert list(out.parent.iterdir()) == []


def test_steps_come_even_while_seeking(
    kinds: VideoKinds, store: ProxyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proxy_encode, "_PATIENCE", 0.0)
    path, out = kinds["b_frames"], store.segment_path("a", 0)
    steps = list(encode_segment(path, index_video(path), 240, 245, out))
    assert steps.count(0.0) > 20  # on the way from the keyframe, 0
    assert steps[-1] == 1.0


def test_half_a_segment_is_not_taken_for_a_whole_one(kinds: VideoKinds, store: ProxyStore) -> None:
    path = kinds["pyramid"]
    index = index_video(path)
    _proxy(store, path)
    out = store.segment_path(path.name, 0)
    whole, facts = out.read_bytes(), out.with_suffix(".json").read_text()
    spoilt = {
        "cut": lambda: out.write_bytes(whole[: len(whole) // 2]),
        "empty": lambda: out.write_bytes(b""),
        "no facts": lambda: out.with_suffix(".json").unlink(),
        "bad facts": lambda: out.with_suffix(".json").write_text(facts[:30]),
        "other facts": lambda: out.with_suffix(".json").write_text(
            facts.replace('"stop": 200', '"stop": 100')
        ),
        "zeroed": lambda: out.write_bytes(whole[:40] + bytes(40_000) + whole[40_040:]),
    }
    for name, spoil in spoilt.items():
        out.write_bytes(whole)
        out.with_suffix(".json").write_text(facts)
        assert ProxyReader(store, path.name, index).get(3) is not None
        spoil()
        assert ProxyReader(store, path.name, index).get(3) is None, name
        assert store.missing(path.name, index.frame_count) == [0], name


def test_a_segment_deleted_while_it_is_read_is_done_without(
    kinds: VideoKinds, store: ProxyStore
) -> None:
    proxy = _proxy(store, kinds["b_frames"])
    assert proxy.get(3) is not None
    assert proxy.get(550) is not None
    store.clear()
    assert proxy.get(480) is None
    assert not proxy.has(480)
    proxy.close()
    proxy.close()
    assert proxy.get(550) is None


def test_a_segment_made_later_is_seen(kinds: VideoKinds, store: ProxyStore) -> None:
    path = kinds["pyramid"]
    index = index_video(path)
    early = ProxyReader(store, path.name, index)
    assert early.get(3) is None
    assert not early.has(3)
    _proxy(store, path)
    assert early.has(3)
    assert early.get(3) is not None


def test_the_segments_of_another_cut_are_not_used(kinds: VideoKinds, store: ProxyStore) -> None:
    path = kinds["pyramid"]
    _proxy(store, path)
    index = index_video(path)
    longer = dataclasses.replace(index, pts=np.append(index.pts, index.pts[-1] + 512))
    assert ProxyReader(store, path.name, longer).get(3) is None


def test_where_nothing_can_be_written_a_sentence_says_so(kinds: VideoKinds, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(UserError, match="could not be written") as caught:
        list(_segment(kinds, tmp_path / "file" / "a" / "00000.mp4"))
    assert str(caught.value).count("\n") == 0


def test_the_size_is_the_videos_where_that_is_small(kinds: VideoKinds, store: ProxyStore) -> None:
    image = _proxy(store, kinds["pyramid"]).get(0)
    assert image is not None
    assert image.shape == (HEIGHT, WIDTH, 4)


@pytest.mark.parametrize("is_back", [False, True])
def test_a_disk_that_was_gone_leaves_no_segment_with_frames_missing(
    kinds: VideoKinds, store: ProxyStore, tmp_path: Path, is_back: bool
) -> None:
    path = tmp_path / "walk.mp4"
    content = kinds["b_frames"].read_bytes()
    path.write_bytes(content)
    index = index_video(path)
    out = store.segment_path("walk", 0)
    with open_video(path, index) as reader:
        assert reader.get(0) is not None
        path.write_bytes(content[: len(content) // 3])
        assert reader.get(480) is None  # remembered by the reader
        if is_back:
            path.write_bytes(content)
        steps = encode_segment(path, index, 0, 500, out, reader=reader)
        disk_comes_back = (path.write_bytes(content) for _ in steps)
        with pytest.raises(UserError, match=r"walk\.mp4: the video was replaced, or could not be"):
            list(disk_comes_back)
    assert not out.exists()
