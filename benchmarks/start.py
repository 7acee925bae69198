"""Starting the program: first painted window, and first 3D picture, warm.

Run from the repository: ``python benchmarks/start.py [PROJECT] [--starts 20] [--against TREE]``.
Each start is a new process of ``python -m simspine_viewer PROJECT`` at 1920 x 1080, by default on a
demo project that is made first; it ends once its 3D view has drawn the person. Milliseconds from
the start of the process, and of processor time of all its threads, marked by hooks set in that
process; the program is not changed. One start
before the others, which warms the disk's cache, is not counted. ``--against`` another checkout
starts both in turns and prints the ratio. Exit code 0 if the medians are at most 400 ms (first
paint) and 1500 ms (3D).
"""

from __future__ import annotations

import argparse
import faulthandler
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

# Only what costs nothing: the child is this file, too.
REPOSITORY = Path(__file__).resolve().parents[1]
PAINTED_MS, READY_MS = 400.0, 1500.0
PATIENCE_S = 120
MARKS = {
    "imported": "modules imported",
    "built": "window built",
    "painted": "first window painted",
    "opened": "recording open",
    "ready": "3D ready",
}


def child(began: float, target: Path, arguments: list[str]) -> int:
    """Start the program with hooks that note the time; the marks go to ``target``."""
    faulthandler.dump_traceback_later(PATIENCE_S, exit=True)
    marks: dict[str, float] = {}

    def mark(name: str) -> None:
        if name not in marks:
            marks[name] = 1000.0 * (time.time() - began)
            marks[f"{name}, processor"] = 1000.0 * time.process_time()

    mark("interpreter")
    import PySide6.QtWidgets  # noqa: F401  (the program's own first import)

    from simspine_viewer import __main__ as program
    from simspine_viewer.main_window import MainWindow
    from simspine_viewer.view3d import View3D

    mark("imported")
    from PySide6.QtCore import QEvent, QObject, QTimer

    class FirstExpose(QObject):
        """Notes when the native window has handled the event that paints it first."""

        def eventFilter(self, watched: QObject, event: QEvent) -> bool:
            if event.type() not in (QEvent.Type.Expose, QEvent.Type.UpdateRequest):
                return False
            watched.removeEventFilter(self)
            watched.event(event)
            mark("painted")
            return True

    watch = FirstExpose()
    show, paint = MainWindow.show, View3D.paintEvent

    def hooked_show(window: MainWindow) -> None:
        mark("built")
        window.document.opened.connect(lambda: mark("opened"))
        window.winId()
        window.windowHandle().installEventFilter(watch)
        show(window)

    def hooked_paint(view: View3D, event) -> None:  # type: ignore[no-untyped-def]
        paint(view, event)
        if view.has_picture and "ready" not in marks:
            mark("ready")
            target.write_text(json.dumps(marks))
            QTimer.singleShot(0, view.window().close)

    MainWindow.show = hooked_show  # type: ignore[method-assign]
    View3D.paintEvent = hooked_paint  # type: ignore[method-assign]
    return program.main(arguments)


def start(tree: Path, project: Path, folder: Path) -> dict[str, float]:
    """Marks of one start in ms."""
    target = folder / "marks.json"
    target.unlink(missing_ok=True)
    environment = os.environ | {"PYTHONPATH": str(tree)}
    environment.setdefault("QT_QPA_PLATFORM", "offscreen")
    # Warm means compiled as well, which is not allowed everywhere beside the source.
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    environment["PYTHONPYCACHEPREFIX"] = str(folder / "compiled")
    began = time.time()
    command = [sys.executable, __file__, "--child", str(began), str(target), str(project)]
    said = folder / "said.txt"  # not a pipe, which its workers would keep open
    with said.open("w") as out:
        done = subprocess.run(
            command, env=environment, cwd=folder, stdout=out, stderr=out, check=False
        )
    if not target.exists():
        code = done.returncode
        raise SystemExit(f"{tree} did not get to 3D (exit code {code}): {said.read_text()}")
    return json.loads(target.read_text())


def measure(trees: list[Path], project: Path, folder: Path, starts: int) -> bool:
    """Start all trees in turns, print, and judge the first."""
    import numpy as np

    rows: list[list[dict[str, float]]] = [[] for _ in trees]
    for number in range(starts + 1):
        for tree, times in zip(trees, rows, strict=True):
            marks = start(tree, project, folder)
            if number:
                times.append(marks)
    print(f"ms after the start of the process, median / p95 of {starts} starts")
    medians = {}
    for name, text in MARKS.items():
        columns = np.array([[marks[name] for marks in times] for times in rows])
        medians[name] = float(np.median(columns[0]))
        line = f"  {text:22}"
        for values in columns:
            line += f" {np.median(values):7.0f} / {np.percentile(values, 95):5.0f}"
        if len(trees) > 1:
            line += f"   ratio {np.median(columns[0] / columns[1]):.2f}"
        spent = [np.median([marks[f"{name}, processor"] for marks in times]) for times in rows]
        line += "   processor " + " / ".join(f"{value:.0f}" for value in spent)
        print(line)
    passed = medians["painted"] <= PAINTED_MS and medians["ready"] <= READY_MS
    print(
        f"  {'passed' if passed else 'MISSED'}: painted {medians['painted']:.0f} ms (at most "
        f"{PAINTED_MS:.0f}), 3D {medians['ready']:.0f} ms (at most {READY_MS:.0f})"
    )
    return passed


def main() -> int:
    """Make the project, start the program many times."""
    sys.path.insert(0, str(REPOSITORY))
    from benchmarks.machine import name_machine

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("project", nargs="?", type=Path)
    parser.add_argument("--starts", type=int, default=20)
    parser.add_argument("--against", type=Path, metavar="TREE")
    options = parser.parse_args()
    name_machine()
    with tempfile.TemporaryDirectory(prefix="simspine-start-") as name:
        folder = Path(name)
        for variable in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"):
            os.environ[variable] = str(folder / variable.lower())
        project = options.project
        if project is None:
            from pipeline.io.opening import create_project
            from pipeline.io.recording import recognise
            from pipeline.synthesis.demo import make_demo

            make_demo(folder / "demo", n_frames=50)
            project = folder / "demo" / "start.simspine"
            create_project(recognise(folder / "demo"), project, "benchmark").close()
        trees = [REPOSITORY, *([options.against.resolve()] if options.against else [])]
        return 0 if measure(trees, project.resolve(), folder, options.starts) else 1


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        # Not this file's folder, but the tree that is measured comes first.
        sys.path[0] = os.environ["PYTHONPATH"]
        code = child(float(sys.argv[2]), Path(sys.argv[3]), [*sys.argv[4:], "--size", "1920x1080"])
    else:
        code = main()
    sys.exit(code)
