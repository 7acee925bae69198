"""What a person who looks into a problem needs to know, as text; no contents of files."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import qVersion

from pipeline import __version__
from pipeline.data.observations import observations
from simspine_viewer import log_file

if TYPE_CHECKING:
    from simspine_viewer.main_window import MainWindow

PACKAGES = (
    "PySide6-Essentials", "vtk", "pyvista", "numpy", "scipy", "opencv-python-headless", "av",
    "pyqtgraph",
)  # fmt: skip


def diagnostics(window: MainWindow, report: str = "") -> str:
    """Program, computer, recording and the end of the log; folders of the user shortened to ~."""
    parts = [
        ("Program", _program()),
        ("Computer", _computer(window)),
        ("Recording", _recording(window)),
        ("Jobs", [f"{job.job.title}: {job.text}" for job in window.jobs.jobs[-5:]] or ["none"]),
        ("Log", log_file.last_lines() or ["empty"]),
    ]
    if report:
        parts.insert(0, ("Report", report.strip().splitlines()))
    text = "\n\n".join(
        "\n".join([f"{title}", *(f"  {x}" for x in lines)]) for title, lines in parts
    )
    return without_home(text) + "\n"


def without_home(text: str) -> str:
    """The same text with the user's own folder written as ~."""
    home = str(Path.home())
    return text.replace(home, "~") if len(home) > 1 else text


def _program() -> list[str]:
    lines = [
        f"SIMSPINE Viewer {__version__}",
        f"Python {platform.python_version()}, Qt {qVersion()}",
    ]
    for name in PACKAGES:
        try:
            lines.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            lines.append(f"{name}: no record of its version")
    return lines


def _computer(window: MainWindow) -> list[str]:
    lines = [
        platform.platform(),
        f"Windows by {window.app.platformName()}",
        f"3D drawn by {_renderer()}",
    ]
    for screen in window.app.screens():
        size = screen.geometry().size()
        lines.append(
            f"Screen {size.width()} × {size.height()} at {screen.devicePixelRatio():g}, "
            f"{screen.refreshRate():.0f} Hz"
        )
    size = window.size()
    return [*lines, f"Window {size.width()} × {size.height()}, theme {window.theme.name}"]


def _renderer() -> str:
    """Name of what draws the 3D view, or why nothing does."""
    from simspine_viewer.offscreen import SceneUnavailableError, offscreen_window  # loads VTK

    try:
        drawing = offscreen_window()
    except SceneUnavailableError as error:
        return f"nothing ({error})"
    drawing.Render()
    lines = drawing.ReportCapabilities().splitlines()
    drawing.Finalize()
    named = (line.partition(":")[2].strip() for line in lines if "renderer string" in line)
    return next(named, "a renderer without a name")


def _recording(window: MainWindow) -> list[str]:
    document = window.document
    if document.project is None:
        return ["none open"]
    sequence, project = document.sequence, document.project
    info = sequence.info
    size = project.path.stat().st_size / 1e6 if project.path.exists() else 0.0
    lines = [
        f"Project of {size:.1f} MB{', for looking only' if project.read_only else ''}",
        f"{sequence.n_frames} frames at {info.fps:g} Hz, {sequence.n_views} views, "
        f"{sequence.n_keypoints} keypoints, {len(document.tracks())} people",
        f"At frame {window.time.frame}, view {window.selection.view + 1}, "
        f"keypoint {window.selection.keypoint}",
        f"{len(document.history.entries)} steps in the history",
    ]
    seen = observations(sequence, document.person, np.array([window.time.frame]))
    lines.append(f"{int(np.isfinite(seen.xy[..., 0]).sum())} points seen in this frame")
    for camera, video in zip(sequence.cameras.names, info.videos, strict=True):
        kind = video.path.suffix if video.path else "no video"
        lines.append(
            f"{camera}: {kind}, {video.size[0]} × {video.size[1]}, {video.n_frames} frames"
        )
    return lines
