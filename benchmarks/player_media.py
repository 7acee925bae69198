"""Recordings for the benchmarks of the video engine, made once and kept in a folder."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QEventLoop, Qt, QTimer
from PySide6.QtWidgets import QApplication

from pipeline.io.opening import create_project
from pipeline.io.project import Project
from pipeline.io.proxy_store import ProxyStore, proxy_key, segment_of
from pipeline.io.recording import recognise
from pipeline.io.video_index import index_video
from pipeline.jobs.media_tasks import make_proxy
from pipeline.jobs.messages import Job
from pipeline.synthesis.demo import make_demo
from simspine_viewer.__main__ import SWITCH_SECONDS
from simspine_viewer.main_window import MainWindow
from simspine_viewer.settings import Settings

# name: width, height, frames per second, bit rate
KINDS = {
    "h36": (1000, 1000, 50, "6M"),
    "hd": (1920, 1080, 60, "12M"),
}


def recording(folder: Path, kind: str, group: int, n_frames: int, n_views: int = 4) -> Path:
    """A recording of ``n_views`` videos, H.264 High with three B frames; returns its project."""
    width, height, rate, bits = KINDS[kind]
    root = folder / f"{kind}-{group}-{n_frames}-{n_views}"
    project = root / "benchmark.simspine"
    if project.exists():
        return project
    make_demo(
        root, n_frames=n_frames, fps=rate, size=(width, height), n_views=n_views, render=False
    )
    picture = f"testsrc2=size={width}x{height}:rate={rate},noise=alls=10:allf=t"
    source = root / "source.mp4"
    _ffmpeg(
        "-f", "lavfi", "-i", picture, "-frames:v", str(n_frames), "-c:v", "libx264",
        "-preset", "veryfast", "-profile:v", "high", "-bf", "3", "-g", str(group),
        "-keyint_min", str(group), "-sc_threshold", "0", "-b:v", bits, "-pix_fmt", "yuv420p",
        str(source),
    )  # fmt: skip
    for video in sorted((root / "videos").iterdir()):
        # Another comment makes another file: copies would share one proxy.
        _ffmpeg("-i", str(source), "-c", "copy", "-metadata", f"comment={video.stem}", str(video))
    create_project(recognise(root), project, "benchmark").close()
    return project


def _ffmpeg(*arguments: str) -> None:
    subprocess.run(
        ["ffmpeg", "-v", "error", "-y", *arguments], check=True, stdin=subprocess.DEVNULL
    )


def prepare(project: Path) -> float:
    """Make the proxies of a recording; returns milliseconds per frame."""
    store, began, frames = ProxyStore(), time.perf_counter(), 0
    for video in sorted((project.parent / "videos").iterdir()):
        index, key = index_video(video), proxy_key(video)
        segments = list(range(segment_of(index.frame_count - 1) + 1))
        if all(store.has(key, segment) for segment in segments):
            continue
        arguments = {
            "video": str(video), "folder": str(store.folder), "max_bytes": store.max_bytes,
            "key": key, "segments": segments,
        }  # fmt: skip
        for _ in make_proxy(Job(1, "make_proxy", arguments)):
            pass
        frames += index.frame_count
    return 1e3 * (time.perf_counter() - began) / max(frames, 1)


def opened(app: QApplication, project: Path, *, proxies: bool) -> MainWindow:
    """A shown window with the recording open and everything at rest."""
    settings = Settings(use_proxies=proxies)
    window = MainWindow(app, settings)
    window.opener.attended = False
    window.resize(1920, 1080)
    window.show()
    window.document.open(Project.open(project))
    wait(lambda: window.settled() and not (window.jobs.running or window.planner.pending))
    run_for(300)
    return window


def wait(condition: Callable[[], bool], seconds: float = 120.0) -> None:
    """Let events run, as the program does, until a condition holds.

    Not with ``QTest.qWait``: that sleeps up to 10 ms between events, which would be measured.
    """
    if condition():
        return
    loop, timer = QEventLoop(), QTimer()
    until = time.monotonic() + seconds
    timer.setTimerType(Qt.TimerType.PreciseTimer)
    timer.timeout.connect(lambda: loop.quit() if condition() or time.monotonic() > until else None)
    timer.start(2)
    loop.exec()
    timer.stop()
    if not condition():
        raise TimeoutError("the window did not get there")


def run_for(milliseconds: int) -> None:
    """Let events run for some time, as the program does."""
    loop = QEventLoop()
    QTimer.singleShot(milliseconds, loop.quit)
    loop.exec()


def isolated(folder: Path) -> None:
    """Settings, caches and proxies of the benchmark lie in its own folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"):
        os.environ[name] = str(folder / name.lower())
    # As in the program, see there.
    gc.disable()
    sys.setswitchinterval(SWITCH_SECONDS)
