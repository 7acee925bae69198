"""Where the files of a model's bones lie."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from pipeline.data.resources import resource_path


def find_mesh(name: str, folders: Iterable[Path]) -> Path | None:
    """The file of a mesh: as it is named, in or beside ``folders``, or among ours; None for none.

    In every folder its ``Geometry`` is looked at too, as OpenSim does.
    """
    file = Path(re.sub(r"\\", "/", name))
    places = [file] if file.is_absolute() else []
    for folder in (*folders, resource_path("models")):
        places += [folder / file, folder / "Geometry" / file]
        places += [folder / file.name, folder / "Geometry" / file.name]
    return next((place for place in places if place.is_file()), None)
