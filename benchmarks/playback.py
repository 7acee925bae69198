"""Frames shown per second in play: four views and the 3D view in a window of 1920 x 1080.

Usage: ``python benchmarks/playback.py [--xvfb] [--seconds 12] [--kind h36 --kind hd]``. Makes four
videos of 1000 x 1000 at 50 fps (h36) and of 1920 x 1080 at 60 fps (hd), H.264 with a keyframe every
250 frames and three B frames, and plays each from the videos themselves and from their proxies. A
frame counts as shown when the first pane has painted it. Off screen a display server's part is
missing; ``--xvfb`` has it.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
if "--xvfb" not in sys.argv:
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QApplication

from benchmarks.machine import name_machine
from benchmarks.player_media import KINDS, isolated, opened, prepare, recording, run_for
from simspine_viewer.main_window import MainWindow
from simspine_viewer.view3d import View3D


class Painted(QObject):
    """Which frames the first pane and how often the 3D view were painted, and when."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__()
        self._pane = window.grid.panes[0]
        self.frames: list[int] = []
        self.at: list[float] = []
        self.scenes = 0
        self._pane.installEventFilter(self)
        window.view3d.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Paint:
            if isinstance(watched, View3D):
                self.scenes += 1
            elif not self.frames or self.frames[-1] != self._pane.frame:
                self.frames.append(self._pane.frame)
                self.at.append(time.perf_counter())
        return False


def played(window: MainWindow, seconds: float) -> str:
    """Play for some seconds, over and over; one line of figures."""
    window.time.loop = True
    window.time.set_frame(0)
    run_for(800)
    window.time.play()
    run_for(1000)  # past the start
    painted = Painted(window)
    dropped, busy = window.time.dropped, time.process_time()
    began = time.perf_counter()
    run_for(round(1000 * seconds))
    took = time.perf_counter() - began
    line = (
        f"{len(painted.frames) / took:5.1f} shown/s   {window.time.dropped - dropped:4d} dropped"
        f"   {window.time.reached:.2f}x   3D {painted.scenes / took:4.1f}/s"
        f"   between two frames median {1e3 * np.median(np.diff(painted.at)):.0f} ms,"
        f" p95 {1e3 * np.percentile(np.diff(painted.at), 95):.0f} ms"
        f"   {len(painted.frames)} frames, {(time.process_time() - busy) / took:.2f} cores"
    )
    window.time.pause()
    return line


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--xvfb", action="store_true")
    parser.add_argument("--seconds", type=float, default=12.0)
    parser.add_argument("--kind", action="append", choices=sorted(KINDS))
    parser.add_argument("--folder", type=Path, help="keep the videos there for the next run")
    args = parser.parse_args()
    name_machine()
    if args.xvfb and "DISPLAY" not in os.environ:
        screen = ["xvfb-run", "-a", "-s", "-screen 0 1920x1080x24"]
        return subprocess.run([*screen, sys.executable, *sys.argv], check=False).returncode
    folder = args.folder or Path(tempfile.mkdtemp(prefix="simspine-benchmark-"))
    isolated(folder)
    app = QApplication([])
    for kind in args.kind or sorted(KINDS):
        width, height, rate, _ = KINDS[kind]
        project = recording(folder, kind, group=250, n_frames=10 * rate)
        for source in ("originals", "proxies"):
            if source == "proxies":
                print(f"  proxies made in {prepare(project):.1f} ms per frame")
            window = opened(app, project, proxies=source == "proxies")
            line = played(window, args.seconds)
            print(f"4 x {width}x{height}@{rate} from {source:9s} {line}", flush=True)
            window.close()
    if args.folder is None:
        shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
