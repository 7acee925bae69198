"""The recipes of the packages name files that exist, and are well formed."""

from __future__ import annotations

import ast
import configparser
import importlib.util
import os
import re
import struct
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGING = ROOT / "packaging"
# What build.py makes, so that recipes may name it before it is there.
MADE = ("build", "dist")


def _module(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"packaging_{name}", PACKAGING / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_desktop_entry_has_what_the_standard_asks_for() -> None:
    entry = configparser.ConfigParser(interpolation=None)
    entry.optionxform = str  # type: ignore[assignment, method-assign]
    entry.read(PACKAGING / "linux" / "simspine-viewer.desktop")
    section = entry["Desktop Entry"]
    assert section["Type"] == "Application"
    assert section["Exec"].split() == ["simspine-viewer", "%f"]
    for key in ("Categories", "MimeType", "Keywords"):
        assert section[key].endswith(";"), key
    mime = ElementTree.parse(PACKAGING / "linux" / "simspine-viewer.xml").getroot()
    (kind,) = list(mime)
    assert kind.get("type") == section["MimeType"].rstrip(";")
    globs = [part.get("pattern") for part in kind if part.tag.endswith("}glob")]
    assert globs == ["*.simspine"]


@pytest.mark.parametrize("script", ["linux/AppRun", "linux/appimage.sh", "macos/build.sh"])
def test_shell_scripts_are_well_formed(script: str) -> None:
    path = PACKAGING / script
    assert os.access(path, os.X_OK)
    assert subprocess.run(["sh", "-n", str(path)], check=False).returncode == 0


@pytest.mark.parametrize("name", ["simspine.spec", "build.py", "check_build.py", "icons.py"])
def test_python_recipes_parse(name: str) -> None:
    ast.parse((PACKAGING / name).read_text(encoding="utf-8"))


def test_the_windows_installer_names_what_exists() -> None:
    text = (PACKAGING / "windows" / "simspine-viewer.iss").read_text(encoding="utf-8")
    sections = re.findall(r"^\[(\w+)\]", text, re.MULTILINE)
    assert sections == ["Setup", "Files", "Icons", "Registry", "Run"]
    paths = re.findall(r"(?:LicenseFile|SetupIconFile|OutputDir)=(\S+)", text)
    paths += re.findall(r'Source: "([^"*]+)', text)
    assert len(paths) == 4
    for name in paths:
        path = (PACKAGING / "windows" / name.replace("\\", "/")).resolve()
        assert path.exists() or path.relative_to(PACKAGING).parts[0] in MADE, name
    for line in text.splitlines():
        assert line.count('"') % 2 == 0, line
    script = (PACKAGING / "windows" / "build.ps1").read_text(encoding="utf-8")
    assert script.count("{") == script.count("}")
    assert "simspine-viewer.iss" in script


def test_what_the_recipes_call_exists() -> None:
    """The commands of dev.py, the options of the programs."""
    sys.path.insert(0, str(ROOT))
    try:
        import dev
    finally:
        sys.path.remove(str(ROOT))
    assert "package" in dev.COMMANDS
    for recipe in ("windows/build.ps1", "macos/build.sh"):
        text = (PACKAGING / recipe).read_text(encoding="utf-8")
        assert re.findall(r"dev\.py (\w+)", text) == ["package"]
        assert "--smoke-test" in text
    for start in ("launch_viewer", "launch_cli"):
        tree = ast.parse((PACKAGING / f"{start}.py").read_text(encoding="utf-8"))
        modules = [node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
        (name,) = [module for module in modules if module]
        assert importlib.util.find_spec(name) is not None


@pytest.mark.gui
def test_icons_hold_pictures_of_the_sizes_they_claim(qapp, tmp_path: Path) -> None:
    icons = _module("icons")
    icons.write(tmp_path)
    for size in icons.SIZES:
        data = (tmp_path / f"simspine-viewer-{size}.png").read_bytes()
        assert data[:8] == b"\x89PNG\r\n\x1a\n"
        assert struct.unpack(">II", data[16:24]) == (size, size)
    ico = (tmp_path / "simspine-viewer.ico").read_bytes()
    count = struct.unpack("<H", ico[4:6])[0]
    assert count == len([size for size in icons.SIZES if size <= 256])
    for entry in range(count):
        length, offset = struct.unpack("<II", ico[6 + 16 * entry + 8 : 6 + 16 * entry + 16])
        assert ico[offset : offset + 4] == b"\x89PNG"
        assert offset + length <= len(ico)
    icns = (tmp_path / "simspine-viewer.icns").read_bytes()
    assert icns[:4] == b"icns"
    assert struct.unpack(">I", icns[4:8])[0] == len(icns)


def test_the_debian_package_depends_on_every_library_of_the_list() -> None:
    packages = _module("build").system_packages()
    lines = (ROOT / "resources" / "system_libraries.txt").read_text().splitlines()
    listed = {line.split()[1] for line in lines if line and not line.startswith("#")}
    assert set(packages) == listed
    assert "libegl1" in packages
