#!/usr/bin/env python3
"""Set-up in one command: ``python3 dev.py demo`` opens the app, ``python3 dev.py test`` tests it.

``python3 dev.py package`` builds the installable program (see ``packaging/README.md``).

Both make ``.venv``, install the package, and see to missing system libraries: as root on Debian or
Ubuntu they are installed, else the exact command is printed. Needs only the standard library.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
STAMP = VENV / "installed.txt"
VERSIONS = ((3, 11), (3, 12), (3, 13))  # those with OpenSim wheels

# Lines of “shared library, Debian package”.
LIBRARIES = ROOT / "resources" / "system_libraries.txt"
TEST_PROGRAMS = {"Xvfb": "xvfb", "ffmpeg": "ffmpeg"}


def run(command: list[str], **options: Any) -> int:
    """Run a command and return its exit code."""
    return subprocess.run(command, check=False, **options).returncode


def say(text: str) -> None:
    print(f"[dev] {text}", flush=True)


def stop(text: str) -> None:
    raise SystemExit(f"[dev] {text}")


def suitable_python() -> str:
    """This Python if it fits, else another one on the PATH."""
    if sys.version_info[:2] in VERSIONS:
        return sys.executable
    for major, minor in reversed(VERSIONS):
        found = shutil.which(f"python{major}.{minor}")
        if found and run([found, "--version"], stdout=subprocess.DEVNULL) == 0:
            return found
    stop("Python 3.11, 3.12 or 3.13 is needed; install one of them and run this again.")
    raise AssertionError


def make_environment() -> None:
    """Make ``.venv`` and install the package, unless that was done for this pyproject.toml."""
    fingerprint = hashlib.sha256((ROOT / "pyproject.toml").read_bytes()).hexdigest()
    if STAMP.exists() and STAMP.read_text() == fingerprint:
        return
    if not (BIN / "python").exists() and not (BIN / "python.exe").exists():
        say("making .venv")
        if run([suitable_python(), "-m", "venv", str(VENV)]) != 0:
            shutil.rmtree(VENV, ignore_errors=True)
            install_packages(["python3-venv"])
            subprocess.run([suitable_python(), "-m", "venv", str(VENV)], check=True)
    say("installing the package and what it needs (a few minutes the first time)")
    pip = [str(BIN / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    if run([*pip, "-e", f"{ROOT}[dev]"]) != 0:
        stop("pip could not install the package; its message is above.")
    STAMP.write_text(fingerprint)


def missing_packages(programs: dict[str, str]) -> list[str]:
    """Debian packages of the shared libraries and programs that are not here."""
    if not sys.platform.startswith("linux"):
        return []
    lines = LIBRARIES.read_text(encoding="utf-8").splitlines()
    libraries = dict(line.split() for line in lines if not line.startswith("#"))
    check = (
        "import ctypes, sys\n"
        "for name in sys.argv[1:]:\n"
        "    try: ctypes.CDLL(name)\n"
        "    except OSError: print(name)"
    )
    done = subprocess.run(
        [str(BIN / "python"), "-c", check, *libraries], capture_output=True, text=True, check=True
    )
    absent = [libraries[name] for name in done.stdout.split()]
    return absent + [package for name, package in programs.items() if not shutil.which(name)]


def install_packages(packages: list[str]) -> None:
    """Install Debian packages as root; without root, stop with the command that does it."""
    command = "apt-get install --no-install-recommends -y " + " ".join(packages)
    if not shutil.which("apt-get"):
        stop(f"these system packages (Debian names) are missing: {' '.join(packages)}")
    if os.geteuid() != 0:
        stop(f"system packages are missing; run:  sudo {command}")
    say(f"installing system packages: {' '.join(packages)}")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    run(["apt-get", "update", "-qq"], env=environment, stdout=subprocess.DEVNULL)
    if run([*command.split(), "-qq"], env=environment, stdout=subprocess.DEVNULL) != 0:
        stop(f"the system packages could not be installed; try:  {command}")


def set_up(programs: dict[str, str]) -> None:
    make_environment()
    absent = missing_packages(programs)
    if absent:
        install_packages(absent)


def has_display() -> bool:
    if not sys.platform.startswith("linux"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def demo(arguments: list[str]) -> int:
    """Open the app on the built-in demo; without a display, write a picture of the window."""
    set_up({})
    command = [str(BIN / "python"), "-m", "simspine_viewer", "--demo", *arguments]
    if has_display():
        return run(command, cwd=ROOT)
    picture = ROOT / "demo.png"
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    if "--screenshot" not in arguments:
        command += ["--screenshot", str(picture)]
    say("there is no display: the demo is opened off screen")
    code = run(command, cwd=ROOT, env=environment)
    if code == 0 and "--screenshot" not in arguments:
        say(f"a picture of the window is in {picture.name}")
    return code


def test(arguments: list[str]) -> int:
    """Run every check and every test; with arguments, pytest alone with them."""
    set_up(TEST_PROGRAMS)
    python = str(BIN / "python")
    pytest = [python, "-m", "pytest", "-p", "no:cacheprovider"]
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    if arguments:
        return run([*pytest, *arguments], cwd=ROOT, env=environment)
    steps = {
        "ruff": [python, "-m", "ruff", "check", "."],
        "ruff format": [python, "-m", "ruff", "format", "--check", "."],
        "mypy": [python, "-m", "mypy"],
        "import rules": [str(BIN / "lint-imports")],
        "tests": [*pytest, "-n", "2", "--dist", "loadfile", "-m", "not xvfb"],
        "tests with a real window": [*pytest, "-m", "xvfb"],
    }
    failed = []
    for name, command in steps.items():
        say(name)
        if run(command, cwd=ROOT, env=environment) != 0:
            failed.append(name)
    say(f"FAILED: {', '.join(failed)}" if failed else "everything passed")
    return 1 if failed else 0


def package(arguments: list[str]) -> int:
    """Build what people without Python install, in ``packaging/dist``."""
    set_up({})
    python = str(BIN / "python")
    if run([python, "-m", "pip", "install", "--quiet", "-e", f"{ROOT}[package]"], cwd=ROOT) != 0:
        stop("PyInstaller could not be installed.")
    return run([python, str(ROOT / "packaging" / "build.py"), *arguments], cwd=ROOT)


COMMANDS = {"demo": demo, "test": test, "package": package}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("command", choices=tuple(COMMANDS))
    known, rest = parser.parse_known_args()
    return COMMANDS[known.command](rest)


if __name__ == "__main__":
    sys.exit(main())
