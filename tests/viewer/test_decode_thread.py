"""A thread answers the newest request, gives way while decoding, and never dies of a bad file."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.data.errors import UserError
from pipeline.io.frame_cache import FrameCache
from simspine_viewer import decode_thread, picture_source
from simspine_viewer.decode_thread import Answers, DecodeRequest, DecodeThread
from simspine_viewer.picture import Picture, Tier
from tests.viewer.gated_video import GatedReader

WAIT = 10.0


class Listener:
    """A thread for the gated video, and what it has said."""

    def __init__(self, name: str = "gated.mp4") -> None:
        self.delivered: queue.Queue[tuple[int, Picture]] = queue.Queue()
        self.faults: list[str] = []
        self.opened: list[int] = []
        answers = Answers(
            lambda view, ticket, picture: self.delivered.put((ticket, picture)),
            lambda view, sentence: self.faults.append(sentence),
            lambda view, key, index: self.opened.append(index.frame_count),
        )
        self.thread = DecodeThread(0, Path(name), FrameCache(10_000), 10_000, None, answers)

    def next(self) -> tuple[int, Picture]:
        return self.delivered.get(timeout=WAIT)


@pytest.fixture
def listener(monkeypatch: pytest.MonkeyPatch) -> Iterator[Listener]:
    monkeypatch.setattr(picture_source, "open_video", GatedReader)
    GatedReader.gate.set()
    made = Listener()
    yield made
    GatedReader.gate.set()
    made.thread.stop()
    assert made.thread.join(WAIT)


def test_the_file_is_opened_at_the_first_request(listener: Listener) -> None:
    assert listener.opened == []
    listener.thread.request(DecodeRequest(1, 0, 0))
    assert listener.next()[0] == 1
    listener.thread.request(DecodeRequest(2, 1, 1))
    listener.next()
    assert listener.opened == [400]


def test_an_exact_frame_gives_way_to_a_newer_request(listener: Listener) -> None:
    GatedReader.gate.clear()
    listener.thread.request(DecodeRequest(1, 250, 250, exact=True))
    listener.thread.request(DecodeRequest(2, 180, 180, snap=True))
    ticket, picture = listener.next()
    assert (ticket, picture.tier, picture.shown_frame) == (2, Tier.KEYFRAME, 100)
    GatedReader.gate.set()
    listener.thread.request(DecodeRequest(3, 180, 180, exact=True))
    assert listener.next()[1].is_full
    assert GatedReader.times("decoded", 250) == 0


def test_stopping_does_not_wait_for_an_exact_frame(listener: Listener) -> None:
    GatedReader.gate.clear()
    listener.thread.request(DecodeRequest(1, 250, 250, exact=True))
    listener.thread.stop()
    assert listener.thread.join(WAIT)
    assert listener.delivered.empty()


def test_pictures_kept_are_not_decoded_again_nor_written_to(listener: Listener) -> None:
    for ticket in (1, 2):
        listener.thread.request(DecodeRequest(ticket, 5, 5, exact=True))
        _, picture = listener.next()
        assert picture.pixels is not None
        assert not picture.pixels.flags.writeable
    assert GatedReader.times("decoded", 5) == 1


def test_a_fault_is_said_once_and_the_thread_lives_on(listener: Listener) -> None:
    for ticket in (1, 2):
        listener.thread.request(DecodeRequest(ticket, 13, 13))
        assert "thirteen" in listener.next()[1].reason
    assert len(listener.faults) == 1
    listener.thread.request(DecodeRequest(3, 12, 12))
    assert listener.next()[1].pixels is not None


def test_an_unreadable_file_is_not_tried_for_every_frame(
    listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = []

    def refuse(path: Path, keep_bytes: int) -> GatedReader:
        tried.append(path)
        raise UserError(f"{path}: no video.")

    monkeypatch.setattr(picture_source, "open_video", refuse)
    for ticket in (1, 2):
        listener.thread.request(DecodeRequest(ticket, ticket, ticket))
        assert listener.next()[1].reason == "gated.mp4: no video."
    assert len(tried) == len(listener.faults) == 1


def test_a_file_that_comes_back_is_shown_and_a_fault_said_once(
    listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, keep_bytes: int) -> GatedReader:
        raise UserError(f"{path}: no video.")

    monkeypatch.setattr(decode_thread, "_AGAIN_SECONDS", 0.0)
    with monkeypatch.context() as away:
        away.setattr(picture_source, "open_video", refuse)
        for ticket in (1, 2):
            listener.thread.request(DecodeRequest(ticket, 3, 3))
            assert listener.next()[1].reason == "gated.mp4: no video."
    listener.thread.request(DecodeRequest(3, 3, 3))
    assert listener.next()[1].pixels is not None
    assert len(listener.faults) == 1
