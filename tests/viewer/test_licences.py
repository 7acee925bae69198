"""The page of licences names everything that is bundled."""

from __future__ import annotations

import re
import tomllib
from importlib import metadata
from pathlib import Path

from simspine_viewer.licences import licences_html, parts

ROOT = Path(__file__).resolve().parents[2]


def test_every_dependency_is_named_with_its_licence() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = {re.split(r"[^A-Za-z0-9._-]", entry)[0] for entry in project["dependencies"]}
    found = {re.sub(r"[-_.]+", "-", part.name).lower(): part for part in parts()}
    for name in (*wanted, "simspine-viewer", "shiboken6"):  # the last one comes with PySide6
        part = found[re.sub(r"[-_.]+", "-", name).lower()]
        assert part.licence != "see its page", name
        assert part.version == metadata.version(name)


def test_tools_of_the_developers_are_not_named() -> None:
    assert not {part.name.lower() for part in parts()} & {"pytest", "ruff", "mypy", "pyinstaller"}


def test_the_page_has_texts_and_what_is_inside_the_wheels() -> None:
    page = licences_html()
    assert "Redistribution and use in source and binary forms" in page
    assert "contains FFmpeg" in page
    assert "contains Qt 6 (LGPL 3)" in page
