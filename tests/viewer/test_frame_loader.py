"""Pictures of all views arrive together, the newest request wins, and no thread is left over."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from pipeline.data.camera import SyncMap
from pipeline.data.sequence import VideoRef
from simspine_viewer import decode_thread, frame_loader
from simspine_viewer.frame_loader import FrameLoader
from simspine_viewer.picture import NO_FRAME, NO_VIDEO, NOT_DECODABLE, Picture
from tests.truth.video import HEIGHT, WIDTH, encode, read_code

pytestmark = pytest.mark.gui

N = 40
OPTIONS = ("-c:v", "libx264", "-preset", "ultrafast", "-g", "20", "-pix_fmt", "yuv420p")


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> tuple[VideoRef, ...]:
    folder = tmp_path_factory.mktemp("videos")
    paths = [encode(folder / f"{v}.mp4", range(100 * v, 100 * v + N), *OPTIONS) for v in range(3)]
    return tuple(VideoRef(path, (WIDTH, HEIGHT), N) for path in paths)


class Shown:
    """What a loader emits."""

    def __init__(self, loader: FrameLoader) -> None:
        self.frames: list[int] = []
        self.pictures: tuple[Picture, ...] = ()
        self.faults: list[tuple[int, str]] = []
        loader.frames_ready.connect(self._take)
        loader.failed.connect(lambda view, sentence: self.faults.append((view, sentence)))

    def _take(self, frame: int, pictures: tuple[Picture, ...]) -> None:
        assert {picture.frame for picture in pictures} <= {frame}
        self.frames.append(frame)
        self.pictures = pictures


@pytest.fixture
def loader(qtbot: QtBot):
    loader = FrameLoader()
    yield loader
    loader.close()
    assert not decode_threads()


def decode_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("decode-")]


def syncs(*offsets: int) -> tuple[SyncMap, ...]:
    return tuple(SyncMap(offset, 1.0, N) for offset in offsets)


def get(qtbot: QtBot, loader: FrameLoader, shown: Shown, frame: int) -> tuple[Picture, ...]:
    loader.request(frame)
    qtbot.waitUntil(lambda: not loader.busy and shown.frames[-1:] == [frame])
    return shown.pictures


def codes(pictures: tuple[Picture, ...]) -> list[int | None]:
    return [None if p.pixels is None else read_code(p.pixels) for p in pictures]


def test_every_view_shows_its_own_frame_of_the_instant(qtbot: QtBot, loader, videos) -> None:
    shown = Shown(loader)
    loader.set_recording(videos, syncs(0, 5, -3))
    for frame in (7, 8, 30, 12, 11, 10):
        pictures = get(qtbot, loader, shown, frame)
        assert codes(pictures) == [frame, 100 + frame + 5, 200 + frame - 3]
        assert [p.video_frame for p in pictures] == [frame, frame + 5, frame - 3]


def test_a_view_without_a_picture_says_why(qtbot: QtBot, loader, videos) -> None:
    shown = Shown(loader)
    loader.set_recording((*videos[:2], VideoRef(None, (0, 0), 0)), syncs(0, -10, 0))
    pictures = get(qtbot, loader, shown, 4)
    assert codes(pictures) == [4, None, None]
    assert [p.reason for p in pictures] == ["", NO_FRAME, NO_VIDEO]


def test_views_without_any_video_are_answered_too(qtbot: QtBot, loader) -> None:
    shown = Shown(loader)
    loader.set_recording([VideoRef(None, (0, 0), 0)] * 2, syncs(0, 0))
    assert [p.reason for p in get(qtbot, loader, shown, 3)] == [NO_VIDEO, NO_VIDEO]


def test_an_unreadable_video_leaves_the_others_playing(
    qtbot: QtBot, loader, videos, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"not a video at all")
    shown = Shown(loader)
    loader.set_recording((videos[0], VideoRef(broken, (1, 1), N), videos[2]), syncs(0, 0, 0))
    for frame in (3, 4, 20):
        pictures = get(qtbot, loader, shown, frame)
        assert codes(pictures) == [frame, None, 200 + frame]
        assert "broken.mp4" in pictures[1].reason
    assert [view for view, _ in shown.faults] == [1]
    assert shown.faults[0][1] == pictures[1].reason


def test_the_last_request_is_the_last_shown(qtbot: QtBot, loader, videos) -> None:
    shown = Shown(loader)
    loader.set_recording(videos, syncs(0, 0, 0))
    asked = [int(f) for f in np.random.default_rng(1).integers(0, N, 200)] + [33]
    for frame in asked:
        loader.request(frame)
    qtbot.waitUntil(lambda: not loader.busy)
    assert shown.frames[-1] == 33
    assert codes(shown.pictures) == [33, 133, 233]
    qtbot.wait(50)
    assert shown.frames[-1] == 33
    counts = loader.shown
    assert counts.requested == len(asked)
    assert counts.shown == len(shown.frames)
    assert counts.dropped == counts.requested - counts.shown


class GatedReader:
    """A reader that decodes only while its gate is open, and keeps a list of what it decoded."""

    gate = threading.Event()
    loose = threading.Event()
    decoded: list[int]

    def __init__(self, path: Path, **_: object) -> None:
        self.own_gate = self.loose if path.name == "hanging.mp4" else self.gate
        type(self).decoded = []

    def get(self, frame: int) -> np.ndarray | None:
        assert self.own_gate.wait(10)
        if frame == 13:
            raise RuntimeError("thirteen")
        self.decoded.append(frame)
        return None if frame == 14 else np.full((2, 2, 4), frame, np.uint8)

    def suspect(self, frame: int) -> bool:
        return frame == 15

    def close(self) -> None:
        pass


@pytest.fixture
def gated(monkeypatch: pytest.MonkeyPatch) -> type[GatedReader]:
    monkeypatch.setattr(decode_thread, "VideoReader", GatedReader)
    GatedReader.gate.set()
    GatedReader.loose.set()
    return GatedReader


ONE = (VideoRef(Path("gated.mp4"), (2, 2), N),)


def test_what_lies_between_the_frame_in_work_and_the_newest_is_dropped(
    qtbot: QtBot, loader, gated
) -> None:
    shown = Shown(loader)
    gated.gate.clear()
    loader.set_recording(ONE, syncs(0))
    for frame in range(20, 30):
        loader.request(frame)
    gated.gate.set()
    qtbot.waitUntil(lambda: not loader.busy)
    assert shown.frames == [20, 29]
    assert loader.shown.dropped == 8


@pytest.mark.parametrize(
    ("before", "frame", "ahead"), [(5, 6, [7, 8, 9, 10]), (9, 8, [7, 6, 5, 4])]
)
def test_idle_threads_prefetch_in_the_direction_of_travel(
    qtbot: QtBot, loader, gated, before: int, frame: int, ahead: list[int]
) -> None:
    shown = Shown(loader)
    loader.set_recording(ONE, syncs(0))
    get(qtbot, loader, shown, before)
    get(qtbot, loader, shown, frame)
    qtbot.waitUntil(lambda: set(ahead) <= set(gated.decoded))
    count = gated.decoded.count(ahead[0])
    get(qtbot, loader, shown, ahead[0])
    assert gated.decoded.count(ahead[0]) == count == 1


def test_faults_in_a_thread_become_reasons(qtbot: QtBot, loader, gated) -> None:
    shown = Shown(loader)
    loader.set_recording(ONE, syncs(0))
    get(qtbot, loader, shown, 12)
    assert not shown.faults  # although 13 was tried ahead of time
    assert "thirteen" in get(qtbot, loader, shown, 13)[0].reason
    assert [view for view, _ in shown.faults] == [0]
    assert get(qtbot, loader, shown, 14)[0].reason == NOT_DECODABLE
    assert get(qtbot, loader, shown, 15)[0].suspect
    assert get(qtbot, loader, shown, 2)[0].pixels is not None


def test_closing_ends_the_threads_and_says_nothing_more(qtbot: QtBot, loader, videos) -> None:
    shown = Shown(loader)
    loader.set_recording(videos, syncs(0, 0, 0))
    loader.request(5)
    assert len(decode_threads()) == 3
    loader.close()
    assert not decode_threads()
    loader.request(6)
    qtbot.wait(50)
    assert shown.frames == []


def test_another_recording_takes_the_place_of_the_first(qtbot: QtBot, loader, videos) -> None:
    shown = Shown(loader)
    loader.set_recording(videos, syncs(0, 0, 0))
    get(qtbot, loader, shown, 5)
    loader.request(30)
    loader.set_recording(videos[2:], syncs(0))
    assert codes(get(qtbot, loader, shown, 5)) == [205]
    assert 30 not in shown.frames
    assert loader.shown.requested == 1


def test_a_decoder_that_hangs_is_left_behind_and_not_listened_to(
    qtbot: QtBot, loader, gated, monkeypatch: pytest.MonkeyPatch, caplog
) -> None:
    monkeypatch.setattr(frame_loader, "JOIN_SECONDS", 0.05)
    shown = Shown(loader)
    hanging = VideoRef(Path("hanging.mp4"), (2, 2), N)
    gated.loose.clear()
    loader.set_recording([hanging], syncs(0))
    loader.request(20)
    qtbot.wait(20)
    loader.set_recording(ONE, syncs(5))
    assert "did not end" in caplog.text
    gated.gate.clear()
    loader.request(21)
    gated.loose.set()
    qtbot.waitUntil(lambda: len(decode_threads()) == 1)
    qtbot.wait(20)
    assert shown.frames == []
    gated.gate.set()
    qtbot.waitUntil(lambda: not loader.busy)
    assert shown.frames == [21]
    assert shown.pictures[0].video_frame == 26


@pytest.mark.realdata
def test_the_real_recording_steps_both_ways(qtbot: QtBot, loader, balancing: Path) -> None:
    paths = sorted((balancing / "videos").iterdir())
    shown = Shown(loader)
    loader.set_recording(
        [VideoRef(path, (1080, 1920), 100) for path in paths],
        [SyncMap(n_frames=100)] * len(paths),
    )
    forward = {f: get(qtbot, loader, shown, f) for f in (30, 31, 32)}
    back = {f: get(qtbot, loader, shown, f) for f in (31, 30)}
    for frame in (30, 31):
        for first, second in zip(forward[frame], back[frame], strict=True):
            assert np.array_equal(first.pixels, second.pixels)
    assert forward[30][0].pixels.shape == (1920, 1080, 4)
    assert forward[30][2].pixels.shape == (1920, 1088, 4)
