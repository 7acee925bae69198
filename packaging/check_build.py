#!/usr/bin/env python3
"""Starts a built program and lets it test itself; with --root, in a bare Debian without Python.

``python3 packaging/check_build.py --root DIR`` makes a minimal Debian in DIR with ``debootstrap``
(as root), installs the libraries that the .deb names and nothing else, and runs the program there.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
DIST = HERE / "dist"
LIMIT_S = 300


def smoke_test(program: Path) -> int:
    """Exit code of ``program --smoke-test``, started where no Python can be found."""
    with tempfile.TemporaryDirectory() as home:
        environment = {
            "HOME": home,
            "PATH": "/nonexistent",
            "LANG": "C.UTF-8",
            "QT_QPA_PLATFORM": "offscreen",
        }
        if os.name == "nt":
            environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
        command = [str(program), "--smoke-test"]
        return subprocess.run(
            command, check=False, env=environment, cwd=home, timeout=LIMIT_S
        ).returncode


def bare_debian(root: Path, package: Path) -> None:
    """A minimal Debian with the package and what it depends on."""
    if not (root / "usr").is_dir():
        command = ["debootstrap", "--variant=minbase", "bookworm", str(root)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    for name in ("/etc/apt/sources.list", "/etc/apt/sources.list.d", "/etc/apt/apt.conf.d"):
        source, target = Path(name), root / name[1:]
        if source.is_dir():
            shutil.copytree(source, target, dirs_exist_ok=True)
        elif source.is_file():
            shutil.copy(source, target)
    shutil.copy(package, root / "package.deb")
    inside = "apt-get update -qq && apt-get install -y -qq --no-install-recommends /package.deb"
    subprocess.run(
        ["chroot", str(root), "/bin/sh", "-c", inside], check=True, stdout=subprocess.DEVNULL
    )


def smoke_test_in(root: Path) -> int:
    """Exit code of the installed program's smoke test inside ``root``."""
    finding = ["chroot", str(root), "/bin/sh", "-c", "command -v python3 || command -v python"]
    if subprocess.run(finding, check=False, stdout=subprocess.DEVNULL).returncode == 0:
        raise SystemExit(f"{root} has a Python; the check would prove nothing.")
    inside = "mount -t proc proc /proc 2>/dev/null; cd /tmp; HOME=/tmp QT_QPA_PLATFORM=offscreen "
    inside += "simspine --version && HOME=/tmp QT_QPA_PLATFORM=offscreen simspine-viewer "
    inside += "--smoke-test; code=$?; umount /proc 2>/dev/null; exit $code"
    command = ["chroot", str(root), "/bin/sh", "-c", inside]
    return subprocess.run(command, check=False, timeout=LIMIT_S).returncode


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, help="folder for a bare Debian (as root)")
    options = parser.parse_args()
    if options.root is None:
        return smoke_test(DIST / "simspine-viewer" / "simspine-viewer")
    packages = sorted(DIST.glob("simspine-viewer_*.deb"))
    if not packages:
        raise SystemExit("There is no .deb in packaging/dist; run python3 dev.py package first.")
    if shutil.which("debootstrap") is None:
        raise SystemExit("debootstrap is missing; run:  apt-get install debootstrap")
    bare_debian(options.root, packages[-1])
    return smoke_test_in(options.root)


if __name__ == "__main__":
    sys.exit(main())
