"""Where the project file of a recording belongs."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

import platformdirs

from pipeline.data.errors import UserError
from pipeline.io.project_sqlite import error_text

SUFFIX = ".simspine"


def project_path_for(root: Path, name: str) -> Path:
    """Where the project of a recording belongs.

    ``<root>/<name>.simspine``; where that folder takes no files, a place of its own among the
    user's data, always the same for one folder. A project that already lies there is kept to
    until ``root`` holds one.
    """
    beside, own = _places(root, name)
    if _belongs_beside(root, beside, own):
        return beside
    try:
        own.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(
            f"{root} is read-only and {own.parent} cannot be made for its project: "
            f"{error_text(error)}."
        ) from error
    return own


def existing_project_for(root: Path, name: str) -> Path | None:
    """The project at :func:`project_path_for`, None where there is none; nothing is made."""
    beside, own = _places(root, name)
    path = beside if _belongs_beside(root, beside, own) else own
    return path if path.exists() else None


def _places(root: Path, name: str) -> tuple[Path, Path]:
    """Where a project may lie: in its recording's folder, and among the user's data."""
    safe = "".join("_" if c in '<>:"/\\|?*' or ord(c) < 32 else c for c in name) or "project"
    key = hashlib.sha256(os.fsencode(os.path.abspath(root))).hexdigest()[:12]
    data = platformdirs.user_data_path("simspine-viewer", appauthor=False) / "projects"
    return root / f"{safe}{SUFFIX}", data / f"{safe}-{key}{SUFFIX}"


def _belongs_beside(root: Path, beside: Path, own: Path) -> bool:
    return _takes_files(root) and (beside.exists() or not own.exists())


def _takes_files(folder: Path) -> bool:
    # Permission bits say little to an administrator and nothing about read-only media.
    try:
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False
