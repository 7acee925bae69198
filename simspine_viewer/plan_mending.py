"""Changing the plan of a recording: other files for a camera, another calibration."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from pipeline.data.errors import Finding
from pipeline.io.calibration import read_calibration
from pipeline.io.recording import RecordingPlan, ViewPlan, plan_from_files, with_calibration

# What the plan said about the match itself, which a person has now looked at.
_ABOUT_THE_MATCH = frozenset({"no-camera", "matched-by-order", "no-video", "no-detections"})


def offered_files(plan: RecordingPlan) -> tuple[list[Path], list[Path]]:
    """Videos and folders of detections that were found, matched or left over."""
    videos = [view.video for view in plan.views if view.video]
    detections = [view.detections for view in plan.views if view.detections]
    for finding in plan.findings:
        if finding.code == "no-camera" and finding.path is not None:
            (detections if finding.path.is_dir() else videos).append(finding.path)
    return list(dict.fromkeys(videos)), list(dict.fromkeys(detections))


def all_views(plan: RecordingPlan) -> tuple[ViewPlan, ...]:
    """The plan's views, then the calibrated cameras that were given no files."""
    if plan.calibration is None:
        return plan.views
    known = {view.camera for view in plan.views}
    cameras = read_calibration(plan.calibration).cameras
    return (*plan.views, *(ViewPlan(c.name) for c in cameras if c.name not in known))


def mended(plan: RecordingPlan, views: Iterable[ViewPlan]) -> RecordingPlan:
    """The plan with other files for its cameras; a camera without any is left out."""
    used = tuple(view for view in views if view.video or view.detections)
    if used == plan.views:
        return plan
    findings = [f for f in plan.findings if f.code not in _ABOUT_THE_MATCH]
    for view in used:
        if view.video is None:
            message = f"The camera {view.camera} has no video in “{plan.name}”."
            findings.append(Finding("warning", "no-video", message, plan.root))
        elif view.detections is None:
            message = f"The camera {view.camera} has no detections in “{plan.name}”."
            findings.append(Finding("warning", "no-detections", message, plan.root))
    return replace(plan, views=used, findings=tuple(findings))


def with_other_calibration(
    plan: RecordingPlan, calibration: Path, videos: list[Path], detections: list[Path]
) -> RecordingPlan:
    """The plan with another calibration; where its cameras have other names, matched anew.

    ``videos`` and ``detections`` are all that can be matched, used by the plan or not.

    Raises
    ------
    UserError
        The file cannot be used.
    """
    names = {camera.name for camera in read_calibration(calibration).cameras}
    if {view.camera for view in plan.views} <= names and plan.views:
        return with_calibration(plan, calibration)
    matched = plan_from_files(videos, calibration, detections)
    paths = (plan.calibration, *plan.alternatives)
    return replace(
        matched,
        root=plan.root,
        name=plan.name,
        skeleton=plan.skeleton,
        up=plan.up,
        alternatives=tuple(p for p in paths if p is not None and p != calibration),
    )


def fault(plan: RecordingPlan) -> str:
    """Why a plan cannot be opened, in one sentence; empty where it can."""
    for kind in ("video", "detections"):
        paths = [path for view in plan.views if (path := getattr(view, kind)) is not None]
        for path in paths:
            if paths.count(path) > 1:
                return f"“{path.name}” is given to two cameras."
    if plan.calibration is None:
        return "There is no calibration here; 3D needs one (.toml or Qualisys .qca.txt)."
    return "" if plan.views else "No camera has a video or detections."
