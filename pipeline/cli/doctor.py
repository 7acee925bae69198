"""``simspine doctor``: what is installed, what is missing or known to break, and how to mend it.

Everything that could crash is tried in a process of its own, so that the report is always whole.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Literal

from pipeline import __version__
from pipeline.data.resources import resource_path

Version = tuple[int, ...]
Level = Literal["ok", "note", "problem"]

OLDEST_PYTHON, NEWEST_PYTHON = (3, 11), (3, 13)  # those with OpenSim wheels
QT = "PySide6-Essentials"
QT_WANTED = "PySide6-Essentials>=6.9,!=6.11.0,!=6.11.1,!=6.11.2,<6.12"
OPENCV = "opencv-python-headless"
FOREIGN_OPENCV = ("opencv-python", "opencv-contrib-python")

# Package → the module that loads its libraries.
PACKAGES = {
    "numpy": "numpy",
    "scipy": "scipy.optimize",
    "numba": "numba",
    "opensim": "opensim",
    "torch": "torch",
    OPENCV: "cv2",
    "av": "av",
    "platformdirs": "platformdirs",
    "tomli-w": "tomli_w",
    QT: "PySide6.QtWidgets",
    "vtk": "vtkmodules.vtkRenderingOpenGL2",
    "pyvista": "pyvista",
    "pyqtgraph": "pyqtgraph",
}


def debian_packages() -> dict[str, str]:
    """The Debian package of each shared library that Qt and VTK load on Linux."""
    lines = resource_path("system_libraries.txt").read_text(encoding="utf-8").splitlines()
    pairs = (line.split(maxsplit=1) for line in lines if not line.startswith("#"))
    return {pair[0]: pair[1] for pair in pairs}


_IMPORT = """
import importlib, sys
try:
    importlib.import_module(sys.argv[1])
except Exception as error:
    sys.exit(f"{type(error).__name__}: {error}")
"""

_LOAD_LIBRARIES = """
import ctypes, sys
for name in sys.argv[1:]:
    try:
        ctypes.CDLL(name)
    except OSError:
        print(name)
"""

# One picture in red, drawn off screen as the 3D view draws its own.
_DRAW = """
import os, sys
if sys.platform.startswith("linux") and not os.environ.get("DISPLAY"):
    os.environ.setdefault("VTK_DEFAULT_OPENGL_WINDOW", "vtkEGLRenderWindow")
import vtkmodules.vtkRenderingOpenGL2
from vtkmodules.vtkCommonCore import vtkUnsignedCharArray
from vtkmodules.vtkRenderingCore import vtkRenderer, vtkRenderWindow
window, renderer, pixel = vtkRenderWindow(), vtkRenderer(), vtkUnsignedCharArray()
window.SetShowWindow(False)
window.SetUseOffScreenBuffers(True)
window.SetMultiSamples(0)
window.SetSize(32, 32)
renderer.SetBackground(1.0, 0.0, 0.0)
window.AddRenderer(renderer)
window.Render()
window.GetPixelData(16, 16, 16, 16, 0, pixel, 0)
if [pixel.GetValue(i) for i in range(3)] != [255, 0, 0]:
    sys.exit("the picture that was drawn came back wrong")
for line in window.ReportCapabilities().splitlines():
    if line.startswith("OpenGL renderer string:"):
        print(line.partition(":")[2].strip())
"""
_TOO_LONG = 120.0  # seconds; importing from a cold network disk can take a minute


@dataclass(frozen=True, slots=True)
class Facts:
    """What was found on this computer.

    ``versions`` has every package looked for that is installed; ``broken`` says why a package
    cannot be imported; ``missing`` are shared libraries; ``opengl`` is the renderer's name, or
    None with the cause in ``opengl_error``.
    """

    python: Version
    system: str
    versions: Mapping[str, str]
    broken: Mapping[str, str]
    missing: tuple[str, ...] = ()
    opengl: str | None = None
    opengl_error: str = ""
    has_display: bool = True


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the report; a ``problem`` is something needed that is broken."""

    level: Level
    text: str


def gathered() -> Facts:
    """Look at this computer; takes a few seconds."""
    names = (*PACKAGES, *FOREIGN_OPENCV, "shiboken6")
    versions = {name: found for name in names if (found := _version(name))}
    with ThreadPoolExecutor(2) as pool:
        imports = pool.map(_import_error, [name for name in PACKAGES if name in versions])
        picture = pool.submit(_python, _DRAW)
        broken = {name: error for name, error in imports if error}
        drawn = picture.result()
    on_linux = sys.platform.startswith("linux")
    missing = _python(_LOAD_LIBRARIES, *debian_packages()).stdout.split() if on_linux else []
    display = bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
    return Facts(
        python=tuple(sys.version_info[:3]),
        system=platform.platform(),
        versions=versions,
        broken=broken,
        missing=tuple(missing),
        opengl=(drawn.stdout.strip() or "a renderer without a name")
        if not drawn.returncode
        else None,
        opengl_error=_last_words(drawn),
        has_display=display or not on_linux,
    )


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _import_error(name: str) -> tuple[str, str]:
    done = _python(_IMPORT, PACKAGES[name])
    return name, _last_words(done) if done.returncode else ""


