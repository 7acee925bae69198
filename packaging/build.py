#!/usr/bin/env python3
"""Builds the program as one folder, an archive of it and, on Debian and Ubuntu, a .deb package.

Run by ``python3 dev.py package``. Everything is written to ``packaging/dist``.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
BUILD, DIST = HERE / "build", HERE / "dist"
FOLDER = DIST / "simspine-viewer"
sys.path[:0] = [str(ROOT), str(HERE)]

import icons  # noqa: E402
from check_build import smoke_test  # noqa: E402

from pipeline import __version__  # noqa: E402

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def say(text: str) -> None:
    print(f"[package] {text}", flush=True)


def build_folder() -> None:
    """Run PyInstaller."""
    icons.write(BUILD / "icons")
    say("collecting the program (takes some minutes)")
    command = [
        sys.executable, "-m", "PyInstaller", "--noconfirm", "--log-level", "WARN",
        "--distpath", str(DIST), "--workpath", str(BUILD / "pyinstaller"),
        str(HERE / "simspine.spec"),
    ]  # fmt: skip
    subprocess.run(command, check=True, cwd=HERE)
    size = sum(file.lstat().st_size for file in FOLDER.rglob("*") if file.is_file())
    say(f"{FOLDER.relative_to(ROOT)}: {size / 1e6:.0f} MB")


def system_packages() -> list[str]:
    """Debian packages the program needs, from the one list of them."""
    lines = (ROOT / "resources" / "system_libraries.txt").read_text().splitlines()
    rows = (line.split() for line in lines if line.strip() and not line.startswith("#"))
    return sorted({row[1] for row in rows})


def desktop_files(tree: Path) -> None:
    """Put desktop entry, MIME type and icons where the desktops look for them."""
    share = tree / "usr" / "share"
    for source, target in (
        ("simspine-viewer.desktop", "applications"),
        ("simspine-viewer.xml", "mime/packages"),
    ):
        (share / target).mkdir(parents=True, exist_ok=True)
        shutil.copy(HERE / "linux" / source, share / target)
    for size in icons.SIZES:
        folder = share / "icons" / "hicolor" / f"{size}x{size}" / "apps"
        folder.mkdir(parents=True)
        picture = BUILD / "icons" / f"simspine-viewer-{size}.png"
        shutil.copy(picture, folder / "simspine-viewer.png")
    scalable = share / "icons" / "hicolor" / "scalable" / "apps"
    scalable.mkdir(parents=True)
    shutil.copy(icons.SVG, scalable / "simspine-viewer.svg")


def build_archive() -> Path:
    """A self-contained archive: unpack anywhere and start."""
    path = DIST / f"simspine-viewer-{__version__}-{sys.platform}.tar.gz"
    say(f"writing {path.relative_to(ROOT)}")
    with tarfile.open(path, "w:gz", compresslevel=6) as archive:
        archive.add(FOLDER, f"simspine-viewer-{__version__}")
    return path


def build_deb() -> Path:
    """A Debian package of the same folder."""
    import platform

    architecture = ARCHITECTURES.get(platform.machine(), platform.machine())
    tree = BUILD / "deb"
    shutil.rmtree(tree, ignore_errors=True)
    (tree / "opt").mkdir(parents=True)
    shutil.copytree(FOLDER, tree / "opt" / "simspine-viewer", symlinks=True)
    desktop_files(tree)
    programs = tree / "usr" / "bin"
    programs.mkdir(parents=True)
    for name in ("simspine-viewer", "simspine"):
        (programs / name).symlink_to(f"/opt/simspine-viewer/{name}")
    document = tree / "usr" / "share" / "doc" / "simspine-viewer"
    document.mkdir(parents=True)
    shutil.copy(ROOT / "LICENSE", document / "copyright")
    size = sum(file.lstat().st_size for file in tree.rglob("*") if file.is_file()) // 1024
    # GLib has another name since Debian 13 and Ubuntu 24.04.
    needed = [
        f"{name} | {name}t64" if name == "libglib2.0-0" else name for name in system_packages()
    ]
    control = tree / "DEBIAN"
    control.mkdir()
    (control / "control").write_text(
        "Package: simspine-viewer\n"
        f"Version: {__version__}\n"
        f"Architecture: {architecture}\n"
        "Section: science\nPriority: optional\n"
        "Maintainer: The SIMSPINE Viewer developers <simspine-viewer@localhost>\n"
        f"Installed-Size: {size}\n"
        f"Depends: libc6 (>= 2.34), {', '.join(needed)}\n"
        "Description: see, correct and publish how the human spine moves\n"
        " Synchronized multi-camera video panes and a 3D view in which the keypoints of\n"
        " the spine are inspected, corrected and exported.\n"
    )
    path = DIST / f"simspine-viewer_{__version__}_{architecture}.deb"
    say(f"writing {path.relative_to(ROOT)}")
    command = ["dpkg-deb", "--root-owner-group", "-Zgzip", "--build", str(tree), str(path)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return path


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder-only", action="store_true", help="no archive and no .deb")
    options = parser.parse_args()
    build_folder()
    say("starting what was built")
    if (code := smoke_test(FOLDER / "simspine-viewer")) != 0:
        say("the built program FAILED its smoke test")
        return code
    if not options.folder_only:
        build_archive()
        if shutil.which("dpkg-deb"):
            build_deb()
    say("done")
    return 0


if __name__ == "__main__":
    sys.exit(main())
