"""What a sequence of a dataset is made from, and what a finished one leaves beside its files.

Light to import: what only sees to the work does not load what does it.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pipeline import __version__
from pipeline.data.errors import UserError
from pipeline.io.atomic import atomic_text
from pipeline.io.opening import SUFFIX
from pipeline.io.recording import recognise
from pipeline.jobs.simulation_plan import SimulationPlan

STATE_FILE = "sequence.json"
_FORMAT = 1
# SQLite keeps the newest changes of an open project beside it.
_JOURNAL = "-wal"


@dataclass(frozen=True, slots=True)
class SequenceState:
    """A finished sequence.

    Attributes
    ----------
    inputs, options : str
        Short names of what it was made from and how.
    frames, seconds
        Its length, and how long the work took.
    marker_error : float or None
        Median distance of the model to the measured points, millimetres.
    flags : tuple of str
        What is to be looked at.
    files : mapping
        Size in bytes by file name.
    """

    inputs: str
    options: str
    frames: int
    seconds: float
    marker_error: float | None
    flags: tuple[str, ...]
    files: dict[str, int]


@dataclass(frozen=True, slots=True)
class SequenceJob:
    """What is to be done: all of it is pickled to a worker, paths as that worker sees them.

    Attributes
    ----------
    path, folder : Path
        What is opened, and where its files go.
    plan : SimulationPlan
    options : str
        The plan's short name, for the state.
    """

    path: Path
    folder: Path
    plan: SimulationPlan
    options: str


@dataclass(frozen=True, slots=True)
class SequenceResult:
    """What came of a job: a state, or a sentence with the details for the log."""

    state: SequenceState | None
    reason: str = ""
    detail: str = ""


def write_state(folder: Path, state: SequenceState) -> None:
    """Write the state of a sequence whose files are all there; UserError where that fails."""
    with atomic_text(folder / STATE_FILE) as handle:
        json.dump({"format": _FORMAT, **asdict(state)}, handle, indent=1)


def read_state(folder: Path) -> SequenceState | None:
    """The state of a finished sequence; None where there is none, or one of its files is gone."""
    try:
        told = json.loads((folder / STATE_FILE).read_text(encoding="utf-8"))
        if told.pop("format") != _FORMAT:
            return None
        state = SequenceState(**{**told, "flags": tuple(told["flags"])})
        whole = all((folder / name).stat().st_size == size for name, size in state.files.items())
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        # Missing, or not written by this version: the sequence is done anew.
        return None
    return state if whole else None


def is_result(folder: Path) -> bool:
    """Whether a folder holds what a run made, which may be made again."""
    return (folder / STATE_FILE).is_file()


def input_stamp(path: Path) -> str:
    """A short name for the state of a recording's files: names, sizes and times of change.

    Raises
    ------
    UserError
        The path is no recording, or cannot be read.
    """
    digest = hashlib.sha256()
    for file in _inputs(path):
        try:
            found = file.stat()
        except OSError as error:
            raise UserError(f"{file} cannot be read: {error.strerror or error}.") from error
        place = os.path.relpath(file, path.parent)
        digest.update(f"{place}\0{found.st_size}\0{found.st_mtime_ns}\n".encode(errors="replace"))
    return digest.hexdigest()[:16]


def _inputs(path: Path) -> Iterator[Path]:
    if path.suffix == SUFFIX:
        yield path
        journal = path.with_name(path.name + _JOURNAL)
        if journal.exists() and journal.stat().st_size:
            yield journal
        return
    plan = recognise(path)
    if plan.calibration is not None:
        yield plan.calibration
    for view in plan.views:
        for part in (view.video, view.detections):
            if part is not None and part.is_dir():
                yield from sorted(file for file in part.iterdir() if file.is_file())
            elif part is not None:
                yield part


def options_stamp(plan: SimulationPlan) -> str:
    """A short name for how people are simulated, this program's version included.

    Files count by what is in them, and how many threads are used does not count.
    """
    told: dict[str, Any] = {"version": __version__, **asdict(plan)}
    del told["threads"]
    for name, value in told.items():
        if isinstance(value, Path):
            told[name] = hashlib.sha256(value.read_bytes()).hexdigest()
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:16]
