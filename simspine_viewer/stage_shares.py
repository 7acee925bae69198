"""What each stage on the way from the pictures to the label adds to a point's uncertainty."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from simspine_viewer.document import FramePoints, Preview
from simspine_viewer.pose import Pose

if TYPE_CHECKING:
    from pipeline.kinematics.subject import Subject

# Beyond this many standard deviations of each axis lies one point in a hundred (chi, 3 axes).
_RARE = 3.37


@dataclass(frozen=True, slots=True)
class Shares:
    """One keypoint in one frame, from the pictures to the body model.

    Attributes
    ----------
    seen
        Root mean square distance between the 3D point and what was seen, px.
    triangulated
        Standard deviation of the frame's own 3D point, mm.
    smoothed
        How far solving over time moved it, mm.
    model
        Distance of the body model's point from it, mm.
    expected
        Distance that one point in a hundred would have by chance, mm.

    NaN where something is not known.
    """

    seen: float
    triangulated: float
    smoothed: float
    model: float
    expected: float

    @property
    def cannot_follow(self) -> bool:
        """Whether the model does not get to the point although it is well known where it is."""
        return bool(self.model > self.expected)


def shares_of(
    points: FramePoints,
    pose: Pose | None,
    subject: Subject | None,
    keypoint: int,
    preview: Preview | None = None,
) -> Shares:
    """The shares of a keypoint; those of the model are NaN without a pose.

    In a drag of the keypoint, ``preview``, all are of where it is dragged to.
    """
    if preview is not None and preview.keypoint == keypoint:
        counted = preview.residual[np.isfinite(preview.residual)]
        seen = float(np.sqrt(np.mean(counted**2))) if len(counted) else float("nan")
        away = float("nan")
        if pose is not None:
            away = 1000.0 * float(np.linalg.norm(pose.markers[keypoint] - preview.xyz))
        return Shares(seen, preview.sigma or float("nan"), float("nan"), away, float("inf"))
    fused, xyz = points.fused[keypoint], points.xyz[keypoint]
    best = fused if np.isfinite(fused).all() else xyz
    model = expected = float("nan")
    if pose is not None and subject is not None:
        sigma = points.fused_sigma[keypoint]
        sigma = sigma if np.isfinite(sigma) else points.sigma[keypoint]
        own = 1000.0 * subject.model_sigma[keypoint]
        model = 1000.0 * float(np.linalg.norm(pose.markers[keypoint] - best))
        expected = _RARE * float(np.hypot(own, np.nan_to_num(sigma)))
    return Shares(
        float(points.rms[keypoint]),
        float(points.sigma[keypoint]),
        1000.0 * float(np.linalg.norm(fused - xyz)),
        model,
        expected,
    )
