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
    safe = "".join("_" if c in '<>:"/\\|?*' or ord(c) < 32 else c for c in name) or "project"
    beside = root / f"{safe}{SUFFIX}"
    absolute = os.path.abspath(root)
    key = hashlib.sha256(os.fsencode(absolute)).hexdigest()[:12]
    data = platformdirs.user_data_path("simspine-viewer", appauthor=False) / "projects"
    own = data / f"{safe}-{key}{SUFFIX}"
    if _takes_files(root) and (beside.exists() or not own.exists()):
        return beside
    try:
        data.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(
            f"{root} is read-only and {data} cannot be made for its project: {error_text(error)}."
        ) from error
    return own


def _takes_files(folder: Path) -> bool:
    # Permission bits say little to an administrator and nothing about read-only media.
    try:
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False
