"""A small demo recording and its project, made once in this process and copied for each test."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

from tests.viewer.window import make_recording, project_of

N_FRAMES = 12


@cache
def _template() -> Path:
    root = Path(tempfile.mkdtemp(prefix="simspine-test-"))
    atexit.register(shutil.rmtree, root, ignore_errors=True)
    folder = make_recording(root / "walk", n_views=4, n_frames=N_FRAMES)
    project_of(folder)
    return folder


def small_recording(folder: Path) -> Path:
    """A recording folder without a project, ``folder``/walk."""
    target = folder / "walk"
    shutil.copytree(_template(), target, ignore=shutil.ignore_patterns("*.simspine*"))
    return target


def small_project(folder: Path) -> Path:
    """The project file of such a recording."""
    shutil.copytree(_template(), folder / "walk")
    (path,) = (folder / "walk").glob("*.simspine")
    return path
