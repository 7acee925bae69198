"""An hour of scripted use on an hour of four cameras: memory, threads, processes, file handles.

Usage: ``python benchmarks/hour_of_use.py [--actions 3600] [--frames 90000] [--wait 0.2] [--minutes
M] [--seed 1]``. An action waits at most ``--wait`` seconds for its pictures: with 0.2 the hour is
compressed to about a quarter, with 1 it is done at a person's pace.
Makes, in a temporary folder, a recording of four videos of ``--frames`` frames at 25 per second
with detections, opens it in a whole window (off screen) and does ``--actions`` things a person
does, about one a second of an hour, as fast as the window takes them: scrub, step, jump, play,
place and move points, undo, redo, notes, layouts, themes, panels, save, exports. Prints what the
program holds after every twenty: memory of the window and of its workers, threads, child
processes, open file handles, and what was done how often. It ends with 1 if something grew over the
second half: a line fitted to it rises by a thread, process or file handle or by 5 % of the memory,
and the last quarter's highest value is above the second quarter's.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, fields
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as in the program
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from benchmarks.long_recording import SIZE, K, walking
from benchmarks.machine import name_machine
from benchmarks.player_media import isolated, wait
from pipeline.data.camera import SyncMap
from pipeline.data.sequence import RecordingInfo, VideoRef
from pipeline.data.skeleton import project_skeleton
from pipeline.geometry.projection import project_views
from pipeline.io.project import Project
from pipeline.io.video_fingerprint import fingerprint
from pipeline.synthesis.cameras import ring_of_cameras
from simspine_viewer.commands import file
from simspine_viewer.dialogs import ExportChoice
from simspine_viewer.main_window import MainWindow
from simspine_viewer.memory import tidy_up
from simspine_viewer.settings import Settings

FPS, N_VIEWS, CLIP = 25, 4, 1500
PICTURE = (500, 500)
# What may be added in the second half of an hour: this share of memory (of workers, which come and
# go, at least of this much), and less than one thread, process or file handle.
GROWN, SMALL_MB = 0.05, 400.0
NAMES = {
    "window_mb": "memory of the window", "workers_mb": "memory of the workers",
    "threads": "threads", "processes": "processes", "files": "file handles",
}  # fmt: skip
ROW_EVERY = 20  # actions
PROJECT = "hour.simspine"
LAYOUTS = ("layout-1", "layout-2", "layout-3", "layout-4")


def make_videos(folder: Path, n_frames: int) -> list[Path]:
    """One minute encoded once, and repeated without encoding it again."""
    clip = folder / "clip.mp4"
    source = f"testsrc2=size={PICTURE[0]}x{PICTURE[1]}:rate={FPS}"
    coding = ("-c:v", "libx264", "-preset", "veryfast", "-g", "250", "-pix_fmt", "yuv420p")
    run = ("ffmpeg", "-v", "error", "-y")
    subprocess.run(
        [*run, "-f", "lavfi", "-i", source, "-frames:v", str(CLIP), *coding, str(clip)], check=True
    )
    videos = []
    for view in range(N_VIEWS):
        video = folder / f"cam{view + 1}.mp4"
        subprocess.run(
            [*run, "-stream_loop", str(n_frames // CLIP - 1), "-i", str(clip), "-c", "copy",
             "-metadata", f"comment={view}", str(video)], check=True,
        )  # fmt: skip
        videos.append(video)
    return videos


def make_project(folder: Path, n_frames: int) -> Path:
    """The recording as a project: one person, detected with 2 px of noise."""
    cameras, rng = ring_of_cameras(N_VIEWS, SIZE), np.random.default_rng(2)
    videos = make_videos(folder, n_frames)
    xy = np.empty((n_frames, N_VIEWS, 1, K, 2), np.float32)
    for first in range(0, n_frames, 2000):
        frames = np.arange(first, min(first + 2000, n_frames))
        seen = project_views(cameras, walking(frames).reshape(-1, 3))
        seen = seen.reshape(len(frames), K, N_VIEWS, 2).swapaxes(1, 2)
        xy[frames, :, 0] = seen + rng.normal(0, 2, seen.shape)
    info = RecordingInfo(
        name="hour", fps=float(FPS), n_frames=n_frames, cameras=cameras,
        videos=tuple(VideoRef(video, SIZE, n_frames, fingerprint(video)) for video in videos),
        syncs=(SyncMap(n_frames=n_frames),) * N_VIEWS, skeleton=project_skeleton(), n_persons=1,
    )  # fmt: skip
    path = folder / PROJECT
    score = rng.uniform(0.4, 1, xy.shape[:-1]).astype(np.float32)
    assignment = np.zeros(xy.shape[:3], np.int16)
    Project.create(
        path, info, author="hour", xy=xy, score=score, assignment=assignment, recording={}
    ).close()
    return path


@dataclass(frozen=True, slots=True)
class Held:
    """What the program holds: memory of the window and of its workers in MB, and counts."""

    window_mb: float
    workers_mb: float
    threads: int
    processes: int
    files: int


def held() -> Held:
    """Ask the operating system."""
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    return Held(
        _resident("self"),
        sum(_resident(child) for child in children),
        len(os.listdir("/proc/self/task")),
        len(children),
        len(os.listdir("/proc/self/fd")),
    )


def _resident(process: str) -> float:
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return next(float(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS"))


class User:
    """Does one thing after the other in a window, as dice fall."""

    def __init__(self, window: MainWindow, folder: Path, seed: int, patience: float) -> None:
        self.window, self.folder, self.patience = window, folder, patience
        self.dice = random.Random(seed)
        self.done: dict[str, int] = {}
        self._verbs = {
            self.scrub: 14, self.step: 20, self.jump: 8, self.play: 3, self.select: 10,
            self.drag: 14, self.nudge: 6, self.undo: 8, self.redo: 3, self.mark: 4,
            self.note: 2, self.layout: 3, self.theme: 1, self.enlarge: 2, self.panel: 3,
            self.turn: 3, self.save: 2, self.export: 0.5,
        }  # fmt: skip

    def act(self) -> None:
        """One thing, and the wait for its pictures, which is cut short as by a busy person."""
        (verb,) = self.dice.choices(list(self._verbs), list(self._verbs.values()))
        self.done[verb.__name__] = self.done.get(verb.__name__, 0) + 1
        verb()
        QApplication.processEvents()
        until = time.monotonic() + self.patience
        while self.window.loader.busy and time.monotonic() < until:
            QTest.qWait(2)

    def _fire(self, name: str) -> None:
        action = self.window.table.actions[name]
        if action.isEnabled():
            action.trigger()

    def scrub(self) -> None:
        line = self.window.timeline
        x, y = self.dice.uniform(0.2, 0.9) * line.width(), 12
        QTest.mousePress(line, Qt.MouseButton.LeftButton, pos=QPoint(int(x), y))
        for _ in range(8):
            x += self.dice.uniform(-6, 6)
            QTest.mouseMove(line, QPoint(int(x), y))
            QApplication.processEvents()
        QTest.mouseRelease(line, Qt.MouseButton.LeftButton, pos=QPoint(int(x), y))

    def step(self) -> None:
        name = self.dice.choice(("next", "previous", "next-10", "previous-10"))
        for _ in range(self.dice.randint(1, 5)):
            self._fire(name)
            QApplication.processEvents()

    def jump(self) -> None:
        self.window.time.set_frame(self.dice.randrange(self.window.time.n_frames))

    def play(self) -> None:
        self._fire("play")
        QTest.qWait(400)
        self.window.time.pause()

    def select(self) -> None:
        self._fire(self.dice.choice(("next-keypoint", "previous-keypoint", "next-view")))

    def drag(self) -> None:
        """Take a point in a pane and put it down some pixels away."""
        window, view = self.window, self.dice.randrange(N_VIEWS)
        pane, points = window.grid.panes[view], window.document.points_at(window.time.frame)
        keypoint = self.dice.randrange(K)
        if not pane.isVisible() or not np.isfinite(points.xy[view, keypoint]).all():
            return
        x, y = pane.transform.to_widget(points.xy[view, keypoint])
        start = QPoint(int(x), int(y))
        QTest.mousePress(pane, Qt.MouseButton.LeftButton, pos=start)
        for n in range(1, 5):
            QTest.mouseMove(pane, start + QPoint(2 * n, n))
            QApplication.processEvents()
        QTest.mouseRelease(pane, Qt.MouseButton.LeftButton, pos=start + QPoint(8, 4))

    def nudge(self) -> None:
        self._fire(self.dice.choice(("nudge-left", "nudge-right", "nudge-up", "nudge-down")))

    def undo(self) -> None:
        self._fire("undo")

    def redo(self) -> None:
        self._fire("redo")

    def mark(self) -> None:
        self._fire(self.dice.choice(("occluded", "absent", "delete", "revert")))

    def note(self) -> None:
        self._fire("marker")

    def layout(self) -> None:
        self._fire(self.dice.choice(LAYOUTS))

    def theme(self) -> None:
        self._fire(self.dice.choice(("light", "dark")))

    def enlarge(self) -> None:
        self._fire("enlarge")
        QApplication.processEvents()
        self._fire("enlarge")

    def panel(self) -> None:
        self.window.show_panel(self.dice.choice(tuple(self.window.docks)))

    def turn(self) -> None:
        self._fire(self.dice.choice(("3d-front", "3d-side", "3d-top", "3d-camera", "3d-frame")))

    def save(self) -> None:
        self._fire("save")

    def export(self) -> None:
        """A TRC file of everything, unless one is under way."""
        if not any(state.job.task == "export" for state in self.window.jobs.running):
            file.export(self.window, ExportChoice("trc", self.folder / "hour.trc"))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--actions", type=int, default=3600)
    parser.add_argument("--frames", type=int, default=90_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--wait",
        type=float,
        default=0.2,
        metavar="S",
        help="longest wait for the pictures of an action; 1: as long as an hour has",
    )
    parser.add_argument("--minutes", type=float, default=float("inf"),
                        help="end after so long, whatever has been done")  # fmt: skip
    parser.add_argument("--make", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.make is not None:
        make_project(options.make, options.frames)
        return 0
    name_machine()
    with tempfile.TemporaryDirectory(prefix="simspine-hour-") as name:
        folder = Path(name)
        isolated(folder / "settings")
        print("making the recording", flush=True)
        # By a process of its own: what it needs is not what the window needs.
        make = [sys.executable, __file__, "--make", str(folder), "--frames", str(options.frames)]
        subprocess.run(make, check=True)
        project = folder / PROJECT
        app = QApplication([])
        window = MainWindow(app, Settings())
        window.opener.attended = False
        window.resize(1920, 1080)
        window.show()
        began = time.perf_counter()
        window.document.open(Project.open(project))
        wait(lambda: not window.loader.busy)
        print(f"open and shown after {time.perf_counter() - began:.2f} s", flush=True)
        user = User(window, folder, options.seed, options.wait)
        code = use(user, options.actions, 60 * options.minutes)
        window.close()
    return code


def use(user: User, actions: int, seconds: float) -> int:
    """Act, print what is held, and judge it."""
    rows, began, n = [], time.perf_counter(), 0
    print("actions   window  workers (MB)  threads  processes  files   s", flush=True)
    for n in range(1, actions + 1):
        user.act()
        if n % ROW_EVERY == 0:
            tidy_up()  # as in the program, there every five seconds
            now = held()
            rows.append(now)
            print(
                f"{n:7d} {now.window_mb:8.0f} {now.workers_mb:8.0f} {now.threads:13d} "
                f"{now.processes:10d} {now.files:6d} {time.perf_counter() - began:5.0f}",
                flush=True,
            )
        if time.perf_counter() - began > seconds:
            break
    print("done: " + ", ".join(f"{name} {count}" for name, count in sorted(user.done.items())))
    spent = time.perf_counter() - began
    print(f"{n} actions in {spent:.0f} s, {1000 * spent / max(n, 1):.0f} ms each")
    return judge(rows)


def judge(rows: list[Held]) -> int:
    """Print how what is held changed over the second half, by a fitted line; 1 if it grew."""
    half = rows[len(rows) // 2 :]
    quarter = max(len(rows) // 4, 1)
    second, last = rows[quarter : 2 * quarter] or rows, rows[-quarter:]
    grew = False
    for field in fields(Held):
        values = np.array([getattr(row, field.name) for row in half], float)
        before, after = (max(getattr(r, field.name) for r in part) for part in (second, last))
        change = 0.0
        if len(values) > 1:
            change = np.polyfit(np.arange(len(values)), values, 1)[0] * (len(values) - 1)
        is_memory = field.name.endswith("_mb")
        limit = GROWN * max(values.mean(), SMALL_MB) if is_memory else 1.0
        # Both: a line is bent by one high value, a highest value by one peak.
        is_leak = change >= limit and after > before
        grew = grew or is_leak
        unit = " MB" if is_memory else ""
        print(
            f"  {NAMES[field.name]:22} at most {max(getattr(r, field.name) for r in rows):6.0f}"
            f"{unit}; second half {change:+.1f}{unit} (limit {limit:.0f}), highest in the second "
            f"quarter {before:.0f}, in the last {after:.0f}: {'GREW' if is_leak else 'flat'}"
        )
    print("GREW" if grew else "nothing grew")
    return 1 if grew else 0


if __name__ == "__main__":
    sys.exit(main())
