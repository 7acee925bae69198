"""The stages a point goes through, of which the overlay shows one."""

from __future__ import annotations

from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from simspine_viewer.document import FramePoints
from simspine_viewer.pose import Pose

FloatArray = NDArray[np.float64]


class Stage(StrEnum):
    """What is drawn: what there is to edit, or one stage by itself."""

    WORK = "work"  # what was seen in each view, and how far from it the 3D point falls
    DETECTED = "detected"
    TRIANGULATED = "triangulated"
    MODEL = "model"
    FINAL = "final"
    LABELS = "labels"


TITLES: dict[Stage, str] = {
    Stage.WORK: "Seen + 3D",
    Stage.DETECTED: "Seen in 2D only",
    Stage.TRIANGULATED: "Triangulated",
    Stage.MODEL: "Simulated",
    Stage.FINAL: "Final",
    Stage.LABELS: "Labels, with the body",
}
HELP: dict[Stage, str] = {
    Stage.WORK: "What was seen in each view, with a line to where the 3D point falls.",
    Stage.DETECTED: "Only what was seen in each view, by the detector or by a person.",
    Stage.TRIANGULATED: "The 3D points of each frame by itself. A drag in a picture places what is "
    "seen there; the 3D point follows.",
    Stage.MODEL: "The points of the simulated body, and its spine. A drag in a picture places what "
    "is seen there.",
    Stage.FINAL: "The 3D points solved over time. A drag in a picture places what is seen there; "
    "the 3D point follows.",
    Stage.LABELS: "The final points put together with the body model: what labels are exported as. "
    "A drag in a picture places what is seen there; the label follows.",
}
MISSING = "Final: not computed yet"
NO_LABELS = "Labels: not computed yet"
NOT_SIMULATED = "Simulated: not computed yet"
_LACKING = {Stage.FINAL: MISSING, Stage.LABELS: NO_LABELS}


def following(stage: Stage) -> Stage:
    """The stage after this one, the first after the last."""
    stages = list(Stage)
    return stages[(stages.index(stage) + 1) % len(stages)]


def stage_xyz(points: FramePoints, stage: Stage, pose: Pose | None = None) -> FloatArray:
    """(K, 3) m: the 3D points that a stage shows; NaN where it has none."""
    if stage is Stage.MODEL:
        return np.full_like(points.xyz, np.nan) if pose is None else pose.markers
    if stage is Stage.LABELS:
        return points.label
    return points.fused if stage is Stage.FINAL else points.xyz


def stage_sigma(points: FramePoints, stage: Stage) -> FloatArray:
    """(K,) mm: their uncertainty; NaN where nobody knows it."""
    if stage is Stage.MODEL:
        return np.full_like(points.sigma, np.nan)
    if stage is Stage.LABELS:
        return points.label_sigma
    return points.fused_sigma if stage is Stage.FINAL else points.sigma


def legend(points: FramePoints | None, stage: Stage, pose: Pose | None = None) -> str:
    """What to write on a view that shows a stage."""
    if stage is Stage.MODEL and pose is None:
        return NOT_SIMULATED
    if stage in _LACKING:
        there = points is not None and np.isfinite(stage_xyz(points, stage)).any()
        return TITLES[stage] if there else _LACKING[stage]
    return TITLES[stage]
