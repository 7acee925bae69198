"""Refining cameras as a job, and its report as plain data."""

from __future__ import annotations

import math
from collections.abc import Generator
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.data.camera import CameraGroup
from pipeline.geometry.refine_sequence import CameraReport, camera_report_steps
from pipeline.io.project import Project
from pipeline.jobs.messages import Done, Event, Job, Progress


def refine_cameras(job: Job) -> Generator[Event, None, None]:
    """Refine the cameras from a person: args ``project`` and ``track``; nothing is written.

    ``Done`` carries :func:`as_data` of the report.
    """
    with Project.open(Path(job.args["project"]), read_only=True) as project:
        sequence = project.sequence
        steps = camera_report_steps(sequence, int(job.args["track"]))
        try:
            while True:
                try:
                    fraction, text = next(steps)
                except StopIteration as end:
                    report: CameraReport = end.value
                    break
                yield Progress(job.id, fraction, text)
        finally:
            steps.close()
        yield Done(job.id, as_data(report, sequence.cameras))


def as_data(report: CameraReport, old: CameraGroup) -> dict[str, Any]:
    """A report as JSON-able values: None where a number is not known.

    ``cameras`` has one entry per view: ``name``; ``rotation`` (3 rows) and ``translation``
    (metres), camera from world, of the refined camera; ``moved_mm`` and ``turned_deg``; ``before``
    and ``after``, the held-out errors in pixels; ``offset`` in whole and ``offset_exact`` in
    fractional sequence frames to be added, with ``verdict`` and ``cost``, the cost at the offsets
    ``tried`` around it over the cost at it.
    """
    refinement, offsets = report.refinement, report.offsets
    cameras = [
        {
            "name": camera.name,
            "rotation": refinement.cameras[view].rotation.tolist(),
            "translation": refinement.cameras[view].translation.tolist(),
            "moved_mm": _number(refinement.moved_mm[view]),
            "turned_deg": _number(refinement.turned_deg[view]),
            "before": _number(refinement.before[view]),
            "after": _number(refinement.after[view]),
            "offset": int(offsets.frames[view]),
            "offset_exact": _number(offsets.exact[view]),
            "verdict": offsets.verdicts[view],
            "cost": [_number(cost) for cost in offsets.curves[view]],
        }
        for view, camera in enumerate(old)
    ]
    return {
        "accepted": report.accepted,
        "reason": report.reason,
        "cautions": list(refinement.cautions),
        "before": _number(refinement.before_all),
        "after": _number(refinement.after_all),
        "frames": [int(frame) for frame in refinement.frames],
        "checked_frames": len(refinement.checked),
        "points": refinement.n_points,
        "tried": [int(offset) for offset in offsets.tried],
        "cameras": cameras,
    }


def _number(value: float | np.floating[Any]) -> float | None:
    return float(value) if math.isfinite(value) else None
