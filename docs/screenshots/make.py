"""Pictures of the window: every layout, both appearances, three sizes of screen.

Usage: ``python docs/screenshots/make.py RECORDING FOLDER [WORD ...]``. Makes
``layout-theme-size.png`` in FOLDER; words choose among them (``Review``, ``dark``, ``1366x768``).
RECORDING is opened as a user would, so it gets a project file beside it: give a copy.
"""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import tempfile
from pathlib import Path

# Points of the window, and pixels per point.
SIZES = {
    "1366x768": ((1366, 768), 1),
    "1920x1080": ((1920, 1080), 1),
    "1366x768-200-percent": ((683, 384), 2),
}
THEMES = ("dark", "light")
KEYPOINT, FRAME = "LHip", 40
WAIT_MS = 120_000
SETTLED_MS = 800


def main(argv: list[str]) -> int:
    """One process per size, as the scale of a screen holds for a whole process."""
    recording, folder, words = Path(argv[0]).resolve(), Path(argv[1]).resolve(), argv[2:]
    folder.mkdir(parents=True, exist_ok=True)
    code = 0
    for size, ((width, height), scale) in SIZES.items():
        if set(words) & set(SIZES) and size not in words:
            continue
        with tempfile.TemporaryDirectory() as home:
            screen = Path(home) / "screen.json"
            geometry = f'"x": 0, "y": 0, "width": {width * scale}, "height": {height * scale}'
            screen.write_text(f'{{"screens": [{{"name": "screen", {geometry}}}]}}')
            kept = {"XDG_CONFIG_HOME": home, "XDG_STATE_HOME": home, "XDG_DATA_HOME": home}
            code |= subprocess.run(
                [sys.executable, __file__, "--size", size, recording, folder, *words],
                env={**os.environ, **kept, "QT_SCALE_FACTOR": str(scale),
                     "QT_QPA_PLATFORM": f"offscreen:configfile={screen}"},
                check=False,
            ).returncode  # fmt: skip
    return code


def shoot(size: str, recording: Path, folder: Path, words: list[str]) -> int:
    """All pictures of one size; the window is as on a new machine, but for the tour."""
    from PySide6.QtCore import QElapsedTimer
    from PySide6.QtTest import QTest
    from PySide6.QtWidgets import QApplication

    from simspine_viewer.layouts import BUILT_IN
    from simspine_viewer.main_window import MainWindow
    from simspine_viewer.settings import Settings
    from simspine_viewer.theme import apply_theme, theme_for

    app = QApplication([])
    apply_theme(theme_for(THEMES[0], app), app)
    settings = Settings(tour_seen=True)
    window = MainWindow(app, settings)
    window.opener.attended = False

    def settle() -> bool:
        waited = QElapsedTimer()
        waited.start()
        while waited.elapsed() < WAIT_MS:
            QTest.qWait(SETTLED_MS)
            if window.document.is_open and window.settled() and not window.jobs.running:
                QTest.qWait(SETTLED_MS)
                return True
        return False

    window.resize(*SIZES[size][0])
    window.show()
    window.open_path(recording)
    if not settle():
        print(f"{recording} was not opened in time.", file=sys.stderr)
        return 1
    window.time.set_frame(min(FRAME, window.time.n_frames - 1))
    markers = window.document.sequence.info.skeleton.markers
    window.selection.set(keypoint=markers.index(KEYPOINT) if KEYPOINT in markers else 0)
    wanted = set()
    for choices in (THEMES, [layout.name for layout in BUILT_IN]):
        wanted |= set(words) & set(choices) or set(choices)
    for theme, layout in itertools.product(THEMES, BUILT_IN):
        name = f"{layout.name}-{theme}-{size}".lower()
        if not wanted & {theme} or not wanted & {layout.name}:
            continue
        apply_theme(theme_for(theme, app), app)
        window.set_theme(theme_for(theme, app))
        window.layouts.apply(layout)
        window.resize(*SIZES[size][0])
        window.status.clearMessage()
        if not settle() or not window.grab().save(str(folder / f"{name}.png")):
            print(f"{name}.png could not be made.", file=sys.stderr)
            return 1
        print(f"{name}.png", flush=True)
    window.close()
    return 0


if __name__ == "__main__":
    if sys.argv[1] == "--size":
        sys.exit(shoot(sys.argv[2], Path(sys.argv[3]), Path(sys.argv[4]), sys.argv[5:]))
    sys.exit(main(sys.argv[1:]))
