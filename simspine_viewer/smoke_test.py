"""The program tests itself: opens the demo, runs every kind of worker once, and leaves."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QElapsedTimer, QObject, QTimer

from pipeline.io.proxy_store import ProxyStore, proxy_key
from pipeline.jobs.messages import Done

if TYPE_CHECKING:
    from simspine_viewer.job_manager import JobState
    from simspine_viewer.main_window import MainWindow

LIMIT_MS = 400_000
POLL_MS = 100


class SmokeTest(QObject):
    """Drives a window that nobody looks at; ``code`` is 0 once everything has worked.

    Each step waits until its condition holds; the first that does not hold in time, or a job that
    fails, ends the test with a sentence on standard error.
    """

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self.code = 1
        self._window = window
        self._folder = tempfile.TemporaryDirectory(prefix="simspine-smoke-")
        self._clock = QElapsedTimer()
        self._steps: list[tuple[str, Callable[[], None], Callable[[], bool]]] = [
            ("the demo is open", self._open_demo, lambda: window.document.is_open),
            ("pictures and 3D are shown", self._step, self._shown),
            ("the simulation worker makes a model that follows", self._simulate, self._follows),
            ("the geometry worker exports", self._export, lambda: self._ended("export")),
            ("the media worker makes a proxy", self._prepare, lambda: self._ended("make_proxy")),
        ]
        self._waiting: Callable[[], bool] | None = None
        self._timer = QTimer(self)
        self._timer.setInterval(POLL_MS)
        self._timer.timeout.connect(self._poll)
        window.opener.attended = False
        window.error_said.connect(self._fail)
        window.jobs.finished.connect(self._job_finished)

    def begin(self) -> None:
        """Start the first step."""
        self._clock.start()
        self._timer.start()

    def _poll(self) -> None:
        if self._clock.elapsed() > LIMIT_MS:
            self._fail(f"not in time: {self._steps[0][0]}")
            return
        if self._waiting is None:
            self._waiting = self._steps[0][2]
            self._steps[0][1]()
        elif self._waiting():
            print(f"ok: {self._steps.pop(0)[0]}", flush=True)
            self._waiting = None
            if not self._steps:
                self.code = 0
                self._leave()

    def _open_demo(self) -> None:
        self._window.guarded(self._window.opener.open_demo)

    def _step(self) -> None:
        self._window.time.set_frame(self._window.time.n_frames // 2)
        self._window.selection.set(keypoint=0)

    def _shown(self) -> bool:
        window = self._window
        if not window.settled() or not window.grid.panes[0].picture_size[0]:
            return False
        picture = window.view3d.grab().toImage()
        colours = {
            picture.pixel(x, y)
            for x in range(0, picture.width(), 7)
            for y in range(0, picture.height(), 7)
        }
        return len(colours) > 8  # a picture, not an empty rectangle

    def _simulate(self) -> None:
        self._window.table.actions["simulate"].trigger()

    def _follows(self) -> bool:
        """The solver of the worker and that of the window are compiled by now."""
        window = self._window
        return window.simulations.subject is not None and window.poses.ready and window.settled()

    def _export(self) -> None:
        project = self._window.document.project
        assert project is not None
        args = {
            "project": str(project.path),
            "track": self._window.document.person,
            "format": "trc",
            "out": str(Path(self._folder.name) / "smoke.trc"),
        }
        self._window.jobs.submit("export", "Smoke test", args)

    def _prepare(self) -> None:
        """Make the first stretch of a small copy, whether this video needs one or not."""
        video = next(v.path for v in self._window.document.sequence.info.videos if v.path)
        store = ProxyStore(Path(self._folder.name) / "proxies")
        args = {
            "video": str(video),
            "folder": str(store.folder),
            "max_bytes": store.max_bytes,
            "key": proxy_key(video),
            "segments": [0],
        }
        self._window.jobs.submit("make_proxy", "Smoke test", args, kind="media")

    def _ended(self, task: str) -> bool:
        return any(
            s.job.task == task and isinstance(s.ending, Done) for s in self._window.jobs.jobs
        )

    def _job_finished(self, state: JobState) -> None:
        if not isinstance(state.ending, Done):
            self._fail(f"{state.job.title}: {state.text}")

    def _fail(self, sentence: str) -> None:
        print(f"FAILED: {sentence}", file=sys.stderr, flush=True)
        self._leave()

    def _leave(self) -> None:
        self._timer.stop()
        self._window.close()
        self._folder.cleanup()
