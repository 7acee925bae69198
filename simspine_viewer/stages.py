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


TITLES: dict[Stage, str] = {
    Stage.WORK: "Seen + 3D",
    Stage.DETECTED: "Seen in 2D only",
    Stage.TRIANGULATED: "Triangulated",
    Stage.MODEL: "Simulated",
    Stage.FINAL: "Final (exported)",
}
HELP: dict[Stage, str] = {
    Stage.WORK: "What was seen in each view, with a line to where the 3D point falls.",
    Stage.DETECTED: "Only what was seen in each view, by the detector or by a person.",
    Stage.TRIANGULATED: "The 3D points of each frame by itself. A drag in a picture places what is "
    "seen there; the 3D point follows.",
    Stage.MODEL: "The points of the simulated body, and its spine. A drag in a picture places what "
    "is seen there.",
    Stage.FINAL: "The 3D points solved over time, as exported. A drag in a picture places what is "
    "seen there; the 3D point follows.",
}
MISSING = "Final: not computed yet"
NOT_SIMULATED = "Simulated: not computed yet"


def following(stage: Stage) -> Stage:
    """The stage after this one, the first after the last."""
    stages = list(Stage)
    return stages[(stages.index(stage) + 1) % len(stages)]


def has_final(points: FramePoints | None) -> bool:
    """Whether the final points of a frame have been computed."""
    return points is not None and bool(np.isfinite(points.fused[:, 0]).any())


def stage_xyz(points: FramePoints, stage: Stage, pose: Pose | None = None) -> FloatArray:
    """(K, 3) m: the 3D points that a stage shows; NaN where it has none."""
    if stage is Stage.MODEL:
        return np.full_like(points.xyz, np.nan) if pose is None else pose.markers
    return points.fused if stage is Stage.FINAL else points.xyz


def stage_sigma(points: FramePoints, stage: Stage) -> FloatArray:
    """(K,) mm: their uncertainty; NaN where nobody knows it."""
    if stage is Stage.MODEL:
        return np.full_like(points.sigma, np.nan)
    return points.fused_sigma if stage is Stage.FINAL else points.sigma


def legend(points: FramePoints | None, stage: Stage, pose: Pose | None = None) -> str:
    """What to write on a view that shows a stage."""
    if stage is Stage.MODEL and pose is None:
        return NOT_SIMULATED
    return MISSING if stage is Stage.FINAL and not has_final(points) else TITLES[stage]
