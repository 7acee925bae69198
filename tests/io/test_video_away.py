"""A file that is away for a while, as on a network share, is read again once it is back."""

from __future__ import annotations

import errno
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from av.error import OSError as AvOSError

from pipeline.data.errors import UserError
from pipeline.io import video, video_decode
from pipeline.io.video import VideoReader
from pipeline.io.video_open import is_readable, open_container
from tests.truth.video import read_code
from tests.truth.video_kinds import VideoKinds

FEW = 3


class Share:
    """Says of containers opened through it whether their packets come."""

    def __init__(self) -> None:
        self.away = False

    def open(self, path: Path) -> tuple[Any, Any]:
        container, stream = open_container(path)
        return _Flaky(container, self), stream


class _Flaky:
    """A container of which only the first packets come while its share is away."""

    def __init__(self, container: Any, share: Share) -> None:
        self._container, self._share = container, share

    def __getattr__(self, name: str) -> Any:
        return getattr(self._container, name)

    def demux(self, stream: Any) -> Iterator[Any]:
        for count, packet in enumerate(self._container.demux(stream)):
            if self._share.away and count >= FEW:
                raise AvOSError(errno.EIO, "Input/output error")
            yield packet


@pytest.fixture
def share(monkeypatch: pytest.MonkeyPatch) -> Share:
    made = Share()
    monkeypatch.setattr(video_decode, "open_container", made.open)
    monkeypatch.setattr(video, "is_readable", lambda _: not made.away)
    return made


def _number(reader: VideoReader, frame: int) -> int | None:
    image = reader.get(frame)
    return None if image is None else read_code(image)


@pytest.mark.parametrize("kind", ["b_frames", "matroska", "avi"])
def test_what_could_not_be_read_is_asked_for_again(kinds: VideoKinds, share: Share, kind) -> None:
    frames = random.Random(2).sample(range(20, 590), 8)
    with VideoReader(kinds[kind]) as reader:
        assert _number(reader, 5) == 5
        share.away = True
        assert [_number(reader, frame) for frame in frames] == [None] * len(frames)
        reader.prefetch_before(300)
        share.away = False
        assert [_number(reader, frame) for frame in frames] == frames
        assert _number(reader, 299) == 299


def test_a_short_fault_is_not_noticed(kinds: VideoKinds, share: Share, monkeypatch) -> None:
    opened: list[Path] = []

    def reopening(path: Path) -> tuple[Any, Any]:
        share.away = False
        opened.append(path)
        return share.open(path)

    with VideoReader(kinds["b_frames"]) as reader:
        _number(reader, 5)
        share.away = True
        monkeypatch.setattr(video_decode, "open_container", reopening)
        assert _number(reader, 321) == 321
    assert opened == [kinds["b_frames"]]


def test_a_file_that_went_and_came_back(kinds: VideoKinds, share: Share, tmp_path: Path) -> None:
    path = tmp_path / "walk.mp4"
    path.write_bytes(kinds["b_frames"].read_bytes())
    with VideoReader(path) as reader:
        assert _number(reader, 5) == 5
        share.away = True
        path.rename(tmp_path / "away.mp4")
        for _ in range(2):
            with pytest.raises(UserError, match="does not exist"):
                reader.get(300)
        share.away = False
        (tmp_path / "away.mp4").rename(path)
        assert _number(reader, 300) == 300


def test_what_the_content_lacks_is_not_decoded_again(
    kinds: VideoKinds, monkeypatch: pytest.MonkeyPatch
) -> None:
    with VideoReader(kinds["truncated"]) as reader:
        last = reader.index.frame_count - 1
        missing = [frame for frame in range(last - 3, last + 1) if reader.get(frame) is None]
        assert missing
        monkeypatch.setattr(reader, "_decode", lambda *_: pytest.fail("decoded again"))
        assert [reader.get(frame) for frame in missing] == [None] * len(missing)


def test_what_can_be_read(tmp_path: Path) -> None:
    path = tmp_path / "a"
    assert not is_readable(path)
    path.write_bytes(b"")
    assert not is_readable(path)
    path.write_bytes(b"x")
    assert is_readable(path)
    assert not is_readable(tmp_path)
