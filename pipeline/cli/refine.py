"""``simspine refine``: the cameras corrected from a person, as a table, as JSON, in the project."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.cli.output import CommandError, Exit, counted
from pipeline.cli.recording import Person
from pipeline.data import edits
from pipeline.data.camera import CameraGroup
from pipeline.data.history import Place
from pipeline.geometry.refine_sequence import CameraReport
from pipeline.io.opening import SUFFIX
from pipeline.io.project import Project
from pipeline.io.project_lock import user_name

LABEL = "Refine cameras"
TIMING = {
    "clear": "{:+d} (clear)",
    "weak": "{:+d} (weak)",
    "none": "not known",
}


def check_applicable(path: Path) -> None:
    """CommandError where there is no project into which a correction could be written."""
    if path.suffix != SUFFIX:
        raise CommandError(
            Exit.USAGE,
            f"--apply writes into a project; “{path.name}” is a folder. Give the {SUFFIX} file.",
        )


def apply(path: Path, cameras: CameraGroup, track: int) -> None:
    """Write refined poses into a project as one step that can be undone."""
    with Project.open(path, author=user_name()) as project:
        patches = edits.set_cameras(project.sequence, cameras)
        if patches:
            project.commit(LABEL, patches, Place(track=track))


def as_json(data: dict[str, Any], person: Person, applied: bool) -> str:
    """What was found as JSON text."""
    told = {"person": person.number, "applied": applied, **data}
    return json.dumps(told, indent=1, ensure_ascii=False, allow_nan=False)


def as_text(report: CameraReport, names: tuple[str, ...], person: Person) -> str:
    """What was found as lines to read."""
    refinement, offsets = report.refinement, report.offsets
    width = max(map(len, names), default=0)
    lines = [
        f"Cameras refined from person {person.number}, "
        f"{counted(refinement.n_points, 'point')} in {counted(len(refinement.frames), 'frame')}",
        "",
        f"  {'':{width}}  moved mm  turned °  held-out error px  time offset",
    ]
    for view, name in enumerate(names):
        verdict = TIMING[offsets.verdicts[view]].format(int(offsets.frames[view]))
        moved, turned = refinement.moved_mm[view], refinement.turned_deg[view]
        lines.append(
            f"  {name:{width}}  {moved:8.1f}  {turned:8.2f}"
            f"  {_pixels(refinement.before[view])} -> {_pixels(refinement.after[view]):<8}"
            f"  {verdict}"
        )
    if np.isfinite(refinement.after_all):
        lines += [
            "",
            f"In {counted(len(refinement.checked), 'other frame')} the held-out error goes from "
            f"{refinement.before_all:.1f} to {refinement.after_all:.1f} px.",
        ]
    lines += refinement.cautions
    lines.append(report.reason or "Accepted.")
    return "\n".join(lines)


def _pixels(error: float) -> str:
    return f"{error:6.1f}" if np.isfinite(error) else "     –"
