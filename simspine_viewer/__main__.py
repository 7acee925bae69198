"""The program ``simspine-viewer``: reads its arguments, makes the window, runs it."""

from __future__ import annotations

import argparse
import contextlib
import gc
import multiprocessing
import os
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline import __version__
from simspine_viewer.log_file import start_logging

if TYPE_CHECKING:
    from simspine_viewer.smoke_test import SmokeTest

GC_MS = 5000
SETTLE_MS = 600
# After a recording was opened, when pictures and 3D are there.
LOAD_SOLVER_MS = 1500
SWITCH_SECONDS = 0.0005


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="simspine-viewer", description="See and correct how the human spine moves."
    )
    parser.add_argument("path", nargs="?", type=Path, help="recording folder or .simspine project")
    parser.add_argument("--demo", action="store_true", help="open the built-in demo")
    parser.add_argument("--frame", type=int, help="frame to start at")
    parser.add_argument("--keypoint", help="keypoint to select, such as Neck")
    parser.add_argument("--theme", choices=("light", "dark", "system"), help="appearance")
    parser.add_argument("--size", type=_size, help="window size, such as 1366x768")
    parser.add_argument(
        "--screenshot", type=Path, metavar="PNG", help="write a picture of the window and leave"
    )
    parser.add_argument(
        "--smoke-test", action="store_true", help="open the demo, run every worker once and leave"
    )
    parser.add_argument("--version", action="version", version=f"SIMSPINE Viewer {__version__}")
    return parser


def _size(text: str) -> tuple[int, int]:
    width, _, height = text.partition("x")
    if not (width.isdecimal() and height.isdecimal()):
        raise argparse.ArgumentTypeError(f"“{text}” is not a size such as 1366x768")
    return int(width), int(height)


def main(argv: list[str] | None = None) -> int:
    """Run the window; returns the exit code."""
    multiprocessing.freeze_support()
    args = _parser().parse_args(argv)
    start_logging()
    _drop_foreign_qt()
    # Decode threads must never finalise Qt or VTK wrappers (PYSIDE-810): collected only below. From
    # here on, as collections while modules are imported cost time and find nothing.
    gc.disable()
    # Python lets a thread wait so long for one that computes; in play the window waits for four.
    sys.setswitchinterval(SWITCH_SECONDS)

    from PySide6.QtCore import QTimer
    from PySide6.QtWidgets import QApplication

    from simspine_viewer.crash_guard import CrashGuard
    from simspine_viewer.first_paint import AfterFirstPaint
    from simspine_viewer.main_window import MainWindow
    from simspine_viewer.memory import tidy_up
    from simspine_viewer.recovery import Recovery
    from simspine_viewer.settings import Settings
    from simspine_viewer.theme import apply_theme, set_text_size, theme_for

    guard = CrashGuard()
    guard.begin()
    app = QApplication(sys.argv[:1])
    app.setApplicationName("SIMSPINE Viewer")
    app.setApplicationVersion(__version__)
    settings = Settings.load()
    theme = theme_for(args.theme or settings.theme, app)
    apply_theme(theme, app)
    set_text_size(settings.text_size, app)
    window = MainWindow(app, settings, theme=theme)
    recovery = Recovery(window, guard)
    if args.size:
        window.resize(*args.size)
    start = _chosen_start(window, args)
    AfterFirstPaint(window, start.begin)
    window.show()

    collector = QTimer(app)
    collector.timeout.connect(tidy_up)
    collector.start(GC_MS)

    if not (args.smoke_test or args.screenshot):
        QTimer.singleShot(0, recovery.offer)
    code = app.exec()
    guard.end()
    gc.enable()
    return start.code or code


def _chosen_start(window, args: argparse.Namespace) -> _Start | SmokeTest:  # type: ignore[no-untyped-def]
    if not args.smoke_test:
        return _Start(window, args)
    from simspine_viewer.smoke_test import SmokeTest

    return SmokeTest(window)


class _Start:
    """What the arguments ask for, once the window is there."""

    def __init__(self, window, args: argparse.Namespace) -> None:  # type: ignore[no-untyped-def]
        self.code = 0
        self._window, self._args = window, args

    def begin(self) -> None:
        window, args = self._window, self._args
        if not window.isVisible():  # closed again before this
            return
        window.document.opened.connect(self._opened)
        if args.screenshot:
            window.opener.attended = False
            window.error_said.connect(self._give_up)
        if not window.view3d.isHidden() and (
            args.demo or args.path or window.settings.start == "last"
        ):
            _load_3d()
        if args.demo:
            window.guarded(window.opener.open_demo)
        elif args.path is not None:
            window.open_path(args.path)
        elif args.screenshot:
            self._when_settled(self._shoot)
        elif window.settings.start == "last":
            window.guarded(window.opener.open_last)

    def _opened(self) -> None:
        from PySide6.QtCore import QTimer

        from simspine_viewer.tour import Tour

        window, args = self._window, self._args
        loading = threading.Thread(target=_load_solver, name="load-solver")
        # Not the bound method: nothing else holds the thread, and PySide would not.
        QTimer.singleShot(LOAD_SOLVER_MS, window, lambda: loading.start())  # noqa: PLW0108
        if args.frame is not None:
            window.time.set_frame(args.frame)
        if args.keypoint:
            skeleton = window.document.sequence.info.skeleton
            window.guarded(lambda: window.selection.set(skeleton.index(args.keypoint)))
        if args.screenshot:
            self._when_settled(self._shoot)
        elif not window.settings.tour_seen:
            self._when_settled(lambda: Tour(window))

    def _give_up(self, sentence: str) -> None:
        from PySide6.QtCore import QTimer

        print(sentence, file=sys.stderr)
        self.code = 1
        QTimer.singleShot(0, self._window.close)

    def _when_settled(self, action) -> None:  # type: ignore[no-untyped-def]
        from PySide6.QtCore import QTimer

        def check() -> None:
            window = self._window
            if window.jobs.running or not window.settled():
                QTimer.singleShot(100, check)
            else:
                QTimer.singleShot(SETTLE_MS, action)

        QTimer.singleShot(SETTLE_MS, check)

    def _shoot(self) -> None:
        target = self._args.screenshot
        if not self._window.grab().save(str(target)):
            print(f"{target} could not be written.", file=sys.stderr)
            self.code = 1
        self._window.close()


def _load_3d() -> None:
    """Load VTK while nothing competes: once a recording is open, decoders and workers do."""
    with contextlib.suppress(ImportError, OSError):  # the 3D view will say what is wrong
        import simspine_viewer.scene3d  # noqa: F401


def _load_solver() -> None:
    """Load what solves points, a quarter of a second for which the first edit need not wait."""
    import scipy.linalg.lapack
    import scipy.sparse  # noqa: F401


def _drop_foreign_qt() -> None:
    """Forget Qt plugin paths that opencv-python (not the headless one) leaves behind."""
    for name in ("QT_QPA_PLATFORM_PLUGIN_PATH", "QT_QPA_FONTDIR"):
        if "cv2" in os.environ.get(name, ""):
            del os.environ[name]


if __name__ == "__main__":
    sys.exit(main())