def _python(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", code, *arguments]
    try:
        return subprocess.run(
            command, capture_output=True, text=True, errors="replace", check=False,
            timeout=_TOO_LONG,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        text = f"it took longer than {_TOO_LONG:.0f} s"
        return subprocess.CompletedProcess(command, 1, "", text)


def _last_words(done: subprocess.CompletedProcess[str]) -> str:
    lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
    if lines:
        return lines[-1]
    return f"it crashed (exit code {done.returncode})" if done.returncode else ""


def judged(facts: Facts) -> list[Line]:
    """The report on some facts."""
    lines = [Line("ok", f"SIMSPINE Viewer {__version__} on {facts.system}")]
    lines.append(_python_line(facts.python))
    lines += [_package_line(name, facts) for name in PACKAGES]
    lines += _qt_lines(facts)
    lines += _opencv_lines(facts)
    if facts.missing:
        known = debian_packages()
        packages = " ".join(dict.fromkeys(known[name] for name in facts.missing))
        lines.append(
            Line(
                "problem",
                f"system libraries are missing ({', '.join(facts.missing)}); run: "
                f"sudo apt-get install --no-install-recommends -y {packages}",
            )
        )
    elif "Linux" in facts.system:
        lines.append(Line("ok", "system libraries of the window"))
    if facts.opengl is None:
        text = f"the 3D view cannot be drawn off screen: {facts.opengl_error}"
        lines.append(Line("problem", text))
    else:
        lines.append(Line("ok", f"off-screen OpenGL by {facts.opengl}"))
    if not facts.has_display:
        lines.append(Line("note", "there is no display here, so the window can only be pictured"))
    return lines


def _python_line(python: Version) -> Line:
    text = f"Python {'.'.join(map(str, python))}"
    if OLDEST_PYTHON <= python[:2] <= NEWEST_PYTHON:
        return Line("ok", text)
    return Line("problem", f"{text}: 3.11, 3.12 or 3.13 is needed")


def _package_line(name: str, facts: Facts) -> Line:
    if name not in facts.versions:
        wanted = QT_WANTED if name == QT else name
        return Line("problem", f'{name} is not installed; run: python -m pip install "{wanted}"')
    if name in facts.broken:
        return Line(
            "problem", f"{name} {facts.versions[name]} cannot be imported: {facts.broken[name]}"
        )
    return Line("ok", f"{name} {facts.versions[name]}")


def _qt_lines(facts: Facts) -> list[Line]:
    found = facts.versions.get(QT)
    if found is None:
        return []
    remedy = f'run: python -m pip install "{QT_WANTED}"'
    lines = []
    number = _numbers(found)
    if number < (6, 9):
        lines.append(Line("problem", f"{QT} {found} is too old; {remedy}"))
    elif (6, 11, 0) <= number <= (6, 11, 2):
        # napari#9054
        lines.append(Line("problem", f"{QT} {found} breaks dock widgets; {remedy}"))
    elif number >= (6, 12) and facts.python < (3, 12):
        # Measured: aborts after some 5000 calls that return nothing.
        lines.append(
            Line(
                "problem",
                f"{QT} {found} loses references to None before Python 3.12 and then aborts; "
                f"{remedy}",
            )
        )
    elif number >= (6, 12):
        lines.append(Line("note", f"{QT} {found} is newer than what this was tested with"))
    shiboken = facts.versions.get("shiboken6", found)
    if shiboken != found:
        lines.append(
            Line("problem", f"shiboken6 {shiboken} does not go with {QT} {found}; {remedy}")
        )
    return lines


def _opencv_lines(facts: Facts) -> list[Line]:
    foreign = [name for name in FOREIGN_OPENCV if name in facts.versions]
    if not foreign:
        return []
    # opencv-python#736. Both wheels fill one folder, so removing one takes files of the other.
    return [
        Line(
            "problem",
            f"{' and '.join(foreign)} beside PySide6 puts its own Qt in the way; run: "
            f"python -m pip uninstall -y {' '.join(foreign)} {OPENCV} && "
            f"python -m pip install {OPENCV}",
        )
    ]


def _numbers(text: str) -> Version:
    """The numeric beginning of a version, such as (6, 11, 3)."""
    numbers: list[int] = []
    for part in text.split("."):
        if not part.isdecimal():
            break
        numbers.append(int(part))
    return tuple(numbers)


def as_text(lines: list[Line]) -> str:
    """The report, one line each, the level first."""
    return "\n".join(f"{line.level:8} {line.text}" for line in lines)


def is_healthy(lines: list[Line]) -> bool:
    """True where nothing that is needed is broken."""
    return all(line.level != "problem" for line in lines)
