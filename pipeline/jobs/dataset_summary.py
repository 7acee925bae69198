"""What came of each sequence of a dataset, and the table of all of them."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pipeline.io.atomic import atomic_text
from pipeline.jobs.dataset_find import Found
from pipeline.jobs.dataset_state import SequenceState

Status = Literal["done", "kept", "failed", "waiting"]

_HEAD = ("subject", "sequence", "status", "frames", "median_marker_error_mm", "flags", "seconds",
         "reason")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Row:
    """One sequence of the summary; ``kept``: finished by an earlier run, and still up to date."""

    found: Found
    status: Status = "waiting"
    frames: int = 0
    state: SequenceState | None = None
    reason: str = ""


def write_summary(path: Path, rows: Sequence[Row], dataset: str) -> None:
    """Write all rows as CSV, whole; ``dataset`` is the subject of those that lie in the root."""
    with atomic_text(path) as handle:
        writer = csv.writer(handle, lineterminator="\n")
        writer.writerow(_HEAD)
        for row in rows:
            found = (row.found.subject or dataset, row.found.name, row.status, row.frames)
            writer.writerow((*found, *_of_state(row.state), row.reason))


def _of_state(state: SequenceState | None) -> tuple[object, str, object]:
    if state is None:
        return "", "", ""
    error = "" if state.marker_error is None else state.marker_error
    return error, "; ".join(state.flags), state.seconds
