"""Pictures of all views arrive together, quick ones first and exact ones at rest."""

from __future__ import annotations

import contextlib
import os
import threading
from pathlib import Path

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from pipeline.data.camera import SyncMap
from pipeline.data.sequence import VideoRef
from pipeline.io.proxy_store import ProxyStore
from simspine_viewer import frame_loader, picture_source
from simspine_viewer.frame_loader import FrameLoader
from simspine_viewer.picture import NO_FRAME, NO_VIDEO, NOT_DECODABLE, Picture, Tier
from simspine_viewer.picture_refiner import REST_MS
from tests.truth.video import HEIGHT, WIDTH, encode, read_code
from tests.viewer.gated_video import GatedReader, prepare
from tests.viewer.gated_video import N as GATED_N

pytestmark = pytest.mark.gui

N = 60
OPTIONS = ("-c:v", "libx264", "-preset", "ultrafast", "-g", "30", "-pix_fmt", "yuv420p")
WAIT_MS = 30_000
NO_REF = VideoRef(None, (0, 0), 0)


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> tuple[VideoRef, ...]:
    folder = tmp_path_factory.mktemp("videos")
    paths = [encode(folder / f"{v}.mp4", range(100 * v, 100 * v + N), *OPTIONS) for v in range(3)]
    return tuple(VideoRef(path, (WIDTH, HEIGHT), N) for path in paths)


class Shown:
    """What a loader emits, and the pictures that are on the screen then."""

    def __init__(self, loader: FrameLoader) -> None:
        self.loader = loader
        self.frames: list[int] = []
        self.first: tuple[Picture, ...] = ()
        self.pictures: list[Picture] = []
        self.refined: list[int] = []
        self.faults: list[tuple[int, str]] = []
        loader.frames_ready.connect(self._take)
        loader.picture_refined.connect(self._refine)
        loader.failed.connect(lambda view, sentence: self.faults.append((view, sentence)))

    def _take(self, frame: int, pictures: tuple[Picture, ...]) -> None:
        assert {picture.frame for picture in pictures} <= {frame}
        self.frames.append(frame)
        self.first, self.pictures = pictures, list(pictures)

    def _refine(self, view: int, picture: Picture) -> None:
        assert picture.frame == self.frames[-1]
        assert picture.is_full
        self.refined.append(view)
        self.pictures[view] = picture

    def at(self, qtbot: QtBot, frame: int) -> list[Picture]:
        """The pictures once all of them are exact."""
        self.loader.request(frame)
        qtbot.waitUntil(
            lambda: self.loader.settled and self.frames[-1:] == [frame], timeout=WAIT_MS
        )
        return self.pictures

    @property
    def codes(self) -> list[int | None]:
        return codes(self.pictures)


@pytest.fixture
def loader(qtbot: QtBot):
    loader = FrameLoader()
    yield loader
    loader.close()
    assert not decode_threads()


def decode_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("decode-")]


def syncs(*offsets: int, n: int = N) -> tuple[SyncMap, ...]:
    return tuple(SyncMap(offset, 1.0, n) for offset in offsets)


def codes(pictures) -> list[int | None]:
    return [None if p.pixels is None else read_code(p.pixels) for p in pictures]


def test_every_view_shows_its_own_frame_of_the_instant(qtbot: QtBot, loader, videos) -> None:
    shown = Shown(loader)
    loader.set_recording(videos, syncs(0, 5, -3))
    for frame in (7, 8, 50, 12, 11, 10):
        pictures = shown.at(qtbot, frame)
        assert codes(pictures) == [frame, 100 + frame + 5, 200 + frame - 3]
        assert [p.video_frame for p in pictures] == [frame, frame + 5, frame - 3]
        assert all(p.is_full for p in pictures)


def test_a_view_without_a_picture_says_why(qtbot: QtBot, loader, videos) -> None:
    shown = Shown(loader)
    loader.set_recording((*videos[:2], NO_REF), syncs(0, -10, 0))
    pictures = shown.at(qtbot, 4)
    assert codes(pictures) == [4, None, None]
    assert [p.reason for p in pictures] == ["", NO_FRAME, NO_VIDEO]


def test_views_without_any_video_are_answered_too(qtbot: QtBot, loader) -> None:
    shown = Shown(loader)
    loader.set_recording([NO_REF] * 2, syncs(0, 0))
    assert [p.reason for p in shown.at(qtbot, 3)] == [NO_VIDEO, NO_VIDEO]


