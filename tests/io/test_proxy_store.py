"""Proxies are bounded, deletable at any time, and never half there."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from pipeline.io import proxy_store
from pipeline.io.proxy_store import (
    SEGMENT_FRAMES,
    NoRoomError,
    ProxyStore,
    needs_proxy,
    proxy_folder,
    proxy_key,
    proxy_size,
    segment_of,
    segment_range,
)
from pipeline.io.video_frames import VideoIndex
from tests.io.video_indexes import index_of


def _put(store: ProxyStore, key: str, segment: int, n_bytes: int, read_at: float = 0.0) -> Path:
    path = store.segment_path(key, segment)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(bytes(n_bytes))
    path.with_suffix(".json").write_text("{}")
    os.utime(path, (read_at, read_at))
    return path


def test_segments_cover_a_video_once() -> None:
    n_frames = 2 * SEGMENT_FRAMES + 7
    frames = [f for s in range(3) for f in range(*segment_range(s, n_frames))]
    assert frames == list(range(n_frames))
    assert all(
        f in range(*segment_range(segment_of(f), n_frames)) for f in (0, 499, 500, 1000, 1006)
    )


def test_the_missing_segments_next_to_the_cursor_come_first(tmp_path: Path) -> None:
    store = ProxyStore(tmp_path / "not made yet")
    n_frames = 6 * SEGMENT_FRAMES + 1
    assert store.missing("a", n_frames) == [0, 1, 2, 3, 4, 5, 6]
    _put(store, "a", 3, 10)
    _put(store, "b", 2, 10)
    assert store.missing("a", n_frames, around=3 * SEGMENT_FRAMES + 20) == [4, 2, 5, 1, 6, 0]
    assert store.has("a", 3)
    assert not store.has("a", 2)


def test_what_is_used_is_counted_and_can_be_deleted(tmp_path: Path) -> None:
    store = ProxyStore(tmp_path)
    assert store.used_bytes() == 0
    _put(store, "a", 0, 100)
    _put(store, "a", 1, 20)
    _put(store, "b", 0, 3)
    assert store.used_bytes() == 123
    assert store.used_bytes("a") == 120
    store.delete_segment("a", 1)
    store.delete_segment("a", 7)
    assert store.used_bytes("a") == 100
    assert len(list((tmp_path / "a").iterdir())) == 2
    store.delete("a")
    assert store.used_bytes() == 3
    store.clear()
    store.clear()
    assert store.used_bytes() == 0


def test_room_is_made_of_what_was_not_used_for_longest(tmp_path: Path) -> None:
    store = ProxyStore(tmp_path, max_bytes=100)
    for number, read_at in enumerate([50.0, 10.0, 30.0]):
        _put(store, "old", number, 20, read_at)
    _put(store, "open", 0, 20, read_at=1.0)
    store.make_room(20, in_use={"open"})
    assert store.used_bytes() == 80
    store.touch("old", 1)
    store.make_room(40, in_use={"open"})
    assert [store.has("old", n) for n in range(3)] == [True, True, False]
    assert store.has("open", 0)
    with pytest.raises(NoRoomError) as caught:
        store.make_room(90, in_use={"open"})
    assert str(caught.value).endswith(".")
    assert "GB set for them" in str(caught.value)
    assert store.has("open", 0)
    store.make_room(90)
    assert store.used_bytes() == 0


def test_a_nearly_full_disk_ends_the_making_with_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Usage(NamedTuple):
        total: int
        used: int
        free: int

    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(1 << 40, 0, (1 << 30) + 100))
    store = ProxyStore(tmp_path / "a" / "b")
    store.make_room(100)
    with pytest.raises(NoRoomError, match="nearly full"):
        store.make_room(101)
    _put(store, "old", 0, 50)
    store.make_room(101)  # by dropping it
    assert store.used_bytes() == 0


def test_leftovers_of_killed_makers_are_swept_up(tmp_path: Path) -> None:
    store = ProxyStore(tmp_path)
    whole = _put(store, "a", 0, 10)
    old, young = (whole.with_name(f".{n}.mp4.part") for n in (1, 2))
    for part in (old, young):
        part.write_bytes(b"half")
    os.utime(old, (1, 1))
    store.sweep()
    assert not old.exists()
    assert young.exists()
    assert whole.exists()


def test_a_key_is_of_the_content_and_not_of_the_name(tmp_path: Path) -> None:
    one, same, other = (tmp_path / name for name in ("a.mp4", "b.mp4", "c.mp4"))
    content = np.random.default_rng(0).bytes(300_000)
    one.write_bytes(content)
    same.write_bytes(content)
    other.write_bytes(content[:-1] + b"?")
    assert proxy_key(one) == proxy_key(same) != proxy_key(other)
    assert proxy_key(one).replace("-", "").isalnum()
    with pytest.raises(OSError, match="missing"):
        proxy_key(tmp_path / "missing.mp4")


@pytest.mark.parametrize("where", [200_000, 1_000_000, 1_800_000])
def test_a_video_of_the_same_size_and_ends_has_another_key(tmp_path: Path, where: int) -> None:
    content = bytearray(np.random.default_rng(0).bytes(2_000_000))
    video = tmp_path / "uncompressed.avi"
    video.write_bytes(content)
    key = proxy_key(video)
    content[where - 50_000 : where + 50_000] = bytes(100_000)
    video.write_bytes(content)
    assert proxy_key(video) != key


def test_the_folder_is_the_users_cache(tmp_path: Path) -> None:
    assert proxy_folder().is_relative_to(tmp_path)
    assert ProxyStore().folder == proxy_folder()


@pytest.mark.parametrize(
    ("index", "is_needed", "size"),
    [
        (index_of(1000, 1000, group=250), True, (640, 640)),
        (index_of(1920, 1080, group=15), False, (640, 360)),
        (index_of(1080, 1920, group=15), False, (360, 640)),
        (index_of(1920, 1080, group=16), True, (640, 360)),
        (index_of(3840, 2160, group=1), True, (640, 360)),
        (index_of(1280, 720, group=1), False, (640, 360)),
        (index_of(481, 323, group=300), True, (480, 324)),
        (index_of(1088, 1920, group=300), True, (362, 640)),
        (index_of(4000, 3, group=300), True, (640, 2)),
    ],
)
def test_short_groups_of_small_pictures_need_no_proxy(
    index: VideoIndex, is_needed: bool, size: tuple[int, int]
) -> None:
    assert needs_proxy(index) is is_needed
    assert proxy_size(index) == size
    assert max(size) <= proxy_store.PROXY_LONG_SIDE
