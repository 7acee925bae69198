"""The task that makes proxies: segment by segment, resumable, and stopped when told to."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from pipeline.io.proxy_encode import encode_segment
from pipeline.io.proxy_reader import ProxyReader
from pipeline.io.proxy_store import ProxyStore, proxy_key
from pipeline.io.video_index import index_video
from pipeline.jobs.media_tasks import make_proxy
from pipeline.jobs.messages import Cancelled, Done, Event, Failed, File, Job, Progress
from pipeline.jobs.runner import run_job
from pipeline.jobs.spawn import WorkerProcess
from tests.truth.video import encode, read_code, require_ffmpeg

_CODING = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "250")
_TASKS = {"make_proxy": make_proxy}


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    require_ffmpeg()
    return encode(tmp_path_factory.mktemp("media") / "long.mp4", range(1200), *_CODING)


@pytest.fixture
def store(tmp_path: Path) -> ProxyStore:
    return ProxyStore(tmp_path / "proxies", max_bytes=1 << 30)


def _job(store: ProxyStore, video: Path, segments: list[int], **more: object) -> Job:
    args = {
        "video": str(video),
        "folder": str(store.folder),
        "key": proxy_key(video),
        "segments": segments,
        "max_bytes": store.max_bytes,
        **more,
    }
    return Job(1, "make_proxy", args)


def test_segments_are_made_in_the_order_asked_for(video: Path, store: ProxyStore) -> None:
    key = proxy_key(video)
    events = list(run_job(_job(store, video, [2, 0, 9]), _TASKS))
    files = [event.path for event in events if isinstance(event, File)]
    assert files == [store.segment_path(key, 2), store.segment_path(key, 0)]
    assert events[-1] == Done(1, {"segments": 2})
    shares = [event.fraction for event in events if isinstance(event, Progress)]
    assert shares == sorted(shares)
    assert all("long.mp4" in event.text for event in events if isinstance(event, Progress))
    assert store.missing(key, 1200) == [1]
    proxy = ProxyReader(store, key, index_video(video))
    for frame in (0, 499, 1000, 1199):
        image = proxy.get(frame)
        assert image is not None
        assert read_code(image) == frame


def test_what_is_there_is_not_made_again(video: Path, store: ProxyStore) -> None:
    key = proxy_key(video)
    list(run_job(_job(store, video, [0]), _TASKS))
    made = store.segment_path(key, 0).stat().st_mtime_ns
    *_, ending = run_job(_job(store, video, [0, 2]), _TASKS)
    assert ending == Done(1, {"segments": 1})
    assert store.segment_path(key, 0).stat().st_mtime_ns == made


def test_a_cancelled_job_keeps_what_is_whole_and_nothing_else(
    video: Path, store: ProxyStore
) -> None:
    events: list[Event] = []
    steps = run_job(
        _job(store, video, [0, 1, 2]),
        _TASKS,
        lambda: any(isinstance(event, File) for event in events),
    )
    for event in steps:
        events.append(event)
    assert isinstance(events[-1], Cancelled)
    folder = store.folder / proxy_key(video)
    assert {path.name for path in folder.iterdir()} == {"00000.mp4", "00000.json"}


def test_a_replaced_video_gets_no_copy_under_the_old_key(
    video: Path, store: ProxyStore, tmp_path: Path
) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(video.read_bytes())
    job = _job(store, path, [0])
    path.write_bytes(video.read_bytes() + b"more")
    *_, ending = run_job(job, _TASKS)
    assert isinstance(ending, Failed)
    assert "was replaced" in ending.message
    path.unlink()
    *_, ending = run_job(job, _TASKS)
    assert isinstance(ending, Failed)
    assert "does not exist" in ending.message


def test_no_room_ends_the_job_with_one_sentence(video: Path, store: ProxyStore) -> None:
    *_, ending = run_job(_job(store, video, [0, 1], max_bytes=1000), _TASKS)
    assert isinstance(ending, Failed)
    assert "fill" in ending.message
    assert ending.message.endswith(".")
    assert store.used_bytes() == 0


def test_the_recordings_in_use_keep_their_segments(video: Path, store: ProxyStore) -> None:
    other = store.segment_path("other", 0)
    for _ in encode_segment(video, index_video(video), 0, 20, other):
        pass
    room = store.used_bytes() + (24 << 20) - 1
    *_, ending = run_job(_job(store, video, [2], max_bytes=room, in_use=["other"]), _TASKS)
    assert isinstance(ending, Failed)
    assert other.exists()
    *_, ending = run_job(_job(store, video, [2], max_bytes=room), _TASKS)
    assert isinstance(ending, Done)
    assert not other.exists()


def test_a_killed_worker_leaves_no_segment_that_is_taken_for_whole(
    video: Path, store: ProxyStore
) -> None:
    key = proxy_key(video)
    worker = WorkerProcess("media")
    try:
        worker.submit(_job(store, video, [0, 1, 2]))
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and not list(store.folder.glob("*/.*.part")):
            worker.poll()
            time.sleep(0.01)
        assert list(store.folder.glob("*/.*.part"))
        worker._kill()
    finally:
        worker.close()
    proxy = ProxyReader(store, key, index_video(video))
    missing = store.missing(key, 1200)
    assert missing
    for segment in range(3):
        image = proxy.get(segment * 500 + 7)
        assert (image is None) == (segment in missing)
    *_, ending = run_job(_job(store, video, missing), _TASKS)
    assert isinstance(ending, Done)
    assert store.missing(key, 1200) == []