def test_an_unreadable_video_leaves_the_others_playing(
    qtbot: QtBot, loader, videos, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"not a video at all")
    shown = Shown(loader)
    loader.set_recording((videos[0], VideoRef(broken, (1, 1), N), videos[2]), syncs(0, 0, 0))
    for frame in (3, 4, 20):
        pictures = shown.at(qtbot, frame)
        assert codes(pictures) == [frame, None, 200 + frame]
        assert "broken.mp4" in pictures[1].reason
    assert [view for view, _ in shown.faults] == [1]
    assert shown.faults[0][1] == pictures[1].reason


def test_a_video_damaged_midway_is_marked_and_goes_on_behind(
    qtbot: QtBot, loader, videos, tmp_path: Path
) -> None:
    data = bytearray(videos[0].path.read_bytes())
    middle = len(data) // 3
    data[middle : middle + 600] = bytes(600)
    damaged = tmp_path / "damaged.mp4"
    damaged.write_bytes(data)
    shown = Shown(loader)
    loader.set_recording((VideoRef(damaged, (WIDTH, HEIGHT), N), videos[1]), syncs(0, 0))
    seen = []
    for frame in range(N):
        picture, other = shown.at(qtbot, frame)
        assert codes([other]) == [100 + frame]
        seen.append((codes([picture])[0] == frame, picture.suspect or picture.pixels is None))
    assert any(marked for _, marked in seen)
    assert all(is_right or marked for is_right, marked in seen)
    assert seen[0] == (True, False)
    assert seen[-1] == (True, False)  # a keyframe lies between


def test_the_last_request_is_the_last_shown(qtbot: QtBot, loader, videos) -> None:
    shown = Shown(loader)
    loader.set_recording(videos, syncs(0, 0, 0))
    asked = [int(f) for f in np.random.default_rng(1).integers(0, N, 200)] + [33]
    for frame in asked:
        loader.request(frame)
    qtbot.waitUntil(lambda: loader.settled, timeout=WAIT_MS)
    assert shown.frames[-1] == 33
    assert shown.codes == [33, 133, 233]
    counts = loader.shown
    assert counts.requested == len(asked)
    assert counts.shown == len(shown.frames)
    assert counts.dropped == counts.requested - counts.shown


def test_a_changed_time_axis_shifts_the_pictures_at_once(qtbot: QtBot, loader, videos) -> None:
    shown = Shown(loader)
    loader.set_recording(videos, syncs(0, 0, 0))
    shown.at(qtbot, 20)
    loader.set_syncs(syncs(0, 7, -30))
    qtbot.waitUntil(lambda: loader.settled and len(shown.frames) == 2, timeout=WAIT_MS)
    assert shown.codes == [20, 127, None]
    assert shown.pictures[2].reason == NO_FRAME


def test_small_copies_are_shown_first_and_the_video_itself_at_rest(
    qtbot: QtBot, loader, videos, tmp_path: Path
) -> None:
    store = ProxyStore(tmp_path / "proxies")
    for video in videos[:2]:
        prepare(video.path, store)
    shown = Shown(loader)
    loader.set_store(store)
    loader.set_active(1)
    loader.set_recording(videos, syncs(0, 3, 0))
    for frame in (50, 49, 20, 19):
        pictures = shown.at(qtbot, frame)
        assert [p.tier for p in shown.first[:2]] == [Tier.PROXY] * 2
        assert codes(shown.first[:2]) == [frame, 103 + frame]
        assert codes(pictures) == [frame, 103 + frame, 200 + frame]
        assert all(p.is_full for p in pictures)
        assert shown.refined[0] == 1  # the active view first
        shown.refined.clear()
    loader.set_store(None)
    shown.at(qtbot, 40)
    assert Tier.PROXY not in [p.tier for p in shown.first]


def test_while_playing_nothing_is_refined(qtbot: QtBot, loader, videos, tmp_path: Path) -> None:
    store = ProxyStore(tmp_path / "proxies")
    prepare(videos[0].path, store)
    shown = Shown(loader)
    loader.set_store(store)
    loader.set_recording(videos[:1], syncs(0))
    loader.set_playing(True)
    loader.request(30)
    qtbot.waitUntil(lambda: shown.frames == [30], timeout=WAIT_MS)
    qtbot.wait(3 * REST_MS)
    assert shown.refined == []
    loader.set_playing(False)
    qtbot.waitUntil(lambda: shown.refined == [0], timeout=WAIT_MS)


