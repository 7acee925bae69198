"""A recording whose videos carry their frame numbers, so that what a pane shows can be read off."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

from pipeline.synthesis.demo import make_demo
from simspine_viewer.main_window import MainWindow
from tests.truth.video import HEIGHT, WIDTH, encode, read_code
from tests.viewer.window import project_of

N = 120
N_VIEWS = 3
# Far apart, so that scrubbing needs proxies or keyframes.
GROUP = 60
_OPTIONS = ("-c:v", "libx264", "-preset", "ultrafast", "-g", str(GROUP), "-pix_fmt", "yuv420p")
SHIFT = 200  # between the numbers of two views


@cache
def _template() -> Path:
    root = Path(tempfile.mkdtemp(prefix="simspine-test-"))
    atexit.register(shutil.rmtree, root, ignore_errors=True)
    folder = root / "coded"
    make_demo(folder, n_frames=N, fps=50, size=(WIDTH, HEIGHT), n_views=N_VIEWS, render=False)
    for view, video in enumerate(sorted((folder / "videos").iterdir())):
        encode(video, range(SHIFT * view, SHIFT * view + N), *_OPTIONS)
    return folder


def coded_recording(folder: Path) -> Path:
    """A copy of the recording, without a project."""
    return shutil.copytree(_template(), folder / "coded")


def coded_project(folder: Path) -> Path:
    """The project of such a copy."""
    return project_of(coded_recording(folder))


def shown_frames(window: MainWindow) -> list[int | None]:
    """The video frame whose pixels each pane shows, read off them; None without a picture."""
    found = []
    for view, pane in enumerate(window.grid.panes):
        picture = pane.picture
        code = None
        if picture is not None and picture.pixels is not None:
            code = read_code(picture.pixels)
            assert code is not None, "the picture is of no frame at all"
            code -= SHIFT * view
        found.append(code)
    return found
