"""How people are simulated, as commands and jobs are told; importing it loads no OpenSim."""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.data.errors import UserError

if TYPE_CHECKING:
    from pipeline.simulation.model_tables import Variant


@dataclass(frozen=True, slots=True)
class SimulationPlan:
    """How people are simulated, as it is told to the commands and to workers.

    Parameters
    ----------
    spine : str
        ``core`` or ``extended``: 11 or 13 free coordinates.
    height, mass : float, optional
        Of the person, metres and kilograms.
    model, marker_set : Path, optional
        An OpenSim model instead of ours, and markers to be added to its own.
    compatible : bool
        SIMSPINE's published constants and formulas instead of ours.
    known : Path, optional
        TRC of markers that replace measured ones of the same name.
    threads : int
        Parts of a sequence that are solved side by side.
    """

    spine: Variant = "core"
    height: float | None = None
    mass: float | None = None
    model: Path | None = None
    marker_set: Path | None = None
    compatible: bool = False
    known: Path | None = None
    threads: int = field(default_factory=lambda: os.cpu_count() or 1)


def make_folder(folder: Path) -> None:
    """Make a folder and those above it; UserError where that fails or it takes no files."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        # A folder that is no real one, such as those of /proc, says that there is no such file.
        if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOENT}:
            reason = "what is above it takes no folders from you"
        raise UserError(f"The folder {folder} cannot be made: {reason}.") from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise UserError(f"The folder {folder} takes no files from you.")