def test_moving_pictures_are_no_larger_than_the_pane_needs(qtbot: QtBot, loader, videos) -> None:
    shown = Shown(loader)
    loader.set_recording(videos[:1], syncs(0))
    loader.set_target_size(0, (WIDTH // 2, HEIGHT // 2))
    pictures = shown.at(qtbot, 5)
    assert shown.first[0].pixels.shape == (HEIGHT // 2, WIDTH // 2, 4)
    assert shown.first[0].source_size == (WIDTH, HEIGHT)
    assert pictures[0].pixels.shape == (HEIGHT, WIDTH, 4)


def test_memory_is_bounded_over_all_kinds_of_pictures(
    qtbot: QtBot, loader, videos, tmp_path: Path
) -> None:
    store = ProxyStore(tmp_path / "proxies")
    prepare(videos[0].path, store)
    loader.set_memory(2**20)
    loader.set_store(store)
    shown = Shown(loader)
    loader.set_recording(videos, syncs(0, 0, 0))
    for frame in range(0, N, 3):
        shown.at(qtbot, frame)
    assert 0 < loader._cache.used_bytes <= 2**20


@pytest.fixture
def gated(monkeypatch: pytest.MonkeyPatch) -> type[GatedReader]:
    monkeypatch.setattr(picture_source, "open_video", GatedReader)
    GatedReader.gate.set()
    GatedReader.loose.set()
    return GatedReader


ONE = (VideoRef(Path("gated.mp4"), (2, 2), GATED_N),)


def test_a_keyframe_stands_in_for_a_far_frame_and_says_so(qtbot: QtBot, loader, gated) -> None:
    shown = Shown(loader)
    loader.set_recording(ONE, syncs(0, n=GATED_N))
    shown.at(qtbot, 5)
    (picture,) = shown.at(qtbot, 250)
    (first,) = shown.first
    assert (first.tier, first.frames_early, first.is_own) == (Tier.KEYFRAME, 50, False)
    assert first.pixels[0, 0, 0] == 100
    assert picture.is_own
    assert picture.pixels[0, 0, 0] == 125
    shown.at(qtbot, 251)
    assert shown.first[0].is_own  # a step is worth waiting for
    shown.at(qtbot, 310)
    assert shown.first[0].is_own  # ten frames from a keyframe: that is soon there itself


def test_a_newer_request_ends_the_decoding_of_an_exact_frame(qtbot: QtBot, loader, gated) -> None:
    shown = Shown(loader)
    loader.set_recording(ONE, syncs(0, n=GATED_N))
    shown.at(qtbot, 5)
    gated.gate.clear()
    loader.request(250)
    qtbot.waitUntil(lambda: shown.frames[-1] == 250, timeout=WAIT_MS)
    qtbot.wait(3 * REST_MS)  # the exact frame is being decoded now
    loader.request(350)
    qtbot.waitUntil(lambda: shown.frames[-1] == 350, timeout=WAIT_MS)
    assert gated.times("gave up", 250) == 1
    gated.gate.set()
    qtbot.waitUntil(lambda: loader.settled, timeout=WAIT_MS)
    assert gated.times("decoded", 250) == 0
    assert shown.pictures[0].video_frame == 350
    assert shown.pictures[0].is_full


def test_what_lies_between_the_frame_in_work_and_the_newest_is_dropped(
    qtbot: QtBot, loader, gated
) -> None:
    shown = Shown(loader)
    loader.set_recording(ONE, syncs(0, n=GATED_N))
    shown.at(qtbot, 50)
    gated.gate.clear()
    for frame in range(49, 40, -1):
        loader.request(frame)
    gated.gate.set()
    qtbot.waitUntil(lambda: loader.settled, timeout=WAIT_MS)
    assert shown.frames == [50, 49, 41]
    assert loader.shown.dropped == 7


def test_a_jump_does_not_wait_for_a_slow_step(qtbot: QtBot, loader, gated) -> None:
    shown = Shown(loader)
    loader.set_recording(ONE, syncs(0, n=GATED_N))
    shown.at(qtbot, 50)
    gated.gate.clear()
    loader.request(49)
    qtbot.wait(20)
    loader.request(300)
    gated.gate.set()
    qtbot.waitUntil(lambda: loader.settled, timeout=WAIT_MS)
    assert shown.frames == [50, 300]


def test_idle_threads_work_ahead_in_the_direction_of_travel(qtbot: QtBot, loader, gated) -> None:
    shown = Shown(loader)
    loader.set_recording(ONE, syncs(0, n=GATED_N))
    shown.at(qtbot, 5)
    loader.request(6)
    qtbot.waitUntil(lambda: all(gated.times("decoded", f) for f in (7, 8, 9, 10)), timeout=WAIT_MS)
    assert gated.times("before", 6) == 0
    shown.at(qtbot, 7)
    assert gated.times("decoded", 7) == 1
    loader.request(6)
    qtbot.waitUntil(lambda: gated.times("before", 6) > 0, timeout=WAIT_MS)


def test_play_works_ahead_by_its_own_stride(qtbot: QtBot, loader, gated) -> None:
    shown = Shown(loader)
    loader.set_recording(ONE, syncs(0, n=GATED_N))
    loader.set_playing(True)
    for frame in (20, 24):
        shown.at(qtbot, frame)
    qtbot.waitUntil(lambda: gated.times("decoded", 40) == 1, timeout=WAIT_MS)
    assert not any(gated.times("decoded", f) for f in (25, 26, 27, 29))


def test_faults_in_a_thread_become_reasons(qtbot: QtBot, loader, gated) -> None:
    shown = Shown(loader)
    loader.set_recording(ONE, syncs(0, n=GATED_N))
    shown.at(qtbot, 11)
    shown.at(qtbot, 12)
    assert not shown.faults  # although 13 was tried ahead of time
    assert "thirteen" in shown.at(qtbot, 13)[0].reason
    assert [view for view, _ in shown.faults] == [0]
    assert shown.at(qtbot, 14)[0].reason == NOT_DECODABLE
    assert shown.at(qtbot, 15)[0].suspect
    assert shown.at(qtbot, 2)[0].pixels is not None


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


def _open_below(*folders: Path) -> list[str]:
    """Files of these folders that are open here; others come and go with what ran before."""
    names = []
    for link in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):  # closed meanwhile
            names.append(os.readlink(link))
    return [name for name in names if any(name.startswith(str(folder)) for folder in folders)]


def test_threads_and_files_are_let_go_of(qtbot: QtBot, loader, videos, tmp_path: Path) -> None:
    files = Path("/proc/self/fd")
    if not files.is_dir():
        pytest.skip("open files cannot be counted here")
    store = ProxyStore(tmp_path / "proxies")
    prepare(videos[0].path, store)
    loader.set_store(store)
    shown = Shown(loader)

    def use() -> int:
        loader.set_recording(videos, syncs(0, 0, 0))
        for frame in (3, 50, 20, 19):
            shown.at(qtbot, frame)
        loader.close()
        return len(_open_below(tmp_path, videos[0].path.parent))

    assert [use() for _ in range(5)] == [0] * 5
    assert not decode_threads()


def test_another_recording_takes_the_place_of_the_first(qtbot: QtBot, loader, videos) -> None:
    shown = Shown(loader)
    loader.set_recording(videos, syncs(0, 0, 0))
    shown.at(qtbot, 5)
    loader.request(30)
    loader.set_recording(videos[2:], syncs(0))
    assert codes(shown.at(qtbot, 5)) == [205]
    assert 30 not in shown.frames
    assert loader.shown.requested == 1


def test_a_decoder_that_hangs_is_left_behind_and_not_listened_to(
    qtbot: QtBot, loader, gated, monkeypatch: pytest.MonkeyPatch, caplog
) -> None:
    monkeypatch.setattr(frame_loader, "JOIN_SECONDS", 0.05)
    shown = Shown(loader)
    hanging = VideoRef(Path("hanging.mp4"), (2, 2), GATED_N)
    gated.loose.clear()
    loader.set_recording([hanging], syncs(0, n=GATED_N))
    loader.request(9)
    qtbot.wait(20)
    loader.set_recording(ONE, syncs(4, n=GATED_N))
    assert "did not end" in caplog.text
    gated.gate.clear()
    loader.request(8)
    gated.loose.set()
    qtbot.waitUntil(lambda: len(decode_threads()) == 1, timeout=WAIT_MS)
    qtbot.wait(20)
    assert shown.frames == []
    gated.gate.set()
    qtbot.waitUntil(lambda: loader.settled, timeout=WAIT_MS)
    assert shown.frames == [8]
    assert shown.pictures[0].video_frame == 12


@pytest.mark.realdata
def test_the_real_recording_steps_both_ways(qtbot: QtBot, loader, balancing: Path) -> None:
    paths = sorted((balancing / "videos").iterdir())
    shown = Shown(loader)
    loader.set_recording(
        [VideoRef(path, (1080, 1920), 100) for path in paths],
        [SyncMap(n_frames=100)] * len(paths),
    )
    forward = {f: tuple(shown.at(qtbot, f)) for f in (30, 31, 32)}
    back = {f: tuple(shown.at(qtbot, f)) for f in (31, 30)}
    for frame in (30, 31):
        for first, second in zip(forward[frame], back[frame], strict=True):
            assert np.array_equal(first.pixels, second.pixels)
    assert forward[30][0].pixels.shape == (1920, 1080, 4)
    assert forward[30][2].pixels.shape == (1920, 1088, 4)
