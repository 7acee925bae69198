"""From a request to its pictures on the screen: scrubbing, stepping, and the exact frame at rest.

Usage: ``python benchmarks/scrub.py [--events 600] [--kind h36 --kind hd]``. Four views in a window
of 1920 x 1080, off screen. A timer of 60 Hz moves the cursor: a random walk, steps forward, steps
back; a latency is from the move to all panes having painted that frame, and a request that a newer
one replaced counts as answered by that one. These are from proxies of videos with a keyframe every
250 frames. From videos with one every 12 frames, without proxies: from a jump, the 80 ms of rest
included, to the exact full-resolution frame in the active pane, and in all panes.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtWidgets import QApplication

from benchmarks.machine import name_machine
from benchmarks.player_media import KINDS, isolated, opened, prepare, recording, run_for, wait
from simspine_viewer.main_window import MainWindow

HZ = 60
REST_EVENTS = 100


class Latency(QObject):
    """When a frame was asked for, and when the last pane had painted it."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__()
        self._panes = {pane: pane.view for pane in window.grid.panes}
        self._asked: list[tuple[int, float]] = []
        self._painted: dict[int, tuple[int, bool]] = {}
        self.milliseconds: list[float] = []
        self.shown = 0
        for pane in self._panes:
            pane.installEventFilter(self)
        window.time.moved.connect(lambda frame: self._asked.append((frame, time.perf_counter())))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Paint and watched in self._panes:
            picture = watched.picture
            self._painted[self._panes[watched]] = (picture.frame, picture.is_full)
            # Not yet painted, but nothing else is between here and there.
            QTimer.singleShot(0, self._check)
        return False

    def _check(self) -> None:
        frames = {frame for frame, _ in self._painted.values()}
        if len(frames) != 1 or len(self._painted) != len(self._panes):
            return
        (frame,) = frames
        for place in range(len(self._asked) - 1, -1, -1):
            if self._asked[place][0] == frame:
                now = time.perf_counter()
                answered, self._asked = self._asked[: place + 1], self._asked[place + 1 :]
                self.milliseconds += [1e3 * (now - at) for _, at in answered]
                self.shown += 1
                return

    def full(self, view: int) -> bool:
        """Whether a pane has painted the best picture of its frame."""
        return self._painted.get(view, (0, False))[1]

    def figures(self) -> str:
        median, late = np.percentile(self.milliseconds, [50, 95])
        n = len(self.milliseconds)
        return f"median {median:6.1f} ms   p95 {late:6.1f} ms   {n} requests, {self.shown} shown"


def driven(window: MainWindow, events: int, following: Callable[[int, int], int]) -> str:
    """Move the cursor 60 times a second; ``following(frame, n)`` is the next frame."""
    latency, done = Latency(window), 0
    timer = QTimer()
    timer.setTimerType(Qt.TimerType.PreciseTimer)

    def move() -> None:
        nonlocal done
        window.time.set_frame(following(window.time.frame, window.time.n_frames))
        done += 1

    timer.timeout.connect(move)
    timer.start(round(1000 / HZ))
    wait(lambda: done >= events, 600.0)
    timer.stop()
    wait(window.settled)
    run_for(200)
    return latency.figures()


def rested(window: MainWindow, events: int) -> tuple[np.ndarray, np.ndarray]:
    """Milliseconds from a jump to the exact frame in the active pane, and in all panes."""
    rng, latency = np.random.default_rng(3), Latency(window)
    active, every = [], []
    window.selection.set(view=1)
    for _ in range(events):
        frame = int(rng.integers(0, window.time.n_frames - 1))
        began = time.perf_counter()
        window.time.set_frame(frame + (frame == window.time.frame))

        def painted(views: tuple[int, ...]) -> bool:
            return all(
                latency.full(view) and window.grid.panes[view].frame == window.time.frame
                for view in views
            )

        latency._painted.clear()
        wait(lambda: painted((1,)))
        active.append(1e3 * (time.perf_counter() - began))
        wait(lambda: painted((0, 1, 2, 3)))
        every.append(1e3 * (time.perf_counter() - began))
    return np.array(active), np.array(every)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=600)
    parser.add_argument("--kind", action="append", choices=sorted(KINDS))
    parser.add_argument("--folder", type=Path, help="keep the videos there for the next run")
    args = parser.parse_args()
    name_machine()
    folder = args.folder or Path(tempfile.mkdtemp(prefix="simspine-benchmark-"))
    isolated(folder)
    app = QApplication([])
    walk = np.random.default_rng(5)
    for kind in args.kind or sorted(KINDS):
        width, height, rate, _ = KINDS[kind]
        name = f"4 x {width}x{height}@{rate}"
        project = recording(folder, kind, group=250, n_frames=10 * rate)
        prepare(project)
        window = opened(app, project, proxies=True)
        for what, following in (
            ("random walk", lambda f, n: (f + int(walk.integers(-40, 41))) % n),
            ("steps forward", lambda f, n: (f + 1) % n),
            ("steps back", lambda f, n: (f - 1) % n),
        ):
            print(
                f"{name} proxies, {what:13s} {driven(window, args.events, following)}", flush=True
            )
        window.close()
        project = recording(folder, kind, group=12, n_frames=10 * rate)
        window = opened(app, project, proxies=False)
        active, every = rested(window, max(args.events, REST_EVENTS))
        for where, values in (("active pane", active), ("all four panes", every)):
            median, late = np.percentile(values, [50, 95])
            print(
                f"{name} GOP 12, exact at rest, {where:14s} median {median:6.1f} ms"
                f"   p95 {late:6.1f} ms   {len(values)} jumps",
                flush=True,
            )
        window.close()
    if args.folder is None:
        shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
