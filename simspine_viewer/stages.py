"""The stages a point goes through, of which the overlay shows one."""

from __future__ import annotations

from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from simspine_viewer.document import FramePoints

FloatArray = NDArray[np.float64]


class Stage(StrEnum):
    """What is drawn: what there is to edit, or one stage by itself."""

    WORK = "work"  # what was seen in each view, and how far from it the 3D point falls
    DETECTED = "detected"
    TRIANGULATED = "triangulated"
    FINAL = "final"


TITLES: dict[Stage, str] = {
    Stage.WORK: "Seen + 3D",
    Stage.DETECTED: "Seen in 2D only",
    Stage.TRIANGULATED: "Triangulated",
    Stage.FINAL: "Final (exported)",
}
HELP: dict[Stage, str] = {
    Stage.WORK: "What was seen in each view, with a line to where the 3D point falls.",
    Stage.DETECTED: "Only what was seen in each view, by the detector or by a person.",
    Stage.TRIANGULATED: "The 3D points of each frame by itself. A drag in a picture places what is "
    "seen there; the 3D point follows.",
    Stage.FINAL: "The 3D points solved over time, as exported. A drag in a picture places what is "
    "seen there; the 3D point follows.",
}
MISSING = "Final: not computed yet"


def following(stage: Stage) -> Stage:
    """The stage after this one, the first after the last."""
    stages = list(Stage)
    return stages[(stages.index(stage) + 1) % len(stages)]


def has_final(points: FramePoints | None) -> bool:
    """Whether the final points of a frame have been computed."""
    return points is not None and bool(np.isfinite(points.fused[:, 0]).any())


def stage_xyz(points: FramePoints, stage: Stage) -> FloatArray:
    """(K, 3) m: the 3D points that a stage shows; NaN where it has none."""
    return points.fused if stage is Stage.FINAL else points.xyz


def stage_sigma(points: FramePoints, stage: Stage) -> FloatArray:
    """(K,) mm: their uncertainty."""
    return points.fused_sigma if stage is Stage.FINAL else points.sigma


def legend(points: FramePoints | None, stage: Stage) -> str:
    """What to write on a view that shows a stage."""
    return MISSING if stage is Stage.FINAL and not has_final(points) else TITLES[stage]
